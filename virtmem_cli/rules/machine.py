"""The machine: its architecture, type and QEMU, what is written for it, and what its devices are called."""

from virtmem_cli.domain import OtherMemory
from virtmem_cli.findings import Part, Problem, Problems, Refuses, Severity, rule, unsafe
from virtmem_cli.machines import ARCHITECTURES, MACHINES
from virtmem_cli.settle import Settled, device_driver, unplugged_readable
from virtmem_cli.settle.memory import model_of
from virtmem_cli.target import FEATURES, show
from virtmem_cli.text import LETTERS, LETTERS_AND_DIGITS, cut, quoted

_IDENTIFIER = LETTERS_AND_DIGITS.union("-._")


@rule(Severity.ERROR, Refuses.BOTH, "the architecture has no virtio-mem")
def arch_unsupported(s: Settled) -> Problems:
    """libvirt asks QEMU for its devices, and virtio-mem is not among them."""
    if s.domain.arch not in ARCHITECTURES:
        yield Problem(
            s.domain.at("os"),
            f"<type arch> is {quoted(s.domain.arch)}, for which QEMU has no virtio-mem",
            f"virtio-mem is there for {', '.join(ARCHITECTURES)}.",
        )


@rule(Severity.ERROR, Refuses.LIBVIRT, "the machine type has no PCI bus for virtio-mem")
def machine_without_pci(s: Settled) -> Problems:
    """virtio-mem is a PCI device, but for virtio-mem-ccw: qemuDomainDefValidate (libvirt 7.9)."""
    known = MACHINES.get(s.domain.arch)
    if known and s.machine is None:
        seen = f"{quoted(s.domain.machine)}, which has no bus for virtio-mem" if s.domain.machine else "absent"
        yield Problem(s.domain.at("os"), f"<type machine> is {seen}", f"Write machine='{known[0].names[0]}'.")


@rule(Severity.ERROR, Refuses.BOTH, "this QEMU version lacks what the domain asks for")
def qemu_version(s: Settled) -> Problems:
    """QEMU starts with no device or property that it does not know, and libvirt asks it beforehand."""
    qemu, since = s.target.qemu, s.arch.since
    if qemu.arch is not None and qemu.arch != s.domain.arch:
        yield Problem(
            s.domain.at("os"),
            f"<type arch> is {quoted(s.domain.arch)}, and this {qemu} is for {qemu.arch}",
            f"Take the QEMU for {cut(s.domain.arch)}.",
        )
    elif qemu.drivers is not None and s.domain.arch in ARCHITECTURES:
        wanted = {device_driver(s, device): device.element for device in reversed(s.devices)}
        for driver in sorted(set(wanted) - qemu.drivers):
            yield Problem(wanted[driver], f"this {qemu} has no {driver}", f"Take QEMU {show(since)} or newer.")
    elif qemu.version < since:
        yield Problem(
            s.domain.at("os"),
            f"{qemu} has no virtio-mem for {cut(s.domain.arch)}",
            f"Take QEMU {show(since)} or newer.",
        )
    for device in s.devices:
        if device.dynamic_memslots is not None and not qemu.has("dynamic-memslots"):
            yield Problem(
                device.at("target"),
                f"<target dynamicMemslots> is given, which {qemu} does not know",
                f"Remove it, or take QEMU {show(FEATURES['dynamic-memslots'])} or newer.",
            )


@rule(Severity.ERROR, Refuses.QEMU, "dynamicMemslots on a machine type of before 7.0")
def dynamic_memslots_machine(s: Settled) -> Problems:
    """It needs unplugged-inaccessible=on, which pc_compat_6_2 has off (QEMU 8.2, libvirt 10.1)."""
    for device in s.devices:
        if device.dynamic_memslots and unplugged_readable(s):
            yield Problem(
                device.at("target"),
                f"<target dynamicMemslots> is 'yes', and machine type {quoted(s.domain.machine)} is of before 7.0",
                "Take a machine type of 7.0 or later, or remove dynamicMemslots.",
            )


@rule(Severity.WARNING, Refuses.NOBODY, "a memory device of a model that is not written")
def memory_left_out(s: Settled) -> Problems:
    """A limit of ours: libvirt and QEMU know these models."""
    for memory in s.memory if s.target.scope != "devices" else ():
        device = memory.device
        if isinstance(device, OtherMemory) and not model_of(device).driver:
            yield Problem(
                device.element,
                f"the {device.model} is left out of the arguments",
                "Add its -object and -device yourself.",
            )


@rule(Severity.ERROR, Refuses.BOTH, "two devices have the same alias")
def alias_duplicate(s: Settled) -> Problems:
    """virDomainDefValidateAliases for aliases of the user's (libvirt 3.9), and QEMU for every id."""
    # In a running domain, others than users' may be shared: the parts of a USB 2 controller are all called 'usb'
    mine = {device.alias for device in s.devices}
    ours = {device.elements["alias"] for device in s.devices if "alias" in device.elements}
    seen: set[str] = set()
    for alias, element in s.domain.aliases:
        if alias in seen and (alias.startswith("ua-") or alias in mine):
            repair = unsafe(element, Part.REMOVE) if element in ours else None
            words = f"<alias name> is {quoted(alias)}, which an earlier device has"
            yield Problem(element, words, "Write another alias.", repair)
        seen.add(alias)


@rule(Severity.ERROR, Refuses.QEMU, "the alias is no identifier of QEMU's")
def alias_invalid(s: Settled) -> Problems:
    """QEMU's id_wellformed(). Only a running domain's XML can bring such an alias here."""
    buses = {on.controller.bus: on.controller for on in s.on_pci if on.controller}
    named = [(device.alias, device.at("alias")) for device in s.devices]
    named += [(controller.alias, controller.element) for controller in buses.values() if controller.alias]
    for alias, element in named:
        if alias[:1] not in LETTERS or not _IDENTIFIER.issuperset(alias):
            yield Problem(
                element,
                f"<alias name> is {quoted(alias)}, and a QEMU identifier is a letter and then letters, digits, "
                "'-', '.' or '_'",
                "Write another alias.",
            )
