"""Repairs that meet: on one element, in a chain, and with harm in them. What they do alone is in test_repair."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from command import process
from domains import X86, edited
from judging import check, fix, fixed, found, parsed

from virtmem_cli import fixing, judgement
from virtmem_cli.conversion import convert
from virtmem_cli.document import repair
from virtmem_cli.document.source import Source
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.errors import VirtmemError
from virtmem_cli.findings import Edit, Part, Problem, Repair
from virtmem_cli.judgement import Look, Terms
from virtmem_cli.rules import reading
from virtmem_cli.rules.judges import JUDGES
from virtmem_cli.settle import Settled
from virtmem_cli.target import HOSTS, Target
from virtmem_cli.units import GIB

MAX, CELL = "<maxMemory unit='GiB'>16</maxMemory>", "memory='4' unit='GiB'"
SIZE, BLOCK = "<size unit='GiB'>8</size>", "<block unit='MiB'>2</block>"
REQUESTED, DEVICE = "<requested unit='GiB'>1</requested>", "<memory model='virtio-mem'>"
SMALL = MAX.replace("16", "1")
MISSPELT = "<requestd unit='GiB'>1</requestd>"


@pytest.mark.parametrize(
    ("was", "wrong", "right", "made"),
    [
        # a name and a value on one element: the name first, so that the value is judged by what it says
        (MAX, "<maxMemory slots='4' units='GiB'>64</maxMemory>", "<maxMemory slots='4' unit='GiB'>64</maxMemory>", 1),
        (BLOCK, "<block units='MiB'>2M</block>", BLOCK, 2),
        (SIZE, "<size Unit='GiB'>4.5</size>", "<size unit='MiB'>4608</size>", 2),
        (CELL, "memory='4G' units='GiB'", CELL, 2),
        # a decimal unit where a power of two is wanted
        (BLOCK, "<block unit='MiB'>2MB</block>", BLOCK, 1),
        (BLOCK, "<block>0.5GB</block>", "<block unit='MiB'>512</block>", 1),
        (BLOCK, "<block unit=' Mb'>2</block>", BLOCK, 1),
        # a value, and what comes of it: <maxMemory> is right when all sizes are
        (SIZE, "<size>16G</size>", "<size unit='GiB'>16</size>", 2),
        # an element that is misspelt, and one that is absent for that reason
        (MAX, "<maxMemry unit='GiB'>16</maxMemry>", MAX, 1),
    ],
)
def test_repairs_of_one_element_are_made_one_after_the_other(was: str, wrong: str, right: str, made: int) -> None:
    data = edited(X86, (was, wrong)).encode()
    done = fix(data, unsafe=False)
    wanted = edited(X86, (was, right)).encode()
    if wrong.startswith("<size>"):
        wanted = wanted.replace(MAX.encode(), b"<maxMemory unit='GiB'>20</maxMemory>")
    assert (done.data, done.made, done.left_out) == (wanted, made, ())
    assert not done.after.refused


@pytest.mark.parametrize(
    ("was", "wrong"),
    [
        (MAX, "<maxMemory slot='4' slotss='2' unit='GiB'>16</maxMemory>"),
        (DEVICE, "<memory model='virtio-mem' Access='shared' acces='private'>"),
        (REQUESTED, MISSPELT + MISSPELT.replace("requestd", "requestedd")),
        ("<vcpu>", "<curentMemory/><currntMemory/><vcpu>"),
    ],
)
@pytest.mark.parametrize("unsafe", [False, True])
def test_of_two_names_that_seem_to_mean_the_same_neither_is_repaired(was: str, wrong: str, unsafe: bool) -> None:
    """Which of them was meant only the user knows; both at once would be no XML, or an element given twice."""
    data = edited(X86, (was, wrong)).encode()
    assert [one.safe for one in found(data) if one.rule.endswith("-unknown")] == [None, None]
    assert fixed(data, unsafe=unsafe) == data


@pytest.mark.parametrize("block", ["<block unit='MB'>2</block>", "<block>2000</block>", "<block unit='MB'>3</block>"])
def test_a_block_that_is_no_power_of_two_has_no_safe_repair(block: str) -> None:
    data = edited(X86, (BLOCK, block)).encode()
    assert fixed(data, unsafe=False) == data
    assert not check(fixed(data)).refused


@pytest.mark.parametrize(
    ("was", "wrong"), [(SIZE, "<size>9007199254740991</size>"), (BLOCK, "<block unit='EiB'>7</block>")]
)
def test_no_repair_writes_more_than_libvirt_reads(was: str, wrong: str) -> None:
    data = edited(X86, (was, wrong)).encode()
    result = fixed(data)
    assert not {"number-too-large"} & {one.rule for one in found(result)}
    assert all(int(edit.value) < 1 << 63 for one in found(data) for edit in one.edits if edit.part == "size")
    assert all("reads no <maxMemory> above" in one.advice for one in found(data) if one.rule == "hotplug-space")


def test_what_is_absent_is_not_repaired_on_domain() -> None:
    """More DIMMs than slots, without <maxMemory>."""
    dimm = "<memory model='dimm'><target><size unit='GiB'>1</size><node>0</node></target></memory>"
    data = edited(X86, (MAX, ""), ("</devices>", f"{dimm}</devices>")).encode()
    assert "slots-exceeded" in {one.rule for one in found(data)}
    assert parse_tree(fixed(data), "x").keys() == parse_tree(data, "x").keys()


def test_a_safe_repair_does_not_change_the_guest_of_an_accepted_domain() -> None:
    """libvirt passes over a misspelt <requested>: to be heard, it has to be asked for."""
    data = edited(X86, (REQUESTED, MISSPELT)).encode()
    assert [one.safe for one in found(data)] == [False]
    assert fixed(data, unsafe=False) == data
    assert parsed(fixed(data)).devices[0].requested == GIB
    refused = edited(X86, (REQUESTED, MISSPELT), (MAX, SMALL)).encode()
    assert {one.rule: one.safe for one in found(refused)} == {"element-unknown": True, "hotplug-space": True}
    assert parsed(fixed(refused, unsafe=False)).devices[0].requested == GIB


def test_a_repair_that_brings_a_new_error_is_left_out_and_told() -> None:
    """Misspelt, the request was nothing; spelt rightly it is too much. What is wrong elsewhere is repaired."""
    data = edited(X86, (REQUESTED, MISSPELT.replace(">1<", ">9<")), (MAX, SMALL)).encode()
    done = fix(data, unsafe=False)
    assert (
        done.data == edited(X86, (REQUESTED, MISSPELT.replace(">1<", ">9<")), (MAX, MAX.replace("16", "12"))).encode()
    )
    (words,) = done.left_out
    assert words == "test.xml:20: element-unknown is not repaired: with it requested-above-size would be an error"
    assert (fixed(done.data, unsafe=False), fix(data).left_out) == (done.data, ())


def test_what_did_harm_is_tried_again_when_more_is_repaired() -> None:
    """Huge pages under a misspelt name need a larger block, which gets one later. Found by fuzzing."""
    pages = "<memoryBackin><hugepages><page size='1' unit='GiB'/></hugepages></memoryBackin>"
    data = edited(X86, ("<vcpu>", f"{pages}<vcpu>"), (BLOCK, "<block unit='MiB'>3</block>")).encode()
    done = fix(data)
    assert (done.left_out, done.after.refused) == ((), False)
    assert b"<memoryBacking>" in done.data
    assert fix(done.data).made == 0


LENT = "<maxMemory>{}</maxMemory><maxMemory unit='GiB'>1</maxMemory>"


@pytest.mark.parametrize(
    ("was", "wrong", "right"),
    [
        (MAX, LENT.format(6), LENT.format(12).replace("<maxMemory>", "<maxMemory unit='GiB'>", 1)),
        (SIZE, "<size>4097</size><size unit='MiB'/>", "<size unit='MiB'>4098</size><size unit='MiB'/>"),
    ],
)
def test_a_size_is_repaired_that_has_the_unit_of_a_later_element(was: str, wrong: str, right: str) -> None:
    """libvirt takes the unit from there; without it, the number would be in KiB or in the other's unit."""
    done = fix(edited(X86, (was, wrong)).encode(), unsafe=False)
    assert done.data.decode() == edited(X86, (was, right))


