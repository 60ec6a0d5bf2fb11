"""virtmem check: domains in, all that is to be said of them out."""

import os
import sys
from collections import Counter
from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

import click

from virtmem_cli.cli import params
from virtmem_cli.cli.configuration import Configuration, Notes, configuration_for, one_for_all
from virtmem_cli.cli.files import STDIN, display_name, read
from virtmem_cli.cli.help import help_option
from virtmem_cli.cli.terminal import PLAIN, Shown, is_styled, plain, say, show, write_output
from virtmem_cli.cli.work import Task, in_order
from virtmem_cli.errors import InputRefusedError, UsageError, VirtmemError
from virtmem_cli.judgement import Judgement, Terms, check
from virtmem_cli.report import DOCUMENTS, document_format
from virtmem_cli.report.diff import diff, diff_line
from virtmem_cli.report.text import counts, lines
from virtmem_cli.report.words import Failure, failed
from virtmem_cli.settings import chosen, named_rules
from virtmem_cli.target import Host, Qemu, Scope, Target
from virtmem_cli.told import Silenced

if TYPE_CHECKING:
    from virtmem_cli.document.schema import Schema

# What --schema stands for when it names no file
INSTALLED = "installed"


class Job(NamedTuple):
    """What to do with each input; `mode` is what becomes of repairs: "" for none, "fix" to make them, "diff" to show.

    `styled` is whether the text is shown with styles; `configuration` is that of all, or None where each has its own.
    """

    configuration: Configuration | None
    styled: bool
    form: str
    qemu: Qemu | str
    hosts: tuple[Host, ...]
    scope: Scope
    strict: bool
    select: frozenset[str]
    ignore: frozenset[str]
    schema: str | None
    mode: str
    unsafe: bool


class Done(NamedTuple):
    """What came of one input: a judgement as it is told, or why there is none, and the exit code it asks for.

    `shown` is the judgement's text, `part` its part of a document; `counts` its findings, by severity. `made` is how
    many repairs were made, `output` what goes to standard output of them: the repaired domain of standard input, or a
    difference; `words` say which were left out. `left` counts those that could still be made, by whether they are safe.
    `unread` are words on a configuration that is not read.
    """

    file: str
    failure: str = ""
    code: int = 0
    shown: Shown = PLAIN
    part: str = ""
    counts: Mapping[str, int] = {}
    refused: bool = False
    devices: int = 0
    made: int = 0
    output: bytes = b""
    words: tuple[str, ...] = ()
    left: Mapping[bool, int] = {}
    configuration: str = ""
    silenced: Silenced = Silenced()
    unread: str = ""


@cache
def _schema(path: str) -> "Schema":
    from virtmem_cli.document.schema import DEFAULT, Schema

    return Schema(DEFAULT if path == INSTALLED else path)


def _check(job: Job, task: Task) -> Done:
    """An input judged by its configuration."""
    file, _ = task
    try:
        configuration = job.configuration or configuration_for(file)
    except VirtmemError as error:
        return Done(file, str(error), error.exit_code)
    return _checked(job, task, configuration)._replace(unread=configuration.unread)


def _checked(job: Job, task: Task, configuration: Configuration) -> Done:
    file, given = task
    name = display_name(file)
    try:
        data = read(file, given)
        try:
            qemu = params.qemu_for(job.qemu, data, name)
        except InputRefusedError:
            qemu = Qemu()  # no domain, which is what will be said of it
        terms = Terms(
            targets=[Target(qemu=qemu, host=host, scope=job.scope, hosts=job.hosts) for host in job.hosts],
            strict=job.strict,
            settings=chosen(configuration.settings or {}, job.select, job.ignore),
            configuration=configuration.path,
            configured=configuration.settings,
            schema=None if job.schema is None else _schema(job.schema),
        )
        if not job.mode:
            judgement = check(data, name, terms)
            return _done(job, file, judgement, refused=judgement.refused)
        from virtmem_cli.fixing import fix  # with all that writes arguments

        fixed = fix(data, name, terms, unsafe=job.unsafe)
        if job.mode == "fix" and file != STDIN and fixed.data != data:
            _write(file, data, fixed.data)
    except VirtmemError as error:
        return Done(file, str(error), error.exit_code)
    if job.mode == "fix":
        output = fixed.data if file == STDIN else b""
        done = _done(job, file, fixed.after, refused=fixed.after.refused)
        return done._replace(made=fixed.made, output=output, words=fixed.left_out)
    encoding = fixed.before.source.encoding if fixed.before.source else "utf-8"
    output = b"" if fixed.data == data else b"".join(diff(data, fixed.data, name, encoding))
    done = _done(job, file, fixed.after, refused=fixed.before.refused)
    return done._replace(made=fixed.made, output=output, words=fixed.left_out)


