"""Properties that hold for any input: what goes in comes out, and nothing but our own errors is ever raised."""

import json
import re
import shlex
import xml.sax.saxutils as sax
from pathlib import Path

import pytest
from command import execute, python
from domains import ROOT
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from virtmem_cli.argv import as_json, as_keyval
from virtmem_cli.conversion import Conversion, convert
from virtmem_cli.errors import VirtmemError
from virtmem_cli.findings import Severity
from virtmem_cli.props import Value
from virtmem_cli.report import lines, shell
from virtmem_cli.target import Target, qemu_of_version
from virtmem_cli.text import printable
from virtmem_cli.units import format_bitmap

ALL_XML = sorted((ROOT / "testdata/xml").glob("*.xml"))
# Those that are domains at all.
XML = [path for path in ALL_XML if "<domain" in path.read_text() and "<!DOCTYPE" not in path.read_text()]
TARGET = Target()
# As many examples as others have, and as many again, and again; with `make quick` all have fewer
THRICE = 3 * settings().max_examples

# What XML can hold: no control characters but tab and line ends, no surrogates.
xml_text = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\t", exclude_characters="\ufffe\uffff"
    )
)
keys = st.from_regex(r"[a-z][a-z-]{0,11}", fullmatch=True)
values: st.SearchStrategy[Value] = st.one_of(
    st.booleans(),
    st.integers(min_value=0, max_value=(1 << 64) - 1),
    st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    st.sets(st.integers(min_value=0, max_value=200), min_size=1).map(lambda bits: tuple(sorted(bits))),
)
properties = st.dictionaries(keys, values, max_size=8).map(lambda rest: {"qom-type": "memory-backend-ram", **rest})


def check(conversion: Conversion) -> None:
    """What must hold of any conversion."""
    errors = [finding for finding in conversion.findings if finding.severity is Severity.ERROR]
    assert conversion.refused == bool(errors)
    assert bool(conversion.argv) == (bool(conversion.devices) and not errors)
    assert conversion.argv[::2] == (() if errors else ("-object", "-device") * conversion.devices)
    order = [(finding.location.line, finding.rule) for finding in conversion.findings]
    assert order == sorted(order)
    for finding in conversion.findings:
        assert finding.message == printable(finding.message)
        assert finding.advice.endswith((".", "?"))


@given(st.binary(max_size=300))
@example(b"\xff\xfe<\0d\0o\0m\0a\0i\0n\0/\0>\0")
@example(b"<?xml version='1.0' encoding='utf-32'?><domain/>")
@example(b"<domain>" * 5000)
@example(b"<!DOCTYPE d [<!ENTITY a 'b'>]><domain>&a;</domain>")
def test_any_bytes_are_findings_or_our_error(data: bytes) -> None:
    message = ""
    try:
        check(convert(data, "x", TARGET))
    except VirtmemError as error:
        message = str(error)
    assert message == printable(message)


def damage(xml: str, cuts: list[tuple[int, int, str]]) -> str:
    """The text with pieces of it replaced; positions are taken modulo what is there."""
    for position, length, text in cuts:
        start = position % (len(xml) + 1)
        xml = xml[:start] + text + xml[start + length :]
    return xml


@given(
    st.sampled_from(XML),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 40), st.text(max_size=12)), min_size=1, max_size=4),
)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=THRICE)
def test_damaged_domains_are_findings_or_our_error(path: Path, cuts: list[tuple[int, int, str]]) -> None:
    try:
        check(convert(damage(path.read_text(), cuts).encode(), "x", TARGET))
    except VirtmemError:
        pass


# Damage that stays XML: the text of an element, or the value of an attribute, becomes another.
odd_values = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "1", "2048", "4096", "3", " 7", "yes", "on", "off", "no", "pci", "ccw", "0-3", "^0"]
    ),
    st.integers(min_value=0, max_value=1 << 70).map(str),
    xml_text.filter(lambda text: len(text) < 20),
)


@given(st.sampled_from(XML), st.lists(st.tuples(st.integers(0, 1 << 16), odd_values), min_size=1, max_size=3))
@settings(max_examples=THRICE)
def test_domains_with_other_values_are_judged(path: Path, changes: list[tuple[int, str]]) -> None:
    xml = path.read_text()
    for position, value in changes:
        spots = [*re.finditer(r"(?<==')[^'<]*(?=')|(?<=>)[^<>]+(?=</)", xml)]
        spot = spots[position % len(spots)]
        xml = xml[: spot.start()] + sax.escape(value, {"'": "&apos;"}) + xml[spot.end() :]
    check(convert(xml.encode(), "x", TARGET))


