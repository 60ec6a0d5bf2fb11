"""A Domain and a target to advice: what QEMU takes and serves, and people trip over all the same. Changes nothing.

As `rules`: one function a rule, and one table of them; a room of its own since only `check` gives advice. From which
size on something is worth saying stands in THRESHOLDS, with its reason.
"""

from collections.abc import Mapping
from typing import NamedTuple

from virtmem_cli.domain import Domain
from virtmem_cli.effective import backend_type, effective
from virtmem_cli.rules import Check, Problems, old_machine
from virtmem_cli.target import Target
from virtmem_cli.units import MIB, human, round_up


class Thresholds(NamedTuple):
    """From where on something is worth saying: more than these."""

    # Hotplugged to boot memory. The kernel's own limit for automatic onlining, auto_movable_ratio, is 301 %.
    movable_ratio: int = 3
    # The part of boot memory that the memmap of all growth takes, one in so many; it is 1/64 of the growth.
    memmap_part: int = 8
    memmap_of_growth: int = 64
    # Bytes of the host's memory for one slot: its reverse map and dirty bitmaps, 2.5 GiB for each TiB.
    metadata: int = 256 * MIB
    metadata_of_slot: tuple[int, int] = (5, 2048)
    # VFIO's limit of DMA mappings for a container: the kernel's dma_entry_limit.
    dma_mappings: int = 65535


THRESHOLDS = Thresholds()


def _growth(domain: Domain) -> int:
    """What can be plugged while the guest runs."""
    return sum(device.size for device in domain.devices)


def _first(domain: Domain) -> int:
    """Where advice on all devices together is given: at the largest."""
    return max(domain.devices, key=lambda device: device.size).place


def movable_ratio(domain: Domain, target: Target) -> Problems:
    hotplugged, boot = domain.devices_size, domain.boot_memory
    if boot > 0 and hotplugged > THRESHOLDS.movable_ratio * boot:
        least = round_up(-(-hotplugged // THRESHOLDS.movable_ratio), MIB)
        yield (
            _first(domain),
            f"hotplugged memory of up to {human(hotplugged)} is {hotplugged / boot:.1f} times boot memory of "
            f"{human(boot)}: where it is onlined as movable, the kernel runs out of memory for itself",
            f"Boot with {human(least)} or more, or see that the guest onlines part of it for the kernel "
            "(memory_hotplug.online_policy=auto-movable).",
        )


def memmap_boot_memory(domain: Domain, target: Target) -> Problems:
    memmap, boot = _growth(domain) // THRESHOLDS.memmap_of_growth, domain.boot_memory
    if boot > 0 and memmap * THRESHOLDS.memmap_part > boot:
        least = round_up(memmap * THRESHOLDS.memmap_part, MIB)
        yield (
            _first(domain),
            f"to manage growth of {human(_growth(domain))} the guest needs {human(memmap)} of its boot memory of "
            f"{human(boot)} (1/{THRESHOLDS.memmap_of_growth} of what is added)",
            f"Boot with {human(least)} or more, or plan with less growth.",
        )


def memslot_metadata(domain: Domain, target: Target) -> Problems:
    part, whole = THRESHOLDS.metadata_of_slot
    for device in domain.devices:
        metadata = device.size * part // whole
        if metadata > THRESHOLDS.metadata and not device.dynamic_memslots and not domain.vhost_user:
            if old_machine(domain) or not target.qemu.has("dynamic-memslots"):
                continue  # nothing to be done about it
            yield (
                device.place_of("target"),
                f"one memory slot of {human(device.size)} takes about {human(round_up(metadata, MIB))} of the host's "
                "memory, whatever the guest has taken of it",
                "Write <target dynamicMemslots='yes'>, and slots come and go with the memory.",
            )


def vfio_mappings(domain: Domain, target: Target) -> Problems:
    if not domain.vfio:
        return
    limit = THRESHOLDS.dma_mappings
    blocks = _blocks(domain, 0)
    if blocks <= limit:
        return
    least = MIB
    while _blocks(domain, least) > limit:
        least *= 2
    yield (
        domain.vfio[0],
        f"VFIO maps virtio-mem block by block: all blocks are {blocks}, and it has {limit} DMA mappings",
        f"Write a <block> of {human(least)} or more in each virtio-mem device, or raise dma_entry_limit of the "
        "host's vfio_iommu_type1.",
    )


def _blocks(domain: Domain, least: int) -> int:
    """How many blocks all devices have, if none of them is smaller than this."""
    return sum(-(-device.size // max(device.block, least)) for device in domain.devices if device.block)


def vhost_user_memslots(domain: Domain, target: Target) -> Problems:
    for device in domain.devices if domain.vhost_user else ():
        if device.dynamic_memslots:
            yield (
                device.place_of("target"),
                "<target dynamicMemslots> is 'yes', and the domain has a vhost-user device: many of their processes "
                "take only a few memory slots, and then all of it stays in one",
                "Remove dynamicMemslots, or see that what serves the device takes as many slots.",
            )


def vhost_user_private(domain: Domain, target: Target) -> Problems:
    for device in domain.devices if domain.vhost_user else ():
        settled = effective(domain, device, target.host)
        memfd = backend_type(domain, settled) == "memory-backend-memfd"
        if not (settled.shared or (settled.shared is None and memfd)):
            yield (
                device.place,
                "its memory is private, and the domain has a vhost-user device, whose process cannot reach it",
                "Write access='shared', or <memoryBacking><access mode='shared'/> for all of the guest's memory.",
            )


def balloon_inflation(domain: Domain, target: Target) -> Problems:
    given = domain.boot_memory + sum(device.requested for device in domain.devices)
    if domain.balloon and 0 < domain.current_memory < min(domain.memory, given) and domain.boot_memory > 0:
        yield (
            domain.place_of("currentMemory"),
            f"<currentMemory> is {human(domain.current_memory)}, and boot memory and <requested> are {human(given)}: "
            "the balloon takes from boot memory alone, never from virtio-mem",
            "Leave <currentMemory> out, and say with <requested> what the guest is to have.",
        )


# Every rule that gives advice: the rule's name in `findings` and its function.
ADVICE: Mapping[str, Check] = {
    "balloon-inflation": balloon_inflation,
    "memmap-boot-memory": memmap_boot_memory,
    "memslot-metadata": memslot_metadata,
    "movable-ratio": movable_ratio,
    "vfio-mappings": vfio_mappings,
    "vhost-user-memslots": vhost_user_memslots,
    "vhost-user-private": vhost_user_private,
}
