"""A document for a reader that acts upon some of what it reads: a terminal.

Takes the text of a document and its format: those of arguments and judgements, "words" for people, a "diff", or "xml".
Gives text without what acts. JSON says the same in other letters, and a shell still gets the same from it; of what is
for people, the letters are shown as escapes.
"""

import re

from virtmem_cli.text import printable

# A value in JSON, quoted for a shell: no other line of arguments begins so.
_QUOTED_JSON = re.compile(r"-\w+ '\{\"")


def for_terminal(text: str, form: str) -> str:
    """The document without what a terminal would act upon."""
    lines = text.split("\n")
    if form == "shell":
        return "\n".join([printable(line) if _QUOTED_JSON.match(line) else _spelt(line) for line in lines])
    if form in ("diff", "xml"):
        return "\n".join([printable(line.removesuffix("\r").expandtabs()) for line in lines])
    return "\n".join(map(printable, lines))


def _spelt(line: str) -> str:
    """A line of a quoted value, with a command that gives the character for each that is not to be seen as it is."""
    return "".join([c if printable(c) == c else f"'\"$(printf '{_octal(c)}')\"'" for c in line])


def _octal(character: str) -> str:
    return "".join([f"\\{byte:03o}" for byte in character.encode()])
