"""The commands: options, streams and exit codes; no logic. Each is imported only when it is called.

Here is the one boundary where an error becomes a message and an exit code.
"""

import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from virtmem_cli import __version__
from virtmem_cli.cli.help import help_option
from virtmem_cli.errors import VirtmemError

# As a shell tells of a process that a signal ended, without importing the module signal for two numbers
BY_SIGNAL, SIGINT, SIGPIPE = 128, 2, 13

# Command -> module that holds it and its help, so that --help imports none of them.
COMMANDS = {
    "xml2argv": "Print QEMU's arguments for the virtio-mem devices of a domain.",
    "check": "Say all that is wrong with domains, where, and what to write.",
    "explain": "Tell what a rule means, with a wrong example and the right one.",
    "verify": "Start QEMU with a domain's memory, frozen, and compare.",
}


class _Lazy(click.Group):
    """A group that imports a command when it is called, and ends it as a Unix command ends."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        from virtmem_cli.cli.terminal import say

        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except click.UsageError as error:
            say(*_usage(error))
            sys.exit(error.exit_code)
        except VirtmemError as error:  # of --help and --version
            say(f"virtmem: {error}")
            sys.exit(error.exit_code)
        except click.Abort as error:
            sys.exit(_interrupted(error.__cause__))
        sys.exit(code if isinstance(code, int) else 0)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from virtmem_cli.cli.terminal import say

        if not args:
            say(*ctx.get_help().splitlines())
            ctx.exit(click.UsageError.exit_code)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        from virtmem_cli.cli.terminal import forget, say

        try:
            try:
                return super().invoke(ctx)
            except VirtmemError as error:
                say(f"virtmem: {error}")
                sys.exit(error.exit_code)
        except BrokenPipeError:
            forget(err=False)  # the reader has gone, of either, and needs no telling
            forget(err=True)
            sys.exit(BY_SIGNAL + SIGPIPE)
        except KeyboardInterrupt as error:
            sys.exit(_interrupted(error))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"virtmem_cli.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _interrupted(error: BaseException | None) -> int:
    """The exit code after Ctrl-C, or after another signal that was heeded (see `processes`) and is the argument."""
    return BY_SIGNAL + (error.args[0] if error is not None and error.args else SIGINT)


def _usage(error: click.UsageError) -> list[str]:
    """What is wrong with the words of the command line, as click says it, a line each."""
    lines = [f"Error: {error.format_message()}"]
    if error.ctx is not None:
        usage, hint = error.ctx.get_usage(), f"Try '{error.ctx.command_path} --help' for help."
        lines[:0] = [*usage.splitlines(), hint, ""]
    return lines


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from virtmem_cli.cli.terminal import write_output

        write_output(f"virtmem {__version__}\n", "words")
        ctx.exit()


@click.group(
    cls=_Lazy,
    add_help_option=False,
    epilog="\b\nExamples:\n  virtmem xml2argv guest.xml\n  virtmem check guest.xml\n  virtmem verify guest.xml",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit."
)
@help_option
def main() -> None:
    """libvirt's virtio-mem XML to QEMU's arguments, with every problem named by line."""
