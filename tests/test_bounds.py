"""How much is looked at and said of a domain that has far too much of something."""

from collections.abc import Iterable

import pytest
from domains import X86, edited
from judging import found, said

from virtmem_cli import findings as collector
from virtmem_cli.conversion import convert
from virtmem_cli.document import comments
from virtmem_cli.document.value import Element
from virtmem_cli.domain import Domain
from virtmem_cli.errors import InputRefusedError
from virtmem_cli.findings import Findings
from virtmem_cli.parse import known as strangers
from virtmem_cli.parse import parse_domain
from virtmem_cli.target import HOSTS, Target
from virtmem_cli.text import nearest

MORE = "there are more of these: the first 2 are named"
BLOCK = "<block unit='MiB'>2</block>"
CELL = "      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>\n"


def test_of_very_many_findings_the_first_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By `rules`, and the rules after that one have their say too."""
    monkeypatch.setattr(collector, "MOST_FINDINGS", 2)
    end = X86.index("    </memory>\n") + len("    </memory>\n")
    device = X86[X86.index("    <memory model") : end].replace(BLOCK, "<block unit='MiB'>3</block>")
    data = edited(X86, ("  </devices>", 3 * device + "  </devices>")).encode()
    findings = [one for one in found(data) if one.rule == "block-not-power-of-two"]
    assert [one.message == MORE for one in findings] == [False, False, True]
    places = [one.element for one in findings]
    assert places == sorted(set(places))
    assert "hotplug-space" in {one.rule for one in found(data)}


def test_what_is_found_again_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four devices have the one <page> that is wrong: there is one finding, and no more of them."""
    monkeypatch.setattr(collector, "MOST_FINDINGS", 1)
    end = X86.index("    </memory>\n") + len("    </memory>\n")
    device = X86[X86.index("    <memory model") : end]
    backing = "<memoryBacking><hugepages><page size='3' unit='MiB'/></hugepages><source type='{}'/></memoryBacking>"
    for source, rule in (("memfd", "pagesize-memfd"), ("file", "pagesize-unmounted")):
        data = edited(X86, ("  <vcpu", f"{backing.format(source)}<vcpu"), ("  </devices>", 3 * device + "  </devices>"))
        findings = [one.message for one in found(data.encode()) if one.rule == rule]
        assert len(findings) == 1
        assert "there are more" not in findings[0]


