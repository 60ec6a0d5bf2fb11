"""Judgements to what a person, a program or a CI service reads: text with the source, JSON, SARIF, GitHub annotations.

Takes finished judgements, decides nothing. `text` gives pieces with a style, so that a terminal and a file get the same
words; the other formats are strings. What JSON holds is in docs/check.schema.json.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from virtmem_cli import __version__
from virtmem_cli.convert import Judgement
from virtmem_cli.document.source import Source
from virtmem_cli.findings import RULES, Finding, Refuses, Repair, Severity
from virtmem_cli.text import Piece, printable

if TYPE_CHECKING:  # imported where SARIF is written
    from virtmem_cli.rulebook import Page

WHO: Mapping[Refuses, str] = {
    Refuses.LIBVIRT: "libvirt refuses",
    Refuses.QEMU: "QEMU refuses",
    Refuses.BOTH: "libvirt and QEMU refuse",
    Refuses.NEVER: "libvirt refuses, QEMU starts and never converges",
    Refuses.OURS: "cannot be converted",
    Refuses.NOBODY: "works, but",
}
# Columns of source that are shown of a long line, and how many of them before what is marked.
_WIDTH, _BEFORE = 100, 20


def _wide(character: str) -> int:
    """The columns that a terminal gives a character."""
    if character.isascii():
        return 1
    from unicodedata import category, east_asian_width  # only text beyond ASCII needs it

    return 0 if category(character) in ("Mn", "Me") else 2 if east_asian_width(character) in "WF" else 1


def excerpt(source: Source, finding: Finding) -> tuple[str, str, str]:
    """The source line of a finding in three parts: before the element, the element, after it. Cut where it is long."""
    location = finding.location
    line = source.line(location.line).replace("\t", " ")
    start = location.column - 1
    end = location.end_column - 1 if location.end_line == location.line else len(line)
    first = max(0, start - _BEFORE) if len(line) > _WIDTH else 0
    last = len(line) if len(line) - first <= _WIDTH else first + _WIDTH
    before = ("…" if first else "") + line[first:start]
    after = line[min(end, last) : last] + ("…" if last < len(line) else "")
    return printable(before), printable(line[start : min(end, last)]), printable(after)


def _message(finding: Finding) -> str:
    on = f" (host {', '.join(finding.hosts)})" if finding.hosts else ""
    return f"{finding.message}{on}"


def text(judgement: Judgement) -> Iterator[list[Piece]]:
    """The lines for one input: for each finding the place and what is wrong, the source, who refuses, what to write."""
    for finding in judgement.findings:
        severity = finding.rule.severity.value
        line = str(finding.location.line)
        yield [
            (f"{printable(judgement.name)}:{line}: ", "place"),
            (f"{severity}: ", severity),
            (f"{printable(_message(finding))} ", ""),
            (f"[{finding.rule.id}]", "quiet"),
        ]
        margin = " " * (len(line) + 2)
        if judgement.source is not None:
            before, marked, after = excerpt(judgement.source, finding)
            yield [(f" {line} | ", "quiet"), (before, ""), (marked, "mark"), (after, "")]
            indent = " " * sum(map(_wide, before))
            yield [(f"{margin}| ", "quiet"), (indent, ""), ("^" * max(1, sum(map(_wide, marked))), severity)]
        yield [(f"{margin}= ", "quiet"), (f"{WHO[finding.rule.refuses]}: {finding.advice}", "")]


def counts(findings: Iterable[Finding]) -> str:
    """How many findings of each severity, in words."""
    numbers = dict.fromkeys(Severity, 0)
    for finding in findings:
        numbers[finding.rule.severity] += 1
    names = {Severity.ERROR: ("error", "errors"), Severity.WARNING: ("warning", "warnings")}
    advice = ("piece of advice", "pieces of advice")
    words = (f"{n} {names.get(severity, advice)[n != 1]}" for severity, n in numbers.items() if n)
    return ", ".join(words) or "nothing found"


def diff(before: bytes, after: bytes, name: str, encoding: str) -> Iterator[bytes]:
    """The lines of a unified diff that `patch -p0` takes; of text in an encoding without ASCII, it is in UTF-8."""
    from difflib import diff_bytes, unified_diff

    if encoding.startswith(("utf-16", "utf-32")):
        before, after = (data.decode(encoding).encode() for data in (before, after))
    label = printable(name).encode()
    old, new = (data.splitlines(keepends=True) for data in (before, after))
    for line in diff_bytes(unified_diff, old, new, label, label):
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def _repair(repair: Repair) -> dict[str, Any]:
    edits = [
        {"element": edit.place, "part": edit.part.value, "name": edit.name, "value": edit.value}
        for edit in repair.edits
    ]
    return {"safe": repair.safe, "edits": edits}


# What standard input is called.
STDIN = "<stdin>"


class Failure(NamedTuple):
    """An input of which nothing can be said, and why."""

    name: str
    words: str


def as_json(judgements: Sequence[Judgement], failures: Sequence[Failure] = ()) -> str:
    """All judgements as one JSON document; its shape is in docs/check.schema.json."""
    files = [
        {
            "name": judgement.name,
            "refused": judgement.refused,
            "devices": judgement.devices,
            "findings": [
                {
                    "rule": finding.rule.id,
                    "severity": finding.rule.severity.value,
                    "refuses": finding.rule.refuses.name.lower(),
                    "message": finding.message,
                    "advice": finding.advice,
                    "hosts": list(finding.hosts),
                    "element": finding.place,
                    "line": finding.location.line,
                    "column": finding.location.column,
                    "endLine": finding.location.end_line,
                    "endColumn": finding.location.end_column,
                    "repair": None if finding.repair is None else _repair(finding.repair),
                }
                for finding in judgement.findings
            ],
        }
        for judgement in judgements
    ]
    unread = [{"name": failure.name, "message": failure.words} for failure in failures]
    document = {"version": 1, "virtmem": __version__, "files": files, "unread": unread}
    return json.dumps(document, indent=2) + "\n"  # ASCII, so that a file name that is no text can be in it


_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}


def github(judgements: Sequence[Judgement], failures: Sequence[Failure] = ()) -> str:
    """Workflow commands of GitHub Actions, which shows them at the lines of a pull request."""
    lost = (f"::error file={_escape(failure.name, ':,')}::{_escape(failure.words)}\n" for failure in failures)
    found = (_annotation(finding, judgement.name) for judgement in judgements for finding in judgement.findings)
    return "".join((*found, *lost))


def _annotation(finding: Finding, name: str) -> str:
    location = finding.location
    file = {} if name == STDIN else {"file": name}  # standard input is no file that could be shown
    properties: dict[str, object] = {**file, "line": location.line, "endLine": location.end_line}
    if location.end_line == location.line and location.end_column > location.column:
        properties |= {"col": location.column, "endColumn": location.end_column}
    properties["title"] = f"virtmem {finding.rule.id}"
    escaped = ",".join(f"{key}={_escape(str(value), ':,')}" for key, value in properties.items())
    words = f"{_message(finding)}. {WHO[finding.rule.refuses]}: {finding.advice}"
    return f"::{_GITHUB[finding.rule.severity]} {escaped}::{_escape(words)}\n"


def _escape(words: str, more: str = "") -> str:
    """As GitHub's own toolkit escapes the data of a command, and with more the value of a property."""
    text = "".join(c if c in "\r\n" else printable(c) for c in _bytes(words).decode("utf-8", "replace"))
    return "".join(f"%{ord(c):02X}" if c in f"%\r\n{more}" else c for c in text)


