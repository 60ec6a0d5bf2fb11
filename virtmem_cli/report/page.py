"""A rule's page for a terminal: who refuses, what it means and why, and what makes a wrong example right."""

from collections.abc import Iterator
from textwrap import wrap

from virtmem_cli.findings import AnyRule, Severity
from virtmem_cli.report.diff import diff_line
from virtmem_cli.report.words import CLAUSES
from virtmem_cli.rulebook import Page, change, plain
from virtmem_cli.text import Piece


def explanation(rule: AnyRule, asked: Page) -> Iterator[list[Piece]]:
    """All that there is to say of a rule: its page, with the change alone of the example."""
    guard = ", and xml2argv refuses it whatever is configured" if rule.severity is Severity.ERROR else ""
    yield [(rule.id, "place"), (f": {rule.title}", "")]
    yield [(rule.severity.value, rule.severity.value), (f": {CLAUSES[rule.refuses]}{guard}", "")]
    yield []
    yield from _wrapped(asked.meaning)
    yield from ([], [("Why", "place")])
    yield from _wrapped(asked.reason)
    yield from ([], [("Example", "place")])
    if asked.options:
        yield [(f"virtmem check {' '.join(asked.options)}", "quiet")]
    yield from ([(f"host.toml: {line}", "quiet")] for line in asked.host.splitlines())
    yield from map(diff_line, change(asked))


def _wrapped(paragraph: str) -> Iterator[list[Piece]]:
    for line in wrap(plain(paragraph), 100, break_long_words=False, break_on_hyphens=False):
        yield [(line, "")]
