"""The annotations that `check` writes for GitHub, held against a parser that reads them as GitHub's runner does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from domains import edited
from judging import document
from reports import NAMES, WRONG, check, findings, golden, reported, written
from runner import Command, commands

from virtmem_cli.document.source import Location
from virtmem_cli.findings import Severity
from virtmem_cli.judgement import Judgement

COMMANDS = {"error": "error", "warning": "warning", "advice": "notice"}


def assert_annotates(command: Command, name: str, finding: Any) -> None:
    """The command is the finding; GitHub drops columns unless the lines are the same, and ends before beginnings."""
    assert command.name == COMMANDS[finding["severity"]]
    assert command.data.startswith(finding["message"])
    assert command.data.endswith(f": {finding['advice']}")
    place = {"line": finding["line"], "endLine": finding["endLine"]}
    if finding["line"] == finding["endLine"] and finding["column"] < finding["endColumn"]:
        place |= {"col": finding["column"], "endColumn": finding["endColumn"]}
    numbers = {key: str(number) for key, number in place.items()}
    assert command.properties == {"file": name, "title": f"virtmem {finding['rule']}", **numbers}


def test_the_parser_reads_the_examples_of_githubs_documentation() -> None:
    output = (
        "::error file=app.js,line=1,col=5,endColumn=7,title=YOUR-TITLE::Missing semicolon\r\n"
        "echo ::warning::not at the beginning\n"
        "  ::notice file=100%25%2C%3A.js,title=::My%0Amulti%3Aline %2525 string\n"
        "::other::no such command\n"
        "::error file=x\n"
        "seen ##[add-mask]secret\n"
        "::Set-Output name=a::b ##[add-mask]c\n"
        "::other::##[debug]d\n"
    )
    assert list(commands(output)) == [
        Command(
            "error",
            {"file": "app.js", "line": "1", "col": "5", "endColumn": "7", "title": "YOUR-TITLE"},
            "Missing semicolon",
        ),
        Command("notice", {"file": "100%,:.js"}, "My\nmulti%3Aline %25 string"),
        Command("add-mask", {}, "secret"),
        Command("Set-Output", {"name": "a"}, "b ##[add-mask]c"),
        Command("debug", {}, "d"),
    ]


def test_github_annotates_all_findings() -> None:
    found = findings(golden("json"))
    annotations = list(commands(golden("github")))
    assert len(golden("github").splitlines()) == len(annotations)
    for command, (name, finding) in zip(annotations, found, strict=True):
        assert_annotates(command, name, finding)
    assert any("col" not in command.properties for command in annotations)


ODD = "100%, 100%25 %0A \n a:b,c::d \r\n ::error file=x,line=1::y"


@pytest.mark.parametrize("severity", Severity)
def test_github_reads_odd_words_back(severity: Severity) -> None:
    one = reported("name-invalid", f"message {ODD}", f"Advice {ODD}")
    one = one._replace(severity=severity, rule=f"odd,rule: {ODD}", hosts=(ODD, "x"), location=Location(2, 3, 2, 9))
    judgement = Judgement(f"name {ODD}.xml", (one,), refused=True, devices=1, source=None)
    output = document("github", judgement, judgement)
    ((name, finding),) = findings(json.loads(document("json", judgement)))
    assert output.count("\n") == 2
    for command in commands(output):
        assert_annotates(command, name, finding)
        assert f"(host {ODD}, x)" in command.data
    assert len(list(commands(output))) == 2


def test_github_reads_odd_values_back(tmp_path: Path) -> None:
    values = ["%0A%3A%2C%25", "&#10;::error file=x,line=1::y", "a:b,c::d", "100%"]
    block = "<block unit='KiB'>"
    assert block in WRONG
    for number, value in enumerate(values):
        written(f"{number}.xml", tmp_path, WRONG.replace(block, f"<block unit='{value}'>"))
    paths = [tmp_path / f"{number}.xml" for number in range(len(values))]
    found = findings(json.loads(check("json", *paths)))
    assert [finding["rule"] for _, finding in found] == ["unit-unknown"] * len(values)
    assert "%0A%3A%2C%25" in found[0][1]["message"]
    output = check("github", *paths)
    assert output.count("\n") == len(values)
    for command, (name, finding) in zip(commands(output), found, strict=True):
        assert_annotates(command, name, finding)


# A command is text, so that a name that is none cannot be in it; and what a terminal would act upon is shown as text
@pytest.mark.parametrize("name", NAMES[:-1], ids=ascii)
def test_github_names_the_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(name, tmp_path)
    (command,) = commands(check("github", name))
    assert command.properties["file"] == name.replace("\u202e", "\\u202e")


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("a%b.xml", "a%25b.xml"),
        ("a:b.xml", "a%3Ab.xml"),
        ("a,b.xml", "a%2Cb.xml"),
        ("a%0A::error::b.xml", "a%250A%3A%3Aerror%3A%3Ab.xml"),
        ("a\nb.xml", "a%0Ab.xml"),
    ],
    ids=ascii,
)
def test_github_gets_a_name_as_its_toolkit_escapes_it(name: str, escaped: str, here: Path) -> None:
    written(name, here)
    out = check("github", name)
    assert out.startswith(f"::error file={escaped},line=")
    assert out.count("\n") == 1


def test_github_gets_a_message_as_its_toolkit_escapes_it() -> None:
    given = edited(WRONG, ("<block unit='KiB'>", "<block unit='%0A::x,y'>"))
    (line,) = check("github", "-", given=given).splitlines()
    properties, message = re.fullmatch(r"::error ([^:]*)::(.*)", line).groups()  # type: ignore[union-attr]
    assert properties.endswith("title=virtmem unit-unknown")
    assert "'%250A::x,y'" in message