@pytest.mark.parametrize(
    ("rule_id", "old", "new"),
    [
        ("attribute-unknown", "<numa>", "<numa acess='1' modell='1' slots='1' units='1'>"),
        ("element-unknown", "<target>", "<target><sise/><nodes/><blok/><requestd/>"),
    ],
)
def test_of_very_many_strangers_the_first_are_named(
    rule_id: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `parse`, which looks for near names no longer."""
    monkeypatch.setattr(collector, "MOST_FINDINGS", 2)
    looked: list[str] = []

    def counted(name: str, known: Iterable[str], closeness: float = 0.7) -> str | None:
        looked.append(name)
        return nearest(name, known, closeness)

    monkeypatch.setattr(strangers, "nearest", counted)
    findings = [one for one in found(edited(X86, (old, new)).encode()) if one.rule == rule_id]
    assert [one.message == MORE for one in findings].count(True) == 1
    assert len(findings) == 3
    assert len(looked) == 2
    assert findings[2].element - findings[0].element == (2 if rule_id == "element-unknown" else 0)


def test_of_pages_and_nodes_one_more_is_read_than_can_be_right() -> None:
    """So that the rules see it; what comes after tells nothing new."""
    page, node = "<page size='2' unit='MiB' nodeset='0'/>", "<memnode cellid='0' nodeset='0'/>"
    wrong_page, wrong_node = page.replace("'0'", "'x'"), node.replace("nodeset='0'", "nodeset='x'")
    for pages, nodes, findings in ((129, 128, 2), (130, 129, 0)):
        many = (
            f"<memoryBacking><hugepages>{pages * page}{wrong_page}</hugepages></memoryBacking>"
            f"<numatune>{nodes * node}{wrong_node}</numatune><cpu>"
        )
        data = edited(X86, ("<cpu>", many)).encode()
        assert [one.rule for one in found(data)].count("nodeset-invalid") == findings


@pytest.mark.parametrize("number", [128, 129])
def test_there_are_at_most_128_cells(number: int) -> None:
    cells = "".join(f"<cell id='{n}' memory='1' unit='GiB'/>" for n in range(number))
    data = edited(X86, (CELL, cells)).encode()
    assert said(data, [one for one in found(data) if one.rule == "nodes-too-many"]) == (
        "nodes-too-many at <cell 129>: there are 129 <cell>s, and QEMU's limit is 128. Write fewer."
        if number > 128
        else ""
    )


DEVICE = X86[X86.index("    <memory model") : X86.index("    </memory>\n") + len("    </memory>\n")]
MUCH_WRONG = edited(
    X86,
    (BLOCK, f"{BLOCK}<a/><b/><c/>"),
    ("  </devices>", 3 * DEVICE.replace(BLOCK, "<block unit='MiB'>3</block>") + "  </devices>"),
)


def test_of_very_many_findings_of_all_rules_each_rule_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that none that refuses the domain goes unsaid, whatever came before it."""
    rules = {one.rule for one in found(MUCH_WRONG.encode())}
    assert {"element-unknown", "block-not-power-of-two", "hotplug-space"} <= rules
    monkeypatch.setattr(collector, "MOST_TOGETHER", 2)
    findings = found(MUCH_WRONG.encode())
    assert {one.rule for one in findings} == rules
    words = {rule: [one.message for one in findings if one.rule == rule] for rule in rules}
    assert words["element-unknown"][-1] == MORE
    assert len(words["element-unknown"]) == 3
    assert words["block-not-power-of-two"][1] == "there are more of these: the first is named"
    assert len(words["block-not-power-of-two"]) == 2
    assert len(words["hotplug-space"]) == 1
    assert convert(MUCH_WRONG.encode(), "test", Target()).refused


def test_several_hosts_have_the_bound_together(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = [Target(host=HOSTS[name]) for name in ("x86_64", "aarch64-16k", "aarch64-64k")]
    several = X86.replace("  </devices>", 3 * DEVICE + "  </devices>")
    assert [one.rule for one in found(several.encode(), *targets)].count("block-below-thp") == 8
    monkeypatch.setattr(collector, "MOST_FINDINGS", 5)
    findings = [one for one in found(several.encode(), *targets) if one.rule == "block-below-thp"]
    assert [one.message.startswith("there are more of these") for one in findings].count(True) == 1
    assert len(findings) == 6


@pytest.mark.parametrize("architecture", [" arch='x86_64'", ""])
def test_a_domain_is_read_once_for_all_hosts_unless_they_say_what_it_is(
    architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(root: Element, default_arch: str) -> tuple[Domain, Findings]:
        read.append(default_arch)
        return parse_domain(root, default_arch)

    monkeypatch.setattr("virtmem_cli.judgement.parse_domain", counted)
    found(X86.replace(" arch='x86_64'", architecture).encode(), *(Target(host=host) for host in HOSTS.values()))
    assert read == ([""] if architecture else ["x86_64", "aarch64", "s390x"])


LONG = "x" * 10_000


@pytest.mark.parametrize(
    "data",
    [
        edited(X86, ("x86_64", LONG)).replace("</memory>", "<address type='usb'/></memory>"),
        edited(X86, ("'q35'", f"'pc-q35{LONG}-6.2'")).replace("<target>", "<target dynamicMemslots='yes'>"),
        edited(X86, ("  </devices>", DEVICE + "  </devices>"))
        .replace("</target>", "<address base='0x200000000'/></target>")
        .replace("</memory>", f"<alias name='ua-{LONG}'/></memory>"),
    ],
    ids=["arch", "machine", "alias"],
)
def test_no_long_name_is_repeated_in_what_is_said(data: str) -> None:
    findings = found(data.encode())
    assert findings
    assert max(len(one.message + one.advice) for one in findings) < 1000


def test_arguments_are_no_longer_than_a_process_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    good = edited(X86, ("    </memory>", "<alias name='ua-x'/></memory>")).encode()
    whole = sum(map(len, convert(good, "test", Target()).argv[1::2]))
    monkeypatch.setattr("virtmem_cli.argv.LONGEST", whole)
    assert convert(good, "test", Target()).argv
    monkeypatch.setattr("virtmem_cli.argv.LONGEST", whole - 1)
    with pytest.raises(InputRefusedError, match=r"longer than the \d+ MiB with which Linux starts a process"):
        convert(good, "test", Target())


def test_names_in_comments_are_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after them silences nothing."""
    one, other = (f"<!-- virtmem: ignore={names} -->" for names in ("a,b", "c,block-not-power-of-two"))
    wrong = edited(X86, (BLOCK, f"{one}{other}<block unit='MiB'>3</block>")).encode()
    assert [one.rule for one in found(wrong)] == 3 * ["suppression-unknown"]
    monkeypatch.setattr(comments, "MOST_NAMES", 3)
    assert [one.rule for one in found(wrong)] == ["block-not-power-of-two", *3 * ["suppression-unknown"]]
