"""A Domain to guest-physical addresses: the window for device memory, each device's place in it, and what is left.

Takes a Domain and a host, gives a Layout; judges nothing. The addresses are those that QEMU gives: seen on QEMU 5.2 to
11.1 for x86, read in its sources for arm and s390x. See docs/layout.md.
"""

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
    placed: list[Placement] = []
    for device in domain.memory_devices:
        # sgx-epc lies elsewhere; a size of 0 is a finding of its own
        if device.size and not (isinstance(device, OtherMemory) and device.model == "sgx-epc"):
            placed.append(_place(device, alignment(domain, device, host), base, end, placed))
    return tuple(placed)


def _place(device: MemoryDevice, step: int, base: int, end: int, placed: list[Placement]) -> Placement:
    taken = sorted(
        ((p.address, p.end, p.device) for p in placed if p.address is not None), key=lambda region: region[:2]
    )
    size = device.size
    if device.memaddr:
        start = device.memaddr
        return Placement(
            device=device,
            size=size,
            alignment=step,
            address=start,
            overlaps=next((other for first, last, other in taken if start < last and first < start + size), None),
            outside=not base <= start <= end - size,
        )
    start = round_up(base, step)
    for first, last, _ in taken:
        if start < last and first < start + size:
            start = round_up(last, step)
    fits = start + size <= end
    return Placement(
        device=device, size=size, alignment=step, address=start if fits else None, overlaps=None, outside=False
    )
