"""A Domain to guest-physical addresses: the window for device memory, each device's place in it, and what is left.

Takes a Domain and a host, gives a Layout; judges nothing. The addresses are those that QEMU gives: seen on QEMU 5.2 to
11.1 for x86, read in its sources for arm and s390x. See docs/layout.md.
"""

from bisect import bisect_left, bisect_right, insort
from typing import NamedTuple

from virtmem_cli.domain import Domain, MemoryDevice, OtherMemory
from virtmem_cli.effective import effective
from virtmem_cli.target import Host
from virtmem_cli.units import GIB, MIB, round_up

# QEMU aligns device memory to the backend's page, and ordinary pages to this.
ALIGNMENT = 2 * MIB

# Boot memory below 4 GiB on x86: all of it up to the first size, else the second; the rest goes above 4 GiB.
LOW_MEMORY = {"pcie-root": (0xB0000000, 2 * GIB), "pci-root": (0xE0000000, 3 * GIB)}


class Placement(NamedTuple):
    """One memory device: where it goes, or why it cannot.

    `address` is None where no gap is left for a device that names no address. `overlaps` is the device that is in the
    way of one that does; `outside` says that its address is not in the window.
    """

    device: MemoryDevice
    size: int
    alignment: int
    address: int | None
    overlaps: MemoryDevice | None
    outside: bool

    @property
    def end(self) -> int:
        """The first address after it; 0 where it has no place."""
        return 0 if self.address is None else self.address + self.size


class Layout(NamedTuple):
    """Where device memory begins, how much address space and how much capacity there is, and who has what.

    The window is larger than the capacity by 1 GiB a slot, for alignment.
    """

    base: int
    window: int
    capacity: int
    placements: tuple[Placement, ...]

    @property
    def end(self) -> int:
        """The first address after the window."""
        return self.base + self.window

    @property
    def used(self) -> int:
        """What the devices take of the capacity."""
        return sum(placement.size for placement in self.placements)


def window_base(domain: Domain) -> int:
    """Where device memory begins: after boot memory and what the machine keeps below it, at a whole GiB."""
    ram = domain.boot_memory
    if domain.is_s390x:
        return round_up(ram, GIB)
    if domain.arch == "aarch64":
        return round_up(GIB + ram, GIB)
    most, split = LOW_MEMORY[domain.root or "pci-root"]
    low = split if ram >= most else most
    return round_up(4 * GIB + max(0, ram - low), GIB)


def alignment(domain: Domain, device: MemoryDevice, host: Host) -> int:
    """What a device's address is a multiple of."""
    if isinstance(device, OtherMemory):
        return device.pagesize or ALIGNMENT
    return max(device.block, effective(domain, device, host).pagesize or ALIGNMENT)


def lay_out(domain: Domain, host: Host) -> Layout:
    """Place the devices as QEMU does, one after the other in the order of its command line."""
    base = window_base(domain)
    capacity = max(0, domain.max_memory - domain.boot_memory)
    window = capacity + _slack(domain)
    return Layout(base=base, window=window, capacity=capacity, placements=_place_all(domain, host, base, base + window))


def least_max_memory(domain: Domain, host: Host) -> int:
    """The least <maxMemory> with which every device that names no address has room, in bytes."""
    base = window_base(domain)
    placements = _place_all(domain, host, base, _ENDLESS)
    needed = max((p.end - base for p in placements if not p.device.memaddr), default=0)
    used = sum(placement.size for placement in placements)
    return round_up(domain.boot_memory + max(used, needed - _slack(domain)), MIB)


_ENDLESS = 1 << 64


def _slack(domain: Domain) -> int:
    """Address space beyond the capacity, so that alignment costs none of it."""
    return 0 if domain.is_s390x else domain.slots * GIB


def _place_all(domain: Domain, host: Host, base: int, end: int) -> tuple[Placement, ...]:
    space = _Space(base, end)
    return tuple(
        space.place(device, alignment(domain, device, host))
        for device in domain.memory_devices
        # sgx-epc lies elsewhere; a size of 0 is a finding of its own
        if device.size and not (isinstance(device, OtherMemory) and device.model == "sgx-epc")
    )


class _Space:
    """The window while it is filled: its gaps, and the regions that are taken, both in order of address."""

    def __init__(self, base: int, end: int) -> None:
        self.base, self.end = base, end
        self.gaps = [(base, end)]
        self.regions: list[tuple[int, int]] = []
        self.owners: dict[int, MemoryDevice] = {}

    def place(self, device: MemoryDevice, step: int) -> Placement:
        outside, overlaps = False, None
        address: int | None = device.memaddr
        if device.memaddr:
            outside = not self.base <= device.memaddr <= self.end - device.size
            overlaps = self.owner(device.memaddr, device.memaddr + device.size)
        else:
            found = ((round_up(start, step), last) for start, last in self.gaps)
            address = next((start for start, last in found if start + device.size <= last), None)
        if address is not None and overlaps is None:
            self.take(address, address + device.size, device)
        return Placement(
            device=device, size=device.size, alignment=step, address=address, overlaps=overlaps, outside=outside
        )

    def owner(self, start: int, end: int) -> MemoryDevice | None:
        """Who has something of the region, or None."""
        position = bisect_left(self.regions, (end, 0))
        if position and self.regions[position - 1][1] > start:
            return self.owners[self.regions[position - 1][0]]
        return None

    def take(self, start: int, end: int, device: MemoryDevice) -> None:
        insort(self.regions, (start, end))
        self.owners[start] = device
        position = bisect_right(self.gaps, (start, _ENDLESS)) - 1
        if position >= 0 and end <= self.gaps[position][1]:
            first, last = self.gaps[position]
            rest = [(first, start), (end, last)]
            self.gaps[position : position + 1] = [(one, other) for one, other in rest if one < other]
