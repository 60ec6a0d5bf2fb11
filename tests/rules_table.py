"""The table of rules, docs/rules.md, from the rules themselves and from what `check` does with their examples.

usage: python tests/rules_table.py

Writes the file. A test holds that it is what is made here.
"""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from virtmem_cli.cli import main
from virtmem_cli.findings import Refuses
from virtmem_cli.registry import RULES
from virtmem_cli.rulebook import page

FILE = Path(__file__).parent.parent / "docs" / "rules.md"
HEAD = """\
# The rules

What `virtmem check` looks for. A rule's name leads to its page: what it means, why, and how a wrong example is made
right; `virtmem explain RULE` tells the same. [Five wrong domains](findings.md) shows what findings look like.
`make docs` makes this table.

The last column says whether `virtmem check --fix` repairs the example: *safely*; *not safely*, and then only with
`--unsafe-fixes`; or *no*. A safe repair never changes what the guest of an accepted domain gets, and gives that of a
refused one what the XML meant to give it. What libvirt passes over, such as a misspelt name, is thus repaired safely
where the domain is refused, and not safely where it is accepted. Another mistake that the same rule finds may be
repaired otherwise.

| rule | what is wrong | severity | refused by | repaired |
|---|---|---|---|---|
"""
WHO = {
    Refuses.LIBVIRT: "libvirt",
    Refuses.QEMU: "QEMU",
    Refuses.BOTH: "libvirt and QEMU",
    Refuses.NEVER: "libvirt",
    Refuses.OURS: "virtmem",
    Refuses.NOBODY: "nobody",
}
# A schema that no domain fits: libvirt's is not on every machine, and no repair depends on it.
SCHEMA = "<element name='nothing' xmlns='http://relaxng.org/ns/structure/1.0'><empty/></element>"


def repaired(rule: str) -> str:
    """Whether the real command repairs what it finds of a rule in its wrong example, in a word or two."""
    example = page(rule)
    with TemporaryDirectory() as folder:
        for name, text in (("wrong.xml", example.wrong), ("host.toml", example.host), ("schema.rng", SCHEMA)):
            Path(folder, name).write_text(text)
        files = {"host.toml": f"{folder}/host.toml", "--schema": f"--schema={folder}/schema.rng"}
        options = [files.get(option, option) for option in example.options]
        run = CliRunner().invoke(main, ["check", "--format", "json", *options, f"{folder}/wrong.xml"])
    (file,) = json.loads(run.stdout)["files"]
    repairs = [finding["repair"] for finding in file["findings"] if finding["rule"] == rule]
    assert repairs, f"{rule} is not found in its example"
    if None in repairs:
        return "no"
    return "safely" if all(repair["safe"] for repair in repairs) else "not safely"


def table() -> str:
    rows = []
    for name, rule in sorted(RULES.items()):
        title = re.sub(r"(<[^>]*>)", r"`\1`", rule.title)
        link = f"[{name}](../virtmem_cli/rulebook/{name}.md)"
        rows.append(f"| {link} | {title} | {rule.severity.value} | {WHO[rule.refuses]} | {repaired(name)} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    FILE.write_text(table())
