"""`virtmem check` as a user has it: what is said, where it goes, who may silence it, and the exit code."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from command import Run, check, check_json, on_a_terminal, process, virtmem, without_colour
from domains import edited
from rich.cells import cell_len

from virtmem_cli.findings import Refuses, Severity
from virtmem_cli.registry import RULES
from virtmem_cli.rulebook import page
from virtmem_cli.rules.advice import THRESHOLDS
from virtmem_cli.units import GIB, KIB, MIB

FORMATS = ("text", "json", "github", "sarif")
DOMAIN = """<domain type='kvm'>
  <name>guest</name>
  <maxMemory slots='1' unit='GiB'>16</maxMemory>
  <memory unit='GiB'>6</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <memory model='virtio-mem'>
      <target>
        <size unit='GiB'>2</size>
        <node>0</node>
        <block unit='MiB'>2</block>
      </target>
    </memory>
  </devices>
</domain>
"""
BLOCK, BAD = "<block unit='MiB'>2</block>", "<block unit='MiB'>3</block>"
MISSPELT = "<requestd>1</requestd>"


def domain(*changes: tuple[str, str]) -> str:
    """DOMAIN with changes, each of them once."""
    return edited(DOMAIN, *changes)


WRONG = domain((BLOCK, BAD))
WARNED = domain((BLOCK, BLOCK + MISSPELT))
ADVISED = domain(("'GiB'>6", "'GiB'>10"), ("'GiB'>2", "'GiB'>8"))
NONE = domain(("model='virtio-mem'", "model='dimm'"), (BLOCK, ""))
FILES = {"good": DOMAIN, "wrong": WRONG, "warned": WARNED, "advised": ADVISED, "none": NONE, "empty": ""}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, and no configuration of this machine reaches it."""
    (tmp_path / "virtmem.toml").write_text("")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def files(here: Path) -> Path:
    for name, xml in FILES.items():
        (here / f"{name}.xml").write_text(xml)
    return here


# Exit codes


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("good.xml", 0),
        ("none.xml", 0),
        ("warned.xml", 0),
        ("advised.xml", 0),
        ("good.xml none.xml warned.xml advised.xml", 0),
        ("--strict advised.xml", 0),
        ("--strict warned.xml", 1),
        ("wrong.xml", 1),
        ("empty.xml", 1),
        ("wrong.xml good.xml", 1),
        ("bad/good.xml wrong.xml", 2),
        ("bad/good.xml good.xml", 2),
        ("absent.xml", 3),
        (".", 3),
        ("good.xml absent.xml wrong.xml", 3),
        ("bad/good.xml absent.xml", 3),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_the_worst_code_counts(form: str, words: str, code: int, files: Path) -> None:
    (files / "bad").mkdir()
    (files / "bad/good.xml").write_text(DOMAIN)
    (files / "bad/virtmem.toml").write_text("slect = []")
    assert check("--format", form, *words.split()).code == code


def test_all_files_are_done_in_their_order(files: Path) -> None:
    (files / "bad").mkdir()
    (files / "bad/good.xml").write_text(DOMAIN)
    (files / "bad/virtmem.toml").write_text("slect = []")
    run = check_json("wrong.xml", "absent.xml", "warned.xml", "bad/good.xml", "good.xml", "empty.xml")
    assert run.code == 3
    done = [(file["name"], file["refused"]) for file in json.loads(run.out)["files"]]
    assert done == [("wrong.xml", True), ("warned.xml", False), ("good.xml", False), ("empty.xml", True)]
    assert [line.split(": ")[1] for line in run.err.splitlines()[:2]] == [
        "absent.xml",
        str(files / "bad/virtmem.toml"),
    ]


@pytest.mark.process
@pytest.mark.parametrize("form", FORMATS)
def test_jobs_change_nothing(form: str, files: Path) -> None:
    names = [f"{name}.xml" for name in [*FILES, "absent", *reversed(FILES)]]
    one, four = (process("check", "--format", form, "-j", jobs, *names) for jobs in ("1", "4"))
    assert one == four
    assert one.code == 3
    assert one.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--select", "block-below-tph"], "--select: there is no rule 'block-below-tph'; did you mean 'block-below-t"),
        (["--ignore", "movable-ration"], "--ignore: there is no rule 'movable-ration'; did you mean 'movable-ratio'?"),
        (["--select", "pic-*"], "--select: there is no rule 'pic-*'"),
        (["--select", "pci-*,nonsense"], "--select: there is no rule 'nonsense'"),
        (["--host", "x86-64"], "--host"),
        (["--host", "aarch64-64K"], "--host"),
        (["--format", "yaml"], "yaml"),
        (["--qemu", "new"], "--qemu 'new'"),
        (["--no-such"], "--no-such"),
        (["-"], "'-' is given twice"),
    ],
    ids=str,
)
def test_wrong_usage_is_2_and_nothing_is_done(words: list[str], said: str, files: Path) -> None:
    run = check(*words, "-", "wrong.xml", given=DOMAIN)
    assert (run.code, run.out) == (2, "")
    assert said in run.err


def test_no_file_is_wrong_usage() -> None:
    assert check().code == 2


@pytest.mark.parametrize("words", [["--select", "movable-ratio"], ["--ignore", "not-a-domain"]], ids=" ".join)
def test_what_is_no_domain_is_never_good(words: list[str], files: Path) -> None:
    run = check(*words, "empty.xml")
    assert run.code == 1
    assert "empty.xml" in run.out + run.err


# Streams


@pytest.mark.process
def test_text_goes_to_standard_output_and_the_summary_to_standard_error(files: Path) -> None:
    run = process("check", "wrong.xml", "good.xml", "none.xml", "warned.xml", "advised.xml")
    assert run.code == 1
    assert [line for line in run.out.splitlines() if not line.startswith(" ")] == [
        "wrong.xml:11: error: <block> is 3 MiB, which is not a power of two [block-not-power-of-two]",
        "warned.xml:11: warning: <requestd> in <target> is unknown to libvirt, which ignores it [element-unknown]",
        "advised.xml:7: advice: hotplugged memory of up to 8 GiB is 4.0 times boot memory of 2 GiB: where it is "
        "onlined as movable, the kernel runs out of memory for itself [movable-ratio]",
    ]
    assert run.err.splitlines()[:2] == [
        "none.xml: no <memory model='virtio-mem'> in this domain, so there is nothing to check",
        "5 domains, 1 refused: 1 error, 1 warning, 1 piece of advice",
    ]


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("good", "1 domain: nothing found"),
        ("wrong", "1 domain, 1 refused: 1 error"),
        ("warned", "1 domain: 1 warning"),
        ("advised", "1 domain: 1 piece of advice"),
        ("empty", "1 domain, 1 refused: 1 error"),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_the_summary_is_the_same_in_every_format(form: str, name: str, summary: str, files: Path) -> None:
    assert check("--format", form, f"{name}.xml").err.splitlines()[0] == summary


