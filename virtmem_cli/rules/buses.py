"""Buses: PCI controllers, and the PCI and CCW addresses that devices have on them.

What a controller or a machine has is in the tables of `machines`, and which bus a device is on was settled.
"""

from collections.abc import Iterator

from virtmem_cli.domain import CcwAddress, PciAddress, VirtioMem
from virtmem_cli.findings import Part, Problem, Problems, Refuses, Severity, rule, unsafe
from virtmem_cli.machines import PCI_MODELS, PCI_OPTIONS
from virtmem_cli.settle import Settled, bus_name, is_ccw
from virtmem_cli.text import cut, quoted
from virtmem_cli.units import human


@rule(Severity.ERROR, Refuses.LIBVIRT, "a PCI controller does not fit the machine")
def controller_model(s: Settled) -> Problems:
    """Bus 0 comes with the machine, and other models need one or the other there."""
    root = s.machine.root if s.machine else ""
    fitting = [name for name, model in PCI_MODELS.items() if model.root in (None, root) and not model.is_root]
    for controller in s.domain.controllers if root else ():
        at_root = controller.bus == 0
        known = ("", root) if at_root else fitting
        if controller.model not in known and (at_root or controller.model in PCI_MODELS):
            yield Problem(
                controller.element,
                f"<controller model> of index {controller.bus} is {quoted(controller.model)}, which this machine does "
                "not have there",
                f"Write model='{root}'." if at_root else f"Take {' or '.join(fitting)}.",
            )


@rule(Severity.ERROR, Refuses.LIBVIRT, "two PCI controllers have the same index")
def controller_index(s: Settled) -> Problems:
    """virDomainDefRejectDuplicateControllers: the index is the number of the bus."""
    seen: set[int] = set()
    for controller in s.domain.controllers:
        if controller.bus in seen:
            yield Problem(
                controller.element,
                f"<controller index> is {controller.bus}, which an earlier PCI controller has",
                "Write another index.",
            )
        seen.add(controller.bus)


@rule(Severity.ERROR, Refuses.LIBVIRT, "the address type does not fit the machine")
def address_type(s: Settled) -> Problems:
    """virtio-mem is a virtio device, on PCI or, on s390x, on CCW too; it is no DIMM."""
    allowed = ("pci", "ccw") if s.arch.ccw else ("pci",)
    for device in s.devices:
        if device.address_type and device.address_type not in allowed:
            yield Problem(
                device.at("address"),
                f"<address type> is {quoted(device.address_type)}, and {cut(s.domain.arch)} has "
                f"{' and '.join(allowed)}",
                f"Write type='{allowed[-1]}'.",
                unsafe(device.at("address"), Part.REMOVE),
            )


@rule(Severity.ERROR, Refuses.LIBVIRT, "the PCI bus takes no such device")
def pci_bus(s: Settled) -> Problems:
    """virDomainPCIAddressBusSetModel: on these buses go ports and bridges alone."""
    for device, address, model, _ in s.on_pci:
        if model in PCI_MODELS and not PCI_MODELS[model].slots:
            yield Problem(
                device.at("address"),
                f"<address> is {address}, and bus {address.bus:#x} is a {model}, which takes no memory device",
                "Put it on a pcie-root-port's bus.",
                unsafe(device.at("address"), Part.REMOVE),
            )


@rule(Severity.ERROR, Refuses.LIBVIRT, "the PCI bus has no such slot")
def pci_slot(s: Settled) -> Problems:
    """virDomainPCIAddressBusSetModel: ports have slot 0 alone, and other buses keep it for themselves."""
    for device, address, model, _ in s.on_pci:
        slots = PCI_MODELS[model].slots if model in PCI_MODELS else range(0)
        if slots and address.slot not in slots:
            span = f"slot {slots[0]:#x} alone" if len(slots) == 1 else f"slots {slots[0]:#x} to {slots[-1]:#x}"
            yield Problem(
                device.at("address"),
                f"<address slot> is {address.slot:#x}, and bus {address.bus:#x}, a {model}, has {span}",
                f"Write slot='{slots[0]:#04x}', or another bus.",
                unsafe(device.at("address"), Part.REMOVE),
            )


@rule(Severity.WARNING, Refuses.NOBODY, "libvirt adds the controller for the bus; these arguments do not")
def pci_bus_implied(s: Settled) -> Problems:
    """libvirt fills up the buses that addresses name; what it chooses depends on all devices of the domain."""
    for device, address, model, controller in s.on_pci:
        if address.bus and controller is None and s.target.scope != "machine":
            yield Problem(
                device.at("address"),
                f"<address bus> is {address.bus:#x}, and no <controller> has that index: libvirt adds a {model}, and "
                f"QEMU needs one with the id {bus_name(s, address.bus)}",
                f"Write <controller type='pci' index='{address.bus}' model='{model}'/>.",
            )


