"""Arguments for a shell: the style of golden files, an option with its value a line, quoted."""

import shlex
from collections.abc import Sequence


def arguments(argv: Sequence[str]) -> str:
    """One option with its value a line, ` \\` between, quoted so that a POSIX shell gives back exactly the argv."""
    lines = [f"{option} {shlex.quote(value)}" for option, value in zip(argv[::2], argv[1::2], strict=True)]
    return " \\\n".join(lines) + "\n"
