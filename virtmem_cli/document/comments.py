"""Comments in the XML that silence a rule: <!-- virtmem: ignore=RULE,RULE --> directly before an element.

Takes the tree, gives the suppressions in it; and takes findings, gives those that are left and what is to be said of
the comments themselves. A comment counts for the element that follows it and for all that is in that.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Set
from operator import attrgetter
from typing import NamedTuple

from lxml import etree

from virtmem_cli.findings import MOST_FINDINGS, RULES, Finding, Severity, finding, more_findings
from virtmem_cli.text import nearest, quoted

_place = attrgetter("place")
# Comments of a domain that are read, and characters of each.
MOST_COMMENTS = 1000
LONGEST_COMMENT = 10_000
FORM = "<!-- virtmem: ignore=RULE -->"


class Suppression(NamedTuple):
    """What one comment says: `rules` are silent at the places `first` to `last`; `wrong` is what is no rule."""

    first: int
    last: int
    rules: tuple[str, ...]
    wrong: tuple[str, ...]


def suppressions(root: etree._Element) -> list[Suppression]:
    """The suppressions of a document, in its order."""
    found: list[Suppression] = []
    place = -1
    waiting: list[etree._Element] = []  # comments behind which no element has come yet
    order: Mapping[etree._Element, int] = {}
    for node in (*_before(root), *root.iter(etree.Comment, etree.Element)):
        if isinstance(node, etree._Comment):
            if len(found) + len(waiting) < MOST_COMMENTS and re.match(r"\s*virtmem:", node.text or ""):
                waiting.append(node)
            continue
        place += 1
        if waiting:
            order = order or {element: n for n, element in enumerate(root.iter(etree.Element))}
            last = order[_last_within(node)]
            found += [_suppression(c, place, last if c.getparent() is node.getparent() else -1) for c in waiting]
            waiting = []
    return found + [_suppression(comment, place, -1) for comment in waiting]


def _suppression(comment: etree._Element, first: int, last: int) -> Suppression:
    """What a comment says of the places; with a last of -1 it stands before nothing."""
    text = (comment.text or "")[:LONGEST_COMMENT]
    match = re.fullmatch(r"\s*virtmem:\s*ignore\s*=(.*)", text, re.DOTALL)
    names = dict.fromkeys(name.strip() for name in match[1].split(",")) if match else [text.strip()]
    rules = tuple(name for name in names if match and name in RULES)
    return Suppression(first, last, rules, tuple(name for name in names if name not in rules))


def _before(root: etree._Element) -> list[etree._Element]:
    """The comments before <domain>."""
    return list(root.itersiblings(etree.Comment, preceding=True))[::-1]


def _last_within(element: etree._Element) -> etree._Element:
    """The last element, in document order, that is in the element; itself where it has none."""
    while (child := next(element.iterchildren(etree.Element, reversed=True), None)) is not None:
        element = child
    return element


def suppress(
    findings: Iterable[Finding], comments: Iterable[Suppression], *, guarded: bool, judged: Set[str]
) -> tuple[list[Finding], list[Finding]]:
    """The findings that no comment silences, and findings on the comments.

    With `guarded`, errors cannot be silenced: no arguments are to come of a domain that has one. A comment that
    silences nothing is a finding where its rule is one of those that were `judged`.
    """
    findings = list(findings)
    by_rule: dict[str, list[Finding]] = {}
    for one in sorted(findings, key=lambda one: one.place):
        by_rule.setdefault(one.rule.id, []).append(one)
    silenced: set[int] = set()  # by id, since to hash them takes long
    done: set[tuple[str, int, int]] = set()
    said: list[Finding] = []
    for comment in comments:
        for name in comment.wrong:
            near = nearest(name, RULES) if len(said) < MOST_FINDINGS else None
            said.append(
                finding(
                    "suppression-unknown",
                    comment.first,
                    f"the comment before it names {quoted(name)}, which is no rule",
                    f"Did you mean '{near}'?" if near else f"Write {FORM}; `virtmem explain` lists the rules.",
                )
            )
        for rule in comment.rules:
            suspects = by_rule.get(rule, [])
            start = bisect_left(suspects, comment.first, key=_place)
            hit = suspects[start : bisect_right(suspects, comment.last, key=_place)]
            if not hit and rule in judged:
                said.append(
                    finding(
                        "suppression-unused",
                        comment.first,
                        f"the comment before it ignores {rule}, which finds nothing here",
                        "Remove the comment.",
                    )
                )
            extent = (rule, comment.first, comment.last)
            if extent not in done and (not guarded or RULES[rule].severity is not Severity.ERROR):
                silenced.update(map(id, hit))
            done.add(extent)
    if len(said) > MOST_FINDINGS:
        said = [*said[:MOST_FINDINGS], more_findings(said[-1].rule.id, said[MOST_FINDINGS].place)]
    return [one for one in findings if id(one) not in silenced], said
