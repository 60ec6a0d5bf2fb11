"""A Domain and a target to findings: what does not fit together. Changes nothing.

One function a rule, and one table of them at the end. A rule yields place, message and advice for each problem, and
passes over values that `parse` could not read (0 or None): those are findings already. Who refuses, and how bad that
is, stands in `findings`; whether libvirt or QEMU was seen to refuse it is shown by the tests.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from virtmem_cli.domain import (
    MACHINES,
    CcwAddress,
    Domain,
    HugePage,
    NumaCell,
    PciAddress,
    PciController,
    VirtioMem,
    has_node,
)
from virtmem_cli.effective import (
    WRITTEN,
    BootMemory,
    Effective,
    Memory,
    backend_type,
    boot_memory,
    bus_name,
    controllers_needed,
    device_driver,
    effective,
    is_ccw,
    page_for_node,
    pagesize_for_node,
)
from virtmem_cli.findings import MOST_FINDINGS, Finding, Part, Repair, finding, more_findings, safe, unsafe
from virtmem_cli.layout import Placement, alignment, lay_out, least_max_memory
from virtmem_cli.target import ARCHITECTURES, FEATURES, Target, show
from virtmem_cli.text import printable, quoted
from virtmem_cli.units import KIB, MIB, format_bitmap, human, round_up

# Place, message, advice, and perhaps the repair.
Problem = tuple[int, str, str] | tuple[int, str, str, Repair | None]
Problems = Iterator[Problem]


def judge(domain: Domain, target: Target, checks: "Mapping[str, Check]") -> Iterator[Finding]:
    """All findings of these rules, in their order."""
    for rule_id, rule in checks.items():
        for number, problem in enumerate(rule(domain, target)):
            if number == MOST_FINDINGS:
                yield more_findings(rule_id, problem[0])
                break
            yield finding(rule_id, *problem)


def _up_to(last: int) -> str:
    """Numbers from 0 for a message."""
    return f"0 to {last}" if last else "0"


def _power_of_two(value: int) -> bool:
    return value.bit_count() == 1


def _settled(domain: Domain, target: Target) -> Iterator[tuple[VirtioMem, Effective]]:
    return ((device, effective(domain, device, target.host)) for device in domain.devices)


# Sizes of a device


def block_not_power_of_two(domain: Domain, target: Target) -> Problems:
    for device in domain.devices:
        if device.block and not _power_of_two(device.block):
            yield (
                device.place_of("block"),
                f"<block> is {human(device.block)}, which is not a power of two",
                f"Write {human(1 << device.block.bit_length())}, say.",
                unsafe(device.place_of("block"), Part.SIZE, 1 << device.block.bit_length()),
            )


def block_below_thp(domain: Domain, target: Target) -> Problems:
    thp = target.host.thp_size(domain.arch)
    hosts = target.hosts or (target.host,)
    portable = max(host.thp_size(domain.arch) for host in hosts)
    everywhere = ", which is right for every host named" if len(hosts) > 1 else ""
    for device in domain.devices:
        if 0 < device.block < thp:
            sizes = {"size": device.size, "requested": device.requested}
            follow = [f"<{name}> {human(round_up(size, portable))}" for name, size in sizes.items() if size % portable]
            yield (
                device.place_of("block"),
                f"<block> is {human(device.block)}, and the host's transparent huge page is {human(thp)}",
                f"Write {human(portable)} or more{everywhere}{', with ' if follow else ''}{' and '.join(follow)}.",
                unsafe(device.place_of("block"), Part.SIZE, portable),
            )


def block_below_minimum(domain: Domain, target: Target) -> Problems:
    for device in domain.devices:
        # below a transparent huge page there is a finding already
        if target.host.thp_size(domain.arch) <= device.block < MIB:
            yield (
                device.place_of("block"),
                f"<block> is {human(device.block)}, and the least is 1 MiB",
                "Write 1024 KiB.",
                unsafe(device.place_of("block"), Part.SIZE, MIB),
            )


def block_below_page(domain: Domain, target: Target) -> Problems:
    for device, settled in _settled(domain, target):
        if 0 < device.block < settled.pagesize:
            yield (
                device.place_of("block"),
                f"<block> is {human(device.block)}, and the memory behind it has pages of {human(settled.pagesize)}",
                f"Write {human(settled.pagesize)} or more, or take smaller pages.",
                unsafe(device.place_of("block"), Part.SIZE, 1 << (settled.pagesize - 1).bit_length()),
            )


def size_not_block_multiple(domain: Domain, target: Target) -> Problems:
    for device in domain.devices:
        if _power_of_two(device.block) and device.size % device.block:
            yield (
                device.place_of("size"),
                f"<size> is {human(device.size)}, which is not a multiple of <block>, {human(device.block)}",
                f"Write {human(round_up(device.size, device.block))}.",
                safe(device.place_of("size"), Part.SIZE, round_up(device.size, device.block)),
            )


def size_not_page_multiple(domain: Domain, target: Target) -> Problems:
    for device, settled in _settled(domain, target):
        if settled.pagesize and device.size % settled.pagesize:
            yield (
                device.place_of("size"),
                f"<size> is {human(device.size)}, which is not a multiple of its pages of {human(settled.pagesize)}",
                f"Write {human(round_up(device.size, settled.pagesize))}.",
                safe(device.place_of("size"), Part.SIZE, round_up(device.size, settled.pagesize))
                if _power_of_two(settled.pagesize)
                else None,
            )
    for memory, settled, place in _on_huge_pages(domain, target):
        if isinstance(memory, BootMemory) and memory.size % settled.pagesize:
            yield (
                place,
                f"{memory.alias} is {human(memory.size)}, which is not a multiple of its pages of "
                f"{human(settled.pagesize)}",
                f"Give it {human(round_up(memory.size, settled.pagesize))}.",
            )


def requested_above_size(domain: Domain, target: Target) -> Problems:
    for device in domain.devices:
        if device.size and device.requested > device.size:
            yield (
                device.place_of("requested"),
                f"<requested> is {human(device.requested)}, and <size> is {human(device.size)}",
                f"Write at most {human(device.size)}, or a larger <size>.",
                unsafe(device.place_of("requested"), Part.SIZE, device.size // max(device.block, 1) * device.block),
            )


def requested_not_block_multiple(domain: Domain, target: Target) -> Problems:
    for device in domain.devices:
        if _power_of_two(device.block) and device.requested % device.block:
            fitting = round_up(device.requested, device.block)
            if fitting > device.size:
                fitting -= device.block
            yield (
                device.place_of("requested"),
                f"<requested> is {human(device.requested)}, which is not a multiple of <block>, {human(device.block)}",
                f"Write {human(fitting)}.",
                unsafe(device.place_of("requested"), Part.SIZE, fitting),
            )


# Guest nodes and the domain's memory


def node_missing(domain: Domain, target: Target) -> Problems:
    for device in filter(has_node, domain.memory_devices):
        if device.node is None and domain.guest_nodes and "target" in device.places:
            others = f", or another up to {domain.guest_nodes - 1}" if domain.guest_nodes > 1 else ""
            yield (
                device.place_of("target"),
                "<node> is absent, and the guest has NUMA nodes",
                f"Write <node>0</node>{others}.",
                unsafe(device.place_of("node"), Part.TEXT, 0)  # it is there, and empty
                if "node" in device.places
                else unsafe(device.place_of("target"), Part.INSIDE, "<node>0</node>"),
            )


def node_unknown(domain: Domain, target: Target) -> Problems:
    for device in filter(has_node, domain.memory_devices):
        if device.node is None or device.node < 0:
            continue
        place = device.place_of("node")
        if domain.is_s390x and not domain.cells:
            yield (
                place,
                f"<node> is {device.node}, and the domain has no NUMA cells",
                "Leave <node> out.",
                unsafe(place, Part.REMOVE),
            )
        elif domain.guest_nodes and device.node >= domain.guest_nodes:
            last = domain.guest_nodes - 1
            yield (
                place,
                f"<node> is {device.node}, and the guest's last node is {last}",
                f"Write {_up_to(last)}, or add a <cell>.",
                unsafe(place, Part.TEXT, last),
            )


def maxmemory_missing(domain: Domain, target: Target) -> Problems:
    if domain.devices and "maxMemory" not in domain.places:
        least = round_up(max(domain.boot_memory, 0) + domain.devices_size, MIB)
        yield (
            domain.place_of("memory"),
            "<maxMemory> is absent, and virtio-mem is hotplugged memory",
            f"Write <maxMemory unit='KiB'>{least // KIB}</maxMemory> or more.",
            _max_memory(domain, least),
        )


def _max_memory(domain: Domain, least: int) -> Repair | None:
    """The repair that adds <maxMemory> before <memory>, where there is one."""
    element = f"<maxMemory unit='KiB'>{least // KIB}</maxMemory>"
    return safe(domain.place_of("memory"), Part.BEFORE, element) if "memory" in domain.places else None


def hotplug_space(domain: Domain, target: Target) -> Problems:
    need = domain.boot_memory + domain.devices_size
    # libvirt looks at the sizes as they are written; QEMU gets them rounded up
    if any(cell.memory_given for cell in domain.cells):
        given = sum(cell.memory_given for cell in domain.cells)
        given += sum(device.size_given for device in domain.memory_devices)
    else:
        given = domain.memory
    too_little = given > domain.max_memory_given or need > domain.max_memory
    if domain.max_memory and domain.boot_memory > 0 and too_little:
        room = domain.max_memory_given - max(given, need)
        least = max(round_up(need, MIB), least_max_memory(domain, target.host))
        yield (
            domain.place_of("maxMemory"),
            f"<maxMemory> is {human(domain.max_memory_given)}, and {_ledger(domain)} are {human(need)}: "
            f"{human(-room)} too little",
            f"Write {human(least)} or more.",
            safe(domain.place_of("maxMemory"), Part.SIZE, least),
        )


# Devices that a ledger names; of the others it gives the sum.
_LEDGER = 8


def _ledger(domain: Domain) -> str:
    """What takes of <maxMemory>: boot memory and each device."""
    named, others = domain.memory_devices[:_LEDGER], domain.memory_devices[_LEDGER:]
    entries = [("boot memory", domain.boot_memory), *((device.alias, device.size) for device in named)]
    if others:
        entries.append((f"{len(others)} more", sum(device.size for device in others)))
    return " + ".join(f"{printable(name)} {human(size)}" for name, size in entries)


def memory_left_out(domain: Domain, target: Target) -> Problems:
    for device in domain.other_memory:
        if target.scope != "devices" and device.model not in WRITTEN:
            yield (
                device.place,
                f"the {device.model} is left out of the arguments",
                "Add its -object and -device yourself.",
            )


def memory_below_devices(domain: Domain, target: Target) -> Problems:
    if domain.devices and domain.boot_memory <= 0:
        yield (
            domain.place_of("memory"),
            f"<memory> is {human(domain.memory)}, of which the memory devices take {human(domain.devices_size)}",
            f"<memory> counts boot memory and devices together: write more than {human(domain.devices_size)}.",
        )


def slots_exceeded(domain: Domain, target: Target) -> Problems:
    dimms = [device for device in domain.other_memory if device.model in ("dimm", "nvdimm")]
    if len(dimms) > domain.slots:
        yield (
            dimms[domain.slots].place,
            f"the number of DIMMs is {len(dimms)}, and <maxMemory slots> is {domain.slots}",
            f"Write slots='{len(dimms)}'.",
            unsafe(domain.place_of("maxMemory"), Part.ATTRIBUTE, len(dimms), "slots"),
        )


# QEMU's ACPI_MAX_RAM_SLOTS.
MOST_SLOTS = 256


def slots_too_many(domain: Domain, target: Target) -> Problems:
    if domain.slots > MOST_SLOTS:
        yield (
            domain.place_of("maxMemory"),
            f"<maxMemory slots> is {domain.slots}, and QEMU has {MOST_SLOTS} at most",
            f"Write slots='{MOST_SLOTS}' or less: virtio-mem takes none of them.",
            unsafe(domain.place_of("maxMemory"), Part.ATTRIBUTE, MOST_SLOTS, "slots"),
        )


def dimm_slot(domain: Domain, target: Target) -> Problems:
    dimms = [device for device in domain.other_memory if device.slot is not None]
    enough = len(dimms) <= domain.slots  # else that is the finding
    taken: set[int] = set()
    for device in dimms:
        if device.slot is None:
            continue
        if device.slot in taken:
            yield (
                device.place_of("address"),
                f"<address slot> is {device.slot}, which another DIMM has",
                "Write another.",
            )
        elif enough and device.slot >= domain.slots:
            yield (
                device.place_of("address"),
                f"<address slot> is {device.slot}, and <maxMemory slots> is {domain.slots}",
                f"Write {_up_to(domain.slots - 1)}, or more slots.",
            )
        taken.add(device.slot)


def cell_ids(domain: Domain, target: Target) -> Problems:
    for expected, cell in enumerate(domain.cells):
        if cell.id != expected:
            yield (
                cell.place,
                f"<cell id> is {cell.id} where {expected} would be next",
                "Number the cells from 0 without holes.",
            )
            return


def cell_cpus(domain: Domain, target: Target) -> Problems:
    owners: dict[int, NumaCell] = {}
    for cell in domain.cells:
        twice = [cpu for cpu in cell.cpus if owners.setdefault(cpu, cell) is not cell]
        if twice:
            other = owners[twice[0]]
            yield (
                cell.place,
                f"<cell cpus> of cell {cell.id} names CPU {twice[0]}, which cell {other.id} has",
                "Give each CPU to one cell.",
            )
    for cell in domain.cells:
        if cell.cpus and cell.cpus[-1] >= domain.vcpus:
            yield (
                cell.place,
                f"<cell cpus> goes up to {cell.cpus[-1]}, and <vcpu> is {domain.vcpus}",
                f"Write CPUs {_up_to(domain.vcpus - 1)}, or a larger <vcpu>." if domain.vcpus else "Write a <vcpu>.",
            )


# Backends


def hugepages_anonymous(domain: Domain, target: Target) -> Problems:
    if domain.backing.hugepages and domain.backing.source == "anonymous":
        yield (
            domain.backing.hugepages[0].place,
            "<hugepages> stands beside <source type='anonymous'>",
            "Remove <source>, or write type='memfd'.",
        )


def hugepages_ondemand(domain: Domain, target: Target) -> Problems:
    if domain.backing.hugepages and domain.backing.allocation == "ondemand":
        yield (
            domain.backing.hugepages[0].place,
            "<hugepages> stands beside <allocation mode='ondemand'>, and huge pages are allocated at start",
            "Remove <allocation>, or write mode='immediate'.",
        )


def hugepages_default(domain: Domain, target: Target) -> Problems:
    for page in [page for page in domain.backing.hugepages if page.nodeset is None][1:]:
        yield page.place, "this is a second <page> without nodeset", "Write nodeset='…', or remove it."


def hugepages_nodeset(domain: Domain, target: Target) -> Problems:
    nodes = max(domain.guest_nodes, 1)
    taken: dict[int, HugePage] = {}
    for page in domain.backing.hugepages:
        for node in page.nodeset or ():
            if node >= nodes:
                yield (
                    page.place,
                    f"<page nodeset> names guest node {node}, and the last is {nodes - 1}",
                    f"Write {_up_to(nodes - 1)}.",
                )
                break
            if taken.setdefault(node, page) is not page:
                yield page.place, f"an earlier <page> has guest node {node} too", "Name each node in one <page>."
                break


def _on_huge_pages(domain: Domain, target: Target) -> Iterator[tuple[Memory, Effective, int]]:
    """The memory that has huge pages, with what it has, and the place that says so."""
    for memory in (*boot_memory(domain), *domain.memory_devices):
        settled = effective(domain, memory, target.host)
        page = page_for_node(domain, memory.node)
        if settled.pagesize and not isinstance(memory, BootMemory) and memory.pagesize:
            yield memory, settled, memory.place_of("pagesize")
        elif settled.pagesize and page is not None:
            yield memory, settled, page.place


def pagesize_unmounted(domain: Domain, target: Target) -> Problems:
    mounts = target.host.hugetlbfs
    wanted = {
        (place, settled.pagesize)
        for _, settled, place in _on_huge_pages(domain, target)
        if backend_type(domain, settled) == "memory-backend-file"
    }
    for place, size in sorted(wanted):
        if size not in mounts:
            has = " and ".join(human(mount) for mount in sorted(mounts)) or "none"
            yield (
                place,
                f"pages of {human(size)} are asked for, and the host's hugetlbfs mounts are of {has}",
                "Take one of those, or judge for another host with --host.",
            )


def pagesize_memfd(domain: Domain, target: Target) -> Problems:
    for _, settled, place in _on_huge_pages(domain, target):
        if domain.backing.source == "memfd" and not _power_of_two(settled.pagesize):
            yield (
                place,
                f"pages of {human(settled.pagesize)} are asked for, which no kernel has",
                "Write 2048 KiB, say.",
            )


def memory_locked(domain: Domain, target: Target) -> Problems:
    if domain.backing.locked is not None:
        yield (
            domain.backing.locked,
            "<locked/> keeps all memory from being given back, which is what virtio-mem does",
            "Remove <locked/>, or the virtio-mem devices.",
        )


def launch_security(domain: Domain, target: Target) -> Problems:
    if domain.launch_security in ("sev", "s390-pv"):
        yield (
            domain.place_of("launchSecurity"),
            f"<launchSecurity type> is '{domain.launch_security}', and such a guest's memory cannot be given back",
            "Remove <launchSecurity>, or the virtio-mem devices.",
        )


def overcommit_never(domain: Domain, target: Target) -> Problems:
    if target.host.overcommit != 2 or not target.qemu.has("backend-reserve"):
        return
    for device, settled in _settled(domain, target):
        kind = backend_type(domain, settled)
        shared = settled.shared or (settled.shared is None and kind == "memory-backend-memfd")
        if not settled.pagesize and not shared:
            yield (
                device.place,
                "its memory is private and not reserved, and the host's vm.overcommit_memory is 2",
                "Write access='shared', take huge pages, or set vm.overcommit_memory to 0 or 1 on the host.",
            )


def discard_ignored(domain: Domain, target: Target) -> Problems:
    for device, settled in _settled(domain, target):
        kind = backend_type(domain, settled)
        if settled.discard and kind != "memory-backend-file":
            yield (
                device.place,
                f"discard is asked for, and libvirt drops it: {kind} has no such property",
                "Write <memoryBacking><source type='file'/>, or leave discard out.",
            )


# Host nodes


def memnode_cell(domain: Domain, target: Target) -> Problems:
    seen: set[int] = set()
    for memnode in domain.numatune.memnodes:
        if memnode.cellid >= len(domain.cells):
            yield (
                memnode.place,
                f"<memnode cellid> is {memnode.cellid}, which no <cell> has",
                "Name a <cell> that there is.",
            )
        elif memnode.cellid in seen:
            yield memnode.place, f"this is a second <memnode> for cell {memnode.cellid}", "Remove one."
        seen.add(memnode.cellid)


def memnode_restrictive(domain: Domain, target: Target) -> Problems:
    mode = domain.numatune.mode
    for memnode in domain.numatune.memnodes:
        if memnode.mode != mode and "restrictive" in (memnode.mode, mode):
            yield (
                memnode.place,
                f"<memnode mode> is '{memnode.mode}', and <memory mode> is '{mode}'",
                "Write mode='restrictive' in both, or in neither.",
            )


def host_node(domain: Domain, target: Target) -> Problems:
    known = target.host.nodes
    if known is None:
        return
    named = [(memnode.place, memnode.nodeset) for memnode in domain.numatune.memnodes]
    named.append((domain.numatune.place, domain.numatune.nodeset))
    named += [(device.place_of("nodemask"), device.nodemask) for device in domain.devices]
    for place, nodes in named:
        if missing := tuple(sorted(set(nodes or ()) - set(known))):
            yield (
                place,
                f"host nodes {','.join(format_bitmap(missing))} are named, and the host has "
                f"{','.join(format_bitmap(known))}",
                "Name nodes that the host has.",
            )


# Guest-physical addresses


def memaddr_unaligned(domain: Domain, target: Target) -> Problems:
    for device in domain.devices:
        step = alignment(domain, device, target.host)
        if device.memaddr % step:
            yield (
                device.place_of("memaddr"),
                f"<address base> is {device.memaddr:#x}, which is not a multiple of {human(step)}",
                f"Write {round_up(device.memaddr, step):#x}.",
                unsafe(device.place_of("memaddr"), Part.ATTRIBUTE, f"{round_up(device.memaddr, step):#x}", "base"),
            )


def memaddr_overlap(domain: Domain, target: Target) -> Problems:
    return _overlaps(domain, target, given=True)


def memaddr_taken(domain: Domain, target: Target) -> Problems:
    return _overlaps(domain, target, given=False)


def _overlaps(domain: Domain, target: Target, *, given: bool) -> Problems:
    """Addresses in the way of an earlier device's, which the XML gives, or which QEMU chooses."""
    placements = _layout(domain, target)
    addresses = {placement.device.alias: placement.address or 0 for placement in placements if not placement.overlaps}
    for placement in placements:
        device, other = placement.device, placement.overlaps
        if other is None or (placement.outside and not given):
            continue
        if bool(other.memaddr) == given:
            at = addresses[other.alias]
            where = "" if given else ", where QEMU puts it"
            yield (
                device.place_of("memaddr"),
                f"<address base> is {device.memaddr:#x} with {human(device.size)}, which overlaps {other.alias} at "
                f"{at:#x} with {human(other.size)}{where}",
                "Leave the address out, and QEMU finds a place.",
                unsafe(device.places["memaddr"], Part.REMOVE) if "memaddr" in device.places else None,
            )