@pytest.mark.process
def test_documents_stand_alone(files: Path) -> None:
    names = [f"{name}.xml" for name in FILES]
    document = json.loads(process("check", "--format", "json", *names, "absent.xml").out)
    assert [file["name"] for file in document["files"]] == names
    assert [file["devices"] for file in document["files"]] == [1, 1, 1, 1, 0, 0]
    assert [file["name"] for file in document["unread"]] == ["absent.xml"]
    results = json.loads(process("check", "--format", "sarif", *names, "absent.xml").out)["runs"][0]["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("block-not-power-of-two", "error"),
        ("element-unknown", "warning"),
        ("movable-ratio", "note"),
        ("not-a-domain", "error"),
    ]
    lines = process("check", "--format", "github", *names, "absent.xml").out.splitlines()
    assert [line.split()[0] for line in lines] == ["::error", "::warning", "::notice", "::error", "::error"]


@pytest.mark.process
def test_an_input_that_cannot_be_read_is_in_every_report(files: Path) -> None:
    """What is missing from a report must show in it, or an incomplete run looks like a clean one."""

    def printed(form: str) -> str:
        run = process("check", "--format", form, "absent.xml", "good.xml")
        assert run.code == 3
        return run.out

    words = "absent.xml: cannot be read: No such file or directory"
    assert json.loads(printed("json"))["unread"] == [{"name": "absent.xml", "message": words}]
    assert printed("github") == f"::error file=absent.xml::{words}\n"
    (invocation,) = json.loads(printed("sarif"))["runs"][0]["invocations"]
    assert not invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"][0]["message"] == {"text": words}


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_a_document_of_nothing_is_one(form: str) -> None:
    run = check("--format", form, "absent.xml")
    assert run.code == 3
    assert json.loads(run.out)


@pytest.mark.process
@pytest.mark.parametrize("form", ["text", "github"])
def test_a_good_domain_prints_nothing(form: str, files: Path) -> None:
    assert process("check", "--format", form, "good.xml").out == ""


def test_every_format_has_the_same_place(files: Path) -> None:
    finding = check_json("wrong.xml").file()["findings"][0]
    place = [finding[key] for key in ("line", "column", "endLine", "endColumn")]
    assert place == [11, 9, 11, 9 + len(BAD)]
    (result,) = json.loads(check("--format", "sarif", "wrong.xml").out)["runs"][0]["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert [region[key] for key in ("startLine", "startColumn", "endLine", "endColumn")] == place
    assert check("--format", "github", "wrong.xml").out.startswith(
        f"::error file=wrong.xml,line=11,endLine=11,col=9,endColumn={9 + len(BAD)},title=virtmem block-not-power-of-two"
    )


@pytest.mark.process
def test_standard_input_has_a_name() -> None:
    run = process("check", "-", given=WRONG.encode())
    assert run.code == 1
    assert run.out.startswith("<stdin>:11: error: ")
    assert check_json("-", given=WRONG).file()["name"] == "<stdin>"
    assert check("-", given=NONE).err.startswith("<stdin>: no <memory model='virtio-mem'>")


@pytest.mark.process
def test_standard_input_stands_among_files(files: Path) -> None:
    run = check_json("-j", "4", "good.xml", "-", "wrong.xml", given=WARNED)
    assert [file["name"] for file in json.loads(run.out)["files"]] == ["good.xml", "<stdin>", "wrong.xml"]


# Text


def test_text_is_the_place_the_source_and_what_to_write() -> None:
    assert check("-", given=WRONG).out == (
        "<stdin>:11: error: <block> is 3 MiB, which is not a power of two [block-not-power-of-two]\n"
        f" 11 |         {BAD}\n"
        f"    |         {'^' * len(BAD)}\n"
        f"    = libvirt and QEMU refuse: {check_json('-', given=WRONG).file()['findings'][0]['advice']}\n"
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("block-below-thp", "libvirt refuses"),
        ("size-not-block-multiple", "QEMU refuses"),
        ("block-not-power-of-two", "libvirt and QEMU refuse"),
        ("requested-above-size", "libvirt refuses, QEMU starts and never converges"),
        ("domain-type", "cannot be converted"),
        ("element-unknown", "works, but"),
    ],
)
def test_text_says_who_refuses(rule: str, words: str) -> None:
    xml = page(rule).wrong
    advice = check_json("-", given=xml).file()["findings"][0]["advice"]
    assert f"= {words}: {advice}\n" in check("-", given=xml).out


def test_every_refusal_has_words() -> None:
    shown = ("block-below-thp", "size-not-block-multiple", "block-not-power-of-two", "requested-above-size")
    assert {RULES[rule].refuses for rule in (*shown, "domain-type", "element-unknown")} == set(Refuses)


def excerpt(text: str, element: str) -> str:
    """The excerpt of the only finding; holds that the carets are under just this element, as a terminal shows it."""
    _, shown, marks, _ = text.splitlines()
    assert shown.count(element) == 1
    before = shown[: shown.index(element)]
    assert before.isprintable()  # no tab either, which is as wide as a terminal likes
    assert "\\u0009" not in before
    margin, carets = re.fullmatch(r"( +\| )( *\^+)", marks, re.DOTALL).groups()  # type: ignore[union-attr]
    assert margin + carets == margin + " " * (cell_len(before) - len(margin)) + "^" * cell_len(element)
    return shown


