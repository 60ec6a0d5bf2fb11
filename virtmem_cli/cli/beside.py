"""A file beside another one, whose place it is to take: written whole, and gone where it does not come to that.

What it takes over of the other, and how the two change places, is for those who ask: `replace` and `results`.
"""

import os
from collections.abc import Callable


def name_beside() -> str:
    """The name of a file that is to take another one's place, and is gone when it has."""
    return f".virtmem-{os.urandom(8).hex()}"


def write_beside(
    path: str, text: bytes, mode: int, keep: Callable[[int], None], *, at: int | None = None, lasting: bool = True
) -> None:
    """Write a new file, whole; `keep` gives it what it takes after the one that it replaces, if any.

    With `at`, the path is in that open folder. With `lasting` it is on the disk then, or a crash could leave neither
    the old text nor the new. Raises OSError.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(path, flags, mode, dir_fd=at), "wb") as file:
        file.write(text)
        file.flush()
        keep(file.fileno())
        if lasting:
            os.fsync(file.fileno())


def unlink(path: str, *, at: int | None = None) -> None:
    """Remove a file, if it is there; raises OSError."""
    try:
        os.unlink(path, dir_fd=at)
    except FileNotFoundError:
        pass