def memaddr_outside(domain: Domain, target: Target) -> Problems:
    if not _has_layout(domain):
        return
    layout = lay_out(domain, target.host)
    for placement in layout.placements:
        device = placement.device
        if placement.outside:
            last = layout.end - device.size
            first = round_up(layout.base, placement.alignment)
            free = f"{first:#x} to {last:#x}" if first < last else f"{first:#x}"
            advice = f"Write {free}, or leave the address out." if first <= last else "Leave it out."
            yield (
                device.place_of("memaddr"),
                f"<address base> is {device.memaddr:#x} with {human(device.size)}, and device memory is from "
                f"{layout.base:#x} to {layout.end - 1:#x}",
                advice,
                unsafe(device.places["memaddr"], Part.REMOVE) if "memaddr" in device.places else None,
            )


def hotplug_gap(domain: Domain, target: Target) -> Problems:
    if not _has_layout(domain):
        return
    layout = lay_out(domain, target.host)
    for placement in layout.placements:
        device = placement.device
        if placement.address is None and layout.used <= layout.capacity:
            yield (
                device.place,
                f"no gap of {human(device.size)} at a multiple of {human(placement.alignment)} is left between "
                f"{layout.base:#x} and {layout.end - 1:#x}, though <maxMemory> is enough in sum",
                f"Write <maxMemory> of {human(least_max_memory(domain, target.host))}, or the devices in another "
                "order.",
                safe(domain.place_of("maxMemory"), Part.SIZE, least_max_memory(domain, target.host)),
            )


