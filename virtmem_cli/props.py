"""A Domain without error findings to the properties of its QEMU objects, in libvirt's order.

Every property, in tables; no text. `argv` writes them. The order is that of libvirt's
qemuBuildMemoryBackendProps and qemuBuildMemoryDeviceProps, and golden files depend on it.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from virtmem_cli.domain import CcwAddress, Domain, OtherMemory, PciAddress, PciController, VirtioMem
from virtmem_cli.effective import (
    WRITTEN,
    BootMemory,
    Effective,
    Memory,
    backend_type,
    boot_memory,
    bus_name,
    controller_address,
    controllers_needed,
    device_driver,
    effective,
)
from virtmem_cli.target import Host, Qemu, Target
from virtmem_cli.units import KIB

Value = bool | int | str | tuple[int, ...]
Properties = Mapping[str, Value]

# <driver> attributes to QEMU's properties, in libvirt's order.
VIRTIO_OPTIONS = {"iommu": "iommu_platform", "ats": "ats", "packed": "packed", "page_per_vq": "page-per-vq"}
# libvirt cuts a domain's name to this many characters in paths.
SHORT_NAME = 20


class Argument(NamedTuple):
    """An option and its value. A value's bare word, as `node` in `-numa node,…`, has the key ''."""

    option: str
    properties: Properties


class Pair(NamedTuple):
    """One memory device: what goes into -object and what goes into -device."""

    backend: Properties
    device: Properties


def _given(values: Mapping[str, Value | None]) -> dict[str, Value]:
    """The properties without those that are None."""
    return {key: value for key, value in values.items() if value is not None}


def _path(domain: Domain, memory: Memory, settled: Effective, host: Host) -> str:
    if isinstance(memory, OtherMemory) and memory.path is not None:
        return memory.path
    name = f"{domain.id}-{domain.name[:SHORT_NAME]}"
    if settled.pagesize:
        return f"{host.hugetlbfs[settled.pagesize]}/libvirt/qemu/{name}"
    return f"{host.memory_dir}/{name}/{memory.alias}"


def _backend(domain: Domain, memory: Memory, settled: Effective, target: Target) -> dict[str, Value]:
    """A backend's properties; its id is the alias, with `mem` before it for a device."""
    named = isinstance(memory, OtherMemory) and memory.path is not None
    kind = "memory-backend-file" if named else backend_type(domain, settled)
    memfd, file = kind == "memory-backend-memfd", kind == "memory-backend-file"
    hugetlb = memfd and settled.pagesize > 0
    # virtio-mem preallocates in the device, and QEMU refuses a backend that does
    virtio_mem = isinstance(memory, VirtioMem)
    prealloc = not virtio_mem and not named
    return _given(
        {
            "qom-type": kind,
            "id": memory.alias if isinstance(memory, BootMemory) else f"mem{memory.alias}",
            "hugetlb": True if hugetlb else None,
            "hugetlbsize": settled.pagesize if hugetlb else None,
            "mem-path": _path(domain, memory, settled, target.host) if file else None,
            "discard-data": settled.discard if file and not named else None,
            "share": settled.shared if memfd or file else None,
            "reserve": False if virtio_mem and target.qemu.has("backend-reserve") else None,
            "prealloc": True if prealloc and settled.prealloc else None,
            "prealloc-threads": domain.backing.threads or None if prealloc else None,
            "size": memory.size,
            "host-nodes": settled.host_nodes or None,
            "policy": settled.policy,
        }
    )


def _objects(domain: Domain, memory: Memory, target: Target) -> Iterator[Argument]:
    """The backend of boot memory or of a DIMM, after the thread context that its preallocation runs in."""
    settled = effective(domain, memory, target.host)
    backend = _backend(domain, memory, settled, target)
    if settled.host_nodes and "prealloc" in backend and target.qemu.has("thread-context"):
        context = f"tc-{backend['id']}"
        yield Argument("-object", {"qom-type": "thread-context", "id": context, "node-affinity": settled.host_nodes})
        backend["prealloc-context"] = context
    yield Argument("-object", backend)


