"""A Domain without error findings to the properties of its QEMU objects, in libvirt's order.

Every property, in tables; no text. `argv` writes them. The order is that of libvirt's
qemuBuildMemoryBackendProps and qemuBuildMemoryDeviceProps, and golden files depend on it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from virtmem_cli.domain import CcwAddress, Domain, PciAddress, VirtioMem
from virtmem_cli.effective import Effective, backend_type, bus_name, effective, is_ccw
from virtmem_cli.target import Host, Qemu, Target

Value = bool | int | str | tuple[int, ...]
Properties = Mapping[str, Value]

# <driver> attributes to QEMU's properties, in libvirt's order.
VIRTIO_OPTIONS = {"iommu": "iommu_platform", "ats": "ats", "packed": "packed", "page_per_vq": "page-per-vq"}
# libvirt cuts a domain's name to this many characters in paths.
SHORT_NAME = 20


class Pair(NamedTuple):
    """One memory device: what goes into -object and what goes into -device."""

    backend: Properties
    device: Properties


def _given(values: Mapping[str, Value | None]) -> Properties:
    """The properties without those that are None."""
    return {key: value for key, value in values.items() if value is not None}


def _path(domain: Domain, alias: str, settled: Effective, host: Host) -> str:
    name = f"{domain.id}-{domain.name[:SHORT_NAME]}"
    if settled.pagesize:
        return f"{host.hugetlbfs[settled.pagesize]}/libvirt/qemu/{name}"
    return f"{host.memory_dir}/{name}/{alias}"


def _backend(domain: Domain, device: VirtioMem, settled: Effective, target: Target) -> Properties:
    kind = backend_type(domain, settled)
    memfd, file = kind == "memory-backend-memfd", kind == "memory-backend-file"
    hugetlb = memfd and settled.pagesize > 0
    return _given(
        {
            "qom-type": kind,
            "id": f"mem{device.alias}",
            "hugetlb": True if hugetlb else None,
            "hugetlbsize": settled.pagesize if hugetlb else None,
            "mem-path": _path(domain, device.alias, settled, target.host) if file else None,
            "discard-data": settled.discard if file else None,
            "share": settled.shared if memfd or file else None,
            "reserve": False if target.qemu.has("backend-reserve") else None,
            "size": device.size,
            "host-nodes": settled.host_nodes or None,
            "policy": settled.policy,
        }
    )


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
            "driver": "virtio-mem-ccw" if is_ccw(domain, device) else "virtio-mem-pci",
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