def _write(file: str, was: bytes, text: bytes) -> None:
    """Write a repaired file, which a signal is to wait for."""
    from virtmem_cli.cli.replace import replace
    from virtmem_cli.processes import undisturbed

    with undisturbed():
        replace(file, was, text)


def _lost(file: str, reason: str) -> Done:
    return Done(file, f"{display_name(file)}: {reason}", VirtmemError.exit_code)


def _done(job: Job, file: str, judgement: Judgement, *, refused: bool) -> Done:
    """The judgement as it is told; `refused` is whether the domain is, as it will stay."""
    # A difference is told by itself; but of what is no domain there is none
    told = job.mode != "diff" or (judgement.refused and judgement.source is None)
    told_lines = lines(judgement) if job.form == "text" and told else []
    return Done(
        file,
        code=InputRefusedError.exit_code if refused else 0,
        shown=told_lines if job.styled else plain(told_lines),
        part="" if job.form == "text" else document_format(job.form).judgement(judgement),
        counts=Counter(finding.severity.value for finding in judgement.findings),
        refused=judgement.refused,
        devices=judgement.devices,
        left=Counter(finding.safe for finding in judgement.findings if finding.safe is not None),
        configuration=judgement.configuration,
        silenced=judgement.silenced,
    )


def _rules(ctx: click.Context, option: click.Parameter, lists: tuple[str, ...]) -> frozenset[str]:
    """--select and --ignore: lists of names and patterns as the rules that they stand for; raises UsageError."""
    names = [name.strip() for words in lists for name in words.split(",")]
    return named_rules(filter(None, names), option.opts[0])