def test_a_domain_that_runs_and_cannot_be_converted_keeps_its_guest() -> None:
    """Only numad knows its nodes: libvirt and QEMU take it, and so the misspelt request stays unheard."""
    auto = "<numatune><memory mode='strict' placement='auto'/></numatune><cpu>"
    data = edited(X86, ("<cpu>", auto), (REQUESTED, MISSPELT)).encode()
    assert check(data).refused
    assert fixed(data, unsafe=False) == data


@pytest.mark.parametrize(("number", "made"), [(256, 1), (257, 0)])
def test_no_repair_writes_more_slots_than_qemu_has(number: int, made: int) -> None:
    """Else it would go up to the DIMMs, and down to QEMU's slots, until enough was looked at."""
    dimm = "<memory model='dimm'><target><size unit='MiB'>2</size><node>0</node></target></memory>"
    data = edited(X86, ("</devices>", f"{dimm * number}</devices>")).encode()
    (one,) = [one for one in found(data) if one.rule == "slots-exceeded"]
    assert (one.safe, one.advice) == (
        (False, "Write slots='256'.") if made else (None, "QEMU has 256 at most: remove DIMMs.")
    )
    assert fix(data).made == made


def test_a_domain_of_another_driver_has_no_arguments_to_keep() -> None:
    """Nobody may write any for it. Found by fuzzing."""
    data = edited(X86, ("'kvm'", "'xen'"), (SIZE, "<size unit='KiB'>8388607</size>")).encode()
    assert fix(data, unsafe=False).made == 1


