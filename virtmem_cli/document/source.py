"""The bytes of a domain as a person sees them: where in them each element is, in lines and columns.

Takes the bytes and the tree that `tree` made of them; the tree says what is there, this where. To the outside an
element goes by its number in document order, <domain> being 0. Reads the text once more, by itself, since libxml2 keeps
no more than the line on which a start tag ends.
"""

import re
from bisect import bisect_right
from typing import NamedTuple

from lxml import etree

from virtmem_cli.document.encoding import encoding_of

# Each alternative takes all that it has looked at, to the end of the text where nothing closes it, so that whatever
# the text is, nothing is looked at twice.
_MARKUP = (
    r"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)"
    r"""|<(?P<close>/)?[^\s/>]++(?:[^>"']++|"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))*+(?:>|\Z)"""
)


class Location(NamedTuple):
    """A stretch of the input, the end not part of it: lines and columns from 1, columns in characters."""

    line: int
    column: int
    end_line: int
    end_column: int


class Tag(NamedTuple):
    """An element in the text: offsets of its '<', behind its start tag, of its end tag, and behind that.

    An empty element tag has no end tag: the latter three are the same.
    """

    start: int
    content: int
    close: int
    end: int


class Source:
    """The text of a domain, and where its elements are."""

    def __init__(self, data: bytes, root: etree._Element) -> None:
        self.encoding = encoding_of(data)
        self.text = data.decode(self.encoding)
        self.numbers = {element: number for number, element in enumerate(root.iter(etree.Element))}
        self.tags = _tags(self.text)
        if len(self.tags) != len(self.numbers):
            self.tags = []
        first = int(self.text.startswith("\ufeff"))  # a byte order mark is no column
        self.lines = [first, *(match.end() for match in re.finditer("\n", self.text)), len(self.text) + 1]

    def locate(self, element: etree._Element) -> Location:
        """Where an element is: all of it where it fits on a line, else its start tag."""
        if not self.tags:  # not ours to read: the line is libxml2's
            line = min(element.sourceline or 1, len(self.lines) - 1)
            return Location(line, 1, line, self.length(line) + 1)
        tag = self.tags[self.numbers[element]]
        start, end = self._position(tag.start), self._position(tag.end)
        return Location(*start, *(end if end[0] == start[0] else self._position(tag.content)))

    def length(self, line: int) -> int:
        """The characters of a line, which counts from 1, without its end."""
        start, end = self.lines[line - 1], self.lines[line] - 1
        return end - start - self.text.endswith("\r", start, end)

    def piece(self, line: int, first: int, last: int) -> str:
        """The characters of a line from one offset in it to another; nothing else of it is looked at, nor copied."""
        start = self.lines[line - 1]
        return self.text[start + first : start + last]

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1


def _tags(text: str) -> list[Tag]:
    """The elements of well-formed XML, in document order."""
    tags: list[Tag] = []
    opened: list[int] = []
    for match in re.finditer(_MARKUP, text, re.DOTALL):
        if match["close"] and opened:
            place = opened.pop()
            tags[place] = tags[place]._replace(close=match.start(), end=match.end())
        elif text[match.start() + 1] not in "!?":
            if text[match.end() - 2] != "/":
                opened.append(len(tags))
            tags.append(Tag(match.start(), match.end(), match.end(), match.end()))
    return tags
