"""Advice: it begins at its threshold, never refuses, and is enough where it is followed."""

import re

import pytest
from command import check, check_json, virtmem
from small import BLOCK, CELL, UNITS, domain

from virtmem_cli.findings import Severity
from virtmem_cli.registry import RULES
from virtmem_cli.rules.advice import THRESHOLDS
from virtmem_cli.units import GIB, KIB, MIB

pytestmark = pytest.mark.usefixtures("here")
STEP = 2 * MIB


def sized(size: int, boot: int, block: int = STEP) -> str:
    """A domain of one device, and boot memory in a cell of its own."""
    return domain(
        ("unit='GiB'>16", f"unit='KiB'>{(size + boot) // KIB}"),
        ("unit='GiB'>6", f"unit='KiB'>{(size + boot) // KIB}"),
        ("  <os>", f"  <vcpu>1</vcpu>{CELL}<os>".replace("memory='4' unit='GiB'", f"memory='{boot // KIB}'")),
        ("<size unit='GiB'>2", f"<size unit='KiB'>{size // KIB}"),
        ("unit='MiB'>2</block>", f"unit='KiB'>{block // KIB}</block>"),
    )


def whole(size: int) -> int:
    """The largest size of a device that is not above this."""
    return size // STEP * STEP


def with_vfio(xml: str) -> str:
    device = "<source><address domain='0' bus='3' slot='0' function='0'/></source>"
    return xml.replace("<devices>", f"<devices><hostdev mode='subsystem' type='pci'>{device}</hostdev>")


def balloon(current: int) -> str:
    """A guest of 4 GiB, and of 1 GiB that it has been given of 2, with so much as its current memory."""
    return domain(
        ("  <os>", f"  <currentMemory unit='KiB'>{current // KIB}</currentMemory>\n  <os>"),
        (BLOCK, f"{BLOCK}<requested unit='GiB'>1</requested>"),
    )


def served(attributes: str, target: str = "") -> str:
    """A guest with a virtiofs device."""
    device = "<filesystem><driver type='virtiofs'/><source dir='/srv'/><target dir='share'/></filesystem>"
    return domain(
        ("<devices>", f"<devices>{device}"),
        ("model='virtio-mem'", f"model='virtio-mem'{attributes}"),
        ("<target>", f"<target{target}>"),
    )


RATIO = THRESHOLDS.movable_ratio * 4 * GIB
MEMMAP = 4 * GIB // THRESHOLDS.memmap_part * THRESHOLDS.memmap_of_growth
SLOT = whole(THRESHOLDS.metadata * THRESHOLDS.metadata_of_slot[1] // THRESHOLDS.metadata_of_slot[0])
MAPPINGS = THRESHOLDS.dma_mappings * STEP
# For each rule, a domain of which nothing is to be said, and one that is as near to it as can be.
EDGES = {
    "balloon-inflation": (balloon(5 * GIB), balloon(5 * GIB - KIB)),
    "memmap-boot-memory": (sized(MEMMAP, 4 * GIB), sized(MEMMAP + STEP, 4 * GIB)),
    "memslot-metadata": (sized(SLOT, SLOT), sized(SLOT + STEP, SLOT)),
    "movable-ratio": (sized(RATIO, 4 * GIB), sized(RATIO + STEP, 4 * GIB)),
    "vfio-mappings": (with_vfio(sized(MAPPINGS, MAPPINGS)), with_vfio(sized(MAPPINGS + STEP, MAPPINGS))),
    "vhost-user-memslots": (
        served(" access='shared'", " dynamicMemslots='no'"),
        served(" access='shared'", " dynamicMemslots='yes'"),
    ),
    "vhost-user-private": (served(" access='shared'"), served(" access='private'")),
}


def test_every_rule_of_advice_has_its_edge() -> None:
    assert set(EDGES) == {rule.id for rule in RULES.values() if rule.severity is Severity.ADVICE}


@pytest.mark.parametrize("rule", EDGES)
def test_advice_begins_where_it_is_said_to(rule: str) -> None:
    below, above = (check_json("-", given=xml) for xml in EDGES[rule])
    assert rule not in below.rules()
    assert above.rules().count(rule) == 1
    for run in (below, above):  # and nothing but advice, so that it is the threshold that is tested
        assert {RULES[found].severity for found in run.rules()} <= {Severity.ADVICE}
        assert run.code == 0


@pytest.mark.parametrize("rule", EDGES)
def test_advice_never_refuses_and_is_not_for_arguments(rule: str) -> None:
    xml = EDGES[rule][1]
    assert check("--strict", "-", given=xml).code == 0
    run = virtmem("xml2argv", "--strict", "-", given=xml)
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("-object ")


@pytest.mark.parametrize("rule", ["memmap-boot-memory", "movable-ratio"])
def test_as_much_boot_memory_as_is_advised_is_enough(rule: str) -> None:
    size = {"memmap-boot-memory": MEMMAP, "movable-ratio": RATIO}[rule] + 512 * STEP
    (advice,) = (
        f["advice"] for f in check_json("-", given=sized(size, 4 * GIB)).file()["findings"] if f["rule"] == rule
    )
    number, unit = re.search(r"Boot with ([0-9]+) ([KMG]iB)", advice).groups()  # type: ignore[union-attr]
    boot = int(number) * UNITS[unit]
    assert rule not in check_json("-", given=sized(size, boot)).rules()
    assert rule in check_json("-", given=sized(size, boot - MIB)).rules()


def test_a_block_as_large_as_is_advised_is_enough() -> None:
    size = MAPPINGS * 4
    (advice,) = (
        finding["advice"]
        for finding in check_json("-", given=with_vfio(sized(size, size))).file()["findings"]
        if finding["rule"] == "vfio-mappings"
    )
    number, unit = re.search(r"<block> of ([0-9]+) ([KMG]iB)", advice).groups()  # type: ignore[union-attr]
    block = int(number) * UNITS[unit]
    assert "vfio-mappings" not in check_json("-", given=with_vfio(sized(size, size, block))).rules()
    assert "vfio-mappings" in check_json("-", given=with_vfio(sized(size, size, block // 2))).rules()
