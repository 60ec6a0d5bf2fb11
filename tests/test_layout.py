"""layout: where device memory lands. Real QEMU holds it too, in test_qemu and test_random_domains."""

import re
from pathlib import Path

import pytest

from virtmem_cli.domain import Domain
from virtmem_cli.findings import RULES
from virtmem_cli.layout import lay_out, least_max_memory, window_base
from virtmem_cli.parse import parse_domain
from virtmem_cli.target import LIBVIRT
from virtmem_cli.units import GIB, MIB
from virtmem_cli.xmltree import parse_tree

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/layout.md").read_text()


def domain(name: str) -> Domain:
    return parse_domain(parse_tree((ROOT / f"testdata/xml/{name}.xml").read_bytes(), name), LIBVIRT.arch)[0]


def test_the_page_tells_what_happens() -> None:
    example = domain("layout-gaps-are-used")
    layout = lay_out(example, LIBVIRT)
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
def test_window_base(arch: str, machine: str, ram: int, base: int) -> None:
    example = domain("plain-ram")._replace(arch=arch, machine=machine, cells=(), memory_devices=(), memory=ram)
    assert window_base(example) == base


def test_the_least_max_memory_is_enough_and_less_is_not() -> None:
    example = domain("hotplug-gap")
    least = least_max_memory(example, LIBVIRT)
    fits = [
        all(p.address is not None for p in lay_out(example._replace(max_memory_given=size), LIBVIRT).placements)
        for size in (least - MIB, least)
    ]
    assert fits == [False, True]
