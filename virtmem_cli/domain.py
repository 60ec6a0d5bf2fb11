"""The domain as far as it matters for memory: frozen records in bytes, each with the place it was read from.

A place is the number of an element in document order, <domain> being 0; `source` knows where that is.

`parse` makes these; nothing here reads or judges. A size of 0 means absent or unreadable, as in libvirt.
Named tuples, here and in the other rooms: dataclasses took a fifth of the time of a whole conversion to define.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from virtmem_cli.units import MIB, round_up

MemoryMode = Literal["strict", "preferred", "interleave", "restrictive"]

# libvirt rounds the size of a memory device up to this, on all architectures that have virtio-mem.
DEVICE_STEP = 2 * MIB

# Machine types by architecture and the PCI bus that they have: names, and beginnings of names with a version.
_PC = (("pc",), ("pc-i440fx-", "pc-0.", "pc-1."))
_Q35 = (("q35",), ("pc-q35-",))
MACHINES: Mapping[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("x86_64", "pcie-root"): _Q35,
    ("x86_64", "pci-root"): _PC,
    ("i686", "pcie-root"): _Q35,
    ("i686", "pci-root"): _PC,
    ("aarch64", "pcie-root"): (("virt",), ("virt-",)),
    ("s390x", "pci-root"): (("s390-ccw-virtio", "s390-ccw"), ("s390-ccw-virtio-",)),
}


class PciAddress(NamedTuple):
    """A guest PCI address in domain 0; `multifunction` is None where the XML leaves it open."""

    bus: int
    slot: int
    function: int
    multifunction: bool | None

    def __str__(self) -> str:
        return f"0000:{self.bus:02x}:{self.slot:02x}.{self.function:x}"


class CcwAddress(NamedTuple):
    """A channel address of s390x, printed as QEMU's devno."""

    cssid: int
    ssid: int
    devno: int

    def __str__(self) -> str:
        return f"{self.cssid:x}.{self.ssid:x}.{self.devno:04x}"


class DeviceAddress(NamedTuple):
    """An address that some device of the domain has, virtio-mem or other; `device` is the element's name."""

    place: int
    device: str
    address: PciAddress | CcwAddress


class PciController(NamedTuple):
    """A PCI controller: `bus` is its index, the number of the bus it gives, `model` libvirt's name for its kind.

    `driver` is <model name>, QEMU's name for it; `numbers` has what <target> gives: chassis, chassisNr, port, busNr,
    and the guest node of an expander.
    """

    place: int
    bus: int
    model: str
    alias: str | None
    address: PciAddress | CcwAddress | None
    driver: str | None
    numbers: Mapping[str, int]


class VirtioMem(NamedTuple):
    """One <memory model='virtio-mem'>; `places` has the place of each of its elements, by name."""

    place: int
    places: Mapping[str, int]
    alias: str
    shared: bool | None
    discard: bool | None
    nodemask: tuple[int, ...] | None
    pagesize: int
    size_given: int
    node: int | None
    block: int
    requested: int
    memaddr: int
    dynamic_memslots: bool | None
    driver: Mapping[str, bool]
    address_type: str | None
    address: PciAddress | CcwAddress | None

    @property
    def size(self) -> int:
        """The most it can ever give: as written, rounded up as libvirt does."""
        return round_up(self.size_given, DEVICE_STEP)

    def place_of(self, element: str) -> int:
        """The place of the element, or the device's own where it is absent."""
        return self.places.get(element, self.place)


class OtherMemory(NamedTuple):
    """A memory device of another model: it takes hotplug space. `path` is what backs an nvdimm or virtio-pmem.

    `slot` is a DIMM's, given or the first that is free; `address` a virtio-pmem's.
    """

    place: int
    places: Mapping[str, int]
    model: str
    alias: str
    size_given: int
    shared: bool | None
    discard: bool | None
    nodemask: tuple[int, ...] | None
    pagesize: int
    node: int | None
    path: str | None
    memaddr: int
    slot: int | None
    address: PciAddress | CcwAddress | None

    @property
    def size(self) -> int:
        """Its size, rounded up as libvirt does."""
        return round_up(self.size_given, DEVICE_STEP)

    def place_of(self, element: str) -> int:
        """The place of the element, or the device's own where it is absent."""
        return self.places.get(element, self.place)


MemoryDevice = VirtioMem | OtherMemory


def has_node(device: MemoryDevice) -> bool:
    """Whether the device is of a model that is on a guest node."""
    return isinstance(device, VirtioMem) or device.model in ("dimm", "nvdimm")


