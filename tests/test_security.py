"""The page of security: its table of bounds is what the code has, and each bound of input is kept, and named."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from command import virtmem
from domains import ROOT
from hostile import DOMAIN, WRONG, domain

from virtmem_cli.document import tree

PAGE = (ROOT / "docs/security.md").read_text()
UNITS = {"": 1, " KiB": 1 << 10, " MiB": 1 << 20}
ROW = re.compile(r"^\| .* \| ([0-9]+)( [KM]iB)? \| `([a-z_.]+)\.([A-Z_]+)` \|$", re.MULTILINE)
# What a domain, and its configuration, are told that have one more of something
BEYOND = {
    tree.LARGEST: (DOMAIN + " " * tree.LARGEST, "the input is larger than 4 MiB"),
    tree.MOST_TAGS: (domain(("  <os>", "<x/>" * tree.MOST_TAGS + "<os>")), "the input has more than 20000 tags"),
    tree.MOST_ATTRIBUTES: (DOMAIN.replace("guest", "=" * tree.MOST_ATTRIBUTES), "more than 40000 attributes"),
    tree.MOST_LINES: (DOMAIN + "\n" * tree.MOST_LINES, "the input has more than 50000 lines"),
}

pytestmark = pytest.mark.usefixtures("here")


def test_the_table_says_what_the_code_has() -> None:
    rows = ROW.findall(PAGE)
    for number, unit, room, name in rows:
        module = import_module(f"virtmem_cli.{room}")
        assert int(number) * UNITS[unit] == getattr(module, name), f"{room}.{name}"
    assert len(rows) == PAGE.count("` |\n"), "a row that cannot be read"


def test_the_table_has_each_bound_that_the_code_names() -> None:
    """Those of numbers that libvirt and QEMU have are not ours: LARGEST of `units`, the nodes and slots of QEMU."""
    named = re.compile(r"^((?:MOST|LONGEST|LARGEST|DEEPEST)\w*|TIMEOUT|\w+_PATIENCE)\b", re.MULTILINE)
    its = {f"{room}.{name}" for _, _, room, name in ROW.findall(PAGE)}
    package = ROOT / "virtmem_cli"
    ours = {
        f"{'.'.join(path.relative_to(package).with_suffix('').parts)}.{name}"
        for path in package.rglob("*.py")
        for name in named.findall(path.read_text())
    }
    assert ours - its == {"units.LARGEST", "rules.sizes.MOST_SLOTS", "parse.reader.MOST_NODES"}


@pytest.mark.parametrize("bound", BEYOND)
@pytest.mark.parametrize("command", ["xml2argv", "check"])
def test_a_domain_beyond_a_bound_is_refused_with_the_bound_named(bound: int, command: str) -> None:
    xml, words = BEYOND[bound]
    run = virtmem(command, "-", given=xml)
    assert run.code == 1
    assert words in run.out + run.err


def test_the_gate_of_the_page_lets_no_wrong_domain_through() -> None:
    """Whatever configuration lies beside it; what a comment silences is an error to the second command."""
    gate = [line.split() for line in re.findall(r"^    virtmem ((?:check|xml2argv) --isolated --strict)", PAGE, re.M)]
    assert [command for command, *_ in gate] == ["check", "xml2argv"]
    assert all(f"virtmem {' '.join(words)}" in (ROOT / "README.md").read_text() for words in gate)
    Path("virtmem.toml").write_text("ignore = ['*']\n")
    silenced = WRONG.replace("<block", "<!-- virtmem: ignore=block-not-power-of-two --><block")
    assert [virtmem(*words, "-", given=WRONG).code for words in gate] == [1, 1]
    assert [virtmem(*words, "-", given=silenced).code for words in gate] == [0, 1]
