"""A text in the document: an element's own or an attribute's, which knows what it is called and where it stands.

Takes an element of the tree; gives text, label and the repair that rewrites just this text.
"""

from typing import cast

from lxml import etree

from virtmem_cli.findings import Edit, Part, Repair, repair
from virtmem_cli.text import quoted

Element = etree._Element


def string(element: Element) -> str:
    """XPath's string(): all text below the element, comments left out, as libvirt reads it."""
    return (element.text or "") if len(element) == 0 else cast(str, element.xpath("string()"))


def unit_of(element: Element) -> str | None:
    """The unit of a size that is an element's text: its own, else that of a later one, as libvirt's XPath has it.

    None for none; then the number is in KiB.
    """
    for one in (element, *element.itersiblings(str(element.tag))):
        if (unit := one.get("unit")) is not None:
            return unit or None
    return None


class Value:
    """The text of an element or, with its name, of an attribute; `called` is the label where it needs another."""

    __slots__ = ("attribute", "called", "element")

    def __init__(self, element: Element, attribute: str = "", called: str = "") -> None:
        self.element, self.attribute, self.called = element, attribute, called

    @property
    def text(self) -> str:
        """The text; '' where the attribute is absent."""
        return self.element.get(self.attribute, "") if self.attribute else string(self.element)

    @property
    def label(self) -> str:
        """What messages call it: the element, and the attribute, as the XML spells them."""
        name = f" {self.attribute}" if self.attribute else ""
        return self.called or quoted(f"<{self.element.tag!s}{name}>")[1:-1]

    def rewritten(self, new: str, unit: str | None = None) -> Repair | None:
        """The repair that gives it another spelling, and the attribute 'unit' beside it another unit, where given.

        None where it cannot be made.
        """
        edits = [Edit(self.element, Part.ATTRIBUTE if self.attribute else Part.TEXT, new, self.attribute)]
        if unit is not None and unit != self.element.get("unit"):
            edits.append(Edit(self.element, Part.ATTRIBUTE, unit, "unit"))
        return repair(*edits, safe=True)
