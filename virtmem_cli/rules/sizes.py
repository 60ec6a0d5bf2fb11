"""Sizes: blocks, what a device can give and is asked for, and <maxMemory> that all of it must fit into.

Predicates on numbers stand apart from the wording of the XML: they hold for a size that is asked of a guest as well.
"""

from virtmem_cli.domain import OtherMemory
from virtmem_cli.findings import Part, Problem, Problems, Refuses, Severity, rule, safe, unsafe
from virtmem_cli.settle import Settled
from virtmem_cli.text import cut, up_to
from virtmem_cli.units import KIB, LARGEST, MIB, human, is_power_of_two, round_up


def is_multiple(size: int, block: int) -> bool:
    """Whether a size is made of whole blocks; a block that is no power of two is another rule's."""
    return size % block == 0 if is_power_of_two(block) else True


def nearest_multiple(requested: int, block: int, size: int) -> int:
    """The requested size as whole blocks that a device of that size can give: rounded up, else down."""
    fitting = round_up(requested, block)
    return fitting if fitting <= size else fitting - block


@rule(Severity.ERROR, Refuses.BOTH, "<block> is not a power of two")
def block_not_power_of_two(s: Settled) -> Problems:
    """QEMU's block-size takes nothing else (5.1), and virDomainMemoryDefValidate checks it before (libvirt 7.9)."""
    for device in s.devices:
        if device.block and not is_power_of_two(device.block):
            yield Problem(
                device.at("block"),
                f"<block> is {human(device.block)}, which is not a power of two",
                f"Write {human(1 << device.block.bit_length())}, say.",
                unsafe(device.at("block"), Part.SIZE, 1 << device.block.bit_length()),
            )


@rule(Severity.ERROR, Refuses.LIBVIRT, "the block is smaller than the host's transparent huge page")
def block_below_thp(s: Settled) -> Problems:
    """Smaller blocks would split huge pages: virDomainMemoryDefValidate (libvirt 7.9); QEMU warns, to 1 MiB."""
    thp = s.host.thp_size(s.domain.arch)
    hosts = s.target.hosts or (s.host,)
    portable = max([host.thp_size(s.domain.arch) for host in hosts])
    everywhere = ", which is right for every host named" if len(hosts) > 1 else ""
    for device in s.devices:
        if 0 < device.block < thp:
            sizes = {"size": device.size, "requested": device.requested}
            follow = [f"<{name}> {human(round_up(size, portable))}" for name, size in sizes.items() if size % portable]
            yield Problem(
                device.at("block"),
                f"<block> is {human(device.block)}, and the host's transparent huge page is {human(thp)}",
                f"Write {human(portable)} or more{everywhere}{', with ' if follow else ''}{' and '.join(follow)}.",
                unsafe(device.at("block"), Part.SIZE, portable),
            )


@rule(Severity.ERROR, Refuses.QEMU, "the block is smaller than 1 MiB")
def block_below_minimum(s: Settled) -> Problems:
    """QEMU has a bit for each block, and keeps that bitmap small by VIRTIO_MEM_MIN_BLOCK_SIZE (5.1)."""
    for device in s.devices:
        # below a transparent huge page there is a finding already
        if s.host.thp_size(s.domain.arch) <= device.block < MIB:
            yield Problem(
                device.at("block"),
                f"<block> is {human(device.block)}, and the least is 1 MiB",
                "Write 1024 KiB.",
                unsafe(device.at("block"), Part.SIZE, MIB),
            )


@rule(Severity.ERROR, Refuses.QEMU, "the block is smaller than the backend's page")
def block_below_page(s: Settled) -> Problems:
    """QEMU wants block-size to be at least the backend's page (5.1); libvirt does not compare the two."""
    for memory in s.virtio_mem:
        device = memory.device
        if 0 < device.block < memory.pagesize:
            yield Problem(
                device.at("block"),
                f"<block> is {human(device.block)}, and the memory behind it has pages of {human(memory.pagesize)}",
                f"Write {human(memory.pagesize)} or more, or take smaller pages.",
                unsafe(device.at("block"), Part.SIZE, 1 << (memory.pagesize - 1).bit_length()),
            )


@rule(Severity.ERROR, Refuses.QEMU, "<size> is not a multiple of <block>")
def size_not_block_multiple(s: Settled) -> Problems:
    """QEMU wants whole blocks (5.1); libvirt rounds up to 2 MiB, and does not compare with <block>."""
    for device in s.devices:
        if not is_multiple(device.size, device.block):
            yield Problem(
                device.at("size"),
                f"<size> is {human(device.size)}, which is not a multiple of <block>, {human(device.block)}",
                f"Write {human(round_up(device.size, device.block))}.",
                safe(device.at("size"), Part.SIZE, round_up(device.size, device.block)),
            )


