"""What libvirt drops without a word: strangers, and elements and attributes in the wrong place or given twice.

A pass of its own over the tree, which needs no Domain: it says what nobody reads. It looks into what is about memory;
elsewhere libvirt knows far more than is listed here, so that only near misses of what is read are told.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice

from virtmem_cli.document.value import Element, Value
from virtmem_cli.findings import AnyRule, Findings
from virtmem_cli.machines import MEMORY_MODELS, VIRTIO_OPTIONS
from virtmem_cli.parse.reader import children
from virtmem_cli.rules import reading
from virtmem_cli.text import nearest


class Known:
    """What libvirt knows of an element: its attributes and its children; a child of None is not looked into."""

    __slots__ = ("attributes", "children")

    def __init__(self, attributes: tuple[str, ...] = (), children: "Mapping[str, Known | None]" = {}) -> None:  # noqa: B006
        self.attributes, self.children = attributes, children


_SIZE = Known(("unit",))
_ADDRESS = ("type", "domain", "bus", "slot", "function", "multifunction", "cssid", "ssid", "devno")
SOURCE = Known((), {"nodemask": Known(), "pagesize": _SIZE})
TARGET = Known(
    ("dynamicMemslots",),
    {
        "size": _SIZE,
        "node": Known(),
        "block": _SIZE,
        "requested": _SIZE,
        "current": _SIZE,
        "address": Known(("base",)),
    },
)
DEVICE = Known(
    ("model", "access", "discard"),
    {
        "source": SOURCE,
        "target": TARGET,
        "driver": Known(tuple(VIRTIO_OPTIONS)),
        "alias": Known(("name",)),
        "address": Known(_ADDRESS, {"zpci": None}),
        "acpi": None,
    },
)
_BACKING = Known(
    (),
    {
        "hugepages": Known((), {"page": Known(("size", "unit", "nodeset"))}),
        "nosharepages": None,
        "locked": None,
        "source": Known(("type",)),
        "access": Known(("mode",)),
        "allocation": Known(("mode", "threads")),
        "discard": None,
    },
)
_NUMATUNE = Known(
    (), {"memory": Known(("mode", "nodeset", "placement")), "memnode": Known(("cellid", "mode", "nodeset"))}
)
_NUMA = Known(
    (),
    {
        "cell": Known(("id", "cpus", "memory", "unit", "memAccess", "discard"), {"distances": None, "cache": None}),
        "interconnects": None,
    },
)
# The memory elements of <domain>; and those in elements that are not looked into otherwise.
KNOWN: Mapping[str, Known] = {
    "maxMemory": Known(("slots", "unit")),
    "memory": Known(("unit", "dumpCore")),
    "currentMemory": _SIZE,
    "memoryBacking": _BACKING,
    "numatune": _NUMATUNE,
    "cpu/numa": _NUMA,
    "devices/memory": DEVICE,
}
# Elements of <domain> that are read here and that libvirt expects once.
ONCE = ("name", "maxMemory", "memory", "currentMemory", "vcpu", "os", "cpu", "memoryBacking", "numatune")
# Elements that may be given again.
_MAY_REPEAT = ("page", "memnode", "cell", "interconnects", "cache")
# What is read in elements that are not listed above.
_READ_IN = {"cpu": ("numa", "topology"), "devices": ("memory", "controller")}
# Elements of <domain>, <cpu> and <devices> that are common, or near in spelling to those that are read.
_NO_MISTAKES = frozenset(
    (
        *("uuid", "genid", "title", "description", "metadata", "memtune", "vcpus"),
        *("iothreads", "iothreadids", "cputune", "resource", "sysinfo", "bootloader", "idmap"),
        *("features", "clock", "pm", "perf", "on_poweroff", "on_reboot", "on_crash"),
        *("seclabel", "launchSecurity", "keywrap", "blkiotune", "throttlegroups", "model", "vendor"),
        *("cache", "maxphysaddr", "feature", "emulator", "disk", "lease", "filesystem"),
        *("interface", "smartcard", "serial", "parallel", "console", "channel", "input"),
        *("tpm", "graphics", "audio", "sound", "video", "hostdev", "redirdev"),
        *("redirfilter", "hub", "watchdog", "memballoon", "rng", "nvram", "shmem"),
        *("iommu", "vsock", "crypto", "panic", "pstore"),
    )
)


# All that is no mistake: in <domain>, and in elements of it.
_FINE = {tag: _NO_MISTAKES.union(names) for tag, names in ({"": (*ONCE, "devices")} | _READ_IN).items()}


def look(root: Element, virtio_mem: Iterable[Element], findings: Findings) -> None:
    """Say what libvirt would pass over, in the whole domain and in its virtio-mem devices."""
    _Look(findings).domain(root, virtio_mem)


class _Look:
    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def domain(self, root: Element, virtio_mem: Iterable[Element]) -> None:
        say = self.findings.say
        seen: set[str] = set()
        odd: list[Element] = []
        for child in children(root):
            tag = str(child.tag)
            if tag == "memory" and child.get("model") in MEMORY_MODELS:
                say(reading.element_misplaced, child, "<devices>")
                continue
            if tag in seen and tag == "numatune":
                say(reading.numatune_repeated, child)
            elif tag in seen and tag in ONCE:
                say(reading.element_repeated, child, root)
            seen.add(tag)
            if tag in KNOWN:
                self.strangers(child, KNOWN[tag], tag)
            if tag not in _FINE[""]:
                odd.append(child)
            if tag in _READ_IN:
                fine = _FINE[tag]
                if lost := [element for element in children(child) if element.tag not in fine]:
                    self.strange_elements(lost, None, _READ_IN[tag], tag, 0.8)
            if tag == "cpu" and (numa := next(child.iterchildren("numa"), None)) is not None:
                self.strangers(numa, _NUMA, "cpu/numa")
        if odd:
            self.strange_elements(odd, None, (*ONCE, "devices"), "", 0.8)
        for device in virtio_mem:
            self.strangers(device, DEVICE, "devices/memory")

    def strangers(self, element: Element, known: Known, path: str) -> None:
        """Say which elements and attributes libvirt does not know here, and which it reads the first of."""
        strange = [n for n in map(str, element.keys()) if n not in known.attributes and not n.startswith("{")]
        if strange:
            self.strange_attributes(element, strange, known, path)
        seen: set[str] = set()
        lost: list[Element] = []
        for child in children(element):
            tag = str(child.tag)
            if tag not in known.children:
                lost.append(child)
            elif tag in seen and tag not in _MAY_REPEAT:
                self.findings.say(reading.element_repeated, child, element)
            else:
                seen.add(tag)
                if (inner := known.children[tag]) is not None:
                    self.strangers(child, inner, f"{path}/{tag}")
        if lost:
            self.strange_elements(lost, element, known.children, path)

    def strange_attributes(self, element: Element, names: list[str], known: Known, path: str) -> None:
        """Say that the element has no such attributes: another has them, or they are misspelt."""
        near = self.meant(names, known.attributes, reading.attribute_unknown)
        rivals = Counter(near.values())
        for name in names:
            value, meant = Value(element, name), near.get(name)
            home = None if meant else _attribute_home(name, path)
            if home is not None:
                self.findings.say(reading.attribute_misplaced, value, home)
            else:
                self.findings.say(reading.attribute_unknown, value, meant, known.attributes, alone=rivals[meant] == 1)

    def strange_elements(
        self, lost: Iterable[Element], parent: Element | None, names: Iterable[str], path: str, closeness: float = 0.7
    ) -> None:
        """Say that there are no such elements here: they belong elsewhere, or are misspelt.

        Without `parent`, libvirt knows more of them than these names, so that only what is near one is told.
        """
        others = []
        for element in lost:
            if home := _home(str(element.tag), path):
                self.findings.say(reading.element_misplaced, element, home)
            else:
                others.append(element)
        tags = [str(element.tag) for element in others]
        near = self.meant(tags, names, reading.element_unknown, closeness)
        rivals = Counter(near.get(tag) for tag in tags)
        for element, tag in zip(others, tags, strict=True):
            meant = near.get(tag)
            if meant or parent is not None:
                known = () if parent is None else names
                self.findings.say(reading.element_unknown, element, parent, meant, known, alone=rivals[meant] == 1)

    def meant(
        self, names: Iterable[str], known: Iterable[str], rule: AnyRule, closeness: float = 0.7
    ) -> dict[str, str | None]:
        """The known name that each misspelt one seems to mean, of as many as the rule has still room for."""
        return {
            name: nearest(name, known, closeness) for name in islice(dict.fromkeys(names), self.findings.room(rule))
        }


def known_elements() -> Iterator[tuple[str, Known | None]]:
    """All elements that are known, by their paths."""
    for path, known in KNOWN.items():
        yield from _within(path, known)


def _within(path: str, known: Known | None) -> Iterator[tuple[str, Known | None]]:
    yield path, known
    for tag, inner in known.children.items() if known else ():
        yield from _within(f"{path}/{tag}", inner)


@cache
def _attribute_homes(top: str) -> Mapping[str, str]:
    """The attributes that one element alone has, of those known in an element of <domain>, and that element."""
    homes: dict[str, list[str]] = {}
    for path, known in known_elements():
        if known and path.partition("/")[0] == top:
            for name in known.attributes:
                homes.setdefault(name, []).append(path)
    return {name: f"<{paths[0].rpartition('/')[2]}>" for name, paths in homes.items() if len(paths) == 1}


def _attribute_home(name: str, path: str) -> str | None:
    """The element that an attribute belongs to, for one in the wrong place; None for a stranger.

    What many elements have, such as 'unit', belongs to none of them.
    """
    return _attribute_homes(path.partition("/")[0]).get(name)


@cache
def _paths() -> Mapping[str, tuple[str, ...]]:
    """The paths of the elements that are known, by their names."""
    paths: dict[str, list[str]] = {}
    for path, _ in known_elements():
        paths.setdefault(path.rpartition("/")[2], []).append(path)
    return {name: tuple(its) for name, its in paths.items()}


def _home(tag: str, path: str) -> str | None:
    """The element that one in the wrong place belongs to, of several the nearest; None for a stranger."""
    homes = _paths().get(tag)
    if not homes:
        return None
    parts = path.split("/")
    shared = {
        p: next((n for n, (a, b) in enumerate(zip(p.split("/"), parts, strict=False)) if a != b), len(parts))
        for p in homes
    }
    home = max(homes, key=lambda p: shared[p])
    return f"<{home.split('/')[-2] if '/' in home else 'domain'}>"
