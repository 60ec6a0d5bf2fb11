"""Real QEMU: it takes what we give and has what the XML says; and it refuses what we refuse in its name."""

import shutil
from pathlib import Path

import pytest
from command import execute
from domains import ROOT, X86
from judging import parsed
from real_qemu import Answer, QemuBinary, start, startable, target_for

from virtmem_cli.conversion import convert
from virtmem_cli.domain import Domain, OtherMemory, VirtioMem
from virtmem_cli.findings import Refuses, Severity
from virtmem_cli.props import Value
from virtmem_cli.registry import RULES
from virtmem_cli.rulebook import page
from virtmem_cli.settle import settle
from virtmem_cli.settle.memory import model_of
from virtmem_cli.target import Target

TESTDATA = ROOT / "testdata"
# Guests that Debian's QEMU 7.2 can start with virtio-mem, and the binary's name for each.
BINARIES = {"x86_64": "x86_64", "i686": "x86_64", "aarch64": "aarch64"}
# Software emulation of x86 has 40 bits of address.
EMULATED = 1 << 39


def domain_of(xml: str) -> Domain:
    return parsed(xml.encode())


def goldens() -> list[str]:
    """The accepted golden domains that need no huge pages, and no guest that QEMU 7.2 cannot emulate."""
    names = []
    for path in sorted((TESTDATA / "args").glob("*.args")):
        if path.name.count(".") > 1:
            continue
        domain = domain_of((TESTDATA / "xml" / f"{path.stem}.xml").read_text())
        hugepages = any(memory.pagesize for memory in settle(domain, Target()).virtio_mem)
        if domain.arch in BINARIES and domain.max_memory < EMULATED and not hugepages:
            names.append(path.stem)
    return names


def device_is_written(device: VirtioMem | OtherMemory) -> bool:
    return bool(model_of(device).driver)


@pytest.mark.parametrize("name", goldens())
def test_qemu_has_what_the_xml_says(name: str, tmp_path: Path, qemu_binary: QemuBinary) -> None:
    xml = (TESTDATA / "xml" / f"{name}.xml").read_bytes()
    domain = domain_of(xml.decode())
    binary = qemu_binary(BINARIES[domain.arch])
    target = target_for(binary, tmp_path)
    conversion = convert(xml, name, target)
    answer = start(binary, startable(domain, target))
    if conversion.refused:
        # accepted for the newest QEMU, so this one is too old for it: and says so itself
        assert {f.rule for f in conversion.findings if f.severity is Severity.ERROR} == {"qemu-version"}
        assert answer.devices is None
        assert "not found" in answer.words
        return
    assert answer.devices is not None, answer.words
    reported = {device["data"]["id"]: device["data"] for device in answer.devices}
    assert set(reported) == {device.alias for device in domain.memory_devices if device_is_written(device)}
    written = domain._replace(memory_devices=tuple(d for d in domain.memory_devices if device_is_written(d)))
    layout = settle(written, target).layout
    assert layout is not None
    predicted = {p.device.alias: p.address for p in layout.placements}
    for other in written.memory_devices:
        if isinstance(other, OtherMemory):
            data = reported[other.alias]
            assert data["size"] == other.size
            assert data["memaddr" if other.model == "virtio-pmem" else "addr"] == predicted[other.alias]
            assert data["memdev"] == f"/objects/mem{other.alias}"
    for device in domain.devices:
        data = reported[device.alias]
        assert data["memaddr"] == predicted[device.alias]
        assert data["max-size"] == device.size
        assert data["block-size"] == device.block
        assert data["requested-size"] == device.requested
        assert data["node"] == (device.node or 0)
        assert data["memdev"] == f"/objects/mem{device.alias}"
        assert data["size"] == 0  # frozen: the guest has taken nothing


# Rules whose wrong example real QEMU refuses, and its words. The right one it takes.
REFUSALS = {
    "alias-duplicate": "duplicate property",
    "alias-invalid": "Identifiers consist of letters",
    "block-below-minimum": "has to be at least 0x100000",
    "block-below-page": "has to be at least the page size",
    "block-not-power-of-two": "power of two",
    "cell-zero": "doesn't take value '0'",
    "dimm-slot": "slot 0 is busy",
    "hotplug-gap": "fragmented",
    "hotplug-space": "not enough space",
    "memaddr-outside": "usable range for memory devices",
    "memaddr-overlap": "conflicts with memory device",
    "memaddr-taken": "conflicts with memory device",
    "memaddr-unaligned": "address must be aligned",
    "node-unknown": "number of numa nodes",
    "pagesize-memfd": "must be a power of 2",
    "pci-chipset": "in use by ICH9-LPC",
    "pci-duplicate": "in use by virtio-mem-pci",
    "pci-multifunction": "single function device can't be populated",
    "qemu-version": "not found",
    "requested-not-block-multiple": "has to be multiples of",
    "size-not-block-multiple": "backend memory size must be multiple of",
    "size-not-page-multiple": "failed to resize memfd",
    "size-zero": "doesn't take value '0'",
    "slots-exceeded": "invalid slot number",
    "slots-too-many": "unsupported amount of memory slots: 512",
}
# What shows as well that QEMU refuses: the rule, what is added to or changed in the arguments, and QEMU's words.
RAW_FAULTS: dict[str, tuple[list[str], str]] = {
    "memory-locked": (["-overcommit", "mem-lock=on"], "mlock"),
    "nodes-too-many": (
        ["-object", "memory-backend-ram,id=m,size=2M,host-nodes=128,policy=bind"],
        "Invalid host-nodes value: 128",
    ),
}
# Rules about what QEMU does that no QEMU here can show: it is too old, or for another machine.
UNSHOWN = {
    "arch-unsupported",
    "ccw-property",
    "dynamic-memslots-machine",
    "launch-security",
}


