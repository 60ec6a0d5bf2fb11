"""A Domain without error findings to the properties of its QEMU objects, in libvirt's order.

Which backend, and every property: tables, no text. `argv` writes them. The order is that of libvirt's
qemuBuildMemoryBackendProps and qemuBuildMemoryDeviceProps, and golden files depend on it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from virtmem_cli.domain import CcwAddress, Domain, PciAddress, VirtioMem
from virtmem_cli.target import Host, Qemu, Target

Value = bool | int | str | tuple[int, ...]
Properties = Mapping[str, Value]

# Numatune modes to policies; restrictive is done with cgroups, and QEMU is told nothing.
POLICIES = {"strict": "bind", "preferred": "preferred", "interleave": "interleave", "restrictive": None}
# <driver> attributes to QEMU's properties, in libvirt's order.
VIRTIO_OPTIONS = {"iommu": "iommu_platform", "ats": "ats", "packed": "packed", "page_per_vq": "page-per-vq"}
# libvirt cuts a domain's name to this many characters in paths.
SHORT_NAME = 20


class Pair(NamedTuple):
    """One memory device: what goes into -object and what goes into -device."""

    backend: Properties
    device: Properties


class Effective(NamedTuple):
    """What a piece of memory has when device, cell and domain have been asked in that order.

    `pagesize` is 0 without huge pages; `host_nodes` is () where QEMU is not bound to any.
    """

    shared: bool | None
    discard: bool | None
    pagesize: int
    host_nodes: tuple[int, ...]
    policy: str | None
    prealloc: bool


def _given(values: Mapping[str, Value | None]) -> Properties:
    """The properties without those that are None."""
    return {key: value for key, value in values.items() if value is not None}


def pagesize_for_node(domain: Domain, node: int | None, host: Host) -> int:
    """The huge page that <hugepages> gives a guest node, in bytes: a <page> with the node, else one for all; or 0."""
    pages = domain.backing.hugepages
    chosen = [page for page in pages if page.nodeset is not None and node is not None and node in page.nodeset]
    chosen = chosen or [page for page in pages if page.nodeset is None]
    return _real_page((chosen[-1].size or host.default_hugepage) if chosen else 0, host)


def _real_page(size: int, host: Host) -> int:
    """A 'huge' page of the host's base page size is none."""
    return 0 if size == host.page_size else size


def effective(domain: Domain, device: VirtioMem, host: Host) -> Effective:
    """Settle access, discard, page size and host nodes of a device; the first of device, cell, domain counts."""
    backing, numatune = domain.backing, domain.numatune
    cell = next((cell for cell in domain.cells if cell.id == device.node), None)
    shared, discard = device.shared, device.discard
    if cell is not None:
        shared = cell.shared if shared is None else shared
        discard = cell.discard if discard is None else discard
    if device.pagesize:
        pagesize = _real_page(device.pagesize, host)
    else:
        pagesize = pagesize_for_node(domain, device.node, host)
    memnode = next((node for node in numatune.memnodes if node.cellid == device.node), None)
    # A device's own <nodemask> is always bound to, whatever <numatune> says
    mode, nodes = "strict", device.nodemask
    if nodes is None and memnode is not None:
        mode, nodes = memnode.mode, memnode.nodeset
    elif nodes is None:
        mode, nodes = numatune.mode, numatune.nodeset
    policy = POLICIES[mode] if nodes else None
    return Effective(
        shared=backing.shared if shared is None else shared,
        discard=backing.discard if discard is None else discard,
        pagesize=pagesize,
        host_nodes=(nodes or ()) if policy else (),
        policy=policy,
        prealloc=backing.allocation == "immediate" or pagesize > 0,
    )


def backend_type(domain: Domain, settled: Effective) -> str:
    """The QOM type of the backend for memory with these settings."""
    if domain.backing.source == "memfd":
        return "memory-backend-memfd"
    if settled.pagesize or settled.shared is not None or domain.backing.source == "file":
        return "memory-backend-file"
    return "memory-backend-ram"


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


def is_ccw(domain: Domain, device: VirtioMem) -> bool:
    """Whether the device is on the channel bus: s390x without another address."""
    return domain.is_s390x and device.address_type in (None, "ccw")


def bus_name(domain: Domain, bus: int) -> str:
    """QEMU's name of a PCI bus: its controller's alias, or libvirt's default."""
    if bus == 0:
        return "pcie.0" if domain.is_pcie else "pci.0"
    alias = next((controller.alias for controller in domain.controllers if controller.bus == bus), None)
    return alias or f"pci.{bus}"


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
