"""How tests run the command: in this process, as a process of its own, and on a terminal.

What starts a process is for tests that are marked with `process`; see conftest.
"""

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import tty
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from virtmem_cli.cli import main

VIRTMEM = Path(sys.executable).parent / "virtmem"
TIMEOUT = 120


class Run(NamedTuple):
    """What a command answered, and its two streams."""

    code: int
    out: str
    err: str

    def file(self) -> Any:
        """The only file of the JSON that `check` wrote."""
        (file,) = json.loads(self.out)["files"]
        return file

    def rules(self) -> list[str]:
        """The rules of that file's findings."""
        return [finding["rule"] for finding in self.file()["findings"]]


# In this process


def virtmem(*words: str | Path, given: str | bytes = "") -> Run:
    """The command, in this process. What it reads by an absolute path it may remember, so paths are not reused."""
    result = CliRunner().invoke(main, list(map(str, words)), input=given, catch_exceptions=False)
    return Run(result.exit_code, result.stdout_bytes.decode(), result.stderr_bytes.decode())


def check(*words: str | Path, given: str | bytes = "") -> Run:
    return virtmem("check", *words, given=given)


def check_json(*words: str | Path, given: str | bytes = "") -> Run:
    return check("--format", "json", *words, given=given)


# In a process of its own


def execute(command: Sequence[str | Path], *, given: str | bytes = "", cwd: Path | None = None, **env: str) -> Run:
    """Any program, with its standard input and what is added to the environment."""
    done = subprocess.run(
        command,
        input=given.encode() if isinstance(given, str) else given,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, **env},
        timeout=TIMEOUT,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def process(*words: str | Path, given: str | bytes = "", cwd: Path | None = None, **env: str) -> Run:
    """The command, as its users have it."""
    return execute([VIRTMEM, *words], given=given, cwd=cwd, **env)


def shell(script: str, *words: str | Path, given: str | bytes = "", cwd: Path | None = None, **env: str) -> Run:
    """A script for sh, which has the command as "$0" and the words as "$@"."""
    return execute(["sh", "-c", script, VIRTMEM, *words], given=given, cwd=cwd, **env)


def python(*words: str | Path, cwd: Path | None = None) -> Run:
    """The Python that runs the tests."""
    return execute([sys.executable, *words], cwd=cwd)


def running(*words: str | Path, cwd: Path | None = None, **env: str) -> subprocess.Popen[bytes]:
    """The command, still running, with a pipe at each of its streams."""
    pipe = subprocess.PIPE
    environment = {**os.environ, **env}
    return subprocess.Popen([VIRTMEM, *words], stdin=pipe, stdout=pipe, stderr=pipe, cwd=cwd, env=environment)


# On a terminal


def on_a_terminal(
    *words: str | Path,
    cwd: Path | None = None,
    columns: int = 80,
    errors: bool = False,
    given: Path | None = None,
    **env: str,
) -> Run:
    """The command on a terminal which changes nothing; standard error goes there too with `errors`, else to a pipe.

    Standard input is the terminal, or the file that is given.
    """
    master, slave = pty.openpty()
    tty.setraw(slave)
    termios.tcsetwinsize(slave, (24, columns))
    inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "COLORTERM")}
    reader = slave if given is None else os.open(given, os.O_RDONLY)
    process = subprocess.Popen(
        [VIRTMEM, *words],
        stdin=reader,
        stdout=slave,
        stderr=slave if errors else subprocess.PIPE,
        cwd=cwd,
        env={**inherited, "TERM": "xterm-256color", **env},
    )
    for descriptor in {reader, slave}:
        os.close(descriptor)
    shown = b""
    while select.select([master], [], [], TIMEOUT)[0]:
        try:
            piece = os.read(master, 1 << 16)
        except OSError:  # all of it is read, and the other end closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    _, said = process.communicate(timeout=TIMEOUT)
    assert b"Traceback" not in shown + (said or b"")
    return Run(process.returncode, shown.decode(), (said or b"").decode())


def without_colour(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
