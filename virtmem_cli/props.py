"""A Settled without error findings to the properties of its QEMU objects, in libvirt's order.

Every property, in tables; no text. `argv` writes them. The order is that of libvirt's
qemuBuildMemoryBackendProps and qemuBuildMemoryDeviceProps, and golden files depend on it.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from virtmem_cli.domain import Address, CcwAddress, OtherMemory, PciAddress, PciController, VirtioMem
from virtmem_cli.machines import DOMAIN_TYPES, PCI_MODELS, VIRTIO_OPTIONS
from virtmem_cli.settle import Settled, bus_name, device_driver
from virtmem_cli.settle.memory import AnyMemory, BootMemory, Memory, model_of
from virtmem_cli.units import KIB

Value = bool | int | str | tuple[int, ...]
Properties = Mapping[str, Value]

# libvirt cuts a domain's name to this many characters in paths.
SHORT_NAME = 20


class Argument(NamedTuple):
    """An option and its value. A value's bare word, as `node` in `-numa node,…`, has the key ''."""

    option: str
    properties: Properties


def _given(values: Mapping[str, Value | None]) -> dict[str, Value]:
    """The properties without those that are None."""
    return {key: value for key, value in values.items() if value is not None}


def _path(s: Settled, memory: AnyMemory) -> str:
    """The mem-path of memory in a file."""
    if isinstance(memory.device, OtherMemory) and memory.device.path is not None:
        return memory.device.path
    name = f"{s.domain.id}-{s.domain.name[:SHORT_NAME]}"
    if memory.pagesize:
        return f"{s.host.hugetlbfs[memory.pagesize]}/libvirt/qemu/{name}"
    return f"{s.host.memory_dir}/{name}/{memory.device.alias}"


def _backend(s: Settled, memory: AnyMemory) -> dict[str, Value]:
    """A backend's properties; its id is the alias, with `mem` before it for a device."""
    device = memory.device
    named = isinstance(device, OtherMemory) and device.path is not None
    kind = "memory-backend-file" if named else memory.backend
    memfd, file = kind == "memory-backend-memfd", kind == "memory-backend-file"
    hugetlb = memfd and memory.pagesize > 0
    # virtio-mem preallocates in the device, and QEMU refuses a backend that does
    virtio_mem = isinstance(device, VirtioMem)
    prealloc = not virtio_mem and not named
    return _given(
        {
            "qom-type": kind,
            "id": device.alias if isinstance(device, BootMemory) else f"mem{device.alias}",
            "hugetlb": True if hugetlb else None,
            "hugetlbsize": memory.pagesize if hugetlb else None,
            "mem-path": _path(s, memory) if file else None,
            "discard-data": memory.discard if file and not named else None,
            "share": memory.shared if memfd or file else None,
            "reserve": False if virtio_mem and s.target.qemu.has("backend-reserve") else None,
            "prealloc": True if prealloc and memory.prealloc else None,
            "prealloc-threads": s.domain.backing.threads or None if prealloc else None,
            "size": device.size,
            "host-nodes": memory.host_nodes or None,
            "policy": memory.policy,
        }
    )


def _objects(s: Settled, memory: AnyMemory) -> Iterator[Argument]:
    """The backend of boot memory or of a DIMM, after the thread context that its preallocation runs in."""
    backend = _backend(s, memory)
    if memory.host_nodes and "prealloc" in backend and s.target.qemu.has("thread-context"):
        context = f"tc-{backend['id']}"
        yield Argument("-object", {"qom-type": "thread-context", "id": context, "node-affinity": memory.host_nodes})
        backend["prealloc-context"] = context
    yield Argument("-object", backend)


def _address(s: Settled, address: Address | None) -> dict[str, Value | None]:
    if address is None:
        return {}
    if isinstance(address, CcwAddress):
        return {"devno": str(address)}
    multifunction = address.multifunction
    if multifunction is None and address.function == 0 and (address.bus, address.slot) in s.shared_slots:
        multifunction = True
    return {
        "bus": bus_name(s, address.bus),
        "multifunction": multifunction,
        "addr": f"{address.slot:#x}" + (f".{address.function:#x}" if address.function else ""),
    }


def _virtio_mem(s: Settled, memory: Memory[VirtioMem]) -> Properties:
    device = memory.device
    return _given(
        {
            "driver": device_driver(s, device),
            **{name: device.driver.get(option) for option, name in VIRTIO_OPTIONS.items()},
            "node": device.node if s.guest_nodes else None,
            "block-size": device.block,
            "requested-size": device.requested or None,
            "memdev": f"mem{device.alias}",
            "prealloc": True if memory.prealloc and s.target.qemu.has("device-prealloc") else None,
            "memaddr": device.memaddr or None,
            "dynamic-memslots": device.dynamic_memslots,
            "id": device.alias,
            **_address(s, device.address),
        }
    )


def _other_device(s: Settled, device: OtherMemory) -> Properties:
    model = model_of(device)
    if not model.slot:
        return _given(
            {
                "driver": model.driver,
                "memdev": f"mem{device.alias}",
                model.address: device.memaddr or None,
                "id": device.alias,
                **_address(s, device.address),
            }
        )
    return _given(
        {
            "driver": model.driver,
            "node": device.node,
            "memdev": f"mem{device.alias}",
            "id": device.alias,
            "slot": device.slot,
            model.address: device.memaddr or None,
        }
    )