def _has_layout(domain: Domain) -> bool:
    """Whether enough of the domain could be read to place its devices."""
    return bool(domain.max_memory and domain.boot_memory > 0 and domain.root)


def _layout(domain: Domain, target: Target) -> tuple[Placement, ...]:
    return lay_out(domain, target.host).placements if _has_layout(domain) else ()


# Device addresses


class Bus(NamedTuple):
    """What a controller model gives: `slots` for devices, none where only other controllers go; `root`: the bus 0
    that it needs in the machine, None for any."""

    slots: range
    root: str | None


# By libvirt's names of models; as its virDomainPCIAddressBusSetModel.
BUSES: Mapping[str, Bus] = {
    "pci-root": Bus(range(1, 32), "none: only bus 0 is one"),
    "pcie-root": Bus(range(1, 32), "none: only bus 0 is one"),
    "pci-bridge": Bus(range(1, 32), None),
    "dmi-to-pci-bridge": Bus(range(32), "pcie-root"),
    "pcie-to-pci-bridge": Bus(range(1, 32), "pcie-root"),
    "pcie-root-port": Bus(range(1), "pcie-root"),
    "pcie-switch-upstream-port": Bus(range(0), "pcie-root"),
    "pcie-switch-downstream-port": Bus(range(1), "pcie-root"),
    "pci-expander-bus": Bus(range(32), "pci-root"),
    "pcie-expander-bus": Bus(range(0), "pcie-root"),
}
# Functions on bus 0 that the chipset has: q35's LPC, SATA and SMBus; pc's ISA, IDE and power management.
CHIPSET = {"q35": {(0x1F, 0), (0x1F, 2), (0x1F, 3)}, "pc": {(1, 0), (1, 1), (1, 3)}}


