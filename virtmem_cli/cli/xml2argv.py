"""virtmem xml2argv: domains in, QEMU's arguments out, findings to standard error."""

import os
import sys
from typing import get_args

import click

from virtmem_cli.cli.streams import STDIN, display_name, read_input, say, show_findings, write_file, write_output
from virtmem_cli.convert import convert
from virtmem_cli.findings import InputRefusedError, Severity, UsageError, VirtmemError, printable, quoted
from virtmem_cli.parse import emulator
from virtmem_cli.render import FORMATS
from virtmem_cli.target import LIBVIRT, NEWEST, Host, Qemu, Scope, Target, host_of_toml, qemu_of_version, show
from virtmem_cli.xmltree import parse_tree

# --qemu's word for the binary that the domain names
EMULATOR = "emulator"


def _host(choice: str) -> Host:
    if choice == "libvirt":
        return LIBVIRT
    if choice == "local":
        from virtmem_cli.probe import local_host

        return local_host()
    try:
        text = read_input(choice).decode()
    except UnicodeDecodeError:
        raise UsageError(f"--host {quoted(choice)}: the file is not UTF-8") from None
    except VirtmemError as error:
        raise VirtmemError(f"--host is neither 'libvirt' nor 'local', and as a file {error}") from None
    return host_of_toml(text, printable(choice))


def _qemu(choice: str, data: bytes, name: str) -> Qemu:
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


def _outputs(files: tuple[str, ...], folder: str) -> dict[str, str]:
    """The file that each input's arguments go to; raises UsageError where two would go to the same."""
    if not folder or folder == STDIN:
        raise UsageError(f"--output {quoted(folder)}: name a folder; without --output it goes to standard output")
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UsageError(f"--output {quoted(folder)}: it is there already, and is no folder")
    outputs: dict[str, str] = {}
    owners: dict[str, str] = {}
    for file in files:
        stem = "stdin" if file == STDIN else os.path.basename(file).removesuffix(".xml")
        path = os.path.join(folder, f"{stem}.args")
        if owners.setdefault(path, file) != file:
            raise UsageError(
                f"{display_name(owners[path])} and {display_name(file)} would both be written to "
                f"{printable(path)}: convert them into different folders"
            )
        outputs[file] = path
    return outputs


def _one(file: str, qemu: str, target: Target, strict: bool, form: str, output: str | None) -> int:
    """Convert one input and write what came of it; the exit code it asks for."""
    name = display_name(file)
    stale = f"; {printable(output)} is from before" if output is not None and os.path.exists(output) else ""
    data = read_input(file)
    try:
        if qemu == EMULATOR:
            target = target._replace(qemu=_qemu(qemu, data, name))
        conversion = convert(data, name=name, target=target, strict=strict)
    except InputRefusedError as error:
        say(str(error))
        say(f"{name}: refused, no arguments written{stale}")
        return error.exit_code
    show_findings(conversion.findings, name)
    if conversion.refused:
        by = "" if any(f.rule.severity is Severity.ERROR for f in conversion.findings) else " by --strict"
        say(f"{name}: refused{by}, no arguments written{stale}")
        return InputRefusedError.exit_code
    if not conversion.devices:
        say(f"{name}: no <memory model='virtio-mem'> in this domain, so there is nothing to convert{stale}")
        return 0
    text = FORMATS[form](conversion.argv)
    if output is None:
        write_output(text)
    else:
        write_file(output, text)
    return 0


@click.command(
    "xml2argv",
    short_help="Print QEMU's arguments for the virtio-mem devices of a domain.",
    epilog="\b\nExample:\n  virsh dumpxml guest | virtmem xml2argv -",
)
@click.option(
    "--scope",
    type=click.Choice(get_args(Scope)),
    default="devices",
    show_default=True,
    help="devices: the virtio-mem devices. memory: all of the guest's memory, vCPUs and NUMA nodes too. "
    "machine: as much as QEMU starts with.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="shell",
    show_default=True,
    help="shell: quoted, to paste or eval. lines: one argument a line. json: a list of strings.",
)
@click.option(
    "--qemu",
    metavar="VERSION|PATH|emulator",
    default=show(NEWEST),
    show_default=True,
    help="The QEMU to write for: a version, 5.1 or later; a binary, which is asked; or the domain's own <emulator>.",
)
@click.option(
    "--host",
    metavar="libvirt|local|FILE",
    default="libvirt",
    show_default=True,
    help="The host to judge for: libvirt's defaults, this machine, or a TOML file (see the README).",
)
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option("-o", "--output", metavar="DIR", help="Write DIR/NAME.args for each NAME.xml, and DIR/stdin.args for -.")
@click.argument("files", metavar="XML...", nargs=-1, required=True)
def command(
    scope: Scope, form: str, qemu: str, host: str, strict: bool, output: str | None, files: tuple[str, ...]
) -> None:
    """Print QEMU's arguments for the virtio-mem devices of libvirt domains.

    XML is a file with a <domain>, or - for standard input. Arguments go to standard output, problems to standard
    error. A domain with an error gets no arguments. Of several domains, each is a command line of its own: take -o,
    or --format json with one line for each that is not refused.

    Exit status: 0 good, 1 a domain is refused or is none, 2 wrong usage, 3 something cannot be read or written.
    """
    if files.count(STDIN) > 1:
        raise UsageError("'-' is given twice, and standard input can be read once")
    target = Target(qemu=Qemu() if qemu == EMULATOR else _qemu(qemu, b"", ""), host=_host(host), scope=scope)
    outputs = _outputs(files, output) if output is not None else {}
    worst = 0
    for file in files:
        try:
            code = _one(file, qemu, target, strict, form, outputs.get(file))
        except VirtmemError as error:
            say(f"virtmem: {error}")
            code = error.exit_code
        worst = max(worst, code)
    sys.exit(worst)