@pytest.mark.parametrize(
    "before",
    [
        "",
        "        ",
        "\t\t",
        "  \t \t",
        "<!-- 漢字かな -->",
        "<!-- ＡＢ ｱｲ -->",
        "<!-- 한글 -->",
        "<!-- e\u0301a\u0308\u0323 -->",
        "<!-- กั่ -->",
        "<!-- कुर्सु -->",
        "<!-- \U0001f600 -->",
        "<!-- שלום -->",
        "<!-- \u202e\u2066\u200b -->",
        "<!-- \u009b31m\u0085 -->",
        "<a b='\t'/>",
        "\u2028",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("element", [BAD, "<block unit='MiB'>3<!-- 漢 e\u0301 --></block>"], ids=ascii)
def test_carets_are_under_the_element(before: str, element: str) -> None:
    xml = domain((f"        {BLOCK}", before + element))
    excerpt(check("--select", "block-not-power-of-two", "-", given=xml).out, element)


@pytest.mark.parametrize("after", ["", "   ", "\t", "<!-- 漢 -->", "<!-- \u202e -->"], ids=ascii)
def test_what_follows_the_element_is_not_marked(after: str) -> None:
    excerpt(check("-", given=domain((BLOCK, BAD + after))).out, BAD)


def test_windows_line_ends_are_none_of_the_text() -> None:
    assert check("-", given=WRONG.replace("\n", "\r\n").encode()) == check("-", given=WRONG)


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=ascii)
def test_a_tag_of_several_lines_is_where_it_begins(end: str) -> None:
    tag = f"<memory{end}      access='none'{end}      model='virtio-mem'>"
    xml = domain(("<memory model='virtio-mem'>", tag)).encode()
    place, shown, marks, _ = check("-", given=xml).out.split("\n")[:4]
    assert place.startswith("<stdin>:7: error: ")
    assert shown == " 7 |     <memory"
    assert marks == "   |     ^^^^^^^"
    finding = check_json("-", given=xml).file()["findings"][0]
    assert [finding[key] for key in ("line", "column", "endLine", "endColumn")] == [7, 5, 9, 26]


@pytest.mark.parametrize("at", [0, 3000, 6000])
@pytest.mark.parametrize("filling", ["x", "漢", "e\u0301", "\u202e"], ids=ascii)
def test_a_long_line_is_cut_around_the_element(filling: str, at: int) -> None:
    """A whole domain on one line, which is cut before and after what is wrong."""
    before, after = filling * at, filling * (6000 - at)
    xml = f"<!--{before}-->{WRONG}<!--{after}-->".replace("\n", "")
    assert len(xml) > 5000
    out = check("-", given=xml).out
    shown = excerpt(out, BAD)
    assert max(map(cell_len, out.splitlines()[1:3])) <= 250
    assert shown.endswith("…")
    assert shown.startswith(" 1 | …")


def test_a_long_element_is_cut_too() -> None:
    _, shown, marks, _ = check("-", given=domain((BLOCK, f"<block unit='MiB'>3{' ' * 6000}</block>"))).out.splitlines()
    assert "<block unit='MiB'>3" in shown
    assert len(marks) <= len(shown) <= 250


def test_an_escape_of_a_tag_or_a_comment_is_no_element() -> None:
    decoy = f"<!-- {BAD} --><![CDATA[{BAD}]]>"
    run = check_json("-", given=domain((f"        {BLOCK}", f"{decoy}{BAD}")))
    assert [finding["column"] for finding in run.file()["findings"]] == [len(decoy) + 1]


# A terminal

TERMINAL = WRONG.replace(BAD, f"{BAD} <!-- 漢 e\u0301 {'y' * 200} -->   ").replace(
    "</target>", f"{MISSPELT}\t\n</target>"
)


@pytest.mark.process
@pytest.mark.parametrize("columns", [1, 20, 80, 1000])
def test_a_terminal_gets_the_same_words_in_colour(columns: int, here: Path) -> None:
    (here / "all.xml").write_text(TERMINAL)
    shown = on_a_terminal("check", "all.xml", columns=columns, COLUMNS=str(columns)).out
    assert "\x1b[1;31merror: \x1b[0m" in shown
    assert "\x1b[1;33mwarning: \x1b[0m" in shown
    assert without_colour(shown) == process("check", "all.xml").out


@pytest.mark.process
def test_no_colour_where_none_is_wanted(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "all.xml").write_text(TERMINAL)
    plain = process("check", "all.xml").out
    assert "\x1b" not in plain
    assert on_a_terminal("check", "all.xml", NO_COLOR="1").out == plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert process("check", "all.xml").out == plain


@pytest.mark.process
@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_other_formats_have_no_colour_on_a_terminal(form: str, files: Path) -> None:
    assert (
        on_a_terminal("check", "--format", form, "wrong.xml").out == process("check", "--format", form, "wrong.xml").out
    )


@pytest.mark.process
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_of_another_encoding_gets_all_lines(encoding: str, here: Path) -> None:
    (here / "all.xml").write_text(TERMINAL)
    shown = without_colour(on_a_terminal("check", "all.xml", PYTHONIOENCODING=encoding).out)
    assert len(shown.splitlines()) == len(process("check", "all.xml").out.splitlines())


# What is not ours: names and values

ODD_NAMES = [
    "\x1b[31mred\x1b[0m.xml",
    "\x1b]0;title\x07.xml",
    "\u009b31m.xml",
    "[red]x[/red].xml",
    "[link=http:/example.org]y.xml",
    "\u202egnp.xml",
    "\u2066x\u2069.xml",
    "a\nb.xml",
    "a\r\tb.xml",
    os.fsdecode(b"\xff\x80.xml"),
]


def odd_file(name: str, xml: str = WRONG) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(xml)
    return name


@pytest.mark.process
@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_a_name_is_not_interpreted(name: str) -> None:
    odd_file(name)
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
    for said in (process("check", f"absent/{name}"), process("check", odd_file(f"none/{name}", NONE))):
        assert said.code in (0, 3)
        assert all(line.isprintable() for line in said.err.split("\n"))
        assert literal in said.err


VALUES = ["[red]x[/red]", "[link=http://example.org]y", "\u202evalue\u2066", "\u009b31m", ":smile:", "\ud7ff\ufdd0%:,"]


@pytest.mark.process
@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_a_value_is_not_interpreted(value: str, here: Path) -> None:
    (here / "odd.xml").write_text(domain((BLOCK, f"<block unit='{value}'>2</block>")))
    shown = {form: process("check", "--format", form, "odd.xml") for form in FORMATS}
    literal = re.sub("[\u202e\u2066\u009b]", lambda match: f"\\u{ord(match[0]):04x}", value)
    for run in shown.values():
        assert run.code == 1
        assert not re.search("[\x1b\u0080-\u009f\u202a-\u202e\u2066-\u2069]", run.out)
    assert f"'{literal}'" in shown["text"].out.splitlines()[0]
    assert literal in shown["text"].out.splitlines()[1]
    assert f"'{literal}'" in json.loads(shown["json"].out)["files"][0]["findings"][0]["message"]
    assert without_colour(on_a_terminal("check", "odd.xml").out) == shown["text"].out


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
def test_github_gets_a_name_as_its_toolkit_escapes_it(name: str, escaped: str) -> None:
    out = check("--format", "github", odd_file(name)).out
    assert out.startswith(f"::error file={escaped},line=11,")
    assert out.count("\n") == 1


def test_github_gets_a_message_as_its_toolkit_escapes_it() -> None:
    (line,) = check("--format", "github", "-", given=domain(("'MiB'>2", "'%0A::x,y'>2"))).out.splitlines()
    properties, message = re.fullmatch(r"::error ([^:]*)::(.*)", line).groups()  # type: ignore[union-attr]
    assert properties.endswith("title=virtmem unit-unknown")
    assert "'%250A::x,y'" in message


@pytest.mark.parametrize(
    "name",
    ["a b.xml", "é漢.xml", "a%41%.xml", "a:b,c.xml", "x#y?z.xml", "[red]&<>\"'.xml", "d/<stdin>.xml", *ODD_NAMES],
    ids=ascii,
)
@pytest.mark.parametrize("absolute", [False, True])
def test_sarif_has_a_uri_that_leads_to_the_file(absolute: bool, name: str, here: Path) -> None:
    given = str(here / odd_file(name)) if absolute else odd_file(name)
    (result,) = json.loads(check("--format", "sarif", given).out)["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9/%._~:-]+", uri)
    assert urlsplit(uri).scheme == ("file" if absolute else "")
    assert os.fsdecode(unquote_to_bytes(urlsplit(uri).path)) == given


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


# Configuration

OFF = "ignore = ['block-not-power-of-two']"


def configure(folder: Path | str, text: str, name: str = "virtmem.toml") -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / name).write_text(text)


def in_folder(folder: Path | str, xml: str) -> str:
    """A domain in a folder; its path."""
    return odd_file(f"{folder}/guest.xml", xml)