def test_a_size_that_boot_memory_depends_on_is_not_rounded_safely() -> None:
    """Without cells, libvirt takes it off <memory> as it is written."""
    start, end = X86.index("  <cpu>"), X86.index("  <devices>")
    data = edited(X86[:start] + X86[end:], (SIZE, "<size>4194305</size>")).encode()
    done = fix(data, unsafe=False)
    assert done.data == data
    assert done.left_out == ("test.xml:12: value-rounded is not repaired: with it the guest would get something else",)


def test_a_domain_that_one_host_takes_keeps_its_guest_there() -> None:
    """The other refuses it, and its errors are no reason."""
    data = edited(X86, (REQUESTED, MISSPELT)).encode()
    hosts = HOSTS["x86_64"], HOSTS["aarch64-64k"]
    targets = [Target(host=host, hosts=hosts) for host in hosts]
    assert [one.safe for one in check(data, *targets).findings if one.rule == "element-unknown"] == [False]
    assert fixed(data, *targets, unsafe=False) == data


IGNORE = "<!-- virtmem: ignore={} -->"


def test_no_repair_moves_a_comment_to_another_element() -> None:
    """It would silence there what it does not now, were the element before it removed."""
    alias = IGNORE.format("value-unknown") + '<alias name="x"/><target dynamicMemslots="maybe">'
    data = edited(X86, ("<target>", alias)).encode()
    done = fix(data, unsafe=False)
    assert done.data == data
    assert done.left_out == (
        "test.xml:16: alias-ignored is not repaired: with it a comment would silence value-unknown",
    )


def test_what_is_added_before_an_element_comes_before_its_comments() -> None:
    comments = f"{IGNORE.format('value-rounded')} <!-- more -->{IGNORE.format('hotplug-gap')}\n  "
    memory = "<memory unit='b'>12884901889</memory>"
    data = edited(X86, (MAX, ""), ("<memory unit='GiB'>12</memory>", comments + memory)).encode()
    result = fixed(data, unsafe=False).decode()
    assert result.index("</maxMemory>") < result.index("<!-- virtmem: ignore=hotplug-gap")
    assert result.index("</maxMemory>") < result.index("<!-- virtmem: ignore=value-rounded")
    assert memory in result


@pytest.mark.parametrize(
    ("was", "wrong", "offered"),
    [
        (SIZE, "<size unit='GiB'>8<b/>M</size>", None),
        (BLOCK, "<block unit='MiB'>2<b/></block>", None),
        ("<node>0</node>", "<node>7<b/></node>", None),
        ("<node>0</node>", "<node/>", False),
    ],
)
def test_what_is_offered_can_be_made(was: str, wrong: str, offered: bool | None) -> None:
    data = edited(X86, (was, wrong)).encode()
    repairs = [one.safe for one in found(data) if one.rule != "element-unknown"]
    assert set(repairs) == ({offered} if repairs else set())
    assert fix(data).made == (offered is not None)


def test_an_empty_target_gets_what_it_lacks() -> None:
    """In an element that was closed at once."""
    start, end = X86.index("<target>"), X86.index("</target>") + len("</target>")
    data = (X86[:start] + "<target/>" + X86[end:]).encode()
    assert b"<target><node>0</node></target>" in fixed(data)


