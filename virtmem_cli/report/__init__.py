"""What was found and made, to text: a format a file. Takes reported findings and argv, decides nothing.

The formats of `check` are written as a stream: how they begin, a judgement after the other, how they end, so that none
is kept. Those of arguments are one function, `arguments`. `text` gives pieces with a style, so that a terminal and a
file get the same words.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from virtmem_cli.report.words import Document

# The formats, each a file of this folder: those of arguments, and those of judgements.
ARGUMENTS = ("shell", "lines", "json")
DOCUMENTS = ("json", "sarif", "github")


def arguments_format(name: str) -> "Callable[[Sequence[str]], str]":
    """One of ARGUMENTS: an argument list to its text, which ends with a line break."""
    return cast("Callable[[Sequence[str]], str]", import_module(f"virtmem_cli.report.{name}").arguments)


def document_format(name: str) -> "Document":
    """One of DOCUMENTS."""
    return cast("Document", import_module(f"virtmem_cli.report.{name}"))
