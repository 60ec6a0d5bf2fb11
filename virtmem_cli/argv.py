"""Properties to QEMU's argument list: JSON, or key=value for a QEMU that takes no JSON yet.

Escaping happens here and nowhere else. For a shell's quoting see `report.shell`.
"""

from collections.abc import Iterable

from virtmem_cli.errors import VirtmemError
from virtmem_cli.props import Argument, Properties, Value
from virtmem_cli.target import Qemu
from virtmem_cli.units import format_bitmap

# What JSON cannot have in a text (RFC 8259, section 7)
_ESCAPES = str.maketrans(
    {chr(code): f"\\u{code:04x}" for code in range(0x20)}
    | {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)


def as_json(properties: Properties) -> str:
    """Compact JSON in the order given, text as it is. Python's own writer would make every start 2 % slower."""
    # A key is a name of QEMU's, in which there is nothing to escape
    texts = [f'"{key}":{_json(value)}' for key, value in properties.items()]
    return f"{{{','.join(texts)}}}"


def _json(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value.translate(_ESCAPES)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{','.join(map(str, value))}]"
    return str(value)


def as_keyval(properties: Properties, bare: str = "") -> str:
    """QEMU's older syntax: key=value with commas between, the value of the key `bare` without its key.

    A comma in a value is doubled.
    """
    return ",".join(
        text if key == bare else f"{key}={text}" for key, value in properties.items() for text in _texts(value)
    )


def _texts(value: Value) -> Iterable[str]:
    """A value's texts: a list repeats its key, once for each range."""
    if isinstance(value, bool):
        return ("on" if value else "off",)
    if isinstance(value, tuple):
        return format_bitmap(value)
    return (str(value).replace(",", ",,"),)


# Options whose value can be JSON: the feature that QEMU needs for it, and the key that is bare in the older syntax.
JSON_OPTIONS = {"-object": ("object-json", "qom-type"), "-device": ("device-json", "driver")}


# Characters of all arguments: Linux starts no process with more than 6 MiB (3/4 of _STK_LIM, in fs/exec.c).
LONGEST = 6 << 20


class TooLongError(VirtmemError):
    """The arguments are longer than LONGEST."""

    def __init__(self) -> None:
        super().__init__(f"QEMU's arguments are longer than the {LONGEST >> 20} MiB with which Linux starts a process")


def arguments(arguments: Iterable[Argument], qemu: Qemu) -> tuple[str, ...]:
    """The argument list: each option, and its value in the newest syntax that this QEMU takes.

    Raises TooLongError where no process could be started with it.
    """
    argv: list[str] = []
    length = 0
    for option, properties in arguments:
        feature, bare = JSON_OPTIONS.get(option, ("", ""))
        argv += [option, as_json(properties) if feature and qemu.has(feature) else as_keyval(properties, bare)]
        length += len(argv[-1])
        if length > LONGEST:
            raise TooLongError
    return tuple(argv)