def test_many_repairs_that_do_harm_are_found_with_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each second of 32 requests is too large once it is heard; <maxMemory>, which is repaired, has them refused."""
    device = "<memory model='virtio-mem'><target><size>4096</size><node>0</node><block>2048</block>{}</target></memory>"
    devices = [device.format(f"<requestd>{size}</requestd>") for size in (2048, 6144) * 16]
    data = edited(X86, ("</devices>", "".join(devices) + "</devices>"), (MAX, SMALL)).encode()
    looks: list[Look] = []
    look = judgement.look

    def counted(data: bytes, name: str, terms: Terms) -> Look:
        looks.append(look(data, name, terms))
        return looks[-1]

    monkeypatch.setattr(fixing, "look", counted)
    done = fix(data, unsafe=False)
    assert (len(done.left_out), done.data.count(b"<requested>"), done.after.refused) == (16, 16, False)
    assert len(looks) < 130


# Repairs that do harm: there is none such in the rules, so that they are put into one


def harmful(monkeypatch: pytest.MonkeyPatch, *edits: tuple[str, Part, str, str], safe: bool = True) -> None:
    """The rule of 'dynamicMemslots' finds something in every domain, and repairs it by these edits of elements."""

    def finds(s: Settled) -> list[Problem]:
        root = s.domain.element
        its = tuple(Edit(next(root.iter(tag)), part, value, name) for tag, part, value, name in edits)
        return [Problem(root, "it is wrong", "Do harm.", Repair(its, safe))]

    rule = next(rule for rule in JUDGES if rule.severity.value == "warning")
    monkeypatch.setattr(rule, "find", finds)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (("target", Part.INSIDE, "<", ""), "what comes of it cannot be read: this is not well-formed XML"),
        (("target", Part.ATTRIBUTE, "1\x01", "x"), "what comes of it cannot be read"),
        (("block", Part.TEXT, "3", ""), "with it block-not-power-of-two would be an error"),
        (("block", Part.TEXT, "4", ""), "with it the guest would get something else"),
        (("vcpu", Part.TEXT, "5", ""), "with it the guest would get something else"),
        (("node", Part.INSIDE, "<more><!-- <more -->", ""), "what comes of it cannot be read"),
    ],
)
def test_a_repair_that_does_harm_is_left_out(
    edit: tuple[str, Part, str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    harmful(monkeypatch, edit)
    odd = edited(X86, (SIZE, "<size unit='KiB'>8388607</size>")).encode()
    done = fix(odd, unsafe=False)
    assert done.data == odd.replace(b"8388607", b"8388608"), "what does no harm is repaired all the same"
    assert done.made == 1
    (said,) = done.left_out
    assert words in said


def test_a_second_error_of_a_rule_at_an_element_is_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    harmful(monkeypatch, ("cell", Part.ATTRIBUTE, "x", "id"))
    data = edited(X86, (CELL, "memory='x'")).encode()
    done = fix(data, unsafe=False)
    assert (done.data, len(done.left_out)) == (data, 1)
    assert "with it number-invalid would be an error" in done.left_out[0]


def test_what_waits_for_a_name_that_is_not_repaired_is_told() -> None:
    """The size is 8 GiB less 1 KiB; by its name it would be bytes that no device can have."""
    data = edited(X86, (SIZE, "<size units='EiB'>8388607</size>"), (BLOCK, "<block>3</block>")).encode()
    done = fix(data, unsafe=False)
    assert done.data == data
    assert [words.split(": ", 1)[1] for words in done.left_out] == [
        "attribute-unknown is not repaired: with it number-too-large would be an error",
        "value-rounded is not repaired: a name there could not be repaired, by which it may say something else",
    ]


def test_a_repair_that_changes_what_it_does_not_name_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a fault of ours in the text of another element would."""
    repaired = repair.repaired

    def clumsy(source: Source, repairs: Iterable[Repair]) -> repair.Repaired:
        its = repaired(source, repairs)
        return its._replace(text=its.text.replace("<vcpu>4<", "<vcpu>3<"))

    monkeypatch.setattr(fixing, "repaired", clumsy)
    data = edited(X86, (BLOCK, "<block unit='MiB'>2M</block>")).encode()
    done = fix(data)
    assert done.data == data
    assert done.left_out == ("test.xml:19: number-invalid is not repaired: it would change <vcpu> as well",)


def test_repairs_that_undo_each_other_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Look] = []
    look = judgement.look

    def counted(data: bytes, name: str, terms: Terms) -> Look:
        looked.append(look(data, name, terms))
        return looked[-1]

    def finds(s: Settled) -> list[Problem]:
        block = s.devices[0].at("block")
        return [
            Problem(block, "x", "x", Repair((Edit(block, Part.TEXT, "4" if block.text == "2" else "2"),), safe=False))
        ]

    monkeypatch.setattr(fixing, "look", counted)
    monkeypatch.setattr(next(rule for rule in JUDGES if rule.severity.value == "warning"), "find", finds)
    with pytest.raises(VirtmemError, match="there is still something to repair"):
        fix(X86.encode())
    assert 100 < len(looked) < 1000


@pytest.mark.process
def test_the_command_says_what_was_left_out_and_writes_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "odd.xml"
    file.write_text(edited(X86, (REQUESTED, MISSPELT.replace(">1<", ">9<")), (MAX, SMALL)))
    run = process("check", "--fix", "odd.xml", cwd=tmp_path)
    assert run.code == 0
    assert "odd.xml:20: element-unknown is not repaired: with it requested-above-size would be an error\n" in run.err
    assert "1 repair made\n" in run.err
    assert "<maxMemory unit='GiB'>12<" in file.read_text()
    assert not convert(file.read_bytes(), "x", Target()).refused


def test_the_rule_that_says_a_name_is_unknown_repairs_one_alone() -> None:
    """What `parse` finds out, and the rule goes by."""
    element = next(parse_tree(X86.encode(), "x").iter("target"))
    assert reading.element_unknown.find(element, None, "near", ()).repair is not None
    assert reading.element_unknown.find(element, None, "near", (), alone=False).repair is None