def _address(domain: Domain, address: PciAddress | CcwAddress | None) -> dict[str, Value | None]:
    if address is None:
        return {}
    if isinstance(address, CcwAddress):
        return {"devno": str(address)}
    multifunction = address.multifunction
    if multifunction is None and address.function == 0 and _shares_slot(domain, address):
        multifunction = True
    return {
        "bus": bus_name(domain, address.bus),
        "multifunction": multifunction,
        "addr": f"{address.slot:#x}" + (f".{address.function:#x}" if address.function else ""),
    }


def _shares_slot(domain: Domain, address: PciAddress) -> bool:
    """Whether another device of the domain is a further function of the same slot."""
    return any(
        isinstance(other.address, PciAddress)
        and (other.address.bus, other.address.slot) == (address.bus, address.slot)
        and other.address.function > 0
        for other in domain.addresses
    )


def _device(domain: Domain, device: VirtioMem, settled: Effective, qemu: Qemu) -> Properties:
    return _given(
        {
            "driver": device_driver(domain, device),
            **{name: device.driver.get(option) for option, name in VIRTIO_OPTIONS.items()},
            "node": device.node if domain.guest_nodes else None,
            "block-size": device.block,
            "requested-size": device.requested or None,
            "memdev": f"mem{device.alias}",
            "prealloc": True if settled.prealloc and qemu.has("device-prealloc") else None,
            "memaddr": device.memaddr or None,
            "dynamic-memslots": device.dynamic_memslots,
            "id": device.alias,
            **_address(domain, device.address),
        }
    )


def _other_device(domain: Domain, device: OtherMemory) -> Properties:
    if device.model == "virtio-pmem":
        return _given(
            {
                "driver": "virtio-pmem-pci",
                "memdev": f"mem{device.alias}",
                "memaddr": device.memaddr or None,
                "id": device.alias,
                **_address(domain, device.address),
            }
        )
    return _given(
        {
            "driver": "pc-dimm",
            "node": device.node,
            "memdev": f"mem{device.alias}",
            "id": device.alias,
            "slot": device.slot,
            "addr": device.memaddr or None,
        }
    )


def device_pairs(domain: Domain, target: Target) -> tuple[Pair, ...]:
    """The backend and device of each virtio-mem, in document order."""
    pairs = []
    for device in domain.devices:
        settled = effective(domain, device, target.host)
        pairs.append(
            Pair(
                backend=_backend(domain, device, settled, target),
                device=_device(domain, device, settled, target.qemu),
            )
        )
    return tuple(pairs)


def device_arguments(domain: Domain, target: Target) -> Iterator[Argument]:
    """-object and -device of the memory devices, in document order: virtio-mem alone in the scope `devices`."""
    pairs = iter(device_pairs(domain, target))
    for device in domain.memory_devices:
        if isinstance(device, VirtioMem):
            pair = next(pairs)
            yield Argument("-object", pair.backend)
            yield Argument("-device", pair.device)
        elif target.scope != "devices" and device.model in WRITTEN:
            yield from _objects(domain, device, target)
            yield Argument("-device", _other_device(domain, device))


def memory_arguments(domain: Domain, target: Target) -> Iterator[Argument]:
    """Size and slots, vCPUs, boot memory with its backends, NUMA nodes and distances."""
    yield Argument(
        "-m",
        _given(
            {
                "size": f"{domain.boot_memory // KIB}k",
                "slots": domain.slots or None,
                "maxmem": f"{domain.max_memory // KIB}k",
            }
        ),
    )
    yield Argument("-smp", _smp(domain, target))
    for memory in boot_memory(domain):
        if memory.node is None:
            # s390x takes no -numa: its memory is the machine's, and plain memory needs no saying
            *contexts, backend = _objects(domain, memory, target)
            if set(backend.properties) != {"qom-type", "id", "size"}:
                yield Argument("-machine", {"memory-backend": memory.alias})
                yield from (*contexts, backend)
            continue
        yield from _objects(domain, memory, target)
        yield Argument(
            "-numa",
            _given({"": "node", "nodeid": memory.node, "cpus": memory.cpus or None, "memdev": memory.alias}),
        )
    if not domain.is_s390x:
        yield from _distances(domain)


def _smp(domain: Domain, target: Target) -> Properties:
    topology = domain.topology
    return _given(
        {
            "": str(domain.vcpus_current),
            "maxcpus": domain.vcpus if domain.vcpus_current != domain.vcpus else None,
            "sockets": topology.sockets if topology else domain.vcpus,
            "dies": topology.dies if topology else None,
            "clusters": topology.clusters if topology and target.qemu.has("smp-clusters") else None,
            "cores": topology.cores if topology else 1,
            "threads": topology.threads if topology else 1,
        }
    )