def test_configuration_is_found_upwards_from_the_input(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("project", OFF)
    xml = in_folder("project/a/b", WRONG)
    other = in_folder("elsewhere", WRONG)
    assert [check(xml).code, check(other).code, check(xml, other).code] == [0, 1, 1]
    monkeypatch.chdir(here / "project")
    assert [check(f"../{xml}").code, check(f"../{other}").code] == [0, 1]


def test_standard_input_is_configured_from_the_current_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("project", OFF)
    (here / "project/a").mkdir()
    assert check("-", given=WRONG).code == 1
    monkeypatch.chdir(here / "project/a")
    assert check("-", given=WRONG).code == 0


BOTH = ADVISED.replace(BLOCK, BAD)
NO_BLOCK, NO_RATIO = "ignore = ['block-*']", "rules = { movable-ratio = 'off' }"


@pytest.mark.parametrize(
    ("configurations", "left"),
    [
        ({"a/b/virtmem.toml": NO_BLOCK}, "movable-ratio"),
        ({"a/virtmem.toml": NO_BLOCK}, "movable-ratio"),
        ({"a/b/pyproject.toml": f"[tool.virtmem]\n{NO_BLOCK}"}, "movable-ratio"),
        ({"a/pyproject.toml": f"[tool.virtmem]\n{NO_BLOCK}"}, "movable-ratio"),
        # a nearer one, and virtmem.toml before pyproject.toml
        ({"a/b/virtmem.toml": NO_BLOCK, "a/virtmem.toml": NO_RATIO}, "movable-ratio"),
        ({"a/b/virtmem.toml": "", "a/virtmem.toml": NO_RATIO}, "block-not-power-of-two movable-ratio"),
        ({"a/b/pyproject.toml": "[tool.virtmem]", "a/virtmem.toml": NO_RATIO}, "block-not-power-of-two movable-ratio"),
        ({"a/b/pyproject.toml": f"[tool.virtmem]\n{NO_BLOCK}", "a/virtmem.toml": NO_RATIO}, "movable-ratio"),
        ({"a/b/virtmem.toml": NO_BLOCK, "a/b/pyproject.toml": "[tool.virtmem]\nstrange = 1"}, "movable-ratio"),
        # what is none of ours is passed over
        ({"a/b/pyproject.toml": NO_RATIO, "a/virtmem.toml": NO_BLOCK}, "movable-ratio"),
        ({"a/b/pyproject.toml": "[project]\nname = 'virtmem'", "a/virtmem.toml": NO_BLOCK}, "movable-ratio"),
        ({"a/b/pyproject.toml": "[tool.x]\nvirtmem = 1", "a/virtmem.toml": NO_BLOCK}, "movable-ratio"),
        ({"a/b/pyproject.toml": "tool = 'virtmem'", "a/virtmem.toml": NO_BLOCK}, "movable-ratio"),
        ({"a/b/pyproject.toml": "this is not TOML", "a/virtmem.toml": NO_BLOCK}, "movable-ratio"),
        ({"a/b/virtmem.toml/x": "", "a/virtmem.toml": NO_BLOCK}, "movable-ratio"),
        ({"a/b/.virtmem.toml": NO_RATIO, "a/b/c/virtmem.toml": NO_RATIO}, "block-not-power-of-two movable-ratio"),
    ],
    ids=str,
)
def test_the_nearest_configuration_counts(configurations: dict[str, str], left: str) -> None:
    for path, text in configurations.items():
        odd_file(path, text)
    assert " ".join(sorted(check_json(in_folder("a/b", BOTH)).rules())) == left


def test_each_file_has_its_own_configuration() -> None:
    configure("a", NO_BLOCK)
    configure("b", NO_RATIO)
    run = check_json(in_folder("a", BOTH), in_folder("b", BOTH), in_folder("c", BOTH))
    rules = [[finding["rule"] for finding in file["findings"]] for file in json.loads(run.out)["files"]]
    assert rules == [["movable-ratio"], ["block-not-power-of-two"], ["movable-ratio", "block-not-power-of-two"]]


# All severities at once: warnings of element-unknown, advice of movable-ratio, an error of block-not-power-of-two
ALL = BOTH.replace(BAD, BAD + MISSPELT)


@pytest.mark.parametrize(
    ("text", "words", "left"),
    [
        ("", [], {"block-not-power-of-two": "error", "element-unknown": "warning", "movable-ratio": "advice"}),
        ("select = ['element-*', 'movable-ratio']", [], {"element-unknown": "warning", "movable-ratio": "advice"}),
        ("select = ['*']\nignore = ['block-*']", [], {"element-unknown": "warning", "movable-ratio": "advice"}),
        ("ignore = ['*']", [], {}),
        ("[rules]\n'*' = 'off'", [], {}),
        ("[rules]\n'*' = 'off'\nelement-unknown = 'error'", [], {"element-unknown": "error"}),
        (
            "[rules]\n'block-*' = 'warning'\n'element-*' = 'off'\nmovable-ratio = 'error'",
            [],
            {"block-not-power-of-two": "warning", "movable-ratio": "error"},
        ),
        (
            "[rules]\n'*' = 'advice'",
            [],
            {"block-not-power-of-two": "advice", "element-unknown": "advice", "movable-ratio": "advice"},
        ),
        (
            "select = ['movable-ratio']\n[rules]\nelement-unknown = 'error'",
            [],
            {"element-unknown": "error", "movable-ratio": "advice"},
        ),
        # options count for more than files
        ("ignore = ['movable-ratio']", ["--select", "movable-ratio"], {"movable-ratio": "advice"}),
        ("rules = { movable-ratio = 'off' }", ["--select", "movable-*"], {"movable-ratio": "advice"}),
        ("rules = { movable-ratio = 'error' }", ["--select", "movable-ratio"], {"movable-ratio": "error"}),
        ("select = ['movable-ratio']", ["--select", "element-unknown"], {"element-unknown": "warning"}),
        ("select = ['movable-ratio', 'element-*']", ["--ignore", "movable-ratio"], {"element-unknown": "warning"}),
        ("rules = { movable-ratio = 'error' }", ["--ignore", "mov*,block-*"], {"element-unknown": "warning"}),
        (
            "",
            ["--select", "movable-ratio, element-*", "--select", "block-*", "--ignore", "element-unknown"],
            {"block-not-power-of-two": "error", "movable-ratio": "advice"},
        ),
    ],
    ids=str,
)
def test_rules_are_chosen(text: str, words: list[str], left: dict[str, str], here: Path) -> None:
    configure(here, text)
    run = check_json(*words, "-", given=ALL)
    assert {finding["rule"]: finding["severity"] for finding in run.file()["findings"]} == left
    assert run.code == run.file()["refused"] == ("error" in left.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select = [", ["this is not TOML"]),
        (b"# \xff", ["not UTF-8"]),
        ("slect = ['pci-*']", ["slect", "did you mean 'select'?"]),
        ("strange = 1", ["strange", "select, ignore, rules"]),
        ("select = 'pci-*'", ["select", "pci-*", "list of rules"]),
        ("ignore = [1]", ["ignore", "1", "list of rules"]),
        ("rules = ['pci-bus']", ["rules", "pci-bus", "a table such as"]),
        ("select = ['movable-ration']", ["select", "'movable-ration'", "did you mean 'movable-ratio'?"]),
        ("ignore = ['no-such-*']", ["ignore", "'no-such-*'", "`virtmem explain` lists them"]),
        ("[rules]\nmovable-ration = 'off'", ["rules", "'movable-ration'", "did you mean 'movable-ratio'?"]),
        ("[rules]\nmovable-ratio = 'loud'", ["movable-ratio", "'loud'", "off, error, warning, advice"]),
        ("[rules]\nmovable-ratio = false", ["movable-ratio", "False", "off, error, warning, advice"]),
        ("[rules]\nmovable-ratio = ['off']", ["movable-ratio", "off", "off, error, warning, advice"]),
        ("[rules.movable-ratio]\nlevel = 'off'", ["movable-ratio", "off", "off, error, warning, advice"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["virtmem.toml", "pyproject.toml"])
@pytest.mark.parametrize("command", ["check", "xml2argv"])
def test_a_wrong_configuration_is_2(command: str, name: str, text: str | bytes, said: list[str], here: Path) -> None:
    data = text.encode() if isinstance(text, str) else text
    if name == "pyproject.toml":
        data = b"[tool.virtmem]\n" + data.replace(b"[rules", b"[tool.virtmem.rules")
    (here / name).write_bytes(data)
    run = virtmem(command, "-", given=WRONG)
    assert (run.code, run.out) == (2, "")
    complaint = run.err.splitlines()[0]
    assert complaint.startswith(f"virtmem: {here / name}: ")
    for words in said:
        assert words in complaint


def test_a_table_that_is_none_is_2(here: Path) -> None:
    configure(here, "[tool]\nvirtmem = 1", "pyproject.toml")
    run = check("-", given=DOMAIN)
    assert run.code == 2
    assert "[tool.virtmem] is '1', and should be a table" in run.err


# What settings and comments do to arguments

ERROR_COMMENT = "<!-- virtmem: ignore=block-not-power-of-two -->"
WARNING_COMMENT = "<!-- virtmem: ignore=element-unknown -->"


@pytest.mark.parametrize(
    ("text", "xml"),
    [
        ("[rules]\nblock-not-power-of-two = 'off'", WRONG),
        ("[rules]\nblock-not-power-of-two = 'warning'", WRONG),
        ("[rules]\nblock-not-power-of-two = 'advice'", WRONG),
        ("select = ['movable-ratio']", WRONG),
        ("ignore = ['*']", WRONG),
        ("", ERROR_COMMENT + WRONG),
        ("", WRONG.replace(BAD, ERROR_COMMENT + BAD)),
    ],
)
def test_an_error_that_is_silenced_gives_no_arguments(text: str, xml: str, here: Path) -> None:
    configure(here, text)
    assert check("-", given=xml).code == 0
    run = virtmem("xml2argv", "-", given=xml)
    assert (run.code, run.out) == (1, "")
    assert "error: <block> is 3 MiB" in run.err


def test_what_is_no_domain_gives_no_arguments_whatever_is_off(here: Path) -> None:
    configure(here, "ignore = ['*']")
    assert virtmem("xml2argv", "-", given="hello").code == 1


def test_a_warning_raised_to_an_error_refuses(here: Path) -> None:
    configure(here, "[rules]\nelement-unknown = 'error'")
    assert check("-", given=WARNED).code == 1
    run = virtmem("xml2argv", "-", given=WARNED)
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith("<stdin>:11: error: <requestd>")


@pytest.mark.parametrize(
    ("text", "xml"),
    [
        ("[rules]\nelement-unknown = 'off'", WARNED),
        ("ignore = ['element-*']", WARNED),
        ("select = ['block-*']", WARNED),
        ("", WARNED.replace(MISSPELT, WARNING_COMMENT + MISSPELT)),
        ("[rules]\nelement-unknown = 'error'", WARNED.replace(MISSPELT, WARNING_COMMENT + MISSPELT)),
        # advice is for `check` alone, and what is made advice as well
        ("[rules]\nelement-unknown = 'advice'", WARNED),
    ],
)
def test_a_warning_that_is_silenced_is_none(text: str, xml: str, here: Path) -> None:
    configure(here, text)
    assert check("--strict", "-", given=xml).code == 0
    run = virtmem("xml2argv", "--strict", "-", given=xml)
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("-object ")


# Comments


def two(first: str = BAD, second: str = BAD, *, before_first: str = "", before_second: str = "") -> str:
    """A domain with two devices, and comments before each."""
    device = DOMAIN[DOMAIN.index("<memory model") : DOMAIN.rindex("</memory>") + len("</memory>")]
    one, other = device.replace(BLOCK, first), device.replace(BLOCK, second)
    return domain(("'GiB'>6", "'GiB'>8"), (device, f"{before_first}{one}\n{before_second}{other}"))


@pytest.mark.parametrize(
    ("xml", "left"),
    [
        (two(), ["block-not-power-of-two"] * 2),
        (two(before_first=ERROR_COMMENT), ["block-not-power-of-two"]),
        (two(before_second=ERROR_COMMENT), ["block-not-power-of-two"]),
        (two(before_first=ERROR_COMMENT, before_second=ERROR_COMMENT), []),
        (two(ERROR_COMMENT + BAD), ["block-not-power-of-two"]),
        (two().replace("<devices>", f"{ERROR_COMMENT}\n<devices>"), []),
        (two().replace("<os>", f"{ERROR_COMMENT}<os>"), ["block-not-power-of-two"] * 2 + ["suppression-unused"]),
        (ERROR_COMMENT + two(), []),
        (f"<?xml version='1.0'?>\n{ERROR_COMMENT}\n<!-- more -->\n<?pi?>\n{two()}", []),
        (two() + ERROR_COMMENT, ["block-not-power-of-two"] * 2),
        (two(before_first=f"{ERROR_COMMENT}<!-- more --> "), ["block-not-power-of-two"]),
        (two(before_first="<!--virtmem:ignore=block-not-power-of-two-->"), ["block-not-power-of-two"]),
        (two(before_first="<!--\n  virtmem:  ignore = block-not-power-of-two\n-->"), ["block-not-power-of-two"]),
        # several rules, several comments
        (two(BAD + MISSPELT, BLOCK), ["block-not-power-of-two", "element-unknown"]),
        (two(BAD + MISSPELT, BLOCK, before_first=ERROR_COMMENT), ["element-unknown"]),
        (two(BAD + MISSPELT, BLOCK, before_first=ERROR_COMMENT + WARNING_COMMENT), []),
        (
            two(
                BAD + MISSPELT, BLOCK, before_first="<!-- virtmem: ignore=block-not-power-of-two,\n element-unknown -->"
            ),
            [],
        ),
        (two(BAD + MISSPELT, BLOCK, before_first=f"{WARNING_COMMENT}\n<!-- and -->{ERROR_COMMENT}"), []),
        (WARNING_COMMENT + two(ERROR_COMMENT + BAD + MISSPELT, BLOCK), []),
        # what silences nothing, or is no rule
        (two(BLOCK, BLOCK, before_first=ERROR_COMMENT), ["suppression-unused"]),
        (
            two(BAD, BLOCK, before_first="<!-- virtmem: ignore=block-not-power-of-two,element-unknown -->"),
            ["suppression-unused"],
        ),
        (two(BLOCK, f"{BLOCK}{ERROR_COMMENT}"), ["suppression-unused"]),
        (two(BLOCK, BLOCK, before_first="<!-- virtmem: ignore=block-not-power-of-tow -->"), ["suppression-unknown"]),
        (two(BLOCK, BLOCK, before_first="<!-- virtmem: ignroe=block-not-power-of-two -->"), ["suppression-unknown"]),
        (two(BLOCK, BLOCK, before_first="<!-- virtmem: ignore= -->"), ["suppression-unknown"]),
        (two(BLOCK, BLOCK, before_first="<!-- a virtmem: ignore=element-unknown -->"), []),
    ],
)
def test_a_comment_counts_for_the_next_element_and_what_is_in_it(xml: str, left: list[str]) -> None:
    run = check_json("-", given=xml)
    assert sorted(run.rules()) == left
    assert run.code == ("block-not-power-of-two" in left)


def test_what_is_wrong_with_a_comment_is_said_in_words() -> None:
    comments = "<!-- virtmem: ignore=block-below-tph -->\n<!-- virtmem: ignore=movable-ratio -->\n"
    findings = check_json("-", given=domain((BLOCK, comments + BLOCK))).file()["findings"]
    said = {finding["rule"]: (finding["message"], finding["advice"], finding["line"]) for finding in findings}
    assert said == {
        "suppression-unknown": (
            "the comment before it names 'block-below-tph', which is no rule",
            "Did you mean 'block-below-thp'?",
            13,
        ),
        "suppression-unused": (
            "the comment before it ignores movable-ratio, which finds nothing here",
            "Remove the comment.",
            13,
        ),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[rules]\nblock-not-power-of-two = 'off'", []),
        ("select = ['suppression-*', 'element-*']", []),
        ("", ["--ignore", "block-*"]),
        ("", ["--select", "suppression-unused"]),
    ],
)
def test_a_rule_that_is_off_leaves_no_comment_unused(text: str, words: list[str], here: Path) -> None:
    configure(here, text)
    for xml in (two(before_first=ERROR_COMMENT), two(BLOCK, BLOCK, before_first=ERROR_COMMENT)):
        assert check_json(*words, "-", given=xml).rules() == []


def test_a_comment_is_not_unused_where_its_rule_was_not_asked_for() -> None:
    """Without --schema, nothing is held against the schema."""
    xml = domain((BLOCK, f"<!-- virtmem: ignore=schema-mismatch -->{BLOCK}"))
    assert check_json("-", given=xml).rules() == []


def test_comments_are_said_to_be_unused_by_check_alone() -> None:
    run = virtmem("xml2argv", "--strict", "-", given=two(BLOCK, BLOCK, before_first=ERROR_COMMENT))
    assert (run.code, run.err) == (0, "")


# Hosts


def host_file(folder: Path, text: str, name: str = "host.toml") -> Path:
    """A host file by its absolute path."""
    (folder / name).write_text(text)
    return folder / name


def hosts_of(run: Run) -> dict[str, list[str]]:
    return {finding["rule"]: finding["hosts"] for finding in run.file()["findings"]}


def test_a_finding_of_one_host_names_it() -> None:
    words = ("--host", "x86_64", "--host", "aarch64-64k", "-")
    assert hosts_of(check_json(*words, given=WARNED)) == {"block-below-thp": ["aarch64-64k"], "element-unknown": []}
    lines = [line for line in check(*words, given=WARNED).out.splitlines() if not line.startswith(" ")]
    assert [line.count("(host aarch64-64k)") for line in lines] == [1, 0]
    assert "(host" not in check("--host", "aarch64-64k", "-", given=WARNED).out
    assert check(*words, "--format", "github", given=WARNED).out.count("(host aarch64-64k)") == 1


def test_hosts_that_find_the_same_are_named_together(here: Path) -> None:
    large = host_file(here, "thp-size = '4MiB'"), host_file(here, "thp-size = '4MiB'", "second.toml")
    words = [word for host in (large[0], "libvirt", large[1]) for word in ("--host", host)]
    assert hosts_of(check_json(*words, "-", given=DOMAIN)) == {"block-below-thp": [str(path) for path in large]}
    assert hosts_of(check_json("--host", large[0], "--host", large[1], "-", given=DOMAIN)) == {"block-below-thp": []}
    assert hosts_of(check_json("--host", large[0], "--host", large[0], "-", given=DOMAIN)) == {"block-below-thp": []}


def pages(size: str) -> str:
    return domain(("  <devices>", f"<memoryBacking><hugepages>{size}</hugepages></memoryBacking><devices>"))


S390X = domain((" arch='x86_64' machine='q35'", " machine='s390-ccw-virtio'"), ("<node>0</node>", ""))
SHARED = domain(("model='virtio-mem'", "model='virtio-mem' access='shared'"))


@pytest.mark.parametrize(
    ("text", "xml", "rule", "before"),
    [
        ("arch = 's390x'", S390X, "machine-without-pci", True),
        ("page-size = '64KiB'", pages("<page size='64' unit='KiB'/>"), "pagesize-unmounted", True),
        ("thp-size = '4MiB'", DOMAIN, "block-below-thp", False),
        ("hugetlbfs = { 16MiB = '/dev/huge' }", pages("<page size='16' unit='MiB'/>"), "pagesize-unmounted", True),
        ("hugetlbfs = {}", pages("<page size='2' unit='MiB'/>"), "pagesize-unmounted", False),
        ("default-hugepage = '1GiB'", pages(""), "block-below-page", False),
        (
            "nodes = '0,2-3'",
            domain(("<target>", "<source><nodemask>1</nodemask></source><target>")),
            "host-node",
            False,
        ),
        ("overcommit-memory = 2", DOMAIN, "overcommit-never", False),
    ],
    ids=str,
)
def test_a_key_of_the_host_file_has_an_effect(text: str, xml: str, rule: str, before: bool, here: Path) -> None:
    changed = check_json("--host", host_file(here, text), "-", given=xml).rules()
    assert [rule in rules for rules in (check_json("-", given=xml).rules(), changed)] == [before, not before]


@pytest.mark.parametrize(
    ("text", "xml", "before", "after"),
    [
        ("arch = 's390x'", S390X, None, "virtio-mem-ccw"),
        ("memory-dir = '/srv/ram'", SHARED, '"/var/lib/libvirt/qemu/ram/', '"/srv/ram/-1-guest/virtiomem0"'),
        ("memory-dir = '/srv/ram/'", SHARED, '"/var/lib/libvirt/qemu/ram/', '"/srv/ram/-1-guest/virtiomem0"'),
        ("hugetlbfs = { 2MiB = '/dev/2M' }", pages(""), '"/dev/hugepages/', '"/dev/2M/'),
    ],
    ids=str,
)
def test_a_key_of_the_host_file_is_in_the_arguments(
    text: str, xml: str, before: str | None, after: str, here: Path
) -> None:
    ordinary = virtmem("xml2argv", "-", given=xml)
    assert ordinary.code == (1 if before is None else 0)
    assert (before or "") in ordinary.out
    assert after not in ordinary.out
    assert after in virtmem("xml2argv", "--host", host_file(here, text), "-", given=xml).out


HOST_KEYS = {
    "arch": ("one of x86_64", ["'vax'", "7", "['x86_64']", "{ a = 1 }"]),
    "page-size": ("a size such as '2MiB', a power of two", ["4096", "'3KiB'", "'4'", "''", "'4 potatoes'"]),
    "thp-size": ("a size such as '2MiB', a power of two", ["2.0", "'0MiB'", "'512'", "'99999999999EiB'", "[]"]),
    "hugetlbfs": ("a table", ["'/dev/hugepages'", "{ 2MiB = 'dev' }", "{ 3MiB = '/dev/x' }", "{ 2MiB = 1 }", "[1]"]),
    "default-hugepage": ("a size such as '2MiB', a power of two", ["true", "'1.5MiB'", "2026-01-01"]),
    "nodes": ("a list of nodes such as '0-3'", ["[0]", "''", "'3-1'", "0", "'0-99999'"]),
    "memory-dir": ("an absolute path", ["'ram'", "7", "''", '"/a\\nb"']),
    "overcommit-memory": ("0, 1 or 2", ["3", "-1", "'1'", "true", "2.0", "[]"]),
}


def test_all_keys_of_the_host_file_are_tested(here: Path) -> None:
    run = check("--host", host_file(here, "strange = 1"), "-", given=DOMAIN)
    assert run.code == 2
    assert run.err.startswith(f"virtmem: {here / 'host.toml'}: unknown key 'strange'; known are ")
    assert run.err.rstrip().split("known are ")[1].split(", ") == list(HOST_KEYS)


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, (_, values) in HOST_KEYS.items() for value in values])
def test_a_wrong_value_in_the_host_file_is_2(key: str, value: str, here: Path) -> None:
    text = f"{key} = {value}"
    run = check("--host", host_file(here, text), "-", given=DOMAIN)
    assert (run.code, run.out) == (2, "")
    shown = f"{tomllib.loads(text)[key]!r}"
    start = f"virtmem: {here / 'host.toml'}: {key} is {shown}, and should be "
    assert run.err.startswith(start)
    assert HOST_KEYS[key][0] in run.err[len(start) :]


@pytest.mark.parametrize(("data", "words"), [(b"arch", "this is not TOML"), (b"# \xff", "not UTF-8")])
def test_a_host_file_that_cannot_be_understood_is_2(data: bytes, words: str, here: Path) -> None:
    (here / "host.toml").write_bytes(data)
    run = check("--host", "host.toml", "-", given=DOMAIN)
    assert run.code == 2
    assert "host.toml" in run.err
    assert words in run.err


# A 64-KiB-page host, where a transparent huge page is 512 MiB

UNITS = {"KiB": KIB, "MiB": MIB, "GiB": GIB}
CELL = "<cpu><numa><cell id='0' cpus='0' memory='4' unit='GiB'/></numa></cpu>"


def written(xml: str, finding: dict[str, Any]) -> str:
    """The domain as the advice of block-below-thp says to write it."""
    block = re.match(r"Write (?:<block> )?([0-9]+) ([KMG]iB)", finding["advice"])
    assert block
    sizes = re.findall(r"<(size|requested)>(?: of)? ([0-9]+) ([KMG]iB)", finding["advice"])
    for element, number, unit in (("block", *block.groups()), *sizes):
        text = f"<{element} unit='KiB'>{int(number) * UNITS[unit] // KIB}<"
        xml, count = re.subn(rf"<{element} unit='[KMG]iB'>[0-9]+<", text, xml)
        assert count == 1
    return xml


@pytest.mark.parametrize(
    "hosts",
    [["aarch64-64k"], ["aarch64-4k", "aarch64-64k"], ["aarch64-4k", "aarch64-16k", "aarch64-64k"], ["aarch64-16k"]],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "sizes",
    [
        "<size unit='GiB'>2</size>",
        "<size unit='MiB'>1026</size>",
        "<size unit='GiB'>2</size><requested unit='MiB'>514</requested>",
        "<size unit='MiB'>1030</size><requested unit='MiB'>1028</requested>",
        "<size unit='MiB'>512</size><requested unit='KiB'>0</requested>",
        "<size unit='KiB'>1050624</size><requested unit='KiB'>1050624</requested>",
    ],
)
def test_what_is_advised_for_large_pages_is_right_for_all_hosts(sizes: str, hosts: list[str]) -> None:
    xml = domain(
        ("arch='x86_64' machine='q35'", "arch='aarch64' machine='virt'"),
        ("<size unit='GiB'>2</size>", sizes),
        ("  <os>", f"  <vcpu>1</vcpu>{CELL}<os>"),
    )
    words = [word for host in hosts for word in ("--host", host)]
    run = check_json(*words, "-", given=xml)
    findings = [finding for finding in run.file()["findings"] if finding["rule"] == "block-below-thp"]
    assert run.code == 1
    assert findings
    for finding in findings:
        again = check_json(*words, "-", given=written(xml, finding))
        assert again.file()["findings"] == []


# Schemas

NAMES_ANY = """<grammar xmlns='http://relaxng.org/ns/structure/1.0'>
  <define name='anything'>
    <zeroOrMore>
      <choice><attribute><anyName/></attribute><text/><ref name='element'/></choice>
    </zeroOrMore>
  </define>
  <define name='element'>
    <element><anyName><except><name>requestd</name></except></anyName><ref name='anything'/></element>
  </define>
</grammar>
"""
TAKES_ANY = """<grammar xmlns='http://relaxng.org/ns/structure/1.0'>
  <include href='parts/any.rng'/>
  <start><element name='domain'><ref name='anything'/></element></start>
</grammar>
"""


def schema(path: Path) -> Path:
    """A schema of two files, which takes any domain in which no element is called `requestd`."""
    odd_file(str(path.parent / "parts/any.rng"), NAMES_ANY)
    return Path(odd_file(str(path), TAKES_ANY))


def assert_it_is_held_against(run: Run, path: str) -> None:
    (found,) = (finding for finding in run.file()["findings"] if finding["rule"] == "schema-mismatch")
    assert found["line"] == 11
    assert found["column"] == DOMAIN.splitlines()[10].index("</block>") + len("</block>") + 1
    assert "<requestd> in <target> does not fit" in found["message"]
    assert path[:70] in found["advice"]
    assert run.code == 0


@pytest.mark.parametrize(
    "name", ["own.rng", "with space.rng", "a%41b.rng", "é漢.rng", "[red].rng", "x#y?z.rng"], ids=ascii
)
@pytest.mark.parametrize("folder", ["", "a b/", "a%41/", "a:b/", "#/"])
def test_a_schema_of_ones_own(folder: str, name: str, here: Path) -> None:
    path = str(schema(here / folder / name))
    assert_it_is_held_against(check_json("--schema", path, "-", given=WARNED), path)
    assert check_json("--schema", path, "-", given=DOMAIN).rules() == []
    assert check_json("-", given=WARNED).rules() == ["element-unknown"]


@pytest.mark.process
@pytest.mark.parametrize("name", ["own", "own.xml", "own.RNG", "-"])
def test_a_schema_of_any_name_behind_a_sign(name: str, here: Path) -> None:
    path = schema(here / name)
    assert_it_is_held_against(check_json(f"--schema={path}", "-", given=WARNED), str(path))
    assert process("check", f"--schema={name}", "-", given=WARNED.encode()).out


@pytest.mark.process
def test_a_schema_is_held_against_all_files(files: Path) -> None:
    schema(files / "own.rng")
    words = ("check", "--format", "json", "--schema", "own.rng", *(f"{name}.xml" for name in FILES))
    one, four = process(*words), process(*words, "-j", "4")
    assert one == four
    rules = [finding["rule"] for file in json.loads(one.out)["files"] for finding in file["findings"]]
    assert rules.count("schema-mismatch") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("", "no RELAX NG"),
        ("hello", "no RELAX NG"),
        (DOMAIN, "no RELAX NG"),
        (TAKES_ANY, ""),  # what it includes is not there
    ],
    ids=["absent", "empty", "text", "domain", "half"],
)
def test_a_schema_that_cannot_be_used_is_3(text: str | None, words: str, files: Path) -> None:
    if text is not None:
        (files / "own.rng").write_text(text)
    for option in (["--schema", str(files / "own.rng")], [f"--schema={files / 'own.rng'}"]):
        run = check(*option, "wrong.xml")
        assert (run.code, run.out) == (3, "")
        assert run.err.startswith(f"virtmem: {files / 'own.rng'}: ")
        assert words in run.err
        assert len(run.err.splitlines()) == 1


