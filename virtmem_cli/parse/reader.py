"""Elements to values, in the forms that libvirt reads: what cannot be read is said, and is None or 0 from then on.

The reader of all rooms of this folder. It looks at one text at a time and compares nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import ParamSpec, TypeVar

from virtmem_cli.document.value import Element, Value, string, unit_of
from virtmem_cli.findings import Findings, Problem, Rule
from virtmem_cli.rules import reading
from virtmem_cli.units import (
    KIB,
    LARGEST,
    MOST_NUMBERS,
    UINT_MAX,
    NotANumberError,
    TooLargeError,
    UnknownUnitError,
    numbers_of,
    parse_bits,
    parse_scaled,
    parse_uint,
    round_up,
    whole_number,
)

T = TypeVar("T")
P = ParamSpec("P")
# A rule for what is 0
Zero = Rule[[Element, str, str, str], Problem]

# The numbers of nodes and CPUs are below it.
NODES = MOST_NUMBERS
# QEMU's MAX_NODES, of guest and host: node numbers are below it.
MOST_NODES = 128

YES_NO = {"yes": True, "no": False}
ON_OFF = {"on": True, "off": False}
ACCESS = {"shared": True, "private": False}


def children(element: Element) -> Iterator[Element]:
    """The child elements, without comments, processing instructions and other people's namespaces."""
    return element.iterchildren("{}*")


def first(parent: Element | None, tag: str) -> Element | None:
    """The first child of that name, or None."""
    return None if parent is None else next(parent.iterchildren(tag), None)


def firsts(parent: Element | None) -> dict[str, Element]:
    """The first child of each name."""
    if parent is None:
        return {}
    return {str(child.tag): child for child in parent.iterchildren("{}*", reversed=True)}  # so that the first is kept


def every(parents: Iterable[Element], tag: str) -> list[Element]:
    """All children of that name that these elements have."""
    return [child for parent in parents for child in parent.iterchildren(tag)]


def attribute(element: Element | None, name: str) -> str | None:
    """The attribute, or None where it or the element is absent."""
    return None if element is None else element.get(name)


def first_with(elements: Iterable[Element], name: str) -> Element | None:
    """The first of the elements that has the attribute, as XPath's string(path/@name); None where that is ''."""
    for element in elements:
        text = element.get(name)
        if text is not None:
            return element if text else None
    return None


