"""JSON: arguments as a list of strings, judgements as a document; its shape is in docs/check.schema.json."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from virtmem_cli import __version__
from virtmem_cli.report.words import Failure
from virtmem_cli.told import Reported

if TYPE_CHECKING:
    from virtmem_cli.judgement import Judgement

between = ","


def arguments(argv: Sequence[str]) -> str:
    """A list of strings, on one line."""
    return json.dumps(list(argv), ensure_ascii=False) + "\n"


def begin() -> str:
    """The version of the shape, and of the program."""
    return f'{{\n  "version": 1,\n  "virtmem": {json.dumps(__version__)},\n  "files": ['


def judgement(judgement: "Judgement") -> str:
    """A file: its findings, and whether they refuse it."""
    return "\n    " + _indented(
        {
            "name": judgement.name,
            "refused": judgement.refused,
            "devices": judgement.devices,
            "configuration": judgement.configuration or None,
            "silenced": judgement.silenced._asdict(),
            "findings": [_finding(finding) for finding in judgement.findings],
        },
        "    ",
    )


def _finding(finding: Reported) -> dict[str, Any]:
    location = finding.location
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "refuses": finding.refuses.value,
        "message": finding.message,
        "advice": finding.advice,
        "hosts": list(finding.hosts),
        "element": finding.element,
        "line": location.line,
        "column": location.column,
        "endLine": location.end_line,
        "endColumn": location.end_column,
        "repair": None
        if finding.safe is None
        else {"safe": finding.safe, "edits": [edit._asdict() for edit in finding.edits]},
    }


def end(failures: Sequence[Failure]) -> str:
    """The files that could not be read."""
    unread = [{"name": failure.name, "message": failure.words} for failure in failures]
    return f'\n  ],\n  "unread": {_indented(unread, "  ")}\n}}\n'


def _indented(value: object, indent: str) -> str:
    """ASCII, so that a file name that is no text can be in it."""
    return json.dumps(value, indent=2).replace("\n", f"\n{indent}")
