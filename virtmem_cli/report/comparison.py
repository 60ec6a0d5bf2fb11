"""What the XML and QEMU say of a device, as the cells of a table: numbers as people read them, and the verdict."""

from virtmem_cli.text import Piece
from virtmem_cli.verify import Row

TITLES = ("device", "field", "XML", "QEMU", "")


def _show(value: int | str | None, field: str) -> str:
    if value is None:
        return "absent"
    return f"{value:#x}" if isinstance(value, int) and field in ("memaddr", "addr") else str(value)


def cells(row: Row) -> list[Piece]:
    """A field of a device, under TITLES; what differs is marked as an error."""
    expected, reported = _show(row.expected, row.field), _show(row.reported, row.field)
    verdict, style = ("ok", "") if row.expected == row.reported else ("differs", "error")
    return [(words, style) for words in (row.device, row.field, expected, reported, verdict)]