def device_arguments(s: Settled) -> Iterator[Argument]:
    """-object and -device of the memory devices, in document order: virtio-mem alone in the scope `devices`."""
    virtio_mem = iter(s.virtio_mem)
    for memory in s.memory:
        device = memory.device
        if isinstance(device, VirtioMem):
            yield Argument("-object", _backend(s, memory))
            yield Argument("-device", _virtio_mem(s, next(virtio_mem)))
        elif s.target.scope != "devices" and model_of(device).driver:
            yield from _objects(s, memory)
            yield Argument("-device", _other_device(s, device))


def memory_arguments(s: Settled) -> Iterator[Argument]:
    """Size and slots, vCPUs, boot memory with its backends, NUMA nodes and distances."""
    yield Argument(
        "-m",
        _given(
            {
                "size": f"{s.boot_memory // KIB}k",
                "slots": s.domain.slots or None,
                "maxmem": f"{s.domain.max_memory // KIB}k",
            }
        ),
    )
    yield Argument("-smp", _smp(s))
    for memory in s.boot:
        device = memory.device
        if not s.arch.numa:
            # without -numa, memory is the machine's, and plain memory needs no saying
            *contexts, backend = _objects(s, memory)
            if set(backend.properties) != {"qom-type", "id", "size"}:
                yield Argument("-machine", {"memory-backend": device.alias})
                yield from (*contexts, backend)
            continue
        yield from _objects(s, memory)
        yield Argument(
            "-numa",
            _given({"": "node", "nodeid": device.node, "cpus": device.cpus or None, "memdev": device.alias}),
        )
    if s.arch.numa:
        yield from _distances(s)


def _smp(s: Settled) -> Properties:
    topology, vcpus, current = s.domain.topology, s.domain.vcpus, s.domain.vcpus_current
    return _given(
        {
            "": str(current),
            "maxcpus": vcpus if current != vcpus else None,
            "sockets": topology.sockets if topology else vcpus,
            "dies": topology.dies if topology else None,
            "clusters": topology.clusters if topology and s.target.qemu.has("smp-clusters") else None,
            "cores": topology.cores if topology else 1,
            "threads": topology.threads if topology else 1,
        }
    )


def _distances(s: Settled) -> Iterator[Argument]:
    """All pairs of nodes where one is given; what is not is as the way back, else 10 to itself and 20 to others."""
    cells = s.domain.cells
    given = {(cell.id, other): value for cell in cells for other, value in cell.distances.items()}
    if not given:
        return
    for src in cells:
        for dst in cells:
            default = 10 if src.id == dst.id else 20
            value = given.get((src.id, dst.id), given.get((dst.id, src.id), default))
            yield Argument("-numa", {"": "dist", "src": src.id, "dst": dst.id, "val": value})


def machine_arguments(s: Settled) -> Iterator[Argument]:
    """The machine, the accelerator, the CPU, and the PCI controllers on the way to the memory devices."""
    yield Argument("-machine", {"": s.domain.machine})
    yield Argument("-accel", {"": DOMAIN_TYPES[s.domain.type]})
    yield from _cpu(s)
    expanders = [c.bus for c in s.domain.controllers if c.model in PCI_MODELS and PCI_MODELS[c.model].is_expander]
    for controller in s.needed.values():
        yield Argument("-device", _controller(s, controller, s.controller_addresses.get(controller.bus), expanders))


def _cpu(s: Settled) -> Iterator[Argument]:
    """-cpu: the named model, or the host's, which under emulation is all that QEMU can do.

    libvirt writes the host's model out for `host-model`, and only the host can say which it is.
    """
    cpu, most = s.domain.cpu, "max" if s.domain.type == "qemu" else "host"
    if cpu.mode in (None, "custom"):
        model = cpu.model or (None if s.arch.cpu else most)
    else:
        model = "max" if cpu.mode == "maximum" else most
    if model:
        yield Argument("-cpu", {"": model, **cpu.features})


def _controller(s: Settled, controller: PciController, address: PciAddress | None, expanders: list[int]) -> Properties:
    """A PCI controller, with what libvirt puts into <target> where the XML leaves it open."""
    model = PCI_MODELS[controller.model]
    slot, function = (address.slot, address.function) if address else (0, 0)
    defaults = {
        "chassis": controller.bus,
        "chassisNr": controller.bus,
        "port": slot if model.port_is_slot else slot * 8 + function,
    }
    if controller.bus in expanders:
        defaults["busNr"] = 254 - 8 * expanders.index(controller.bus)
    return _given(
        {
            "driver": controller.driver or model.driver,
            **{name: controller.numbers.get(wanted, defaults.get(wanted)) for name, wanted in model.numbers.items()},
            "id": bus_name(s, controller.bus),
            **_address(s, address),
        }
    )


def all_arguments(s: Settled) -> tuple[Argument, ...]:
    """What the target's scope asks for, in libvirt's order."""
    machine = machine_arguments(s) if s.target.scope == "machine" else ()
    memory = memory_arguments(s) if s.target.scope != "devices" else ()
    return (*machine, *memory, *device_arguments(s))
