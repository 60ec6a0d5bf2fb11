"""Encodings: what is read is the text that libvirt reads too, or no domain; and how much of it there may be."""

import re

import pytest
from command import check_json, virtmem
from hostile import DEVICES, REQUESTED, declared, domain
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from virtmem_cli.document import repair, source
from virtmem_cli.document.encoding import encoding_of
from virtmem_cli.document.tree import MOST_ATTRIBUTES, MOST_LINES, MOST_TAGS

pytestmark = pytest.mark.usefixtures("here")
STRANGE = domain((REQUESTED, "<requestd/>"))


def refusal(data: bytes) -> str:
    """Why the input is no domain, by both commands; '' where it is one."""
    (finding,) = check_json("-", given=data).file()["findings"]
    if finding["rule"] != "not-a-domain":
        return ""
    run = virtmem("xml2argv", "-", given=data)
    assert (run.code, run.out) == (1, "")
    assert f"{finding['message']}; libvirt refuses it. {finding['advice']}" in run.err
    return f"{finding['message']}. {finding['advice']}"


@pytest.mark.parametrize(
    "encoding", ["ISO-2022-CN", "ISO-2022-CN-EXT", "NEXTSTEP", "JAVA", "C99", "csUnicode11UTF7", "x-unknown", "hex"]
)
def test_an_encoding_that_python_does_not_have_is_not_taken(encoding: str) -> None:
    words = f"the encoding '{encoding}' is not taken. Write it in UTF-8."
    assert refusal(declared(encoding, STRANGE).encode()) == words


@pytest.mark.parametrize("encoding", ["UTF-7", "utf-7", "unicode-1-1-utf-7", "punycode", "idna", "unicode_escape"])
@pytest.mark.parametrize("space", [" ", " " * 200, "\r\n\t" * 50_000])
def test_letters_that_stand_for_others_are_not_taken(encoding: str, space: str) -> None:
    """However far behind the declaration says so."""
    data = declared(encoding, STRANGE).replace(" encoding=", f"{space}encoding{space}={space}").encode()
    assert refusal(data) == f"the encoding '{encoding}' is not taken. Write it in UTF-8."


@pytest.mark.parametrize(
    ("encoding", "name"), [("EUC-JP", b"\xf8\xa1"), ("US-ASCII", b"\xc3\xa9"), ("ISO-8859-8", b"\xff")]
)
def test_bytes_that_are_not_in_the_encoding_are_no_domain(encoding: str, name: bytes) -> None:
    data = declared(encoding, STRANGE).encode().replace(b"guest", name)
    words = f"the bytes are not what its encoding is said to be, '{encoding}'. Write it in UTF-8."
    assert refusal(data) == words


def test_text_that_libxml2_reads_in_another_way_is_no_domain() -> None:
    """To libxml2 0x5C is a yen sign in Shift_JIS, to Python a backslash."""
    data = declared("SHIFT_JIS", STRANGE).encode()
    assert refusal(data) == ""
    words = "the encoding 'SHIFT_JIS' is read in more ways than one. Write it in UTF-8."
    assert refusal(data.replace(b"guest", b"gue\\st")) == words


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1251", "EUC-JP", "GB18030", "UTF-16", "UTF-32", "utf8"])
def test_other_encodings_are_taken(encoding: str) -> None:
    assert refusal(declared(encoding, STRANGE).encode(encoding)) == ""


# Of each a little more than is taken
MUCH: dict[str, tuple[str, int]] = {
    "tags": ("<", MOST_TAGS),
    "attributes": ("=", MOST_ATTRIBUTES),
    "lines": ("\n", MOST_LINES),
}


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "UTF-16-LE", "UTF-16-BE", "UTF-32", "GB18030"])
@pytest.mark.parametrize("what", MUCH)
def test_there_is_too_much_in_any_encoding(what: str, encoding: str) -> None:
    text, most = MUCH[what]
    name = re.sub("-[LB]E", "", encoding)
    data = declared(name, domain((DEVICES, f"<!--{text * most}-->{DEVICES}"))).encode(encoding)
    data = {"UTF-16-LE": b"\xff\xfe", "UTF-16-BE": b"\xfe\xff"}.get(encoding, b"") + data
    assert refusal(data) == f"the input has more than {most} {what}. No domain has so many."


def test_a_byte_that_is_no_character_is_not_counted() -> None:
    """In UTF-16 the bytes of '<', '=' and a line break are in other letters as well."""
    letters = "\u3c3c\u3d3d\u0a0a" * 60_000
    data = declared("UTF-16", domain((DEVICES, f"<!--{letters}-->{DEVICES}"), (REQUESTED, "<requestd/>")))
    assert refusal(data.encode("utf-16")) == ""


@given(
    st.sampled_from(["UTF-8", "utf-8", "UTF-7", "ISO-8859-1", "ascii"]),
    st.lists(st.text(" \t\r\n", max_size=3), min_size=6, max_size=6),
    st.sampled_from(["\"'", "'\"", "''", '""']),
    st.sampled_from(["", " standalone='yes'", " encoding='UTF-8'"]),
)
def test_the_encoding_is_the_one_that_libxml2_finds(name: str, space: list[str], quotes: str, more: str) -> None:
    a, b, c, d, e, f = space
    one, other = quotes[0], quotes[1]
    text = f"<?xml {a}version{b}={c}{one}1.0{one} {d}encoding{e}={f}{other}{name}{other}{more}?><domain/>"
    try:
        root = etree.fromstring(text.encode())
    except etree.XMLSyntaxError:
        return
    assert encoding_of(text.encode()) == root.getroottree().docinfo.encoding


# Text that is not well-formed comes to none of these; they look at each character once all the same


@pytest.mark.parametrize("opening", ["<!--", "<![CDATA[", "<?a", "<a '", '<a "', "<a '\"", "<a b='", "</a", "<a"])
@pytest.mark.parametrize("pattern", [source._MARKUP, repair._CONTENT], ids=["source", "repair"])
def test_what_is_never_closed_ends_with_the_text(pattern: str, opening: str) -> None:
    """Else the same text would be looked at again from each of the places that look as if something began there."""
    for text in (opening + "x" * 1000, opening * 1000):
        match = re.compile(pattern, re.DOTALL).match(text)
        assert match is not None
        assert match.end() == len(text) or (pattern == repair._CONTENT and match[0] == "<")
