"""Findings and arguments to text: what a user, a shell or a program reads. Decides nothing.

Every function gives text without colour; how it gets to a terminal is the command's.
"""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence

from virtmem_cli.errors import VirtmemError
from virtmem_cli.findings import Finding
from virtmem_cli.text import Piece, printable


def shell(argv: Sequence[str]) -> str:
    """One option with its value a line, ` \\` between, quoted so that a POSIX shell gives back exactly the argv."""
    lines = (f"{option} {shlex.quote(value)}" for option, value in zip(argv[::2], argv[1::2], strict=True))
    return " \\\n".join(lines) + "\n"


def lines(argv: Sequence[str]) -> str:
    """One argument a line, unquoted, for `xargs -d '\\n'`. Raises VirtmemError for an argument with a line break."""
    for argument in argv:
        if "\n" in argument:
            raise VirtmemError(
                f"an argument holds a line break, which --format lines cannot carry; take json: {printable(argument)}"
            )
    return "".join(f"{argument}\n" for argument in argv)


def as_json(argv: Sequence[str]) -> str:
    """A list of strings, on one line."""
    return json.dumps(list(argv), ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[str]], str]] = {"shell": shell, "lines": lines, "json": as_json}


def diff_line(line: str) -> list[Piece]:
    """A line of a unified diff, in the style of what it does."""
    return [(line, {"+": "added", "-": "removed", "@": "quiet"}.get(line[:1], ""))]


def parts(finding: Finding, name: str) -> list[Piece]:
    """A finding in one line: place, severity, what is wrong, who refuses it, what to write, and the rule."""
    who = finding.rule.refuses.value
    clause = f"; {who}" if who else ""
    severity = finding.rule.severity.value
    return [
        (f"{printable(name)}:{finding.location.line}: ", "place"),
        (f"{severity}: ", severity),
        (f"{finding.message}{clause}. {finding.advice} [{finding.rule.id}]", ""),
    ]
