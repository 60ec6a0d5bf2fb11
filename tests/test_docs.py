"""The pages in docs/: what they show is what the command prints, and what is generated is up to date."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import rules_table

from virtmem_cli.registry import RULES

ROOT = Path(__file__).parent.parent
FINDINGS = (ROOT / "docs" / "findings.md").read_text()
LINKING = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_table_of_rules_is_up_to_date() -> None:
    assert rules_table.FILE.read_text() == rules_table.table(), "make docs"


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", path.read_text())


@pytest.mark.parametrize("path", [path for path in LINKING if links(path)], ids=lambda path: path.name)
def test_links_lead_to_what_is_there(path: Path) -> None:
    """A file or folder of ours, and a heading in it where one is named."""
    for target in links(path):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        there = path.parent / name if name else path
        assert there.exists(), target
        assert not anchor or anchor in headings(there), target


def headings(path: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    lines = re.findall("^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.process
def test_the_page_of_findings_shows_what_the_command_prints(tmp_path: Path) -> None:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    steps = re.findall(r"`([a-z]+\.xml)`:\n\n```xml\n(.*?)```|```console\n(.*?)```", FINDINGS, re.DOTALL)
    for name, xml, session in steps:
        if name:
            (tmp_path / name).write_text(xml)
        for command, expected in re.findall(r"\$ (.*)\n((?:(?!\$ ).*\n)*)", session):
            run = subprocess.run(
                ["sh", "-c", f"{command} 2>&1"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
            )
            assert run.stdout == expected
    assert sum(bool(name) for name, _, _ in steps) == 5
    assert sum(session.count("$ virtmem check") for _, _, session in steps) >= 5


def test_the_pages_name_only_rules_that_exist() -> None:
    named = set(re.findall(r"\[([a-z0-9-]+)\]$", FINDINGS, re.MULTILINE)) | set(
        re.findall("ignore=([a-z-]+)", FINDINGS)
    )
    assert named
    assert named <= set(RULES)


def test_the_page_of_tests_has_all_files_of_tests_in_its_table() -> None:
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| [^|]+ \|$", (ROOT / "docs/testing.md").read_text(), re.MULTILINE)
    named = [name for cell in rows for name in re.findall("`(test_[a-z_]+)`", cell)]
    assert sorted(named) == sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))
