"""Repairs to text: the XML with some places changed, and every other character as it was.

Takes a Source and Repairs, gives the new text, and tells of its elements which they were before. A repair is made whole
or not at all; of two that touch the same element, or its attributes, the first is made, and the other has to come again
for the new text. What cannot be done without touching something else, such as the text of an element that has elements
in it, is left alone. `kept` looks whether a repair has changed what it does not name.
"""

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from lxml import etree

from virtmem_cli.document.source import Source, Tag
from virtmem_cli.document.value import string, unit_of
from virtmem_cli.findings import Edit, Part, Repair
from virtmem_cli.units import UNITS, human, parse_scaled

# Possessive, so that nothing is tried twice.
_ATTRIBUTE = r"""(\s++)([^\s=/>]++)(\s*+=\s*+)("[^"]*+"|'[^']*+')"""
_NAME = r"<([^\s/>]++)"
# The content of an element: text, in CDATA or not, what is none, and a '<' that begins another element. Nothing is
# looked at twice here either: what is not closed goes to the end.
_CONTENT = r"(?P<text><!\[CDATA\[.*?(?:\]\]>|\Z)|[^<]+)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<"


class Change(NamedTuple):
    """A stretch of the text, by offsets, and what comes in its place."""

    start: int
    end: int
    text: str


class Repaired(NamedTuple):
    """The text with repairs made, and which; `origins` are the numbers that its elements had, None for a new one."""

    text: str
    made: tuple[Repair, ...]
    origins: tuple[int | None, ...]


def repaired(source: Source, repairs: Iterable[Repair]) -> Repaired:
    """The text with the repairs made that go together."""
    changes: list[Change] = []  # in order
    made: list[Repair] = []
    taken: set[etree._Element] = set()
    for repair in dict.fromkeys(repairs):
        elements = {edit.element for edit in repair.edits}
        wanted: list[Change] = []
        for edit in repair.edits:
            step = list(_changes(source, edit)) if taken.isdisjoint(elements) else []
            if not step:
                break
            wanted += step
        else:
            if not any(_touches(change, changes) for change in wanted):
                for change in wanted:
                    insort(changes, change)
                made.append(repair)
                taken |= elements
    pieces, end = [], 0
    for change in changes:
        pieces += [source.text[end : change.start], change.text]
        end = change.end
    return Repaired("".join((*pieces, source.text[end:])), tuple(made), tuple(_origins(source, made)))


def _origins(source: Source, made: Iterable[Repair]) -> Iterator[int | None]:
    """For each element of the text that comes of it, the number that it has in the source."""
    numbers = source.numbers
    gone: set[int] = set()
    added: dict[int, int] = {}  # the number of the element that comes after it -> how many
    for edit in (edit for repair in made for edit in repair.edits):
        number = numbers[edit.element]
        if edit.part not in (Part.REMOVE, Part.BEFORE, Part.INSIDE):
            continue
        behind = number + (0 if edit.part is Part.BEFORE else sum(1 for _ in edit.element.iter(etree.Element)))
        if edit.part is Part.REMOVE:
            gone.update(range(number, behind))
        else:
            added[behind] = added.get(behind, 0) + len(re.findall("<[^/]", edit.value))
    for number in range(len(numbers) + 1):
        yield from [None] * added.get(number, 0)
        if number < len(numbers) and number not in gone:
            yield number


def kept(old: Sequence[etree._Element], new: Sequence[etree._Element], its: Repaired) -> etree._Element | None:
    """The first element, of either, that a repair has changed and does not name; None where there is none.

    `old` and `new` are all elements before and after. White space counts nowhere.
    """
    named: dict[etree._Element, set[str]] = {}
    sizes: dict[etree._Element, Edit] = {}
    for edit in (edit for repair in its.made for edit in repair.edits):
        named.setdefault(edit.element, set()).update(_names(edit))
        if edit.part is Part.SIZE:
            sizes[edit.element] = edit
    if len(new) != len(its.origins):
        return new[0]
    for element, origin in zip(new, its.origins, strict=True):
        if origin is None:
            continue
        if old[origin] in sizes and not _says(element, sizes[old[origin]]):
            return element
        before, after = _values(old[origin]), _values(element)
        may_change = named.get(old[origin], ())
        if any(name not in may_change for name, _ in before.items() ^ after.items()):
            return element
    return None


def _says(element: etree._Element, edit: Edit) -> bool:
    """Whether the element, as libvirt reads it, says the size that was to be written."""
    if edit.name:
        return parse_scaled(element.get(edit.name, ""), element.get("unit")) == int(edit.value)
    return parse_scaled(string(element), unit_of(element)) == int(edit.value)


def _names(edit: Edit) -> Iterator[str]:
    """What of its element an edit may change, by the names of _values."""
    if edit.part in (Part.TEXT, Part.SIZE):
        yield edit.name
    if edit.part in (Part.ATTRIBUTE, Part.ATTRIBUTE_NAME):
        yield edit.name
    if edit.part is Part.ATTRIBUTE_NAME:
        yield edit.value
    if edit.part is Part.SIZE:
        yield "unit"
    if edit.part is Part.TAG:
        yield "<"


def _values(element: etree._Element) -> dict[str, str]:
    """What an element says: its name as '<', its own text as '', and its attributes by their names."""
    pieces = (element.text, *(child.tail for child in element))
    return {"<": str(element.tag), "": " ".join(" ".join(filter(None, pieces)).split()), **element.attrib}


def _touches(change: Change, changes: list[Change]) -> bool:
    """Whether one of the changes, which are in order and touch nowhere, touches this one."""
    position = bisect_left(changes, change)
    neighbours = changes[max(0, position - 1) : position + 1]
    return any(change.start <= other.end and other.start <= change.end for other in neighbours)


