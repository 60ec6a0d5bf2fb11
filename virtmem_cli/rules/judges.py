"""The rules that judge a Settled, which each conversion goes by: the explicit sum of the files that hold them.

A rule that is added to a file is here by itself; a new file is a word here. `registry` has all rules there are.
"""

from types import ModuleType

from virtmem_cli.findings import Problems, Rule
from virtmem_cli.rules import addresses, backends, buses, cpus, machine, nodes, sizes
from virtmem_cli.settle import Settled

Judge = Rule[[Settled], Problems]


def rules_in(*files: ModuleType) -> tuple[Judge, ...]:
    """The rules that stand in the files."""
    return tuple([value for file in files for value in vars(file).values() if isinstance(value, Rule)])


JUDGES = rules_in(sizes, nodes, backends, addresses, buses, machine, cpus)
