"""A document for a reader that acts upon some of what it reads: a terminal, or GitHub's runner, which obeys commands.

Takes the text of a document and its format: those of arguments and judgements, "words" for people, a "diff", or "xml".
Gives text without what acts. JSON says the same in other letters, and a shell still gets the very arguments; of what is
for people, the letters are shown as escapes. What cannot be written otherwise is refused, for the runner.
"""

import re

from virtmem_cli.errors import VirtmemError
from virtmem_cli.text import printable

# The runner takes a line that begins with `::`, white space before it or not, and one with `##[` anywhere in it
# (ActionCommand.cs). It ends lines at \n and \r; all that anybody may take for the end of one is one here.
_ENDS = "\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
_FIRST = re.compile(rf"((?:\A|[{_ENDS}])[^\S{_ENDS}]*):(?=:)")
_ANYWHERE = re.compile(r"#(?=#\[)")
# A value in JSON, quoted for a shell and not: no other line of arguments begins so.
_QUOTED_JSON, _JSON = re.compile(r"-\w+ '\{\""), '{"'


def for_runner(text: str, form: str) -> str:
    """The document without what GitHub's runner would obey, but for what is a command of ours.

    Raises VirtmemError where the format has no other way to write it.
    """
    if form == "github":
        return text  # whose words are escaped by itself
    if form == "shell":
        return _broken(text, ":''", "#''")  # in quotes: these characters never stand outside of them
    if form == "lines":
        return "\n".join(map(_line_for_runner, text.split("\n")))
    safe = _broken(text, r"\u003a", r"\u0023")
    if form == "xml" and safe != text:
        raise VirtmemError(
            "standard output: the XML has a line that GitHub's runner would take for a command; "
            "give the name of its file, which is repaired in place"
        )
    return safe


def _broken(text: str, colon: str, hash_: str) -> str:
    """The text with something else for the first character of what is obeyed."""
    return _ANYWHERE.sub(lambda _: hash_, _FIRST.sub(lambda match: match[1] + colon, text))


def _line_for_runner(line: str) -> str:
    safe = _broken(line, r"\u003a", r"\u0023")
    if safe != line and not line.startswith(_JSON):
        raise VirtmemError(
            "an argument holds what GitHub's runner would take for a command, which --format lines cannot carry; "
            f"take json: {line}"
        )
    return safe


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
