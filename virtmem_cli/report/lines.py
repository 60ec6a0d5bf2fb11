"""Arguments one a line, for programs that read lines, such as `xargs -d '\\n'`: nothing is quoted."""

from collections.abc import Sequence

from virtmem_cli.errors import VirtmemError


def arguments(argv: Sequence[str]) -> str:
    """One argument a line. Raises VirtmemError for an argument with a line break."""
    for argument in argv:
        if "\n" in argument:
            raise VirtmemError(
                f"an argument holds a line break, which --format lines cannot carry; take json: {argument}"
            )
    return "".join([f"{argument}\n" for argument in argv])
