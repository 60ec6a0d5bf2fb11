"""Parameters that several commands have, converted once: what a command gets is a Qemu and a Host, not their names."""

import os
from functools import cache
from typing import TYPE_CHECKING, get_args

import click

from virtmem_cli.cli.files import read_input
from virtmem_cli.errors import UsageError, VirtmemError
from virtmem_cli.target import HOSTS, NEWEST, Host, Qemu, Scope, host_of_toml, qemu_of_version, show
from virtmem_cli.text import meant, quoted

if TYPE_CHECKING:
    from virtmem_cli.document.value import Element

# --qemu's word for the binary that each domain names
EMULATOR = "emulator"
# --host's word for this machine
LOCAL = "local"


def qemu_choice(choice: str) -> Qemu | str:
    """--qemu: a version or a binary, which is asked, as a Qemu; EMULATOR as it is, since only a domain can tell.

    Raises UsageError for what is neither, or VirtmemError for a binary that does not answer.
    """
    if choice == EMULATOR:
        return choice
    if "/" not in choice:
        return qemu_of_version(choice)
    from virtmem_cli.qemu import ask_qemu

    return ask_qemu(choice)


@cache
def host(choice: str) -> Host:
    """--host: a named host, this machine or a file, as a Host.

    Raises UsageError for a host that there is not, or VirtmemError for a file that cannot be read.
    """
    if choice in HOSTS:
        return HOSTS[choice]
    if choice == LOCAL:
        from virtmem_cli.host import local_host

        return local_host()
    if not {"/", "."} & {*choice} and not os.path.exists(choice):
        names = (*HOSTS, LOCAL)
        hint = meant(choice, names, f"known are {', '.join(names)}, or the path of a file")
        raise UsageError(f"--host {quoted(choice)}: there is no such host; {hint}")
    try:
        data = read_input(choice)
    except VirtmemError as error:
        raise VirtmemError(f"--host is none of {', '.join(HOSTS)} and {LOCAL}, and as a file {error}") from None
    return host_of_toml(data, choice)


def emulator_of(root: "Element", name: str) -> str | None:
    """The path of the QEMU that a domain names, or None; raises VirtmemError for what is no absolute path.

    libvirt looks for no other: neither on PATH, nor in the folder that somebody is in.
    """
    from virtmem_cli.parse.machine import emulator

    named = emulator(root)
    if named is not None and not named.startswith("/"):
        example = "/usr/bin/qemu-system-x86_64"
        raise VirtmemError(f"{name}: <emulator> is {quoted(named)}, and should be an absolute path such as '{example}'")
    return named


def qemu_for(choice: Qemu | str, data: bytes, name: str) -> Qemu:
    """The QEMU for one input: the one of --qemu, or the binary that the domain names.

    Raises VirtmemError where it names none by its path, or InputRefusedError where it is no domain.
    """
    if isinstance(choice, Qemu):
        return choice
    from virtmem_cli.document.tree import parse_tree
    from virtmem_cli.qemu import ask_qemu

    named = emulator_of(parse_tree(data, name), name)
    if named is None:
        raise VirtmemError(f"{name}: --qemu {EMULATOR}, and the domain has no <emulator>")
    return ask_qemu(named)


# What --host takes, for its help
HOST_HELP = f"The host to judge for: {', '.join(HOSTS)}; {LOCAL} for this machine; or a TOML file (see the README)."

qemu_option = click.option(
    "--qemu",
    type=qemu_choice,
    metavar="VERSION|PATH|emulator",
    default=show(NEWEST),
    show_default=True,
    help="The QEMU to write for: a version, 5.1 or later; a binary, which is asked; or the domain's own <emulator>.",
)
host_option = click.option(
    "--host",
    type=host,
    metavar="NAME|local|FILE",
    default="libvirt",
    show_default=True,
    help=HOST_HELP,
)
hosts_option = click.option(
    "--host",
    "hosts",
    type=host,
    metavar="NAME|local|FILE",
    multiple=True,
    default=("libvirt",),
    show_default=True,
    help=f"{HOST_HELP} Again for several.",
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
config_option = click.option(
    "--config", metavar="FILE", help="Take this configuration and look for no other: a virtmem.toml or pyproject.toml."
)
isolated_option = click.option("--isolated", is_flag=True, help="Take no configuration, and look for none.")
files_argument = click.argument("files", metavar="XML...", nargs=-1, required=True)
