"""Nodes: the guest's, which devices and cells are on, and the host's, which their memory is bound to."""

from collections.abc import Iterator

from virtmem_cli.domain import MemoryDevice
from virtmem_cli.findings import Part, Problem, Problems, Refuses, Severity, rule, unsafe
from virtmem_cli.settle import Settled
from virtmem_cli.settle.memory import model_of
from virtmem_cli.text import up_to
from virtmem_cli.units import format_bitmap


def _on_nodes(s: Settled) -> Iterator[MemoryDevice]:
    """The memory devices of models that are on a guest node."""
    return (device for device in s.domain.memory_devices if model_of(device).node)


@rule(Severity.ERROR, Refuses.LIBVIRT, "the device does not say on which guest node it is")
def node_missing(s: Settled) -> Problems:
    """qemuDomainDefValidateMemoryHotplug needs a <node> where there are cells (libvirt 7.9)."""
    for device in _on_nodes(s):
        if device.node is None and s.guest_nodes and "target" in device.elements:
            others = f", or another up to {s.guest_nodes - 1}" if s.guest_nodes > 1 else ""
            yield Problem(
                device.at("target"),
                "<node> is absent, and the guest has NUMA nodes",
                f"Write <node>0</node>{others}.",
                unsafe(device.at("node"), Part.TEXT, 0)  # it is there, and empty
                if "node" in device.elements
                else unsafe(device.at("target"), Part.INSIDE, "<node>0</node>"),
            )


@rule(Severity.ERROR, Refuses.BOTH, "the device is on a guest node that does not exist")
def node_unknown(s: Settled) -> Problems:
    """virDomainMemoryDefValidate, beyond the last cell; QEMU, not below the number of its nodes (5.1)."""
    for device in _on_nodes(s):
        if device.node is None or device.node < 0:
            continue
        element = device.at("node")
        if not s.arch.numa and not s.domain.cells:
            yield Problem(
                element,
                f"<node> is {device.node}, and the domain has no NUMA cells",
                "Leave <node> out.",
                unsafe(element, Part.REMOVE),
            )
        elif s.guest_nodes and device.node >= s.guest_nodes:
            last = s.guest_nodes - 1
            yield Problem(
                element,
                f"<node> is {device.node}, and the guest's last node is {last}",
                f"Write {up_to(last)}, or add a <cell>.",
                unsafe(element, Part.TEXT, last),
            )


@rule(Severity.ERROR, Refuses.LIBVIRT, "the cells are not numbered from 0 without holes")
def cell_ids(s: Settled) -> Problems:
    """virDomainNumaDefParseXML refuses an id that is not below the number of cells."""
    for expected, cell in enumerate(s.domain.cells):
        if cell.id != expected:
            yield Problem(
                cell.element,
                f"<cell id> is {cell.id} where {expected} would be next",
                "Number the cells from 0 without holes.",
            )
            return


@rule(Severity.WARNING, Refuses.NOBODY, "QEMU takes no -numa on s390x")
def s390x_cells(s: Settled) -> Problems:
    """'NUMA is not supported by this machine-type', while libvirt writes -numa (QEMU 10.0)."""
    if not s.arch.numa and s.domain.cells:
        yield Problem(
            s.domain.cells[0].element,
            "libvirt writes -numa for <cell>, which QEMU refuses on s390x: it is left out here",
            "Remove <numa>, and the <node> of memory devices.",
        )


@rule(Severity.ERROR, Refuses.LIBVIRT, "a <memnode> names a cell that does not exist or has a <memnode> already")
def memnode_cell(s: Settled) -> Problems:
    """virDomainNumatuneNodeParseXML (libvirt 7.9): cellid is the id of a <cell>."""
    seen: set[int] = set()
    for memnode in s.domain.numatune.memnodes:
        if memnode.cellid >= len(s.domain.cells):
            yield Problem(
                memnode.element,
                f"<memnode cellid> is {memnode.cellid}, which no <cell> has",
                "Name a <cell> that there is.",
            )
        elif memnode.cellid in seen:
            yield Problem(memnode.element, f"this is a second <memnode> for cell {memnode.cellid}", "Remove one.")
        seen.add(memnode.cellid)


@rule(Severity.ERROR, Refuses.LIBVIRT, "one of <memory mode> and <memnode mode> is restrictive, and the other is not")
def memnode_restrictive(s: Settled) -> Problems:
    """virDomainNumaDefValidate (libvirt 7.3) lets no guest node be an exception."""
    mode = s.domain.numatune.mode
    for memnode in s.domain.numatune.memnodes:
        if memnode.mode != mode and "restrictive" in (memnode.mode, mode):
            yield Problem(
                memnode.element,
                f"<memnode mode> is '{memnode.mode}', and <memory mode> is '{mode}'",
                "Write mode='restrictive' in both, or in neither.",
            )


@rule(Severity.ERROR, Refuses.LIBVIRT, "the host has no such NUMA node")
def host_node(s: Settled) -> Problems:
    """virNumaNodesetIsAvailable: the kernel could not bind memory there. Only for hosts whose nodes are known."""
    known = s.host.nodes
    if known is None:
        return
    named = [(memnode.element, memnode.nodeset) for memnode in s.domain.numatune.memnodes]
    named.append((s.domain.numatune.element, s.domain.numatune.nodeset))
    named += [(device.at("nodemask"), device.nodemask) for device in s.devices]
    for element, nodes in named:
        if missing := tuple(sorted(set(nodes or ()) - set(known))):
            yield Problem(
                element,
                f"host nodes {','.join(format_bitmap(missing))} are named, and the host has "
                f"{','.join(format_bitmap(known))}",
                "Name nodes that the host has.",
            )
