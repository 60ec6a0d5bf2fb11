"""Files: inputs, each read with its bound: a file, standard input, or a FIFO that somebody writes to in time."""

import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence

from virtmem_cli.cli.terminal import make_wait
from virtmem_cli.document.tree import LARGEST
from virtmem_cli.errors import UsageError, VirtmemError
from virtmem_cli.text import STDIN_NAME

STDIN = "-"


def display_name(path: str) -> str:
    """What an input is called: a file by its name as it is given, odd characters and all."""
    return STDIN_NAME if path == STDIN else path


def read_input(path: str) -> bytes:
    """The bytes of a file or of standard input, at most one more than a domain may have; raises VirtmemError."""
    if path == STDIN and sys.stdin is None:
        raise VirtmemError(f"{display_name(path)}: cannot be read: standard input is closed")
    try:
        if path == STDIN:
            make_wait(sys.stdin)
            return sys.stdin.buffer.read(LARGEST + 1)
        with open(path, "rb", buffering=0, opener=_open) as file:
            return _first_words(file.fileno()) + _all(file.fileno())
    except (OSError, ValueError) as error:  # ValueError: a path with NUL in it
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise VirtmemError(f"{display_name(path)}: cannot be read: {reason}") from None


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


# The bytes of an input that only this process can read, standard input, or why it could not; None for a file.
Given = bytes | VirtmemError | None


def inputs(files: Sequence[str]) -> Iterator[tuple[str, Given]]:
    """Each input, with its bytes where it is standard input, which only this process can read."""
    if files.count(STDIN) > 1:
        raise UsageError("'-' is given twice, and standard input can be read once")
    for file in files:
        data: bytes | VirtmemError | None = None
        if file == STDIN:
            try:
                data = read_input(file)
            except VirtmemError as error:  # of this input, and no other
                data = error
        yield file, data


def read(file: str, data: Given) -> bytes:
    """The bytes of an input; raises VirtmemError."""
    if isinstance(data, VirtmemError):
        raise data
    return read_input(file) if data is None else data
