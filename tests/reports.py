"""What `check` writes for programs: of all golden domains, and of files with names that a user may have."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from command import virtmem
from domains import ROOT

from virtmem_cli.document.source import Location
from virtmem_cli.registry import RULES
from virtmem_cli.told import Reported

XML = ROOT / "testdata" / "xml"
GOLDEN = sorted(XML.glob("*.xml"))
WRONG = (XML / "block-not-power-of-two.xml").read_text()
# Files that a user may have. The last is no text in UTF-8.
NAMES = [
    "plain.xml",
    "a folder/with space.xml",
    "100%.xml",
    "%0A.xml",
    "c:d,e::f.xml",
    "ü#?&=+.xml",
    "[1].xml",
    "back\\slash.xml",
    "<stdin>/inside.xml",
    "line\nbreak.xml",
    "carriage\rreturn.xml",
    "\u202eturned.xml",
    os.fsdecode(b"latin-\xe9.xml"),
]


def check(form: str, *arguments: str | Path, given: str = "") -> str:
    run = virtmem("check", "--format", form, *arguments, given=given)
    assert run.code in (0, 1), run.err
    return run.out


@cache
def golden(form: str) -> Any:
    """All golden domains in one document; not to be changed."""
    output = check(form, *GOLDEN)
    return output if form == "github" else json.loads(output)


def findings(document: Any) -> list[tuple[str, Any]]:
    """The findings of JSON, each with its file's name, in the order that all formats have."""
    return [(file["name"], finding) for file in document["files"] for finding in file["findings"]]


def written(name: str, folder: Path, text: str = WRONG) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def reported(rule_id: str, message: str = "message", advice: str = "Advice.") -> Reported:
    rule = RULES[rule_id]
    return Reported(rule_id, rule.severity, rule.refuses, message, advice, Location(1, 1, 1, 1))
