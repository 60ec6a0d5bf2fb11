"""A finding in one line: place, severity, what is wrong, who refuses it, what to write, and the rule."""

from virtmem_cli.findings import Refuses
from virtmem_cli.report.words import CLAUSES
from virtmem_cli.text import Piece
from virtmem_cli.told import Reported


def line(finding: Reported, name: str) -> list[Piece]:
    """The line, as pieces with their styles."""
    clause = "" if finding.refuses is Refuses.NOBODY else f"; {CLAUSES[finding.refuses]}"
    severity = finding.severity.value
    return [
        (f"{name}:{finding.location.line}: ", "place"),
        (f"{severity}: ", severity),
        (f"{finding.message}{clause}. {finding.advice} [{finding.rule}]", ""),
    ]
