"""Workflow commands of GitHub Actions, which shows them at the lines of a pull request: an annotation a line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from virtmem_cli.findings import Severity
from virtmem_cli.report.words import Failure, sentence
from virtmem_cli.text import STDIN_NAME, printable
from virtmem_cli.told import Reported

if TYPE_CHECKING:
    from virtmem_cli.judgement import Judgement

between = ""
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}


def begin() -> str:
    """Nothing: each annotation stands by itself."""
    return ""


def judgement(judgement: "Judgement") -> str:
    """An annotation a finding."""
    return "".join([_annotation(finding, judgement.name) for finding in judgement.findings])


def end(failures: Sequence[Failure]) -> str:
    """An annotation for each file that could not be read."""
    return "".join([f"::error {_file(failure.name)}::{_escaped(failure.words)}\n" for failure in failures])


def _file(name: str) -> str:
    """The property that names the file; standard input is none that could be shown."""
    return "" if name == STDIN_NAME else f"file={_escaped(name, ':,')}"


def _annotation(finding: Reported, name: str) -> str:
    location = finding.location
    properties: dict[str, object] = {"line": location.line, "endLine": location.end_line}
    if location.end_line == location.line and location.end_column > location.column:
        properties |= {"col": location.column, "endColumn": location.end_column}
    properties["title"] = f"virtmem {finding.rule}"
    escaped = [f"{key}={_escaped(str(value), ':,')}" for key, value in properties.items()]
    if file := _file(name):
        escaped.insert(0, file)
    return f"::{_LEVELS[finding.severity]} {','.join(escaped)}::{_escaped(sentence(finding))}\n"


def _escaped(words: str, more: str = "") -> str:
    """As GitHub's own toolkit escapes the data of a command, and with more the value of a property.

    A `##[` is broken, where a runner that knows no `::notice` would look for a command.
    """
    shown = words.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    text = "".join(c if c in "\r\n" else printable(c) for c in shown).replace("##[", "\\u0023#[")
    return "".join(f"%{ord(c):02X}" if c in f"%\r\n{more}" else c for c in text)
