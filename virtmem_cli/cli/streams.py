"""What the commands share: reading inputs, writing results whole, findings and errors to standard error."""

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import TextIOWrapper
from typing import TextIO, TypeVar

from virtmem_cli.document.tree import LARGEST
from virtmem_cli.errors import UsageError, VirtmemError
from virtmem_cli.findings import Finding
from virtmem_cli.render import parts
from virtmem_cli.text import Piece, printable

STDIN = "-"
T = TypeVar("T")
R = TypeVar("R")


def display_name(path: str) -> str:
    """What an input is called in messages."""
    return "<stdin>" if path == STDIN else printable(path)


def read_input(path: str) -> bytes:
    """The bytes of a file or of standard input, at most one more than a domain may have; raises VirtmemError."""
    if path == STDIN and sys.stdin is None:
        raise VirtmemError("standard input is closed")
    try:
        if path == STDIN:
            _make_wait(sys.stdin)
            return sys.stdin.buffer.read(LARGEST + 1)
        with open(path, "rb", buffering=0, opener=_open) as file:
            return _first_words(file.fileno()) + _all(file.fileno())
    except (OSError, ValueError) as error:  # ValueError: a path with NUL in it
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise VirtmemError(f"{display_name(path)}: cannot be read: {reason}") from None


def _make_wait(stream: TextIO) -> None:
    """See that reading waits, whatever the one who had the pipe before has made of it."""
    try:
        os.set_blocking(stream.fileno(), True)
    except (OSError, ValueError):
        pass  # no descriptor


# Seconds in which somebody has to open a FIFO for writing.
FIFO_PATIENCE = 5


def _open(path: str, flags: int) -> int:
    """As open(2), but without waiting for the writer of a FIFO."""
    return os.open(path, flags | os.O_NONBLOCK)


def _first_words(descriptor: int) -> bytes:
    """Wait until a FIFO has a writer, and give what that has said already; raises OSError where nobody comes."""
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return b""
    import select
    import time

    deadline = time.monotonic() + FIFO_PATIENCE
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    words = b""
    try:
        # Without a writer there is an end of file, but no hang-up, which tells of one that has come and gone
        while not (words := os.read(descriptor, LARGEST)) and not poll.poll(50):
            if time.monotonic() > deadline:
                raise OSError(errno.ENXIO, "it is a FIFO, and nobody writes to it")
    except BlockingIOError:
        pass  # somebody is there, and has said nothing yet
    return words


def _all(descriptor: int) -> bytes:
    """What is left of a file, up to one byte more than a domain may have."""
    os.set_blocking(descriptor, True)
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(LARGEST + 1)


def inputs(files: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
    """Each input, with its bytes where it is standard input, which only this process can read."""
    if files.count(STDIN) > 1:
        raise UsageError("'-' is given twice, and standard input can be read once")
    return ((file, read_input(file) if file == STDIN else None) for file in files)


def in_order(work: Callable[[T], R], tasks: Sequence[T], jobs: int) -> Iterator[R]:
    """The work on each task, by up to so many processes; the results come in the order of the tasks."""
    if jobs == 1 or len(tasks) < 2:
        yield from map(work, tasks)
        return
    from concurrent.futures import ProcessPoolExecutor  # slow to import, and one process is the rule

    with ProcessPoolExecutor(min(jobs, len(tasks))) as pool:
        yield from pool.map(work, tasks)


def write_output(text: str | bytes) -> None:
    """Text to standard output, as UTF-8 whatever the locale, or bytes; raises VirtmemError, or BrokenPipeError."""
    if sys.stdout is None:
        raise VirtmemError("standard output is closed")
    try:
        sys.stdout.buffer.write(text.encode() if isinstance(text, str) else text)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        forget(sys.stdout)
        raise VirtmemError(f"standard output: cannot be written: {error.strerror}") from None


def forget(stream: TextIO | None) -> None:
    """Keep what could not be written from being tried again, and complained of, at exit."""
    try:
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        pass  # no descriptor that anything could be written to


def write_file(path: str, data: bytes) -> None:
    """A file written whole or not at all, its folder made where it is absent; raises VirtmemError.

    One that is there keeps its mode, and its owner where that is allowed; a symbolic link stays one.
    """
    from tempfile import NamedTemporaryFile  # slow to import, and most conversions write no file

    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    if os.path.exists(target) and not os.path.isfile(target):
        raise VirtmemError(f"{printable(path)}: cannot be written: it is there already, and is no regular file")
    try:
        os.makedirs(folder, exist_ok=True)
        temporary = NamedTemporaryFile("wb", dir=folder, prefix=".virtmem-", delete=False)  # noqa: SIM115
        try:
            with temporary:
                temporary.write(data)
                temporary.flush()
                os.fsync(temporary.fileno())
            _take_after(temporary.name, target)
            os.replace(temporary.name, target)
        except BaseException:
            os.unlink(temporary.name)
            raise
    except OSError as error:
        raise VirtmemError(f"{printable(path)}: cannot be written: {error.strerror}") from None


def _take_after(path: str, model: str) -> None:
    """Give a new file the mode and owner of the one it is to replace, or the usual mode where there is none."""
    try:
        status = os.stat(model)
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(path, 0o666 & ~umask)
        return
    try:
        os.chown(path, status.st_uid, status.st_gid)
    except OSError:
        pass  # another's file, in a folder of ours: the new one is ours
    os.chmod(path, status.st_mode & 0o7777)


def say(message: str) -> None:
    """A line for the user on standard error, if there is one to write to; raises BrokenPipeError."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        raise
    except OSError:
        forget(sys.stderr)  # nobody can be told, which changes nothing else


STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "advice": "bold cyan",
    "place": "bold",
    "mark": "bold",
    "quiet": "dim",
    "added": "green",
    "removed": "red",
    "": "",
}


def show(lines: Iterable[Sequence[Piece]], *, err: bool = False) -> None:
    """Lines of pieces with styles, the same words everywhere: in colour on a terminal, unless NO_COLOR is set."""
    stream = sys.stderr if err else sys.stdout
    if stream is None or not stream.isatty() or os.environ.get("NO_COLOR"):
        text = "".join("".join(words for words, _ in _stripped(line)) + "\n" for line in lines)
        if not err:
            write_output(text)
        elif text:
            say(text.removesuffix("\n"))
        return
    from rich.console import Console  # slow to import, and only a terminal needs it
    from rich.text import Text

    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")  # a terminal of another encoding gets what it can show
    console = Console(stderr=err, highlight=False, soft_wrap=True, emoji=False)
    for line in lines:
        console.print(Text.assemble(*((words, STYLES[style]) for words, style in _stripped(line))))


def _stripped(line: Sequence[Piece]) -> list[Piece]:
    """The line without white space at its end."""
    pieces = list(line)
    while pieces and not pieces[-1][0].strip():
        pieces.pop()
    return [*pieces[:-1], *((words.rstrip(), style) for words, style in pieces[-1:])]


def show_findings(findings: Iterable[Finding], name: str) -> None:
    """Findings on standard error, each in a line."""
    show((parts(finding, name) for finding in findings), err=True)
