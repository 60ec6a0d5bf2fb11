"""Real QEMU: it takes what we give and has what the XML says; and it refuses what we refuse in its name."""

from pathlib import Path

import pytest
from real_qemu import QemuBinary, start, startable, target_for

from virtmem_cli.convert import convert
from virtmem_cli.domain import Domain, OtherMemory, VirtioMem
from virtmem_cli.effective import WRITTEN, effective
from virtmem_cli.findings import RULES, Refuses, Severity
from virtmem_cli.layout import lay_out
from virtmem_cli.parse import parse_domain
from virtmem_cli.props import Value
from virtmem_cli.target import LIBVIRT
from virtmem_cli.xmltree import parse_tree

TESTDATA = Path(__file__).parent.parent / "testdata"
# Guests that Debian's QEMU 7.2 can start with virtio-mem, and the binary's name for each.
BINARIES = {"x86_64": "x86_64", "i686": "x86_64", "aarch64": "aarch64"}
# Software emulation of x86 has 40 bits of address.
EMULATED = 1 << 39


def domain_of(xml: str) -> Domain:
    return parse_domain(parse_tree(xml.encode(), "test.xml"), LIBVIRT.arch)[0]


def goldens() -> list[str]:
    """The accepted golden domains that need no huge pages, and no guest that QEMU 7.2 cannot emulate."""
    names = []
    for path in sorted((TESTDATA / "args").glob("*.args")):
        if path.name.count(".") > 1:
            continue
        domain = domain_of((TESTDATA / "xml" / f"{path.stem}.xml").read_text())
        hugepages = any(effective(domain, device, LIBVIRT).pagesize for device in domain.devices)
        if domain.arch in BINARIES and domain.max_memory < EMULATED and not hugepages:
            names.append(path.stem)
    return names


def device_is_written(device: VirtioMem | OtherMemory) -> bool:
    return isinstance(device, VirtioMem) or device.model in WRITTEN


@pytest.mark.parametrize("name", goldens())
def test_qemu_has_what_the_xml_says(name: str, tmp_path: Path, qemu_binary: QemuBinary) -> None:
    xml = (TESTDATA / "xml" / f"{name}.xml").read_bytes()
    domain = domain_of(xml.decode())
    binary = qemu_binary(BINARIES[domain.arch])
    target = target_for(binary, tmp_path)
    conversion = convert(xml, name=name, target=target)
    answer = start(binary, startable(domain, target))
    if conversion.refused:
        # accepted for the newest QEMU, so this one is too old for it: and says so itself
        assert {f.rule.id for f in conversion.findings if f.rule.severity is Severity.ERROR} == {"qemu-version"}
        assert answer.devices is None
        assert "not found" in answer.words
        return
    assert answer.devices is not None, answer.words
    reported = {device["data"]["id"]: device["data"] for device in answer.devices}
    assert set(reported) == {device.alias for device in domain.memory_devices if device_is_written(device)}
    written = domain._replace(memory_devices=tuple(d for d in domain.memory_devices if device_is_written(d)))
    predicted = {p.device.alias: p.address for p in lay_out(written, target.host).placements}
    for other in domain.other_memory:
        if device_is_written(other):
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


DOMAIN = """<domain type='qemu'>
  <name>fault</name>
  <maxMemory unit='GiB'>16</maxMemory>
  <memory unit='GiB'>3</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <cpu><numa><cell id='0' cpus='0-1' memory='1' unit='GiB'/></numa></cpu>
  <devices>
    <memory model='virtio-mem'>
      <target>
        <size unit='GiB'>2</size>
        <node>0</node>
        <block unit='MiB'>2</block>
        <requested unit='GiB'>1</requested>
      </target>
    </memory>
  </devices>
</domain>
"""
SECOND = DOMAIN[DOMAIN.index("    <memory model") : DOMAIN.index("  </devices>")]
MEMFD_1G = (
    ("<vcpu>", "<memoryBacking><source type='memfd'/></memoryBacking>\n  <vcpu>"),
    ("<target>", "<source><pagesize unit='GiB'>1</pagesize></source><target>"),
)

