"""Files in TOML that nobody wrote by hand: what is too much of something is named, with the limit and the way out."""

from pathlib import Path

import pytest
from command import virtmem
from small import DOMAIN, OFF, WRONG, made

from virtmem_cli.settings import LONGEST_NAME, MOST_NAMES
from virtmem_cli.toml import DEEPEST, LARGEST, LONGEST_WORD, is_for_others

pytestmark = pytest.mark.usefixtures("here")
SHORTEN = f"the file is larger than {LARGEST >> 10} KiB, and so is not read: "
NESTED = f"line 2: keys and brackets are nested more than {DEEPEST} deep: write less of them in each other"
LONG_WORD = f"has more than {LONGEST_WORD} characters: shorten it, or write it in quotes"
LARGE = "x" * (LARGEST - 1000)

# What is too much in any file, and the words for it; each on its second line
TOO_MUCH = {
    "a large file": ("#" * LARGEST, SHORTEN),
    "a key of many parts": ("a" + ".a" * 30_000 + " = 1", NESTED),
    "quoted parts": ("'a'" + ' .\t"a.b"' * DEEPEST + " = 1", NESTED),
    "a header of many parts": ("[a" + ".a" * DEEPEST + "]", NESTED),
    "a header and a key": ("[[a" + ".a" * (DEEPEST - 2) + "]]\n[b]", NESTED),
    "brackets": ("a = " + "[" * 20_000, NESTED),
    "braces": ("a = " + "{a=" * 20_000, NESTED),
    "behind a string": ('a = [{b = """"" \\" #""""", c' + ".c" * DEEPEST + " = 1}]", NESTED),
    "behind another string": ("a = [{b = ''''' # ''''', c" + ".c" * DEEPEST + " = 1}]", NESTED),
    "behind short strings": ('a = [\'"\', "\'#\\"", {c' + ".c" * DEEPEST + " = 1}]", NESTED),
    "a long number": ("thp-size = " + "7" * 5000, LONG_WORD),
    "a long hexadecimal number": ("thp-size = 0x" + "f" * 50_000, LONG_WORD),
    "a long key": ("k" * 5000 + " = 1", LONG_WORD),
}


def complaint(name: str, text: str) -> str:
    """The error for a file of that kind, without the names of command and file: a usage error, in a few words."""
    table = "[tool.virtmem]\n" if name == "pyproject.toml" else "# a comment\n"
    path = Path(made(name, table + text))
    host = ["--host", path.name] if name == "host.toml" else []
    run = virtmem("check", *host, "-", given=DOMAIN)
    path.unlink()
    assert (run.code, run.out) == (2, "")
    shown = name if host else str(path.absolute())
    (first, *_) = run.err.splitlines()
    assert first.startswith(f"virtmem: {shown}: ")
    assert len(first) < len(shown) + 400
    return first.removeprefix(f"virtmem: {shown}: ")


@pytest.mark.parametrize("name", ["virtmem.toml", "pyproject.toml", "host.toml"])
@pytest.mark.parametrize("what", TOO_MUCH)
def test_too_much_of_something_is_2(what: str, name: str) -> None:
    text, words = TOO_MUCH[what]
    way_out = "move [tool.virtmem] into virtmem.toml" if name == "pyproject.toml" else "shorten it"
    assert complaint(name, text).endswith(words + way_out if words == SHORTEN else words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"a = '{LARGE}'", "unknown key 'a'"),
        (f"'{LARGE}' = 1", f"unknown key '{'x' * 80}…'"),
        (f"a = {{'{LARGE[:30_000]}' = 1, '{LARGE[:30_000]}' = 2}}", "this is not TOML: "),
    ],
    ids=["value", "key", "twice"],
)
@pytest.mark.parametrize("name", ["virtmem.toml", "pyproject.toml", "host.toml"])
def test_no_text_is_shown_in_full(name: str, text: str, words: str) -> None:
    assert complaint(name, text).startswith(words if words.startswith("this") or name != "pyproject.toml" else "")


