"""The rooms of the package: data flows one way, so imports go one way; and a file or function is read at one go."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import virtmem_cli
from virtmem_cli.cli import COMMANDS

PACKAGE = Path(virtmem_cli.__file__).parent
# The most lines; what has more says here why: "folder/file.py" or "folder/file.py: function", and its reason.
FILE, FUNCTION = 500, 60
LONG: dict[str, str] = {}

# Each room may import those that stand before it.
ROOMS = [
    "",
    "text",
    "units",
    "errors",
    "toml",
    "findings",
    "machines",
    "target",
    "document",
    "document.encoding",
    "document.tree",
    "document.value",
    "document.source",
    "document.repair",
    "document.comments",
    "document.schema",
    "domain",
    "rules",
    "rules.reading",
    "parse.reader",
    "parse.known",
    "parse.memory",
    "parse.machine",
    "parse.devices",
    "parse",
    "layout",
    "settle.memory",
    "settle.buses",
    "settle",
    "rules.sizes",
    "rules.nodes",
    "rules.backends",
    "rules.addresses",
    "rules.buses",
    "rules.machine",
    "rules.cpus",
    "rules.advice",
    "rules.judges",
    "registry",
    "rulebook",
    "settings",
    "told",
    "props",
    "argv",
    "conversion",
    "judgement",
    "fixing",
    "report.words",
    "report",
    "report.text",
    "report.line",
    "report.diff",
    "report.page",
    "report.shell",
    "report.lines",
    "report.json",
    "report.github",
    "report.sarif",
    "report.harmless",
    "host",
    "processes",
    "qemu",
    "verify",
    "report.comparison",
    "api",
    "cli.terminal",
    "cli.help",
    "cli.files",
    "cli.configuration",
    "cli.beside",
    "cli.results",
    "cli.replace",
    "cli.params",
    "cli.pool",
    "cli.work",
    "cli.check",
    "cli.explain",
    "cli.verify",
    "cli.xml2argv",
    "cli",
]
# The rooms that look outside the process and its arguments: at files, programs, the clock or a terminal.
OUTSIDE = ("document.schema", "rulebook", "host", "processes", "qemu", "verify", "cli")
# What one looks outside with: modules, and calls.
LOOKS = {
    *("os", "sys", "platform", "subprocess", "pathlib", "time", "datetime", "socket", "click", "rich", "tempfile"),
    *("shutil", "glob", "io", "signal", "threading", "multiprocessing", "concurrent", "select"),
}
LOOKING = {"open", "etree.parse", "files", "input", "print"}


def path_of(room: str) -> Path:
    """The file of a module, by its name within the package; of a folder, its __init__."""
    path = PACKAGE.joinpath(*room.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports(text: str) -> Iterator[str]:
    """The modules of this package that code imports, by their names within it; others by their first, with a '/'.

    What the package itself gives by name is the API's, but for its version.
    """
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import says where from"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            package, _, room = name.partition(".")
            if package != "virtmem_cli":
                yield f"/{package}"
            elif room in ROOMS:
                yield room
            elif "." in room:
                yield room.rpartition(".")[0]
            elif room != "__version__":
                yield "api"


@pytest.mark.parametrize(
    ("code", "room"),
    [
        ("import virtmem_cli.argv", "argv"),
        ("from virtmem_cli.rules import reading", "rules.reading"),
        ("from virtmem_cli.rules import rule", "rules"),
        ("from virtmem_cli.cli.check import command", "cli.check"),
        ("from virtmem_cli.cli import check", "cli.check"),
        ("from virtmem_cli import cli", "cli"),
        ("from virtmem_cli import convert", "api"),
        ("import os.path", "/os"),
        ("from os.path import join", "/os"),
        ("def f():\n    import rich", "/rich"),
    ],
)
def test_an_import_is_found_however_it_is_written(code: str, room: str) -> None:
    assert list(imports(code)) == [room]


def test_every_module_is_a_room() -> None:
    files = {path for path in PACKAGE.rglob("*.py") if path.name != "__main__.py"}
    assert files == {path_of(room) for room in ROOMS}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_to_earlier_rooms(room: str) -> None:
    lazily = {"api"} if room == "" else set()  # for type checkers
    for name in imports(path_of(room).read_text()):
        if not name.startswith("/") and name not in lazily:
            assert ROOMS.index(name) < ROOMS.index(room), f"{room} imports {name}"


def test_no_command_imports_another() -> None:
    commands = {f"cli.{command}" for command in COMMANDS}
    assert commands < set(ROOMS)
    for command in commands:
        assert not commands & {*imports(path_of(command).read_text())}


# A command states its own in its help
@pytest.mark.parametrize("room", [r for r in ROOMS if r and r.removeprefix("cli.") not in COMMANDS])
def test_a_room_states_its_contract(room: str) -> None:
    docstring = importlib.import_module(f"virtmem_cli.{room}").__doc__
    assert docstring is not None
    assert len(docstring.split()) > 15


def looks(text: str) -> set[str]:
    """What code looks outside with."""
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    return (calls & LOOKING) | ({name.removeprefix("/") for name in imports(text) if name[0] == "/"} & LOOKS)


@pytest.mark.parametrize("room", [room for room in ROOMS if not {room, room.partition(".")[0]} & {*OUTSIDE}])
def test_few_rooms_look_outside(room: str) -> None:
    assert looks(path_of(room).read_text()) == set()


@pytest.mark.parametrize("room", OUTSIDE)
def test_those_that_may_do(room: str) -> None:
    assert looks(path_of(room).read_text())


def lengths() -> Iterator[tuple[str, int, int]]:
    """Each file and function of the package and its tests: its name, its lines without decorators, and its limit."""
    for folder in (PACKAGE, Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            name = f"{path.relative_to(folder.parent)}"
            yield name, len(path.read_text().splitlines()), FILE
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{name}: {node.name}", (node.end_lineno or 0) - node.lineno + 1, FUNCTION


def test_files_and_functions_are_short_enough_to_read_at_one_go() -> None:
    assert {name: lines for name, lines, limit in lengths() if lines > limit and name not in LONG} == {}


def test_what_may_be_long_is_long() -> None:
    assert {name for name, lines, limit in lengths() if lines > limit} >= set(LONG)
