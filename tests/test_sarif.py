"""The SARIF that `check` writes, held against its schema, Microsoft's validator, and the JSON."""

import json
import os
import re
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from command import execute
from domains import ROOT
from jsonschema import Draft7Validator
from lxml import etree
from reports import GOLDEN, NAMES, WRONG, XML, check, findings, golden, written
from small import ODD_NAMES

from virtmem_cli.registry import RULES

MULTITOOL = ROOT / ".tools/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
LEVELS = {"error": "error", "warning": "warning", "advice": "note"}


# The format


@pytest.fixture(scope="session")
def multitool() -> Path:
    path = Path(os.environ.get("VIRTMEM_SARIF_MULTITOOL") or MULTITOOL)
    if not os.access(path, os.X_OK):
        reason = f"SARIF's validator is not at {path}; `make tools` installs it"
        pytest.skip(reason)
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


def test_the_validators_find_what_is_broken(multitool: Path, tmp_path: Path) -> None:
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


# The content


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


OTHER_NAMES = ["a b.xml", "é漢.xml", "a%41%.xml", "a:b,c.xml", "x#y?z.xml", "[red]&<>\"'.xml", "d/<stdin>.xml"]


@pytest.mark.parametrize("name", [*NAMES, *OTHER_NAMES, *ODD_NAMES], ids=ascii)
def test_sarif_has_a_uri_that_leads_to_the_file(name: str, here: Path) -> None:
    written(name, here)
    results = json.loads(check("sarif", name, here / name))["runs"][0]["results"]
    relative, absolute = (one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results)
    assert absolute.startswith("file:///")
    for uri, path in ((relative, name), (absolute.removeprefix("file://"), here / name)):
        assert re.fullmatch(r"([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri)
        assert unquote_to_bytes(uri) == os.fsencode(path)


def test_sarif_names_standard_input() -> None:
    (result,) = json.loads(check("sarif", "-", given=WRONG))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "stdin"}