def test_a_folder_is_no_schema(here: Path) -> None:
    (here / "own.rng").mkdir()
    assert check("--schema", here / "own.rng", "-", given=DOMAIN).code == 3
    assert check("--schema=", "-", given=DOMAIN).code in (2, 3)


@pytest.fixture
def installed(request: pytest.FixtureRequest) -> None:
    if not Path("/usr/share/libvirt/schemas/domain.rng").exists():
        (pytest.fail if request.config.getoption("--real") else pytest.skip)("libvirt's schema is not installed")


@pytest.mark.parametrize(
    "words", ["--schema warned.xml", "warned.xml --schema", "--schema -- warned.xml", "--schema --strict warned.xml"]
)
def test_a_domain_is_not_taken_for_the_schema(words: str, installed: None, files: Path) -> None:
    run = check_json(*words.split())
    assert run.file()["name"] == "warned.xml"
    assert "schema-mismatch" in run.rules()
    assert check_json("--schema", "good.xml").rules() == []


def test_the_installed_schema_finds_the_element(installed: None) -> None:
    assert_it_is_held_against(check_json("--schema", "-", given=WARNED), "/usr/share/libvirt/schemas/domain.rng")


# Advice

STEP = 2 * MIB


def sized(size: int, boot: int, block: int = STEP) -> str:
    """A domain of one device, and boot memory in a cell of its own."""
    return domain(
        ("unit='GiB'>16", f"unit='KiB'>{(size + boot) // KIB}"),
        ("unit='GiB'>6", f"unit='KiB'>{(size + boot) // KIB}"),
        ("  <os>", f"  <vcpu>1</vcpu>{CELL}<os>".replace("memory='4' unit='GiB'", f"memory='{boot // KIB}'")),
        ("<size unit='GiB'>2", f"<size unit='KiB'>{size // KIB}"),
        ("unit='MiB'>2</block>", f"unit='KiB'>{block // KIB}</block>"),
    )


