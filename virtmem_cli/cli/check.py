"""virtmem check: domains in, all that is to be said of them out."""

import sys
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from virtmem_cli import report
from virtmem_cli.cli import options
from virtmem_cli.cli.streams import (
    STDIN,
    display_name,
    in_order,
    inputs,
    read_input,
    say,
    show,
    write_file,
    write_output,
)
from virtmem_cli.convert import Judgement, check, fix
from virtmem_cli.document.source import Source
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.errors import InputRefusedError, UsageError, VirtmemError
from virtmem_cli.render import diff_line
from virtmem_cli.report import FORMATS, Failure, counts, diff, text
from virtmem_cli.settings import chosen
from virtmem_cli.target import Scope, Target
from virtmem_cli.text import printable

if TYPE_CHECKING:
    from virtmem_cli.document.schema import Schema

# What --schema stands for when it names no file
INSTALLED = "installed"


class Work(NamedTuple):
    """What to do with one input; `data` is its text where it is not to be read again."""

    file: str
    data: bytes | None
    qemu: str
    hosts: tuple[str, ...]
    scope: Scope
    strict: bool
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    schema: str | None
    repair: bool
    write: bool
    unsafe: bool


class Done(NamedTuple):
    """What came of one input: the judgement, or words on why there is none, and the exit code it asks for.

    `before` and `after` are its bytes as it was read and as it is repaired, in `made` repairs.
    """

    file: str
    judgement: Judgement | None
    words: str
    code: int
    before: bytes = b""
    after: bytes = b""
    made: int = 0


@cache
def _schema(path: str) -> "Schema":
    from virtmem_cli.document.schema import DEFAULT, Schema

    return Schema(DEFAULT if path == INSTALLED else path)


def _given(file: str) -> str:
    """What an input is called in a report: a file by its name as it is given, odd characters and all."""
    return report.STDIN if file == STDIN else file


def _check(work: Work) -> Done:
    name = display_name(work.file)
    try:
        data = read_input(work.file) if work.data is None else work.data
        settings = chosen(options.settings_for(work.file), work.select, work.ignore, "--select or --ignore")
        try:
            qemu = options.qemu(work.qemu, data, name)
        except InputRefusedError:
            qemu = options.qemu_or_default(work.qemu)  # no domain, which is what will be said of it
        hosts = tuple(options.host(choice) for choice in work.hosts)
        how: dict[str, Any] = {
            "targets": [Target(qemu=qemu, host=host, scope=work.scope, hosts=hosts) for host in hosts],
            "strict": work.strict,
            "settings": settings,
            "schema": None if work.schema is None else _schema(work.schema),
        }
        given = _given(work.file)
        after, made = fix(data, name=given, unsafe=work.unsafe, **how) if work.repair else (data, 0)
        judgement = check(after, name=given, **how)
        refused = judgement.refused if work.write else check(data, name=name, **how).refused
    except VirtmemError as error:
        return Done(work.file, None, f"virtmem: {error}", error.exit_code)
    return Done(work.file, judgement, "", InputRefusedError.exit_code if refused else 0, data, after, made)


