"""The devices: memory devices of all models, PCI controllers, and the aliases and addresses that any device has."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import cast

from virtmem_cli.document.value import Element, Value, string
from virtmem_cli.domain import (
    DEVICE_STEP,
    Address,
    CcwAddress,
    DeviceAddress,
    DeviceElement,
    MemoryDevice,
    OtherMemory,
    PciAddress,
    PciController,
    VirtioMem,
)
from virtmem_cli.machines import MEMORY_MODELS, PCI_DRIVERS, PCI_MODELS, VIRTIO_MEM, VIRTIO_OPTIONS
from virtmem_cli.parse.known import DEVICE, SOURCE, TARGET
from virtmem_cli.parse.reader import ACCESS, ON_OFF, YES_NO, Reader, attribute, children, first_with, firsts
from virtmem_cli.rules import reading
from virtmem_cli.text import LETTERS_AND_DIGITS, nearest, one_of
from virtmem_cli.units import INT_MAX, UINT_MAX, ULLONG_MAX

# What libvirt keeps of <alias> in a domain that is not running.
_USER_ALIAS, _ALIAS = "ua-", LETTERS_AND_DIGITS.union("_-")
_DRIVERS = {name: name for name in PCI_DRIVERS}
_MODELS = {name: name for name in PCI_MODELS}
_PCI_LIMITS = {"domain": 0xFFFF, "bus": 0xFF, "slot": 0x1F, "function": 7}
_CCW_LIMITS = {"cssid": 0xFE, "ssid": 3, "devno": 0xFFFF}


class Device:
    """One element of <devices>: its name, and the first of each of its children."""

    __slots__ = ("element", "parts", "tag")

    def __init__(self, element: Element) -> None:
        self.element, self.tag, self.parts = element, str(element.tag), firsts(element)

    def get(self, name: str) -> str | None:
        """The device's attribute."""
        return self.element.get(name)

    def of(self, part: str, name: str) -> str | None:
        """The attribute of the first child of that name."""
        return attribute(self.parts.get(part), name)

    @property
    def is_virtio_mem(self) -> bool:
        """Whether it is what this is about."""
        return self.tag == "memory" and self.get("model") == VIRTIO_MEM

    @property
    def is_none(self) -> bool:
        """Whether it stands for no device of its own, so that libvirt looks at nothing else of it.

        So does <console> of type serial, which says the first <serial> again, alias and all.
        """
        if self.tag in ("memballoon", "controller"):
            return self.element.get("model") == "none"
        return self.tag == "console" and self.of("target", "type") in (None, "serial")


