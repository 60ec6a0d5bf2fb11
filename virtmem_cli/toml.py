"""Files in TOML to tables: configuration, and profiles of hosts. The one reader, with bounds on what it reads.

Takes bytes, gives a table; reads no file itself. What is not TOML, or more of it than anybody writes by hand, is a
UsageError that names the file, the limit and the way out, before Python's reader takes minutes or gigabytes for it.
"""

import re
from typing import Any

from virtmem_cli.errors import UsageError
from virtmem_cli.text import cut, quoted

# The largest file that is read, in bytes; what is nested in each other, by brackets or by dots in a key; and the
# characters of a key or number without quotes.
LARGEST = 64 << 10
DEEPEST = 20
LONGEST_WORD = 250

_KEY = r""""(?:[^"\\\n]++|\\.)*+"?|'[^'\n]*+'?|[^\s"'.=,#\[\]{}]++"""
_TOKEN = (
    r'''#[^\n]*+|"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*+"{0,5}+|\'\'\'(?:[^']++|'{1,2}+(?!'))*+'{0,5}+'''
    rf"""|(?P<key>(?:{_KEY})(?:[ \t]*+\.[ \t]*+(?:{_KEY}))*+)|(?P<open>[\[{{])|(?P<close>[\]}}])"""
)
# How a table of tables begins on a line of its own, or with its keys.
_BEGINS = rb"(?m)^[ \t]*+\[?[ \t]*+%s[ \t]*+\.[ \t]*+%s(?![\w-])"


def read_toml(data: bytes, name: str, *, way_out: str = "shorten it") -> dict[str, Any]:
    """The table of a whole file, which `name` stands for in messages; raises UsageError.

    `way_out` is what to do about a file that is too large.
    """
    if len(data) > LARGEST:
        raise UsageError(f"{name}: the file is larger than {LARGEST >> 10} KiB, and so is not read: {way_out}")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{name}: the file is not UTF-8") from None
    _look(text, name)
    import tomllib  # only where there is such a file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: this is not TOML: {cut(str(error))}") from None


def is_for_others(data: bytes, table: str) -> bool:
    """Whether a file such as pyproject.toml is too large to be read, and no line of it begins the table `tool.name`."""
    outer, _, inner = table.encode().partition(b".")
    if len(data) <= LARGEST or re.search(_BEGINS % (outer, inner), data):
        return False
    within = rb"(?m)^[ \t]*+%s(?![\w-])" % inner
    return not (re.search(rb"(?m)^[ \t]*+\[%s\]" % outer, data) and re.search(within, data))


def _look(text: str, name: str) -> None:
    """Raise UsageError for what is nested too deeply, or too long a word."""
    depth = 0
    for token in re.finditer(_TOKEN, text, re.DOTALL):
        key = token["key"] or ""
        depth += (token["open"] is not None) - (token["close"] is not None)
        parts = re.findall(_KEY, key, re.DOTALL)
        if depth + len(parts) > DEEPEST:
            words = f"keys and brackets are nested more than {DEEPEST} deep: write less of them in each other"
        elif any(len(part) > LONGEST_WORD and part[0] not in "\"'" for part in parts):
            words = f"{quoted(key)} has more than {LONGEST_WORD} characters: shorten it, or write it in quotes"
        else:
            continue
        line = text.count("\n", 0, token.start()) + 1
        raise UsageError(f"{name}: line {line}: {words}")


def shown(value: object) -> str:
    """A value of a file for a message: as Python writes it, cut where it is long."""
    from reprlib import Repr  # only a mistake needs it

    brief = Repr()
    brief.maxstring = brief.maxother = 80
    return brief.repr(value)
