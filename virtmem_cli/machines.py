"""Facts of machines, each once: architectures, machine types and the PCI bus that they have, PCI controller models.

Tables and what looks things up in them; sizes in bytes, versions those of QEMU. Names are libvirt's; where QEMU has
another, the table holds it. A new machine, or a new model of a controller, is a row here.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from virtmem_cli.units import GIB, MIB

Version = tuple[int, int]


class Architecture(NamedTuple):
    """What an architecture has: since when virtio-mem, and how its guests differ from x86.

    `qemu` is QEMU's name for it, `thp` the size of a transparent huge page on 4 KiB pages, `machine` the machine type
    that libvirt takes where none is given, '' for none. `cpu`: QEMU has a CPU of its own accord that goes with the
    machine. `numa`: QEMU takes -numa, and libvirt adds a cell where there is hotplugged memory and none is given;
    without, all boot memory is one piece that QEMU calls `ram`. `ccw`: devices are on the channel bus unless their
    address says PCI. `unplugged_switch`: the device has unplugged-inaccessible.
    """

    since: Version
    qemu: str
    thp: int = 2 * MIB
    machine: str = ""
    cpu: bool = True
    numa: bool = True
    ram: str = ""
    ccw: bool = False
    unplugged_switch: bool = False


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "x86_64": Architecture(since=(5, 1), qemu="x86_64", machine="pc", unplugged_switch=True),
        "i686": Architecture(since=(5, 1), qemu="i386", machine="pc", unplugged_switch=True),
        "aarch64": Architecture(since=(7, 0), qemu="aarch64", cpu=False),
        "s390x": Architecture(
            since=(10, 0), qemu="s390x", thp=MIB, machine="s390-ccw-virtio", numa=False, ram="s390.ram", ccw=True
        ),
    }
)
# What an architecture without virtio-mem is taken for, so that the rest of its domain can be judged.
OTHER = Architecture(since=(0, 0), qemu="")


class Machine(NamedTuple):
    """A kind of machine: its types by name and by the beginning of a name with a version, and its PCI bus 0.

    `root` is libvirt's model of bus 0, `bus` QEMU's name of it, and `added` the model of controller that libvirt adds
    for a bus that has none. Boot memory lies from `memory_start`; on x86 all of it up to `low_most` is below 4 GiB,
    else `low_split` of it is. Device memory begins behind it, and `slot_slack` is how far the window for it is widened
    for each slot. `chipset` are the functions of bus 0 that the machine takes itself, `usb` the one of its USB
    controller.
    """

    names: tuple[str, ...]
    prefixes: tuple[str, ...]
    root: str
    bus: str
    added: str
    memory_start: int = 0
    low_most: int = 0
    low_split: int = 0
    slot_slack: int = GIB
    chipset: frozenset[tuple[int, int]] = frozenset()
    usb: frozenset[tuple[int, int]] = frozenset()


_PC = Machine(
    names=("pc",),
    prefixes=("pc-i440fx-", "pc-0.", "pc-1."),
    root="pci-root",
    bus="pci.0",
    added="pci-bridge",
    low_most=0xE0000000,
    low_split=3 * GIB,
    chipset=frozenset({(1, 0), (1, 1), (1, 3)}),  # ISA, IDE and power management
    usb=frozenset({(1, 2)}),
)
_Q35 = Machine(
    names=("q35",),
    prefixes=("pc-q35-",),
    root="pcie-root",
    bus="pcie.0",
    added="pcie-root-port",
    low_most=0xB0000000,
    low_split=2 * GIB,
    chipset=frozenset({(0x1F, 0), (0x1F, 2), (0x1F, 3)}),  # LPC, SATA and SMBus
)
# The machines of each architecture; the first is the one to advise.
MACHINES: Mapping[str, tuple[Machine, ...]] = MappingProxyType(
    {
        "x86_64": (_Q35, _PC),
        "i686": (_Q35, _PC),
        "aarch64": (
            Machine(
                names=("virt",),
                prefixes=("virt-",),
                root="pcie-root",
                bus="pcie.0",
                added="pcie-root-port",
                memory_start=GIB,
            ),
        ),
        "s390x": (
            Machine(
                names=("s390-ccw-virtio", "s390-ccw"),
                prefixes=("s390-ccw-virtio-",),
                root="pci-root",
                bus="pci.0",
                added="pci-bridge",
                slot_slack=0,
            ),
        ),
    }
)


def machine_of(arch: str, name: str) -> Machine | None:
    """The kind of machine that a machine type is; None for one without PCI, or unknown."""
    for machine in MACHINES.get(arch, ()):
        if name in machine.names or name.startswith(machine.prefixes):
            return machine
    return None


def machine_version(name: str) -> Version | None:
    """The QEMU version that a machine type is of, as pc-q35-8.2; None for one without."""
    match = re.search(r"-([0-9]{1,3})\.([0-9]{1,3})$", name[-9:])  # each device asks, and a name may be long
    return (int(match[1]), int(match[2])) if match else None


class PciModel(NamedTuple):
    """A model of PCI controller, by libvirt's virDomainPCIAddressBusSetModel.

    `driver` is QEMU's name for it, and `numbers` what it gets of <target>: QEMU's property to libvirt's name. `slots`
    are those that it gives to devices, none where only other controllers go. `root` is the bus 0 that it needs in the
    machine, None for any; a model that `is_root` is bus 0 itself.

    Where <target> does not say, its port is the slot alone if `port_is_slot`, else with the function, and if it
    `is_expander` its bus numbers are taken from the highest down. One that `belongs` to another controller has no place
    without an address.
    """

    slots: range
    driver: str = ""
    numbers: Mapping[str, str] = MappingProxyType({})
    root: str | None = None
    is_root: bool = False
    port_is_slot: bool = False
    is_expander: bool = False
    belongs: bool = False


_PORT = MappingProxyType({"port": "port", "chassis": "chassis"})
_EXPANDER = MappingProxyType({"bus_nr": "busNr", "numa_node": "node"})
PCI_MODELS: Mapping[str, PciModel] = MappingProxyType(
    {
        "pci-root": PciModel(range(1, 32), is_root=True),
        "pcie-root": PciModel(range(1, 32), is_root=True),
        "pci-bridge": PciModel(range(1, 32), "pci-bridge", {"chassis_nr": "chassisNr"}),
        "dmi-to-pci-bridge": PciModel(range(32), "i82801b11-bridge", root="pcie-root"),
        "pcie-to-pci-bridge": PciModel(range(1, 32), "pcie-pci-bridge", root="pcie-root"),
        "pcie-root-port": PciModel(range(1), "pcie-root-port", _PORT, root="pcie-root"),
        "pcie-switch-upstream-port": PciModel(range(0), "x3130-upstream", root="pcie-root", belongs=True),
        "pcie-switch-downstream-port": PciModel(
            range(1), "xio3130-downstream", _PORT, root="pcie-root", port_is_slot=True, belongs=True
        ),
        "pci-expander-bus": PciModel(range(32), "pxb", _EXPANDER, root="pci-root", is_expander=True),
        "pcie-expander-bus": PciModel(range(0), "pxb-pcie", _EXPANDER, root="pcie-root", is_expander=True),
    }
)
# What <controller><model name> may say: libvirt's virDomainControllerPCIModelName.
PCI_DRIVERS = (
    *dict.fromkeys([model.driver for model in PCI_MODELS.values() if model.driver]),
    "ioh3420",
    "spapr-pci-host-bridge",
)


class MemoryModel(NamedTuple):
    """A model of <memory> device: whether it is on a guest node, has a slot, and lies in the window for device memory.

    `driver` is QEMU's name of the device, and `address` its property for the guest address; '' where it is not written.
    """

    node: bool = False
    slot: bool = False
    window: bool = True
    driver: str = ""
    address: str = ""


VIRTIO_MEM = "virtio-mem"
MEMORY_MODELS: Mapping[str, MemoryModel] = MappingProxyType(
    {
        VIRTIO_MEM: MemoryModel(node=True, driver="virtio-mem-pci", address="memaddr"),
        "dimm": MemoryModel(node=True, slot=True, driver="pc-dimm", address="addr"),
        "nvdimm": MemoryModel(node=True, slot=True),
        "virtio-pmem": MemoryModel(driver="virtio-pmem-pci", address="memaddr"),
        "sgx-epc": MemoryModel(window=False),
    }
)
# The driver of virtio-mem on the channel bus.
CCW_DRIVER = "virtio-mem-ccw"
# What <driver> of a virtio-mem may say, to QEMU's property, in libvirt's order; and those that a CCW device lacks.
VIRTIO_OPTIONS: Mapping[str, str] = MappingProxyType(
    {"iommu": "iommu_platform", "ats": "ats", "packed": "packed", "page_per_vq": "page-per-vq"}
)
PCI_OPTIONS = ("ats", "page_per_vq")
# Domain types that QEMU serves, to its accelerator.
DOMAIN_TYPES: Mapping[str, str] = MappingProxyType({"kvm": "kvm", "qemu": "tcg", "hvf": "hvf"})
