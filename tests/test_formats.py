"""What `check` writes for programs, held against what the programs say of it.

JSON against docs/check.schema.json, SARIF against its schema and Microsoft's validator, GitHub's workflow commands
against a parser that reads them as GitHub's runner does.
"""

import json
import os
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import pytest
from command import execute, process, virtmem
from domains import ROOT, X86
from jsonschema import Draft7Validator, Draft202012Validator
from judging import document
from lxml import etree

from virtmem_cli.document.source import Location
from virtmem_cli.findings import Part, Refuses, Severity
from virtmem_cli.judgement import Judgement
from virtmem_cli.registry import RULES
from virtmem_cli.told import Reported, ReportedEdit

XML = ROOT / "testdata" / "xml"
GOLDEN = sorted(XML.glob("*.xml"))
SCHEMA: Any = json.loads((ROOT / "docs/check.schema.json").read_text())
MULTITOOL = ROOT / ".tools/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
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


# JSON: the schema is one, says all, and agrees with the code


def objects() -> dict[str, Any]:
    return {"document": SCHEMA, **SCHEMA["$defs"]}


def mistakes(document: Any) -> list[str]:
    """What of a document does not fit; of a choice, what does not fit any."""
    errors = list(Draft202012Validator(SCHEMA).iter_errors(document))
    errors += [inner for error in errors for inner in error.context or []]
    return [f"{error.json_path}: {error.message}" for error in errors]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("name", objects())
def test_the_schema_describes_all(name: str) -> None:
    schema = objects()[name]
    assert schema["additionalProperties"] is False
    assert sorted(schema["required"]) == sorted(schema["properties"])
    assert schema["description"].endswith(".")
    for key, described in schema["properties"].items():
        words = described["description"]
        assert words.endswith("."), key
        assert all(f"{value}: " in words for value in described.get("enum", []) if key != "part"), key
    for part in schema["properties"].get("part", {}).get("enum", []):
        assert re.search(rf"[.] {part}: ", schema["properties"]["part"]["description"])


def test_the_schema_has_the_values_of_the_code() -> None:
    finding, edit = SCHEMA["$defs"]["finding"]["properties"], SCHEMA["$defs"]["edit"]["properties"]
    assert finding["severity"]["enum"] == [severity.value for severity in Severity]
    assert finding["refuses"]["enum"] == [refuses.name.lower() for refuses in Refuses]
    assert edit["part"]["enum"] == [part.value for part in Part]
    assert [rule for rule in RULES if not re.fullmatch(finding["rule"]["pattern"], rule)] == []


# JSON: what is printed fits, and what does not fit is told


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--strict"],
        ["--scope", "machine", "--qemu", "6.2"],
        ["--host", "x86_64", "--host", "aarch64-64k"],
        ["--host", ROOT / "testdata/hosts/small-thp.toml"],
        ["--ignore", "*"],
    ],
    ids=lambda words: " ".join(Path(word).name for word in words) or "none",
)
def test_json_fits_the_schema(options: list[str | Path]) -> None:
    document = json.loads(check("json", *options, *GOLDEN))
    assert mistakes(document) == []
    assert [file["name"] for file in document["files"]] == [str(path) for path in GOLDEN]
    found = [finding for _, finding in findings(document)]
    rules = {finding["rule"] for finding in found}
    assert rules == {"not-a-domain"} if "--ignore" in options else len(rules) > 1
    assert any(finding["hosts"] for finding in found) == (options.count("--host") == 2)


def test_json_of_standard_input_fits_the_schema() -> None:
    document = json.loads(check("json", "-", given=WRONG))
    assert mistakes(document) == []
    assert [file["name"] for file in document["files"]] == ["<stdin>"]


@pytest.mark.parametrize("severity", ["error", "warning", "advice"])
def test_json_of_configured_severities_fits_the_schema(severity: str, tmp_path: Path) -> None:
    written("wrong.xml", tmp_path)
    (tmp_path / "virtmem.toml").write_text(f"rules = {{ block-not-power-of-two = '{severity}' }}\n")
    document = json.loads(check("json", tmp_path / "wrong.xml"))
    assert mistakes(document) == []
    assert [finding["severity"] for _, finding in findings(document)] == [severity]
    assert document["files"][0]["refused"] == (severity == "error")


def reported(rule_id: str, message: str = "message", advice: str = "Advice.") -> Reported:
    rule = RULES[rule_id]
    return Reported(rule_id, rule.severity, rule.refuses, message, advice, Location(1, 1, 1, 1))


