"""SARIF 2.1.0, for code scanning services and editors: the rules with their pages first, then a result a finding."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from virtmem_cli import __version__
from virtmem_cli.findings import AnyRule, Severity
from virtmem_cli.registry import RULES
from virtmem_cli.report.words import Failure, sentence
from virtmem_cli.text import STDIN_NAME
from virtmem_cli.told import Reported

if TYPE_CHECKING:
    from virtmem_cli.judgement import Judgement
    from virtmem_cli.rulebook import Page

between = ","
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "note"}
_ORDER = {rule: index for index, rule in enumerate(RULES)}


def begin() -> str:
    """The schema, and the rules with their pages."""
    driver = {"name": "virtmem", "semanticVersion": __version__, "rules": [_rule(rule) for rule in RULES.values()]}
    head = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": []}],
    }
    return _text(head, "").removesuffix("]\n    }\n  ]\n}")


def _rule(rule: AnyRule) -> dict[str, Any]:
    from virtmem_cli.rulebook import page, plain

    its = page(rule.id)
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": _sentence(rule.title)},
        "fullDescription": {"text": plain(its.meaning)},
        "help": _help(its),
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"refuses": rule.refuses.value},
    }


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


def judgement(judgement: "Judgement") -> str:
    """A result a finding."""
    return between.join(
        ["\n        " + _text(_result(finding, judgement.name), "        ") for finding in judgement.findings]
    )


def _result(finding: Reported, name: str) -> dict[str, Any]:
    location = finding.location
    region = {"startLine": location.line, "startColumn": location.column, "endLine": location.end_line}
    if (location.end_line, location.end_column) > (location.line, location.column):
        region["endColumn"] = location.end_column
    return {
        "ruleId": finding.rule,
        "ruleIndex": _ORDER[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": _plain(sentence(finding)),
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(name)}, "region": region}}],
    }


def end(failures: Sequence[Failure]) -> str:
    """Whether all could be read, and what could not."""
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
    return f'\n      ],\n      "invocations": {_text([invocation], "      ")}\n    }}\n  ]\n}}\n'


def _text(value: object, indent: str) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", f"\n{indent}")


def _uri(name: str) -> str:
    """A file's name as the system has it, whether it is text or not."""
    from urllib.parse import quote

    uri = "stdin" if name == STDIN_NAME else quote(name.encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{uri}" if name.startswith("/") else uri


def _plain(words: str) -> dict[str, str]:
    """A SARIF message: braces in it are doubled, since single ones are placeholders."""
    return {"text": words.replace("{", "{{").replace("}", "}}")}
