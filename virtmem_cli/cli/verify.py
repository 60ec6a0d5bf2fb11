"""virtmem verify: a domain on real QEMU, compared with what its XML says."""

import shutil
import sys

import click

from virtmem_cli.cli.streams import display_name, read_input, say, show_findings, write_output
from virtmem_cli.convert import convert
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.errors import InputRefusedError, VirtmemError
from virtmem_cli.parse import emulator, parse_domain
from virtmem_cli.probe import ask_qemu
from virtmem_cli.target import LIBVIRT, Target
from virtmem_cli.text import printable, quoted
from virtmem_cli.verify import Report, Row, verify

# QEMU's names of architectures, where they are not libvirt's
BINARIES = {"i686": "i386"}


def _show(value: int | str | None, field: str) -> str:
    if value is None:
        return "absent"
    return f"{value:#x}" if isinstance(value, int) and field in ("memaddr", "addr") else str(value)


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    expected, reported = _show(row.expected, row.field), _show(row.reported, row.field)
    return row.device, row.field, expected, reported, "ok" if row.expected == row.reported else "differs"


def _print(report: Report) -> None:
    """A table on a terminal; else one line a field, with tabs between."""
    if sys.stdout is None or not sys.stdout.isatty():
        write_output("".join("\t".join(map(printable, _cells(row))) + "\n" for row in report.rows))
        return
    from rich.console import Console  # slow to import, and only a terminal needs it
    from rich.table import Table
    from rich.text import Text

    table = Table("device", "field", "XML", "QEMU", "")
    for row in report.rows:
        cells = _cells(row)
        table.add_row(*(Text(printable(cell)) for cell in cells), style=None if cells[-1] == "ok" else "bold red")
    Console(highlight=False).print(table)


@click.command(
    "verify",
    short_help="Start QEMU with a domain's memory, frozen, and compare.",
    epilog="\b\nExample:\n  virtmem verify --qemu /usr/bin/qemu-kvm guest.xml",
)
@click.option("--qemu", metavar="PATH", help="The QEMU to start; else the domain's <emulator>, else the one on PATH.")
@click.argument("file", metavar="XML")
def command(qemu: str | None, file: str) -> None:
    """Start real QEMU with a domain's arguments, frozen and emulated, and compare its memory devices with the XML.

    The guest does not run. What exists only on a real host, such as huge pages, is replaced for the run, and named.

    Exit status: 0 QEMU has what the XML says, 1 it has not or does not start, 2 wrong usage, 3 it cannot be run.
    """
    name = display_name(file)
    data = read_input(file)
    root = parse_tree(data, name)
    domain, _ = parse_domain(root, LIBVIRT.arch)
    named = f"qemu-system-{BINARIES.get(domain.arch, domain.arch)}"
    binary = qemu or emulator(root) or named
    path = shutil.which(binary)
    if path is None:
        raise VirtmemError(f"{quoted(binary)}: no such program; name one with --qemu")
    target = Target(qemu=ask_qemu(path), host=LIBVIRT, scope="machine")
    conversion = convert(data, name=name, target=target)
    show_findings(conversion.findings, name)
    if conversion.refused:
        say(f"{name}: refused, QEMU was not started")
        sys.exit(InputRefusedError.exit_code)
    if not conversion.devices:
        say(f"{name}: no <memory model='virtio-mem'> in this domain, so there is nothing to verify")
        return
    report = verify(domain, path, target)
    for line in report.replaced:
        say(f"{name}: replaced for this run: {line}")
    _print(report)
    if not report.rows:
        words = "; ".join(report.words.strip().splitlines())
        say(f"{name}: {target.qemu} does not start: {printable(words) or 'it says nothing'}")
    sys.exit(0 if report.good else InputRefusedError.exit_code)