class NumaCell(NamedTuple):
    """A guest NUMA node that has boot memory."""

    place: int
    id: int
    cpus: tuple[int, ...]
    memory_given: int
    shared: bool | None
    discard: bool | None
    distances: Mapping[int, int]

    @property
    def memory(self) -> int:
        """Its boot memory, rounded up as libvirt does."""
        return round_up(self.memory_given, MIB)


class HugePage(NamedTuple):
    """A <page>, or plain <hugepages/>: then `size` is 0, which means the host's default huge page."""

    place: int
    size: int
    nodeset: tuple[int, ...] | None


class MemoryBacking(NamedTuple):
    """<memoryBacking>: what all of the guest's memory has unless a cell or a device says otherwise."""

    hugepages: tuple[HugePage, ...]
    source: str | None
    shared: bool | None
    discard: bool | None
    allocation: str | None
    threads: int
    locked: int | None


class MemNode(NamedTuple):
    """A <memnode>: the host nodes of one cell."""

    place: int
    cellid: int
    mode: MemoryMode
    nodeset: tuple[int, ...] | None


class NumaTune(NamedTuple):
    """<numatune>: what its <memory> says, and its <memnode>s."""

    place: int
    mode: MemoryMode
    nodeset: tuple[int, ...] | None
    memnodes: tuple[MemNode, ...]


class Cpu(NamedTuple):
    """<cpu>: its mode, and for the mode `custom` the model with the features that are added and taken away."""

    mode: str | None
    model: str | None
    features: Mapping[str, bool]


class Topology(NamedTuple):
    """<topology>: how the vCPUs are arranged; a part that is absent is 1."""

    sockets: int
    dies: int
    clusters: int
    cores: int
    threads: int


class Domain(NamedTuple):
    """A libvirt domain, reduced to its memory and to what its memory devices touch.

    `vfio` and `vhost_user` are the places of devices that map the guest's memory in these ways.
    """

    name: str
    id: int
    places: Mapping[str, int]
    type: str
    arch: str
    machine: str
    cpu: Cpu
    vcpus: int
    vcpus_current: int
    topology: Topology | None
    max_memory_given: int
    slots: int
    memory: int
    cells: tuple[NumaCell, ...]
    backing: MemoryBacking
    numatune: NumaTune
    memory_devices: tuple[MemoryDevice, ...]
    controllers: tuple[PciController, ...]
    addresses: tuple[DeviceAddress, ...]
    aliases: tuple[tuple[str, int], ...]
    usb_controllers: int
    launch_security: str | None
    current_memory: int
    balloon: bool
    vfio: tuple[int, ...]
    vhost_user: tuple[int, ...]

    @property
    def devices(self) -> tuple[VirtioMem, ...]:
        """The virtio-mem devices, in document order."""
        return tuple(device for device in self.memory_devices if isinstance(device, VirtioMem))

    @property
    def other_memory(self) -> tuple[OtherMemory, ...]:
        """The memory devices of other models, in document order."""
        return tuple(device for device in self.memory_devices if isinstance(device, OtherMemory))

    @property
    def is_s390x(self) -> bool:
        """s390x has CCW addresses, needs no cell and takes no -numa."""
        return self.arch == "s390x"

    @property
    def root(self) -> str | None:
        """The model of PCI bus 0, by architecture and machine type; None for a machine without PCI or unknown."""
        for (arch, root), (names, prefixes) in MACHINES.items():
            if self.arch == arch and (self.machine in names or self.machine.startswith(prefixes)):
                return root
        return None

    @property
    def is_pcie(self) -> bool:
        """Whether bus 0 is PCI Express, `pcie.0`."""
        return self.root == "pcie-root"

    @property
    def max_memory(self) -> int:
        """<maxMemory>, rounded up as libvirt does."""
        return round_up(self.max_memory_given, MIB)

    @property
    def guest_nodes(self) -> int:
        """How many guest NUMA nodes there are; libvirt adds one where <maxMemory> is set, but not on s390x."""
        if not self.cells and self.max_memory and not self.is_s390x:
            return 1
        return len(self.cells)

    @property
    def devices_size(self) -> int:
        """What all memory devices can give together."""
        return sum(device.size for device in self.memory_devices)

    @property
    def boot_memory(self) -> int:
        """What the guest boots with: the cells, or <memory> less the devices. Below 0 if that is too little."""
        if cells := sum(cell.memory for cell in self.cells):
            return cells
        return round_up(self.memory - self.devices_size, MIB)

    def place_of(self, element: str) -> int:
        """The place of the domain's element, or of <domain> itself where it is absent."""
        return self.places.get(element, 0)