# Rule, what makes the domain break it, and what QEMU says.
FAULTS = {
    "size-not-block-multiple": (
        [("<size unit='GiB'>2", "<size unit='MiB'>2046"), ("'MiB'>2<", "'MiB'>4<")],
        "backend memory size must be multiple of",
    ),
    "slots-too-many": ([("<maxMemory unit", "<maxMemory slots='257' unit")], "unsupported amount of memory slots: 257"),
    "dimm-slot": (
        [
            ("<maxMemory unit", "<maxMemory slots='2' unit"),
            (
                "  </devices>",
                "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target>"
                "<address type='dimm' slot='2'/></memory></devices>",
            ),
        ],
        "invalid slot number",
    ),
    "cell-zero": (
        [("memory='1' unit='GiB'/>", "memory='1' unit='GiB'/><cell id='1' memory='0'/>")],
        "doesn't take value '0'",
    ),
    "pci-multifunction": (
        [
            ("</memory>\n  </dev", "<address type='pci' slot='5' multifunction='off'/></memory>\n  </dev"),
            (
                "  </devices>",
                SECOND.replace("</memory>", "<address type='pci' slot='5' function='1'/></memory>") + "  </devices>",
            ),
        ],
        "single function device can't be populated",
    ),
    "size-zero": (
        [("<size unit='GiB'>2", "<size unit='GiB'>0"), ("<requested unit='GiB'>1", "<requested unit='GiB'>0")],
        "doesn't take value '0'",
    ),
    "block-not-power-of-two": ([("'MiB'>2<", "'MiB'>3<"), ("'GiB'>1</req", "'MiB'>3</req")], "power of two"),
    "block-below-minimum": ([("<block unit='MiB'>2", "<block unit='KiB'>512")], "has to be at least 0x100000"),
    "block-below-page": ([*MEMFD_1G], "has to be at least the page size"),
    "size-not-page-multiple": (
        [*MEMFD_1G, ("<size unit='GiB'>2", "<size unit='MiB'>1536"), ("<block unit='MiB'>2", "<block unit='MiB'>512")],
        "failed to resize memfd",
    ),
    "requested-not-block-multiple": ([("'GiB'>1</req", "'MiB'>1023</req")], "has to be multiples of"),
    "node-unknown": ([("<node>0", "<node>1")], "number of numa nodes"),
    "memaddr-unaligned": ([("</target>", "<address base='0x140100000'/></target>")], "address must be aligned"),
    "memaddr-overlap": (
        [
            ("</target>", "<address base='0x140000000'/></target>"),
            ("  </devices>", SECOND.replace("</target>", "<address base='0x180000000'/></target>") + "  </devices>"),
        ],
        "conflicts with memory device",
    ),
    "memaddr-outside": (
        [("</target>", "<address base='0x100000000000'/></target>")],
        "usable range for memory devices",
    ),
    "memaddr-taken": (
        [("  </devices>", SECOND.replace("</target>", "<address base='0x140000000'/></target>") + "  </devices>")],
        "conflicts with memory device",
    ),
    "hotplug-gap": (
        [
            ("<maxMemory unit='GiB'>16", "<maxMemory unit='GiB'>4"),
            ("<size unit='GiB'>2", "<size unit='GiB'>1"),
            ("</target>", "<address base='0x140000000'/></target>"),
            ("  </devices>", SECOND + "  </devices>"),
        ],
        "fragmented",
    ),
    "hotplug-space": ([("<maxMemory unit='GiB'>16", "<maxMemory unit='GiB'>2")], "not enough space"),
    "alias-invalid": (
        [("<domain type", "<domain id='1' type"), ("</target>", "</target><alias name='a,b'/>")],
        "expects an identifier",
    ),
    "qemu-version": ([("<target>", "<target dynamicMemslots='yes'>")], "not found"),
    "pci-chipset": ([("</memory>\n  </dev", "<address type='pci' slot='0x1f'/></memory>\n  </dev")], "in use"),
    "pci-duplicate": (
        [
            ("</memory>\n  </dev", "<address type='pci' slot='5'/></memory>\n  </dev"),
            ("  </devices>", SECOND.replace("</memory>", "<address type='pci' slot='5'/></memory>") + "  </devices>"),
        ],
        "in use",
    ),
    "alias-duplicate": (
        [
            ("</target>", "</target><alias name='ua-x'/>"),
            ("  </devices>", SECOND.replace("</target>", "</target><alias name='ua-x'/>") + "  </devices>"),
        ],
        "duplicate property",
    ),
}


