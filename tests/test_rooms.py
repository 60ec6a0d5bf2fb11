"""The rooms of the package: data flows one way, so imports go one way."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import virtmem_cli

PACKAGE = Path(virtmem_cli.__file__).parent

# Each room may import those that stand before it.
ROOMS = [
    "",
    "units",
    "findings",
    "settings",
    "xmltree",
    "source",
    "repair",
    "suppress",
    "schema",
    "domain",
    "parse",
    "target",
    "effective",
    "layout",
    "rules",
    "advice",
    "props",
    "argv",
    "convert",
    "render",
    "rulebook",
    "report",
    "probe",
    "verify",
    "cli",
]
COMMANDS = {path.stem for path in (PACKAGE / "cli").glob("*.py")} - {"__init__", "streams", "options"}


def imports_of(room: str) -> Iterator[str]:
    """What a room, which is a file or a folder, imports."""
    folder = PACKAGE / room
    for path in folder.glob("*.py") if folder.is_dir() else [PACKAGE / f"{room}.py"]:
        yield from imports(path)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_every_module_is_a_room() -> None:
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert modules | folders == set(ROOMS) - {""}


@pytest.mark.parametrize("room", ROOMS[1:-1])
def test_imports_go_to_earlier_rooms(room: str) -> None:
    for module in imports_of(room):
        package, _, name = module.partition(".")
        if package == "virtmem_cli":
            assert ROOMS.index(name) < ROOMS.index(room), f"{room} imports {name}"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_no_command_imports_another(command: str) -> None:
    for module in imports(PACKAGE / "cli" / f"{command}.py"):
        assert not any(module == f"virtmem_cli.cli.{other}" for other in COMMANDS)


@pytest.mark.parametrize("room", [r for r in ROOMS if r])
def test_a_room_states_its_contract(room: str) -> None:
    docstring = importlib.import_module(f"virtmem_cli.{room}").__doc__
    assert docstring is not None
    assert len(docstring.split()) > 15


@pytest.mark.parametrize("room", ROOMS[1:-3])
def test_only_probe_looks_outside(room: str) -> None:
    outside = {"os", "sys", "platform", "subprocess", "pathlib", "time", "datetime", "socket", "click", "rich"}
    assert not outside & {module.partition(".")[0] for module in imports_of(room)}
