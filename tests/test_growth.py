"""What each further thing costs that a domain may have many of: as much as those before, by counting, never by a clock.

Calls, those of builtins too, show a search for each thing through all others; lines show one within a function. What
neither shows is a builtin that looks at more each time, such as a slice of a long line: see the excerpts below, and
`test_large_domains`.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import SupportsIndex

import pytest
from judging import check, fix, found
from many_things import THINGS
from test_cost import COUNTERS

from virtmem_cli.conversion import convert
from virtmem_cli.errors import VirtmemError
from virtmem_cli.report.text import lines
from virtmem_cli.target import Target

pytestmark = pytest.mark.long
# Twice as much may cost so many times as much
MOST = 2.2


def _fix(data: bytes) -> str:
    """How it ends: there may be too many of them for all rounds together."""
    try:
        fix(data)
    except VirtmemError as error:
        return re.sub("[0-9]+", "", str(error))
    return ""


WAYS: dict[str, Callable[[bytes], object]] = {
    "convert": lambda data: convert(data, "domain", Target(scope="machine")),
    "check": check,
    "fix": _fix,
}


# So many, and twice as many. More than 255 controllers would be another domain: there are no more buses.
FEW = 100


def growth(thing: str, way: str, unit: str) -> float:
    few, many = (THINGS[thing](number).encode() for number in (FEW, 2 * FEW))
    ends = [WAYS[way](data) for data in (many, few)]  # what is remembered for good is not counted
    assert way != "fix" or ends[0] == ends[1], "what gives up early is cheap"
    return COUNTERS[unit](partial(WAYS[way], many)) / COUNTERS[unit](partial(WAYS[way], few))


# What repairs have nothing to do with costs the same as for `check`.
REPAIRED = [thing for thing in THINGS if any(one.safe is not None for one in found(THINGS[thing](9).encode()))]


@pytest.mark.parametrize(
    ("thing", "way"),
    [*((thing, way) for thing in THINGS for way in ("convert", "check")), *((thing, "fix") for thing in REPAIRED)],
)
def test_twice_as_much_costs_twice_as_much(thing: str, way: str) -> None:
    assert growth(thing, way, "calls") <= MOST


@pytest.mark.parametrize("thing", THINGS)
def test_no_line_is_gone_through_more_often(thing: str) -> None:
    assert growth(thing, "check", "lines") <= MOST


class Text(str):
    """A text that counts the characters that are copied of it."""

    __slots__ = ("copied",)
    copied: int

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        piece = super().__getitem__(key)
        self.copied += len(piece)
        return piece


@pytest.mark.parametrize(
    "thing", ["devices, bad blocks, in one line", "devices, all wrong, in one line", "a long line"]
)
def test_an_excerpt_copies_what_it_shows(thing: str) -> None:
    """However long the line is that it is taken from."""
    judgement = check(THINGS[thing](FEW).encode())
    assert judgement.source is not None
    judgement.source.text = text = Text(judgement.source.text)
    text.copied = 0
    assert len(lines(judgement)) == 4 * len(judgement.findings) > 100
    assert text.copied <= 100 * len(judgement.findings)
    assert max(map(len, text.split("\n"))) > 1000
