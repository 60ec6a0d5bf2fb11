"""Memory: what each piece has when device, cell and domain have been asked, as qemuBuildMemoryBackendProps asks them.

Takes a Domain and a host, gives Memory: access, discard, page size, host nodes and backend, for boot memory too.
"""

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from virtmem_cli.domain import Domain, HugePage, MemNode, MemoryDevice, NumaCell, OtherMemory, VirtioMem
from virtmem_cli.layout import ALIGNMENT
from virtmem_cli.machines import MEMORY_MODELS, VIRTIO_MEM, Architecture, MemoryModel
from virtmem_cli.target import Host

# Numatune modes to policies; restrictive is done with cgroups, and QEMU is told nothing.
POLICIES = {"strict": "bind", "preferred": "preferred", "interleave": "interleave", "restrictive": None}


class BootMemory(NamedTuple):
    """The boot memory of one guest node, or of a guest without any, which says nothing of its own."""

    alias: str
    node: int | None
    size: int
    cpus: tuple[int, ...]
    shared: None = None
    discard: None = None
    nodemask: None = None
    pagesize: int = 0


D = TypeVar("D", bound=VirtioMem | OtherMemory | BootMemory, covariant=True)
P = TypeVar("P", bound=VirtioMem | OtherMemory | BootMemory)


class Memory(NamedTuple, Generic[D]):
    """A piece of memory with what it has when device, cell and domain have been asked in that order.

    `pagesize` is 0 without huge pages, and `page` the <page> or <hugepages> that is in force where the device names no
    size. `host_nodes` is () where QEMU is not bound to any. `backend` is the backend's QOM type.
    """

    device: D
    shared: bool | None
    discard: bool | None
    pagesize: int
    page: HugePage | None
    host_nodes: tuple[int, ...]
    policy: str | None
    prealloc: bool
    backend: str

    @property
    def alignment(self) -> int:
        """What the address of a memory device is a multiple of."""
        if isinstance(self.device, VirtioMem):
            return max(self.device.block, self.pagesize or ALIGNMENT)
        return self.device.pagesize or ALIGNMENT

    @property
    def is_shared(self) -> bool:
        """Whether other processes can have it: as is said, and a memfd where nothing is."""
        return self.backend == "memory-backend-memfd" if self.shared is None else self.shared


AnyMemory = Memory[VirtioMem | OtherMemory | BootMemory]


def model_of(device: MemoryDevice) -> MemoryModel:
    """What there is to know of the device's model."""
    return MEMORY_MODELS[VIRTIO_MEM if isinstance(device, VirtioMem) else device.model]


def boot_pieces(domain: Domain, arch: Architecture, size: int) -> Iterable[BootMemory]:
    """The pieces that the guest boots with: one a cell, or the one cell that libvirt adds; without -numa a single one.

    vCPUs that no cell names are the first cell's, and where cells come to nothing, so is the single piece.
    """
    everyone = range(domain.vcpus)
    if not arch.numa:
        return [BootMemory(alias=arch.ram, node=0 if domain.cells else None, size=size, cpus=tuple(everyone))]
    if not domain.cells:
        return [BootMemory(alias="ram-node0", node=0, size=size, cpus=tuple(everyone))]
    named = {cpu for cell in domain.cells for cpu in cell.cpus}
    rest = [cpu for cpu in everyone if cpu not in named]
    return [
        BootMemory(
            alias=f"ram-node{cell.id}",
            node=cell.id,
            size=cell.memory,
            cpus=tuple(sorted({*cell.cpus, *rest})) if cell.id == 0 and rest else cell.cpus,
        )
        for cell in domain.cells
    ]


class Backing:
    """What cells and domain say of memory, by guest node."""

    def __init__(self, domain: Domain, host: Host) -> None:
        self.host, self.domain = host, domain
        self.cells: dict[int | None, NumaCell] = {cell.id: cell for cell in reversed(domain.cells)}
        self.memnodes: dict[int | None, MemNode] = {node.cellid: node for node in reversed(domain.numatune.memnodes)}
        self.pages: dict[int | None, HugePage] = {}
        self.page: HugePage | None = None
        for page in domain.backing.hugepages:
            if page.nodeset is None:
                self.page = page
            else:
                self.pages |= dict.fromkeys(page.nodeset, page)

    def pagesize(self, page: HugePage | None, own: int = 0) -> int:
        """The huge page that memory has, its own or that of a <page>; one of the host's base page size is none."""
        size = own or ((page.size or self.host.default_hugepage) if page else 0)
        return 0 if size == self.host.page_size else size

    def memory(self, device: P) -> Memory[P]:
        """Settle access, discard, page size and host nodes; the first of device, cell, domain counts."""
        backing, numatune = self.domain.backing, self.domain.numatune
        shared, discard = device.shared, device.discard
        cell = self.cells.get(device.node)
        if cell is not None:
            shared = cell.shared if shared is None else shared
            discard = cell.discard if discard is None else discard
        shared = backing.shared if shared is None else shared
        page = self.pages.get(device.node, self.page)
        pagesize = self.pagesize(page, device.pagesize)
        mode, nodes = numatune.mode, numatune.nodeset
        if device.nodemask is not None:
            mode, nodes = "strict", device.nodemask  # always bound to, whatever <numatune> says
        elif device.node in self.memnodes:
            memnode = self.memnodes[device.node]
            mode, nodes = memnode.mode, memnode.nodeset
        policy = POLICIES[mode] if nodes else None
        if backing.source == "memfd":
            backend = "memory-backend-memfd"
        elif pagesize or shared is not None or backing.source == "file":
            backend = "memory-backend-file"
        else:
            backend = "memory-backend-ram"
        return Memory(
            device=device,
            shared=shared,
            discard=backing.discard if discard is None else discard,
            pagesize=pagesize,
            page=page,
            host_nodes=(nodes or ()) if policy else (),
            policy=policy,
            prealloc=backing.allocation == "immediate" or pagesize > 0,
            backend=backend,
        )
