"""Properties to QEMU's argument list: JSON, or key=value for a QEMU that takes no JSON yet.

Escaping happens here and nowhere else. For a shell's quoting see `render`.
"""

import json
from collections.abc import Iterable

from virtmem_cli.props import Pair, Properties, Value
from virtmem_cli.target import Qemu
from virtmem_cli.units import format_bitmap


def as_json(properties: Properties) -> str:
    """Compact JSON in the order given, text as it is."""
    return json.dumps(properties, ensure_ascii=False, separators=(",", ":"))


def as_keyval(properties: Properties) -> str:
    """QEMU's older syntax: the type first and alone, then key=value; a comma in a value is doubled."""
    (_, kind), *rest = properties.items()
    return ",".join([str(kind), *(f"{key}={text}" for key, value in rest for text in _texts(value))])


def _texts(value: Value) -> Iterable[str]:
    """A value's texts: a list repeats its key, once for each range."""
    if isinstance(value, bool):
        return ("on" if value else "off",)
    if isinstance(value, tuple):
        return format_bitmap(value)
    return (str(value).replace(",", ",,"),)


def arguments(pairs: Iterable[Pair], qemu: Qemu) -> tuple[str, ...]:
    """The arguments: for each pair -object and its value, then -device and its value."""
    write_object = as_json if qemu.has("object-json") else as_keyval
    write_device = as_json if qemu.has("device-json") else as_keyval
    return tuple(
        argument
        for pair in pairs
        for argument in ("-object", write_object(pair.backend), "-device", write_device(pair.device))
    )