def machine_without_pci(domain: Domain, target: Target) -> Problems:
    known = next((names for (arch, _), (names, _) in MACHINES.items() if arch == domain.arch), None)
    if known and domain.root is None:
        seen = f"{quoted(domain.machine)}, which has no bus for virtio-mem" if domain.machine else "absent"
        yield domain.place_of("os"), f"<type machine> is {seen}", f"Write machine='{known[0]}'."


def controller_model(domain: Domain, target: Target) -> Problems:
    root = domain.root
    for controller in domain.controllers if root else ():
        at_root = controller.bus == 0
        fits = (
            controller.model in ("", root)
            if at_root
            else BUSES[controller.model].root in (None, root)
            if controller.model in BUSES
            else True
        )
        if not fits:
            yield (
                controller.place,
                f"<controller model> of index {controller.bus} is {quoted(controller.model)}, which this machine does "
                "not have there",
                f"Write model='{root}'."
                if at_root
                else f"Take {' or '.join(m for m, b in BUSES.items() if b.root in (None, root))}.",
            )


def controller_index(domain: Domain, target: Target) -> Problems:
    seen: set[int] = set()
    for controller in domain.controllers:
        if controller.bus in seen:
            yield (
                controller.place,
                f"<controller index> is {controller.bus}, which an earlier PCI controller has",
                "Write another index.",
            )
        seen.add(controller.bus)


