"""vCPUs: which cell has which of them, and how many there are. Each is on one guest node, and is counted once."""

from virtmem_cli.domain import NumaCell
from virtmem_cli.findings import Problem, Problems, Refuses, Severity, rule
from virtmem_cli.settle import Settled
from virtmem_cli.text import up_to


@rule(Severity.ERROR, Refuses.LIBVIRT, "the cells' CPUs overlap, or are more than <vcpu>")
def cell_cpus(s: Settled) -> Problems:
    """virDomainNumaDefParseXML compares each cell's CPUs with the others', and with <vcpu>."""
    owners: dict[int, NumaCell] = {}
    for cell in s.domain.cells:
        twice = [cpu for cpu in cell.cpus if owners.setdefault(cpu, cell) is not cell]
        if twice:
            other = owners[twice[0]]
            yield Problem(
                cell.element,
                f"<cell cpus> of cell {cell.id} names CPU {twice[0]}, which cell {other.id} has",
                "Give each CPU to one cell.",
            )
    for cell in s.domain.cells:
        if cell.cpus and cell.cpus[-1] >= s.domain.vcpus:
            yield Problem(
                cell.element,
                f"<cell cpus> goes up to {cell.cpus[-1]}, and <vcpu> is {s.domain.vcpus}",
                f"Write CPUs {up_to(s.domain.vcpus - 1)}, or a larger <vcpu>." if s.domain.vcpus else "Write a <vcpu>.",
            )
