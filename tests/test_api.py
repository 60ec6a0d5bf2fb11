"""The package for programs: what docs/python.md says, and what it takes and gives."""

import doctest
import pickle
from pathlib import Path

import pytest
from command import python

import virtmem_cli
from virtmem_cli import Conversion, Host, check, conversion, convert
from virtmem_cli.target import Target

ROOT = Path(__file__).parent.parent
EXAMPLE = (ROOT / "testdata/xml/example.xml").read_text()


def test_the_examples_of_the_docs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    results = doctest.testfile(str(ROOT / "docs/python.md"), module_relative=False)
    assert results.attempted > 10
    assert results.failed == 0


def test_the_public_names_are_there_and_no_others_are_made_up() -> None:
    assert {name for name in virtmem_cli.__all__ if getattr(virtmem_cli, name)} == set(virtmem_cli.__all__)
    assert set(virtmem_cli.__all__) <= set(dir(virtmem_cli))
    with pytest.raises(AttributeError, match="no attribute 'convrt'"):
        virtmem_cli.convrt  # noqa: B018


def test_the_name_is_the_record_s() -> None:
    assert convert(EXAMPLE, name="a.xml").name == check(EXAMPLE, name="a.xml").name == "a.xml"
    assert convert("no XML", name="a.xml").name == "a.xml"


def test_what_is_neither_text_nor_bytes_is_a_value_error() -> None:
    assert convert(bytearray(EXAMPLE.encode())) == convert(EXAMPLE)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="xml is 'None': give text or bytes"):
        convert(None)  # type: ignore[arg-type]


def test_text_and_bytes_are_the_same() -> None:
    assert convert(EXAMPLE) == convert(EXAMPLE.encode())
    assert check(EXAMPLE) == check(EXAMPLE.encode())


@pytest.mark.parametrize(
    "declaration",
    [
        "<?xml version='1.0' encoding='UTF-16'?>",
        '<?xml version="1.0" encoding="ISO-8859-1" standalone="yes"?>',
        "\ufeff<?xml version='1.0'?>",
    ],
)
def test_what_text_declares_as_its_encoding_does_not_count(declaration: str) -> None:
    named = EXAMPLE.replace("<name>web01</name>", "<name>wéb01</name>")
    assert convert(declaration + named) == convert(named)
    assert "wéb01" in convert(declaration + named).argv[1]


def test_records_are_plain_data() -> None:
    for record in (convert(EXAMPLE), check(EXAMPLE.replace("MiB'>2<", "MiB'>3<"))):
        assert pickle.loads(pickle.dumps(record)) == record
        assert hash(record) == hash(pickle.loads(pickle.dumps(record)))


def test_strict_refuses_a_warning() -> None:
    warned = EXAMPLE.replace("<devices>", "<devices><memry/>")
    assert not convert(warned).refused
    assert [(finding.severity, finding.hosts) for finding in convert(warned).findings] == [("warning", ())]
    assert not conversion.convert(warned.encode(), "x", Target()).refused, "as `verify` has it"
    assert convert(warned, strict=True).refused
    assert check(warned, strict=True).refused


def test_the_scope_and_the_version_count() -> None:
    assert convert(EXAMPLE, scope="machine").argv[0] == "-machine"
    assert convert(EXAMPLE, qemu="5.2").argv[1].startswith("memory-backend-file,id=")


def test_a_host_may_be_made_from_another() -> None:
    small = Host(thp=1 << 40, name="small")
    assert [finding.rule for finding in check(EXAMPLE, host=small).findings] == ["block-below-thp"]
    assert check(EXAMPLE, host=[small, "libvirt"]).findings[0].hosts == ("small",)


def test_a_domain_without_virtio_mem_has_no_arguments_and_is_not_refused() -> None:
    plain = "<domain type='kvm'><name>x</name><memory>1</memory><os><type>hvm</type></os></domain>"
    assert convert(plain) == Conversion(name="<domain>", argv=(), findings=(), refused=False, placements=())
    assert check(plain).devices == 0


@pytest.mark.parametrize("xml", ["", "<", "\ud800", "<a/>", "<!DOCTYPE domain><domain/>", b"\xff\xfe", "\0"])
def test_nothing_is_raised_for_what_is_no_domain(xml: str | bytes) -> None:
    for record in (convert(xml, name="x.xml"), check(xml, name="x.xml")):
        assert record.refused
        (finding,) = record.findings
        assert finding.rule == "not-a-domain"
        assert (finding.column, finding.end_line, finding.end_column) == (1, finding.line, 1)
    assert check(xml).devices == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"qemu": "seven"}, "qemu 'seven': write MAJOR.MINOR, such as "),
        ({"qemu": "/usr/bin/qemu"}, "qemu '/usr/bin/qemu': write MAJOR.MINOR"),
        ({"host": "x86"}, "host 'x86': there is no such host"),
        ({"qemu": 7.2}, "qemu '7.2': write MAJOR.MINOR"),
        ({"host": None}, "host 'None': there is no such host"),
        ({"scope": "all"}, "scope 'all': write one of devices, memory, machine"),
    ],
)
def test_a_wrong_argument_is_a_value_error(arguments: dict[str, object], words: str) -> None:
    for function in (convert, check):
        with pytest.raises(ValueError, match=words):
            function(EXAMPLE, **arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name one at least"):
        check(EXAMPLE, host=[])


@pytest.mark.process
def test_importing_the_package_imports_nothing_else_of_it() -> None:
    program = "import sys, virtmem_cli; print([name for name in sys.modules if name.startswith('virtmem_cli.')])"
    assert python("-c", program).out == "[]\n"
