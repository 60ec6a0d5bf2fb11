"""The table of rules, docs/rules.md, from the rules themselves.

usage: python tests/rules_table.py

Writes the file. A test holds that it is what is made here.
"""

import re
from pathlib import Path

from virtmem_cli.findings import RULES, Refuses

FILE = Path(__file__).parent.parent / "docs" / "rules.md"
HEAD = """\
# The rules

What `virtmem check` looks for. A rule's name leads to its page: what it means, why, and how a wrong example is made
right; `virtmem explain RULE` tells the same. [Five wrong domains](findings.md) shows what findings look like.
`make docs` makes this table.

| rule | what is wrong | severity | refused by |
|---|---|---|---|
"""
WHO = {
    Refuses.LIBVIRT: "libvirt",
    Refuses.QEMU: "QEMU",
    Refuses.BOTH: "libvirt and QEMU",
    Refuses.NEVER: "libvirt",
    Refuses.OURS: "virtmem",
    Refuses.NOBODY: "nobody",
}


def table() -> str:
    rows = []
    for name, rule in sorted(RULES.items()):
        title = re.sub(r"(<[^>]*>)", r"`\1`", rule.title)
        link = f"[{name}](../virtmem_cli/rulebook/{name}.md)"
        rows.append(f"| {link} | {title} | {rule.severity.value} | {WHO[rule.refuses]} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    FILE.write_text(table())