def _changes(source: Source, edit: Edit) -> Iterator[Change]:
    """What one edit changes; nothing where it cannot be done."""
    if not source.tags:
        return
    text, tag = source.text, source.tags[source.numbers[edit.element]]
    if edit.part is Part.TEXT:
        yield from _text(text, tag, edit.value)
    elif edit.part is Part.ATTRIBUTE:
        yield _attribute(text, tag, edit.name, edit.value)
    elif edit.part is Part.ATTRIBUTE_NAME:
        yield from (Change(m.start(2), m.end(2), edit.value) for m in _attributes(text, tag) if m[2] == edit.name)
    elif edit.part is Part.SIZE:
        yield from _size(text, tag, edit)
    elif edit.part is Part.TAG:
        old = _tag_name(text, tag)
        yield Change(tag.start + 1, tag.start + 1 + len(old), edit.value)
        if tag.close < tag.end:
            yield Change(tag.close + 2, tag.close + 2 + len(old), edit.value)
    elif edit.part is Part.BEFORE:
        start = _with_comments(text, tag, edit.element)
        yield Change(start, start, edit.value + _indent(text, start))
    elif edit.part is Part.INSIDE:
        yield from _inside(text, tag, edit.value)
    else:
        yield _removal(text, tag)


def _tag_name(text: str, tag: Tag) -> str:
    match = re.compile(_NAME).match(text, tag.start)
    assert match is not None
    return match[1]


def _attributes(text: str, tag: Tag) -> Iterator[re.Match[str]]:
    """The attributes of a start tag, their offsets those of the text."""
    pattern, position = re.compile(_ATTRIBUTE), tag.start + 1 + len(_tag_name(text, tag))
    while match := pattern.match(text, position, tag.content):
        yield match
        position = match.end()


def _attribute(text: str, tag: Tag, name: str, value: str) -> Change:
    """The attribute with this value: in the quotes that it has, or added in those of its neighbour."""
    value = value.replace("&", "&amp;").replace("<", "&lt;")
    quote = "'"
    end = tag.start + 1 + len(_tag_name(text, tag))
    for match in _attributes(text, tag):
        quote, end = match[4][0], match.end()
        if match[2] == name:
            return Change(match.start(4) + 1, match.end(4) - 1, value.replace(quote, f"&#{ord(quote)};"))
    return Change(end, end, f" {name}={quote}{value.replace(quote, f'&#{ord(quote)};')}{quote}")


def _text(text: str, tag: Tag, value: str) -> Iterator[Change]:
    """The element's text, whether in CDATA or not; comments in it stay."""
    value = value.replace("&", "&amp;").replace("<", "&lt;")
    if tag.content == tag.end:  # an empty element tag
        yield Change(tag.end - 2, tag.end, f">{value}</{_tag_name(text, tag)}>")
        return
    pieces = list(re.finditer(_CONTENT, text[tag.content : tag.close], re.DOTALL))
    if any(piece[0] == "<" for piece in pieces):
        return  # other elements in it
    pieces = [piece for piece in pieces if piece["text"] is not None and piece[0].strip()]
    if not pieces:
        yield Change(tag.content, tag.content, value)
    for piece in pieces:
        yield Change(tag.content + piece.start(), tag.content + piece.end(), value)
        value = ""


def _size(text: str, tag: Tag, edit: Edit) -> Iterator[Change]:
    """The text, or an attribute, as a size: in the unit that is there if that divides it, else in one that does."""
    size = int(edit.value)
    own = next((m[4][1:-1] for m in _attributes(text, tag) if m[2] == "unit"), None)
    factor = UNITS.get((own or "KiB").lower(), 0)
    lent = not own and not edit.name and unit_of(edit.element)  # by a later element
    if factor and size % factor == 0 and not lent:
        number, unit = str(size // factor), None
    else:
        number, unit = human(size).split()
    changes = [_attribute(text, tag, edit.name, number)] if edit.name else list(_text(text, tag, number))
    if changes and unit:
        changes.append(_attribute(text, tag, "unit", unit))
    yield from changes


def _with_comments(text: str, tag: Tag, element: etree._Element) -> int:
    """Where an element begins with the comments before it that silence a rule there."""
    first = start = tag.start
    before = element.getprevious()
    while isinstance(before, etree._Comment):
        start = text.rindex("<!--", 0, start)
        if (before.text or "").lstrip().startswith("virtmem:"):
            first = start
        before = before.getprevious()
    return first


def _indent(text: str, start: int) -> str:
    """The line break and white space before an offset; nothing where something else stands before it on its line."""
    match = re.search(r"\r?\n[ \t]*\Z", text[max(0, start - 1000) : start])
    return match[0] if match else ""


def _inside(text: str, tag: Tag, value: str) -> Iterator[Change]:
    """A last child, on a line of its own where the others are."""
    if tag.content == tag.end:  # an empty element tag
        yield Change(tag.end - 2, tag.end, f">{value}</{_tag_name(text, tag)}>")
        return
    first = re.match(r"\s*", text[tag.content : tag.close])
    indent = first[0] if first and "\n" in first[0] else ""
    end = tag.content + len(text[tag.content : tag.close].rstrip())
    yield Change(end, end, indent[indent.rfind("\r\n" if "\r\n" in indent else "\n") :] + value if indent else value)


def _removal(text: str, tag: Tag) -> Change:
    """The element, with its line where it is alone on it."""
    indent = _indent(text, tag.start)
    alone = indent and re.match(r"[ \t]*(\r?\n|\Z)", text[tag.end : tag.end + 1000])
    return Change(tag.start - len(indent) if alone else tag.start, tag.end, "")
