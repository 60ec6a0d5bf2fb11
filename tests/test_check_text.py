"""The text that `check` writes for people: the place, the source with carets, what to write, and colours."""

import re
from pathlib import Path

import pytest
from command import check, check_json, on_a_terminal, process, without_colour
from rich.cells import cell_len
from small import BAD, BLOCK, MISSPELT, WRONG, domain

from virtmem_cli.findings import Refuses
from virtmem_cli.registry import RULES
from virtmem_cli.rulebook import page

pytestmark = pytest.mark.usefixtures("here")


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


def test_all_who_may_refuse_are_tested() -> None:
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


def test_an_element_that_is_too_long_is_cut() -> None:
    _, shown, marks, _ = check("-", given=domain((BLOCK, f"<block unit='MiB'>3{' ' * 6000}</block>"))).out.splitlines()
    assert "<block unit='MiB'>3" in shown
    assert len(marks) <= len(shown) <= 250


def test_what_looks_like_an_element_in_a_comment_or_cdata_is_none() -> None:
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
