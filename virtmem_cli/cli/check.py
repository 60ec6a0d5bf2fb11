"""virtmem check: domains in, all that is to be said of them out."""

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import click

from virtmem_cli.cli import options
from virtmem_cli.cli.streams import display_name, in_order, inputs, read_input, say, write_output
from virtmem_cli.convert import Judgement, check
from virtmem_cli.findings import InputRefusedError, VirtmemError
from virtmem_cli.report import FORMATS, counts, plain, text
from virtmem_cli.settings import chosen
from virtmem_cli.target import Scope, Target

if TYPE_CHECKING:
    from virtmem_cli.schema import Schema

# What --schema stands for when it names no file
INSTALLED = "installed"
STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "advice": "bold cyan",
    "place": "bold",
    "mark": "bold",
    "quiet": "dim",
    "": "",
}


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


class Done(NamedTuple):
    """What came of one input: the judgement, or words on why there is none, and the exit code it asks for."""

    judgement: Judgement | None
    words: str
    code: int


@cache
def _schema(path: str) -> "Schema":
    from virtmem_cli.schema import DEFAULT, Schema

    return Schema(DEFAULT if path == INSTALLED else path)


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
        judgement = check(
            data,
            name=name,
            targets=[Target(qemu=qemu, host=host, scope=work.scope, hosts=hosts) for host in hosts],
            strict=work.strict,
            settings=settings,
            schema=None if work.schema is None else _schema(work.schema),
        )
    except VirtmemError as error:
        return Done(None, f"virtmem: {error}", error.exit_code)
    return Done(judgement, "", InputRefusedError.exit_code if judgement.refused else 0)


def _print(judgement: Judgement) -> None:
    """The text of a judgement: in colour on a terminal, unless NO_COLOR is set; the same words elsewhere."""
    if sys.stdout is None or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        write_output(plain([judgement]))
        return
    from rich.console import Console  # slow to import, and only a terminal needs it
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in text(judgement):
        console.print(Text.assemble(*((words, STYLES[style]) for words, style in line)))


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
    show_default="libvirt",
    help="The host to judge for: one by name (see the README), this machine, or a TOML file. Again for several.",
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
    works = [Work(file, data, qemu, hosts, scope, strict, selected, ignored, schema) for file, data in inputs(files)]
    worst = 0
    judgements: list[Judgement] = []
    for done in in_order(_check, works, jobs):
        worst = max(worst, done.code)
        if done.judgement is None:
            say(done.words)
            continue
        if form == "text":
            _print(done.judgement)
        judgements.append(done.judgement)
    if form != "text":
        write_output(FORMATS[form](judgements))
    _conclude(judgements)
    sys.exit(worst)


def _names(lists: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip() for words in lists for name in words.split(","))


def _conclude(judgements: list[Judgement]) -> None:
    """One line on all of it, for the user."""
    for judgement in judgements:
        if not judgement.devices and not judgement.findings:
            say(f"{judgement.name}: no <memory model='virtio-mem'> in this domain, so there is nothing to check")
    found = counts(finding for judgement in judgements for finding in judgement.findings)
    refused = sum(judgement.refused for judgement in judgements)
    domains = f"{len(judgements)} domain{'s' if len(judgements) != 1 else ''}"
    if judgements:
        say(f"{domains}, {refused} refused: {found}" if refused else f"{domains}: {found}")
