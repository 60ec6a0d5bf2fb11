"""Whose configuration counts: where the search ends, --config and --isolated, and what the summary says of it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Run, check, check_json, process, virtmem
from small import BAD, BOTH, DOMAIN, ERROR_COMMENT, MISSPELT, WARNED, WARNING_COMMENT, WRONG, configure, made

from virtmem_cli.cli.files import read_input

OFF = "ignore = ['block-not-power-of-two']"
ELEMENTS_OFF = "ignore = ['element-*']"


@pytest.fixture(autouse=True)
def home(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with a configuration above it; nothing of this machine is looked at."""
    configure(here, OFF)
    (here / "home").mkdir()
    monkeypatch.setenv("HOME", str(here / "home"))
    return here / "home"


@pytest.fixture
def strange(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], int]:
    """Makes a file, or a link, somebody else's; gives that owner."""

    def give_away(path: Path) -> int:
        try:
            os.chown(path, 54321, -1, follow_symlinks=False)
        except PermissionError:  # then we become somebody else
            monkeypatch.setattr(os, "geteuid", lambda: 54321)
        return os.lstat(path).st_uid

    return give_away


# Where the search ends


@pytest.mark.parametrize("mark", [".git", ".hg", ".jj", ".svn"])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_the_search_ends_at_the_root_of_a_repository(kind: str, mark: str, here: Path) -> None:
    xml = made("a/repository/b/c/guest.xml", WRONG)
    assert check(xml).code == 0
    repository = here / "a/repository"
    if kind == "folder":
        (repository / mark).mkdir()
    else:
        (repository / mark).write_text("gitdir: elsewhere")
    xml = str(Path(xml).rename("a/repository/b/guest.xml"))  # of a folder that was not looked at before
    assert check(xml).code == 1
    configure(repository, OFF)
    (repository / "d").mkdir()
    assert check(str(Path(xml).rename("a/repository/d/guest.xml"))).code == 0


def test_the_search_ends_at_the_home_folder(home: Path) -> None:
    xml = made(home / "a/guest.xml", WRONG)
    assert check(xml).code == 1
    configure(home, OFF)
    assert check(made(home / "b/guest.xml", WRONG)).code == 0


@pytest.mark.parametrize("name", ["virtmem.toml", "pyproject.toml"])
@pytest.mark.parametrize("kind", ["file", "link", "file behind a link"])
@pytest.mark.parametrize("command", ["check", "xml2argv"])
def test_a_configuration_of_a_strangers_is_not_read(
    command: str, kind: str, name: str, here: Path, strange: Callable[[Path], int]
) -> None:
    names = [made(f"a/b/{name}.xml", WARNED) for name in ("one", "two")]
    text = ELEMENTS_OFF if name == "virtmem.toml" else f"[tool.virtmem]\n{ELEMENTS_OFF}"
    path = here / "a" / name
    if kind == "file":
        path.write_text(text)
        owner = strange(path)
    else:
        (here / "other").write_text(text)
        path.symlink_to("../other")
        owner = strange(path if kind == "link" else here / "other")
    run = virtmem(command, "--strict", *names)
    assert run.code == 1
    told = f"virtmem: {path}: not read: it is user {owner}'s, neither yours nor root's; name it with --config to have"
    assert run.err.count(told) == 1
    assert virtmem(command, "--strict", "--config", path, names[0]).code == 0


@pytest.mark.parametrize("name", ["virtmem.toml", "pyproject.toml"])
@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_configuration_that_everybody_may_write_to_is_not_read(kind: str, name: str, here: Path) -> None:
    """Whoever its owner is: somebody else may have written what it says, and have put a link to it there."""
    text = ELEMENTS_OFF if name == "virtmem.toml" else f"[tool.virtmem]\n{ELEMENTS_OFF}"
    path = here / "a" / name
    guest = made("a/b/guest.xml", WARNED)
    written = path if kind == "file" else here / "other"
    written.write_text(text)
    written.chmod(0o646)
    if kind == "link":
        path.symlink_to("../other")
    run = check("--strict", guest)
    assert run.code == 1
    told = f"virtmem: {path}: not read: everybody may write to it; name it with --config to have it read\n"
    assert run.err.count(told) == 1
    assert check("--strict", "--config", path, guest).code == 0


def test_a_configuration_that_a_group_may_write_to_is_read(here: Path) -> None:
    """With the umask 002, which many have, that is so of all files."""
    configure("a", ELEMENTS_OFF)
    (here / "a/virtmem.toml").chmod(0o664)
    assert check("--strict", made("a/guest.xml", WARNED)).code == 0


