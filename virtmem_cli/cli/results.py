"""Results in a folder that others may write to as well: each is written whole or not at all, and follows no link.

The folder itself may be one, as its owner likes. What a link in it leads to is never written, read or removed.
"""

import errno
import os
import stat
from typing import NamedTuple

from virtmem_cli.cli.beside import name_beside, unlink, write_beside
from virtmem_cli.errors import VirtmemError
from virtmem_cli.processes import undisturbed


def write_result(path: str, data: bytes) -> str:
    """Write a file, its folder made where it is absent; gives what is to be said of it. Raises VirtmemError.

    One of the user's that is there keeps its mode and group, and no bit that gives rights to who runs it. A link, or
    another's file, is replaced by an ordinary new file.
    """
    folder, name = os.path.split(path)
    try:
        os.makedirs(folder or ".", exist_ok=True)
        at = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            with undisturbed():
                before = _write_in(at, name, data)
        finally:
            os.close(at)
    except OSError as error:
        raise VirtmemError(f"{path}: cannot be written: {error.strerror}") from None
    if before is None or _is_ours(before):
        return ""
    if stat.S_ISLNK(before.st_mode):
        return f"{path}: it was a symbolic link, and is a file now; what it led to is as it was"
    return f"{path}: it was a file of user {before.st_uid}'s, and is a new one of yours now"


def _write_in(at: int, name: str, data: bytes) -> os.stat_result | None:
    """Write a file in an open folder; gives what was there. Raises OSError."""
    before = _status(at, name)
    if before is not None and not (stat.S_ISREG(before.st_mode) or stat.S_ISLNK(before.st_mode)):
        raise OSError(errno.EEXIST, "it is there already, and is no regular file")
    temporary = name_beside()
    replaced = before is not None and stat.S_ISREG(before.st_mode)

    def keep(new: int) -> None:
        if before is not None and _is_ours(before):
            _keep_group_and_mode(new, before)

    try:
        write_beside(temporary, data, 0o666, keep, at=at, lasting=replaced)
        os.replace(temporary, name, src_dir_fd=at, dst_dir_fd=at)
    finally:
        unlink(temporary, at=at)
    return before


def _is_ours(status: os.stat_result) -> bool:
    """Whether it is a file of the user's: who may write in the folder decides nothing about the result."""
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()


def _keep_group_and_mode(descriptor: int, model: os.stat_result) -> None:
    try:
        os.fchown(descriptor, -1, model.st_gid)
    except OSError:
        pass  # a group that the user is in no longer: the new one is the user's own
    os.fchmod(descriptor, model.st_mode & 0o777)


def _status(at: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return None


class Stale(NamedTuple):
    """What became of the result of an earlier run: words that end a sentence, and whether it is there still."""

    words: str
    is_left: bool


def remove_stale(path: str) -> Stale:
    """Remove the result of an earlier run, which is no longer one. A link is removed, and what it leads to stays."""
    if not os.path.lexists(path):
        return Stale("", is_left=False)
    try:
        mode = os.lstat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            return Stale(f"; {path} is from before, and is no regular file, so that it is left alone", is_left=True)
        os.unlink(path)
    except OSError as error:
        return Stale(f"; {path} is from before, and cannot be removed: {error.strerror}", is_left=True)
    return Stale(f"; {path}, which was from before, is removed", is_left=False)
