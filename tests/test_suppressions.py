"""Comments that ignore rules: for which elements they count, and what is said where they are of no use."""

from pathlib import Path

import pytest
from command import check_json, virtmem
from small import BAD, BLOCK, DOMAIN, ERROR_COMMENT, MISSPELT, WARNING_COMMENT, configure, domain

pytestmark = pytest.mark.usefixtures("here")


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
        (
            "<domain><memory model='virtio-mem'/><!-- virtmem: ignore=element-misplaced --></domain>",
            ["element-misplaced", "suppression-unused"],
        ),
        (two(BLOCK, BLOCK, before_first="<!-- virtmem: ignore=block-not-power-of-tow -->"), ["suppression-unknown"]),
        (two(BAD, BLOCK, before_first="<!-- virtmem: ignore=x,block-not-power-of-two -->"), ["suppression-unknown"]),
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
    run = virtmem("xml2argv", "-", given=two(BLOCK, BLOCK + MISSPELT, before_first=ERROR_COMMENT))
    assert (run.code, run.err.count("element-unknown"), run.err.count("suppression")) == (0, 1, 0)
