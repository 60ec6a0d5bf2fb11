"""The JSON that `check` writes, held against docs/check.schema.json, and that against the code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from domains import ROOT
from jsonschema import Draft202012Validator
from judging import document
from reports import GOLDEN, NAMES, WRONG, XML, check, findings, reported, written

from virtmem_cli.findings import Part, Refuses, Severity
from virtmem_cli.judgement import Judgement
from virtmem_cli.registry import RULES
from virtmem_cli.told import ReportedEdit

SCHEMA: Any = json.loads((ROOT / "docs/check.schema.json").read_text())


# The schema is one, says all, and agrees with the code


def objects() -> dict[str, Any]:
    return {"document": SCHEMA, **SCHEMA["$defs"]}


def mistakes(document: Any) -> list[str]:
    """What of a document does not fit; of a choice, what does not fit any."""
    errors = list(Draft202012Validator(SCHEMA).iter_errors(document))
    errors += [inner for error in errors for inner in error.context or []]
    return [f"{error.json_path}: {error.message}" for error in errors]


def test_the_schema_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("name", objects())
def test_the_schema_describes_and_requires_every_key(name: str) -> None:
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


# What is printed fits, and what does not fit is told


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


def test_the_document_that_is_broken_below_fits_the_schema() -> None:
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
