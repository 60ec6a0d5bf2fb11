"""Comments in the XML that silence a rule: <!-- virtmem: ignore=RULE,RULE --> directly before an element.

Takes the tree, gives what such comments say and of which elements: the one that follows, with all that is in it. Knows
no rules: what is none of them is found out where findings are told.
"""

import re
from typing import NamedTuple

from lxml import etree

# Comments of a domain that are read, characters of each, and names in all of them. What is not read silences nothing.
MOST_COMMENTS = 1000
LONGEST_COMMENT = 10_000
MOST_NAMES = 10_000
FORM = "<!-- virtmem: ignore=RULE -->"


class Suppression(NamedTuple):
    """What one comment says: the names in it are silent from the element `first` to the element `last`.

    `last` is None where nothing follows. What is not of FORM is one name that nobody has, `understood` False.
    """

    first: etree._Element
    last: etree._Element | None
    names: tuple[str, ...]
    understood: bool


def suppressions(root: etree._Element) -> list[Suppression]:
    """The suppressions of a document, in its order."""
    found: list[Suppression] = []
    waiting: list[etree._Element] = []  # comments behind which no element has come yet
    element = root
    names = MOST_NAMES

    def take(last: etree._Element | None) -> None:
        nonlocal names
        for comment in waiting:
            its_last = last if comment.getparent() is element.getparent() else None
            found.append(_suppression(comment, element, its_last, names))
            names -= len(found[-1].names)
        waiting.clear()

    for node in (*_before(root), *root.iter(etree.Comment, etree.Element)):
        if isinstance(node, etree._Comment):
            if len(found) + len(waiting) < MOST_COMMENTS and re.match(r"\s*virtmem:", node.text or ""):
                waiting.append(node)
            continue
        element = node
        if waiting:
            take(_last_within(element))
    take(None)
    return found


def _suppression(comment: etree._Element, first: etree._Element, last: etree._Element | None, most: int) -> Suppression:
    text = (comment.text or "")[:LONGEST_COMMENT]
    match = re.fullmatch(r"\s*virtmem:\s*ignore\s*=(.*)", text, re.DOTALL)
    names = match[1].split(",", most)[:most] if match else [text.strip()]
    return Suppression(first, last, tuple(dict.fromkeys([name.strip() for name in names])), match is not None)


def _before(root: etree._Element) -> list[etree._Element]:
    """The comments before <domain>."""
    return list(root.itersiblings(etree.Comment, preceding=True))[::-1]


def _last_within(element: etree._Element) -> etree._Element:
    """The last element, in document order, that is in the element; itself where it has none."""
    while (child := next(element.iterchildren(etree.Element, reversed=True), None)) is not None:
        element = child
    return element
