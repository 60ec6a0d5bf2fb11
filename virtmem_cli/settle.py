"""A Domain and a target to what is settled between device, cell, domain and host: once, for all that come after.

Takes what the XML gives, each thing in its place; gives a Settled, in which each piece of memory has its access,
discard, page size, host nodes and backend as libvirt's qemuBuildMemoryBackendProps settles them, the PCI buses have
their names, and device memory its addresses. `rules` judge by it, `props` write it, so that both mean the same.
"""

from collections.abc import Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

from virtmem_cli.domain import (
    Domain,
    HugePage,
    MemNode,
    MemoryDevice,
    NumaCell,
    OtherMemory,
    PciAddress,
    PciController,
    VirtioMem,
)
from virtmem_cli.layout import ALIGNMENT, Layout, lay_out
from virtmem_cli.machines import (
    ARCHITECTURES,
    CCW_DRIVER,
    MEMORY_MODELS,
    OTHER,
    VIRTIO_MEM,
    Architecture,
    Machine,
    MemoryModel,
    machine_of,
    machine_version,
)
from virtmem_cli.target import Host, Target
from virtmem_cli.units import MIB, round_up

# Numatune modes to policies; restrictive is done with cgroups, and QEMU is told nothing.
POLICIES = {"strict": "bind", "preferred": "preferred", "interleave": "interleave", "restrictive": None}


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


D = TypeVar("D", bound=VirtioMem | OtherMemory | BootMemory, covariant=True)
P = TypeVar("P", bound=VirtioMem | OtherMemory | BootMemory)


class Memory(NamedTuple, Generic[D]):
    """A piece of memory with what it has when device, cell and domain have been asked in that order.

    `pagesize` is 0 without huge pages, and `page` the <page> or <hugepages> that is in force where the device names no
    size. `host_nodes` is () where QEMU is not bound to any. `backend` is the backend's QOM type.
    """

    device: D
    shared: bool | None
    discard: bool | None
    pagesize: int
    page: HugePage | None
    host_nodes: tuple[int, ...]
    policy: str | None
    prealloc: bool
    backend: str

    @property
    def alignment(self) -> int:
        """What the address of a memory device is a multiple of."""
        if isinstance(self.device, VirtioMem):
            return max(self.device.block, self.pagesize or ALIGNMENT)
        return self.device.pagesize or ALIGNMENT

    @property
    def is_shared(self) -> bool:
        """Whether other processes can have it: as is said, and a memfd where nothing is."""
        return self.backend == "memory-backend-memfd" if self.shared is None else self.shared


AnyMemory = Memory[VirtioMem | OtherMemory | BootMemory]


class OnPci(NamedTuple):
    """A virtio-mem with a PCI address: the model of its bus, and the controller where there is one."""

    device: VirtioMem
    address: PciAddress
    model: str
    controller: PciController | None


class Settled(NamedTuple):
    """A domain for one target, settled.

    `devices` are the virtio-mem devices. `machine` is None for a machine without PCI, or unknown. Sizes are in bytes:
    `boot_memory` is below 0 where the devices leave nothing of <memory>; `devices_size` is what all memory devices can
    give together. `boot` are the pieces that the guest boots with, `boot_pagesize` the huge page of the first node, or
    0; `memory` the memory devices and `virtio_mem` those of them that this is about, in document order. `controllers`
    has the first PCI controller of each bus, `shared_slots` the bus and slot of each further function. In the scope
    `machine`, `needed` has the controllers on the way to the memory devices' buses, by bus, outer ones first, and
    `controller_addresses` where each bus's controller is. `layout` is None where too little is known for it.
    """

    domain: Domain
    devices: tuple[VirtioMem, ...]
    target: Target
    arch: Architecture
    machine: Machine | None
    boot_memory: int
    devices_size: int
    guest_nodes: int
    boot: tuple[Memory[BootMemory], ...]
    boot_pagesize: int
    memory: tuple[Memory[MemoryDevice], ...]
    virtio_mem: tuple[Memory[VirtioMem], ...]
    on_pci: tuple[OnPci, ...]
    controllers: Mapping[int, PciController]
    shared_slots: frozenset[tuple[int, int]]
    needed: Mapping[int, PciController]
    controller_addresses: Mapping[int, PciAddress]
    layout: Layout | None

    @property
    def host(self) -> Host:
        """The host that it is judged for."""
        return self.target.host


