"""Hosts: those that a finding is for, each key of a host's file, and advice that is right for all of them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from command import Run, check, check_json, virtmem
from small import CELL, DOMAIN, UNITS, WARNED, domain

from virtmem_cli.units import KIB

pytestmark = pytest.mark.usefixtures("here")


def host_file(folder: Path, text: str, name: str = "host.toml") -> Path:
    """A host file by its absolute path."""
    (folder / name).write_text(text)
    return folder / name


def hosts_of(run: Run) -> dict[str, list[str]]:
    return {finding["rule"]: finding["hosts"] for finding in run.file()["findings"]}


def test_a_finding_of_one_host_names_it() -> None:
    words = ("--host", "x86_64", "--host", "aarch64-64k", "-")
    assert hosts_of(check_json(*words, given=WARNED)) == {"block-below-thp": ["aarch64-64k"], "element-unknown": []}
    lines = [line for line in check(*words, given=WARNED).out.splitlines() if not line.startswith(" ")]
    assert [line.count("(host aarch64-64k)") for line in lines] == [1, 0]
    assert "(host" not in check("--host", "aarch64-64k", "-", given=WARNED).out
    assert check(*words, "--format", "github", given=WARNED).out.count("(host aarch64-64k)") == 1


def test_hosts_that_find_the_same_are_named_together(here: Path) -> None:
    large = host_file(here, "thp-size = '4MiB'"), host_file(here, "thp-size = '4MiB'", "second.toml")
    words = [word for host in (large[0], "libvirt", large[1]) for word in ("--host", host)]
    assert hosts_of(check_json(*words, "-", given=DOMAIN)) == {"block-below-thp": [str(path) for path in large]}
    assert hosts_of(check_json("--host", large[0], "--host", large[1], "-", given=DOMAIN)) == {"block-below-thp": []}
    assert hosts_of(check_json("--host", large[0], "--host", large[0], "-", given=DOMAIN)) == {"block-below-thp": []}


def pages(size: str) -> str:
    return domain(("  <devices>", f"<memoryBacking><hugepages>{size}</hugepages></memoryBacking><devices>"))


S390X = domain((" arch='x86_64' machine='q35'", " machine='s390-ccw-virtio'"), ("<node>0</node>", ""))
SHARED = domain(("model='virtio-mem'", "model='virtio-mem' access='shared'"))


@pytest.mark.parametrize(
    ("text", "xml", "rule", "before"),
    [
        ("arch = 's390x'", S390X, "machine-without-pci", True),
        ("page-size = '64KiB'", pages("<page size='64' unit='KiB'/>"), "pagesize-unmounted", True),
        ("thp-size = '4MiB'", DOMAIN, "block-below-thp", False),
        ("hugetlbfs = { 16MiB = '/dev/huge' }", pages("<page size='16' unit='MiB'/>"), "pagesize-unmounted", True),
        ("hugetlbfs = {}", pages("<page size='2' unit='MiB'/>"), "pagesize-unmounted", False),
        ("default-hugepage = '1GiB'", pages(""), "block-below-page", False),
        (
            "nodes = '0,2-3'",
            domain(("<target>", "<source><nodemask>1</nodemask></source><target>")),
            "host-node",
            False,
        ),
        ("overcommit-memory = 2", DOMAIN, "overcommit-never", False),
    ],
    ids=str,
)
def test_a_key_of_the_host_file_has_an_effect(text: str, xml: str, rule: str, before: bool, here: Path) -> None:
    changed = check_json("--host", host_file(here, text), "-", given=xml).rules()
    assert [rule in rules for rules in (check_json("-", given=xml).rules(), changed)] == [before, not before]


@pytest.mark.parametrize(
    ("text", "xml", "before", "after"),
    [
        ("arch = 's390x'", S390X, None, "virtio-mem-ccw"),
        ("memory-dir = '/srv/ram'", SHARED, '"/var/lib/libvirt/qemu/ram/', '"/srv/ram/-1-guest/virtiomem0"'),
        ("memory-dir = '/srv/ram/'", SHARED, '"/var/lib/libvirt/qemu/ram/', '"/srv/ram/-1-guest/virtiomem0"'),
        ("hugetlbfs = { 2MiB = '/dev/2M' }", pages(""), '"/dev/hugepages/', '"/dev/2M/'),
    ],
    ids=str,
)
def test_a_key_of_the_host_file_is_in_the_arguments(
    text: str, xml: str, before: str | None, after: str, here: Path
) -> None:
    ordinary = virtmem("xml2argv", "-", given=xml)
    assert ordinary.code == (1 if before is None else 0)
    assert (before or "") in ordinary.out
    assert after not in ordinary.out
    assert after in virtmem("xml2argv", "--host", host_file(here, text), "-", given=xml).out


HOST_KEYS = {
    "arch": ("one of x86_64", ["'vax'", "7", "['x86_64']", "{ a = 1 }"]),
    "page-size": ("a size such as '2MiB', a power of two", ["4096", "'3KiB'", "'4'", "''", "'4 potatoes'"]),
    "thp-size": ("a size such as '2MiB', a power of two", ["2.0", "'0MiB'", "'512'", "'99999999999EiB'", "[]"]),
    "hugetlbfs": ("a table", ["'/dev/hugepages'", "{ 2MiB = 'dev' }", "{ 3MiB = '/dev/x' }", "{ 2MiB = 1 }", "[1]"]),
    "default-hugepage": ("a size such as '2MiB', a power of two", ["true", "'1.5MiB'", "2026-01-01"]),
    "nodes": ("a list of nodes such as '0-3'", ["[0]", "''", "'3-1'", "0", "'0-99999'"]),
    "memory-dir": ("an absolute path", ["'ram'", "7", "''", '"/a\\nb"']),
    "overcommit-memory": ("0, 1 or 2", ["3", "-1", "'1'", "true", "2.0", "[]"]),
}


def test_all_keys_of_the_host_file_are_tested(here: Path) -> None:
    run = check("--host", host_file(here, "strange = 1"), "-", given=DOMAIN)
    assert run.code == 2
    assert run.err.startswith(f"virtmem: {here / 'host.toml'}: unknown key 'strange'; known are ")
    assert run.err.rstrip().split("known are ")[1].split(", ") == list(HOST_KEYS)


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, (_, values) in HOST_KEYS.items() for value in values])
def test_a_wrong_value_in_the_host_file_is_2(key: str, value: str, here: Path) -> None:
    text = f"{key} = {value}"
    run = check("--host", host_file(here, text), "-", given=DOMAIN)
    assert (run.code, run.out) == (2, "")
    shown = f"{tomllib.loads(text)[key]!r}"
    start = f"virtmem: {here / 'host.toml'}: {key} is {shown}, and should be "
    assert run.err.startswith(start)
    assert HOST_KEYS[key][0] in run.err[len(start) :]


@pytest.mark.parametrize(("data", "words"), [(b"arch", "this is not TOML"), (b"# \xff", "not UTF-8")])
def test_a_host_file_that_cannot_be_understood_is_2(data: bytes, words: str, here: Path) -> None:
    (here / "host.toml").write_bytes(data)
    run = check("--host", "host.toml", "-", given=DOMAIN)
    assert run.code == 2
    assert "host.toml" in run.err
    assert words in run.err


# A 64-KiB-page host, where a transparent huge page is 512 MiB


def written(xml: str, finding: dict[str, Any]) -> str:
    """The domain as the advice of block-below-thp says to write it."""
    block = re.match(r"Write (?:<block> )?([0-9]+) ([KMG]iB)", finding["advice"])
    assert block
    sizes = re.findall(r"<(size|requested)>(?: of)? ([0-9]+) ([KMG]iB)", finding["advice"])
    for element, number, unit in (("block", *block.groups()), *sizes):
        text = f"<{element} unit='KiB'>{int(number) * UNITS[unit] // KIB}<"
        xml, count = re.subn(rf"<{element} unit='[KMG]iB'>[0-9]+<", text, xml)
        assert count == 1
    return xml


@pytest.mark.parametrize(
    "hosts",
    [["aarch64-64k"], ["aarch64-4k", "aarch64-64k"], ["aarch64-4k", "aarch64-16k", "aarch64-64k"], ["aarch64-16k"]],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "sizes",
    [
        "<size unit='GiB'>2</size>",
        "<size unit='MiB'>1026</size>",
        "<size unit='GiB'>2</size><requested unit='MiB'>514</requested>",
        "<size unit='MiB'>1030</size><requested unit='MiB'>1028</requested>",
        "<size unit='MiB'>512</size><requested unit='KiB'>0</requested>",
        "<size unit='KiB'>1050624</size><requested unit='KiB'>1050624</requested>",
    ],
)
def test_what_is_advised_for_large_pages_is_right_for_all_hosts(sizes: str, hosts: list[str]) -> None:
    xml = domain(
        ("arch='x86_64' machine='q35'", "arch='aarch64' machine='virt'"),
        ("<size unit='GiB'>2</size>", sizes),
        ("  <os>", f"  <vcpu>1</vcpu>{CELL}<os>"),
    )
    words = [word for host in hosts for word in ("--host", host)]
    run = check_json(*words, "-", given=xml)
    findings = [finding for finding in run.file()["findings"] if finding["rule"] == "block-below-thp"]
    assert run.code == 1
    assert findings
    for finding in findings:
        again = check_json(*words, "-", given=written(xml, finding))
        assert again.file()["findings"] == []


@pytest.mark.parametrize("line", ['memory-dir = "/m\\t"', 'hugetlbfs = { 2MiB = "/m\\t" }'])
def test_a_path_that_is_not_printable_is_told_so(line: str, tmp_path: Path) -> None:
    (tmp_path / "h.toml").write_text(line)
    run = virtmem("check", "--host", tmp_path / "h.toml", "-", given="")
    assert run.code == 2
    assert "an absolute path of at most 4096 printable characters" in run.err
