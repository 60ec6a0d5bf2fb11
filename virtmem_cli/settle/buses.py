"""Buses: which controller provides each, where the controllers are, and which of them the memory devices need.

Takes a Domain, gives its PCI side: the buses of virtio-mem, and controllers with the addresses that they have or get.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from virtmem_cli.domain import Domain, PciAddress, PciController, VirtioMem
from virtmem_cli.machines import Machine


class OnPci(NamedTuple):
    """A virtio-mem with a PCI address: the model of its bus, and the controller where there is one."""

    device: VirtioMem
    address: PciAddress
    model: str
    controller: PciController | None


def on_pci(
    devices: Iterable[VirtioMem], controllers: Mapping[int, PciController], machine: Machine | None
) -> Iterable[OnPci]:
    """Each device that has a PCI address, with its bus."""
    for device in devices:
        address = device.address
        if not isinstance(address, PciAddress):
            continue
        controller = controllers.get(address.bus)
        if address.bus == 0:
            model = machine.root if machine else ""
        else:
            model = (controller.model if controller else "") or (machine.added if machine else "pci-bridge")
        yield OnPci(device, address, model, controller)


def needed_controllers(domain: Domain, controllers: Mapping[int, PciController]) -> Mapping[int, PciController]:
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


def controller_addresses(domain: Domain) -> Mapping[int, PciAddress]:
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
