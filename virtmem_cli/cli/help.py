"""The option --help of all commands: click's own would look for translations of its words at every start."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _help(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from virtmem_cli.cli.terminal import write_output

        write_output(f"{ctx.get_help()}\n", "words")
        ctx.exit()


def help_option(function: F) -> F:
    """Give a command, which is made with add_help_option=False, the options -h and --help."""
    return click.option(
        "-h",
        "--help",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_help,
        help="Show this message and exit.",
    )(function)
