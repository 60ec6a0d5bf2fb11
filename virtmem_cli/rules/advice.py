"""Advice: what QEMU takes and serves, and people trip over all the same; only `check` gives it.

From which size on something is worth saying stands in THRESHOLDS, with its reason.
"""

from typing import NamedTuple

from virtmem_cli.document.value import Element
from virtmem_cli.findings import Problem, Problems, Refuses, Severity, rule
from virtmem_cli.settle import Settled, unplugged_readable
from virtmem_cli.units import MIB, human, round_up


class Thresholds(NamedTuple):
    """From where on something is worth saying: more than these."""

    # Hotplugged to boot memory. The kernel's own limit for automatic onlining, auto_movable_ratio, is 301 %.
    movable_ratio: int = 3
    # The part of boot memory that the memmap of all growth takes, one in so many; it is 1/64 of the growth.
    memmap_part: int = 8
    memmap_of_growth: int = 64
    # Bytes of the host's memory for one slot: its reverse map and dirty bitmaps, 2.5 GiB for each TiB.
    metadata: int = 256 * MIB
    metadata_of_slot: tuple[int, int] = (5, 2048)
    # VFIO's limit of DMA mappings for a container: the kernel's dma_entry_limit.
    dma_mappings: int = 65535


THRESHOLDS = Thresholds()


@rule(Severity.ADVICE, Refuses.NOBODY, "much more movable memory than the guest boots with")
def movable_ratio(s: Settled) -> Problems:
    """The kernel's documentation, and its auto_movable_ratio of 301 %."""
    hotplugged, boot = s.devices_size, s.boot_memory
    if boot > 0 and hotplugged > THRESHOLDS.movable_ratio * boot:
        least = round_up(-(-hotplugged // THRESHOLDS.movable_ratio), MIB)
        yield Problem(
            _first(s),
            f"hotplugged memory of up to {human(hotplugged)} is {hotplugged / boot:.1f} times boot memory of "
            f"{human(boot)}: where it is onlined as movable, the kernel runs out of memory for itself",
            f"Boot with {human(least)} or more, or see that the guest onlines part of it for the kernel "
            "(memory_hotplug.online_policy=auto-movable).",
        )


@rule(Severity.ADVICE, Refuses.NOBODY, "what the guest needs to manage growth takes much of its boot memory")
def memmap_boot_memory(s: Settled) -> Problems:
    """Linux has 64 bytes for each page of 4 KiB, in memory that is there already."""
    memmap, boot = _growth(s) // THRESHOLDS.memmap_of_growth, s.boot_memory
    if boot > 0 and memmap * THRESHOLDS.memmap_part > boot:
        least = round_up(memmap * THRESHOLDS.memmap_part, MIB)
        yield Problem(
            _first(s),
            f"to manage growth of {human(_growth(s))} the guest needs {human(memmap)} of its boot memory of "
            f"{human(boot)} (1/{THRESHOLDS.memmap_of_growth} of what is added)",
            f"Boot with {human(least)} or more, or plan with less growth.",
        )


@rule(Severity.ADVICE, Refuses.NOBODY, "one large memory slot takes much of the host's memory")
def memslot_metadata(s: Settled) -> Problems:
    """KVM's reverse map and dirty bitmaps; dynamic-memslots since QEMU 8.2 and libvirt 10.1."""
    part, whole = THRESHOLDS.metadata_of_slot
    for device in s.devices:
        metadata = device.size * part // whole
        if metadata > THRESHOLDS.metadata and not device.dynamic_memslots and not s.domain.vhost_user:
            if unplugged_readable(s) or not s.target.qemu.has("dynamic-memslots"):
                continue  # nothing to be done about it
            yield Problem(
                device.at("target"),
                f"one memory slot of {human(device.size)} takes about {human(round_up(metadata, MIB))} of the host's "
                "memory, whatever the guest has taken of it",
                "Write <target dynamicMemslots='yes'>, and slots come and go with the memory.",
            )


@rule(Severity.ADVICE, Refuses.NOBODY, "more blocks than VFIO has DMA mappings")
def vfio_mappings(s: Settled) -> Problems:
    """vfio_iommu_type1's dma_entry_limit; QEMU maps virtio-mem in pieces of a block."""
    if not s.domain.vfio:
        return
    limit = THRESHOLDS.dma_mappings
    blocks = _blocks(s, 0)
    if blocks <= limit:
        return
    least = MIB
    while _blocks(s, least) > limit:
        least *= 2
    yield Problem(
        s.domain.vfio[0],
        f"VFIO maps virtio-mem block by block: all blocks are {blocks}, and it has {limit} DMA mappings",
        f"Write a <block> of {human(least)} or more in each virtio-mem device, or raise dma_entry_limit of the "
        "host's vfio_iommu_type1.",
    )


def _blocks(s: Settled, least: int) -> int:
    """How many blocks all devices have, if none of them is smaller than this."""
    return sum(-(-device.size // max(device.block, least)) for device in s.devices if device.block)


@rule(Severity.ADVICE, Refuses.NOBODY, "dynamicMemslots beside a vhost-user device")
def vhost_user_memslots(s: Settled) -> Problems:
    """QEMU asks each vhost-user process for its limit of slots, 8 in the older protocol (8.2)."""
    for device in s.devices if s.domain.vhost_user else ():
        if device.dynamic_memslots:
            yield Problem(
                device.at("target"),
                "<target dynamicMemslots> is 'yes', and the domain has a vhost-user device: many of their processes "
                "take only a few memory slots, and then all of it stays in one",
                "Remove dynamicMemslots, or see that what serves the device takes as many slots.",
            )


@rule(Severity.ADVICE, Refuses.NOBODY, "a vhost-user device cannot reach memory that is not shared")
def vhost_user_private(s: Settled) -> Problems:
    """A vhost-user process maps the guest's memory by its file; libvirt looks at the cells for it."""
    for memory in s.virtio_mem if s.domain.vhost_user else ():
        if not memory.is_shared:
            yield Problem(
                memory.device.element,
                "its memory is private, and the domain has a vhost-user device, whose process cannot reach it",
                "Write access='shared', or <memoryBacking><access mode='shared'/> for all of the guest's memory.",
            )


@rule(Severity.ADVICE, Refuses.NOBODY, "the memory balloon does not reach virtio-mem")
def balloon_inflation(s: Settled) -> Problems:
    """QEMU's balloon counts boot memory and DIMMs, and does not see virtio-mem."""
    given = s.boot_memory + sum(device.requested for device in s.devices)
    if s.domain.balloon and 0 < s.domain.current_memory < min(s.domain.memory, given) and s.boot_memory > 0:
        yield Problem(
            s.domain.at("currentMemory"),
            f"<currentMemory> is {human(s.domain.current_memory)}, and boot memory and <requested> are {human(given)}: "
            "the balloon takes from boot memory alone, never from virtio-mem",
            "Leave <currentMemory> out, and say with <requested> what the guest is to have.",
        )


def _growth(s: Settled) -> int:
    """What can be plugged while the guest runs."""
    return sum(device.size for device in s.devices)


def _first(s: Settled) -> Element:
    """Where advice on all devices together is given: at the largest."""
    return max(s.devices, key=lambda device: device.size).element
