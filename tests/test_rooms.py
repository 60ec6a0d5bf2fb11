"""The rooms of the package: data flows one way, so imports go one way; and a file or function is read at one go."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import virtmem_cli

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
    "findings",
    "machines",
    "target",
    "document",
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
    "host",
    "qemu",
    "verify",
    "report.comparison",
    "api",
    "cli",
]
# The rooms that look outside the process and its arguments.
OUTSIDE = ("host", "qemu", "verify", "api", "cli")
COMMANDS = {path.stem for path in (PACKAGE / "cli").glob("*.py")} - {
    "__init__",
    "help",
    "params",
    "files",
    "terminal",
    "work",
}


def path_of(room: str) -> Path:
    """The file of a module, by its name within the package; of a folder, its __init__."""
    path = PACKAGE.joinpath(*room.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The modules of this package that a file imports, by their names within it; and the others, by their first."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            package, _, room = name.partition(".")
            if package == "virtmem_cli" and isinstance(node, ast.ImportFrom):
                inner = [".".join(filter(None, (room, alias.name))) for alias in node.names]
                yield from (n if n in ROOMS else room for n in inner)
            else:
                yield room if package == "virtmem_cli" else f"/{package}"


def test_every_module_is_a_room() -> None:
    files = {path for path in PACKAGE.rglob("*.py") if path.name != "__main__.py" and "cli" not in path.parts[-2:-1]}
    assert files == {path_of(room) for room in ROOMS if room != "cli"} | {PACKAGE / "__init__.py"}


@pytest.mark.parametrize("room", ROOMS[1:-1])
def test_imports_go_to_earlier_rooms(room: str) -> None:
    for name in imports(path_of(room)):
        if not name.startswith("/"):
            assert ROOMS.index(name) < ROOMS.index(room), f"{room} imports {name}"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_no_command_imports_another(command: str) -> None:
    for name in imports(PACKAGE / "cli" / f"{command}.py"):
        assert not any(name == f"cli.{other}" for other in COMMANDS)


@pytest.mark.parametrize("room", [r for r in ROOMS if r])
def test_a_room_states_its_contract(room: str) -> None:
    docstring = importlib.import_module(f"virtmem_cli.{room}").__doc__
    assert docstring is not None
    assert len(docstring.split()) > 15


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in OUTSIDE])
def test_few_rooms_look_outside(room: str) -> None:
    outside = {"os", "sys", "platform", "subprocess", "pathlib", "time", "datetime", "socket", "click", "rich"}
    assert not {f"/{name}" for name in outside} & {*imports(path_of(room))}


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