@rule(Severity.ERROR, Refuses.QEMU, "<size> is not a multiple of the backend's page")
def size_not_page_multiple(s: Settled) -> Problems:
    """Linux has no part of a huge page; libvirt rounds cells and devices, and does not compare with their pages."""
    for memory in s.virtio_mem:
        device = memory.device
        if memory.pagesize and device.size % memory.pagesize:
            yield Problem(
                device.at("size"),
                f"<size> is {human(device.size)}, which is not a multiple of its pages of {human(memory.pagesize)}",
                f"Write {human(round_up(device.size, memory.pagesize))}.",
                safe(device.at("size"), Part.SIZE, round_up(device.size, memory.pagesize))
                if is_power_of_two(memory.pagesize)
                else None,
            )
    for boot in s.boot:
        if boot.page is not None and boot.pagesize and boot.device.size % boot.pagesize:
            yield Problem(
                boot.page.element,
                f"{boot.device.alias} is {human(boot.device.size)}, which is not a multiple of its pages of "
                f"{human(boot.pagesize)}",
                f"Give it {human(round_up(boot.device.size, boot.pagesize))}.",
            )


@rule(Severity.ERROR, Refuses.NEVER, "<requested> is above <size>")
def requested_above_size(s: Settled) -> Problems:
    """virDomainMemoryDefValidate (libvirt 7.9). QEMU starts: the guest never gets all, and nothing says so."""
    for device in s.devices:
        if device.size and device.requested > device.size:
            yield Problem(
                device.at("requested"),
                f"<requested> is {human(device.requested)}, and <size> is {human(device.size)}",
                f"Write at most {human(device.size)}, or a larger <size>.",
                unsafe(device.at("requested"), Part.SIZE, device.size // max(device.block, 1) * device.block),
            )


@rule(Severity.ERROR, Refuses.BOTH, "<requested> is not a multiple of <block>")
def requested_not_block_multiple(s: Settled) -> Problems:
    """virDomainMemoryDefValidate (libvirt 7.9); QEMU at start and whenever requested-size is set (5.1)."""
    for device in s.devices:
        if not is_multiple(device.requested, device.block):
            fitting = nearest_multiple(device.requested, device.block, device.size)
            yield Problem(
                device.at("requested"),
                f"<requested> is {human(device.requested)}, which is not a multiple of <block>, {human(device.block)}",
                f"Write {human(fitting)}.",
                unsafe(device.at("requested"), Part.SIZE, fitting),
            )


@rule(Severity.ERROR, Refuses.LIBVIRT, "virtio-mem without <maxMemory>")
def maxmemory_missing(s: Settled) -> Problems:
    """qemuDomainDefValidateMemoryHotplug (libvirt 7.9): without -m maxmem there is no address space for devices."""
    if s.devices and "maxMemory" not in s.domain.elements:
        least = round_up(max(s.boot_memory, 0) + s.devices_size, MIB)
        element = f"<maxMemory unit='KiB'>{least // KIB}</maxMemory>"
        yield Problem(
            s.domain.at("memory"),
            "<maxMemory> is absent, and virtio-mem is hotplugged memory",
            f"Write {element} or more." if least <= LARGEST else TOO_MUCH,
            safe(s.domain.at("memory"), Part.BEFORE, element)
            if least <= LARGEST and "memory" in s.domain.elements
            else None,
        )


# The advice where no <maxMemory> would be large enough
TOO_MUCH = f"Write smaller sizes: libvirt reads no <maxMemory> above {LARGEST} bytes."


@rule(Severity.ERROR, Refuses.BOTH, "boot memory and memory devices exceed <maxMemory>")
def hotplug_space(s: Settled) -> Problems:
    """virDomainDefPostParseMemory (libvirt 7.9), and QEMU's 'not enough space' (5.1)."""
    need = s.boot_memory + s.devices_size
    # libvirt looks at the sizes as they are written; QEMU gets them rounded up
    if s.domain.cells and any(cell.memory_given for cell in s.domain.cells):
        given = sum([cell.memory_given for cell in s.domain.cells])
        given += sum([device.size_given for device in s.domain.memory_devices])
    else:
        given = s.domain.memory
    if not s.domain.max_memory or s.boot_memory <= 0:
        return  # which is another finding
    if given > s.domain.max_memory_given or need > s.domain.max_memory:
        missing = max(given, need) - s.domain.max_memory_given
        least = max(round_up(need, MIB), s.layout.least_max_memory if s.layout else 0)
        yield Problem(
            s.domain.at("maxMemory"),
            f"<maxMemory> is {human(s.domain.max_memory_given)}, and {_ledger(s)} are {human(need)}: "
            f"{human(missing)} too little",
            f"Write {human(least)} or more." if least <= LARGEST else TOO_MUCH,
            safe(s.domain.at("maxMemory"), Part.SIZE, least),
        )


# Devices that a ledger names; of the others it gives the sum.
_LEDGER = 8


def _ledger(s: Settled) -> str:
    """What takes of <maxMemory>: boot memory and each device."""
    named, others = s.domain.memory_devices[:_LEDGER], s.domain.memory_devices[_LEDGER:]
    entries = [("boot memory", s.boot_memory), *((device.alias, device.size) for device in named)]
    if others:
        entries.append((f"{len(others)} more", sum(device.size for device in others)))
    return " + ".join(f"{cut(name)} {human(size)}" for name, size in entries)


@rule(Severity.ERROR, Refuses.LIBVIRT, "<memory> leaves nothing for the guest to boot with")
def memory_below_devices(s: Settled) -> Problems:
    """libvirt takes all memory devices off <memory>, in full; with cells, their sum is boot memory."""
    if s.devices and s.boot_memory <= 0:
        yield Problem(
            s.domain.at("memory"),
            f"<memory> is {human(s.domain.memory)}, of which the memory devices take {human(s.devices_size)}",
            f"<memory> counts boot memory and devices together: write more than {human(s.devices_size)}.",
        )


@rule(Severity.ERROR, Refuses.BOTH, "more DIMMs than <maxMemory slots>")
def slots_exceeded(s: Settled) -> Problems:
    """Each dimm and nvdimm takes a slot: libvirt compares, and QEMU has none left."""
    dimms = _dimms(s)
    enough = len(dimms) <= MOST_SLOTS
    if len(dimms) > s.domain.slots:
        yield Problem(
            dimms[s.domain.slots].element,
            f"the number of DIMMs is {len(dimms)}, and <maxMemory slots> is {s.domain.slots}",
            f"Write slots='{len(dimms)}'." if enough else f"QEMU has {MOST_SLOTS} at most: remove DIMMs.",
            unsafe(s.domain.at("maxMemory"), Part.ATTRIBUTE, len(dimms), "slots")
            if enough and "maxMemory" in s.domain.elements
            else None,
        )


def _dimms(s: Settled) -> list[OtherMemory]:
    """The devices that take a slot."""
    return [m.device for m in s.memory if isinstance(m.device, OtherMemory) and m.device.slot is not None]


# QEMU's ACPI_MAX_RAM_SLOTS.
MOST_SLOTS = 256


@rule(Severity.ERROR, Refuses.QEMU, "more <maxMemory slots> than QEMU has")
def slots_too_many(s: Settled) -> Problems:
    """QEMU's machines have ACPI_MAX_RAM_SLOTS; libvirt has no such limit."""
    if s.domain.slots > MOST_SLOTS:
        yield Problem(
            s.domain.at("maxMemory"),
            f"<maxMemory slots> is {s.domain.slots}, and QEMU has {MOST_SLOTS} at most",
            f"Write slots='{MOST_SLOTS}' or less: virtio-mem takes none of them.",
            unsafe(s.domain.at("maxMemory"), Part.ATTRIBUTE, MOST_SLOTS, "slots"),
        )


@rule(Severity.ERROR, Refuses.BOTH, "a DIMM's slot is taken, or beyond <maxMemory slots>")
def dimm_slot(s: Settled) -> Problems:
    """A DIMM has a slot to itself; libvirt and QEMU refuse one that is taken or not there."""
    dimms = _dimms(s)
    enough = len(dimms) <= s.domain.slots  # else that is the finding
    taken: set[int] = set()
    for device in dimms:
        if device.slot is None:
            continue
        if device.slot in taken:
            yield Problem(
                device.at("address"),
                f"<address slot> is {device.slot}, which another DIMM has",
                "Write another.",
            )
        elif enough and device.slot >= s.domain.slots:
            yield Problem(
                device.at("address"),
                f"<address slot> is {device.slot}, and <maxMemory slots> is {s.domain.slots}",
                f"Write {up_to(s.domain.slots - 1)}, or more slots.",
            )
        taken.add(device.slot)