def address_type(domain: Domain, target: Target) -> Problems:
    allowed = ("pci", "ccw") if domain.is_s390x else ("pci",)
    for device in domain.devices:
        if device.address_type and device.address_type not in allowed:
            yield (
                device.place_of("address"),
                f"<address type> is {quoted(device.address_type)}, and {domain.arch} has {' and '.join(allowed)}",
                f"Write type='{allowed[-1]}'.",
                unsafe(device.place_of("address"), Part.REMOVE),
            )


def _on_pci(domain: Domain) -> Iterator[tuple[VirtioMem, PciAddress, str, PciController | None]]:
    """Each virtio-mem with a PCI address, the model of its bus, and its bus's controller where there is one."""
    controllers = {controller.bus: controller for controller in reversed(domain.controllers)}
    for device in domain.devices:
        if not isinstance(device.address, PciAddress):
            continue
        controller = controllers.get(device.address.bus)
        if device.address.bus == 0:
            model = domain.root or ""
        else:
            model = (controller.model if controller else "") or ("pcie-root-port" if domain.is_pcie else "pci-bridge")
        yield device, device.address, model, controller


def pci_bus(domain: Domain, target: Target) -> Problems:
    for device, address, model, _ in _on_pci(domain):
        if model in BUSES and not BUSES[model].slots:
            yield (
                device.place_of("address"),
                f"<address> is {address}, and bus {address.bus:#x} is a {model}, which takes no memory device",
                "Put it on a pcie-root-port's bus.",
                unsafe(device.place_of("address"), Part.REMOVE),
            )


