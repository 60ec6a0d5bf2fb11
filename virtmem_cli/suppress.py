"""Comments in the XML that silence a rule: <!-- virtmem: ignore=RULE,RULE --> directly before an element.

Takes the tree, gives the suppressions in it; and takes findings, gives those that are left and what is to be said of
the comments themselves. A comment counts for the element that follows it and for all that is in that.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import NamedTuple

from lxml import etree

from virtmem_cli.findings import RULES, Finding, Severity, finding, nearest, quoted

FORM = "<!-- virtmem: ignore=RULE -->"


class Suppression(NamedTuple):
    """What one comment says: `rules` are silent at the places `first` to `last`; `wrong` is what is no rule."""

    first: int
    last: int
    rules: tuple[str, ...]
    wrong: tuple[str, ...]


def suppressions(root: etree._Element) -> list[Suppression]:
    """The suppressions of a document, in its order."""
    comments = [comment for comment in _comments(root) if re.match(r"\s*virtmem:", comment.text or "")]
    if not comments:
        return []
    order: Mapping[etree._Element, int] = {element: n for n, element in enumerate(root.iter(etree.Element))}
    found = []
    for comment in comments:
        match = re.fullmatch(r"\s*virtmem:\s*ignore\s*=(.*)", comment.text or "", re.DOTALL)
        names = [name.strip() for name in match[1].split(",")] if match else [(comment.text or "").strip()]
        follower = next(comment.itersiblings(etree.Element), None)
        parent = comment.getparent()
        if follower is not None:
            first = order[follower]
            last = first + sum(1 for _ in follower.iter(etree.Element)) - 1
        else:
            first, last = order[parent] if parent is not None else 0, -1  # it stands before nothing
        rules = tuple(name for name in names if match and name in RULES)
        found.append(Suppression(first, last, rules, tuple(name for name in names if name not in rules)))
    return found


def _comments(root: etree._Element) -> Iterator[etree._Element]:
    yield from reversed(list(root.itersiblings(etree.Comment, preceding=True)))
    yield from root.iter(etree.Comment)


def suppress(
    findings: Iterable[Finding], comments: Iterable[Suppression], *, guarded: bool, judged: Set[str]
) -> tuple[list[Finding], list[Finding]]:
    """The findings that no comment silences, and findings on the comments.

    With `guarded`, errors cannot be silenced: no arguments are to come of a domain that has one. A comment that
    silences nothing is a finding where its rule is one of those that were `judged`.
    """
    left = list(findings)
    said: list[Finding] = []
    for comment in comments:
        for name in comment.wrong:
            near = nearest(name, RULES)
            said.append(
                finding(
                    "suppression-unknown",
                    comment.first,
                    f"the comment before it names {quoted(name)}, which is no rule",
                    f"Did you mean '{near}'?" if near else f"Write {FORM}; `virtmem explain` lists the rules.",
                )
            )
        for rule in comment.rules:
            hit = [f for f in left if f.rule.id == rule and comment.first <= f.place <= comment.last]
            if not hit and rule in judged:
                said.append(
                    finding(
                        "suppression-unused",
                        comment.first,
                        f"the comment before it ignores {rule}, which finds nothing here",
                        "Remove the comment.",
                    )
                )
            if not guarded or RULES[rule].severity is not Severity.ERROR:
                left = [f for f in left if f not in hit]
    return left, said
