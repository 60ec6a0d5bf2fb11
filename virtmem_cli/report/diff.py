"""What repairs change: a unified diff that `patch -p0` takes, as bytes, since the text keeps its own encoding."""

from collections.abc import Iterator

from virtmem_cli.text import Piece, printable


def diff(before: bytes, after: bytes, name: str, encoding: str) -> Iterator[bytes]:
    """The lines of the difference; of text in an encoding without ASCII, in UTF-8."""
    from difflib import diff_bytes, unified_diff

    if encoding.startswith(("utf-16", "utf-32")):
        before, after = (data.decode(encoding).encode() for data in (before, after))
    label = printable(name).encode() + (b"\t" if " " in name else b"")  # or patch would take the first word alone
    old, new = (data.splitlines(keepends=True) for data in (before, after))
    for line in diff_bytes(unified_diff, old, new, label, label):
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def diff_line(line: str) -> list[Piece]:
    """A line of a unified diff, in the style of what it does."""
    return [(line.expandtabs(), {"+": "added", "-": "removed", "@": "quiet"}.get(line[:1], ""))]
