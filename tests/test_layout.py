"""layout: where device memory lands. Real QEMU holds it too, in test_qemu and test_random_domains."""

import re
from collections.abc import Sequence

import pytest
from domains import ROOT
from hypothesis import given
from hypothesis import strategies as st
from judging import parsed

from virtmem_cli.domain import Domain, MemoryDevice, OtherMemory, VirtioMem
from virtmem_cli.layout import Layout, lay_out
from virtmem_cli.machines import machine_of
from virtmem_cli.registry import RULES
from virtmem_cli.settle import settle
from virtmem_cli.target import Target
from virtmem_cli.units import GIB, MIB, round_up

PAGE = (ROOT / "docs/layout.md").read_text()


def domain(name: str) -> Domain:
    return parsed((ROOT / f"testdata/xml/{name}.xml").read_bytes())


def layout_of(domain: Domain) -> Layout:
    layout = settle(domain, Target()).layout
    assert layout is not None
    return layout


def test_the_page_tells_what_happens() -> None:
    example = domain("layout-gaps-are-used")
    layout = layout_of(example)
    rows = re.findall(r"\| (\w+) \| (\d+) GiB \| (0x[0-9a-f]+) \|", PAGE)
    assert rows == [
        (placement.device.alias, str(placement.size // GIB), f"{placement.address:#x}")
        for placement in layout.placements
    ]
    assert f"begins at 6 GiB:\n`{layout.base:#x}`" in PAGE
    assert f"ends at 18 GiB: `{layout.end:#x}`" in PAGE
    assert f"{layout.used // GIB} of {layout.capacity // GIB} GiB are used" in PAGE


def test_the_page_names_real_rules() -> None:
    named = set(re.findall(r"`((?:hotplug|memaddr)-[a-z]+)`", PAGE))
    assert named == {rule for rule in RULES if rule.startswith(("hotplug-", "memaddr-"))}


@pytest.mark.parametrize(
    ("arch", "machine", "ram", "base"),
    [
        ("x86_64", "q35", 1 * GIB, 4 * GIB),
        ("x86_64", "q35", 0xB0000000 - MIB, 4 * GIB),
        ("x86_64", "q35", 0xB0000000, 5 * GIB),
        ("x86_64", "q35", 4 * GIB, 6 * GIB),
        ("x86_64", "pc", 0xE0000000 - MIB, 4 * GIB),
        ("x86_64", "pc", 0xE0000000, 5 * GIB),
        ("x86_64", "pc", 4 * GIB, 5 * GIB),
        ("aarch64", "virt", 4 * GIB, 5 * GIB),
        ("aarch64", "virt", 4 * GIB + MIB, 6 * GIB),
        ("s390x", "s390-ccw-virtio", 4 * GIB, 4 * GIB),
        ("s390x", "s390-ccw-virtio", 4 * GIB + MIB, 5 * GIB),
    ],
)
def test_where_the_window_of_devices_begins(arch: str, machine: str, ram: int, base: int) -> None:
    example = domain("plain-ram")._replace(arch=arch, machine=machine, cells=(), memory_devices=(), memory=ram)
    assert layout_of(example).base == base


def test_a_machine_that_is_not_known_has_no_layout() -> None:
    assert settle(domain("plain-ram")._replace(machine="isapc"), Target()).layout is None


def test_the_least_max_memory_is_enough_and_less_is_not() -> None:
    example = domain("hotplug-gap")
    least = layout_of(example).least_max_memory
    fits = [
        all(p.address is not None for p in layout_of(example._replace(max_memory_given=size)).placements)
        for size in (least - MIB, least)
    ]
    assert fits == [False, True]


def device(number: int, size: int, at: int = 0) -> MemoryDevice:
    """A virtio-mem of whole GiB, at an address in GiB or, with 0, wherever QEMU puts it."""
    example = domain("plain-ram").devices[0]
    return example._replace(alias=f"virtiomem{number}", size_given=size * GIB, memaddr=at * GIB)


def filled(*devices: MemoryDevice, room: int = 8, slots: int = 0) -> Layout:
    """The layout of a q35 with 4 GiB of boot memory and `room` GiB for devices: its window begins at 6 GiB."""
    example = domain("plain-ram")._replace(max_memory_given=(4 + room) * GIB, slots=slots, memory_devices=devices)
    return layout_of(example)


def addresses(layout: Layout) -> list[int | None]:
    """Where the devices are, in GiB."""
    return [None if p.address is None else p.address // GIB for p in layout.placements]


def test_slots_give_the_window_room_but_no_capacity() -> None:
    assert (filled().capacity, filled().window) == (8 * GIB, 8 * GIB)
    assert (filled(slots=2).capacity, filled(slots=2).window) == (8 * GIB, 10 * GIB)
    assert (filled(room=-1).capacity, filled(room=-1).window) == (0, 0)
    s390x = domain("s390x-ccw")._replace(slots=2)
    assert layout_of(s390x).window == layout_of(s390x).capacity


def test_the_least_max_memory_counts_slots() -> None:
    # The second device cannot begin at 6 GiB, and slots are what gives the room that this costs
    gap = domain("plain-ram")._replace(memory_devices=(device(0, 1, at=7), device(1, 2)))
    assert layout_of(gap).least_max_memory == (4 + 4) * GIB
    assert layout_of(gap._replace(slots=1)).least_max_memory == (4 + 3) * GIB
    assert layout_of(gap._replace(memory_devices=(device(0, 1, at=7),))).least_max_memory == (4 + 1) * GIB
    assert layout_of(gap._replace(memory_devices=())).least_max_memory == 4 * GIB


def test_the_least_max_memory_counts_alignment() -> None:
    """From 6 GiB, a device of blocks of 4 GiB begins at 8 GiB."""
    gap = domain("plain-ram").devices[0]._replace(size_given=4 * GIB, block=4 * GIB)
    assert addresses(filled(gap, room=4)) == [None]
    assert filled(gap, room=4).least_max_memory == (4 + 6) * GIB


def test_more_than_there_are_addresses_has_no_place_anywhere() -> None:
    layout = filled(device(0, 8 << 30), device(1, 8 << 30))
    assert addresses(layout) == [None, None]
    assert layout.least_max_memory == (4 + (16 << 30)) * GIB


def test_who_takes_room_and_who_does_not() -> None:
    dimm = next(d for d in domain("dimm-nvdimm-and-pmem-beside").memory_devices if isinstance(d, OtherMemory))
    assert addresses(filled(dimm, device(0, 1))) == [6, 8]
    assert addresses(filled(dimm._replace(model="sgx-epc"), device(0, 1))) == [6]
    assert addresses(filled(device(0, 0), device(1, 1))) == [6]


@pytest.mark.parametrize(("at", "outside"), [(5, True), (6, False), (13, False), (14, True), (15, True)])
def test_an_address_outside_the_window_is_told(at: int, outside: bool) -> None:
    (placement,) = filled(device(0, 1, at=at)).placements
    assert placement.outside is outside


@pytest.mark.parametrize("at", [1, 5, 14, 100])
def test_what_is_outside_leaves_the_window_as_it_is(at: int) -> None:
    assert addresses(filled(device(0, 1, at=at), device(1, 8), device(2, 1))) == [at, 6, None]


def test_what_begins_inside_and_ends_outside_leaves_the_window_as_it_is() -> None:
    assert addresses(filled(device(0, 2, at=13), device(1, 8))) == [13, 6]
    assert addresses(filled(device(0, 2, at=13), device(1, 1, at=13), device(2, 8))) == [13, 13, 6]


def test_an_address_at_the_end_leaves_nothing_behind_it() -> None:
    assert addresses(filled(device(0, 2, at=12), device(1, 6), device(2, 1))) == [12, 6, None]
    assert addresses(filled(device(0, 8, at=6), device(1, 1))) == [6, None]


@pytest.mark.parametrize(
    ("at", "size", "owner"),
    [(6, 1, None), (7, 1, "virtiomem0"), (8, 1, None), (9, 1, "virtiomem1"), (11, 1, "virtiomem2"), (12, 2, None)],
)
def test_overlaps_name_the_one_in_the_way(at: int, size: int, owner: str | None) -> None:
    taken = (device(0, 1, at=7), device(1, 1, at=9), device(2, 1, at=11))
    overlaps = filled(*taken, device(3, size, at=at)).placements[-1].overlaps
    assert (overlaps and overlaps.alias) == owner


def first_fit(devices: Sequence[tuple[int, int, int]], base: int, end: int) -> list[int | None]:
    """Where devices, each with size, step and the address that it names or 0, come to be: by trying all places."""
    taken: list[tuple[int, int]] = []
    found: list[int | None] = []
    for size, step, address in devices:
        starts = (
            [address] if address else [round_up(start, step) for start in (base, *sorted(last for _, last in taken))]
        )
        free = [s for s in starts if all(s + size <= first or last <= s for first, last in taken)]
        if not address:
            free = [s for s in free if base <= s and s + size <= end]
        found.append(address or (free[0] if free else None))
        if free:
            taken.append((free[0], free[0] + size))
    return found


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from([1, 1, 2, 4, 8]), st.integers(-60, 60)), max_size=60))
def test_devices_are_where_trying_all_places_puts_them(wanted: list[tuple[int, int, int]]) -> None:
    """However the gaps are kept: here never more than four together."""
    machine = machine_of("x86_64", "q35")
    assert machine is not None
    step = 2 * MIB
    base = 6 * GIB
    devices = [(size * step, align * step, base + place * step if place > 0 else 0) for size, align, place in wanted]
    example = domain("layout-gaps-are-used").memory_devices[0]
    assert isinstance(example, VirtioMem)
    laid = [(example._replace(size_given=size, memaddr=address), align) for size, align, address in devices]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("virtmem_cli.layout._RUN", 4)
        layout = lay_out(laid, machine=machine, boot_memory=4 * GIB, max_memory=4 * GIB + 100 * step, slots=0)
    assert layout.base == base
    assert [one.address for one in layout.placements] == first_fit(devices, base, layout.end)
