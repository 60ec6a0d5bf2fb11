"""virtmem explain: what a rule means, from the book of rules."""

import click

from virtmem_cli.cli.streams import say, show, write_output
from virtmem_cli.findings import RULES, UsageError, nearest, quoted
from virtmem_cli.rulebook import RULEBOOK, explanation, right_domain, wrong_domain


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
    """Tell what RULE means, who refuses what it finds and why, with a wrong example and the right one.

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
    entry = RULEBOOK[rule]
    if example is None:
        show(explanation(RULES[rule]))
        return
    write_output(right_domain(entry) if example == "right" else wrong_domain(entry))
    if entry.options or entry.host:
        say("virtmem: this shows with " + " and ".join(entry.needs()))
