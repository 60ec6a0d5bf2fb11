"""Names and values that are not ours: no stream shows one as anything but text."""

import json
import re
from pathlib import Path

import pytest
from command import on_a_terminal, process, without_colour
from small import BLOCK, DOMAIN, NONE, ODD_NAMES, domain, made

from virtmem_cli.text import nearest

pytestmark = pytest.mark.usefixtures("here")
FORMATS = ("text", "json", "github", "sarif")


@pytest.mark.process
@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_a_name_is_not_interpreted(name: str) -> None:
    made(name)
    shown = {form: process("check", "--format", form, name) for form in FORMATS}
    for run in shown.values():
        assert run.code == 1
        assert all(line.isprintable() for line in run.out.replace("\t", " ").split("\n"))
        assert run.err.splitlines()[0] == "1 domain, 1 refused: 1 error"
    assert len(shown["text"].out.splitlines()) == 4
    assert len(shown["github"].out.splitlines()) == 1
    assert [file["name"] for file in json.loads(shown["json"].out)["files"]] == [name]
    assert without_colour(on_a_terminal("check", name).out) == shown["text"].out
    # what stands for a control character is readable, and markup is only text
    literal = re.sub(r"[^ -~]", lambda match: f"\\u{ord(match[0]):04x}", name)
    assert shown["text"].out.startswith(f"{literal}:11: error: ")
    for said in (process("check", f"absent/{name}"), process("check", made(f"none/{name}", NONE))):
        assert said.code in (0, 3)
        assert all(line.isprintable() for line in said.err.split("\n"))
        assert literal in said.err


VALUES = ["[red]x[/red]", "[link=http://example.org]y", "\u202evalue\u2066", "\u009b31m", ":smile:", "\ud7ff\ufdd0%:,"]


@pytest.mark.process
@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_a_value_is_not_interpreted(value: str, here: Path) -> None:
    (here / "odd.xml").write_text(domain((BLOCK, f"<block unit='{value}'>2</block>")))
    shown = {form: process("check", "--format", form, "odd.xml") for form in FORMATS}
    literal = re.sub("[\u202e\u2066\u009b\ud7ff\ufdd0]", lambda match: f"\\u{ord(match[0]):04x}", value)
    for run in shown.values():
        assert run.code == 1
        assert not re.search("[\x1b\u0080-\u009f\u202a-\u202e\u2066-\u2069]", run.out)
    assert f"'{literal}'" in shown["text"].out.splitlines()[0]
    assert literal in shown["text"].out.splitlines()[1]
    assert f"'{literal}'" in json.loads(shown["json"].out)["files"][0]["findings"][0]["message"]
    assert without_colour(on_a_terminal("check", "odd.xml").out) == shown["text"].out


@pytest.mark.process
@pytest.mark.parametrize(
    "words",
    [
        ["--select", "\x1b[31m\u202e"],
        ["--host", "\x1b[31m\u202e"],
        ["--qemu", "\x1b[31m\u202e"],
        ["--schema=\x1b[31m\u202e"],
        ["--host", "odd.toml"],
        ["\x1b[31m\u202e/good.xml"],
    ],
    ids=ascii,
)
def test_a_complaint_is_not_interpreted(words: list[str], here: Path) -> None:
    odd = here / "\x1b[31m\u202e"
    odd.mkdir()
    (odd / "good.xml").write_text(DOMAIN)
    (odd / "virtmem.toml").write_text('"\\u001b[31m\\u202e" = 1')
    (here / "odd.toml").write_text('arch = "\\u001b[31m\\u202e"')
    run = process("check", *words, "-", given=DOMAIN.encode())
    assert run.code in (2, 3)
    assert all(line.isprintable() for line in run.err.split("\n"))
    assert "\\u202e" in run.err


def test_a_word_that_is_cut_short_is_the_one_that_it_begins() -> None:
    """'strict' is as near to 'restrict', and means something else."""
    assert nearest("restrict", ["strict", "preferred", "interleave", "restrictive"]) == "restrictive"
    assert nearest("strikt", ["strict", "restrictive"]) == "strict"