def pci_slot(domain: Domain, target: Target) -> Problems:
    for device, address, model, _ in _on_pci(domain):
        slots = BUSES[model].slots if model in BUSES else range(0)
        if slots and address.slot not in slots:
            span = f"slot {slots[0]:#x} alone" if len(slots) == 1 else f"slots {slots[0]:#x} to {slots[-1]:#x}"
            yield (
                device.place_of("address"),
                f"<address slot> is {address.slot:#x}, and bus {address.bus:#x}, a {model}, has {span}",
                f"Write slot='{slots[0]:#04x}', or another bus.",
                unsafe(device.place_of("address"), Part.REMOVE),
            )


def pci_bus_implied(domain: Domain, target: Target) -> Problems:
    for device, address, model, controller in _on_pci(domain):
        if address.bus and controller is None and target.scope != "machine":
            yield (
                device.place_of("address"),
                f"<address bus> is {address.bus:#x}, and no <controller> has that index: libvirt adds a {model}, and "
                f"QEMU needs one with the id {bus_name(domain, address.bus)}",
                f"Write <controller type='pci' index='{address.bus}' model='{model}'/>.",
            )


def pci_bus_missing(domain: Domain, target: Target) -> Problems:
    if target.scope != "machine":
        return
    known = {controller.bus for controller in domain.controllers} | {0}
    for device, address, model, _ in _on_pci(domain):
        if address.bus not in known:
            yield (
                device.place_of("address"),
                f"<address bus> is {address.bus:#x}, and no <controller> has that index",
                f"Write <controller type='pci' index='{address.bus}' model='{model}'/>.",
            )
    for controller in controllers_needed(domain):
        bus = controller.address.bus if isinstance(controller.address, PciAddress) else None
        if bus is not None and (bus not in known or bus >= controller.bus):
            yield (
                controller.place,
                f"<controller> {controller.bus} is on bus {bus:#x}, which no <controller> before it has",
                f"Write its <address> on bus 0, or a <controller type='pci' index='{bus}'/>.",
            )
        elif bus is None and controller.model.startswith("pcie-switch-"):
            yield (
                controller.place,
                f"<controller> {controller.bus} is a {controller.model} and has no <address>",
                "Write its <address>, on the bus of the port that it belongs to.",
            )


def pci_chipset(domain: Domain, target: Target) -> Problems:
    if domain.arch not in ("x86_64", "i686"):
        return
    taken = CHIPSET["q35" if domain.is_pcie else "pc"]
    if not domain.is_pcie and not domain.usb_controllers:
        taken = taken | {(1, 2)}  # libvirt adds the chipset's USB controller where none is given
    for device, address, _, _ in _on_pci(domain):
        if address.bus == 0 and (address.slot, address.function) in taken:
            yield (
                device.place_of("address"),
                f"<address> is {address}, which belongs to the chipset of {quoted(domain.machine)}",
                "Write another slot.",
                unsafe(device.place_of("address"), Part.REMOVE),
            )


