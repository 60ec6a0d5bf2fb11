"""A Domain and a host to what each device's memory really has: access, discard, page size, host nodes, backend, bus.

Settles what device, cell and domain say of the same thing, as libvirt's qemuBuildMemoryBackendProps does. `rules`
judges by it and `props` writes it, so that both mean the same.
"""

from typing import NamedTuple

from virtmem_cli.domain import Domain, HugePage, OtherMemory, PciAddress, PciController, VirtioMem
from virtmem_cli.target import Host

# Numatune modes to policies; restrictive is done with cgroups, and QEMU is told nothing.
POLICIES = {"strict": "bind", "preferred": "preferred", "interleave": "interleave", "restrictive": None}


# Models of memory devices that are written beside virtio-mem; the others are left out, with a finding.
WRITTEN = ("dimm", "virtio-pmem")


class BootMemory(NamedTuple):
    """The boot memory of one guest node, or of a guest without any, which says nothing of its own."""

    alias: str
    node: int | None
    size: int
    cpus: tuple[int, ...]
    shared: None = None
    discard: None = None
    nodemask: None = None
    pagesize: int = 0


Memory = VirtioMem | OtherMemory | BootMemory


def boot_memory(domain: Domain) -> tuple[BootMemory, ...]:
    """The pieces that the guest boots with: one a cell, or the one cell that libvirt adds; on s390x a single one.

    vCPUs that no cell names are the first cell's.
    """
    everyone = tuple(range(domain.vcpus))
    if domain.is_s390x or not domain.cells:
        node = None if domain.is_s390x else 0
        alias = "s390.ram" if domain.is_s390x else "ram-node0"
        return (BootMemory(alias=alias, node=node, size=domain.boot_memory, cpus=everyone),)
    named = {cpu for cell in domain.cells for cpu in cell.cpus}
    rest = tuple(cpu for cpu in everyone if cpu not in named)
    return tuple(
        BootMemory(
            alias=f"ram-node{cell.id}",
            node=cell.id,
            size=cell.memory,
            cpus=tuple(sorted({*cell.cpus, *rest})) if cell.id == 0 else cell.cpus,
        )
        for cell in domain.cells
    )


class Effective(NamedTuple):
    """What a piece of memory has when device, cell and domain have been asked in that order.

    `pagesize` is 0 without huge pages; `host_nodes` is () where QEMU is not bound to any.
    """

    shared: bool | None
    discard: bool | None
    pagesize: int
    host_nodes: tuple[int, ...]
    policy: str | None
    prealloc: bool


def page_for_node(domain: Domain, node: int | None) -> HugePage | None:
    """The <page> that a guest node's memory has: one that names the node, else one for all."""
    pages = domain.backing.hugepages
    chosen = [page for page in pages if page.nodeset is not None and node is not None and node in page.nodeset]
    chosen = chosen or [page for page in pages if page.nodeset is None]
    return chosen[-1] if chosen else None


def pagesize_for_node(domain: Domain, node: int | None, host: Host) -> int:
    """The huge page that <hugepages> gives a guest node, in bytes; or 0."""
    page = page_for_node(domain, node)
    return _real_page((page.size or host.default_hugepage) if page else 0, host)


def _real_page(size: int, host: Host) -> int:
    """A 'huge' page of the host's base page size is none."""
    return 0 if size == host.page_size else size


def effective(domain: Domain, device: Memory, host: Host) -> Effective:
    """Settle access, discard, page size and host nodes of memory; the first of device, cell, domain counts."""
    backing, numatune = domain.backing, domain.numatune
    cell = next((cell for cell in domain.cells if cell.id == device.node), None)
    shared, discard = device.shared, device.discard
    if cell is not None:
        shared = cell.shared if shared is None else shared
        discard = cell.discard if discard is None else discard
    if device.pagesize:
        pagesize = _real_page(device.pagesize, host)
    else:
        pagesize = pagesize_for_node(domain, device.node, host)
    memnode = next((node for node in numatune.memnodes if node.cellid == device.node), None)
    # A device's own <nodemask> is always bound to, whatever <numatune> says
    mode, nodes = "strict", device.nodemask
    if nodes is None and memnode is not None:
        mode, nodes = memnode.mode, memnode.nodeset
    elif nodes is None:
        mode, nodes = numatune.mode, numatune.nodeset
    policy = POLICIES[mode] if nodes else None
    return Effective(
        shared=backing.shared if shared is None else shared,
        discard=backing.discard if discard is None else discard,
        pagesize=pagesize,
        host_nodes=(nodes or ()) if policy else (),
        policy=policy,
        prealloc=backing.allocation == "immediate" or pagesize > 0,
    )


def backend_type(domain: Domain, settled: Effective) -> str:
    """The QOM type of the backend for memory with these settings."""
    if domain.backing.source == "memfd":
        return "memory-backend-memfd"
    if settled.pagesize or settled.shared is not None or domain.backing.source == "file":
        return "memory-backend-file"
    return "memory-backend-ram"


def is_ccw(domain: Domain, device: VirtioMem) -> bool:
    """Whether the device is on the channel bus: s390x without another address."""
    return domain.is_s390x and device.address_type in (None, "ccw")


def device_driver(domain: Domain, device: VirtioMem) -> str:
    """QEMU's name of the device."""
    return "virtio-mem-ccw" if is_ccw(domain, device) else "virtio-mem-pci"


def bus_name(domain: Domain, bus: int) -> str:
    """QEMU's name of a PCI bus: its controller's alias, or libvirt's default."""
    if bus == 0:
        return "pcie.0" if domain.is_pcie else "pci.0"
    alias = next((controller.alias for controller in domain.controllers if controller.bus == bus), None)
    return alias or f"pci.{bus}"


def controllers_needed(domain: Domain) -> tuple[PciController, ...]:
    """The PCI controllers on the way from bus 0 to the memory devices' buses, outer ones first.

    With each goes the controller at function 0 of its slot: without that, a guest does not look at the others.
    """
    needed: dict[int, PciController] = {}
    for device in domain.memory_devices:
        if isinstance(device.address, PciAddress):
            _need(domain, device.address.bus, needed)
    return tuple(needed.values())


def _need(domain: Domain, bus: int, needed: dict[int, PciController]) -> None:
    controller = next((c for c in domain.controllers if c.bus == bus), None)
    if not bus or controller is None or bus in needed:
        return
    if isinstance(controller.address, PciAddress):
        if controller.address.bus < bus:  # libvirt wants it so; a circle must not catch us
            _need(domain, controller.address.bus, needed)
        first = controller.address._replace(function=0, multifunction=None)
        for other in domain.controllers if controller.address.function else ():
            if isinstance(other.address, PciAddress) and other.address._replace(multifunction=None) == first:
                needed.setdefault(other.bus, other)
    needed.setdefault(bus, controller)


def controller_address(domain: Domain, controller: PciController) -> PciAddress | None:
    """A controller's address: as given, else a slot of bus 0 that nobody has, counted down from the last.

    libvirt would assign one too, though not always the same. None where all slots are taken.
    """
    if isinstance(controller.address, PciAddress):
        return controller.address
    taken = {other.address.slot for other in domain.addresses if isinstance(other.address, PciAddress)}
    free = [slot for slot in range(0x1E, 0, -1) if slot not in taken]
    unplaced = [c.bus for c in domain.controllers if c.bus and not isinstance(c.address, PciAddress)]
    position = unplaced.index(controller.bus)
    if position >= len(free):
        return None
    return PciAddress(bus=0, slot=free[position], function=0, multifunction=None)
