"""The process: `virtmem`, or `python -m virtmem_cli`. It begins and ends with less ado than Python's own."""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    # `python -m` has put the current folder first, where anybody's json.py may lie; the package itself is found already
    del sys.path[0]

import gc

# A conversion is over before there is garbage worth looking for, and the looking takes a tenth of its time
gc.disable()

import os  # noqa: E402
from typing import NoReturn  # noqa: E402

try:
    from virtmem_cli.cli import main as command
except KeyboardInterrupt:
    os._exit(128 + 2)  # as the command itself, which is not there yet: `cli` has the reasons


def main() -> NoReturn:
    """Run the command, and leave with its exit code.

    Everything is written and closed by then, and to take the interpreter down, module by module, would take longer
    than a conversion.
    """
    try:
        command(prog_name="virtmem")
        raise AssertionError("a command always says how it ends")
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 0)
    except Exception:
        _fault()
        os._exit(3)


def _fault() -> None:
    """Say what nobody has foreseen, in words as harmless as all others: what the input says may be in it."""
    from traceback import format_exc

    from virtmem_cli.cli.terminal import say

    say(*format_exc().split("\n"), "virtmem: this is a fault of its own; please report it")


if __name__ == "__main__":
    main()