def _duplicates(domain: Domain, kind: type[PciAddress] | type[CcwAddress]) -> Problems:
    first: dict[str, str] = {}
    ours = {device.places["address"] for device in domain.devices if "address" in device.places}
    for other in domain.addresses:
        if not isinstance(other.address, kind):
            continue
        text = str(other.address)
        if text in first:
            yield (
                other.place,
                f"<address> of <{other.device}> is {text}, which an earlier <{first[text]}> has",
                "Write a free address, or leave it out.",
                unsafe(other.place, Part.REMOVE) if other.place in ours else None,
            )
        first.setdefault(text, other.device)


def pci_multifunction(domain: Domain, target: Target) -> Problems:
    mine = {(address.bus, address.slot) for _, address, _, _ in _on_pci(domain)}
    others = [other for other in domain.addresses if isinstance(other.address, PciAddress)]
    further = {
        (o.address.bus, o.address.slot) for o in others if isinstance(o.address, PciAddress) and o.address.function
    }
    for other in others:
        address = other.address
        if not isinstance(address, PciAddress) or address.function or address.multifunction is not False:
            continue
        if (address.bus, address.slot) in mine & further:
            yield (
                other.place,
                f"<address> of <{other.device}> is {address} with multifunction='off', and the slot has more functions",
                "Write multifunction='on'.",
                unsafe(other.place, Part.ATTRIBUTE, "on", "multifunction"),
            )


def pci_duplicate(domain: Domain, target: Target) -> Problems:
    return _duplicates(domain, PciAddress)


def ccw_duplicate(domain: Domain, target: Target) -> Problems:
    return _duplicates(domain, CcwAddress)


def _on_ccw(domain: Domain) -> Iterator[VirtioMem]:
    return (device for device in domain.devices if is_ccw(domain, device))


def ccw_node(domain: Domain, target: Target) -> Problems:
    for device in _on_ccw(domain):
        if domain.cells and device.node is not None and device.node > 0:
            yield (
                device.place_of("node"),
                f"<node> is {device.node}, and a CCW device is on node 0",
                "Write <node>0</node>.",
                unsafe(device.place_of("node"), Part.TEXT, 0),
            )


def ccw_page_size(domain: Domain, target: Target) -> Problems:
    boot = pagesize_for_node(domain, 0 if domain.cells else None, target.host) or target.host.page_size
    for device in _on_ccw(domain):
        own = effective(domain, device, target.host).pagesize or target.host.page_size
        if own != boot:
            yield (
                device.place_of("pagesize"),
                f"the device's pages are {human(own)}, and boot memory's are {human(boot)}",
                "Take the same page size for both.",
            )


def ccw_property(domain: Domain, target: Target) -> Problems:
    for device in _on_ccw(domain):
        for option in ("ats", "page_per_vq"):
            if option in device.driver:
                yield (
                    device.place_of("driver"),
                    f"<driver {option}> is given, and a CCW device has no such property",
                    f"Remove {option}.",
                )


# Aliases


def alias_duplicate(domain: Domain, target: Target) -> Problems:
    # In a running domain, others than users' may be shared: the parts of a USB 2 controller are all called 'usb'
    mine = {device.alias for device in domain.devices}
    ours = {device.places["alias"] for device in domain.devices if "alias" in device.places}
    seen: set[str] = set()
    for alias, place in domain.aliases:
        if alias in seen and (alias.startswith("ua-") or alias in mine):
            repair = unsafe(place, Part.REMOVE) if place in ours else None
            yield place, f"<alias name> is {quoted(alias)}, which an earlier device has", "Write another alias.", repair
        seen.add(alias)


def alias_invalid(domain: Domain, target: Target) -> Problems:
    buses = [controller for _, _, _, controller in _on_pci(domain) if controller]
    named = [(device.alias, device.place_of("alias")) for device in domain.devices]
    named += [(controller.alias, controller.place) for controller in buses if controller.alias]
    for alias, place in dict.fromkeys(named):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", alias):
            yield (
                place,
                f"<alias name> is {quoted(alias)}, and a QEMU identifier is a letter and then letters, digits, "
                "'-', '.' or '_'",
                "Write another alias.",
            )


# The target


def arch_unsupported(domain: Domain, target: Target) -> Problems:
    if domain.arch not in ARCHITECTURES:
        yield (
            domain.place_of("os"),
            f"<type arch> is {quoted(domain.arch)}, for which QEMU has no virtio-mem",
            f"virtio-mem is there for {', '.join(ARCHITECTURES)}.",
        )