def _show_diff(done: Done) -> None:
    """What the repairs change: coloured on a terminal, else bytes that `patch` takes."""
    if done.after == done.before:
        return
    encoding = Source(done.before, parse_tree(done.before, done.file)).encoding
    lines = diff(done.before, done.after, display_name(done.file), encoding)
    if sys.stdout is None or not sys.stdout.isatty():
        write_output(b"".join(lines))
        return
    texts = (line.decode(errors="replace").rstrip("\r\n") for line in lines)
    show(diff_line(printable(text)) for text in texts)


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
    short_help="Say all that is wrong with domains, where, and what to write.",
    epilog="\b\nExamples:\n  virtmem check guest.xml\n  virtmem check --host x86_64 --host aarch64-64k guest.xml\n"
    "  virtmem check --format sarif domains/*.xml >virtmem.sarif",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", *FORMATS]),
    default="text",
    show_default=True,
    help="text: for people, with the source. json, sarif: for programs. github: annotations in a workflow.",
)
@options.scope_option
@options.qemu_option
@click.option(
    "--host",
    "hosts",
    metavar="NAME|local|FILE",
    multiple=True,
    default=("libvirt",),
    show_default=True,
    help=f"{options.HOST_HELP} Again for several.",
)
@click.option(
    "--select", metavar="RULES", multiple=True, help="Judge by these rules alone: names, or 'pci-*', with commas."
)
@click.option("--ignore", metavar="RULES", multiple=True, help="Leave these rules out.")
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
@options.strict_option
@options.jobs_option
@options.files_argument
def command(
    form: str,
    scope: Scope,
    qemu: str,
    hosts: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    schema: str | None,
    fixing: bool,
    unsafe_fixes: bool,
    diffing: bool,
    strict: bool,
    jobs: int,
    files: tuple[str, ...],
) -> None:
    """Say all that is wrong with the memory of libvirt domains: where, why, who refuses it, and what to write.

    XML is a file with a <domain>, or - for standard input. A rule is turned off or changed in virtmem.toml, in
    pyproject.toml, or by a comment in the XML: see the README. `virtmem explain RULE` tells more of a rule.

    Exit status: 0 good, 1 a domain is refused or is none, 2 wrong usage, 3 something cannot be read.
    """
    options.qemu_or_default(qemu)
    for host in hosts:
        options.host(host)
    if schema is not None:
        _schema(schema)
    selected, ignored = _names(select), _names(ignore)
    chosen({}, selected, (), "--select")
    chosen({}, (), ignored, "--ignore")
    if unsafe_fixes and not (fixing or diffing):
        raise UsageError("--unsafe-fixes needs --fix or --diff")
    if form != "text" and (diffing or (fixing and STDIN in files)):
        raise UsageError(f"--format {form}: standard output is taken, by {'--diff' if diffing else 'the repaired XML'}")
    repair = fixing or diffing
    works = [
        Work(file, data, qemu, hosts, scope, strict, selected, ignored, schema, repair, not diffing, unsafe_fixes)
        for file, data in inputs(files)
    ]
    worst = 0
    reported: list[Done] = []
    failures: list[Failure] = []
    for done in in_order(_check, works, jobs):
        code = done.code
        try:
            if diffing:
                _show_diff(done)
            elif fixing:
                _write_repaired(done)
        except VirtmemError as error:
            say(f"virtmem: {error}")
            code = error.exit_code
        worst = max(worst, code)
        if done.judgement is None:
            say(done.words)
            failures.append(Failure(_given(done.file), done.words.removeprefix("virtmem: ")))
            continue
        if form == "text" and not diffing:
            show(text(done.judgement), err=fixing and done.file == STDIN)
        elif form == "text" and not done.judgement.devices and done.judgement.refused:
            show(text(done.judgement), err=True)  # no domain, of which there is no difference to show
        reported.append(done)
    judgements = [done.judgement for done in reported if done.judgement is not None]
    if form != "text":
        write_output(FORMATS[form](judgements, failures))
    if made := sum(done.made for done in reported):
        say(f"{made} {'repair' if made == 1 else 'repairs'} {'to make' if diffing else 'made'}")
    _conclude(judgements, "" if not diffing else "then ")
    _conclude_repairs(reported, repair=repair, unsafe=unsafe_fixes)
    sys.exit(worst)


def _write_repaired(done: Done) -> None:
    """The repaired domain into its file, where it differs; standard input's to standard output, whatever it is."""
    if done.file == STDIN:
        write_output(done.after)
    elif done.after != done.before:
        write_file(done.file, done.after)


def _names(lists: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip() for words in lists for name in words.split(",") if name.strip())


def _conclude(judgements: list[Judgement], then: str) -> None:
    """One line on all of it, for the user."""
    for judgement in judgements:
        if not judgement.devices and not judgement.findings:
            name = printable(judgement.name)
            say(f"{name}: no <memory model='virtio-mem'> in this domain, so there is nothing to check")
    found = counts(finding for judgement in judgements for finding in judgement.findings)
    refused = sum(judgement.refused for judgement in judgements)
    domains = f"{len(judgements)} domain{'s' if len(judgements) != 1 else ''}"
    if judgements:
        say(f"{then}{domains}, {refused} refused: {found}" if refused else f"{then}{domains}: {found}")


def _conclude_repairs(reported: list[Done], *, repair: bool, unsafe: bool) -> None:
    """A line on what can be repaired."""
    left = [f.repair for done in reported if done.judgement for f in done.judgement.findings if f.repair]
    safe = sum(one.safe for one in left)
    if not repair and safe:
        say(f"--fix repairs {safe} of them; --diff shows how")
    if len(left) > safe and not unsafe:
        option = "--unsafe-fixes" if repair else "--fix --unsafe-fixes"
        say(f"{option} repairs {len(left) - safe} more, and changes what the guest gets")
