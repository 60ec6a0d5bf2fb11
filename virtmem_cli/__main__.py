"""The process: `virtmem`, or `python -m virtmem_cli`. It begins and ends with less ado than Python's own."""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    # `python -m` has put the current folder first, where anybody's json.py may lie; the package itself is found already
    del sys.path[0]

import gc
import os

# A conversion is over before there is garbage worth looking for, and the looking takes a tenth of its time
gc.disable()

# The exit code after Ctrl-C, as of the command itself, which may not be there yet: `cli` has the reasons
_INTERRUPTED = 128 + 2
# What is said where there is no memory to find words in
_SHORT = b"virtmem: there is too little memory\n"


def main() -> "NoReturn":
    """Run the command, and leave with its exit code.

    Everything is written and closed by then, and to take the interpreter down, module by module, would take longer
    than a conversion.
    """
    try:
        command(prog_name="virtmem")
        raise AssertionError("a command always says how it ends")
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 0)
    except BaseException as error:
        _end(error)


def _end(error: BaseException) -> "NoReturn":
    """Leave for a reason that no command knows."""
    code = 3
    try:
        if isinstance(error, KeyboardInterrupt):
            code = _INTERRUPTED
        elif _is_short(error):
            os.write(2, _SHORT)
        else:
            from virtmem_cli.cli.terminal import say_fault

            say_fault()
    except MemoryError:
        os.write(2, _SHORT)
    finally:
        os._exit(code)


def _is_short(error: BaseException) -> bool:
    """Whether memory was missing, if only to load a library."""
    return isinstance(error, MemoryError) or (isinstance(error, ImportError) and "failed to map" in str(error))


try:
    from typing import NoReturn

    from virtmem_cli.cli import main as command
except BaseException as error:
    _end(error)

if __name__ == "__main__":
    main()
