"""The tree to a Domain: reading, defaults, and findings for what is missing, unreadable or silently dropped.

Takes the <domain> element, gives the Domain and the findings. Reads what libvirt 12 reads: the first of an element
given twice, numbers in its forms, sizes rounded as it rounds them. Nothing here compares two fields: see `rules`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import TypeVar, cast, get_args

from lxml import etree

from virtmem_cli.domain import (
    DEVICE_STEP,
    CcwAddress,
    Cpu,
    DeviceAddress,
    Domain,
    HugePage,
    MemNode,
    MemoryBacking,
    MemoryMode,
    NumaCell,
    NumaTune,
    OtherMemory,
    PciAddress,
    PciController,
    Topology,
    VirtioMem,
    has_node,
)
from virtmem_cli.findings import MOST_FINDINGS, Edit, Finding, Part, Repair, finding, more_findings, safe, unsafe
from virtmem_cli.text import instead, nearest, one_of, quoted
from virtmem_cli.units import (
    INT_MAX,
    KIB,
    LARGEST,
    MIB,
    UINT_MAX,
    ULLONG_MAX,
    NotANumberError,
    TooLargeError,
    UnknownUnitError,
    human,
    parse_bitmap,
    parse_scaled,
    parse_uint,
    respell,
    respell_bitmap,
    respell_unit,
    round_up,
)

Element = etree._Element
T = TypeVar("T")

# libvirt's VIR_DOMAIN_CPUMASK_LEN: the numbers of nodes and CPUs are below it.
NODES = 16384
# QEMU's MAX_NODES, of guest and host: node numbers are below it.
MOST_NODES = 128

MODELS = ("virtio-mem", "dimm", "nvdimm", "virtio-pmem", "sgx-epc")
DRIVER_OPTIONS = ("iommu", "ats", "packed", "page_per_vq")
YES_NO = {"yes": True, "no": False}
ON_OFF = {"on": True, "off": False}
ACCESS = {"shared": True, "private": False}
# aarch64 has none: QEMU wants to be told.
DEFAULT_MACHINE = {"x86_64": "pc", "i686": "pc", "s390x": "s390-ccw-virtio"}
PCI_MODELS = (
    "pci-root",
    "pcie-root",
    "pci-bridge",
    "dmi-to-pci-bridge",
    "pcie-to-pci-bridge",
    "pcie-root-port",
    "pcie-switch-upstream-port",
    "pcie-switch-downstream-port",
    "pci-expander-bus",
    "pcie-expander-bus",
)
# libvirt's virDomainControllerPCIModelName.
PCI_DRIVERS = (
    "pci-bridge",
    "i82801b11-bridge",
    "pcie-pci-bridge",
    "ioh3420",
    "x3130-upstream",
    "xio3130-downstream",
    "pxb",
    "pxb-pcie",
    "pcie-root-port",
    "spapr-pci-host-bridge",
)
# What libvirt keeps of <alias> in a domain that is not running.
_USER_ALIAS = r"ua-[a-zA-Z0-9_-]*"

# What libvirt knows inside the memory elements: path -> attributes, children. A path that is absent is not looked into.
_SIZE = (("unit",), ())
_KNOWN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "maxMemory": (("slots", "unit"), ()),
    "memory": (("unit", "dumpCore"), ()),
    "currentMemory": _SIZE,
    "memoryBacking": (
        (),
        ("hugepages", "nosharepages", "locked", "source", "access", "allocation", "discard"),
    ),
    "memoryBacking/hugepages": ((), ("page",)),
    "memoryBacking/hugepages/page": (("size", "unit", "nodeset"), ()),
    "memoryBacking/source": (("type",), ()),
    "memoryBacking/access": (("mode",), ()),
    "memoryBacking/allocation": (("mode", "threads"), ()),
    "numatune": ((), ("memory", "memnode")),
    "numatune/memory": (("mode", "nodeset", "placement"), ()),
    "numatune/memnode": (("cellid", "mode", "nodeset"), ()),
    "cpu/numa": ((), ("cell", "interconnects")),
    "cpu/numa/cell": (("id", "cpus", "memory", "unit", "memAccess", "discard"), ("distances", "cache")),
    "devices/memory": (("model", "access", "discard"), ("source", "target", "driver", "alias", "address", "acpi")),
    "devices/memory/source": ((), ("nodemask", "pagesize")),
    "devices/memory/source/nodemask": ((), ()),
    "devices/memory/source/pagesize": _SIZE,
    "devices/memory/target": (("dynamicMemslots",), ("size", "node", "block", "requested", "current", "address")),
    "devices/memory/target/size": _SIZE,
    "devices/memory/target/node": ((), ()),
    "devices/memory/target/block": _SIZE,
    "devices/memory/target/requested": _SIZE,
    "devices/memory/target/current": _SIZE,
    "devices/memory/target/address": (("base",), ()),
    "devices/memory/driver": (DRIVER_OPTIONS, ()),
    "devices/memory/alias": (("name",), ()),
    "devices/memory/address": (
        ("type", "domain", "bus", "slot", "function", "multifunction", "cssid", "ssid", "devno"),
        ("zpci",),
    ),
}
# Elements of <domain> that are read here and that libvirt expects once.
ONCE = ("name", "maxMemory", "memory", "currentMemory", "vcpu", "os", "cpu", "memoryBacking", "numatune")
# Elements of <domain>, <cpu> and <devices> that are common, or near in spelling to those that are read.
_NO_MISTAKES = frozenset(
    [
        "uuid",
        "genid",
        "title",
        "description",
        "metadata",
        "memtune",
        "vcpus",
        "iothreads",
        "iothreadids",
        "cputune",
        "resource",
        "sysinfo",
        "bootloader",
        "idmap",
        "features",
        "clock",
        "pm",
        "perf",
        "on_poweroff",
        "on_reboot",
        "on_crash",
        "seclabel",
        "launchSecurity",
        "keywrap",
        "blkiotune",
        "throttlegroups",
        "model",
        "vendor",
        "cache",
        "maxphysaddr",
        "feature",
        "emulator",
        "disk",
        "lease",
        "filesystem",
        "interface",
        "smartcard",
        "serial",
        "parallel",
        "console",
        "channel",
        "input",
        "tpm",
        "graphics",
        "audio",
        "sound",
        "video",
        "hostdev",
        "redirdev",
        "redirfilter",
        "hub",
        "watchdog",
        "memballoon",
        "rng",
        "nvram",
        "shmem",
        "iommu",
        "vsock",
        "crypto",
        "panic",
        "pstore",
    ]
)
_MAY_REPEAT = {"page", "memnode", "cell", "interconnects", "cache"}


def parse_domain(root: Element, default_arch: str) -> tuple[Domain, list[Finding]]:
    """Read the <domain> element; `default_arch` is what libvirt takes where <type arch> is absent: the host's."""
    reader = _Reader({element: place for place, element in enumerate(root.iter(etree.Element))})
    return reader.domain(root, default_arch), reader.findings