class _Command(click.Command):
    """A command whose --schema takes a value only if that is one: FILE.rng behind it, or anything with a '='."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        followers = [*args[1:], ""]
        bare = [i for i in range(end) if args[i] == "--schema" and not followers[i].endswith(".rng")]
        args = [f"--schema={INSTALLED}" if i in bare else arg for i, arg in enumerate(args)]
        return super().parse_args(ctx, args)


@click.command(
    "check",
    cls=_Command,
    add_help_option=False,
    epilog="\b\nExamples:\n  virtmem check guest.xml\n  virtmem check --host x86_64 --host aarch64-64k guest.xml\n"
    "  virtmem check --format sarif domains/*.xml >virtmem.sarif",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", *DOCUMENTS]),
    default="text",
    show_default=True,
    help="text: for people, with the source. json, sarif: for programs. github: annotations in a workflow.",
)
@params.scope_option
@params.qemu_option
@params.hosts_option
@click.option(
    "--select",
    metavar="RULES",
    multiple=True,
    callback=_rules,
    help="Judge by these rules alone: names, or 'pci-*', with commas.",
)
@click.option("--ignore", metavar="RULES", multiple=True, callback=_rules, help="Leave these rules out.")
@click.option(
    "--schema",
    metavar="[FILE]",
    help="Hold the whole domain against libvirt's schema as well: the installed one, or FILE.rng.",
)
@click.option(
    "--fix", "fixing", is_flag=True, help="Repair the files, as far as the guest gets what it was meant to have."
)
@click.option(
    "--unsafe-fixes", is_flag=True, help="Repair, too, what changes the guest: block, requested, node, address."
)
@click.option("--diff", "diffing", is_flag=True, help="Print what --fix would change, and write nothing.")
@params.strict_option
@params.config_option
@params.isolated_option
@params.jobs_option
@help_option
@params.files_argument
def command(
    form: str,
    scope: Scope,
    qemu: Qemu | str,
    hosts: tuple[Host, ...],
    select: frozenset[str],
    ignore: frozenset[str],
    schema: str | None,
    fixing: bool,
    unsafe_fixes: bool,
    diffing: bool,
    strict: bool,
    config: str | None,
    isolated: bool,
    jobs: int,
    files: tuple[str, ...],
) -> None:
    """Say all that is wrong with the memory of libvirt domains: where, why, who refuses it, and what to write.

    XML is a file with a <domain>, or - for standard input. A rule is turned off or changed in virtmem.toml, in
    pyproject.toml, or by a comment in the XML: see the README. `virtmem explain RULE` tells more of a rule.

    Exit status: 0 good, 1 a domain is refused or is none, 2 wrong usage, 3 something cannot be read or written.
    """
    if schema is not None:
        _schema(schema)
    if unsafe_fixes and not (fixing or diffing):
        raise UsageError("--unsafe-fixes needs --fix or --diff")
    if fixing and len({os.path.abspath(file) for file in files}) < len(files):
        raise UsageError("--fix: a file is given twice, and would be repaired twice")
    if form != "text" and (diffing or (fixing and STDIN in files)):
        raise UsageError(f"--format {form}: standard output is taken, by {'--diff' if diffing else 'the repaired XML'}")
    job = Job(
        configuration=one_for_all(config, isolated),
        styled=is_styled(err=diffing or (fixing and STDIN in files)),
        form=form,
        qemu=qemu,
        hosts=hosts,
        scope=scope,
        strict=strict,
        select=select,
        ignore=ignore,
        schema=schema,
        mode="diff" if diffing else "fix" if fixing else "",
        unsafe=unsafe_fixes,
    )
    with in_order(partial(_check, job), _lost, files, jobs) as results:
        summary = _Summary(form, job.mode)
        for done in results:
            summary.take(done)
        summary.end(unsafe=unsafe_fixes)
    sys.exit(summary.worst)


class _Summary:
    """What is written of each input as it comes, and what is counted of all for the last lines."""

    def __init__(self, form: str, mode: str) -> None:
        self.mode = mode
        self.form, self.document = form, None if form == "text" else document_format(form)
        self.worst, self.domains, self.refused, self.made = 0, 0, 0, 0
        self.counts: Counter[str] = Counter()
        self.left: Counter[bool] = Counter()
        self.failures: list[Failure] = []
        self.notes = Notes()
        self.parts = 0
        if self.document is not None:
            write_output(self.document.begin(), form)

    def take(self, done: Done) -> None:
        """Write what came of one input."""
        self.worst = max(self.worst, done.code)
        self.notes.unread(done.unread)
        if done.failure:
            self.fail(done.file, done.failure)
            return
        try:
            self.write(done.output)
        except VirtmemError as error:
            if self.mode != "fix":
                raise  # nor could any that comes later be written
            self.worst = max(self.worst, error.exit_code)
            self.fail(done.file, str(error))
            return
        if self.document is not None:
            self.add(done.part)
        else:
            show(done.shown, err=(self.mode == "fix" and done.file == STDIN) or self.mode == "diff")
        if not done.devices and not done.counts:
            name = display_name(done.file)
            say(f"{name}: no <memory model='virtio-mem'> in this domain, so there is nothing to check")
        for words in done.words:
            say(words)
        self.domains += 1
        self.refused += done.refused
        self.made += done.made
        self.counts.update(done.counts)
        self.left.update(done.left)
        self.notes.silenced(done.configuration, done.silenced)

    def fail(self, file: str, words: str) -> None:
        """Say why there is nothing of an input, and count nothing of it."""
        say(f"virtmem: {words}")
        self.failures.append(failed(display_name(file), words))

    def write(self, output: bytes) -> None:
        """What repairs give to standard output; a difference is coloured on a terminal."""
        if output and self.mode == "diff" and is_styled(err=False):
            show(diff_line(line.decode(errors="surrogateescape").rstrip("\r")) for line in output.split(b"\n")[:-1])
        elif output:
            write_output(output, "diff" if self.mode == "diff" else "xml")

    def add(self, part: str) -> None:
        """One more part of the document."""
        if self.document is not None and part:
            write_output(f"{self.document.between if self.parts else ''}{part}", self.form)
            self.parts += 1

    def end(self, *, unsafe: bool) -> None:
        """The rest of the document, and a line on all of it, for the user."""
        if self.document is not None:
            write_output(self.document.end(self.failures), self.form)
        if self.made:
            words = f"{self.made} {'repair' if self.made == 1 else 'repairs'}"
            say(f"{words} {'to make' if self.mode == 'diff' else 'made'}")
        then = "then " if self.mode == "diff" else ""
        domains = f"{self.domains} domain{'s' if self.domains != 1 else ''}"
        refused = f", {self.refused} refused" if self.refused else ""
        if self.domains:
            say(f"{then}{domains}{refused}: {counts(self.counts)}")
        if not self.mode and self.left[True]:
            say(f"--fix repairs {self.left[True]} of them; --diff shows how")
        if self.left[False] and not unsafe:
            option = "--unsafe-fixes" if self.mode else "--fix --unsafe-fixes"
            say(f"{option} repairs {self.left[False]} more, and changes what the guest gets")
        self.notes.end()