@pytest.mark.parametrize(
    "value", [f"'{LARGE}'", f"[{'1,' * 30_000}]", f"{{ '{LARGE}' = 1 }}", "[[[[[[[[[[[]]]]]]]]]]]"]
)
@pytest.mark.parametrize("key", ["select", "ignore", "rules", "rules.movable-ratio"])
def test_no_value_of_a_configuration_is_shown_in_full(key: str, value: str) -> None:
    assert "should be" in complaint("virtmem.toml", f"{key} = {value}")


@pytest.mark.parametrize("value", [f"'{LARGE}'", f"[{'1,' * 30_000}]", f"{{ '{LARGE}' = 1 }}", "0x" + "f" * 240])
@pytest.mark.parametrize("key", ["arch", "page-size", "hugetlbfs", "nodes", "overcommit-memory"])
def test_no_value_of_a_host_is_shown_in_full(key: str, value: str) -> None:
    assert ", and should be " in complaint("host.toml", f"{key} = {value}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "ignore = [" + "'*'," * (MOST_NAMES + 1) + "]",
            f"ignore: there are {MOST_NAMES + 1} names, and {MOST_NAMES} are",
        ),
        ("select = [" + "'a*'," * 9000 + "]", f"select: there are 9000 names, and {MOST_NAMES} are read at most"),
        ("[rules]\n" + "".join(f"'*{n}' = 'off'\n" for n in range(600)), "rules: there are 600 names, and "),
        (f"ignore = ['{'*a' * 20_000}']", f"ignore: '{'*a' * 40}…' has more than {LONGEST_NAME} characters"),
        (f"[rules]\n'{'[a]' * 9000}' = 'off'", "has more than"),
    ],
    ids=["one too many", "very many", "levels", "a long pattern", "a long pattern of sets"],
)
def test_names_and_patterns_are_few_and_short(text: str, words: str) -> None:
    told = complaint("virtmem.toml", text)
    assert words in told
    assert told.endswith(("such as 'pci-*'", "such as 'pci-*' for several"))


def test_options_are_bounded_as_files_are() -> None:
    for option in ("--select", "--ignore"):
        run = virtmem("check", option, "*," * (MOST_NAMES + 1), "-", given=DOMAIN)
        assert (run.code, run.out) == (2, "")
        assert f"{option}: there are {MOST_NAMES + 1} names" in run.err


def test_as_much_as_is_taken() -> None:
    names = "ignore = [" + "'*'," * MOST_NAMES + "]\n"
    pattern = f"[b{'x' * (LONGEST_NAME - 4)}]*"
    made("virtmem.toml", names + "#" * (LARGEST - len(names)))
    assert virtmem("check", "-", given=WRONG).code == 0
    assert virtmem("check", "--ignore", pattern, "-", given=WRONG).code == 0


ELSEWHERE = "[tool.other]\nnames = [\n" + "  'tool.virtmem', # [tool.virtmem]\n" * 3000 + "]\n"


@pytest.mark.parametrize("text", [ELSEWHERE, ELSEWHERE + "[tool.virtmem-other]\n[tool]\nx = 1\n", "a" + ".a" * 100_000])
def test_a_large_file_of_others_is_passed_over(text: str) -> None:
    made("pyproject.toml", text)
    made("../virtmem.toml", OFF)
    assert len(text) > LARGEST
    assert virtmem("check", "-", given=WRONG).code == 0


@pytest.mark.parametrize("table", ["[tool.virtmem]", " [ tool . virtmem.rules ]", "tool.virtmem.ignore = []"])
def test_a_large_file_with_the_table_is_not(table: str) -> None:
    assert not is_for_others(f"{ELSEWHERE}\n{table}\n".encode(), "tool.virtmem")
    assert not is_for_others(f"{ELSEWHERE}\n[tool]\nvirtmem = {{}}\n".encode(), "tool.virtmem")
    made("pyproject.toml", f"{ELSEWHERE}\n{table}\n")
    run = virtmem("check", "-", given=WRONG)
    assert run.code == 2
    assert SHORTEN + "move [tool.virtmem] into virtmem.toml" in run.err
