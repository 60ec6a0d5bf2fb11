"""The book of rules: every page has the one form, and its example shows just its rule, through the real command."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command import on_a_terminal, python, virtmem

import virtmem_cli.rulebook
from virtmem_cli.findings import Severity
from virtmem_cli.registry import RULES
from virtmem_cli.report.words import CLAUSES
from virtmem_cli.rulebook import change, page, plain

FOLDER = Path(virtmem_cli.rulebook.__file__).parent


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(RULES)


@pytest.mark.parametrize("rule_id", RULES)
def test_a_page_is_well_formed(rule_id: str) -> None:
    example = page(rule_id)
    for words in (example.meaning, example.reason):
        assert words.endswith(".")
        # Markdown takes <element> for HTML and shows nothing, unless it is code
        assert "<" not in re.sub("`[^`]+`", "", words)
    assert ("--host" in example.options) == bool(example.host)
    prose = (FOLDER / f"{rule_id}.md").read_text().split("```")[0]
    for line in prose.splitlines():
        assert len(line) <= 100
        assert line == line.rstrip()
        assert not re.match(r"[-+*>]|[0-9]+[.)]", line), "a list, for Markdown"


@pytest.mark.parametrize("rule_id", RULES)
def test_a_diff_is_of_the_whole_domain(rule_id: str) -> None:
    example = page(rule_id)
    wrong, right = example.wrong.splitlines(), example.right.splitlines()
    assert wrong != right
    assert f"\n@@ -1,{len(wrong)} +1,{len(right)} @@\n" in example.diff
    for domain in (wrong, right):
        assert domain[0].startswith("<domain ")
        assert domain[-1] == "</domain>"


@pytest.mark.process
@pytest.mark.parametrize("rule_id", RULES)
def test_patch_takes_a_page(rule_id: str, tmp_path: Path) -> None:
    """The page as it stands, with its words before the diff and the end of the block behind it."""
    if shutil.which("patch") is None:
        pytest.skip("patch is not installed")
    xml = tmp_path / "wrong.xml"
    xml.write_text(page(rule_id).wrong)
    run = subprocess.run(
        ["patch", xml, FOLDER / f"{rule_id}.md"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.stdout == f"patching file {xml}\n", "neither fuzz nor offset"
    assert xml.read_text() == page(rule_id).right


@pytest.mark.parametrize("rule_id", RULES)
def test_the_wrong_example_raises_its_rule_alone_and_the_right_one_nothing(rule_id: str, tmp_path: Path) -> None:
    if rule_id == "schema-mismatch" and not Path("/usr/share/libvirt/schemas/domain.rng").exists():
        pytest.skip("libvirt's schema is not installed")
    for name in ("wrong", "right"):
        (tmp_path / f"{name}.xml").write_text(virtmem("explain", "--example", name, rule_id).out)
    host = tmp_path / "host.toml"
    host.write_text(page(rule_id).host)
    options = [host if option == host.name else option for option in page(rule_id).options]
    run = virtmem("check", "--format", "json", *options, "--", tmp_path / "wrong.xml", tmp_path / "right.xml")
    wrong, right = json.loads(run.out)["files"]
    assert {finding["rule"] for finding in wrong["findings"]} == {rule_id}
    assert right["findings"] == []
    assert run.code == (1 if wrong["refused"] else 0)
    assert wrong["refused"] == (RULES[rule_id].severity is Severity.ERROR)


@pytest.mark.parametrize("rule_id", RULES)
def test_explain_says_all(rule_id: str) -> None:
    example, rule = page(rule_id), RULES[rule_id]
    run = virtmem("explain", rule_id)
    said = " ".join(run.out.split())
    assert run.code == 0
    for words in (rule.title, rule.severity.value, CLAUSES[rule.refuses], example.meaning, example.reason):
        assert plain(words) in said
    assert (" ".join(["virtmem check", *example.options]) in said) == bool(example.options)
    assert all(line in said for line in example.host.splitlines())
    assert run.out.endswith("".join(f"{line}\n" for line in change(example)))


@pytest.mark.parametrize("rule_id", RULES)
def test_a_change_is_all_that_the_page_changes(rule_id: str) -> None:
    whole, shown = page(rule_id).diff.splitlines(), change(page(rule_id))
    assert [line for line in shown if line[0] in "+-"] == [line for line in whole if line[0] in "+-"]
    assert len(shown) < len(whole)


@pytest.mark.process
def test_explain_is_in_colour_on_a_terminal() -> None:
    shown = on_a_terminal("explain", "overcommit-never").out
    assert "\x1b[31m-    <memory model='virtio-mem'>\x1b[0m" in shown
    assert "\x1b[32m+    <memory model='virtio-mem' access='shared'>\x1b[0m" in shown
    assert "\x1b[2mhost.toml: overcommit-memory = 2\x1b[0m" in shown


@pytest.mark.parametrize(
    ("rule_id", "words"),
    [
        ("value-rounded", ""),
        ("pci-bus-missing", "virtmem: this shows with `virtmem check --scope machine`\n"),
        (
            "overcommit-never",
            "virtmem: this shows with `virtmem check --host host.toml`, where host.toml has `overcommit-memory = 2`\n",
        ),
    ],
)
def test_an_example_says_what_it_needs(rule_id: str, words: str) -> None:
    for name in ("wrong", "right"):
        assert virtmem("explain", "--example", name, rule_id).err == words


@pytest.mark.process
@pytest.mark.parametrize("command", ["check", "xml2argv"])
def test_only_who_explains_opens_the_book(command: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.xml").write_text(page("block-below-thp").wrong)
    code = (
        "import sys; from virtmem_cli.cli import main\n"
        f"try: main(['{command}', 'wrong.xml'])\n"
        "except SystemExit: print(*sys.modules)"
    )
    modules = python("-c", code, cwd=tmp_path).out.splitlines()[-1].split()
    assert "virtmem_cli.conversion" in modules
    assert "virtmem_cli.rulebook" not in modules


def test_explain_lists_all() -> None:
    lines = virtmem("explain").out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(RULES)


def test_explain_knows_what_was_meant() -> None:
    run = virtmem("explain", "block-below-tph")
    assert run.code == 2
    assert run.err == "virtmem: there is no rule 'block-below-tph'; did you mean 'block-below-thp'?\n"
    assert virtmem("explain", "--example", "wrong").code == 2
