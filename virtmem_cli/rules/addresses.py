"""Guest-physical addresses: where device memory is, and whether each device has a place in it.

All of these go by the layout that was settled; none lays the domain out again.
"""

from virtmem_cli.findings import Part, Problem, Problems, Refuses, Severity, rule, safe, unsafe
from virtmem_cli.rules.sizes import TOO_MUCH
from virtmem_cli.settle import Settled
from virtmem_cli.text import cut
from virtmem_cli.units import LARGEST, human, round_up


@rule(Severity.ERROR, Refuses.BOTH, "the guest address is not aligned")
def memaddr_unaligned(s: Settled) -> Problems:
    """libvirt wants a multiple of <block> (virDomainMemoryDefValidate), QEMU of the huge page or 2 MiB, too."""
    for memory in s.virtio_mem:
        device, step = memory.device, memory.alignment
        if device.memaddr % step:
            yield Problem(
                device.at("memaddr"),
                f"<address base> is {device.memaddr:#x}, which is not a multiple of {human(step)}",
                f"Write {round_up(device.memaddr, step):#x}.",
                unsafe(device.at("memaddr"), Part.ATTRIBUTE, f"{round_up(device.memaddr, step):#x}", "base"),
            )


@rule(Severity.ERROR, Refuses.BOTH, "two devices' guest addresses overlap")
def memaddr_overlap(s: Settled) -> Problems:
    """libvirt compares addresses that are given (virDomainMemoryDefValidate), QEMU all."""
    return _overlaps(s, given=True)


@rule(Severity.ERROR, Refuses.QEMU, "the guest address is in the way of a device that QEMU places")
def memaddr_taken(s: Settled) -> Problems:
    """QEMU places devices in their order, each in the first gap (memory_device_get_free_addr); libvirt does not."""
    return _overlaps(s, given=False)


def _overlaps(s: Settled, *, given: bool) -> Problems:
    """Addresses in the way of an earlier device's, which the XML gives, or which QEMU chooses."""
    placements = s.layout.placements if s.layout is not None else ()
    addresses = {placement.device.alias: placement.address or 0 for placement in placements if not placement.overlaps}
    for placement in placements:
        device, other = placement.device, placement.overlaps
        if other is None or (placement.outside and not given):
            continue
        if bool(other.memaddr) == given:
            at = addresses[other.alias]
            where = "" if given else ", where QEMU puts it"
            yield Problem(
                device.at("memaddr"),
                f"<address base> is {device.memaddr:#x} with {human(device.size)}, which overlaps "
                f"{cut(other.alias)} at {at:#x} with {human(other.size)}{where}",
                "Leave the address out, and QEMU finds a place.",
                unsafe(device.elements["memaddr"], Part.REMOVE) if "memaddr" in device.elements else None,
            )


@rule(Severity.ERROR, Refuses.QEMU, "the guest address is not where device memory is")
def memaddr_outside(s: Settled) -> Problems:
    """QEMU's range begins behind boot memory and is as large as <maxMemory> leaves it; libvirt does not know where."""
    layout = s.layout
    if layout is None:
        return
    for placement in layout.placements:
        device = placement.device
        if placement.outside:
            last = layout.end - device.size
            first = round_up(layout.base, placement.alignment)
            free = f"{first:#x} to {last:#x}" if first < last else f"{first:#x}"
            advice = f"Write {free}, or leave the address out." if first <= last else "Leave it out."
            yield Problem(
                device.at("memaddr"),
                f"<address base> is {device.memaddr:#x} with {human(device.size)}, and device memory is from "
                f"{layout.base:#x} to {layout.end - 1:#x}",
                advice,
                unsafe(device.elements["memaddr"], Part.REMOVE) if "memaddr" in device.elements else None,
            )


@rule(Severity.ERROR, Refuses.QEMU, "no gap is left for a device, though the sum fits")
def hotplug_gap(s: Settled) -> Problems:
    """QEMU takes the first gap that is free and moves nothing (memory_device_get_free_addr); libvirt adds up sizes."""
    layout = s.layout
    if layout is None:
        return
    least = layout.least_max_memory
    for placement in layout.placements if layout.used <= layout.capacity else ():
        device = placement.device
        if placement.address is None:
            yield Problem(
                device.element,
                f"no gap of {human(device.size)} at a multiple of {human(placement.alignment)} is left between "
                f"{layout.base:#x} and {layout.end - 1:#x}, though <maxMemory> is enough in sum",
                f"Write <maxMemory> of {human(least)}, or the devices in another order."
                if least <= LARGEST
                else TOO_MUCH,
                safe(s.domain.at("maxMemory"), Part.SIZE, least),
            )