def whole(size: int) -> int:
    """The largest size of a device that is not above this."""
    return size // STEP * STEP


def with_vfio(xml: str) -> str:
    device = "<source><address domain='0' bus='3' slot='0' function='0'/></source>"
    return xml.replace("<devices>", f"<devices><hostdev mode='subsystem' type='pci'>{device}</hostdev>")


def balloon(current: int) -> str:
    """A guest of 4 GiB, and of 1 GiB that it has been given of 2, with so much as its current memory."""
    return domain(
        ("  <os>", f"  <currentMemory unit='KiB'>{current // KIB}</currentMemory>\n  <os>"),
        (BLOCK, f"{BLOCK}<requested unit='GiB'>1</requested>"),
    )


def served(attributes: str, target: str = "") -> str:
    """A guest with a virtiofs device."""
    device = "<filesystem><driver type='virtiofs'/><source dir='/srv'/><target dir='share'/></filesystem>"
    return domain(
        ("<devices>", f"<devices>{device}"),
        ("model='virtio-mem'", f"model='virtio-mem'{attributes}"),
        ("<target>", f"<target{target}>"),
    )


RATIO = THRESHOLDS.movable_ratio * 4 * GIB
MEMMAP = 4 * GIB // THRESHOLDS.memmap_part * THRESHOLDS.memmap_of_growth
SLOT = whole(THRESHOLDS.metadata * THRESHOLDS.metadata_of_slot[1] // THRESHOLDS.metadata_of_slot[0])
MAPPINGS = THRESHOLDS.dma_mappings * STEP
# For each rule, a domain of which nothing is to be said, and one that is as near to it as can be.
EDGES = {
    "balloon-inflation": (balloon(5 * GIB), balloon(5 * GIB - KIB)),
    "memmap-boot-memory": (sized(MEMMAP, 4 * GIB), sized(MEMMAP + STEP, 4 * GIB)),
    "memslot-metadata": (sized(SLOT, SLOT), sized(SLOT + STEP, SLOT)),
    "movable-ratio": (sized(RATIO, 4 * GIB), sized(RATIO + STEP, 4 * GIB)),
    "vfio-mappings": (with_vfio(sized(MAPPINGS, MAPPINGS)), with_vfio(sized(MAPPINGS + STEP, MAPPINGS))),
    "vhost-user-memslots": (
        served(" access='shared'", " dynamicMemslots='no'"),
        served(" access='shared'", " dynamicMemslots='yes'"),
    ),
    "vhost-user-private": (served(" access='shared'"), served(" access='private'")),
}


def test_every_rule_of_advice_has_its_edge() -> None:
    assert set(EDGES) == {rule.id for rule in RULES.values() if rule.severity is Severity.ADVICE}


@pytest.mark.parametrize("rule", EDGES)
def test_advice_begins_where_it_is_said_to(rule: str) -> None:
    below, above = (check_json("-", given=xml) for xml in EDGES[rule])
    assert rule not in below.rules()
    assert above.rules().count(rule) == 1
    for run in (below, above):  # and nothing but advice, so that it is the threshold that is tested
        assert {RULES[found].severity for found in run.rules()} <= {Severity.ADVICE}
        assert run.code == 0


@pytest.mark.parametrize("rule", EDGES)
def test_advice_never_refuses_and_is_not_for_arguments(rule: str) -> None:
    xml = EDGES[rule][1]
    assert check("--strict", "-", given=xml).code == 0
    run = virtmem("xml2argv", "--strict", "-", given=xml)
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("-object ")


@pytest.mark.parametrize("rule", ["memmap-boot-memory", "movable-ratio"])
def test_as_much_boot_memory_as_is_advised_is_enough(rule: str) -> None:
    size = {"memmap-boot-memory": MEMMAP, "movable-ratio": RATIO}[rule] + 512 * STEP
    (advice,) = (
        f["advice"] for f in check_json("-", given=sized(size, 4 * GIB)).file()["findings"] if f["rule"] == rule
    )
    number, unit = re.search(r"Boot with ([0-9]+) ([KMG]iB)", advice).groups()  # type: ignore[union-attr]
    boot = int(number) * UNITS[unit]
    assert rule not in check_json("-", given=sized(size, boot)).rules()
    assert rule in check_json("-", given=sized(size, boot - MIB)).rules()


def test_a_block_as_large_as_is_advised_is_enough() -> None:
    size = MAPPINGS * 4
    (advice,) = (
        finding["advice"]
        for finding in check_json("-", given=with_vfio(sized(size, size))).file()["findings"]
        if finding["rule"] == "vfio-mappings"
    )
    number, unit = re.search(r"<block> of ([0-9]+) ([KMG]iB)", advice).groups()  # type: ignore[union-attr]
    block = int(number) * UNITS[unit]
    assert "vfio-mappings" not in check_json("-", given=with_vfio(sized(size, size, block))).rules()
    assert "vfio-mappings" in check_json("-", given=with_vfio(sized(size, size, block // 2))).rules()
