"""The window for device memory and the devices in it to guest-physical addresses: who is where, and what is left.

Takes numbers and sizes, gives a Layout; judges nothing. The addresses are those that QEMU gives: seen on QEMU 5.2 to
11.1 for x86, read in its sources for arm and s390x. See docs/layout.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

from virtmem_cli.domain import MemoryDevice
from virtmem_cli.machines import Machine
from virtmem_cli.units import GIB, MIB, round_up

# QEMU aligns device memory to the backend's page, and ordinary pages to this.
ALIGNMENT = 2 * MIB
_ENDLESS = 1 << 64


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

    The window is larger than the capacity by 1 GiB a slot, for alignment. `least_max_memory` is the least <maxMemory>
    with which every device that names no address has room.
    """

    base: int
    window: int
    capacity: int
    placements: tuple[Placement, ...]
    least_max_memory: int

    @property
    def end(self) -> int:
        """The first address after the window."""
        return self.base + self.window

    @property
    def used(self) -> int:
        """What the devices take of the capacity."""
        return sum(placement.size for placement in self.placements)


def window_base(machine: Machine, boot_memory: int) -> int:
    """Where device memory begins: after boot memory and what the machine keeps below it, at a whole GiB."""
    if not machine.low_most:
        return round_up(machine.memory_start + boot_memory, GIB)
    low = machine.low_split if boot_memory >= machine.low_most else machine.low_most
    return round_up(4 * GIB + max(0, boot_memory - low), GIB)


def lay_out(
    devices: Sequence[tuple[MemoryDevice, int]], *, machine: Machine, boot_memory: int, max_memory: int, slots: int
) -> Layout:
    """Place devices, each with what its address is a multiple of, as QEMU does: one after the other."""
    base = window_base(machine, boot_memory)
    slack = slots * machine.slot_slack
    capacity = max(0, max_memory - boot_memory)
    window = capacity + slack
    placements = endless = _place_all(devices, base, base + window)
    if any(placement.address is None or placement.outside for placement in placements):
        endless = _place_all(devices, base, _ENDLESS)
    needed = max((p.end - base for p in endless if not p.device.memaddr), default=0)
    used = sum(placement.size for placement in placements)
    least = round_up(boot_memory + max(used, needed - slack), MIB)
    return Layout(base, window, capacity, placements, least)


def _place_all(devices: Sequence[tuple[MemoryDevice, int]], base: int, end: int) -> tuple[Placement, ...]:
    space = _Space(base, end)
    return tuple([space.place(device, step) for device, step in devices])


# Gaps that are looked through one by one
_RUN = 64


class _Run(NamedTuple):
    """Gaps that follow each other, in order of address; and the most room in one of them, by step, once it is known."""

    gaps: list[tuple[int, int]]
    most: dict[int, int]

    def room(self, step: int) -> int:
        """The most room in one gap from a multiple of the step on."""
        room = self.most.get(step)
        if room is None:
            room = self.most[step] = max([last - -(-start // step) * step for start, last in self.gaps], default=0)
        return room


class _Space:
    """The window while it is filled: its gaps, in runs so that few are looked at, and the regions that are taken."""

    def __init__(self, base: int, end: int) -> None:
        self.base, self.end = base, end
        self.runs = [_Run([(base, end)], {})]
        # The regions in order, each with whose it is; and those that are not there yet
        self.taken: list[tuple[int, int, int]] = []
        self.fresh: list[tuple[int, int, int]] = []
        self.devices: list[MemoryDevice] = []

    def place(self, device: MemoryDevice, step: int) -> Placement:
        size, address = device.size, device.memaddr or None
        outside, overlaps = False, None
        if address is not None:
            outside = not self.base <= address <= self.end - size
            overlaps = self.owner(address, address + size)
            place = None if overlaps else self.gap_around(address, address + size)
        else:
            # Of a step that is no power of two QEMU takes no device; as the next one there are few
            place, address = self.gap_for(size, 1 << (step - 1).bit_length())
        if address is not None and place is not None:
            self.take(*place, address, size)
        if address is not None and overlaps is None:
            self.fresh.append((address, address + size, len(self.devices)))
            self.devices.append(device)
        return Placement(device, size, step, address, overlaps, outside)

    def gap_for(self, size: int, step: int) -> tuple[tuple[int, int] | None, int | None]:
        """The first gap with so much room from a multiple of the step on, and that address; or None and None."""
        for number, run in enumerate(self.runs):
            if run.room(step) < size:
                continue
            for position, (start, last) in enumerate(run.gaps):
                address = round_up(start, step)
                if address + size <= last:
                    return (number, position), address
        return None, None

    def gap_around(self, start: int, end: int) -> tuple[int, int] | None:
        """The gap that holds the region, by its run and its place there, or None."""
        from bisect import bisect_right  # only for an address that is given

        number = len(self.runs) - 1
        while number and self.runs[number].gaps[0][0] > start:
            number -= 1
        gaps = self.runs[number].gaps
        position = bisect_right(gaps, (start, _ENDLESS)) - 1
        return (number, position) if position >= 0 and end <= gaps[position][1] else None

    def take(self, number: int, position: int, address: int, size: int) -> None:
        """Take a region out of the gap that holds it."""
        gaps, most = self.runs[number]
        first, last = gaps[position]
        rest = ((first, address), (address + size, last))
        gaps[position : position + 1] = [(start, end) for start, end in rest if start < end]
        most.clear()
        if len(gaps) > _RUN:
            self.runs.insert(number + 1, _Run(gaps[_RUN // 2 :], {}))
            del gaps[_RUN // 2 :]
        elif not gaps and number:
            del self.runs[number]

    def owner(self, start: int, end: int) -> MemoryDevice | None:
        """Who has something of the region, or None."""
        from bisect import bisect_left, insort  # only for an address that is given

        for region in self.fresh:
            insort(self.taken, region)
        self.fresh = []
        position = bisect_left(self.taken, (end, 0, 0))
        if position and self.taken[position - 1][1] > start:
            return self.devices[self.taken[position - 1][2]]
        return None