@rule(Severity.ERROR, Refuses.OURS, "no controller provides the PCI bus")
def pci_bus_missing(s: Settled) -> Problems:
    """QEMU has no such bus; libvirt would add a controller, placed after a look at all devices."""
    if s.target.scope != "machine":
        return
    known = {controller.bus for controller in s.domain.controllers} | {0}
    for device, address, model, _ in s.on_pci:
        if address.bus not in known:
            yield Problem(
                device.at("address"),
                f"<address bus> is {address.bus:#x}, and no <controller> has that index",
                f"Write <controller type='pci' index='{address.bus}' model='{model}'/>.",
            )
    for controller in s.needed.values():
        bus = controller.address.bus if isinstance(controller.address, PciAddress) else None
        if bus is not None and (bus not in known or bus >= controller.bus):
            yield Problem(
                controller.element,
                f"<controller> {controller.bus} is on bus {bus:#x}, which no <controller> before it has",
                f"Write its <address> on bus 0, or a <controller type='pci' index='{bus}'/>.",
            )
        elif bus is None and controller.model in PCI_MODELS and PCI_MODELS[controller.model].belongs:
            yield Problem(
                controller.element,
                f"<controller> {controller.bus} is a {controller.model} and has no <address>",
                "Write its <address>, on the bus of the port that it belongs to.",
            )


@rule(Severity.ERROR, Refuses.BOTH, "the PCI address belongs to the machine's chipset")
def pci_chipset(s: Settled) -> Problems:
    """libvirt keeps these for the chipset (qemuDomainValidateDevicePCISlotsChipsets), QEMU says 'in use'."""
    if s.machine is None:
        return
    # libvirt adds the chipset's USB controller where none is given
    taken = s.machine.chipset if s.domain.usb_controllers else s.machine.chipset | s.machine.usb
    for device, address, _, _ in s.on_pci:
        if address.bus == 0 and (address.slot, address.function) in taken:
            yield Problem(
                device.at("address"),
                f"<address> is {address}, which belongs to the chipset of {quoted(s.domain.machine)}",
                "Write another slot.",
                unsafe(device.at("address"), Part.REMOVE),
            )


@rule(Severity.ERROR, Refuses.QEMU, "a slot with more than one function says multifunction='off'")
def pci_multifunction(s: Settled) -> Problems:
    """QEMU's pci_init_multifunction(); libvirt sets it where it is not given, and leaves an 'off' alone."""
    shared = s.shared_slots.intersection([on.address[:2] for on in s.on_pci])
    for other in s.domain.addresses if shared else ():
        address = other.address
        if not isinstance(address, PciAddress) or address.function or address.multifunction is not False:
            continue
        if address[:2] in shared:
            yield Problem(
                other.element,
                f"<address> of <{other.device}> is {address} with multifunction='off', and the slot has more functions",
                "Write multifunction='on'.",
                unsafe(other.element, Part.ATTRIBUTE, "on", "multifunction"),
            )


@rule(Severity.ERROR, Refuses.BOTH, "two devices have the same PCI address")
def pci_duplicate(s: Settled) -> Problems:
    """libvirt: 'Attempted double use of PCI Address'; QEMU: the slot is in use."""
    return _duplicates(s, PciAddress)


@rule(Severity.ERROR, Refuses.LIBVIRT, "two devices have the same CCW address")
def ccw_duplicate(s: Settled) -> Problems:
    """virDomainCCWAddressAssign keeps the set of those that are taken, over devices of all kinds."""
    return _duplicates(s, CcwAddress)


def _duplicates(s: Settled, kind: type[PciAddress] | type[CcwAddress]) -> Problems:
    first: dict[tuple[int, ...], str] = {}
    ours = {device.elements.get("address") for device in s.devices}
    for other in s.domain.addresses:
        if not isinstance(other.address, kind):
            continue
        key = other.address[:3]  # whatever it says of multifunction
        if key in first:
            yield Problem(
                other.element,
                f"<address> of <{other.device}> is {other.address}, which an earlier <{first[key]}> has",
                "Write a free address, or leave it out.",
                unsafe(other.element, Part.REMOVE) if other.element in ours else None,
            )
        first.setdefault(key, other.device)


@rule(Severity.ERROR, Refuses.LIBVIRT, "a CCW device is on a node other than 0")
def ccw_node(s: Settled) -> Problems:
    """QEMU refuses -numa on s390x, so that all memory is on node 0."""
    for device in _on_ccw(s):
        if s.domain.cells and device.node is not None and device.node > 0:
            yield Problem(
                device.at("node"),
                f"<node> is {device.node}, and a CCW device is on node 0",
                "Write <node>0</node>.",
                unsafe(device.at("node"), Part.TEXT, 0),
            )


@rule(Severity.ERROR, Refuses.LIBVIRT, "a CCW device's page size differs from boot memory's")
def ccw_page_size(s: Settled) -> Problems:
    """KVM on s390x takes no device memory with larger pages than boot memory's (QEMU 10.0)."""
    boot = s.boot[0].pagesize or s.host.page_size
    for memory in s.virtio_mem:
        own = memory.pagesize or s.host.page_size
        if own != boot and is_ccw(s, memory.device):
            yield Problem(
                memory.device.at("pagesize"),
                f"the device's pages are {human(own)}, and boot memory's are {human(boot)}",
                "Take the same page size for both.",
            )


@rule(Severity.ERROR, Refuses.QEMU, "the CCW device has no such property")
def ccw_property(s: Settled) -> Problems:
    """QEMU defines ats and page-per-vq for virtio-mem-pci, and not for virtio-mem-ccw (10.0)."""
    for device in _on_ccw(s):
        for option in PCI_OPTIONS:
            if option in device.driver:
                yield Problem(
                    device.at("driver"),
                    f"<driver {option}> is given, and a CCW device has no such property",
                    f"Remove {option}.",
                )


def _on_ccw(s: Settled) -> Iterator[VirtioMem]:
    return (device for device in s.devices if is_ccw(s, device))