def test_what_qemu_refuses_is_shown() -> None:
    by_qemu = {rule.id for rule in RULES.values() if rule.refuses in (Refuses.QEMU, Refuses.BOTH)}
    assert by_qemu - {*REFUSALS, *RAW_FAULTS, "overcommit-never"} == UNSHOWN


@pytest.mark.parametrize("rule_id", RAW_FAULTS)
def test_qemu_refuses_arguments_beside(rule_id: str, tmp_path: Path, qemu_binary: QemuBinary) -> None:
    more, words = RAW_FAULTS[rule_id]
    binary = qemu_binary("x86_64")
    answer = start(binary, [*startable(domain_of(X86), target_for(binary, tmp_path)), *more])
    assert answer.devices is None, "QEMU starts"
    assert words in answer.words, answer.words


# Properties of the backend that we never write, or never alone.
@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"prealloc": True}, "'prealloc=on' and 'reserve=off' are incompatible"),
        ({"policy": "bind"}, "host-nodes must be set for policy bind"),
        ({"host-nodes": (0,)}, "host-nodes must be empty for policy default"),
        ({"host-nodes": (127,), "policy": "bind"}, "cannot bind memory to host NUMA nodes: Invalid argument"),
        ({"size": 8 << 30 | 1 << 20}, "backend memory size must be multiple of"),
    ],
    ids=str,
)
def test_qemu_refuses_a_backend(
    properties: dict[str, Value], words: str, tmp_path: Path, qemu_binary: QemuBinary
) -> None:
    binary = qemu_binary("x86_64")
    target = target_for(binary, tmp_path)
    answer = start(binary, startable(domain_of(X86), target, **properties))
    assert answer.devices is None, "QEMU starts"
    assert words in answer.words, answer.words


def answer_to(xml: str, binary: str, folder: Path) -> Answer:
    return start(binary, startable(domain_of(xml), target_for(binary, folder)))


def test_requested_above_size_is_only_ours_to_refuse(tmp_path: Path, qemu_binary: QemuBinary) -> None:
    """QEMU starts with it, and never gets there: that is why the rule says so."""
    xml = page("requested-above-size").wrong
    assert answer_to(xml, qemu_binary("x86_64"), tmp_path).devices is not None


@pytest.mark.parametrize("rule_id", REFUSALS)
def test_qemu_refuses_the_wrong_example_and_takes_the_right_one(
    rule_id: str, tmp_path: Path, qemu_binary: QemuBinary
) -> None:
    example = page(rule_id)
    binary = qemu_binary("x86_64")
    answer = answer_to(example.wrong, binary, tmp_path)
    assert answer.devices is None, "QEMU starts"
    assert REFUSALS[rule_id] in answer.words, answer.words
    answer = answer_to(example.right, binary, tmp_path)
    assert answer.devices is not None, answer.words


def test_qemu_refuses_private_memory_where_the_host_never_overcommits(tmp_path: Path, qemu_binary: QemuBinary) -> None:
    """The host says so in a namespace of its own, where another file lies over /proc/sys/vm/overcommit_memory."""
    never = tmp_path / "never"
    never.write_text("2\n")
    wrap = tmp_path / "qemu"
    binary = qemu_binary("x86_64")
    mount = f"mount --bind {never} /proc/sys/vm/overcommit_memory"
    if shutil.which("unshare") is None or execute(["unshare", "--mount", "sh", "-c", mount]).code:
        pytest.skip("needs root, for a mount of its own")
    wrap.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {binary} "$@"\n'
        f'exec unshare --mount sh -c \'{mount}; exec {binary} "$@"\' - "$@"\n'
    )
    wrap.chmod(0o755)
    example = page("overcommit-never")
    for xml, starts in ((example.wrong, False), (example.right, True)):
        argv = startable(domain_of(xml), target_for(str(wrap), tmp_path))
        # boot memory may be reserved: it is not what this is about
        argv = tuple(a.replace('"reserve":false,', "") if '"id":"ram-node0"' in a else a for a in argv)
        answer = start(str(wrap), argv)
        assert (answer.devices is not None) == starts, answer.words
        assert starts or "overcommit_memory" in answer.words


def test_qemu_takes_bound_memory(tmp_path: Path, qemu_binary: QemuBinary) -> None:
    binary = qemu_binary("x86_64")
    target = target_for(binary, tmp_path)
    bound: dict[str, Value] = {"host-nodes": (0,), "policy": "bind"}
    assert start(binary, startable(domain_of(X86), target, **bound)).devices is not None