def emulator(root: Element) -> str | None:
    """The path of the domain's QEMU, or None where it names none."""
    element = root.find("devices/emulator")
    return None if element is None else _string(element) or None


def _on_added_node(domain: Domain) -> Domain:
    """The domain's memory devices on the guest node that libvirt adds, where they name none."""
    return domain._replace(
        memory_devices=tuple(
            device._replace(node=0) if device.node is None and has_node(device) else device
            for device in domain.memory_devices
        )
    )


def _string(element: Element) -> str:
    """XPath's string(): all text below the element, comments left out, as libvirt reads it."""
    return (element.text or "") if len(element) == 0 else cast(str, element.xpath("string()"))


def _children(element: Element) -> Iterator[Element]:
    """The child elements, without comments, processing instructions and other people's namespaces."""
    return (child for child in element if isinstance(child.tag, str) and not child.tag.startswith("{"))


def _tag(element: Element) -> str:
    return str(element.tag)


def _attribute(parent: Element | None, path: str, name: str) -> tuple[Element, str] | None:
    """The first attribute of that name on any element of that path, as XPath's string(path/@name); '' is none."""
    for element in () if parent is None else parent.iterfind(path):
        text = element.get(name)
        if text is not None:
            return (element, text) if text else None
    return None


def _meant(text: str, values: Iterable[str]) -> str | None:
    """The value that a wrong one seems to mean; what says yes or no is known in several words."""
    word = text.strip().lower()
    for answers in (("yes", "on", "true", "1"), ("no", "off", "false", "0")):
        if word in answers:
            return next((value for value in values if value in answers), None)
    return nearest(text, values)


def _alias(device: Element) -> Element:
    """The device's <alias>, or itself."""
    alias = device.find("alias")
    return device if alias is None else alias


def _home(tag: str, path: str) -> str | None:
    """The element that an element or attribute ('@name') belongs to, for one in the wrong place; None for a stranger.

    Where there are several, it is the one nearest to where it was found.
    """
    if tag.startswith("@"):
        top = path.partition("/")[0]
        homes = [p for p, (attributes, _) in _KNOWN.items() if tag[1:] in attributes and p.partition("/")[0] == top]
        # what many elements have, such as 'unit', belongs to none of them
        return f"<{homes[0].rpartition('/')[2]}>" if len(homes) == 1 else None
    homes = [p for p in _KNOWN if p.rpartition("/")[2] == tag]
    if not homes:
        return None
    parts = path.split("/")
    shared = {
        p: next((n for n, (a, b) in enumerate(zip(p.split("/"), parts, strict=False)) if a != b), len(parts))
        for p in homes
    }
    home = max(homes, key=lambda p: shared[p])
    return f"<{home.split('/')[-2] if '/' in home else 'domain'}>"


