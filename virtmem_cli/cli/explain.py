"""virtmem explain: what a rule means, from its page in the book of rules."""

import click

from virtmem_cli.cli.help import help_option
from virtmem_cli.cli.terminal import say, show, write_output
from virtmem_cli.errors import UsageError
from virtmem_cli.registry import RULES
from virtmem_cli.report.page import explanation
from virtmem_cli.rulebook import page
from virtmem_cli.settings import no_rule


@click.command(
    "explain",
    add_help_option=False,
    epilog="\b\nExamples:\n  virtmem explain block-below-thp\n"
    "  virtmem explain --example wrong block-below-thp | virtmem check -",
)
@click.option(
    "--example",
    type=click.Choice(["wrong", "right"]),
    help="Print only the example, as a whole domain.",
)
@help_option
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
        raise UsageError(no_rule(rule))
    asked = page(rule)
    if example is None:
        show(explanation(RULES[rule], asked))
        return
    write_output(asked.right if example == "right" else asked.wrong, "xml")
    if asked.options:
        host = f", where host.toml has `{asked.host.strip()}`" if asked.host else ""
        say(f"virtmem: this shows with `virtmem check {' '.join(asked.options)}`{host}")
