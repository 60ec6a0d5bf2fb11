"""The configuration of an input: the nearest above it, the file of --config, or none with --isolated.

What is looked for ends at the root of a repository, at the home folder, and at a file that a stranger may have
written, which is not read: who may write above an input must not decide what is said of it.
"""

import os
import stat
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from virtmem_cli.cli.files import STDIN, read_input
from virtmem_cli.cli.terminal import say
from virtmem_cli.errors import UsageError, VirtmemError
from virtmem_cli.text import quoted

if TYPE_CHECKING:
    from virtmem_cli.settings import Settings
    from virtmem_cli.told import Silenced


class Configuration(NamedTuple):
    """What a configuration says, and its path; or why one that was found is not read. '' where there is no such."""

    settings: "Settings | None" = None
    path: str = ""
    unread: str = ""


# The names of configurations, the nearest first, and the table of each that is ours
_NAMES = {"virtmem.toml": "", "pyproject.toml": "tool.virtmem"}
# What the root of a repository has in it
_REPOSITORIES = (".git", ".hg", ".jj", ".svn")


def one_for_all(file: str | None, isolated: bool) -> Configuration | None:
    """The configuration of --config or --isolated for all inputs; None where each has its own.

    Raises UsageError where both are given or the file is wrong, VirtmemError where it cannot be read.
    """
    if file is None:
        return Configuration() if isolated else None
    if isolated:
        raise UsageError("--config and --isolated: take one of them, the file or no configuration")
    if file == STDIN:
        raise UsageError("--config '-': name a file")
    table = _NAMES.get(os.path.basename(file), "")
    configuration = _read(file, table, read_input(file))
    if configuration is None:
        raise UsageError(f"--config {quoted(file)}: it has no [{table}]")
    return configuration


def configuration_for(file: str) -> Configuration:
    """The nearest configuration, from the input's folder upwards; raises UsageError or VirtmemError.

    virtmem.toml counts before pyproject.toml in the same folder, and the latter only if it has [tool.virtmem].
    """
    try:
        folder = os.getcwd() if file == STDIN else os.path.dirname(os.path.abspath(file))
    except FileNotFoundError:  # the folder that this runs in is gone, and with it all that could be found above
        return Configuration()
    found = _nearest(folder)
    if isinstance(found, VirtmemError):
        raise found.with_traceback(None)
    return found


@cache
def _nearest(folder: str) -> Configuration | VirtmemError:
    """What is found from a folder upwards, or why it cannot be read: it is looked for and read once."""
    try:
        return _above(folder)
    except VirtmemError as error:
        return error


def _above(folder: str) -> Configuration:
    home = os.path.realpath(os.path.expanduser("~"))
    while (found := _in(folder)) is None:
        above = os.path.dirname(folder)
        is_repository = any(os.path.lexists(os.path.join(folder, name)) for name in _REPOSITORIES)
        if above == folder or is_repository or os.path.realpath(folder) == home:
            return Configuration()
        folder = above
    return found


def _in(folder: str) -> Configuration | None:
    """The configuration in a folder, or one that says why that there is not read."""
    for name, table in _NAMES.items():
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        if reason := _mistrust(path):
            return Configuration(unread=f"{path}: not read: {reason}; name it with --config to have it read")
        data = read_input(path)
        if table and b"tool.virtmem" not in data and b"[tool]" not in data:
            continue
        from virtmem_cli.toml import is_for_others

        if table and is_for_others(data, table):
            continue
        if (configuration := _read(path, table, data)) is not None:
            return configuration
    return None


def _mistrust(path: str) -> str:
    """Why a file is not obeyed: a stranger may have written it. '' where none can have.

    What a group may write to is obeyed: with a group of one's own, which is usual, that is oneself. The folder does not
    count: who replaces a file in it is the new one's owner, but may link one there that everybody may write to.
    """
    link, file = os.lstat(path), os.stat(path)
    if owners := {link.st_uid, file.st_uid} - {0, os.geteuid()}:
        return f"it is user {min(owners)}'s, neither yours nor root's"
    return "everybody may write to it" if file.st_mode & stat.S_IWOTH else ""


def _read(path: str, table: str, data: bytes) -> Configuration | None:
    """What a configuration says; None where the table is absent."""
    from virtmem_cli.settings import settings_of_toml  # slow to import, and few inputs have a configuration

    settings = settings_of_toml(data, path, within=table)
    return None if settings is None else Configuration(settings, path)


class Notes:
    """What the user hears of configurations: of each that is not read, once, and at the end what they silenced."""

    def __init__(self) -> None:
        self._unread = {""}
        self._silenced: dict[str, Silenced] = {}

    def unread(self, words: str) -> None:
        """Say why a configuration is not read, if it was not said yet; '' where all is well."""
        if words not in self._unread:
            self._unread.add(words)
            say(f"virtmem: {words}")

    def silenced(self, path: str, its: "Silenced") -> None:
        """Count what a configuration, '' where it is not to be named, and comments silenced of an input."""
        self._silenced[path] = its.and_of(self._silenced[path]) if path in self._silenced else its

    def end(self) -> None:
        """Say what was counted."""
        if self._silenced:
            from virtmem_cli.report.words import silences  # slow to import, and most inputs have nothing silenced

            say(*silences(self._silenced))
