"""How much is looked at and said of a domain that has far too much of something."""

from collections.abc import Iterable

import pytest
from domains import X86, edited
from judging import found, said

from virtmem_cli import findings as collector
from virtmem_cli.parse import known as strangers
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
