"""What GitHub's runner obeys of a job's output, as its own code reads it: ActionCommand.cs, TryParseV2 and TryParse."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# The commands that it knows (ActionCommandManager.cs), whatever their letter case
REGISTERED = {
    *("internal-set-repo-path", "set-env", "set-output", "save-state", "add-mask", "add-path", "add-matcher"),
    *("remove-matcher", "debug", "warning", "error", "notice", "group", "endgroup", "echo", "stop-commands"),
}
# What .NET's TrimStart takes away
_SPACE = "".join(["\t\n\v\f\r \x85\xa0\u1680", *map(chr, range(0x2000, 0x200B)), "\u2028\u2029\u202f\u205f\u3000"])


class Command(NamedTuple):
    """A workflow command, as the runner has it after parsing."""

    name: str
    properties: dict[str, str]
    data: str


def commands(output: str | bytes) -> Iterator[Command]:
    """The commands in what one stream of a step has.

    The runner reads UTF-8, without a mark at the start, and ends lines at \\n, \\r and both. So that none is missed
    that another would find, the lines that Unicode knows are looked at, too.
    """
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    text = text.removeprefix("\ufeff")
    lines = re.split("\r\n|\r|\n", text)
    for line in (*lines, *({*text.splitlines()} - {*lines})):
        command = _second(line) or _first(line)
        if command is not None:
            yield command


def _second(line: str) -> Command | None:
    """`::name key=value,key=value::data`."""
    line = line.lstrip(_SPACE)
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    return _command(line[2:end], ",", "\r\n:,", line[end + 2 :], "\r\n")


def _first(line: str) -> Command | None:
    """`##[name key=value;key=value]data`, anywhere in a line."""
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    return _command(line[start + 3 : end], ";", ";\r\n]", line[end + 1 :], ";\r\n]")


def _command(info: str, between: str, in_properties: str, data: str, in_data: str) -> Command | None:
    name, _, words = info.partition(" ")
    if name.lower() not in REGISTERED:
        return None
    pairs = (pair.partition("=") for pair in words.strip().split(between))
    properties = {key: _unescaped(value, in_properties) for key, _, value in pairs if key and value}
    return Command(name, properties, _unescaped(data, in_data))


def _unescaped(text: str, codes: str) -> str:
    """Escapes undone as the runner does it: one character after the other, '%' last, and no others."""
    for character in f"{codes}%":
        text = text.replace(f"%{ord(character):02X}", character)
    return text