@pytest.mark.parametrize("part", Part)
def test_json_of_every_edit_fits_the_schema(part: Part) -> None:
    name = "unit" if part in (Part.ATTRIBUTE, Part.ATTRIBUTE_NAME) else ""
    values = ["", ""] if part is Part.REMOVE else ["1024", "2048"]
    edits = tuple(ReportedEdit(place, part.value, name, value) for place, value in enumerate(values))
    one = reported("value-rounded")._replace(edits=edits, safe=False)
    written = json.loads(document("json", Judgement("x.xml", (one,), refused=False, devices=1, source=None)))
    assert mistakes(written) == []
    edits = written["files"][0]["findings"][0]["repair"]["edits"]
    assert [(edit["element"], edit["part"], edit["value"]) for edit in edits] == [
        (place, part.value, value) for place, value in enumerate(values)
    ]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_json_names_the_file_as_it_was_given(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(name, tmp_path)
    (file,) = json.loads(check("json", name))["files"]
    assert file["name"] == name


def with_a_repair() -> dict[str, Any]:
    """A document and, by the schema's names for them, the objects in it; they may be changed."""
    document = json.loads(check("json", "--select", "attribute-unknown", XML / "many-problems.xml"))
    file = document["files"][0]
    finding = file["findings"][0]
    repair = finding["repair"]
    return {"document": document, "file": file, "finding": finding, "repair": repair, "edit": repair["edits"][0]}


def test_what_is_broken_below_was_good() -> None:
    assert mistakes(with_a_repair()["document"]) == []


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, schema in objects().items() for key in schema["required"]]
)
def test_the_schema_misses_what_is_absent(name: str, key: str) -> None:
    broken = with_a_repair()
    del broken[name][key]
    assert any(f"'{key}' is a required property" in mistake for mistake in mistakes(broken["document"]))


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        *((name, "other", 1) for name in objects()),
        ("document", "version", 2),
        ("document", "virtmem", "new"),
        ("document", "files", {}),
        ("file", "name", ""),
        ("file", "refused", 0),
        ("file", "devices", -1),
        ("file", "findings", None),
        ("finding", "rule", "No Rule"),
        ("finding", "severity", "note"),
        ("finding", "refuses", "LIBVIRT"),
        ("finding", "message", ""),
        ("finding", "advice", None),
        ("finding", "hosts", [1]),
        ("finding", "element", 1.5),
        ("finding", "line", 0),
        ("finding", "column", "1"),
        ("finding", "endLine", None),
        ("finding", "endColumn", 0),
        ("finding", "repair", {}),
        ("repair", "safe", None),
        ("repair", "edits", []),
        ("edit", "element", -1),
        ("edit", "part", "comment"),
        ("edit", "name", ""),
        ("edit", "value", 1),
    ],
)
def test_the_schema_refuses_what_is_wrong(name: str, key: str, value: object) -> None:
    broken = with_a_repair()
    broken[name][key] = value
    assert mistakes(broken["document"])


# SARIF: the format


@pytest.fixture(scope="session")
def multitool(request: pytest.FixtureRequest) -> Path:
    path = Path(os.environ.get("VIRTMEM_SARIF_MULTITOOL") or MULTITOOL)
    if not os.access(path, os.X_OK):
        reason = f"SARIF's validator is not at {path}; `make tools` installs it"
        (pytest.fail if request.config.getoption("--real") else pytest.skip)(reason)
    return path