def qemu_version(domain: Domain, target: Target) -> Problems:
    since = ARCHITECTURES.get(domain.arch, (0, 0))
    if target.qemu.arch is not None and target.qemu.arch != domain.arch:
        yield (
            domain.place_of("os"),
            f"<type arch> is {quoted(domain.arch)}, and this {target.qemu} is for {target.qemu.arch}",
            f"Take the QEMU for {domain.arch}.",
        )
    elif target.qemu.drivers is not None and domain.arch in ARCHITECTURES:
        wanted = {device_driver(domain, device): device.place for device in reversed(domain.devices)}
        for driver in sorted(set(wanted) - target.qemu.drivers):
            yield wanted[driver], f"this {target.qemu} has no {driver}", f"Take QEMU {show(since)} or newer."
    elif target.qemu.version < since:
        yield (
            domain.place_of("os"),
            f"{target.qemu} has no virtio-mem for {domain.arch}",
            f"Take QEMU {show(since)} or newer.",
        )
    for device in domain.devices:
        if device.dynamic_memslots is not None and not target.qemu.has("dynamic-memslots"):
            yield (
                device.place_of("target"),
                f"<target dynamicMemslots> is given, which {target.qemu} does not know",
                f"Remove it, or take QEMU {show(FEATURES['dynamic-memslots'])} or newer.",
            )


def old_machine(domain: Domain) -> bool:
    """Whether unplugged memory may be read: x86 of before 7.0. Other architectures have no such switch."""
    match = re.search(r"-([0-9]{1,3})\.([0-9]{1,3})$", domain.machine)
    return domain.arch in ("x86_64", "i686") and match is not None and (int(match[1]), int(match[2])) < (7, 0)


def dynamic_memslots_machine(domain: Domain, target: Target) -> Problems:
    for device in domain.devices if old_machine(domain) else ():
        if device.dynamic_memslots:
            yield (
                device.place_of("target"),
                f"<target dynamicMemslots> is 'yes', and machine type {quoted(domain.machine)} is of before 7.0",
                "Take a machine type of 7.0 or later, or remove dynamicMemslots.",
            )


def prealloc_unsupported(domain: Domain, target: Target) -> Problems:
    for device, settled in _settled(domain, target):
        if settled.prealloc and not target.qemu.has("device-prealloc"):
            yield (
                device.place,
                f"memory is to be allocated at start, which {target.qemu} cannot do for virtio-mem: libvirt leaves it "
                "out",
                f"Take QEMU {show(FEATURES['device-prealloc'])} or newer, or on-demand allocation of small pages.",
            )


def s390x_cells(domain: Domain, target: Target) -> Problems:
    if domain.is_s390x and domain.cells:
        yield (
            domain.cells[0].place,
            "libvirt writes -numa for <cell>, which QEMU refuses on s390x: it is left out here",
            "Remove <numa>, and the <node> of memory devices.",
        )


Check = Callable[[Domain, Target], Problems]

# Every rule that this room knows: the rule's name in `findings` and its function.
CHECKS: Mapping[str, Check] = {
    "address-type": address_type,
    "alias-duplicate": alias_duplicate,
    "alias-invalid": alias_invalid,
    "arch-unsupported": arch_unsupported,
    "block-below-minimum": block_below_minimum,
    "block-below-page": block_below_page,
    "block-below-thp": block_below_thp,
    "block-not-power-of-two": block_not_power_of_two,
    "ccw-duplicate": ccw_duplicate,
    "ccw-node": ccw_node,
    "ccw-page-size": ccw_page_size,
    "ccw-property": ccw_property,
    "cell-cpus": cell_cpus,
    "cell-ids": cell_ids,
    "controller-index": controller_index,
    "controller-model": controller_model,
    "dimm-slot": dimm_slot,
    "discard-ignored": discard_ignored,
    "dynamic-memslots-machine": dynamic_memslots_machine,
    "host-node": host_node,
    "hotplug-gap": hotplug_gap,
    "hotplug-space": hotplug_space,
    "hugepages-anonymous": hugepages_anonymous,
    "hugepages-default": hugepages_default,
    "hugepages-nodeset": hugepages_nodeset,
    "hugepages-ondemand": hugepages_ondemand,
    "launch-security": launch_security,
    "machine-without-pci": machine_without_pci,
    "maxmemory-missing": maxmemory_missing,
    "memaddr-outside": memaddr_outside,
    "memaddr-overlap": memaddr_overlap,
    "memaddr-taken": memaddr_taken,
    "memaddr-unaligned": memaddr_unaligned,
    "memnode-cell": memnode_cell,
    "memnode-restrictive": memnode_restrictive,
    "memory-below-devices": memory_below_devices,
    "memory-left-out": memory_left_out,
    "memory-locked": memory_locked,
    "node-missing": node_missing,
    "node-unknown": node_unknown,
    "overcommit-never": overcommit_never,
    "pagesize-memfd": pagesize_memfd,
    "pagesize-unmounted": pagesize_unmounted,
    "pci-bus": pci_bus,
    "pci-bus-implied": pci_bus_implied,
    "pci-bus-missing": pci_bus_missing,
    "pci-chipset": pci_chipset,
    "pci-duplicate": pci_duplicate,
    "pci-multifunction": pci_multifunction,
    "pci-slot": pci_slot,
    "prealloc-unsupported": prealloc_unsupported,
    "qemu-version": qemu_version,
    "requested-above-size": requested_above_size,
    "requested-not-block-multiple": requested_not_block_multiple,
    "s390x-cells": s390x_cells,
    "size-not-block-multiple": size_not_block_multiple,
    "size-not-page-multiple": size_not_page_multiple,
    "slots-exceeded": slots_exceeded,
    "slots-too-many": slots_too_many,
}
