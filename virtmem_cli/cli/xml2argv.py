"""virtmem xml2argv: domains in, QEMU's arguments out, findings to standard error."""

import os
import sys
from typing import NamedTuple

import click

from virtmem_cli.cli import options
from virtmem_cli.cli.streams import (
    STDIN,
    display_name,
    in_order,
    inputs,
    read_input,
    say,
    show_findings,
    write_file,
    write_output,
)
from virtmem_cli.convert import Conversion, convert
from virtmem_cli.errors import InputRefusedError, UsageError, VirtmemError
from virtmem_cli.findings import Severity
from virtmem_cli.render import FORMATS
from virtmem_cli.target import Scope, Target
from virtmem_cli.text import printable, quoted


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


class Work(NamedTuple):
    """What to do with one input; `data` is its text where it is not to be read again."""

    file: str
    data: bytes | None
    qemu: str
    host: str
    scope: Scope
    strict: bool


class Done(NamedTuple):
    """What came of one input: the conversion, or words on why there is none, and the exit code it asks for."""

    file: str
    conversion: Conversion | None
    words: str
    code: int


def _convert(work: Work) -> Done:
    name = display_name(work.file)
    try:
        data = read_input(work.file) if work.data is None else work.data
        target = Target(qemu=options.qemu(work.qemu, data, name), host=options.host(work.host), scope=work.scope)
        settings = options.settings_for(work.file)
        conversion = convert(data, name=name, target=target, strict=work.strict, settings=settings)
    except InputRefusedError as error:
        return Done(work.file, None, str(error), error.exit_code)
    except VirtmemError as error:
        return Done(work.file, None, f"virtmem: {error}", error.exit_code)
    return Done(work.file, conversion, "", InputRefusedError.exit_code if conversion.refused else 0)


def _shown(text: str, form: str) -> str:
    """The arguments as they are; on a terminal, what that would act upon is written as JSON can write it too."""
    if sys.stdout is None or not sys.stdout.isatty():
        return text
    lines = (printable(line) if form == "json" or '{"' in line else line for line in text.split("\n"))
    return "\n".join(lines)


def _write(done: Done, form: str, output: str | None) -> None:
    """Say what came of one input, and write its arguments."""
    name, conversion = display_name(done.file), done.conversion
    stale = f"; {printable(output)} is from before" if output is not None and os.path.exists(output) else ""
    if conversion is None:
        say(done.words)
        if done.code == InputRefusedError.exit_code:
            say(f"{name}: refused, no arguments written{stale}")
        return
    show_findings(conversion.findings, name)
    if conversion.refused:
        by = "" if any(f.rule.severity is Severity.ERROR for f in conversion.findings) else " by --strict"
        say(f"{name}: refused{by}, no arguments written{stale}")
    elif not conversion.devices:
        say(f"{name}: no <memory model='virtio-mem'> in this domain, so there is nothing to convert{stale}")
    elif output is None:
        write_output(_shown(FORMATS[form](conversion.argv), form))
    else:
        write_file(output, FORMATS[form](conversion.argv).encode())


@click.command(
    "xml2argv",
    short_help="Print QEMU's arguments for the virtio-mem devices of a domain.",
    epilog="\b\nExample:\n  virsh dumpxml guest | virtmem xml2argv -",
)
@options.scope_option
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="shell",
    show_default=True,
    help="shell: quoted, to paste or eval. lines: one argument a line. json: a list of strings.",
)
@options.qemu_option
@click.option(
    "--host",
    metavar="NAME|local|FILE",
    default="libvirt",
    show_default=True,
    help=options.HOST_HELP,
)
@options.strict_option
@options.jobs_option
@click.option("-o", "--output", metavar="DIR", help="Write DIR/NAME.args for each NAME.xml, and DIR/stdin.args for -.")
@options.files_argument
def command(
    scope: Scope,
    form: str,
    qemu: str,
    host: str,
    strict: bool,
    jobs: int,
    output: str | None,
    files: tuple[str, ...],
) -> None:
    """Print QEMU's arguments for the virtio-mem devices of libvirt domains.

    XML is a file with a <domain>, or - for standard input. Arguments go to standard output, problems to standard
    error. A domain with an error gets no arguments. Of several domains, each is a command line of its own: take -o,
    or --format json with one line for each that is not refused.

    Exit status: 0 good, 1 a domain is refused or is none, 2 wrong usage, 3 something cannot be read or written.
    """
    options.qemu_or_default(qemu)
    options.host(host)  # what is wrong with these is said once, before any domain
    outputs = _outputs(files, output) if output is not None else {}
    worst = 0
    works = [Work(file, data, qemu, host, scope, strict) for file, data in inputs(files)]
    for done in in_order(_convert, works, jobs):
        code = done.code
        try:
            _write(done, form, outputs.get(done.file))
        except VirtmemError as error:
            say(f"virtmem: {error}")
            code = error.exit_code
        worst = max(worst, code)
    sys.exit(worst)
