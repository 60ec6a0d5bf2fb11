"""Where elements are in the text: as a person would say, whatever the encoding and the way that it is written."""

from pathlib import Path

import pytest
from lxml import etree

from virtmem_cli.document.source import Location, Source
from virtmem_cli.document.tree import parse_tree

XML = Path(__file__).parent.parent / "testdata" / "xml"
ODD = """<?xml version='1.0' encoding='ENCODING'?>
<!-- <domain> is not here -->
<domain
    type='kvm' a=">" b='"/>'>
  <name><![CDATA[<name>]]>é</name><?pi <x> ?><memory/>
\t<cpu
    mode='x' />
</domain>
"""


def source_of(text: str, encoding: str = "utf-8", mark: bytes = b"") -> Source:
    data = mark + text.encode(encoding)
    return Source(data, parse_tree(data, "test.xml"))


def locate(source: Source, number: int) -> Location:
    """Where the element with this number is."""
    return source.locate(next(element for element, its in source.numbers.items() if its == number))


def line(source: Source, number: int) -> str:
    return source.piece(number, 0, source.length(number))


def pieces(source: Source) -> list[str]:
    return [source.text[tag.start : tag.end] for tag in source.tags]


@pytest.mark.parametrize(
    "path", sorted({*XML.glob("*.xml")} - {XML / "doctype.xml", XML / "not-a-domain.xml"}), ids=lambda path: path.stem
)
def test_the_text_of_an_element_is_that_element(path: Path) -> None:
    root = parse_tree(path.read_bytes(), path.name)
    elements = list(root.iter(etree.Element))
    source = Source(path.read_bytes(), root)
    assert len(source.tags) == len(elements)
    for element, piece in zip(elements, pieces(source), strict=True):
        again = etree.fromstring(piece.encode()) if not element.nsmap else element
        assert (again.tag, again.attrib) == (element.tag, element.attrib)
        assert [child.tag for child in again] == [child.tag for child in element]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("iso-8859-1", b""),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-32-le", b"\xff\xfe\0\0"),
        ("utf-32-be", b""),
    ],
)
def test_every_encoding_has_the_same_places(encoding: str, mark: bytes) -> None:
    source = source_of(ODD.replace("ENCODING", encoding.removesuffix("-le").removesuffix("-be")), encoding, mark)
    assert [locate(source, place) for place in range(4)] == [
        Location(3, 1, 4, 30),
        Location(5, 3, 5, 35),
        Location(5, 46, 5, 55),
        Location(6, 2, 7, 16),
    ]
    assert line(source, 5).endswith("é</name><?pi <x> ?><memory/>")


def test_where_the_text_cannot_be_followed_there_are_lines_at_least() -> None:
    source = Source(b"<domain>\n<name/></domain>", parse_tree(b"<domain>\n\n<a/><b/></domain>", "test.xml"))
    assert source.tags == []
    assert locate(source, 1) == Location(2, 1, 2, 17)


def test_a_byte_order_mark_is_no_column() -> None:
    assert locate(source_of("<domain><name/></domain>", "utf-8", b"\xef\xbb\xbf"), 1) == Location(1, 9, 1, 16)


def test_line_ends_of_windows_count_as_one() -> None:
    source = source_of("<domain>\r\n  <name/>\r\n</domain>\r\n")
    assert locate(source, 1) == Location(2, 3, 2, 10)
    assert line(source, 2) == "  <name/>"
    assert line(source_of("<domain>\n<name/></domain>"), 2) == "<name/></domain>"
    assert line(source_of("<domain>\r\n\r\n</domain>"), 2) == ""


def test_many_elements_take_no_time_to_speak_of() -> None:
    source = source_of("<domain>" + "<a b='>'/>" * 19_000 + "</domain>")
    assert locate(source, 19_000) == Location(1, 9 + 189_990, 1, 9 + 190_000)
