"""The machine: the domain's name and type, its operating system, CPU and vCPUs, each as it is given.

Takes the elements of <domain> by their names, gives plain values; what cannot be read is said by the reader.
"""

from collections.abc import Mapping

from virtmem_cli.document.value import Element, Value, string
from virtmem_cli.domain import Cpu, Topology
from virtmem_cli.machines import ARCHITECTURES, DOMAIN_TYPES, OTHER
from virtmem_cli.parse.reader import NODES, Reader, attribute, every, first_with
from virtmem_cli.rules import reading
from virtmem_cli.text import LETTERS_AND_DIGITS
from virtmem_cli.units import INT_MAX, UINT_MAX

Top = Mapping[str, list[Element]]

_NAME = LETTERS_AND_DIGITS.union("._+-")
# To -machine and -cpu a question, which QEMU answers with a list and no guest, of each version and architecture; the
# other, '?', is no name as it is
_QUESTION = "help"
_POLICIES = {"force": True, "require": True, "optional": True, "disable": False, "forbid": False}


def emulator(root: Element) -> str | None:
    """The path of the domain's QEMU, or None where it names none."""
    element = next(iter(every(root.iterchildren("devices"), "emulator")), None)
    return None if element is None else string(element) or None


def name(reader: Reader, root: Element, top: Top) -> str:
    """The domain's name."""
    element = next(iter(top.get("name", ())), None)
    text = "" if element is None else string(element)
    if element is None or not text:
        place = root if element is None else element
        reader.say(reading.value_missing, place, "<name>", "<name>…</name>", "is absent or empty")
    elif "/" in text or "\n" in text:
        reader.say(reading.name_invalid, Value(element))
    return text


def domain_id(reader: Reader, root: Element) -> int:
    """The id of a running domain; -1 of another."""
    if root.get("id") in (None, "-1"):
        return -1
    value = reader.uint(root, "id", limit=INT_MAX)
    return -1 if value is None else value


def domain_type(reader: Reader, root: Element) -> str:
    """What runs the guest: kvm, hvf or QEMU's emulation."""
    kind = root.get("type")
    if kind is None:
        reader.say(reading.value_missing, root, "<domain type>", "type='kvm' or type='qemu'")
    elif kind not in DOMAIN_TYPES:
        reader.say(reading.domain_type, Value(root, "type"))
    return kind or ""


def names_architecture(root: Element) -> bool:
    """Whether the domain says for which architecture it is, so that the host's does not count."""
    return first_with(every(root.iterchildren("os"), "type"), "arch") is not None


def architecture(reader: Reader, root: Element, top: Top, default: str) -> tuple[str, str]:
    """The architecture and the machine type, '' for none; `default` is libvirt's: the host's architecture."""
    types = every(top.get("os", ()), "type")
    text = string(types[0]) if types else ""
    if not text:
        place, state = (types[0], "is empty") if types else (root, "is absent")
        reader.say(reading.value_missing, place, "<os><type>", "<os><type arch='x86_64'>hvm</type></os>", state)
    elif text != "hvm":
        reader.say(reading.value_unknown, Value(types[0], called="<os><type>"), (), "Write 'hvm'.")
    arch = attribute(first_with(types, "arch"), "arch") or default
    machine = first_with(types, "machine")
    if machine is None:
        return arch, ARCHITECTURES.get(arch, OTHER).machine
    return arch, _word(reader, Value(machine, "machine"))


def _word(reader: Reader, value: Value) -> str:
    """A name that goes to QEMU among others, so that one with a comma or the like would say more than a name.

    What asks for the names is none either.
    """
    text = value.text
    if text == _QUESTION:
        reader.say(reading.value_unknown, value, (), "QEMU takes that for a question: write a name that it has.")
    elif not _NAME.issuperset(text):
        reader.say(reading.value_unknown, value, (), "Write a name that QEMU has.")
    return text


def cpu(reader: Reader, top: Top) -> Cpu:
    """<cpu>, of which the first with a part counts for that part."""
    cpus = top.get("cpu", ())
    model = next(iter(every(cpus, "model")), None)
    features = {}
    for element in every(cpus, "feature"):
        feature = _word(reader, Value(element, "name", "<cpu><feature name>"))
        added = _POLICIES.get(element.get("policy", "require"))
        if feature and added is not None:
            features[feature] = added
    return Cpu(
        mode=attribute(next(iter(cpus), None), "mode"),
        model=None if model is None else _word(reader, Value(model, called="<cpu><model>")) or None,
        features=features,
    )


def vcpus(reader: Reader, top: Top) -> tuple[int, int]:
    """How many vCPUs there are, and how many at start."""
    elements = top.get("vcpu", ())
    element = next(iter(elements), None)
    most = 1
    if element is not None:
        if element.get("placement") == "auto" and not every(top.get("numatune", ()), "memory"):
            reader.say(reading.numatune_auto, Value(element, "placement"))
        most = reader.uint(element, limit=NODES) or 0
    current = first_with(elements, "current")
    return most, (0 if current is None else reader.uint(current, "current", limit=UINT_MAX) or 0) or most


def topology(reader: Reader, top: Top) -> Topology | None:
    """How the vCPUs are arranged."""
    element = next(iter(every(top.get("cpu", ()), "topology")), None)
    if element is None:
        return None
    parts = (
        1 if element.get(part) is None else reader.uint(element, part, limit=UINT_MAX) or 1 for part in Topology._fields
    )
    return Topology(*parts)


def launch_security(top: Top) -> str | None:
    """The kind of encryption that the guest is started with."""
    return attribute(next(iter(top.get("launchSecurity", ())), None), "type")
