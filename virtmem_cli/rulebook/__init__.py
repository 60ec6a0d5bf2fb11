"""The book of rules, for people: a rule's name to what it means, why, and an example of it.

A rule has its page beside this file, RULE.md, which is read when it is asked for. On the page are a paragraph with the
meaning; under `Why` one with the reason, its source and its version; and under `Example` a unified diff of a whole
domain, as `diff -U99 wrong.xml right.xml` makes it: `virtmem check` finds the rule, and nothing else, in wrong.xml, and
nothing at all in right.xml. The options that it needs for that stand at the diff's head, with what is in the host file:

    virtmem check --host host.toml
    host.toml: overcommit-memory = 2
    --- wrong.xml
    +++ right.xml
    @@ -1,24 +1,24 @@

A page of another form is a mistake in the package, and fails an assertion.
"""

import re
from difflib import unified_diff
from importlib.resources import files
from typing import NamedTuple


class Page(NamedTuple):
    """A rule's page. `meaning` and `reason` are Markdown, each on one line.

    `wrong` and `right` are whole domains, and `diff` makes the one the other. `options` are what `virtmem check` needs
    to find the rule in the wrong one, and `host` is what host.toml holds, where they name that.
    """

    meaning: str
    reason: str
    options: tuple[str, ...]
    host: str
    diff: str
    wrong: str
    right: str


_FORM = re.compile(
    r"# (?P<rule>.+)\n\n(?P<meaning>(?:.+\n)+)\n## Why\n\n(?P<reason>(?:.+\n)+)\n## Example\n\n"
    r"```diff\n(?:virtmem check (?P<options>.+)\n)?(?P<host>(?:host\.toml: .+\n)*)"
    r"(?P<diff>--- wrong\.xml\n\+\+\+ right\.xml\n@@ .+ @@\n(?P<lines>(?:[ +-].*\n)+))```\n"
)


def page(rule: str) -> Page:
    """The page of a rule that there is."""
    match = _FORM.fullmatch(files(__name__).joinpath(f"{rule}.md").read_text(encoding="utf-8"))
    assert match, rule
    assert match["rule"] == rule
    lines = match["lines"].splitlines(keepends=True)
    return Page(
        meaning=" ".join(match["meaning"].split()),
        reason=" ".join(match["reason"].split()),
        options=tuple((match["options"] or "").split()),
        host=match["host"].replace("host.toml: ", ""),
        diff=match["diff"],
        wrong="".join(line[1:] for line in lines if line[0] != "+"),
        right="".join(line[1:] for line in lines if line[0] != "-"),
    )


def plain(words: str) -> str:
    """A paragraph of a page as text: without the marks of code."""
    return words.replace("`", "")


def change(of: Page) -> list[str]:
    """The lines of the example's diff with few around what changes, for where a whole domain is too much."""
    wrong, right = of.wrong.splitlines(), of.right.splitlines()
    return list(unified_diff(wrong, right, "wrong.xml", "right.xml", lineterm=""))
