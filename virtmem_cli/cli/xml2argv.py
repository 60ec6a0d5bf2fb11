"""virtmem xml2argv: domains in, QEMU's arguments out, findings to standard error."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from virtmem_cli.cli import params
from virtmem_cli.cli.configuration import Configuration, Notes, configuration_for, one_for_all
from virtmem_cli.cli.files import STDIN, display_name, read
from virtmem_cli.cli.help import help_option
from virtmem_cli.cli.terminal import PLAIN, Shown, is_styled, plain, say, show, write_output
from virtmem_cli.cli.work import Task, in_order
from virtmem_cli.conversion import Conversion, convert
from virtmem_cli.errors import InputRefusedError, UsageError, VirtmemError
from virtmem_cli.findings import Severity
from virtmem_cli.report import ARGUMENTS, arguments_format
from virtmem_cli.target import Host, Qemu, Scope, Target
from virtmem_cli.text import quoted

if TYPE_CHECKING:
    from virtmem_cli.told import Silenced


class Job(NamedTuple):
    """What to do with each input; `styled` is whether findings are shown with styles.

    `outputs` are the files that the arguments of each go to; those of others go to standard output. `configuration` is
    that of all, or None where each has its own.
    """

    styled: bool
    form: str
    qemu: Qemu | str
    host: Host
    scope: Scope
    strict: bool
    outputs: Mapping[str, str]
    configuration: Configuration | None


class Done(NamedTuple):
    """What came of one input: its findings, its arguments as text, words for the user, and an exit code.

    `unread` are words on a configuration that is not read; `silenced` is what the one at `configuration`, or comments,
    keep from being told.
    """

    findings: Shown
    arguments: str
    words: Sequence[str]
    code: int
    unread: str = ""
    configuration: str = ""
    silenced: "Silenced | None" = None


def _convert(job: Job, task: Task) -> Done:
    """An input converted by its configuration."""
    file, _ = task
    try:
        configuration = job.configuration or configuration_for(file)
    except VirtmemError as error:
        return _without(job, file, f"virtmem: {error}", error.exit_code)
    done = _converted(job, task, configuration)
    return done._replace(unread=configuration.unread, configuration=configuration.path)


def _converted(job: Job, task: Task, configuration: Configuration) -> Done:
    file, given = task
    name = display_name(file)
    try:
        data = read(file, given)
        target = Target(qemu=params.qemu_for(job.qemu, data, name), host=job.host, scope=job.scope)
        conversion = convert(data, name, target, strict=job.strict, settings=configuration.settings)
    except InputRefusedError as error:
        done = _without(job, file, f"{name}: refused, no arguments written", error.exit_code)
        return done._replace(words=(str(error), *done.words))
    except VirtmemError as error:
        return _without(job, file, f"virtmem: {error}", error.exit_code)
    return _written(job, file, conversion)._replace(
        findings=_lines(conversion, name, styled=job.styled), silenced=conversion.silenced
    )


def _written(job: Job, file: str, conversion: Conversion) -> Done:
    """The arguments of a conversion as text, or in their file."""
    name, output = display_name(file), job.outputs.get(file)
    if conversion.refused:
        by = "" if any(f.severity is Severity.ERROR for f in conversion.findings) else " by --strict"
        return _without(job, file, f"{name}: refused{by}, no arguments written", InputRefusedError.exit_code)
    if not conversion.devices:
        words = f"{name}: no <memory model='virtio-mem'> in this domain, so there is nothing to convert"
        return _without(job, file, words, 0)
    try:
        text = arguments_format(job.form)(conversion.argv)
    except VirtmemError as error:
        return _without(job, file, f"virtmem: {error}", error.exit_code)
    if output is None:
        return Done(PLAIN, text, (), 0)
    from virtmem_cli.cli.results import write_result  # slow to import, and most conversions write no file

    try:
        words = write_result(output, text.encode())
    except VirtmemError as error:  # what is there stays as it is: it is the folder that is at fault
        return Done(PLAIN, "", (f"virtmem: {error}",), error.exit_code)
    return Done(PLAIN, "", (words,) if words else (), 0)


def _without(job: Job, file: str, words: str, code: int) -> Done:
    """What came of an input without arguments: none of an earlier run are left either, or that is an error."""
    output = job.outputs.get(file)
    if output is None:
        return Done(PLAIN, "", (words,), code)
    from virtmem_cli.cli.results import remove_stale

    stale = remove_stale(output)
    return Done(PLAIN, "", (words + stale.words,), max(code, VirtmemError.exit_code if stale.is_left else 0))


def _lost(job: Job, file: str, reason: str) -> Done:
    return _without(job, file, f"virtmem: {display_name(file)}: {reason}", VirtmemError.exit_code)


def _lines(conversion: Conversion, name: str, *, styled: bool) -> Shown:
    if not conversion.findings:
        return PLAIN
    from virtmem_cli.report.line import line

    lines = [line(finding, name) for finding in conversion.findings]
    return lines if styled else plain(lines)


def _outputs(files: Sequence[str], folder: str) -> dict[str, str]:
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
                f"{path}: convert them into different folders"
            )
        outputs[file] = path
    return outputs


@click.command(
    "xml2argv",
    add_help_option=False,
    epilog="\b\nExample:\n  virsh dumpxml guest | virtmem xml2argv -",
)
@params.scope_option
@click.option(
    "--format",
    "form",
    type=click.Choice(ARGUMENTS),
    default="shell",
    show_default=True,
    help="shell: quoted, to paste or eval. lines: one argument a line. json: a list of strings.",
)
@params.qemu_option
@params.host_option
@params.strict_option
@params.config_option
@params.isolated_option
@params.jobs_option
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    help="Write DIR/NAME.args for each NAME.xml, and DIR/stdin.args for -. Where none is, an old one is removed.",
)
@help_option
@params.files_argument
def command(
    scope: Scope,
    form: str,
    qemu: Qemu | str,
    host: Host,
    strict: bool,
    config: str | None,
    isolated: bool,
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
    outputs = _outputs(files, output) if output is not None else {}
    worst = 0
    job = Job(
        styled=is_styled(err=True),
        form=form,
        qemu=qemu,
        host=host,
        scope=scope,
        strict=strict,
        outputs=outputs,
        configuration=one_for_all(config, isolated),
    )
    notes = Notes()
    with in_order(partial(_convert, job), partial(_lost, job), files, jobs) as results:
        for done in results:
            worst = max(worst, done.code)
            notes.unread(done.unread)
            if done.silenced:
                notes.silenced(done.configuration if done.silenced.configuration else "", done.silenced)
            if done.findings:
                show(done.findings, err=True)
            for words in done.words:
                say(words)
            if done.arguments:
                try:
                    write_output(done.arguments, form)
                except VirtmemError as error:
                    say(f"virtmem: {error}")
                    worst = max(worst, error.exit_code)
        notes.end()
    sys.exit(worst)
