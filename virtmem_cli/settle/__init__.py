"""A Domain and a target to what is settled between device, cell, domain and host: once, for all that come after.

Takes what the XML gives, each thing in its place; gives a Settled, in which each piece of memory has its access,
discard, page size, host nodes and backend as libvirt's qemuBuildMemoryBackendProps settles them, the PCI buses have
their names, and device memory its addresses. `rules` judge by it, `props` write it, so that both mean the same.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from virtmem_cli.domain import Domain, MemoryDevice, PciAddress, PciController, VirtioMem
from virtmem_cli.layout import Layout, lay_out
from virtmem_cli.machines import ARCHITECTURES, CCW_DRIVER, OTHER, Architecture, Machine, machine_of, machine_version
from virtmem_cli.settle.buses import OnPci, controller_addresses, needed_controllers, on_pci
from virtmem_cli.settle.memory import Backing, BootMemory, Memory, boot_pieces, model_of
from virtmem_cli.target import Host, Target
from virtmem_cli.units import MIB, round_up


class Settled(NamedTuple):
    """A domain for one target, settled.

    `devices` are the virtio-mem devices. `machine` is None for a machine without PCI, or unknown. Sizes are in bytes:
    `boot_memory` is below 0 where the devices leave nothing of <memory>; `devices_size` is what all memory devices can
    give together. `boot` are the pieces that the guest boots with, one at least; `memory` the memory devices and
    `virtio_mem` those of them that this is about, in document order. `controllers` has the first PCI controller of each
    bus, `shared_slots` the bus and slot of each further function. In the scope `machine`, `needed` has the controllers
    on the way to the memory devices' buses, by bus, outer ones first, and `controller_addresses` where each bus's
    controller is. `layout` is None where too little is known for it.
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
    # Without cells, libvirt takes sizes off as they are written, and rounds them up later
    boot_memory = cells_size or round_up(
        domain.memory - sum([device.size_given for device in domain.memory_devices]), MIB
    )
    backing = Backing(domain, target.host)
    devices = domain.devices
    memory: list[Memory[MemoryDevice]] = []
    virtio_mem: list[Memory[VirtioMem]] = []
    for device in domain.memory_devices:
        if isinstance(device, VirtioMem):
            virtio_mem.append(backing.memory(device))
            memory.append(virtio_mem[-1])
        else:
            memory.append(backing.memory(device))
    controllers = {controller.bus: controller for controller in reversed(domain.controllers)}
    whole = target.scope == "machine"
    return Settled(
        domain=domain,
        devices=devices,
        target=target,
        arch=arch,
        machine=machine,
        boot_memory=boot_memory,
        devices_size=devices_size,
        guest_nodes=guest_nodes,
        boot=tuple([backing.memory(piece) for piece in boot_pieces(domain, arch, boot_memory)]),
        memory=tuple(memory),
        virtio_mem=tuple(virtio_mem),
        on_pci=tuple(on_pci(devices, controllers, machine)),
        controllers=controllers,
        shared_slots=frozenset(
            [
                (other.address.bus, other.address.slot)
                for other in domain.addresses
                if isinstance(other.address, PciAddress) and other.address.function
            ]
        ),
        needed=needed_controllers(domain, controllers) if whole else {},
        controller_addresses=controller_addresses(domain) if whole else {},
        layout=_layout(domain, memory, machine, boot_memory),
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


def bus_name(s: Settled, bus: int) -> str:
    """QEMU's name of a PCI bus: the machine's, its controller's alias, or libvirt's default."""
    if bus == 0:
        return s.machine.bus if s.machine else "pci.0"
    controller = s.controllers.get(bus)
    return (controller and controller.alias) or f"pci.{bus}"