def faulty(edits: list[tuple[str, str]]) -> str:
    xml = DOMAIN
    for old, new in edits:
        assert old in xml
        xml = xml.replace(old, new, 1)
    return xml


# What shows as well that QEMU refuses: the rule, what is added to or changed in the arguments, and QEMU's words.
RAW_FAULTS: dict[str, tuple[list[str], str]] = {
    "memory-locked": (["-overcommit", "mem-lock=on"], "mlock"),
    "pagesize-memfd": (
        ["-object", "memory-backend-memfd,id=m,hugetlb=on,hugetlbsize=9k,size=9k,reserve=off"],
        "must be a power of 2",
    ),
    "nodes-too-many": (
        ["-object", "memory-backend-ram,id=m,size=2M,host-nodes=128,policy=bind"],
        "Invalid host-nodes value: 128",
    ),
    "slots-exceeded": (
        ["-object", "memory-backend-ram,id=d,size=128M", "-device", "pc-dimm,memdev=d"],
        "no slots",
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
    assert by_qemu - {*FAULTS, *RAW_FAULTS} == UNSHOWN


@pytest.mark.parametrize("rule_id", RAW_FAULTS)
def test_qemu_refuses_arguments_beside(rule_id: str, tmp_path: Path, qemu_binary: QemuBinary) -> None:
    more, words = RAW_FAULTS[rule_id]
    binary = qemu_binary("x86_64")
    answer = start(binary, [*startable(domain_of(DOMAIN), target_for(binary, tmp_path)), *more])
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
        ({"size": 2 << 30 | 1 << 20}, "backend memory size must be multiple of"),
    ],
    ids=str,
)
def test_qemu_refuses_a_backend(
    properties: dict[str, Value], words: str, tmp_path: Path, qemu_binary: QemuBinary
) -> None:
    binary = qemu_binary("x86_64")
    target = target_for(binary, tmp_path)
    answer = start(binary, startable(domain_of(DOMAIN), target, **properties))
    assert answer.devices is None, "QEMU starts"
    assert words in answer.words, answer.words


def test_requested_above_size_is_only_ours_to_refuse(tmp_path: Path, qemu_binary: QemuBinary) -> None:
    """QEMU starts with it, and never gets there: that is why the rule names libvirt alone."""
    xml = faulty([("'GiB'>1</req", "'GiB'>3</req")])
    binary = qemu_binary("x86_64")
    target = target_for(binary, tmp_path)
    assert convert(xml.encode(), name="fault.xml", target=target).refused
    assert start(binary, startable(domain_of(xml), target)).devices is not None


@pytest.mark.parametrize("rule_id", FAULTS)
def test_qemu_refuses_what_we_refuse(rule_id: str, tmp_path: Path, qemu_binary: QemuBinary) -> None:
    edits, words = FAULTS[rule_id]
    binary = qemu_binary("x86_64")
    target = target_for(binary, tmp_path)
    target = target._replace(host=target.host._replace(thp=64 << 10))  # no block here is below that
    xml = faulty(edits)
    # libvirt's mounts, for which the rules judge, need not exist for QEMU to refuse
    findings = convert(xml.encode(), name="fault.xml", target=target).findings
    assert rule_id in {finding.rule.id for finding in findings}
    answer = start(binary, startable(domain_of(xml), target))
    assert answer.devices is None, "QEMU starts"
    assert words in answer.words, answer.words


def test_qemu_takes_the_domain_without_fault(tmp_path: Path, qemu_binary: QemuBinary) -> None:
    binary = qemu_binary("x86_64")
    target = target_for(binary, tmp_path)
    assert convert(DOMAIN.encode(), name="fault.xml", target=target).findings == ()
    assert start(binary, startable(domain_of(DOMAIN), target)).devices is not None
    bound: dict[str, Value] = {"host-nodes": (0,), "policy": "bind"}
    assert start(binary, startable(domain_of(DOMAIN), target, **bound)).devices is not None
