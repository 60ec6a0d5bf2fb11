"""Configuration: where it is found, which rules it chooses, and what that does to checks and arguments."""

import json
from pathlib import Path

import pytest
from command import check, check_json, virtmem
from small import BAD, BOTH, DOMAIN, ERROR_COMMENT, MISSPELT, OFF, WARNED, WARNING_COMMENT, WRONG, configure, made

pytestmark = pytest.mark.usefixtures("here")


def in_folder(folder: Path | str, xml: str) -> str:
    """A domain in a folder; its path."""
    return made(f"{folder}/guest.xml", xml)


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
        made(path, text)
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
def test_configuration_and_options_choose_rules_and_severities(
    text: str, words: list[str], left: dict[str, str], here: Path
) -> None:
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


def test_a_tool_table_that_is_no_table_is_2(here: Path) -> None:
    configure(here, "[tool]\nvirtmem = 1", "pyproject.toml")
    run = check("-", given=DOMAIN)
    assert run.code == 2
    assert "[tool.virtmem] is '1', and should be a table" in run.err


# What settings and comments do to arguments


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
    assert (run.code, run.err.count("\n")) == (0, 1)
    assert "1 finding silenced" in run.err
    assert run.out.startswith("-object ")
