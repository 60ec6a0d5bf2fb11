"""virtmem verify: a domain on real QEMU, compared with what its XML says."""

import shutil
import sys

import click

from virtmem_cli.cli import params
from virtmem_cli.cli.configuration import Notes, configuration_for, one_for_all
from virtmem_cli.cli.files import display_name, read_input
from virtmem_cli.cli.help import help_option
from virtmem_cli.cli.terminal import say, show, show_table
from virtmem_cli.conversion import convert
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.errors import InputRefusedError, UsageError, VirtmemError
from virtmem_cli.machines import ARCHITECTURES
from virtmem_cli.parse import parse_domain
from virtmem_cli.qemu import ask_qemu
from virtmem_cli.report.comparison import TITLES, cells
from virtmem_cli.report.line import line
from virtmem_cli.target import LIBVIRT, Qemu, Target
from virtmem_cli.text import quoted
from virtmem_cli.verify import verify


@click.command(
    "verify",
    add_help_option=False,
    epilog="\b\nExample:\n  virtmem verify --qemu /usr/bin/qemu-kvm guest.xml",
)
@click.option("--qemu", metavar="PATH", help="The QEMU to start; else the domain's <emulator>, else the one on PATH.")
@params.config_option
@params.isolated_option
@help_option
@click.argument("file", metavar="XML")
def command(qemu: str | None, config: str | None, isolated: bool, file: str) -> None:
    """Start real QEMU with a domain's arguments, frozen and emulated, and compare its memory devices with the XML.

    The guest does not run. What exists only on a real host, such as huge pages, is replaced for the run, and named.

    Exit status: 0 QEMU has what the XML says, 1 it has not or does not start, 2 wrong usage, 3 it cannot be run.
    """
    name = display_name(file)
    configuration = one_for_all(config, isolated) or configuration_for(file)
    notes = Notes()
    notes.unread(configuration.unread)
    data = read_input(file)
    root = parse_tree(data, name)
    domain, _ = parse_domain(root, LIBVIRT.arch)
    path = _program(qemu, None if qemu else params.emulator_of(root, name), domain.arch)
    target = Target(qemu=ask_qemu(path) if path else Qemu(), host=LIBVIRT, scope="machine")
    conversion = convert(data, name, target, settings=configuration.settings)
    show([line(finding, name) for finding in conversion.findings], err=True)
    if conversion.silenced:
        notes.silenced(configuration.path if conversion.silenced.configuration else "", conversion.silenced)
    notes.end()
    if conversion.refused:
        say(f"{name}: refused, QEMU was not started")
        sys.exit(InputRefusedError.exit_code)
    if conversion.settled is None or path is None:
        say(f"{name}: no <memory model='virtio-mem'> in this domain, so there is nothing to verify")
        return
    say(f"{name}: verified by {target.qemu}, {path}")
    report = verify(conversion.settled, path)
    for words in report.replaced:
        say(f"{name}: replaced for this run: {words}")
    show_table(TITLES, map(cells, report.rows))
    if not report.rows:
        words = "; ".join(report.words.strip().splitlines())
        say(f"{name}: {target.qemu} does not start: {words or 'it says nothing'}")
    sys.exit(0 if report.good else InputRefusedError.exit_code)


def _program(given: str | None, emulator: str | None, arch: str) -> str | None:
    """The path of the QEMU to start: the one that is given, the domain's own, or that for its architecture.

    None for an architecture without virtio-mem, of which no program's name is made: it is any word, `../../bin/x` too.
    Raises UsageError for an empty name, or VirtmemError where there is no such program.
    """
    if given == "":
        raise UsageError("--qemu is empty; give the path of the QEMU to start")
    if given is None and emulator is None and arch not in ARCHITECTURES:
        return None
    named = given or emulator or f"qemu-system-{ARCHITECTURES[arch].qemu}"
    if path := shutil.which(named):
        return path
    if given:
        raise VirtmemError(f"--qemu {quoted(given)}: no such program; verify starts one, so give its path")
    raise VirtmemError(f"{quoted(named)}: no such program; name one with --qemu")
