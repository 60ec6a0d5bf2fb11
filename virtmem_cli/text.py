"""Words for people: text of the input made harmless, names that were meant, and pieces of a line with a style.

Takes any text, gives text that a terminal may show. Knows nothing of domains.
"""

from collections.abc import Iterable

# What names are made of, in ASCII.
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
LETTERS_AND_DIGITS = LETTERS.union("0123456789")

# What standard input is called
STDIN_NAME = "<stdin>"
# A piece of text and its style: the name of a severity, "place", "mark", "quiet", "added", "removed" or "".
Piece = tuple[str, str]

# Letters and marks that are there and not seen (Default_Ignorable_Code_Point), beyond what str.isprintable() knows.
_UNSEEN = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
            *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
        ),
    )
)
LONGEST = 80


def printable(text: str) -> str:
    """Untrusted text, safe to look at: what is not seen as itself is written as JSON would escape it.

    That is what a terminal acts upon, what ends a line or turns its direction, spaces but the plain one, what has no
    width; and what is of private use or not assigned, since it looks different on each machine. What is printable
    already stays as it is.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() and c not in _UNSEEN else _escape(c) for c in text)


def _escape(character: str) -> str:
    code = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{code[i : i + 4]}" for i in range(0, len(code), 4))


def cut(text: str, longest: int = LONGEST) -> str:
    """The beginning of a text that is very long; others as they are."""
    return text if len(text) <= longest else text[:longest] + "…"


def quoted(text: str) -> str:
    """A value from the input for a message: printable, in quotes, cut where it is very long."""
    return f"'{printable(cut(text))}'"


def nearest(name: str, known: Iterable[str], closeness: float = 0.7) -> str | None:
    """The known name that a misspelt one most likely stands for, or None; letter case does not count."""
    from difflib import get_close_matches  # slow to import, and only a mistake needs it

    if len(name) > LONGEST:
        return None
    names = {word.lower(): word for word in known}
    word = name.strip().lower()
    near = get_close_matches(word, names, 3, closeness)
    begun = [other for other in near if len(word) > 2 and other.startswith(word)]  # cut short, rather than misspelt
    return names[(begun or near)[0]] if near else None


def one_of(values: Iterable[str]) -> str:
    """Values for a message: 'a', 'b' or 'c'."""
    *others, last = (f"'{value}'" for value in values)
    return f"{', '.join(others)} or {last}" if others else last


def instead(near: str | None, known: Iterable[str], verb: str = "Write") -> str:
    """The advice for a name or value that is not known: the nearest that is, or all."""
    return f"Did you mean '{near}'?" if near else f"{verb} {one_of(known)}."


def meant(name: str, known: Iterable[str], otherwise: str) -> str:
    """The end of an error about a word of the user's that is not known: the nearest that is, or else other words."""
    near = nearest(name, known)
    return f"did you mean '{near}'?" if near else otherwise


def up_to(last: int) -> str:
    """Numbers from 0 for a message."""
    return f"0 to {last}" if last else "0"
