"""A file replaced by its next text, as long as it still is what was read: no edit of anybody's is lost.

The new text is written whole, beside the file, and takes all that the file has but its text: owner, mode, access
control list, extended attributes. Then the two change places at one stroke, and only then the old one is looked at
again: where it is not what was read, or somebody is about to write to it, they change back, and that is an error. Where
the system cannot exchange files, the look comes before, as late as can be.
"""

import ctypes
import errno
import fcntl
import os
import signal
import stat
import time

from virtmem_cli.cli.beside import name_beside, unlink, write_beside
from virtmem_cli.errors import VirtmemError
from virtmem_cli.text import printable

# renameat2(2)
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
# Seconds in which whoever has found a file by its path has surely begun to open it
_MOMENT = 0.001
OPEN = "another program has it open for writing: run this again when it has closed it"
CHANGED = "somebody has changed it since it was read, and that is kept: run this again"


def replace(path: str, was: bytes, text: bytes) -> None:
    """Replace the text of a file, which was read as `was`; a symbolic link stays one. Raises VirtmemError.

    A file with several names (hard links) is left alone, since only one of them would change.
    """
    target = os.path.realpath(path)
    beside = os.path.join(os.path.dirname(target), name_beside())
    try:
        old = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            _replace(target, beside, old, was, text)
        finally:
            os.close(old)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from None
    except _LeftAloneError as error:
        raise _refused(path, str(error)) from None


class _LeftAloneError(Exception):
    """The file is left as it is; the only argument says why."""


def _refused(path: str, reason: str) -> VirtmemError:
    return VirtmemError(f"{printable(path)}: cannot be written: {reason}")


def _replace(target: str, beside: str, old: int, was: bytes, text: bytes) -> None:
    """Let the new text change places with the old file, and change back where that was changed meanwhile."""
    status = os.fstat(old)
    if not stat.S_ISREG(status.st_mode):
        raise _LeftAloneError("it is no regular file")
    if status.st_nlink > 1:
        words = f"it has {status.st_nlink} names (hard links), and only this one would change"
        raise _LeftAloneError(f"{words}: --diff shows what to write into it")
    theirs = _Held(old, was)
    if not theirs.is_still():
        raise _LeftAloneError(CHANGED)
    done = False
    ours = None
    try:
        write_beside(beside, text, 0o600, lambda new: _take_after(new, old, status))
        # Held from here on, so that it is known again by its number, and while it stands in the other's place
        ours = _Held(os.open(beside, os.O_RDONLY), text)
        if _exchange(beside, target):
            done = theirs.is_at(beside) and not theirs.is_changed()
        elif theirs.is_at(target) and not theirs.is_changed():
            os.replace(beside, target)
            done = True
        if not done:
            raise _LeftAloneError(OPEN if theirs.lease == errno.EAGAIN and theirs.is_still() else CHANGED)
    finally:
        try:
            if not done and ours and not ours.is_at(beside):
                _go_back(target, beside, ours, theirs)
            unlink(beside)
        finally:
            if ours:
                os.close(ours.file)


def _go_back(target: str, beside: str, ours: "_Held", theirs: "_Held") -> None:
    """Let what stands beside, which is somebody else's, have its place again.

    By what stands where, not by how far this came: a signal may end it anywhere.
    """
    if ours.is_changed():  # the later edit stays
        if theirs.is_at(beside) and theirs.is_still():
            return
        raise _LeftAloneError(f"it was changed twice meanwhile; what it was after the first time is {beside}")
    try:
        _exchange(beside, target)
    except FileNotFoundError:  # it was removed meanwhile, with the new text in it
        os.rename(beside, target)
        return
    if not ours.is_at(beside):  # somebody has put a newer one where ours was
        _exchange(beside, target)


class _Held:
    """A file that is open here, and its text. Whoever opens it for writing waits until it is closed.

    Where somebody has it open for writing already, it counts as changed.
    """

    def __init__(self, file: int, text: bytes) -> None:
        self.file, self.text, self.number = file, text, os.fstat(file).st_ino
        self.lease = _lease(file)

    def is_at(self, path: str) -> bool:
        """Whether it is the file at a path."""
        try:
            return os.lstat(path).st_ino == self.number
        except FileNotFoundError:
            return False

    def is_still(self) -> bool:
        """Whether it holds the text."""
        return os.pread(self.file, len(self.text) + 1, 0) == self.text

    def is_changed(self) -> bool:
        """Whether it does not, or somebody is about to write to it."""
        if self.lease == 0:
            time.sleep(_MOMENT)
            if fcntl.fcntl(self.file, fcntl.F_GETLEASE) == fcntl.F_UNLCK:
                return True
        return self.lease == errno.EAGAIN or not self.is_still()


def _lease(file: int) -> int:
    """Be asked before somebody opens a file for writing, who then waits until it is closed here (fcntl(2)).

    Gives 0 where that is agreed, EAGAIN where somebody has it open already, and another number where there are no such
    leases.
    """
    try:
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # the usual one, sent to who has a lease, would end us
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except AttributeError:  # not on this system
        return errno.ENOSYS
    except OSError as error:
        return error.errno or errno.EINVAL
    return 0


def _exchange(one: str, other: str) -> bool:
    """Let two files change places at one stroke; False where the system cannot, OSError where they cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number))


def _take_after(new: int, old: int, status: os.stat_result) -> None:
    """Give a new file the owner, attributes and mode of the old one, or raise _LeftAloneError."""
    try:
        os.fchown(new, status.st_uid, status.st_gid)
    except PermissionError:
        raise _LeftAloneError("its owner or group could not be kept: --diff shows what to write into it") from None
    has, wanted = _attributes(new), _attributes(old)
    for name in has.keys() - wanted.keys():
        if name.startswith("system."):  # an access control list that the folder gives to what is new in it
            os.removexattr(new, name)
    for name, value in wanted.items():
        if has.get(name) != value:
            try:
                os.setxattr(new, name, value)
            except OSError:
                words = f"its attribute {printable(name)} could not be kept"
                raise _LeftAloneError(f"{words}: --diff shows what to write into it") from None
    os.fchmod(new, stat.S_IMODE(status.st_mode))


def _attributes(file: int) -> dict[str, bytes]:
    """The extended attributes of a file, its access control list among them; or raise _LeftAloneError."""
    if not hasattr(os, "listxattr"):
        return {}
    try:
        return {name: os.getxattr(file, name) for name in os.listxattr(file)}
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}  # this file system has none
        raise _LeftAloneError(f"its attributes cannot be read: {error.strerror}") from None
