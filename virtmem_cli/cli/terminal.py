"""The terminal, or what stands in its place: results to standard output, all else to standard error."""

import os
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from typing import TextIO

from virtmem_cli.errors import VirtmemError
from virtmem_cli.text import Piece


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


# Lines for a terminal that shows styles, or their text for whatever else there is.
Shown = str | Sequence[Sequence[Piece]]


def is_styled(*, err: bool) -> bool:
    """Whether a stream shows styles: a terminal, unless NO_COLOR is set."""
    stream = sys.stderr if err else sys.stdout
    return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")


def plain(lines: Iterable[Sequence[Piece]]) -> str:
    """The text of lines, the same words as on a terminal."""
    return "".join(["".join([words for words, _ in line]).rstrip() + "\n" for line in lines])


def show(shown: Shown | Iterable[Sequence[Piece]], *, err: bool = False) -> None:
    """Lines with styles, or the text of them where it is made already, to a stream that shows them or not."""
    if not isinstance(shown, str) and not is_styled(err=err):
        shown = plain(shown)
    if isinstance(shown, str):
        if not err:
            write_output(shown)
        elif shown:
            say(shown.removesuffix("\n"))
        return
    from rich.console import Console  # slow to import, and only a terminal needs it
    from rich.text import Text

    stream = sys.stderr if err else sys.stdout
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")  # a terminal of another encoding gets what it can show
    console = Console(stderr=err, highlight=False, soft_wrap=True, emoji=False)
    for line in shown:
        console.print(Text.assemble(*((words, STYLES[style]) for words, style in _stripped(line))))


def _stripped(line: Sequence[Piece]) -> list[Piece]:
    """The line without white space at its end."""
    pieces = list(line)
    while pieces and not pieces[-1][0].strip():
        pieces.pop()
    return [*pieces[:-1], *((words.rstrip(), style) for words, style in pieces[-1:])]