@pytest.mark.process
def test_a_strangers_is_told_once_by_all_processes(here: Path, strange: Callable[[Path], int]) -> None:
    names = [made(f"a/{number}.xml", WRONG) for number in range(40)]
    (here / "a/virtmem.toml").write_text(OFF)
    strange(here / "a/virtmem.toml")
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    run = process("check", "-j", "3", *names)
    assert run.code == 1
    assert run.err.count("not read") == 1


def test_a_wrong_configuration_is_read_once_and_told_for_each(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("wrong", "slect = []")
    names = [made(f"wrong/{number}.xml", WRONG) for number in range(3)]
    opened = []

    def counted(file: str) -> bytes:
        opened.append(file)
        return read_input(file)

    monkeypatch.setattr("virtmem_cli.cli.configuration.read_input", counted)
    run = check(*names)
    assert (run.code, run.err.count("unknown key 'slect'")) == (2, 3)
    assert opened == [f"{here}/wrong/virtmem.toml"]


# --config and --isolated

CONFIGURED = ("check", "xml2argv")


@pytest.mark.parametrize("command", CONFIGURED)
def test_a_configuration_is_named_or_none(command: str, here: Path) -> None:
    made("guest.xml", WARNED)
    configure(here, ELEMENTS_OFF)
    configure("other", "")
    configure("project", f"[tool.virtmem]\n{ELEMENTS_OFF}", "pyproject.toml")

    def run(*words: str) -> Run:
        return virtmem(command, "--strict", *words, "guest.xml")

    assert run().code == 0
    assert run("--isolated").code == 1
    assert run("--config", "other/virtmem.toml").code == 1
    configure(here, "nonsense")
    assert run("--config", "other/virtmem.toml").code == 1
    configure("elsewhere", ELEMENTS_OFF, "ours.toml")
    assert run("--config", "elsewhere/ours.toml").code == 0
    assert run("--config", "project/pyproject.toml").code == 0
    assert run("--isolated").code == 1


@pytest.mark.process
def test_verify_has_both_as_well() -> None:
    made("guest.xml", WARNED)
    wrong = process("verify", "--qemu", "/bin/false", "--config", "a", "--isolated", "guest.xml")
    assert (wrong.code, wrong.err) == (2, BOTH_GIVEN)
    assert process("verify", "--qemu", "/bin/false", "--config", "absent", "guest.xml").err == ABSENT


BOTH_GIVEN = "virtmem: --config and --isolated: take one of them, the file or no configuration\n"
ABSENT = "virtmem: absent: cannot be read: No such file or directory\n"


@pytest.mark.parametrize("command", CONFIGURED)
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--config", "virtmem.toml", "--isolated"], 2, BOTH_GIVEN),
        (["--config", "-"], 2, "virtmem: --config '-': name a file\n"),
        (["--config", "absent"], 3, ABSENT),
        (["--config", "wrong.toml"], 2, "virtmem: wrong.toml: unknown key 'slect'; did you mean 'select'?\n"),
        (["--config", "latin.toml"], 2, "virtmem: latin.toml: the file is not UTF-8\n"),
        (["--config", "pyproject.toml"], 2, "virtmem: --config 'pyproject.toml': it has no [tool.virtmem]\n"),
    ],
    ids=str,
)
def test_a_wrong_choice_is_told_before_anything_is_done(
    words: list[str], code: int, said: str, command: str, here: Path
) -> None:
    made("guest.xml", DOMAIN)
    configure(here, "slect = []", "wrong.toml")
    configure(here, "[project]", "pyproject.toml")
    (here / "latin.toml").write_bytes(b"# \xff")
    assert virtmem(command, *words, "guest.xml") == Run(code, "", said)


# The summary


def summary(*words: str | Path, given: str = "") -> list[str]:
    """The lines of the summary behind its first one, but for those on repairs."""
    run = check(*words, given=given)
    lines = run.err.splitlines()
    (first,) = [number for number, line in enumerate(lines) if line.split(" ")[1].startswith("domain")]
    return [line for line in lines[first + 1 :] if "repair" not in line]


def test_the_summary_names_the_configuration_and_what_it_silences(here: Path) -> None:
    made("guest.xml", BOTH)
    assert summary("guest.xml") == [f"configured by {here}/virtmem.toml: 1 finding silenced"]
    assert summary("--isolated", "guest.xml") == []
    configure("other", "select = ['element-*']")
    assert summary("--config", "other/virtmem.toml", "guest.xml") == [
        "configured by other/virtmem.toml: 2 findings silenced"
    ]
    configure("other", "rules = { movable-ratio = 'error' }")
    assert summary("--config", "other/virtmem.toml", "guest.xml") == [
        "configured by other/virtmem.toml: no findings silenced"
    ]


