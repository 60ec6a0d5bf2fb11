"""The book of rules: each example shows just what it is said to show, through the real command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from virtmem_cli.cli import main
from virtmem_cli.findings import RULES, Severity
from virtmem_cli.rulebook import RULEBOOK, Entry, right_domain, wrong_domain

VIRTMEM = Path(sys.executable).parent / "virtmem"


def virtmem(*words: str | Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([VIRTMEM, *words], input=given, capture_output=True, text=True, check=False, timeout=60)


def test_every_rule_is_in_the_book() -> None:
    assert set(RULEBOOK) == set(RULES)


@pytest.mark.parametrize("rule_id", RULEBOOK)
def test_examples_are_whole(rule_id: str) -> None:
    entry = RULEBOOK[rule_id]
    right = entry.base
    for old, new in entry.setting:
        assert old in right
        right = right.replace(old, new, 1)
    assert right == right_domain(entry)
    assert right.count(entry.right) == 1
    assert wrong_domain(entry) != right
    for words in (entry.meaning, entry.reason):
        assert words.endswith(".")
        assert "  " not in words


def options(entry: Entry, folder: Path) -> list[str]:
    host = folder / "host.toml"
    host.write_text(entry.host)
    return [*entry.options, *(["--host", str(host)] if entry.host else [])]


@pytest.mark.parametrize("rule_id", RULEBOOK)
def test_the_wrong_example_raises_its_rule_alone_and_the_right_one_nothing(
    rule_id: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    entry = RULEBOOK[rule_id]
    if rule_id == "schema-mismatch" and not Path("/usr/share/libvirt/schemas/domain.rng").exists():
        (pytest.fail if request.config.getoption("--real") else pytest.skip)("libvirt's schema is not installed")
    names = ("wrong", "right")
    for name in names:
        printed = CliRunner().invoke(main, ["explain", "--example", name, rule_id])
        (tmp_path / f"{name}.xml").write_text(printed.stdout)
    run = virtmem(
        "check", "--format", "json", *options(entry, tmp_path), "--", *(tmp_path / f"{name}.xml" for name in names)
    )
    wrong, right = json.loads(run.stdout)["files"]
    assert {finding["rule"] for finding in wrong["findings"]} == {rule_id}
    assert right["findings"] == []
    assert run.returncode == (1 if wrong["refused"] else 0)
    assert wrong["refused"] == (RULES[rule_id].severity is Severity.ERROR)


@pytest.mark.parametrize("rule_id", RULEBOOK)
def test_explain_says_all(rule_id: str) -> None:
    entry, rule = RULEBOOK[rule_id], RULES[rule_id]
    run = CliRunner().invoke(main, ["explain", rule_id])
    said = " ".join(run.stdout.split())
    assert run.exit_code == 0
    for words in (rule.title, rule.severity.value, rule.refuses.value, entry.meaning, entry.reason):
        assert " ".join(words.split()) in said
    for example in (entry.wrong, entry.right):
        assert all(line.strip() in run.stdout for line in example.splitlines())


def test_explain_lists_all() -> None:
    lines = virtmem("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines] == sorted(RULES)


def test_explain_knows_what_was_meant() -> None:
    run = virtmem("explain", "block-below-tph")
    assert run.returncode == 2
    assert run.stderr == "virtmem: there is no rule 'block-below-tph'; did you mean 'block-below-thp'?\n"
    assert virtmem("explain", "--example", "wrong").returncode == 2
