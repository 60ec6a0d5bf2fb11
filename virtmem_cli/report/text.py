"""Text for people: for each finding the place and what is wrong, the source with its carets, and what to write."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from virtmem_cli.document.source import Source
from virtmem_cli.findings import Severity
from virtmem_cli.report.words import WHO, message
from virtmem_cli.text import Piece, printable
from virtmem_cli.told import Reported

if TYPE_CHECKING:
    from virtmem_cli.judgement import Judgement

# Columns of source that are shown of a long line, and how many of them before what is marked.
_WIDTH, _BEFORE = 100, 20


def lines(judgement: "Judgement") -> list[list[Piece]]:
    """The lines for one input."""
    return [line for finding in judgement.findings for line in _lines(finding, judgement)]


def _lines(finding: Reported, judgement: "Judgement") -> list[list[Piece]]:
    severity = finding.severity.value
    number = str(finding.location.line)
    margin = " " * (len(number) + 2)
    shown: list[list[Piece]] = [
        [
            (f"{judgement.name}:{number}: ", "place"),
            (f"{severity}: ", severity),
            (f"{message(finding)} ", ""),
            (f"[{finding.rule}]", "quiet"),
        ]
    ]
    if judgement.source is not None:
        before, marked, after = excerpt(judgement.source, finding)
        indent = " " * sum(map(_wide, before))
        shown.append([(f" {number} | ", "quiet"), (before, ""), (marked, "mark"), (after, "")])
        shown.append([(f"{margin}| ", "quiet"), (indent, ""), ("^" * max(1, sum(map(_wide, marked))), severity)])
    return [*shown, [(f"{margin}= ", "quiet"), (f"{WHO[finding.refuses]}: {finding.advice}", "")]]


def _wide(character: str) -> int:
    """The columns that a terminal gives a character."""
    if character.isascii():
        return 1
    from unicodedata import category, east_asian_width  # only text beyond ASCII needs it

    return 0 if category(character) in ("Mn", "Me") else 2 if east_asian_width(character) in "WF" else 1


def excerpt(source: Source, finding: Reported) -> tuple[str, str, str]:
    """The source line of a finding in three parts: before the element, the element, after it. Cut where it is long."""
    line, column, end_line, end_column = finding.location
    length, start = source.length(line), column - 1
    end = end_column - 1 if end_line == line else length
    first = max(0, start - _BEFORE) if length > _WIDTH else 0
    last = length if length - first <= _WIDTH else first + _WIDTH
    before, marked, after = (
        printable(source.piece(line, *part).replace("\t", " "))
        for part in ((first, start), (start, min(end, last)), (min(end, last), last))
    )
    return ("…" if first else "") + before, marked, after + ("…" if last < length else "")


def counts(numbers: Mapping[str, int]) -> str:
    """How many findings of each severity, in words."""
    names = {Severity.ERROR: ("error", "errors"), Severity.WARNING: ("warning", "warnings")}
    advice = ("piece of advice", "pieces of advice")
    words = [f"{n} {names.get(one, advice)[n != 1]}" for one in Severity if (n := numbers.get(one.value, 0))]
    return ", ".join(words) or "nothing found"