_SARIF_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "note"}


def sarif(judgements: Sequence[Judgement], failures: Sequence[Failure] = ()) -> str:
    """SARIF 2.1.0, with each rule's help; for code scanning services and editors."""
    from virtmem_cli.rulebook import page, plain

    pages = {rule: page(rule) for rule in RULES}
    order = {rule: index for index, rule in enumerate(RULES)}
    rules = [
        {
            "id": rule.id,
            "name": "".join(word.capitalize() for word in rule.id.split("-")),
            "shortDescription": {"text": _sentence(rule.title)},
            "fullDescription": {"text": plain(pages[rule.id].meaning)},
            "help": _help(pages[rule.id]),
            "defaultConfiguration": {"level": _SARIF_LEVEL[rule.severity]},
            "properties": {"refuses": rule.refuses.name.lower()},
        }
        for rule in RULES.values()
    ]
    results = [
        {
            "ruleId": finding.rule.id,
            "ruleIndex": order[finding.rule.id],
            "level": _SARIF_LEVEL[finding.rule.severity],
            "message": _plain(f"{_message(finding)}. {WHO[finding.rule.refuses]}: {finding.advice}"),
            "locations": [{"physicalLocation": _physical(finding, judgement.name)}],
        }
        for judgement in judgements
        for finding in judgement.findings
    ]
    invocation: dict[str, Any] = {"executionSuccessful": not failures}
    if failures:
        invocation["toolExecutionNotifications"] = [
            {
                "level": "error",
                "message": _plain(failure.words),
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(failure.name)}}}],
            }
            for failure in failures
        ]
    driver = {"name": "virtmem", "semanticVersion": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _sentence(title: str) -> str:
    """A rule's title as a sentence, in which a name keeps its small letter."""
    named = title.startswith(("libvirt", "virtio-mem", "dynamicMemslots"))
    return f"{title if named else title[0].upper() + title[1:]}."


def _help(page: "Page") -> dict[str, str]:
    """A rule's page, with the change alone of its example, as text and as Markdown."""
    from virtmem_cli.rulebook import change, plain

    diff = "\n".join(change(page))
    return {
        "text": f"{plain(page.meaning)}\n\nWhy: {plain(page.reason)}\n\nExample:\n\n{diff}",
        "markdown": f"{page.meaning}\n\n## Why\n\n{page.reason}\n\n## Example\n\n```diff\n{diff}\n```",
    }


def _physical(finding: Finding, name: str) -> dict[str, Any]:
    location = finding.location
    region = {"startLine": location.line, "startColumn": location.column, "endLine": location.end_line}
    if (location.end_line, location.end_column) > (location.line, location.column):
        region["endColumn"] = location.end_column
    return {"artifactLocation": {"uri": _uri(name)}, "region": region}


def _uri(name: str) -> str:
    from urllib.parse import quote

    uri = "stdin" if name == STDIN else quote(_bytes(name), safe="/")
    return f"file://{uri}" if name.startswith("/") else uri


def _bytes(name: str) -> bytes:
    """A file's name as the system has it, whether it is text or not."""
    return name.encode("utf-8", "surrogateescape")


def _plain(words: str) -> dict[str, str]:
    """A SARIF message: braces in it are doubled, since single ones are placeholders."""
    return {"text": words.replace("{", "{{").replace("}", "}}")}


FORMATS = {"json": as_json, "sarif": sarif, "github": github}