class Devices:
    """The devices of a domain while they are read: what one of them says may depend on the others."""

    def __init__(self, reader: Reader, parents: Iterable[Element], *, running: bool) -> None:
        """`running`: the XML is of a running domain, so that all aliases and what is reported count."""
        self.reader, self.quiet, self.running = reader, Reader(None), running
        self.all = [Device(element) for parent in parents for element in children(parent)]
        self.tagged: dict[str, list[Device]] = {}
        for device in self.all:
            self.tagged.setdefault(device.tag, []).append(device)
        memory = self.tagged.get("memory", [])
        if not running:
            self.look_for_current(memory)
        self.given = self.aliases()
        # The memory devices with the models that they have, or are meant to have
        self.memory = [(device, model) for device in memory if (model := self.model(device))]
        self.virtio_mem = [device.element for device, model in self.memory if model == VIRTIO_MEM]

    def look_for_current(self, memory: Iterable[Device]) -> None:
        """Say where <current> is given in a domain that is not running, so that nobody reported it."""
        for device in memory:
            for target in device.element.iterchildren("target") if "target" in device.parts else ():
                for element in target.iterchildren("current"):
                    self.reader.say(reading.current_ignored, element)

    def model(self, device: Device) -> str:
        """The device's model; one that is a misspelt virtio-mem is read as one, to say all that is wrong with it."""
        model = device.get("model")
        if model in MEMORY_MODELS:
            return str(model)
        self.reader.say(reading.memory_model, Value(device.element, "model"), MEMORY_MODELS)
        return VIRTIO_MEM if nearest(model or "", MEMORY_MODELS) == VIRTIO_MEM else ""

    # Aliases and addresses

    def aliases(self) -> dict[Element, str]:
        """The alias of each device that has one, in document order."""
        aliases = {}
        for device in [device for device in self.all if "alias" in device.parts]:
            if device.is_none:
                continue
            element = first_with(device.element.iterchildren("alias"), "name")
            if element is None:
                continue
            alias = element.get("name", "")
            if self.running or (alias.startswith(_USER_ALIAS) and _ALIAS.issuperset(alias)):
                aliases[device.element] = alias
            elif device.is_virtio_mem and not re.match(r"virtiomem\d", alias):
                self.reader.say(reading.alias_ignored, Value(element, "name"))
        return aliases

    def named(self) -> tuple[tuple[str, Element], ...]:
        """Each alias that is given, and its <alias>."""
        return tuple([(alias, next(device.iterchildren("alias"))) for device, alias in self.given.items()])

    def addresses(self) -> dict[Element, DeviceAddress]:
        """The PCI and CCW addresses of devices. Only virtio-mem's own are judged for their form."""
        found = {}
        for device in self.all:
            element = device.parts.get("address")
            if element is None or device.is_none or (device.tag == "video" and device.of("model", "type") == "none"):
                continue
            address = _address(self.reader if device.is_virtio_mem else self.quiet, element)
            if address is not None:
                found[device.element] = DeviceAddress(element=element, device=device.tag, address=address)
        return found

    def of_kind(self, tag: str, name: str, *values: str) -> list[Element]:
        """The devices of an element's name whose attribute has one of the values."""
        return [device.element for device in self.tagged.get(tag, ()) if device.get(name) in values]

    def vfio(self) -> list[Element]:
        """The devices that get at the guest's memory through VFIO."""
        return self.of_kind("hostdev", "type", "pci", "mdev") + self.of_kind("interface", "type", "hostdev")

    def vhost_user(self) -> list[Element]:
        """The devices that another process serves, which maps the guest's memory: vhost-user, virtiofs too."""
        virtiofs = [d.element for d in self.tagged.get("filesystem", ()) if d.of("driver", "type") == "virtiofs"]
        gpus = [d.element for d in self.tagged.get("video", ()) if d.of("driver", "name") == "vhostuser"]
        return [
            *self.of_kind("interface", "type", "vhostuser"),
            *self.of_kind("disk", "type", "vhostuser"),
            *virtiofs,
            *gpus,
        ]

    # Memory devices

    def memory_devices(self, addresses: Mapping[Element, DeviceAddress]) -> tuple[MemoryDevice, ...]:
        """The memory devices, each with the alias that libvirt gives it where the XML does not."""
        slots = self.slots()
        aliases = dict(self.given)
        taken = set(aliases.values())
        counters: dict[str, Iterator[int]] = {}
        for device, model in self.memory:
            # libvirt names a DIMM by its slot, and the others by the first number that is free
            if device.element not in aliases:
                prefix = model.replace("-", "")
                slot = slots.get(device.element)
                numbers = counters.setdefault(prefix, count()) if slot is None else iter((slot,))
                alias = next((name for n in numbers if (name := f"{prefix}{n}") not in taken), f"{prefix}-twice")
                aliases[device.element] = alias
        found: list[MemoryDevice] = []
        for device, model in self.memory:
            alias, at = aliases[device.element], addresses.get(device.element)
            address = None if at is None else at.address
            if model == VIRTIO_MEM:
                found.append(self._virtio_mem(device, alias, address))
            else:
                found.append(self._other(device, model, alias, slots.get(device.element), address))
        return tuple(found)

    def slots(self) -> dict[Element, int]:
        """The slot of each DIMM: as its address says, else the first that is free."""
        slots: dict[Element, int] = {}
        for device, model in self.memory:
            if MEMORY_MODELS[model].slot:
                element = first_with(device.element.iterchildren("address"), "slot")
                given = None if element is None else self.quiet.uint(element, "slot", limit=UINT_MAX, base=0)
                slots[device.element] = -1 if given is None else given
        taken = set(slots.values())
        free = (slot for slot in count() if slot not in taken)
        return {element: slot if slot >= 0 else next(free) for element, slot in slots.items()}

    def _virtio_mem(self, device: Device, alias: str, address: Address | None) -> VirtioMem:
        reader, element = self.reader, device.element
        target, source = device.parts.get("target"), device.parts.get("source")
        inner, outer = firsts(target), firsts(source)
        if target is None:
            example = "<target> with <size>, <node>, <block> and <requested> in it"
            reader.say(reading.value_missing, element, "<target>", example)
        address_type = device.of("address", "type")
        if "address" in device.parts and not address_type:
            example = "type='pci', or 'ccw' on s390x"
            reader.say(reading.value_missing, device.parts["address"], "<address type>", example)
        return VirtioMem(
            element=element,
            elements=_elements(device.parts, outer, inner),
            alias=alias,
            shared=reader.choice(element, "access", ACCESS),
            discard=reader.choice(element, "discard", YES_NO),
            nodemask=_nodemask(reader, outer),
            pagesize=reader.size(source, "pagesize", outer, binary=True),
            size_given=reader.size(target, "size", inner, zero=reading.size_zero, step=DEVICE_STEP),
            node=_node(reader, inner),
            block=reader.size(target, "block", inner, zero=reading.value_missing, binary=True),
            requested=reader.size(target, "requested", inner),
            memaddr=_memaddr(reader, inner),
            dynamic_memslots=reader.choice(target, "dynamicMemslots", YES_NO),
            driver=_driver(reader, device.parts.get("driver")),
            address_type=address_type,
            address=address,
        )

    def _other(self, device: Device, model: str, alias: str, slot: int | None, address: Address | None) -> OtherMemory:
        """A memory device of another model; `rules` judges it no further than virtio-mem depends on it."""
        target, source = device.parts.get("target"), device.parts.get("source")
        inner, outer = firsts(target), firsts(source)
        own = device.parts.get("address")
        path = outer.get("path")
        memaddr = _memaddr(self.quiet, inner)
        if not memaddr and own is not None and own.get("base"):
            memaddr = self.quiet.uint(own, "base", limit=ULLONG_MAX, base=16) or 0
        return OtherMemory(
            element=device.element,
            elements=_elements(device.parts, outer, inner),
            model=model,
            alias=alias,
            size_given=self.reader.size(target, "size", inner, zero=reading.size_zero),
            shared=self.quiet.choice(device.element, "access", ACCESS),
            discard=self.quiet.choice(device.element, "discard", YES_NO),
            nodemask=_nodemask(self.quiet, outer),
            pagesize=self.quiet.size(source, "pagesize", outer),
            node=_node(self.quiet, inner),
            path=None if path is None else string(path),
            memaddr=memaddr,
            slot=slot,
            address=address,
        )

    # PCI controllers

    def controllers(self, addresses: Mapping[Element, DeviceAddress]) -> tuple[PciController, ...]:
        """The PCI controllers; one without index gets the first free one, one without model libvirt's default ''."""
        pci = [device for device in self.tagged.get("controller", ()) if device.get("type") == "pci"]
        given = {
            device.element: self.reader.uint(device.element, "index", limit=0xFF)
            for device in pci
            if device.get("index") is not None
        }
        used = set(given.values())
        free = (index for index in count() if index not in used)
        controllers = []
        for device in pci:
            element = device.element
            index = given[element] if element in given else next(free)
            model = device.get("model")
            if index and model is None:
                example = one_of([name for name, model in PCI_MODELS.items() if not model.is_root])
                self.reader.say(reading.value_missing, element, "<controller model>", example)
            elif index:
                self.reader.choice(element, "model", _MODELS)
            if index is None:
                continue
            at = addresses.get(element)
            controllers.append(
                PciController(
                    element=element,
                    bus=index,
                    model=model or "",
                    alias=self.given.get(element),
                    address=None if at is None else at.address,
                    driver=self.reader.choice(device.parts.get("model"), "name", _DRIVERS),
                    numbers=self._numbers(device.parts.get("target")),
                )
            )
        return tuple(controllers)

    def _numbers(self, target: Element | None) -> dict[str, int]:
        """What a PCI controller's <target> says of chassis, port, bus and guest node."""
        if target is None:
            return {}
        holders = [(name, target, name) for name in ("chassis", "chassisNr", "port", "busNr") if target.get(name)]
        node = next(target.iterchildren("node"), None)
        if node is not None and string(node):
            holders.append(("node", node, ""))
        numbers = {}
        for name, element, attribute_name in holders:
            called = f"<controller><target {name}>"
            number = self.reader.uint(element, attribute_name, limit=UINT_MAX, base=0, called=called)
            if number is not None:
                numbers[name] = number
        return numbers


