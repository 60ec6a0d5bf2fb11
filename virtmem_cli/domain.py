"""The domain as far as it matters for memory: frozen records in bytes, each knowing the element it came from.

`parse` makes these; nothing here reads or judges. A size of 0 means absent or unreadable, as in libvirt.
Named tuples, here and in the other rooms: dataclasses took a fifth of the time of a whole conversion to define.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from virtmem_cli.units import MIB, round_up

if TYPE_CHECKING:
    from lxml.etree import _Element as Element
else:
    Element = Any

MemoryMode = Literal["strict", "preferred", "interleave", "restrictive"]

# The elements that records keep, by name; <target>'s <address> goes by QEMU's name, memaddr.
DomainElement = Literal["name", "maxMemory", "memory", "currentMemory", "os", "launchSecurity"]
DeviceElement = Literal[
    "source",
    "target",
    "driver",
    "alias",
    "address",
    "acpi",
    "nodemask",
    "pagesize",
    "size",
    "node",
    "block",
    "requested",
    "current",
    "memaddr",
]

# libvirt rounds the size of a memory device up to this, on all architectures that have virtio-mem.
DEVICE_STEP = 2 * MIB


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


Address = PciAddress | CcwAddress


class DeviceAddress(NamedTuple):
    """An address that some device of the domain has, virtio-mem or other; `device` is the element's name."""

    element: Element
    device: str
    address: Address


class PciController(NamedTuple):
    """A PCI controller: `bus` is its index, the number of the bus it gives, `model` libvirt's name for its kind.

    `driver` is <model name>, QEMU's name for it; `numbers` has what <target> gives: chassis, chassisNr, port, busNr,
    and the guest node of an expander.
    """

    element: Element
    bus: int
    model: str
    alias: str | None
    address: Address | None
    driver: str | None
    numbers: Mapping[str, int]


class VirtioMem(NamedTuple):
    """One <memory model='virtio-mem'>; `elements` has the first of each of its elements, by name."""

    element: Element
    elements: Mapping[DeviceElement, Element]
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
    address: Address | None

    @property
    def size(self) -> int:
        """The most it can ever give: as written, rounded up as libvirt does."""
        return round_up(self.size_given, DEVICE_STEP)

    def at(self, element: DeviceElement) -> Element:
        """The element of that name, or the device's own where it is absent."""
        return self.elements.get(element, self.element)


class OtherMemory(NamedTuple):
    """A memory device of another model: it takes hotplug space. `path` is what backs an nvdimm or virtio-pmem.

    `slot` is a DIMM's, given or the first that is free; `address` a virtio-pmem's.
    """

    element: Element
    elements: Mapping[DeviceElement, Element]
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
    address: Address | None

    @property
    def size(self) -> int:
        """Its size, rounded up as libvirt does."""
        return round_up(self.size_given, DEVICE_STEP)

    def at(self, element: DeviceElement) -> Element:
        """The element of that name, or the device's own where it is absent."""
        return self.elements.get(element, self.element)


MemoryDevice = VirtioMem | OtherMemory


class NumaCell(NamedTuple):
    """A guest NUMA node that has boot memory."""

    element: Element
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

    element: Element
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
    locked: Element | None


class MemNode(NamedTuple):
    """A <memnode>: the host nodes of one cell."""

    element: Element
    cellid: int
    mode: MemoryMode
    nodeset: tuple[int, ...] | None


class NumaTune(NamedTuple):
    """<numatune>: what its <memory> says, and its <memnode>s; `element` is the former where there is one."""

    element: Element
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
    """A libvirt domain, reduced to its memory and to what its memory devices touch; `element` is <domain>.

    `vfio` and `vhost_user` are the devices that map the guest's memory in these ways.
    """

    element: Element
    elements: Mapping[DomainElement, Element]
    name: str
    id: int
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
    aliases: tuple[tuple[str, Element], ...]
    usb_controllers: int
    launch_security: str | None
    current_memory: int
    balloon: bool
    vfio: tuple[Element, ...]
    vhost_user: tuple[Element, ...]

    @property
    def devices(self) -> tuple[VirtioMem, ...]:
        """The virtio-mem devices, in document order."""
        return tuple(device for device in self.memory_devices if isinstance(device, VirtioMem))

    @property
    def max_memory(self) -> int:
        """<maxMemory>, rounded up as libvirt does."""
        return round_up(self.max_memory_given, MIB)

    def at(self, element: DomainElement) -> Element:
        """The domain's element of that name, or <domain> itself where it is absent."""
        return self.elements.get(element, self.element)