def test_the_summary_counts_what_a_configuration_makes_less_severe(here: Path) -> None:
    """Or a gate would be green, and the reader of its last lines would believe that nothing was wrong."""
    made("guest.xml", BOTH)
    configure("other", "rules = { '*' = 'advice' }")
    run = check("--config", "other/virtmem.toml", "guest.xml")
    assert run.code == 0
    assert "configured by other/virtmem.toml: no findings silenced, 1 made less severe\n" in run.err
    configure("other", "ignore = ['movable-ratio']\nrules = { 'block-*' = 'warning' }")
    one_of_each = ["configured by other/virtmem.toml: 1 finding silenced, 1 made less severe"]
    assert summary("--config", "other/virtmem.toml", "guest.xml") == one_of_each
    file = check_json("--config", "other/virtmem.toml", "guest.xml").file()
    assert file["silenced"] == {"configuration": 1, "comments": 0, "lowered": 1}
    as_they_are = [f"configured by {here}/virtmem.toml: 1 finding silenced"]
    configure(here, f"{OFF}\nrules = {{ movable-ratio = 'error' }}")
    assert summary("guest.xml") == as_they_are


def test_a_conversion_names_what_silences_its_warnings(here: Path) -> None:
    """Once, at the end, and only where something was silenced; as advice a warning is not told either."""
    made("warned.xml", WARNED)
    made("commented.xml", WARNED.replace(MISSPELT, WARNING_COMMENT + MISSPELT))
    made("good.xml", DOMAIN)
    configure(here, ELEMENTS_OFF)
    configured = f"configured by {here}/virtmem.toml: 1 finding silenced\n"
    commented = "1 finding silenced by comments\n"

    def said(*words: str) -> str:
        run = virtmem("xml2argv", *words)
        assert (run.code, run.out[:8]) == (0, "-object ")
        return run.err

    assert said("--scope", "devices", "warned.xml", "good.xml") == configured
    assert said("--isolated", "commented.xml") == commented
    assert said("commented.xml", "warned.xml") == configured + commented
    assert said("good.xml") == ""
    configure("other", "rules = { 'element-*' = 'advice', movable-ratio = 'off' }")
    assert said("--config", "other/virtmem.toml", "warned.xml") == configured.replace(f"{here}/", "other/")


def test_what_options_leave_out_is_not_the_configurations(here: Path) -> None:
    made("guest.xml", BOTH)
    none = [f"configured by {here}/virtmem.toml: no findings silenced"]
    one = [f"configured by {here}/virtmem.toml: 1 finding silenced"]
    assert summary("--ignore", "movable-ratio", "guest.xml") == one
    assert summary("--select", "block-not-power-of-two", "guest.xml") == none


def test_each_configuration_is_named(here: Path) -> None:
    made("a/guest.xml", WRONG)
    configure("a", OFF)
    made("b/one.xml", WRONG)
    made("b/two.xml", WRONG)
    configure("b", "")
    assert summary("a/guest.xml", "b/one.xml", "b/two.xml") == [
        f"configured by {here}/a/virtmem.toml: 1 finding silenced",
        f"configured by {here}/b/virtmem.toml: no findings silenced",
    ]


def test_comments_are_counted_apart(here: Path) -> None:
    xml = WRONG.replace(BAD, ERROR_COMMENT + BAD)
    assert summary("--isolated", "-", given=xml) == ["1 finding silenced by comments"]
    configure(here, "ignore = ['movable-ratio']")
    both = BOTH.replace(BAD, ERROR_COMMENT + BAD)
    assert summary("--config", "virtmem.toml", "-", given=both) == [
        "configured by virtmem.toml: 1 finding silenced",
        "1 finding silenced by comments",
    ]


def test_the_document_has_it_too(here: Path) -> None:
    configure(here, "ignore = ['movable-ratio']")
    for name, xml in {"both": BOTH.replace(BAD, ERROR_COMMENT + BAD), "none": ""}.items():
        made(f"{name}.xml", xml)
    document = json.loads(check("--format", "json", "both.xml", "none.xml").out)
    path = f"{here}/virtmem.toml"
    assert [(file["configuration"], file["silenced"]) for file in document["files"]] == [
        (path, {"configuration": 1, "comments": 1, "lowered": 0}),
        (path, {"configuration": 0, "comments": 0, "lowered": 0}),
    ]
    (file,) = json.loads(check("--format", "json", "--isolated", "both.xml").out)["files"]
    assert (file["configuration"], file["silenced"]) == (None, {"configuration": 0, "comments": 1, "lowered": 0})