def _elements(
    own: Mapping[str, Element], source: Mapping[str, Element], target: Mapping[str, Element]
) -> dict[DeviceElement, Element]:
    """The elements of a memory device, without those that are in the wrong place, so that they say nothing."""
    found = {tag: element for tag, element in own.items() if tag in DEVICE.children}
    found |= {tag: element for tag, element in source.items() if tag in SOURCE.children}
    for tag, element in target.items():
        if tag in TARGET.children:
            found["memaddr" if tag == "address" else tag] = element
    return cast(dict[DeviceElement, Element], found)


def _nodemask(reader: Reader, source: Mapping[str, Element]) -> tuple[int, ...] | None:
    element = source.get("nodemask")
    return None if element is None or not string(element) else reader.nodes(element)


def _node(reader: Reader, target: Mapping[str, Element]) -> int | None:
    element = target.get("node")
    text = "" if element is None else string(element)
    if element is None or not text:
        return None
    # libvirt's number has a sign here, so that -0 is 0
    if "-" in text and re.fullmatch(r"[ \t\n\v\f\r]*-0+", text):
        return 0
    value = reader.uint(element, limit=INT_MAX)
    # -1 stands for "given, but unreadable": `rules` has nothing to add to it
    return -1 if value is None else value


def _memaddr(reader: Reader, target: Mapping[str, Element]) -> int:
    element = target.get("address")
    if element is None or element.get("base") is None:
        return 0
    return reader.uint(element, "base", limit=ULLONG_MAX, base=16) or 0