def settle(domain: Domain, target: Target) -> Settled:
    """Settle all that rules and properties go by."""
    arch = ARCHITECTURES.get(domain.arch, OTHER)
    guest_nodes = len(domain.cells)
    if domain.max_memory and arch.numa and not guest_nodes:
        guest_nodes, domain = 1, _on_added_node(domain)
    machine = machine_of(domain.arch, domain.machine)
    devices_size = sum([device.size for device in domain.memory_devices])
    cells_size = sum([cell.memory for cell in domain.cells])
    boot_memory = cells_size or round_up(domain.memory - devices_size, MIB)
    backing = _Backing(domain, target.host)
    devices: list[Memory[MemoryDevice]] = []
    virtio_mem: list[Memory[VirtioMem]] = []
    for device in domain.memory_devices:
        if isinstance(device, VirtioMem):
            virtio_mem.append(backing.memory(device))
            devices.append(virtio_mem[-1])
        else:
            devices.append(backing.memory(device))
    controllers = {controller.bus: controller for controller in reversed(domain.controllers)}
    whole = target.scope == "machine"
    return Settled(
        domain=domain,
        devices=domain.devices,
        target=target,
        arch=arch,
        machine=machine,
        boot_memory=boot_memory,
        devices_size=devices_size,
        guest_nodes=guest_nodes,
        boot=tuple([backing.memory(piece) for piece in _boot_memory(domain, arch, boot_memory)]),
        boot_pagesize=backing.pagesize(backing.pages.get(0 if domain.cells else None, backing.page)),
        memory=tuple(devices),
        virtio_mem=tuple(virtio_mem),
        on_pci=tuple(_on_pci(virtio_mem, controllers, machine)),
        controllers=controllers,
        shared_slots=frozenset(
            [
                (other.address.bus, other.address.slot)
                for other in domain.addresses
                if isinstance(other.address, PciAddress) and other.address.function
            ]
        ),
        needed=_needed(domain, controllers) if whole else {},
        controller_addresses=_controller_addresses(domain) if whole else {},
        layout=_layout(domain, devices, machine, boot_memory),
    )


def _on_added_node(domain: Domain) -> Domain:
    """The memory devices on the node that libvirt adds where <maxMemory> is set and no cell is, if they name none."""
    return domain._replace(
        memory_devices=tuple(
            [
                device._replace(node=0) if device.node is None and model_of(device).node else device
                for device in domain.memory_devices
            ]
        )
    )


def _boot_memory(domain: Domain, arch: Architecture, size: int) -> Iterable[BootMemory]:
    """The pieces that the guest boots with: one a cell, or the one cell that libvirt adds; without -numa a single one.

    vCPUs that no cell names are the first cell's.
    """
    everyone = range(domain.vcpus)
    if not arch.numa:
        return [BootMemory(alias=arch.ram, node=None, size=size, cpus=tuple(everyone))]
    if not domain.cells:
        return [BootMemory(alias="ram-node0", node=0, size=size, cpus=tuple(everyone))]
    named = {cpu for cell in domain.cells for cpu in cell.cpus}
    rest = [cpu for cpu in everyone if cpu not in named]
    return [
        BootMemory(
            alias=f"ram-node{cell.id}",
            node=cell.id,
            size=cell.memory,
            cpus=tuple(sorted({*cell.cpus, *rest})) if cell.id == 0 and rest else cell.cpus,
        )
        for cell in domain.cells
    ]


class _Backing:
    """What cells and domain say of memory, by guest node."""

    def __init__(self, domain: Domain, host: Host) -> None:
        self.host, self.domain = host, domain
        self.cells: dict[int | None, NumaCell] = {cell.id: cell for cell in reversed(domain.cells)}
        self.memnodes: dict[int | None, MemNode] = {node.cellid: node for node in reversed(domain.numatune.memnodes)}
        self.pages: dict[int | None, HugePage] = {}
        self.page: HugePage | None = None
        for page in domain.backing.hugepages:
            if page.nodeset is None:
                self.page = page
            else:
                self.pages |= dict.fromkeys(page.nodeset, page)

    def pagesize(self, page: HugePage | None, own: int = 0) -> int:
        """The huge page that memory has, its own or that of a <page>; one of the host's base page size is none."""
        size = own or ((page.size or self.host.default_hugepage) if page else 0)
        return 0 if size == self.host.page_size else size

    def memory(self, device: P) -> Memory[P]:
        """Settle access, discard, page size and host nodes; the first of device, cell, domain counts."""
        backing, numatune = self.domain.backing, self.domain.numatune
        shared, discard = device.shared, device.discard
        cell = self.cells.get(device.node)
        if cell is not None:
            shared = cell.shared if shared is None else shared
            discard = cell.discard if discard is None else discard
        shared = backing.shared if shared is None else shared
        page = self.pages.get(device.node, self.page)
        pagesize = self.pagesize(page, device.pagesize)
        mode, nodes = numatune.mode, numatune.nodeset
        if device.nodemask is not None:
            mode, nodes = "strict", device.nodemask  # always bound to, whatever <numatune> says
        elif device.node in self.memnodes:
            memnode = self.memnodes[device.node]
            mode, nodes = memnode.mode, memnode.nodeset
        policy = POLICIES[mode] if nodes else None
        if backing.source == "memfd":
            backend = "memory-backend-memfd"
        elif pagesize or shared is not None or backing.source == "file":
            backend = "memory-backend-file"
        else:
            backend = "memory-backend-ram"
        return Memory(
            device=device,
            shared=shared,
            discard=backing.discard if discard is None else discard,
            pagesize=pagesize,
            page=page,
            host_nodes=(nodes or ()) if policy else (),
            policy=policy,
            prealloc=backing.allocation == "immediate" or pagesize > 0,
            backend=backend,
        )