class _Reader:
    """Reads elements into values and keeps what is to be said of them."""

    def __init__(self, order: Mapping[Element, int]) -> None:
        self.findings: list[Finding] = []
        self.order = order
        self.said: dict[str, int] = {}

    def quiet(self) -> "_Reader":
        """A reader of the same document for what is not ours to judge: its findings are lost."""
        return _Reader(self.order)

    def place(self, element: Element) -> int:
        return self.order[element]

    def say(self, rule_id: str, element: Element, message: str, advice: str, repair: Repair | None = None) -> None:
        if self.room(rule_id):
            self.findings.append(finding(rule_id, self.place(element), message, advice, repair))
        elif self.said[rule_id] == MOST_FINDINGS + 1:
            self.findings.append(more_findings(rule_id, self.place(element)))

    def room(self, rule_id: str) -> bool:
        """Whether one more finding of the rule is to be said."""
        self.said[rule_id] = self.said.get(rule_id, 0) + 1
        return self.said[rule_id] <= MOST_FINDINGS

    def near(self, name: str, known: Iterable[str], rule_id: str, closeness: float = 0.7) -> str | None:
        """The nearest known name, as long as the rule has room for a finding that tells it."""
        return nearest(name, known, closeness) if self.said.get(rule_id, 0) < MOST_FINDINGS else None

    # Values

    def word(self, element: Element, label: str, text: str) -> str:
        """A name that goes to QEMU among others, so that one with a comma or the like would say more than a name."""
        if text and not re.fullmatch(r"[A-Za-z0-9._+-]+", text):
            self.say("value-unknown", element, f"{label} is {quoted(text)}", "Write a name that QEMU has.")
        return text

    def first(self, parent: Element | None, tag: str) -> Element | None:
        """The first child of that name, or None."""
        return None if parent is None else parent.find(tag)

    def uint(
        self, element: Element, label: str, text: str, *, limit: int, base: int = 10, most: int | None = None
    ) -> int | None:
        """A whole number up to `limit`; None after a finding, which advises `most` where that is less."""
        most = limit if most is None else most
        try:
            return parse_uint(text, limit=limit, base=base)
        except NotANumberError:
            form = {0: "decimal or 0x… number", 10: "decimal number", 16: "hexadecimal number"}[base]
            meant = respell(text) if base != 16 else None
            right = meant is not None and meant[1] is None and meant[0] <= limit
            self.say(
                "number-invalid",
                element,
                f"{label} is {quoted(text)}, which is no whole number",
                f"Write '{meant[0]}'."
                if meant and right
                else f"Write a {form} from 0 to {most}, with nothing after it.",
                self.rewrite(element, text, str(meant[0])) if meant and right else None,
            )
        except TooLargeError:
            self.say(
                "number-too-large",
                element,
                f"{label} is {quoted(text)}, and the limit is {limit}",
                f"Write a number from 0 to {limit}.",
            )
        return None

    def rewrite(self, element: Element, old: str, new: str, unit: str | None = None) -> Repair:
        """The repair that puts a value in its right spelling, wherever in the element it stands."""
        name = self.holder(element, old)
        edits = [Edit(self.place(element), Part.ATTRIBUTE if name else Part.TEXT, new, name)]
        if unit is not None and unit != element.get("unit"):
            edits.append(Edit(self.place(element), Part.ATTRIBUTE, unit, "unit"))
        return Repair(tuple(edits), safe=True)

    def holder(self, element: Element, text: str) -> str:
        """The attribute that has this value; '' where it is the element's own text."""
        if _string(element) == text:
            return ""
        return next((str(name) for name, value in element.attrib.items() if value == text), "")

    def scaled(
        self, element: Element, label: str, text: str, unit: str | None, *, step: int = KIB, zero: str = ""
    ) -> int:
        """A size in bytes, as written but for the whole KiB that libvirt counts in; 0 after an error.

        `step` is what libvirt rounds it up to afterwards: a finding says so where that changes it. With `zero`, the
        name of a rule, 0 is an error too.
        """
        try:
            value = parse_scaled(text, unit)
        except NotANumberError:
            meant = respell(text, unit)
            spelt = f"Write '{meant[0]}'" + (f" with unit='{meant[1]}'." if meant[1] != unit else ".") if meant else ""
            self.say(
                "number-invalid",
                element,
                f"{label} is {quoted(text)}, which is no whole number",
                spelt or "Write decimal digits and nothing after them; the unit goes into the attribute 'unit'.",
                self.rewrite(element, text, str(meant[0]), meant[1]) if meant else None,
            )
            return 0
        except UnknownUnitError:
            named = respell_unit(unit or "")
            self.say(
                "unit-unknown",
                element,
                f"{label} has the unit {quoted(unit or '')}",
                f"Write '{named}'." if named else "Write bytes, KiB, MiB, GiB, TiB, PiB or EiB.",
                safe(self.place(element), Part.ATTRIBUTE, named, "unit") if named else None,
            )
            return 0
        except TooLargeError:
            self.say(
                "number-too-large",
                element,
                f"{label} is {quoted(text)} with the unit {quoted(unit or 'KiB')}, and the limit is {LARGEST} bytes",
                "Write a smaller size.",
            )
            return 0
        if zero and not value:
            self.say(zero, element, f"{label} is 0", "Write a size.")
        rounded = round_up(value, step)
        if rounded != value:
            self.say(
                "value-rounded",
                element,
                f"{label} is {human(value)}, which libvirt rounds up to {human(rounded)}, a multiple of {human(step)}",
                f"{human(rounded)} is what you get.",
                safe(self.place(element), Part.SIZE, rounded, self.holder(element, text)),
            )
        return round_up(value, KIB)

    def size(self, parent: Element | None, tag: str, *, zero: str = "", step: int = KIB) -> int:
        """The size in the child element `tag`; 0 where it is absent, empty or unreadable.

        With `zero`, the name of a rule, 0 is an error, and so is what is absent or empty.
        """
        element = self.first(parent, tag)
        text = "" if element is None else _string(element)
        if element is None or not text:
            if zero and parent is not None:
                self.say(
                    "value-missing",
                    parent if element is None else element,
                    f"<{tag}> is {'absent' if element is None else 'empty'}",
                    f"Write <{tag} unit='KiB'>…</{tag}>.",
                )
            return 0
        unit = _attribute(parent, tag, "unit")
        return self.scaled(element, f"<{tag}>", text, unit and unit[1], step=step, zero=zero)

    def choice(self, element: Element | None, attribute: str, values: dict[str, T]) -> T | None:
        """The attribute's value by a table; None where it is absent or, after a finding, unknown."""
        text = None if element is None else element.get(attribute)
        return None if element is None or text is None else self.known(element, attribute, text, values)

    def known(self, element: Element, attribute: str, text: str, values: dict[str, T]) -> T | None:
        """A value by a table; None, with a finding, for one that is not in it."""
        if text not in values:
            near = _meant(text, values)
            self.say(
                "value-unknown",
                element,
                f"<{_tag(element)} {attribute}> is {quoted(text)}",
                instead(near, values),
                safe(self.place(element), Part.ATTRIBUTE, near, attribute) if near else None,
            )
        return values.get(text)

    def chosen(self, parent: Element, path: str, attribute: str, values: dict[str, T]) -> T | None:
        """As choice(), where libvirt takes the first attribute of elements that may be given again, and '' for none."""
        found = _attribute(parent, path, attribute)
        return None if found is None else self.known(found[0], attribute, found[1], values)

    def bitmap(self, element: Element, label: str, text: str, *, empty: bool = False) -> tuple[int, ...] | None:
        """A list of node or CPU numbers, which only with `empty` may name none; None after a finding."""
        try:
            bits = parse_bitmap(text, size=NODES)
        except (NotANumberError, TooLargeError):
            meant = respell_bitmap(text, size=NODES)
            self.say(
                "nodeset-invalid",
                element,
                f"{label} is {quoted(text)}, which is no list of numbers from 0 to {NODES - 1}",
                f"Write {quoted(meant)}." if meant else "Write numbers and ranges with commas between, as '0-3,^2,8'.",
                self.rewrite(element, text, meant) if meant else None,
            )
            return None
        if not bits and not empty:
            self.say("nodeset-invalid", element, f"{label} is {quoted(text)}, which is empty", "Name at least one.")
            return None
        return bits

    def nodeset(self, element: Element) -> tuple[int, ...] | None:
        """The attribute 'nodeset', or None where it is absent or unreadable."""
        text = element.get("nodeset")
        return None if text is None else self.nodes(element, f"<{_tag(element)} nodeset>", text)

    def nodes(self, element: Element, label: str, text: str) -> tuple[int, ...] | None:
        """A list of NUMA nodes, of which QEMU knows MOST_NODES; None after a finding."""
        nodes = self.bitmap(element, label, text)
        if nodes and nodes[-1] >= MOST_NODES:
            self.say(
                "nodes-too-many",
                element,
                f"{label} goes up to {nodes[-1]}, and QEMU's last node is {MOST_NODES - 1}",
                f"Write nodes from 0 to {MOST_NODES - 1}.",
            )
            return None
        return nodes

    # What libvirt drops without a word

    def look_for_strangers(self, element: Element, path: str) -> None:
        """Say which elements and attributes libvirt does not know here, and which it reads the first of."""
        if path not in _KNOWN:
            return
        attributes, children = _KNOWN[path]
        for name in element.attrib:
            if str(name) not in attributes and not str(name).startswith("{"):
                self.strange_attribute(element, str(name), path, attributes)
        seen: set[str] = set()
        for child in _children(element):
            tag = _tag(child)
            if tag not in children:
                self.strange_element(child, element, path, children)
            elif tag in seen and tag not in _MAY_REPEAT:
                self.repeated(child, element)
            else:
                seen.add(tag)
                self.look_for_strangers(child, f"{path}/{tag}")

    def strange_attribute(self, element: Element, name: str, path: str, known: tuple[str, ...]) -> None:
        """Say that the element has no such attribute: another has it, or it is misspelt."""
        label = quoted(f"<{_tag(element)} {name}>")[1:-1]
        near = self.near(name, known, "attribute-unknown")
        home = None if near else _home(f"@{name}", path)
        if home is not None:
            advice = f"Give it to {home}."
            self.say(
                "attribute-misplaced", element, f"{label} is given, and '{name}' is an attribute of {home}", advice
            )
            return
        self.say(
            "attribute-unknown",
            element,
            f"{label} is unknown to libvirt, which ignores it",
            instead(near, known, "Remove it, or take one of") if known else "Remove it.",
            safe(self.place(element), Part.ATTRIBUTE_NAME, near, name) if near and near not in element.attrib else None,
        )

    def strange_element(self, child: Element, parent: Element, path: str, known: tuple[str, ...]) -> None:
        """Say that there is no such element here: it belongs elsewhere, or is misspelt."""
        tag = _tag(child)
        home = _home(tag, path)
        if home is not None:
            self.misplaced(child, home)
            return
        near = self.near(tag, known, "element-unknown")
        self.say(
            "element-unknown",
            child,
            f"{quoted(f'<{tag}> in <{_tag(parent)}>')[1:-1]} is unknown to libvirt, which ignores it",
            instead(near, known, "Remove it, or take one of") if known else "Remove it.",
            safe(self.place(child), Part.TAG, near) if near and parent.find(near) is None else None,
        )

    def look_for_near_misses(self, child: Element, tag: str) -> None:
        """Say where an element that is read here seems to be misspelt: in <domain>, <cpu> and <devices>.

        What libvirt knows there is far more, and not ours to list, so that nothing is said of other unknown names.
        """
        inner = {"cpu": ("numa", "topology"), "devices": ("memory", "controller")}.get(tag, ())
        suspects = [(child, (*ONCE, "devices"))] + [(grandchild, inner) for grandchild in _children(child) if inner]
        for element, names in suspects:
            name = _tag(element)
            if name in names or name in _NO_MISTAKES:
                continue
            if home := _home(name, tag if element is not child else ""):
                self.misplaced(element, home)
            elif near := self.near(name, names, "element-unknown", 0.8):
                self.say(
                    "element-unknown",
                    element,
                    f"<{name}> is unknown to libvirt, which ignores it",
                    f"Did you mean '{near}'?",
                    safe(self.place(element), Part.TAG, near) if self.is_free(element, near) else None,
                )

    def is_free(self, element: Element, name: str) -> bool:
        """Whether the element's parent has no element of that name."""
        parent = element.getparent()
        return parent is not None and parent.find(name) is None

    def misplaced(self, element: Element, home: str) -> None:
        parent = element.getparent()
        self.say(
            "element-misplaced",
            element,
            f"<{_tag(element)}> stands in <{'' if parent is None else _tag(parent)}>, where libvirt ignores it: it "
            f"belongs in {home}",
            f"Move it into {home}.",
        )

    def repeated(self, element: Element, parent: Element) -> None:
        self.say(
            "element-repeated",
            element,
            f"<{_tag(element)}> is given twice in <{_tag(parent)}>, where libvirt expects one",
            "Remove one: what this one says may be lost.",
        )

    # The domain

    def domain(self, root: Element, default_arch: str) -> Domain:
        places = {"domain": self.place(root)}
        for child in _children(root):
            tag = _tag(child)
            if tag == "memory" and child.get("model") in MODELS:
                self.misplaced(child, "<devices>")
                continue
            if tag not in places:
                places[tag] = self.place(child)
            elif tag == "numatune":
                self.say("numatune-repeated", child, "this is a second <numatune>", "Put both into one.")
            elif tag in ONCE:
                self.repeated(child, root)
            self.look_for_strangers(child, tag)
            self.look_for_near_misses(child, tag)
        arch, machine = self.os(root, default_arch)
        slots = _attribute(root, "maxMemory", "slots")
        # A running domain's XML has an id, and all of its aliases count; else libvirt keeps only the user's.
        domain_id = self.domain_id(root)
        devices = [child for parent in root.findall("devices") for child in _children(parent)]
        memory_devices = [d for d in devices if d.tag == "memory"]
        if domain_id < 0:
            self.look_for_current(memory_devices)
        aliases = self.aliases(devices, running=domain_id >= 0)
        vcpus = self.vcpus(root)
        domain = Domain(
            name=self.name(root),
            id=domain_id,
            places=places,
            type=self.domain_type(root),
            arch=arch,
            machine=machine,
            cpu=self.cpu(root),
            vcpus=vcpus,
            vcpus_current=self.vcpus_current(root, vcpus),
            topology=self.topology(root.find("cpu/topology")),
            max_memory_given=self.size(
                root, "maxMemory", zero="value-missing" if "maxMemory" in places else "", step=MIB
            ),
            slots=(slots and self.uint(slots[0], "<maxMemory slots>", slots[1], limit=UINT_MAX)) or 0,
            memory=self.size(root, "memory"),
            cells=self.cells(root),
            backing=self.backing(root),
            numatune=self.numatune(root),
            memory_devices=self.memory_devices(memory_devices, aliases),
            controllers=self.controllers(devices, aliases),
            addresses=tuple(self.addresses(devices)),
            aliases=tuple((alias, self.place(_alias(device))) for device, alias in aliases.items()),
            usb_controllers=sum(d.tag == "controller" and d.get("type") == "usb" for d in devices),
            launch_security=self.attribute(root.find("launchSecurity"), "type"),
            current_memory=self.size(root, "currentMemory"),
            balloon=not any(d.tag == "memballoon" and d.get("model") == "none" for d in devices),
            vfio=tuple(self.place(device) for device in devices if self.is_vfio(device)),
            vhost_user=tuple(self.place(device) for device in devices if self.is_vhost_user(device)),
        )
        return _on_added_node(domain) if domain.guest_nodes and not domain.cells else domain

    def look_for_current(self, memory_devices: list[Element]) -> None:
        """Say where <current> is given in a domain that is not running, so that nobody reported it."""
        for element in (e for device in memory_devices for e in device.iterfind("target/current")):
            self.say(
                "current-ignored",
                element,
                "<current> is what libvirt reports of a running guest, and it never reads it",
                "Remove it; <requested> is what the guest is to have.",
                safe(self.place(element), Part.REMOVE),
            )

    def is_vfio(self, device: Element) -> bool:
        """Whether the device gets at the guest's memory through VFIO."""
        kind = device.get("type")
        return (device.tag == "hostdev" and kind in ("pci", "mdev")) or (device.tag, kind) == ("interface", "hostdev")

    def is_vhost_user(self, device: Element) -> bool:
        """Whether another process serves the device, which maps the guest's memory: vhost-user, virtiofs too."""
        driver = device.find("driver")
        return (
            (device.tag in ("interface", "disk") and device.get("type") == "vhostuser")
            or (device.tag == "filesystem" and self.attribute(driver, "type") == "virtiofs")
            or (device.tag == "video" and self.attribute(driver, "name") == "vhostuser")
        )

    def attribute(self, element: Element | None, name: str) -> str | None:
        return None if element is None else element.get(name)

    def name(self, root: Element) -> str:
        element = self.first(root, "name")
        text = "" if element is None else _string(element)
        if element is None or not text:
            self.say(
                "value-missing",
                root if element is None else element,
                "<name> is absent or empty",
                "Write <name>…</name>.",
            )
        elif "/" in text or "\n" in text:
            self.say(
                "name-invalid",
                element,
                f"<name> is {quoted(text)}, and a name holds no '/' and no line break",
                "Write another name.",
            )
        return text

    def domain_type(self, root: Element) -> str:
        kind = root.get("type")
        if kind is None:
            self.say("value-missing", root, "<domain type> is absent", "Write type='kvm' or type='qemu'.")
        elif kind not in ("kvm", "qemu", "hvf"):
            self.say(
                "domain-type",
                root,
                f"<domain type> is {quoted(kind)}, which does not run in QEMU",
                "Write type='kvm' or type='qemu'.",
            )
        return kind or ""

    def cpu(self, root: Element) -> Cpu:
        model = root.find("cpu/model")
        policies = {"force": True, "require": True, "optional": True, "disable": False, "forbid": False}
        features = (
            (element.get("name", ""), policies.get(element.get("policy", "require")))
            for element in root.iterfind("cpu/feature")
        )
        for element in root.iterfind("cpu/feature"):
            self.word(element, "<cpu><feature name>", element.get("name", ""))
        return Cpu(
            mode=self.attribute(root.find("cpu"), "mode"),
            model=None if model is None else self.word(model, "<cpu><model>", _string(model)) or None,
            features={name: on for name, on in features if name and on is not None},
        )

    def domain_id(self, root: Element) -> int:
        text = root.get("id")
        if text is None or text == "-1":
            return -1
        value = self.uint(root, "<domain id>", text, limit=INT_MAX)
        return -1 if value is None else value

    def os(self, root: Element, default_arch: str) -> tuple[str, str]:
        kind = root.find("os/type")
        text = "" if kind is None else _string(kind)
        if kind is None or not text:
            self.say(
                "value-missing",
                root if kind is None else kind,
                f"<os><type> is {'absent' if kind is None else 'empty'}",
                "Write <os><type arch='x86_64'>hvm</type></os>.",
            )
        elif text != "hvm":
            self.say("value-unknown", kind, f"<os><type> is {quoted(text)}", "Write 'hvm'.")
        arch, machine = (_attribute(root, "os/type", name) for name in ("arch", "machine"))
        name = arch[1] if arch else default_arch
        if machine:
            return name, self.word(machine[0], "<type machine>", machine[1])
        return name, DEFAULT_MACHINE.get(name, "")

    def vcpus(self, root: Element) -> int:
        element = self.first(root, "vcpu")
        if element is None:
            return 1
        if element.get("placement") == "auto" and root.find("numatune/memory") is None:
            self.say_auto(element, "<vcpu placement>")
        return self.uint(element, "<vcpu>", _string(element), limit=NODES) or 0

    def vcpus_current(self, root: Element, vcpus: int) -> int:
        found = _attribute(root, "vcpu", "current")
        return (found and self.uint(found[0], "<vcpu current>", found[1], limit=UINT_MAX)) or vcpus

    def topology(self, element: Element | None) -> Topology | None:
        if element is None:
            return None
        parts = (element.get(name, "1") for name in Topology._fields)
        labels = (f"<topology {name}>" for name in Topology._fields)
        return Topology(*(self.uint(element, *pair, limit=UINT_MAX) or 1 for pair in zip(labels, parts, strict=True)))

    # Aliases and addresses

    def aliases(self, devices: list[Element], *, running: bool) -> dict[Element, str]:
        """The alias of each device that has one, in document order."""
        aliases = {}
        for device in devices:
            found = _attribute(device, "alias", "name")
            if found is None or self.no_device(device):
                continue
            alias = found[1]
            if running or re.fullmatch(_USER_ALIAS, alias):
                aliases[device] = alias
            elif device.tag == "memory" and device.get("model") == "virtio-mem" and not re.match(r"virtiomem\d", alias):
                self.say(
                    "alias-ignored",
                    found[0],
                    f"<alias name> is {quoted(alias)}, which libvirt drops",
                    "Write 'ua-' and then letters of a to z, digits, '_' or '-'; or remove it.",
                    safe(self.place(found[0]), Part.REMOVE),
                )
        return aliases

    def no_device(self, device: Element) -> bool:
        """Whether the element stands for no device of its own, so that libvirt looks at nothing else of it.

        So does <console> of type serial, which says the first <serial> again, alias and all.
        """
        target = device.find("target")
        if device.tag == "console":
            return target is None or target.get("type", "serial") == "serial"
        return device.get("model") == "none" and device.tag in ("memballoon", "controller")

    def controllers(self, devices: list[Element], aliases: dict[Element, str]) -> tuple[PciController, ...]:
        """The PCI controllers; one without index gets the first free one, one without model libvirt's default ''."""
        elements = [d for d in devices if d.tag == "controller" and d.get("type") == "pci"]
        given = {
            element: self.uint(element, "<controller index>", text, limit=0xFF)
            for element in elements
            if (text := element.get("index")) is not None
        }
        used = set(given.values())
        free = (index for index in count() if index not in used)
        controllers = []
        for element in elements:
            index = given.get(element)
            if element not in given:
                index = next(free)
            if index:
                if element.get("model") is None:
                    self.say(
                        "value-missing", element, "<controller model> is absent", f"Write {one_of(PCI_MODELS[2:])}."
                    )
                else:
                    self.choice(element, "model", {model: model for model in PCI_MODELS})
            address = self.first(element, "address")
            if index is not None:
                controllers.append(
                    PciController(
                        place=self.place(element),
                        bus=index,
                        model=element.get("model") or "",
                        alias=aliases.get(element),
                        address=None if address is None else self.quiet().address(address),
                        driver=self.driver_name(element.find("model")),
                        numbers=self.controller_numbers(element),
                    )
                )
        return tuple(controllers)

    def driver_name(self, element: Element | None) -> str | None:
        """QEMU's name for a PCI controller, where the XML gives it."""
        return self.choice(element, "name", {name: name for name in PCI_DRIVERS})

    def controller_numbers(self, element: Element) -> dict[str, int]:
        """What a PCI controller's <target> says of chassis, port, bus and guest node."""
        target = self.first(element, "target")
        texts = {name: self.attribute(target, name) for name in ("chassis", "chassisNr", "port", "busNr")}
        node = self.first(target, "node")
        texts["node"] = None if node is None else _string(node)
        holders = dict.fromkeys(texts, target) | {"node": node}
        numbers = {
            name: self.uint(holder, f"<controller><target {name}>", text, limit=UINT_MAX, base=0)
            for name, text in texts.items()
            if text and (holder := holders[name]) is not None
        }
        return {name: number for name, number in numbers.items() if number is not None}

    def addresses(self, devices: list[Element]) -> Iterator[DeviceAddress]:
        """The PCI and CCW addresses that devices have. Only virtio-mem's own are judged for their form."""
        for device in devices:
            element = self.first(device, "address")
            video = device.find("model")
            no_video = device.tag == "video" and video is not None and video.get("type") == "none"
            if element is None or no_video or self.no_device(device):
                continue
            quiet = self if device.tag == "memory" and device.get("model") == "virtio-mem" else self.quiet()
            address = quiet.address(element)
            if address is not None:
                yield DeviceAddress(place=self.place(element), device=_tag(device), address=address)

    def address(self, element: Element) -> PciAddress | CcwAddress | None:
        """An address with numbers in it; None where libvirt would assign one, or after a finding."""
        kind = element.get("type")
        if kind == "pci":
            return self.pci_address(element)
        if kind == "ccw":
            return self.ccw_address(element)
        return None

    def numbers(self, element: Element, limits: dict[str, int]) -> dict[str, int] | None:
        """The attributes that are given, as numbers of any size; None after a finding for one that is none."""
        given = {name: text for name in limits if (text := element.get(name)) is not None}
        values = {
            name: self.uint(element, f"<address {name}>", text, limit=UINT_MAX, base=0, most=limits[name])
            for name, text in given.items()
        }
        return None if None in values.values() else cast(dict[str, int], values)

    def in_range(self, element: Element, values: dict[str, int], limits: dict[str, int], rule_id: str) -> bool:
        """Whether each number is within its limit; a finding for each that is not."""
        beyond = [name for name, value in values.items() if value > limits[name]]
        for name in beyond:
            self.say(
                rule_id,
                element,
                f"<address {name}> is {quoted(element.get(name, ''))}, and the limit is {limits[name]:#x}",
                f"Write a number from 0 to {limits[name]:#x}.",
                unsafe(self.place(element), Part.REMOVE),
            )
        return not beyond

    def pci_address(self, element: Element) -> PciAddress | None:
        multifunction = self.choice(element, "multifunction", ON_OFF)
        limits = {"domain": 0xFFFF, "bus": 0xFF, "slot": 0x1F, "function": 7}
        values = self.numbers(element, limits)
        if values is None or not (values.get("domain") or values.get("bus") or values.get("slot")):
            return None  # without those, libvirt takes it for an address that is still to be assigned
        if not self.in_range(element, values, limits, "pci-address-range"):
            return None
        domain, bus, slot, function = (values.get(name, 0) for name in limits)
        if domain:
            self.say(
                "pci-address-range",
                element,
                f"<address domain> is {domain:#06x}, and a guest has PCI domain 0 alone",
                "Write domain='0x0000'.",
                unsafe(self.place(element), Part.ATTRIBUTE, "0x0000", "domain"),
            )
            return None
        return PciAddress(bus=bus, slot=slot, function=function, multifunction=multifunction)

    def ccw_address(self, element: Element) -> CcwAddress | None:
        limits = {"cssid": 0xFE, "ssid": 3, "devno": 0xFFFF}
        values = self.numbers(element, limits)
        if not values or not self.in_range(element, values, limits, "number-too-large"):
            return None
        missing = [name for name in limits if name not in values]
        if missing:
            self.say(
                "ccw-partial",
                element,
                f"<address type='ccw'> lacks {' and '.join(missing)}",
                "Write cssid, ssid and devno, or none of them.",
            )
            return None
        return CcwAddress(**values)

    # Memory devices

    def memory_devices(
        self, elements: list[Element], aliases: dict[Element, str]
    ) -> tuple[VirtioMem | OtherMemory, ...]:
        models = [(element, model) for element in elements if (model := self.model(element))]
        aliases = {**aliases}
        slots = self.slots(element for element, model in models if model in ("dimm", "nvdimm"))
        taken = set(aliases.values())
        counters: dict[str, Iterator[int]] = {}
        for element, model in models:
            # libvirt names a DIMM by its slot, and the others by the first number that is free
            if element not in aliases:
                prefix = model.replace("-", "")
                numbers = iter((slots[element],)) if element in slots else counters.setdefault(prefix, count())
                name = next((name for n in numbers if (name := f"{prefix}{n}") not in taken), f"{prefix}-twice")
                aliases[element] = name
        return tuple(
            self.virtio_mem(element, aliases[element])
            if model == "virtio-mem"
            else self.other_memory(element, model, aliases[element], slots.get(element))
            for element, model in models
        )

    def slots(self, dimms: Iterable[Element]) -> dict[Element, int]:
        """The slot of each DIMM: as its address says, else the first that is free."""
        slots: dict[Element, int] = {}
        for element in dimms:
            found = _attribute(element, "address", "slot")
            given = None if found is None else self.quiet().uint(found[0], "", found[1], limit=UINT_MAX, base=0)
            slots[element] = given if given is not None else -1
        taken = set(slots.values())
        free = (slot for slot in count() if slot not in taken)
        return {element: slot if slot >= 0 else next(free) for element, slot in slots.items()}

    def other_memory(self, element: Element, model: str, alias: str, slot: int | None) -> OtherMemory:
        """A memory device of another model; `rules` judges it no further than virtio-mem depends on it."""
        quiet = self.quiet()
        source, target = self.first(element, "source"), self.first(element, "target")
        address = self.first(element, "address")
        path = self.first(source, "path")
        node = quiet.node(target)
        base = None if address is None else address.get("base")
        return OtherMemory(
            place=self.place(element),
            places=self.places(element, source, target),
            model=model,
            alias=alias,
            size_given=self.size(target, "size", zero="size-zero"),
            shared=quiet.choice(element, "access", ACCESS),
            discard=quiet.choice(element, "discard", YES_NO),
            nodemask=quiet.nodemask(source),
            pagesize=quiet.size(source, "pagesize"),
            node=node,
            path=None if path is None else _string(path),
            memaddr=quiet.memaddr(target)
            or (address is not None and base and quiet.uint(address, "", base, limit=ULLONG_MAX, base=16))
            or 0,
            slot=slot,
            address=None if address is None else quiet.address(address),
        )

    def model(self, element: Element) -> str:
        """The device's model; one that is a misspelt virtio-mem is read as one, to say all that is wrong with it."""
        model = element.get("model")
        if model not in MODELS:
            seen = "absent" if model is None else quoted(model)
            near = nearest(model or "", MODELS)
            self.say(
                "memory-model",
                element,
                f"<memory model> is {seen}",
                instead(near, MODELS),
                safe(self.place(element), Part.ATTRIBUTE, near, "model") if near else None,
            )
            return "virtio-mem" if near == "virtio-mem" else ""
        return model

    def virtio_mem(self, element: Element, alias: str) -> VirtioMem:
        self.look_for_strangers(element, "devices/memory")
        source, target = self.first(element, "source"), self.first(element, "target")
        if target is None:
            self.say(
                "value-missing",
                element,
                "<target> is absent",
                "Write <target> with <size>, <node>, <block> and <requested> in it.",
            )
        address = self.first(element, "address")
        address_type = self.attribute(address, "type")
        if address is not None and not address_type:
            self.say("value-missing", address, "<address type> is absent", "Write type='pci', or 'ccw' on s390x.")
        return VirtioMem(
            place=self.place(element),
            places=self.places(element, source, target),
            alias=alias,
            shared=self.choice(element, "access", ACCESS),
            discard=self.choice(element, "discard", YES_NO),
            nodemask=self.nodemask(source),
            pagesize=self.size(source, "pagesize"),
            size_given=self.size(target, "size", zero="size-zero", step=DEVICE_STEP),
            node=self.node(target),
            block=self.size(target, "block", zero="value-missing"),
            requested=self.size(target, "requested"),
            memaddr=self.memaddr(target),
            dynamic_memslots=self.choice(target, "dynamicMemslots", YES_NO),
            driver=self.driver(self.first(element, "driver")),
            address_type=address_type,
            address=None if address is None else self.quiet().address(address),
        )

    def places(self, element: Element, source: Element | None, target: Element | None) -> dict[str, int]:
        """The place of each element of the device; <target>'s <address> goes by QEMU's name, memaddr."""
        places: dict[str, int] = {}
        homes = (("devices/memory", element), ("devices/memory/source", source), ("devices/memory/target", target))
        for path, parent in homes:
            for child in () if parent is None else _children(parent):
                if _tag(child) not in _KNOWN[path][1]:
                    continue  # in the wrong place, so that it says nothing
                name = "memaddr" if parent is target and child.tag == "address" else _tag(child)
                places.setdefault(name, self.place(child))
        return places

    def nodemask(self, source: Element | None) -> tuple[int, ...] | None:
        element = self.first(source, "nodemask")
        if element is None or not (text := _string(element)):
            return None
        return self.nodes(element, "<nodemask>", text)

    def node(self, target: Element | None) -> int | None:
        element = self.first(target, "node")
        if element is None or not (text := _string(element)):
            return None
        # libvirt's number has a sign here, so that -0 is 0
        minus = text.lstrip().startswith("-") and not text.lstrip()[1:].strip("0")
        value = self.uint(element, "<node>", text.replace("-", "+") if minus else text, limit=INT_MAX)
        # -1 stands for "given, but unreadable": `rules` has nothing to add to it
        return -1 if value is None else value

    def memaddr(self, target: Element | None) -> int:
        element = self.first(target, "address")
        if element is None or (text := element.get("base")) is None:
            return 0
        return self.uint(element, "<address base>", text, limit=ULLONG_MAX, base=16) or 0

    def driver(self, element: Element | None) -> dict[str, bool]:
        values = ((name, self.choice(element, name, ON_OFF)) for name in DRIVER_OPTIONS)
        return {name: value for name, value in values if value is not None}

    # The domain's memory

    def cells(self, root: Element) -> tuple[NumaCell, ...]:
        numas = [numa for cpu in root.iterfind("cpu") for numa in cpu.findall("numa")[:1]]
        for numa in numas:
            self.look_for_strangers(numa, "cpu/numa")
        cells = []
        elements = [cell for numa in numas for cell in numa.iterfind("cell")]
        if len(elements) > MOST_NODES:
            self.say(
                "nodes-too-many",
                elements[MOST_NODES],
                f"there are {len(elements)} <cell>s, and QEMU's limit is {MOST_NODES}",
                "Write fewer.",
            )
        for index, element in enumerate(elements[:MOST_NODES]):
            text = element.get("id")
            cell_id = index if text is None else self.uint(element, "<cell id>", text, limit=UINT_MAX)
            cpus = element.get("cpus")
            memory = element.get("memory")
            if memory is None:
                self.say("value-missing", element, "<cell memory> is absent", "Write memory='…' unit='KiB'.")
            cells.append(
                NumaCell(
                    place=self.place(element),
                    id=index if cell_id is None else cell_id,
                    cpus=() if cpus is None else self.bitmap(element, "<cell cpus>", cpus, empty=True) or (),
                    memory_given=0
                    if memory is None
                    else self.scaled(element, "<cell memory>", memory, element.get("unit"), step=MIB, zero="cell-zero"),
                    shared=self.choice(element, "memAccess", ACCESS),
                    discard=self.choice(element, "discard", YES_NO),
                    distances=self.distances(element),
                )
            )
        if numas and not cells:
            self.say("value-missing", numas[0], "<numa> has no <cell>", "Write a <cell>, or remove <numa>.")
        return tuple(sorted(cells, key=lambda cell: cell.id))

    def distances(self, cell: Element) -> dict[int, int]:
        """The cell's distances to others, by their ids."""
        siblings = cell.findall("distances/sibling")
        pairs = [
            [
                self.uint(sibling, f"<sibling {name}>", sibling.get(name, ""), limit=limit)
                for name, limit in (("id", NODES), ("value", 255))
            ]
            for sibling in siblings
        ]
        return {cell_id: value for cell_id, value in pairs if cell_id is not None and value is not None}

    def backing(self, root: Element) -> MemoryBacking:
        """<memoryBacking>, of which libvirt puts several together."""
        threads = _attribute(root, "memoryBacking/allocation", "threads")
        locked = root.find("memoryBacking/locked")
        sources, allocations = ("file", "anonymous", "memfd"), ("immediate", "ondemand")
        return MemoryBacking(
            hugepages=self.hugepages(root),
            source=self.chosen(root, "memoryBacking/source", "type", {name: name for name in sources}),
            shared=self.chosen(root, "memoryBacking/access", "mode", ACCESS),
            discard=True if root.find("memoryBacking/discard") is not None else None,
            allocation=self.chosen(root, "memoryBacking/allocation", "mode", {name: name for name in allocations}),
            threads=(threads and self.uint(threads[0], "<allocation threads>", threads[1], limit=UINT_MAX)) or 0,
            locked=None if locked is None else self.place(locked),
        )

    def hugepages(self, root: Element) -> tuple[HugePage, ...]:
        element = root.find("memoryBacking/hugepages")
        if element is None:
            return ()
        # More than one for each node and one for the rest overlap, which the first of them show
        pages = root.findall("memoryBacking/hugepages/page")[: MOST_NODES + 2]
        if not pages:
            return (HugePage(place=self.place(element), size=0, nodeset=None),)
        return tuple(
            HugePage(place=self.place(page), size=size, nodeset=self.nodeset(page))
            for page in pages
            if (size := self.page_size(page))
        )

    def page_size(self, page: Element) -> int:
        text = page.get("size")
        if text is None:
            self.say("value-missing", page, "<page size> is absent", "Write size='2048' unit='KiB'.")
            return 0
        return self.scaled(page, "<page size>", text, page.get("unit"), zero="value-missing")

    def say_auto(self, element: Element, label: str) -> None:
        self.say(
            "numatune-auto",
            element,
            f"{label} is 'auto', and only numad on the host can say which nodes that means",
            "Write <numatune><memory nodeset='…'/></numatune>.",
        )

    def numatune(self, root: Element) -> NumaTune:
        element = self.first(root, "numatune")
        memory = self.first(element, "memory")
        nodeset: tuple[int, ...] | None = None
        if memory is not None:
            placements = ("default", "static", "auto")
            placement = self.choice(memory, "placement", {name: name for name in placements})
            vcpu = self.attribute(root.find("vcpu"), "placement")
            if placement == "auto" or (vcpu == "auto" and placement is None and memory.get("nodeset") is None):
                self.say_auto(memory, "<numatune><memory placement>")
            elif memory.get("nodeset") is not None:
                nodeset = self.nodeset(memory)
            elif memory.get("mode") is not None or placement is not None:
                self.say("value-missing", memory, "<numatune><memory nodeset> is absent", "Write nodeset='0', say.")
        return NumaTune(
            place=0 if element is None else self.place(memory if memory is not None else element),
            mode=self.mode(memory),
            nodeset=nodeset,
            memnodes=tuple(self.memnodes(element)),
        )

    def mode(self, element: Element | None) -> MemoryMode:
        modes: dict[str, MemoryMode] = {mode: mode for mode in get_args(MemoryMode)}
        return self.choice(element, "mode", modes) or "strict"

    def memnodes(self, numatune: Element | None) -> Iterator[MemNode]:
        # More than one for each node overlap, which the first of them show
        for element in () if numatune is None else numatune.findall("memnode")[: MOST_NODES + 1]:
            text = element.get("cellid")
            if text is None or element.get("nodeset") is None:
                self.say(
                    "value-missing",
                    element,
                    f"<memnode {'cellid' if text is None else 'nodeset'}> is absent",
                    "Write <memnode cellid='0' mode='strict' nodeset='0'/>.",
                )
                continue
            cellid = self.uint(element, "<memnode cellid>", text, limit=UINT_MAX)
            nodeset = self.nodeset(element)
            if cellid is not None:
                yield MemNode(place=self.place(element), cellid=cellid, mode=self.mode(element), nodeset=nodeset)
