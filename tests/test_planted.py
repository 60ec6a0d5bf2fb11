"""Modules that somebody planted in the current folder are never imported, however the command is started."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from command import VIRTMEM, execute, python
from domains import ROOT

pytestmark = pytest.mark.process

EXAMPLE, WRONG = ROOT / "testdata/xml/example.xml", ROOT / "testdata/xml/wrong.xml"
STARTS: dict[str, list[str | Path]] = {"script": [VIRTMEM], "module": [sys.executable, "-m", "virtmem_cli"]}
# What each of them imports late, if at all
COMMANDS: dict[str, list[str | Path]] = {
    "check": ["check", "--format", "json", WRONG],
    "-j": ["check", "--format", "sarif", "-j", "2", WRONG, EXAMPLE],
    "-o": ["xml2argv", "-o", "out", EXAMPLE],
    "diff": ["check", "--diff", "--unsafe-fixes", WRONG],
    "schema": ["check", "--schema", WRONG],
    "verify": ["verify", "--qemu", "/bin/false", EXAMPLE],
    "host": ["check", "--host", "local", WRONG],
    "configuration": ["check", "odd/wrong.xml"],
    "explain": ["explain", "block-below-thp"],
    "a mistake": ["explain", "block-below-tph"],
    "help": ["check", "--help"],
}


def first_imports() -> set[str]:
    """What Python imports before it comes to a module at all: only `python -P` is safe from that."""
    return set(python("-c", "import runpy, sys; print(*{name.partition('.')[0] for name in sys.modules})").out.split())


def plant(folder: Path) -> None:
    """A module of every name that there is, which tells when it is imported."""
    ours = ["click", "lxml", "rich", "pygments", "markdown_it", "typing_extensions", "sitecustomize", "hatchling"]
    for name in {*sys.stdlib_module_names, *ours} - first_imports():
        (folder / f"{name}.py").write_text(f"open({str(folder / 'imported')!r}, 'a').write(__name__ + '\\n')\n")


@pytest.fixture
def planted(here: Path) -> Path:
    plant(here)
    (here / "odd").mkdir()
    (here / "odd/virtmem.toml").write_text("ignore = ['movable-ratio']")
    shutil.copy(WRONG, here / "odd")
    return here


def imported(command: Sequence[str | Path], cwd: Path) -> tuple[int, list[str]]:
    """The exit code, and the planted modules that were imported."""
    environment = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    unset = [word for name in environment for word in ("-u", name)]
    run = execute(["env", *unset, *command], cwd=cwd)
    path = cwd / "imported"
    return run.code, path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("start", STARTS)
def test_what_is_planted_is_not_imported(start: str, command: str, planted: Path) -> None:
    code, names = imported([*STARTS[start], *COMMANDS[command]], planted)
    assert names == []
    assert code in (0, 1, 2, 3)


@pytest.mark.parametrize("command", ["check", "-j"])
def test_a_checkout_runs_its_own_package_and_nothing_beside_it(command: str, planted: Path) -> None:
    """Where the current folder is what the package itself comes from."""
    shutil.copytree(ROOT / "virtmem_cli", planted / "virtmem_cli")
    code, names = imported([*STARTS["module"], *COMMANDS[command]], planted)
    assert (code, names) == (1, [])
    package = planted / "virtmem_cli/__init__.py"
    package.write_text(package.read_text().replace('__version__ = "', '__version__ = "9'))
    assert python("-m", "virtmem_cli", "--version", cwd=planted).out.startswith("virtmem 9")


def test_planted_modules_would_tell(planted: Path) -> None:
    assert imported([sys.executable, "-c", "import json"], planted)[1] == ["json"]


def test_a_folder_that_is_gone_is_no_trouble(here: Path) -> None:
    script = 'mkdir gone; cd gone; rmdir ../gone; exec "$0" -m virtmem_cli check "$1"'
    run = execute(["sh", "-c", script, sys.executable, EXAMPLE], cwd=here)
    assert (run.code, run.out) == (0, "")