def _layout(
    domain: Domain,
    devices: Iterable[Memory[MemoryDevice]],
    machine: Machine | None,
    boot_memory: int,
) -> Layout | None:
    """Where device memory is."""
    if machine is None or not domain.max_memory or boot_memory <= 0:
        return None
    sized = [memory for memory in devices if memory.device.size]  # a size of 0 is a finding of its own
    return lay_out(
        [(memory.device, memory.alignment) for memory in sized if model_of(memory.device).window],
        machine=machine,
        boot_memory=boot_memory,
        max_memory=domain.max_memory,
        slots=domain.slots,
    )


def model_of(device: MemoryDevice) -> MemoryModel:
    """What there is to know of the device's model."""
    return MEMORY_MODELS[VIRTIO_MEM if isinstance(device, VirtioMem) else device.model]


def unplugged_readable(s: Settled) -> bool:
    """Whether the guest may read memory that is not plugged: x86 machine types of before 7.0 (pc_compat_6_2)."""
    version = machine_version(s.domain.machine)
    return s.arch.unplugged_switch and version is not None and version < (7, 0)


def is_ccw(s: Settled, device: VirtioMem) -> bool:
    """Whether the device is on the channel bus: s390x without another address."""
    return s.arch.ccw and device.address_type in (None, "ccw")


def device_driver(s: Settled, device: VirtioMem) -> str:
    """QEMU's name of the device."""
    return CCW_DRIVER if is_ccw(s, device) else model_of(device).driver


def _on_pci(
    virtio_mem: Iterable[Memory[VirtioMem]], controllers: Mapping[int, PciController], machine: Machine | None
) -> Iterable[OnPci]:
    for memory in virtio_mem:
        address = memory.device.address
        if not isinstance(address, PciAddress):
            continue
        controller = controllers.get(address.bus)
        if address.bus == 0:
            model = machine.root if machine else ""
        else:
            model = (controller.model if controller else "") or (machine.added if machine else "pci-bridge")
        yield OnPci(memory.device, address, model, controller)


def bus_name(s: Settled, bus: int) -> str:
    """QEMU's name of a PCI bus: the machine's, its controller's alias, or libvirt's default."""
    if bus == 0:
        return s.machine.bus if s.machine else "pci.0"
    controller = s.controllers.get(bus)
    return (controller and controller.alias) or f"pci.{bus}"


def _needed(domain: Domain, controllers: Mapping[int, PciController]) -> Mapping[int, PciController]:
    """The PCI controllers on the way from bus 0 to the memory devices' buses, by bus, outer ones first.

    With each goes the controller at function 0 of its slot: without that, a guest does not look at the others.
    """
    at_function_0: dict[tuple[int, int], list[PciController]] = {}
    for controller in domain.controllers:
        if isinstance(controller.address, PciAddress) and not controller.address.function:
            at_function_0.setdefault(controller.address[:2], []).append(controller)
    needed: dict[int, PciController] = {}

    def need(bus: int) -> None:
        controller = controllers.get(bus)
        if not bus or controller is None or bus in needed:
            return
        if isinstance(controller.address, PciAddress):
            if controller.address.bus < bus:  # libvirt wants it so; a circle must not catch us
                need(controller.address.bus)
            if controller.address.function:
                needed.update((o.bus, o) for o in at_function_0.get(controller.address[:2], ()) if o.bus not in needed)
        needed.setdefault(bus, controller)

    for device in domain.memory_devices:
        if isinstance(device.address, PciAddress):
            need(device.address.bus)
    return needed


def _controller_addresses(domain: Domain) -> Mapping[int, PciAddress]:
    """The address of each bus's PCI controller: as given, else a slot of bus 0 that nobody has, from the last down.

    libvirt would assign one too, though not always the same. One for which no slot is left is absent.
    """
    taken = {other.address.slot for other in domain.addresses if isinstance(other.address, PciAddress)}
    free = (slot for slot in range(0x1E, 0, -1) if slot not in taken)
    addresses: dict[int, PciAddress] = {}
    for controller in domain.controllers:
        address: PciAddress | None = None
        if isinstance(controller.address, PciAddress):
            address = controller.address
        elif controller.bus and (slot := next(free, None)) is not None:
            address = PciAddress(bus=0, slot=slot, function=0, multifunction=None)
        if address is not None:
            addresses.setdefault(controller.bus, address)
    return addresses
