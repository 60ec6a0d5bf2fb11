"""The streams: results to standard output, all else to standard error. Nothing else in the package writes to them.

Takes words, which are made harmless here whatever they are, or a document in one of the formats of `report.harmless`,
which is written so that its reader, a terminal or GitHub's runner, acts upon nothing that is in it.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NewType, TextIO

from virtmem_cli.errors import VirtmemError
from virtmem_cli.text import Piece, printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Documents


def write_output(document: str | bytes, form: str) -> None:
    """A document to standard output, text as UTF-8 whatever the locale; raises VirtmemError, or BrokenPipeError.

    Where somebody reads it that would act upon something in it, it is written for that reader.
    """
    if sys.stdout is None:
        raise VirtmemError("standard output is closed")
    on_terminal, runner = sys.stdout.isatty(), in_workflow()
    if on_terminal or runner:
        from virtmem_cli.report.harmless import for_runner, for_terminal

        text = document if isinstance(document, str) else document.decode(errors="surrogateescape")
        text = for_terminal(text, form) if on_terminal else text
        document = (for_runner(text, form) if runner else text).encode(errors="surrogateescape")
    _write(document)


def _write(document: str | bytes, *, err: bool = False) -> None:
    """All of it, however little the stream takes at a time; standard error may be one that nobody can hear.

    Past Python's own buffer, which there is not with PYTHONUNBUFFERED, and which loses count where it cannot wait.
    """
    stream = _stream(err=err)
    if stream is None:
        return
    try:
        stream.flush()
        raw = getattr(stream.buffer, "raw", stream.buffer)
        left = memoryview(document.encode() if isinstance(document, str) else document)
        while left:
            written = raw.write(left)
            if written is None:
                make_wait(stream)
            left = left[written or 0 :]
        raw.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        forget(err=err)
        if not err:  # of standard error nobody can be told, which changes nothing else
            raise VirtmemError(f"standard output: cannot be written: {error.strerror}") from None


def make_wait(stream: TextIO) -> None:
    """See that reading or writing waits, whatever the one who had the stream before has made of it."""
    try:
        os.set_blocking(stream.fileno(), True)
    except (OSError, ValueError):
        pass  # no descriptor


def forget(*, err: bool) -> None:
    """Keep what could not be written from being tried again, and complained of, at exit."""
    stream = _stream(err=err)
    try:
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        pass  # no descriptor that anything could be written to


def in_workflow() -> bool:
    """Whether GitHub's runner, or one that does as it does, reads what is written and obeys some of it."""
    return bool(os.environ.get("GITHUB_ACTIONS"))


# Words

# The text of lines in which nothing acts upon a terminal: `plain` makes it.
Plain = NewType("Plain", str)
PLAIN = Plain("")
# Lines for a terminal that shows styles, or their text for whatever else there is.
Shown = Plain | Sequence[Sequence[Piece]]
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


def say(*lines: str) -> None:
    """Lines for the user on standard error, if there is one to write to; raises BrokenPipeError."""
    _show_plain(plain([(line, "")] for line in lines), err=True)


def say_fault() -> None:
    """Say what nobody has foreseen, in words as harmless as all others: what the input says may be in it."""
    from traceback import format_exc

    say(*format_exc().split("\n"), "virtmem: this is a fault of its own; please report it")


def plain(lines: Iterable[Sequence[Piece]]) -> Plain:
    """The text of lines, the same words as on a terminal."""
    return Plain("".join([printable("".join([words for words, _ in line])).rstrip() + "\n" for line in lines]))


def is_styled(*, err: bool) -> bool:
    """Whether a stream shows styles: a terminal, unless NO_COLOR is set."""
    return _is_terminal(err=err) and not os.environ.get("NO_COLOR")


def show(shown: Shown | Iterable[Sequence[Piece]], *, err: bool = False) -> None:
    """Lines with styles, or the text of them where it is made already, to a stream that shows them or not."""
    if isinstance(shown, str):
        _show_plain(Plain(shown), err=err)
    elif not is_styled(err=err):
        _show_plain(plain(shown), err=err)
    else:
        _show_styled(shown, err=err)


def show_table(titles: Sequence[str], rows: Iterable[Sequence[Piece]]) -> None:
    """A table on a terminal; elsewhere a line a row, with tabs between."""
    if not _is_terminal(err=False):
        lines = ("\t".join([printable(words) for words, _ in row]) for row in rows)
        _show_plain(Plain("".join([f"{line}\n" for line in lines])), err=False)
        return
    from rich.console import Console  # slow to import, and only a terminal needs it
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(*(Column(title, overflow="fold") for title in titles))
    for row in rows:
        table.add_row(*(Text(printable(words), STYLES[style], overflow="fold") for words, style in row))
    _print(Console(highlight=False), table, err=False)


def _show_plain(text: Plain, *, err: bool) -> None:
    """The text, of which no line is a command to GitHub's runner; standard error may be one that nobody can hear."""
    if not err:
        write_output(text, "words")
        return
    if sys.stderr is not None and text:
        _write(_encoded(_uncommanding(text), sys.stderr), err=True)


def _show_styled(lines: Iterable[Sequence[Piece]], *, err: bool) -> None:
    from rich.console import Console  # slow to import, and only a terminal needs it
    from rich.text import Text

    console = Console(stderr=err, highlight=False, soft_wrap=True, emoji=False)
    for line in lines:
        pieces = [(printable(words), style) for words, style in line]
        text = "".join([words for words, _ in pieces])
        if (safe := _uncommanding(text)) != text:
            pieces = [(safe, "")]
        _print(console, Text.assemble(*((words, STYLES[style]) for words, style in _stripped(pieces))), err=err)


def _print(console: "Console", what: "RenderableType", *, err: bool) -> None:
    with console.capture() as shown:
        console.print(what)
    stream = _stream(err=err)
    assert stream is not None  # it is a terminal
    _write(_encoded(shown.get(), stream), err=err)


def _encoded(text: str, stream: TextIO) -> bytes:
    """Text as a stream has it: one of another encoding gets what it can show."""
    return text.encode(stream.encoding, "backslashreplace")


def _uncommanding(text: str) -> str:
    """Words of which GitHub's runner, where it reads them, obeys none."""
    if not in_workflow():
        return text
    from virtmem_cli.report.harmless import for_runner

    return for_runner(text, "words")


def _stripped(pieces: list[Piece]) -> list[Piece]:
    """The line without white space at its end."""
    while pieces and not pieces[-1][0].strip():
        pieces.pop()
    return [*pieces[:-1], *((words.rstrip(), style) for words, style in pieces[-1:])]


def _stream(*, err: bool) -> TextIO | None:
    return sys.stderr if err else sys.stdout


def _is_terminal(*, err: bool) -> bool:
    stream = _stream(err=err)
    return stream is not None and stream.isatty()