def _distances(domain: Domain) -> Iterator[Argument]:
    """All pairs of nodes where one is given; what is not is as the way back, else 10 to itself and 20 to others."""
    given = {(cell.id, other): value for cell in domain.cells for other, value in cell.distances.items()}
    if not given:
        return
    for src in domain.cells:
        for dst in domain.cells:
            default = 10 if src.id == dst.id else 20
            value = given.get((src.id, dst.id), given.get((dst.id, src.id), default))
            yield Argument("-numa", {"": "dist", "src": src.id, "dst": dst.id, "val": value})


# A PCI controller's driver in QEMU by libvirt's model, and what of <target> it gets: QEMU's property to libvirt's name.
CONTROLLERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "pci-bridge": ("pci-bridge", {"chassis_nr": "chassisNr"}),
    "dmi-to-pci-bridge": ("i82801b11-bridge", {}),
    "pcie-to-pci-bridge": ("pcie-pci-bridge", {}),
    "pcie-root-port": ("pcie-root-port", {"port": "port", "chassis": "chassis"}),
    "pcie-switch-upstream-port": ("x3130-upstream", {}),
    "pcie-switch-downstream-port": ("xio3130-downstream", {"port": "port", "chassis": "chassis"}),
    "pci-expander-bus": ("pxb", {"bus_nr": "busNr", "numa_node": "node"}),
    "pcie-expander-bus": ("pxb-pcie", {"bus_nr": "busNr", "numa_node": "node"}),
}


def machine_arguments(domain: Domain, target: Target) -> Iterator[Argument]:
    """The machine, the accelerator, the CPU, and the PCI controllers on the way to the memory devices."""
    yield Argument("-machine", {"": domain.machine})
    yield Argument("-accel", {"": {"qemu": "tcg"}.get(domain.type, domain.type)})
    yield from _cpu(domain)
    for controller in controllers_needed(domain):
        yield Argument("-device", _controller(domain, controller))


def _cpu(domain: Domain) -> Iterator[Argument]:
    """-cpu: the named model, or the host's, which under emulation is all that QEMU can do.

    libvirt writes the host's model out for `host-model`, and only the host can say which it is.
    """
    most = "max" if domain.type == "qemu" else "host"
    if domain.cpu.mode in (None, "custom"):
        # aarch64 has no CPU of its own accord that goes with the virt machine's 64 bits
        model = domain.cpu.model or (most if domain.arch == "aarch64" else None)
    else:
        model = "max" if domain.cpu.mode == "maximum" else most
    if model:
        yield Argument("-cpu", {"": model, **domain.cpu.features})


def _controller(domain: Domain, controller: PciController) -> Properties:
    driver, numbers = CONTROLLERS[controller.model]
    defaults = _controller_defaults(domain, controller)
    given = {name: controller.numbers.get(wanted, defaults.get(wanted)) for name, wanted in numbers.items()}
    return _given(
        {
            "driver": controller.driver or driver,
            **given,
            "id": bus_name(domain, controller.bus),
            **_address(domain, controller_address(domain, controller)),
        }
    )


def _controller_defaults(domain: Domain, controller: PciController) -> Mapping[str, int]:
    """What libvirt puts into <target> where the XML leaves it open."""
    address = controller_address(domain, controller)
    slot, function = (address.slot, address.function) if address else (0, 0)
    expanders = [c.bus for c in domain.controllers if c.model.endswith("expander-bus")]
    return {
        "chassis": controller.bus,
        "chassisNr": controller.bus,
        "port": slot if controller.model == "pcie-switch-downstream-port" else slot * 8 + function,
        **({"busNr": 254 - 8 * expanders.index(controller.bus)} if controller.bus in expanders else {}),
    }


def all_arguments(domain: Domain, target: Target) -> tuple[Argument, ...]:
    """What the target's scope asks for, in libvirt's order."""
    machine = machine_arguments(domain, target) if target.scope == "machine" else ()
    memory = memory_arguments(domain, target) if target.scope != "devices" else ()
    return (*machine, *memory, *device_arguments(domain, target))
