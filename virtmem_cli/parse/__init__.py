"""The tree to a Domain: reading, defaults, and findings for what is missing, unreadable or silently dropped.

Takes the <domain> element, gives the Domain and the findings. Reads what libvirt 12 reads: the first of an element
given twice, numbers in its forms, sizes rounded as it rounds them. Nothing here compares two fields: see `rules`.
"""

from collections.abc import Mapping
from typing import get_args

from virtmem_cli.document.value import Element
from virtmem_cli.domain import Domain, DomainElement
from virtmem_cli.findings import Findings
from virtmem_cli.machines import MEMORY_MODELS
from virtmem_cli.parse import machine, memory
from virtmem_cli.parse.devices import Devices
from virtmem_cli.parse.known import look
from virtmem_cli.parse.reader import Reader, children, first_with
from virtmem_cli.rules import reading
from virtmem_cli.units import MIB, UINT_MAX

# The elements that a Domain keeps by their names; <memory> is found apart
_KEPT: tuple[DomainElement, ...] = tuple(name for name in get_args(DomainElement) if name != "memory")


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
    return domain, findings


def _kept(top: Mapping[str, list[Element]]) -> dict[DomainElement, Element]:
    """The first element of each name; a memory device in the wrong place is no <memory>."""
    kept = {tag: top[tag][0] for tag in _KEPT if tag in top}
    for element in top.get("memory", ()):
        if element.get("model") not in MEMORY_MODELS:
            kept.setdefault("memory", element)
    return kept