def _driver(reader: Reader, element: Element | None) -> dict[str, bool]:
    values = {name: reader.choice(element, name, ON_OFF) for name in VIRTIO_OPTIONS} if element is not None else {}
    return {name: value for name, value in values.items() if value is not None}


def _address(reader: Reader, element: Element) -> Address | None:
    """An address with numbers in it; None where libvirt would assign one, or after a finding."""
    kind = element.get("type")
    if kind == "pci":
        return _pci_address(reader, element)
    if kind == "ccw":
        return _ccw_address(reader, element)
    return None


def _pci_address(reader: Reader, element: Element) -> PciAddress | None:
    multifunction = reader.choice(element, "multifunction", ON_OFF)
    values = reader.numbers(element, _PCI_LIMITS)
    if not values:
        return None
    domain, bus, slot = values.get("domain", 0), values.get("bus", 0), values.get("slot", 0)
    if not (domain or bus or slot):
        return None  # without those, libvirt takes it for an address that is still to be assigned
    if beyond := _beyond(values, _PCI_LIMITS):
        for name in beyond:
            reader.say(reading.pci_address_range, Value(element, name), _PCI_LIMITS[name])
        return None
    if domain:
        reader.say(reading.pci_address_range, Value(element, "domain"), 0, domain)
        return None
    return PciAddress(bus, slot, values.get("function", 0), multifunction)


def _ccw_address(reader: Reader, element: Element) -> CcwAddress | None:
    values = reader.numbers(element, _CCW_LIMITS)
    if not values:
        return None
    if beyond := _beyond(values, _CCW_LIMITS):
        for name in beyond:
            reader.say(reading.number_too_large, Value(element, name), _CCW_LIMITS[name], address=True)
        return None
    missing = [name for name in _CCW_LIMITS if name not in values]
    if missing:
        reader.say(reading.ccw_partial, element, missing)
        return None
    return CcwAddress(**values)


def _beyond(values: Mapping[str, int], limits: Mapping[str, int]) -> list[str]:
    """The parts of an address that are above their limits."""
    return [name for name, value in values.items() if value > limits[name]]
