"""The tree to a Domain: reading, defaults, and findings for what is missing, unreadable or silently dropped.

Takes the <domain> element, gives the Domain and the findings. Reads what libvirt 12 reads: the first of an element
given twice, numbers in its forms, sizes rounded as it rounds them. Nothing here compares two fields: see `rules`.
"""

from collections.abc import Mapping
from typing import cast

from virtmem_cli.document.value import Element
from virtmem_cli.domain import MODELS, Domain, DomainElement, has_node
from virtmem_cli.findings import Findings
from virtmem_cli.machines import ARCHITECTURES, OTHER
from virtmem_cli.parse import machine, memory
from virtmem_cli.parse.devices import Devices
from virtmem_cli.parse.known import look
from virtmem_cli.parse.reader import Reader, children, first_with
from virtmem_cli.rules import reading
from virtmem_cli.units import MIB, UINT_MAX


def parse_domain(root: Element, default_arch: str) -> tuple[Domain, Findings]:
    """Read the <domain> element; `default_arch` is what libvirt takes where <type arch> is absent: the host's."""
    findings = Findings()
    reader = Reader(findings)
    top: dict[str, list[Element]] = {}
    for child in children(root):
        top.setdefault(str(child.tag), []).append(child)
    domain_id = machine.domain_id(reader, root)
    devices = Devices(reader, top.get("devices", ()), running=domain_id >= 0)
    look(root, devices.virtio_mem, findings)
    addresses = devices.addresses()
    arch, machine_type = machine.architecture(reader, root, top, default_arch)
    vcpus, vcpus_current = machine.vcpus(reader, top)
    slots = first_with(top.get("maxMemory", ()), "slots")
    elements = {tag: found[0] for tag, found in top.items()}
    domain = Domain(
        element=root,
        elements=_kept(top),
        name=machine.name(reader, root, top),
        id=domain_id,
        type=machine.domain_type(reader, root),
        arch=arch,
        machine=machine_type,
        cpu=machine.cpu(reader, top),
        vcpus=vcpus,
        vcpus_current=vcpus_current,
        topology=machine.topology(reader, top),
        max_memory_given=reader.size(
            root, "maxMemory", elements, zero=reading.value_missing if "maxMemory" in top else None, step=MIB
        ),
        slots=0 if slots is None else reader.uint(slots, "slots", limit=UINT_MAX) or 0,
        memory=reader.size(root, "memory", elements),
        cells=memory.cells(reader, top),
        backing=memory.backing(reader, top),
        numatune=memory.numatune(reader, root, top),
        memory_devices=devices.memory_devices(addresses),
        controllers=devices.controllers(addresses),
        addresses=tuple(addresses.values()),
        aliases=devices.named(),
        usb_controllers=len(devices.of_kind("controller", "type", "usb")),
        launch_security=machine.launch_security(top),
        current_memory=reader.size(root, "currentMemory", elements),
        balloon=not devices.of_kind("memballoon", "model", "none"),
        vfio=tuple(devices.vfio()),
        vhost_user=tuple(devices.vhost_user()),
    )
    added = domain.max_memory and not domain.cells and ARCHITECTURES.get(arch, OTHER).numa
    return (_on_added_node(domain) if added else domain), findings


def _on_added_node(domain: Domain) -> Domain:
    """The domain's memory devices on the guest node that libvirt adds, where they name none."""
    return domain._replace(
        memory_devices=tuple(
            [
                device._replace(node=0) if device.node is None and has_node(device) else device
                for device in domain.memory_devices
            ]
        )
    )


def _kept(top: Mapping[str, list[Element]]) -> dict[DomainElement, Element]:
    """The first element of each name; a memory device in the wrong place is no <memory>."""
    kept = {tag: found[0] for tag, found in top.items() if tag != "memory"}
    for element in top.get("memory", ()):
        if element.get("model") not in MODELS:
            kept.setdefault("memory", element)
    return cast(dict[DomainElement, Element], kept)
