"""What the XML and QEMU say of a device, as the cells of a table: numbers as people read them, and the verdict."""

from virtmem_cli.verify import Row


def _show(value: int | str | None, field: str) -> str:
    if value is None:
        return "absent"
    return f"{value:#x}" if isinstance(value, int) and field in ("memaddr", "addr") else str(value)


def cells(row: Row) -> tuple[str, str, str, str, str]:
    expected, reported = _show(row.expected, row.field), _show(row.reported, row.field)
    return row.device, row.field, expected, reported, "ok" if row.expected == row.reported else "differs"
