"""Bytes to an lxml tree, by the one parser, hardened: no network, no entities, no document type.

Takes bytes, gives the <domain> element. What is not XML, or no domain, is an InputRefusedError with file and line.
"""

import re

from lxml import etree

from virtmem_cli.errors import InputRefusedError
from virtmem_cli.text import quoted

# The largest domain known has some hundred kilobytes and a few thousand elements. More than these would take memory
# and time that nobody expects: bytes, and the characters that elements and attributes begin with.
LARGEST = 4 << 20
MOST_TAGS = 20_000
MOST_ATTRIBUTES = 40_000
MOST_LINES = 50_000
# Encodings in which a '<' may be written in other letters, so that nothing could be counted.
_HIDING = rb"<\?xml[^>]{0,100}encoding\s*=\s*[\"'](utf-?7|unicode-?1-?1-?utf-?7|csunicode11utf7|java|c99)"
# Encodings in which a '<' is a '<', so that counting bytes was enough.
_OPEN = ("UTF-8", "US-ASCII", "ASCII", "ISO-8859-1", "ISO-8859-15", "UTF-16", "UTF-16LE", "UTF-16BE")
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
)


def parse_tree(data: bytes, name: str) -> etree._Element:
    """Parse a domain's bytes; `name` stands for the input in messages.

    Raises InputRefusedError for what is empty, too large, not XML, has a DOCTYPE, or is not a <domain>.
    """
    if len(data) > LARGEST:
        raise InputRefusedError(name, 1, f"the input is larger than {LARGEST >> 20} MiB", "No domain is that large.")
    for character, most, what in (
        (b"<", MOST_TAGS, "tags"),
        (b"=", MOST_ATTRIBUTES, "attributes"),
        (b"\n", MOST_LINES, "lines"),
    ):
        if len(data) > most and data.count(character) > most:
            raise InputRefusedError(name, 1, f"the input has more than {most} {what}", "No domain has so many.")
    if b"encoding" in data[:200] and re.match(_HIDING, data, re.IGNORECASE):
        raise InputRefusedError(name, 1, "the encoding is one that hides what the XML says", "Write it in UTF-8.")
    if not data or data.isspace():
        raise InputRefusedError(name, 1, "the input is empty", "Give a libvirt <domain>.")
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        last = data.rstrip().count(b"\n") + 1  # where something is missing, libxml2 may name the line behind the last
        reason = (error.msg or "").removesuffix(f", line {line}, column {column}").strip() or "it cannot be read"
        raise InputRefusedError(
            name, min(line or 1, last), f"this is not well-formed XML: {reason}", "Give a libvirt <domain>."
        ) from None
    info = root.getroottree().docinfo
    if (info.encoding or "UTF-8").upper() not in _OPEN and sum(1 for _ in root.iter()) > MOST_TAGS:
        raise InputRefusedError(name, 1, f"the input has more than {MOST_TAGS} tags", "No domain has so many.")
    if info.doctype:
        raise InputRefusedError(
            name, 1, "a <!DOCTYPE> is not taken, since entities can hide what the XML says", "Remove it."
        )
    if root.tag != "domain":
        raise InputRefusedError(
            name,
            root.sourceline,
            f"the root element is {quoted(str(root.tag))}, and should be <domain>",
            "Give a libvirt <domain>.",
        )
    return root


def in_utf8(xml: str) -> bytes:
    """A document that is text already, as bytes that parse_tree reads: in UTF-8, whatever encoding it declares."""
    declared = re.match(r"\ufeff?(<\?xml[^>]*?)\s+encoding\s*=\s*(\"[^\"]*\"|'[^']*')", xml[:200])
    text = f"{declared[1]}{xml[declared.end() :]}" if declared else xml.removeprefix("\ufeff")
    return text.encode("utf-8", "surrogatepass")