@pytest.mark.process
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["-object", "-device"]), st.text(st.characters(codec="utf-8", exclude_characters="\0"))
        ),
        min_size=1,
    )
)
@settings(max_examples=50, deadline=None)
def test_a_real_shell_reads_the_argv_back(pairs: list[tuple[str, str]]) -> None:
    argv = [argument for pair in pairs for argument in pair]
    script = "printf '%s\\0' " + shell.arguments(argv)
    run = execute(["sh", "-c", script])
    assert (run.code, run.out.split("\0")[:-1], run.err) == (0, argv, "")


@given(
    st.lists(
        st.tuples(st.just("-object"), st.text(st.characters(codec="utf-8", exclude_characters="\0\n"))), min_size=1
    )
)
def test_lines_carry_the_argv(pairs: list[tuple[str, str]]) -> None:
    argv = [argument for pair in pairs for argument in pair]
    assert lines.arguments(argv).split("\n")[:-1] == argv
    assert shlex.split(shell.arguments(argv).replace("\\\n", "")) == argv


def decode_keyval(text: str) -> dict[str, Value]:
    """key=value as QEMU reads it: a doubled comma is one, a repeated key is a list, N-M a range."""
    kind, *fields = [field.replace("\0", ",") for field in text.replace(",,", "\0").split(",")]
    lists: dict[str, list[str]] = {}
    for field in fields:
        key, _, value = field.partition("=")
        lists.setdefault(key, []).append(value)
    return {"qom-type": kind, **{key: "|".join(value) for key, value in lists.items()}}


def flat(value: Value) -> str:
    """A value as decode_keyval gives it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return "|".join(format_bitmap(value))
    return str(value)


@given(properties)
@example({"qom-type": "x", "id": "".join(map(chr, range(1, 0x300)))})
def test_json_and_keyval_say_the_same(given_properties: dict[str, Value]) -> None:
    decoded = json.loads(as_json(given_properties))
    assert as_json(given_properties) == json.dumps(given_properties, ensure_ascii=False, separators=(",", ":"))
    assert list(decoded) == list(given_properties)
    back = {key: tuple(value) if isinstance(value, list) else value for key, value in decoded.items()}
    assert back == given_properties
    assert decode_keyval(as_keyval(given_properties, "qom-type")) == {key: flat(value) for key, value in back.items()}


NAMED = """<domain type='kvm'><name>{name}</name><maxMemory unit='GiB'>8</maxMemory><memory unit='GiB'>2</memory>
<memoryBacking><source type='file'/></memoryBacking><os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node><block>2048</block></target></memory>
</devices></domain>"""


@given(xml_text.filter(lambda text: text and "/" not in text and "\n" not in text))
@example("web,01")
@example("$(reboot)")
@example("'\"`\\")
@example("-x")
@example("..")
def test_any_name_comes_through_every_syntax(name: str) -> None:
    xml = NAMED.format(name=sax.escape(name)).encode()
    path = f"/var/lib/libvirt/qemu/ram/-1-{name[:20]}/virtiomem0"
    new = convert(xml, "x", TARGET)
    assert json.loads(new.argv[1])["mem-path"] == path
    assert shlex.split(shell.arguments(new.argv).replace("\\\n", ""))[1] == new.argv[1]
    old = convert(xml, "x", Target(qemu=qemu_of_version("5.2")))
    assert decode_keyval(old.argv[1])["mem-path"] == path


@pytest.mark.process
@pytest.mark.parametrize("name", ["whole-q35", "everything-set", "topology", "s390x-ccw", "distances"])
def test_no_number_takes_memory(name: str) -> None:
    """Each number of a domain made as large as a number may be: the process has 512 MiB for it."""
    script = (
        "import re, resource, sys\n"
        "from virtmem_cli.conversion import convert\n"
        "from virtmem_cli.target import Target\n"
        "resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))\n"
        "xml = open(sys.argv[1]).read()\n"
        "spots = [*re.finditer(r\"(?<=')[0-9]+(?=')|(?<=>)[0-9]+(?=</)\", xml)]\n"
        "for spot in spots:\n"
        "    for text in ('4294967295', '0-16383', '9223372036854775807'):\n"
        "        changed = xml[:spot.start()] + text + xml[spot.end():]\n"
        "        for scope in ('devices', 'machine'):\n"
        "            convert(changed.encode(), 'x', Target(scope=scope))\n"
        "print(len(spots))\n"
    )
    (path,) = [path for path in XML if path.stem == name]
    run = python("-c", script, path)
    assert run.code == 0, run.err
    assert int(run.out) > 5
