"""Options that several commands have: the QEMU, the host, and the configuration that is found beside an input."""

import os
from functools import cache
from typing import TYPE_CHECKING, get_args

import click

from virtmem_cli.cli.streams import STDIN, read_input
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.errors import UsageError, VirtmemError
from virtmem_cli.parse import emulator
from virtmem_cli.target import HOSTS, NEWEST, Host, Qemu, Scope, host_of_toml, qemu_of_version, show
from virtmem_cli.text import nearest, printable, quoted

if TYPE_CHECKING:
    from virtmem_cli.settings import Settings

# --qemu's word for the binary that the domain names
EMULATOR = "emulator"
# --host's word for this machine
LOCAL = "local"

# What --host takes, for its help
HOST_HELP = f"The host to judge for: {', '.join(HOSTS)}; {LOCAL} for this machine; or a TOML file (see the README)."

qemu_option = click.option(
    "--qemu",
    metavar="VERSION|PATH|emulator",
    default=show(NEWEST),
    show_default=True,
    help="The QEMU to write for: a version, 5.1 or later; a binary, which is asked; or the domain's own <emulator>.",
)
scope_option = click.option(
    "--scope",
    type=click.Choice(get_args(Scope)),
    default="devices",
    show_default=True,
    help="devices: the virtio-mem devices. memory: all of the guest's memory, vCPUs and NUMA nodes too. "
    "machine: as much as QEMU starts with.",
)
strict_option = click.option("--strict", is_flag=True, help="Refuse a domain for a warning, too.")
jobs_option = click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 1024),
    metavar="N",
    default=1,
    help="Work on so many domains at a time; the output is the same.",
)
files_argument = click.argument("files", metavar="XML...", nargs=-1, required=True)


@cache
def host(choice: str) -> Host:
    """The host of --host: one of HOSTS, this machine, or a file; raises UsageError, or VirtmemError."""
    if choice in HOSTS:
        return HOSTS[choice]
    if choice == LOCAL:
        from virtmem_cli.probe import local_host

        return local_host()
    if not {"/", "."} & {*choice} and not os.path.exists(choice):
        names = (*HOSTS, LOCAL)
        near = nearest(choice, names)
        hint = f"did you mean '{near}'?" if near else f"known are {', '.join(names)}, or the path of a file"
        raise UsageError(f"--host {quoted(choice)}: there is no such host; {hint}")
    try:
        text = read_input(choice).decode()
    except UnicodeDecodeError:
        raise UsageError(f"--host {quoted(choice)}: the file is not UTF-8") from None
    except VirtmemError as error:
        raise VirtmemError(f"--host is none of {', '.join(HOSTS)} and {LOCAL}, and as a file {error}") from None
    return host_of_toml(text, printable(choice))


def qemu(choice: str, data: bytes, name: str) -> Qemu:
    """The QEMU of --qemu for this input: a version, a binary to ask, or the one that the domain names."""
    if choice == EMULATOR:
        named = emulator(parse_tree(data, name))
        if named is None:
            raise VirtmemError(f"{name}: --qemu {EMULATOR}, and the domain has no <emulator>")
        choice = named
    if "/" not in choice:
        return qemu_of_version(choice)
    from virtmem_cli.probe import ask_qemu

    return ask_qemu(choice)


def qemu_or_default(choice: str) -> Qemu:
    """The QEMU of --qemu for all inputs; where each names its own, the newest, until that is asked."""
    return Qemu() if choice == EMULATOR else qemu(choice, b"", "")


def settings_for(path: str) -> "Settings":
    """What the nearest configuration says, from the input's folder upwards; {} where there is none.

    virtmem.toml counts before pyproject.toml in the same folder, and the latter only if it has [tool.virtmem].
    """
    return _settings_in(os.getcwd() if path == STDIN else os.path.dirname(os.path.abspath(path)))


@cache
def _settings_in(folder: str) -> "Settings":
    while (settings := _settings_at(folder)) is None:
        above = os.path.dirname(folder)
        if above == folder:
            return {}
        folder = above
    return settings


def _settings_at(folder: str) -> "Settings | None":
    for name, table in (("virtmem.toml", ""), ("pyproject.toml", "tool.virtmem")):
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        data = read_input(path)
        if table and b"tool.virtmem" not in data and b"[tool]" not in data:
            continue
        from virtmem_cli.settings import settings_of_toml

        try:
            settings = settings_of_toml(data.decode(), printable(path), within=table)
        except UnicodeDecodeError:
            raise UsageError(f"{printable(path)}: the file is not UTF-8") from None
        if settings is not None:
            return settings
    return None