class Reader:
    """Reads texts into values, and says what is wrong with them."""

    def __init__(self, findings: Findings | None) -> None:
        """With None, nothing is said: for what is not ours to judge."""
        self.findings = findings

    def say(self, rule: Rule[P, Problem], *about: P.args, **more: P.kwargs) -> None:
        """Say what a rule finds in something."""
        if self.findings is not None:
            self.findings.say(rule, *about, **more)

    def uint(
        self,
        element: Element,
        name: str = "",
        *,
        limit: int,
        base: int = 10,
        most: int | None = None,
        called: str = "",
    ) -> int | None:
        """The element's text or attribute as a whole number up to `limit`; None after a finding.

        What that advises is at most `most`, where that is less.
        """
        text = element.get(name, "") if name else string(element)
        try:
            return parse_uint(text, limit=limit, base=base)
        except NotANumberError:
            self.say(reading.number_invalid, Value(element, name, called), limit, base=base, most=most)
        except TooLargeError:
            self.say(reading.number_too_large, Value(element, name, called), limit if most is None else most)
        return None

    def numbers(self, element: Element, limits: Mapping[str, int]) -> dict[str, int] | None:
        """The attributes of these names, decimal or 0x…, as numbers of any size; None after a finding."""
        values = {}
        try:
            for name in limits:
                if (text := element.get(name)) is not None:
                    values[name] = whole_number(text, 0) if len(text) < 9 else parse_uint(text, limit=UINT_MAX, base=0)
            return values
        except (NotANumberError, TooLargeError):
            for name, limit in limits.items():
                if element.get(name) is not None:
                    self.uint(element, name, limit=UINT_MAX, base=0, most=limit)
            return None

    def scaled(
        self,
        element: Element,
        name: str,
        unit: str | None,
        *,
        step: int = KIB,
        zero: Zero | None = None,
        binary: bool = False,
    ) -> int:
        """A size in bytes, as written but for the whole KiB that libvirt counts in; 0 after an error.

        `step` is what libvirt rounds it up to afterwards: a finding says so where that changes it. With `zero`, a rule,
        0 is an error too. `binary`: what is advised for it is a power of two.
        """
        text = element.get(name, "") if name else string(element)
        try:
            value = parse_scaled(text, unit)
        except NotANumberError:
            self.say(reading.number_invalid, Value(element, name), unit=unit, binary=binary)
            return 0
        except UnknownUnitError:
            self.say(reading.unit_unknown, Value(element, name), unit or "", binary=binary)
            return 0
        except TooLargeError:
            self.say(reading.number_too_large, Value(element, name), LARGEST, unit=unit or "KiB")
            return 0
        if not value % step and value:
            return value
        if zero and not value:
            self.say(zero, element, Value(element, name).label, "a size", "is 0")
        rounded = round_up(value, step)
        if rounded != value:
            self.say(reading.value_rounded, Value(element, name), value, rounded, step, binary=binary)
        return round_up(value, KIB)

    def size(
        self,
        parent: Element | None,
        tag: str,
        elements: Mapping[str, Element],
        *,
        zero: Zero | None = None,
        step: int = KIB,
        binary: bool = False,
    ) -> int:
        """The size in the parent's child `tag`, of its first `elements`; 0 where it is absent, empty or unreadable.

        With `zero`, a rule, 0 is an error, and so is what is absent or empty; for the others see `scaled`.
        """
        element = elements.get(tag)
        if element is None or not (element.text or string(element)):
            if zero and parent is not None:
                self.say(
                    reading.value_missing,
                    parent if element is None else element,
                    f"<{tag}>",
                    f"<{tag} unit='KiB'>…</{tag}>",
                    "is absent" if element is None else "is empty",
                )
            return 0
        return self.scaled(element, "", unit_of(element), step=step, zero=zero, binary=binary)

    def choice(self, element: Element | None, name: str, values: Mapping[str, T]) -> T | None:
        """The attribute's value by a table; None where it is absent or, after a finding, unknown."""
        text = None if element is None else element.get(name)
        if element is None or text is None:
            return None
        if text not in values:
            self.say(reading.value_unknown, Value(element, name), values)
        return values.get(text)

    def bitmap(self, element: Element, name: str = "", *, empty: bool = False) -> int | None:
        """A list of node or CPU numbers, as bits, which only with `empty` may name none; None after a finding."""
        text = element.get(name, "") if name else string(element)
        try:
            bits = parse_bits(text, size=NODES)
        except (NotANumberError, TooLargeError):
            self.say(reading.nodeset_invalid, Value(element, name), NODES)
            return None
        if not bits and not empty:
            self.say(reading.nodeset_invalid, Value(element, name), NODES, empty=True)
            return None
        return bits

    def nodeset(self, element: Element) -> tuple[int, ...] | None:
        """The attribute 'nodeset', or None where it is absent or unreadable."""
        return None if element.get("nodeset") is None else self.nodes(element, "nodeset")

    def nodes(self, element: Element, name: str = "") -> tuple[int, ...] | None:
        """A list of NUMA nodes, of which QEMU knows MOST_NODES; None after a finding."""
        bits = self.bitmap(element, name)
        if bits is None:
            return None
        if bits >> MOST_NODES:
            last = bits.bit_length() - 1
            self.say(reading.nodes_too_many, element, MOST_NODES, label=Value(element, name).label, last=last)
            return None
        return numbers_of(bits)
