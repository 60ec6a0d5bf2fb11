"""Random domains on real QEMU: what we accept starts, with addresses as predicted; what QEMU refuses, we refuse.

Each example starts a QEMU. A failure prints the example, and what reproduces it.
"""

import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judging import settled
from real_qemu import QemuBinary, start, startable, target_for

from virtmem_cli.conversion import convert

MIB = 1 << 20
SETTINGS = settings(
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Device(NamedTuple):
    """A memory device; sizes in MiB, `memaddr` in MiB from 0 or None; a DIMM has no block."""

    size: int
    block: int | None
    requested: int
    node: int
    memaddr: int | None

    def xml(self) -> str:
        base = "" if self.memaddr is None else f"<address base='{self.memaddr * MIB:#x}'/>"
        head = f"<size unit='MiB'>{self.size}</size><node>{self.node}</node>"
        if self.block is None:
            return f"<memory model='dimm'><target>{head}</target></memory>"
        return (
            f"<memory model='virtio-mem'><target>{head}<block unit='MiB'>{self.block}</block>"
            f"<requested unit='MiB'>{self.requested}</requested>{base}</target></memory>"
        )


class Guest(NamedTuple):
    """A domain; sizes in MiB. `spare` is what <maxMemory> has beyond the sum."""

    machine: str
    cells: list[int]
    slots: int
    devices: list[Device]
    spare: int

    def xml(self) -> str:
        cells = "".join(f"<cell id='{n}' cpus='{n}' memory='{size}' unit='MiB'/>" for n, size in enumerate(self.cells))
        most = max(sum(self.cells) + sum(device.size for device in self.devices) + self.spare, 1)
        return (
            f"<domain type='qemu'><name>random</name><maxMemory slots='{self.slots}' unit='MiB'>{most}</maxMemory>"
            f"<memory unit='MiB'>{most}</memory><vcpu>{len(self.cells)}</vcpu>"
            f"<os><type arch='x86_64' machine='{self.machine}'>hvm</type></os><cpu><numa>{cells}</numa></cpu>"
            f"<devices>{''.join(device.xml() for device in self.devices)}</devices></domain>"
        )


@st.composite
def virtio_mems(draw: st.DrawFn, nodes: int) -> Device:
    block = draw(st.sampled_from([2, 4, 16, 128, 1024]))
    blocks = draw(st.integers(1, max(1, 4096 // block)))
    return Device(
        size=block * blocks,
        block=block,
        requested=block * draw(st.integers(0, blocks)),
        node=draw(st.integers(0, nodes - 1)),
        memaddr=draw(st.none() | st.integers(4, 24).map(lambda gib: gib * 1024)),
    )


@st.composite
def guests(draw: st.DrawFn) -> Guest:
    cells = draw(st.lists(st.sampled_from([256, 1024, 2816, 3584, 4097]), min_size=1, max_size=3))
    devices = draw(st.lists(virtio_mems(len(cells)), min_size=1, max_size=4))
    dimms = draw(st.lists(st.sampled_from([128, 514, 1024]), max_size=2))
    for size in dimms:
        place = draw(st.integers(0, len(devices)))
        devices.insert(place, Device(size=size, block=None, requested=0, node=0, memaddr=None))
    slots = len(dimms) + draw(st.integers(0, 2))
    return Guest(
        machine=draw(st.sampled_from(["q35", "pc"])),
        cells=cells,
        slots=slots,
        devices=devices,
        spare=draw(st.sampled_from([0, 0, 1, 1024, 16384])),
    )


# One fault each; some leave the domain as good as it was.
FAULTS = {
    "size": lambda device, n: device._replace(size=device.size + n),
    "block": lambda device, n: device._replace(block=n if device.block else None),
    "requested": lambda device, n: device._replace(requested=device.requested + n),
    "node": lambda device, n: device._replace(node=n % 5),
    "memaddr": lambda device, n: device._replace(memaddr=n * 37),
}


@given(guest=guests())
@settings(SETTINGS, max_examples=600)  # of which some 350 are accepted, and start
def test_what_we_accept_starts_as_predicted(guest: Guest, qemu_binary: QemuBinary) -> None:
    judge(guest, qemu_binary)


@given(
    guest=guests(),
    fault=st.sampled_from(sorted(FAULTS)),
    which=st.integers(0, 3),
    amount=st.integers(1, 1024),
    shortage=st.sampled_from([0, 0, 0, -1, -2048]),
)
@settings(SETTINGS, max_examples=300)
def test_what_qemu_refuses_we_refuse(
    guest: Guest, fault: str, which: int, amount: int, shortage: int, qemu_binary: QemuBinary
) -> None:
    devices = list(guest.devices)
    which %= len(devices)
    devices[which] = FAULTS[fault](devices[which], amount)
    judge(guest._replace(devices=devices, spare=guest.spare + shortage), qemu_binary)


def judge(guest: Guest, qemu_binary: QemuBinary) -> None:
    """QEMU's answer and ours; a fault that only libvirt minds is all that may make us refuse what starts."""
    xml = guest.xml()
    binary = qemu_binary("x86_64")
    with tempfile.TemporaryDirectory() as folder:
        target = target_for(binary, Path(folder))
        conversion = convert(xml.encode(), "random.xml", target)
        its = settled(xml.encode(), target)
        if not its.devices or its.boot_memory <= 0:
            return
        answer = start(binary, startable(its.domain, target))
    errors = [f"{f.rule}: {f.message}" for f in conversion.findings if f.severity.value == "error"]
    if answer.devices is None:
        assert conversion.refused, f"QEMU refuses: {answer.words}\n{xml}"
        return
    by_qemu = [f for f in conversion.findings if f.refuses.name in ("QEMU", "BOTH")]
    assert not by_qemu, f"QEMU starts, and we refuse: {errors}\n{xml}"
    reported = {d["data"]["id"]: d["data"].get("memaddr", d["data"].get("addr")) for d in answer.devices}
    predicted = {p.device.alias: p.address for p in its.layout.placements} if its.layout else {}
    if not conversion.refused:
        assert reported == predicted, xml


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_faults_change_a_device(fault: str) -> None:
    device = Device(size=1024, block=2, requested=512, node=0, memaddr=None)
    assert FAULTS[fault](device, 3) != device
