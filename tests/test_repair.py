"""Repairs: what they change, that nothing else changes, and how a file is replaced."""

import os
import shutil
import stat
from functools import cache
from pathlib import Path

import pytest
from command import execute, process, shell
from domains import ROOT, X86, edited
from judging import check, elements, fix, fixed, found, parsed
from real_qemu import QemuBinary, start, startable, target_for

from virtmem_cli import fixing
from virtmem_cli.conversion import convert
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.errors import VirtmemError
from virtmem_cli.findings import Severity
from virtmem_cli.registry import RULES
from virtmem_cli.rulebook import page
from virtmem_cli.settle import settle
from virtmem_cli.target import HOSTS, LIBVIRT, Target

XML = ROOT / "testdata/xml"


# Written as nobody should, so that whatever is not repaired shows when it is touched
ODD = """<?xml version="1.0"?>
<!-- <block>0x800</block> --><domain   type = 'kvm'>
\t<name>a&amp;b</name><maxMemory unit='GiB' >10</maxMemory   >
  <memory unit="GiB">12</memory><vcpu>4</vcpu><os><type arch='x86_64' machine="q35">hvm</type></os>
  <cpu><numa><cell memory="4" id='0' unit='GiB'  cpus="0..3"/></numa></cpu>
  <devices><memory acess = "shared"
     model='virtio-mem'   ><target>
        <size><!-- most -->8388<!-- in KiB -->608</size >
        <node>0</node><block unit='KiB'><![CDATA[0x8]]><!--]]>--><![CDATA[00]]></block><?keep me?>
        <requestd  unit="mebibytes" >1024</requestd >
      </target></memory></devices>
</domain>

"""
REPAIRED = (
    ODD.replace("'GiB' >10<", "'GiB' >12<")
    .replace("0..3", "0-3")
    .replace('acess = "shared"', 'access = "shared"')
    .replace("<![CDATA[0x8]]>", "2048")
    .replace("<![CDATA[00]]>", "")
    .replace('<requestd  unit="mebibytes" >1024</requestd >', '<requested  unit="MiB" >1024</requested >')
)


def test_only_what_is_repaired_changes() -> None:
    assert fixed(ODD.encode(), unsafe=False).decode() == REPAIRED
    assert found(REPAIRED.encode()) == []


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("iso-8859-1", b"")],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encoding_mark_and_line_ends_stay(encoding: str, mark: bytes, line_end: str) -> None:
    name = encoding.removesuffix("-le").removesuffix("-be")

    def written(text: str) -> bytes:
        text = text.replace('version="1.0"', f'version="1.0" encoding="{name}"').replace("a&amp;b", "é")
        return mark + text.replace("\n", line_end).encode(encoding)

    assert fixed(written(ODD), unsafe=False) == written(REPAIRED)


def test_what_does_not_come_back_the_same_is_not_touched() -> None:
    """ASCII may be announced where it is in force already, which Python does not write."""
    declaration = "<?xml version='1.0' encoding='ISO-2022-JP'?><domain"
    declared = edited(X86, ("<domain", declaration), ("GiB'>8<", "GiB'>8K<"))
    data = declared.encode().replace(b"<name>", b"<name>\x1b(B")
    with pytest.raises(VirtmemError, match=r"^test.xml: .* ISO-2022-JP does not give back the same bytes"):
        fixed(data)
    unsafe = data.replace(b"GiB'>8K<", b"GiB'>8<").replace(b"MiB'>2<", b"MiB'>3<")
    assert fixed(unsafe, unsafe=False) == unsafe, "where nothing is repaired, nothing need come back"