def complaints(log: object, multitool: Path, folder: Path) -> list[str]:
    """What the multitool says of a log, each with the rule of its own. Its exit status says nothing."""
    path = folder / "log.sarif"
    path.write_text(json.dumps(log))
    run = execute([multitool, "validate", path], DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1")
    assert "Done. 1 files scanned" in run.out, run.out + run.err
    lines = run.out.replace(str(path), "").splitlines()
    # SARIF2005 wants the address of a home page, which there is none of
    found = [line for line in lines if re.search(r": (error|warning) [A-Z]+[0-9]+", line)]
    return [line for line in found if "SARIF2005" not in line]


def violations(log: object, multitool: Path) -> list[str]:
    """What SARIF's own schema says of a log; the multitool overlooks some of it."""
    schema = json.loads((multitool.parent / "sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    return [f"{error.validator} {error.json_path}" for error in Draft7Validator(schema).iter_errors(log)]


@pytest.mark.parametrize("what", ["golden", "nothing found", "two hosts", "odd names"])
def test_sarif_is_valid(what: str, multitool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        written(name, tmp_path)
    arguments: dict[str, list[str | Path]] = {
        "nothing found": [XML / "minimal.xml"],
        "two hosts": ["--host", "x86_64", "--host", "aarch64-64k", *GOLDEN],
        "odd names": list(NAMES),
    }
    log = golden("sarif") if what == "golden" else json.loads(check("sarif", *arguments[what]))
    assert violations(log, multitool) == []
    assert complaints(log, multitool, tmp_path) == []


def test_broken_sarif_is_told(multitool: Path, tmp_path: Path) -> None:
    nameless, typed, level = (deepcopy(golden("sarif")) for _ in range(3))
    del nameless["runs"][0]["tool"]["driver"]["name"]
    typed["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = "1"
    level["runs"][0]["results"][0]["level"] = "fatal"
    region = "$.runs[0].results[0].locations[0].physicalLocation.region"
    assert violations(nameless, multitool) == ["required $.runs[0].tool.driver"]
    assert violations(typed, multitool) == [f"type {region}.startLine"]
    assert violations(level, multitool) == ["enum $.runs[0].results[0].level"]
    assert "error JSON1002: runs[0].tool.driver" in "".join(complaints(nameless, multitool, tmp_path))
    assert "error JSON1001: runs[0].results[0]" in "".join(complaints(typed, multitool, tmp_path))


# SARIF: the content

LEVELS = {"error": "error", "warning": "warning", "advice": "note"}


def test_sarif_helps_with_every_rule() -> None:
    rules = golden("sarif")["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    for rule in rules:
        texts = [rule["shortDescription"]["text"], rule["fullDescription"]["text"]]
        assert all(text.endswith(".") for text in texts)
        assert all(texts[1] in words.replace("`", "") for words in rule["help"].values())
        assert "--- wrong.xml\n+++ right.xml\n@@ " in rule["help"]["text"]
        assert "```diff\n--- wrong.xml\n" in rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] == LEVELS[RULES[rule["id"]].severity.value]
        # More than GitHub shows would be cut
        assert max(map(len, texts)) <= 1024


def test_sarif_says_what_json_says() -> None:
    run = golden("sarif")["runs"][0]
    found = findings(golden("json"))
    assert len(run["results"]) == len(found) > 200
    for result, (_, finding) in zip(run["results"], found, strict=True):
        assert result["ruleId"] == finding["rule"]
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == finding["rule"]
        assert result["level"] == LEVELS[finding["severity"]]
        assert result["message"]["text"].startswith(finding["message"])
        assert result["message"]["text"].endswith(f": {finding['advice']}")


def test_sarif_doubles_braces(tmp_path: Path) -> None:
    """Single ones would be placeholders, which a reader replaces (SARIF 2.1.0, 3.11.5)."""
    written("wrong.xml", tmp_path, WRONG.replace("<block unit='KiB'>", "<block unit='{0}'>"))
    (result,) = json.loads(check("sarif", tmp_path / "wrong.xml"))["runs"][0]["results"]
    assert result["message"]["text"].startswith("<block> has the unit '{{0}}'.")


def test_sarif_has_the_configured_severity(tmp_path: Path) -> None:
    written("wrong.xml", tmp_path)
    (tmp_path / "virtmem.toml").write_text("rules = { block-not-power-of-two = 'advice' }\n")
    run = json.loads(check("sarif", tmp_path / "wrong.xml"))["runs"][0]
    assert [result["level"] for result in run["results"]] == ["note"]
    rule = run["tool"]["driver"]["rules"][run["results"][0]["ruleIndex"]]
    assert rule["defaultConfiguration"]["level"] == "error"


def cut(text: str, region: Any) -> str:
    """What of the text a region means, which must be in it."""
    lines = text.split("\n")
    first, last = region["startLine"], region["endLine"]
    start, end = region["startColumn"], region.get("endColumn", len(lines[last - 1]) + 1)
    assert 1 <= first <= last <= len(lines)
    assert 1 <= start <= len(lines[first - 1]) + 1
    assert 1 <= end <= len(lines[last - 1]) + 1
    assert (first, start) <= (last, end)
    marked = [*lines[first - 1 : last - 1], lines[last - 1][: end - 1]]
    return "\n".join(marked)[start - 1 :]


def holds_the_element(piece: str, data: bytes, place: int) -> bool:
    """Whether a piece of XML is that element, or its start tag."""
    element = list(etree.fromstring(data).iter(etree.Element))[place]
    name = etree.QName(element).localname
    name = f"{element.prefix}:{name}" if element.prefix else name
    return re.match(rf"<{re.escape(name)}[\s/>]", piece) is not None and piece.endswith(">")


def test_sarif_regions_hold_their_elements() -> None:
    run = golden("sarif")["runs"][0]
    assert run["columnKind"] == "unicodeCodePoints"
    for result, (name, finding) in zip(run["results"], findings(golden("json")), strict=True):
        physical = result["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == f"file://{name}"
        data = Path(name).read_bytes()
        piece = cut(data.decode(), physical["region"])
        if finding["rule"] != "not-a-domain":
            assert holds_the_element(piece, data, finding["element"]), (name, piece)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "iso-8859-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_regions_count_characters(encoding: str, end: str, tmp_path: Path) -> None:
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    wide = "é" if encoding == "iso-8859-1" else "é😀\u0301"
    text = f"<?xml version='1.0' encoding='{declared}'?>\n" + WRONG.replace("<block", f"<!--\t{wide}--><block")
    data = text.replace("\n", end).encode(encoding)
    (tmp_path / "x.xml").write_bytes(data)
    (result,) = json.loads(check("sarif", tmp_path / "x.xml"))["runs"][0]["results"]
    (_, finding), *more = findings(json.loads(check("json", tmp_path / "x.xml")))
    region = result["locations"][0]["physicalLocation"]["region"]
    piece = cut(data.decode(encoding), region)
    assert re.fullmatch(r"<block [^<]*</block>", piece)
    keys = {"startLine": "line", "startColumn": "column", "endLine": "endLine", "endColumn": "endColumn"}
    assert {key: finding[ours] for key, ours in keys.items()} == region
    assert more == []


@pytest.mark.parametrize(
    "text", ["", "text", "<domain>", "<domain>\n", "<domain>\n  <name>\n</domain>\n", "<network/>"]
)
def test_regions_of_what_is_no_domain_are_in_the_file(text: str, tmp_path: Path) -> None:
    written("x.xml", tmp_path, text)
    (result,) = json.loads(check("sarif", tmp_path / "x.xml"))["runs"][0]["results"]
    assert result["ruleId"] == "not-a-domain"
    cut(text, result["locations"][0]["physicalLocation"]["region"])


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_sarif_names_the_file_by_its_uri(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(name, tmp_path)
    results = json.loads(check("sarif", name, tmp_path / name))["runs"][0]["results"]
    relative, absolute = (one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results)
    assert re.fullmatch(r"([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", relative)
    assert unquote_to_bytes(relative) == os.fsencode(name)
    assert absolute.startswith("file:///")
    assert unquote_to_bytes(absolute.removeprefix("file://")) == os.fsencode(tmp_path / name)


def test_sarif_names_standard_input() -> None:
    (result,) = json.loads(check("sarif", "-", given=WRONG))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "stdin"}


# GitHub


class Command(NamedTuple):
    """A workflow command, as the runner has it after parsing."""

    name: str
    properties: dict[str, str]
    data: str


def unescaped(text: str, codes: str) -> str:
    """Escapes undone as the runner does it: one character after the other, '%' last, and no others."""
    for character in f"{codes}%":
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def commands(output: str) -> Iterator[Command]:
    """The workflow commands in a job's output: `::name key=value,key=value::data`, each on a line of its own."""
    for line in re.split("\r\n|\r|\n", output):
        head, separator, data = line.lstrip().removeprefix("::").partition("::")
        name, _, words = head.partition(" ")
        if not line.lstrip().startswith("::") or not separator or name not in ("error", "warning", "notice"):
            continue  # the runner prints such a line
        pairs = (pair.partition("=") for pair in words.strip().split(","))
        properties = {key: unescaped(value, "\r\n:,") for key, _, value in pairs if key and value}
        yield Command(name, properties, unescaped(data, "\r\n"))


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
        "::error file=x"
    )
    assert list(commands(output)) == [
        Command(
            "error",
            {"file": "app.js", "line": "1", "col": "5", "endColumn": "7", "title": "YOUR-TITLE"},
            "Missing semicolon",
        ),
        Command("notice", {"file": "100%,:.js"}, "My\nmulti%3Aline %25 string"),
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


@pytest.mark.process
def test_an_input_that_cannot_be_read_is_in_every_report(tmp_path: Path) -> None:
    """What is missing from a report must show in it, or an incomplete run looks like a clean one."""
    (tmp_path / "good.xml").write_text(X86)

    def printed(form: str) -> str:
        run = process("check", "--format", form, "absent.xml", "good.xml", cwd=tmp_path)
        assert run.code == 3
        return run.out

    words = "absent.xml: cannot be read: No such file or directory"
    assert json.loads(printed("json"))["unread"] == [{"name": "absent.xml", "message": words}]
    assert printed("github") == f"::error file=absent.xml::{words}\n"
    (invocation,) = json.loads(printed("sarif"))["runs"][0]["invocations"]
    assert not invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"][0]["message"] == {"text": words}
