"""virtmem explain: what a rule means, from its page in the book of rules."""

from collections.abc import Iterator
from textwrap import wrap

import click

from virtmem_cli.cli.streams import say, show, write_output
from virtmem_cli.errors import UsageError
from virtmem_cli.findings import RULES, Rule, Severity
from virtmem_cli.render import diff_line
from virtmem_cli.rulebook import Page, change, page, plain
from virtmem_cli.text import Piece, nearest, quoted


@click.command(
    "explain",
    short_help="Tell what a rule means, with a wrong example and the right one.",
    epilog="\b\nExamples:\n  virtmem explain block-below-thp\n"
    "  virtmem explain --example wrong block-below-thp | virtmem check -",
)
@click.option(
    "--example",
    type=click.Choice(["wrong", "right"]),
    help="Print only the example, as a whole domain.",
)
@click.argument("rule", metavar="[RULE]", required=False)
def command(example: str | None, rule: str | None) -> None:
    """Tell what RULE means, who refuses what it finds and why, with what makes a wrong example right.

    Without RULE, list all rules.
    """
    if rule is None:
        if example:
            raise UsageError("--example needs a RULE")
        width = max(map(len, RULES))
        show(
            [
                [
                    (f"{one.id:{width}}  ", "place"),
                    (f"{one.severity.value:7}  ", one.severity.value),
                    (one.title, ""),
                ]
                for _, one in sorted(RULES.items())
            ]
        )
        return
    if rule not in RULES:
        near = nearest(rule, RULES)
        hint = f"did you mean '{near}'?" if near else "`virtmem explain` lists them"
        raise UsageError(f"there is no rule {quoted(rule)}; {hint}")
    asked = page(rule)
    if example is None:
        show(_explanation(RULES[rule], asked))
        return
    write_output(asked.right if example == "right" else asked.wrong)
    if asked.options:
        host = f", where host.toml has `{asked.host.strip()}`" if asked.host else ""
        say(f"virtmem: this shows with `virtmem check {' '.join(asked.options)}`{host}")


def _explanation(rule: Rule, asked: Page) -> Iterator[list[Piece]]:
    """All that there is to say of a rule: its page, with the change alone of the example."""
    guard = ", and xml2argv refuses it whatever is configured" if rule.severity is Severity.ERROR else ""
    yield [(rule.id, "place"), (f": {rule.title}", "")]
    yield [(rule.severity.value, rule.severity.value), (f": {rule.refuses.value or 'nobody refuses it'}{guard}", "")]
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