def test_repairs_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two repairs, in one round, and another look to see that nothing is left; beyond the bound nothing is kept."""
    data = edited(X86, ("'GiB'>8<", "'GiB'>8 <"), ("'MiB'>2<", "'MiB'>2 <")).encode()
    enough = fixing._LOOK + len(data) // fixing._BYTES + len(elements(X86.encode()))
    monkeypatch.setattr(fixing, "MOST_LOOKED_AT", enough)
    assert (fix(data).data, fix(data).made) == (X86.encode(), 2)
    monkeypatch.setattr(fixing, "MOST_LOOKED_AT", enough - 1)
    with pytest.raises(VirtmemError, match="after 2 repairs there is still something to repair"):
        fix(data)


def test_repairs_come_with_the_judgements_before_and_after() -> None:
    """One of the five finds a second link of its chain. Where nothing is found, the text has not been looked at."""
    _, made, before, after, *_ = fix(ODD.encode(), unsafe=False)
    assert before._replace(source=None) == check(ODD.encode())._replace(source=None)
    assert before.source is not None
    assert (len(before.findings), made, after) == (5, 6, check(REPAIRED.encode()))
    assert after.source is None


# Where something goes that was not there: on a line of its own, if its neighbours have one
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  <maxMemory unit='GiB'>16</maxMemory>\n", "  <maxMemory unit='KiB'>12582912</maxMemory>\n"),
        ("        <node>0</node>\n", "        <node>0</node>\n"),
    ],
)
def test_what_is_missing_is_added(before: str, after: str) -> None:
    repaired = fixed(X86.replace(before, "").encode()).decode()
    assert repaired.count(after) == 1
    assert repaired.replace(after, "") == X86.replace(before, "")
    flat = X86.replace(before, "").replace("\n", "")
    assert fixed(flat.encode()).decode().replace(after.strip(), "") == flat


def test_what_cannot_be_done_is_left_alone() -> None:
    for odd in ("<block unit='MiB'>2M<x/></block>", "<block unit='MiB'/>"):
        xml = X86.replace("<block unit='MiB'>2</block>", odd).encode()
        data, made, before, after, *_ = fix(xml)
        assert (data, made) == (xml, 0)
        assert before.refused
        assert after.refused


def test_a_device_that_is_in_the_way_of_another_stays() -> None:
    xml = edited(
        X86,
        ("<maxMemory ", "<maxMemory slots='1' "),
        ("<requested unit='GiB'>1</requested>", "<requested unit='GiB'>1</requested><address base='0x180000000'/>"),
        (
            "</devices>",
            "<memory model='dimm'><target><size unit='GiB'>1</size><node>0</node></target>"
            "<address type='dimm' slot='0' base='0x180000000'/></memory></devices>",
        ),
    )
    assert {finding.rule for finding in found(xml.encode())} == {"memaddr-overlap"}
    assert fixed(xml.encode()) == xml.encode()


def test_a_controllers_number_is_repaired() -> None:
    port = "<controller type='pci' index='1' model='pcie-root-port'><target chassis='4 '/></controller>"
    xml = edited(X86, ("<devices>", f"<devices>{port}"))
    assert b"<target chassis='4'/>" in fixed(xml.encode())


def test_a_misspelt_element_beside_the_right_one_does_not_take_its_place() -> None:
    xml = edited(X86, ("<numa>", "<numaa/><numa>"))
    assert not check(fixed(xml.encode(), unsafe=False)).refused


@pytest.mark.parametrize("empty", ["<node/>", "<node />", "<node></node>", "<node><!-- 1 --></node>"])
def test_what_is_there_and_empty_is_filled(empty: str) -> None:
    """Found by fuzzing: a second <node> behind an empty one is never read."""
    repaired = fixed(X86.replace("<node>0</node>", empty).encode())
    node = parse_tree(repaired, "x").find(".//node")
    assert node is not None
    assert (node.xpath("string()"), len(parse_tree(repaired, "x").findall(".//node"))) == ("0", 1)


def test_repairs_do_not_undo_each_other() -> None:
    """Found by fuzzing: with a size that cannot be written, <requested> went up to the block and down to the size."""
    xml = X86.replace("<size unit='GiB'>8</size>", "<size unit='MiB'>2<x/></size>").replace("'MiB'>2<", "'MiB'>4<")
    repaired = fixed(xml.replace("<size unit='MiB'>4", "<size unit='MiB'>2").encode())
    assert b"<requested unit='GiB'>0<" in repaired


@cache
def repairable() -> list[Path]:
    return [path for path in sorted(XML.glob("*.xml")) if any(one.edits for one in found(path.read_bytes()))]


@pytest.mark.parametrize("path", repairable(), ids=lambda path: path.stem)
def test_repairs_are_done_at_once_and_lose_nothing(path: Path) -> None:
    data = path.read_bytes()
    for unsafe in (False, True):
        result = fixed(data, unsafe=unsafe)
        assert fixed(result, unsafe=unsafe) == result
        left = [f for f in found(result) if f.edits and (unsafe or f.safe)]
        wanted = [f for f in found(data) if f.edits and (unsafe or f.safe)]
        assert left == [], "a repair that repairs nothing"
        assert (result != data) == bool(wanted)
        comments = [sum(1 for _ in parse_tree(text, "x").iter("{*}*")) for text in (data, result)]
        assert abs(comments[0] - comments[1]) <= len(wanted)


@cache
def startable_when_repaired() -> list[Path]:
    """The refused domains that repairs make acceptable, and that QEMU can emulate without huge pages."""
    paths = []
    for path in repairable():
        data = path.read_bytes()
        result = fixed(data)
        domain = parsed(result)
        refused = [convert(text, name="x", target=Target()).refused for text in (data, result)]
        huge = any(memory.pagesize for memory in settle(domain, Target()).virtio_mem)
        if refused == [True, False] and domain.arch != "s390x" and not huge and domain.max_memory < 1 << 39:
            paths.append(path)
    return paths


def test_there_is_something_to_start() -> None:
    assert len(startable_when_repaired()) > 20


@pytest.mark.parametrize("path", startable_when_repaired(), ids=lambda path: path.stem)
def test_qemu_starts_what_is_repaired(path: Path, tmp_path: Path, qemu_binary: QemuBinary) -> None:
    """A refused domain that is accepted once it is repaired is accepted by QEMU as well."""
    result = fixed(path.read_bytes())
    domain = parsed(result)
    binary = qemu_binary("aarch64" if domain.arch == "aarch64" else "x86_64")
    target = target_for(binary, tmp_path)
    answer = start(binary, startable(domain, target))
    if convert(result, name="x", target=target).refused:
        assert "not found" in answer.words  # this QEMU is too old for it, and says so
    else:
        assert answer.devices is not None, answer.words


@pytest.mark.parametrize("host", ["aarch64-16k", "aarch64-64k"])
def test_repairs_are_for_the_hosts_named(host: str) -> None:
    hosts = (LIBVIRT, HOSTS[host])
    targets = [Target(host=one, hosts=hosts) for one in hosts]
    xml = X86.replace("<requested unit='GiB'>1<", "<requested unit='MiB'>1026<").encode()
    assert found(fixed(xml, *targets), *targets) == []
    assert not check(xml).refused


def test_every_rule_with_a_repair_has_one_that_works() -> None:
    """The wrong example of a rule whose finding has a repair is accepted when that is made."""
    with_repair = 0
    for rule_id in RULES:
        data = page(rule_id).wrong.encode()
        if any(finding.rule == rule_id and finding.edits for finding in found(data)):
            with_repair += 1
            left = found(fixed(data))
            assert rule_id not in {finding.rule for finding in left}, rule_id
            assert not any(RULES[finding.rule].severity is Severity.ERROR for finding in left), rule_id
    assert with_repair > 30


# The command


@pytest.mark.process
def test_a_file_is_replaced_and_keeps_mode_and_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.xml", tmp_path / "link.xml"
    real.write_text(ODD)
    real.chmod(0o640)
    link.symlink_to("real.xml")
    run = process("check", "--fix", link, cwd=tmp_path)
    assert run.code == 0
    assert real.read_text() == REPAIRED
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link.xml", "real.xml"]
    status = real.stat()
    assert process("check", "--fix", link, cwd=tmp_path).code == 0
    assert (real.stat().st_ino, real.stat().st_mtime_ns) == (status.st_ino, status.st_mtime_ns), "written for nothing"


@pytest.mark.process
def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    """A limit on the size of files is the nearest to a full disk that anybody may have."""
    (tmp_path / "odd.xml").write_text(ODD)
    run = shell('ulimit -f 0; exec "$0" check --fix odd.xml 2>&1 | cat', cwd=tmp_path)
    assert "odd.xml: cannot be written: File too large" in run.out
    assert "Traceback" not in run.out
    assert (tmp_path / "odd.xml").read_text() == ODD
    assert os.listdir(tmp_path) == ["odd.xml"]


@pytest.mark.process
def test_standard_input_goes_to_standard_output(tmp_path: Path) -> None:
    assert process("check", "--fix", "-", cwd=tmp_path, given=ODD).out == REPAIRED
    assert process("check", "--fix", "-", cwd=tmp_path, given=REPAIRED).out == REPAIRED
    refused = process("check", "--fix", "-", cwd=tmp_path, given="<domain")
    assert (refused.code, refused.out) == (1, "<domain")
    assert "not-a-domain" in refused.err


@pytest.mark.process
def test_a_diff_writes_nothing_and_patch_takes_it(tmp_path: Path) -> None:
    (tmp_path / "odd.xml").write_text(ODD.rstrip("\n"))
    run = process("check", "--diff", "odd.xml", cwd=tmp_path)
    assert (tmp_path / "odd.xml").read_text() == ODD.rstrip("\n")
    assert run.code == 1
    if shutil.which("patch") is None:
        pytest.skip("patch is not installed")
    assert execute(["patch", "-p0"], cwd=tmp_path, given=run.out).code == 0
    assert (tmp_path / "odd.xml").read_text() == REPAIRED.rstrip("\n")
    assert process("check", "--diff", "odd.xml", cwd=tmp_path).out == ""


@pytest.mark.process
def test_a_diff_says_what_is_no_domain_and_of_a_domain_the_diff_alone(tmp_path: Path) -> None:
    for xml, rule in (("<domain", "not-a-domain"), (X86.replace("'virtio-mem'", "'strange'"), "")):
        run = process("check", "--diff", "-", cwd=tmp_path, given=xml)
        assert (run.code, rule in run.err, "memory-model" in run.out + run.err) == (1, True, False)


@pytest.mark.process
def test_a_diff_of_the_last_line_says_that_it_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "odd.xml").write_text(X86.replace("\n", "").replace("'MiB'>2<", "'MiB'>2M<"))
    diff = process("check", "--diff", "odd.xml", cwd=tmp_path).out
    assert diff.count("\\ No newline at end of file\n") == 2


@pytest.mark.process
def test_options_that_do_not_go_together_are_2(tmp_path: Path) -> None:
    (tmp_path / "odd.xml").write_text(ODD)
    for words in (["--unsafe-fixes"], ["--diff", "--format", "json"]):
        run = process("check", *words, "odd.xml", cwd=tmp_path)
        assert run.code == 2
        assert run.err.startswith("virtmem: --")
    assert process("check", "--fix", "--format", "json", "-", cwd=tmp_path, given="").code == 2
    assert process("check", "--fix", "--format", "json", "odd.xml", cwd=tmp_path).code == 0
    assert (tmp_path / "odd.xml").read_text() == REPAIRED


@pytest.mark.process
def test_what_is_silenced_is_not_repaired(tmp_path: Path) -> None:
    (tmp_path / "odd.xml").write_text(ODD)
    process("check", "--fix", "--ignore", "nodeset-invalid", "odd.xml", cwd=tmp_path)
    assert (tmp_path / "odd.xml").read_text() == REPAIRED.replace("0-3", "0..3")


# What --fix does by itself: nothing but what the XML meant, or what libvirt would do anyway
SAFE = {
    "alias-ignored",
    "attribute-unknown",
    "current-ignored",
    "element-unknown",
    "hotplug-gap",
    "hotplug-space",
    "maxmemory-missing",
    "memory-model",
    "nodeset-invalid",
    "number-invalid",
    "size-not-block-multiple",
    "size-not-page-multiple",
    "unit-unknown",
    "value-rounded",
    "value-unknown",
}


def test_what_is_safe_is_a_short_list() -> None:
    repaired: dict[bool, set[str]] = {True: set(), False: set()}
    domains = [path.read_bytes() for path in repairable()] + [page(rule).wrong.encode() for rule in RULES]
    for data in domains:
        for finding in found(data):
            if finding.safe is not None:
                repaired[finding.safe].add(finding.rule)
    assert repaired[True] == SAFE
    assert repaired[True] & repaired[False] == {"attribute-unknown", "element-unknown"}, (
        "as the domain is refused or not"
    )
    assert {"block-below-thp", "requested-above-size", "node-missing", "node-unknown", "pci-slot"} <= repaired[False]
