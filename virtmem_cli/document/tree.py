"""Bytes to an lxml tree, by the one parser, hardened: no network, no entities, no document type.

Takes bytes, gives the <domain> element. What is not XML, or no domain, is an InputRefusedError with file and line.
"""

from collections.abc import Iterator
from itertools import zip_longest

from lxml import etree

from virtmem_cli.errors import InputRefusedError
from virtmem_cli.text import quoted

# The largest domain known has some hundred kilobytes and a few thousand elements. More than these would take memory
# and time that nobody expects: bytes, and the characters that elements and attributes begin with.
LARGEST = 4 << 20
MOST_TAGS = 20_000
MOST_ATTRIBUTES = 40_000
MOST_LINES = 50_000
# lxml has the name of a namespace in the name of each element and attribute that is in it.
LONGEST_NAMESPACE = 250
_COUNTED = (("<", MOST_TAGS, "tags"), ("=", MOST_ATTRIBUTES, "attributes"), ("\n", MOST_LINES, "lines"))
# How a document begins that declares no encoding, and so is in UTF-8; nearly all do.
_UTF_8 = (b"<domain", b"<!--")
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
)


def parse_tree(data: bytes, name: str) -> etree._Element:
    """Parse a domain's bytes; `name` stands for the input in messages.

    Raises InputRefusedError for what is empty, too large, not XML, has a DOCTYPE, or is not a <domain>.
    """
    if len(data) > LARGEST:
        raise InputRefusedError(name, 1, f"the input is larger than {LARGEST >> 20} MiB", "No domain is that large.")
    if not data or data.isspace():
        raise InputRefusedError(name, 1, "the input is empty", "Give a libvirt <domain>.")
    text = None if data.startswith(_UTF_8) else _text_of_another_encoding(data, name)
    _count(data if text is None else text, name)
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
    if info.doctype:
        raise InputRefusedError(
            name, 1, "a <!DOCTYPE> is not taken, since entities can hide what the XML says", "Remove it."
        )
    if (info.encoding or "UTF-8").upper() != "UTF-8" if text is None else not _is_read_so(root, text):
        reason = f"the encoding {quoted(str(info.encoding))} is read in more ways than one"
        raise InputRefusedError(name, 1, reason, "Write it in UTF-8.")
    _bound_namespaces(data if text is None else text, root, name)
    if root.tag != "domain":
        raise InputRefusedError(
            name,
            root.sourceline,
            f"the root element is {quoted(str(root.tag))}, and should be <domain>",
            "Give a libvirt <domain>.",
        )
    return root


def _text_of_another_encoding(data: bytes, name: str) -> str | None:
    """The text where it is not in UTF-8, so that bytes are no characters; raises InputRefusedError."""
    from virtmem_cli.document.encoding import encoding_of, text_of  # seldom needed

    return None if encoding_of(data).upper() == "UTF-8" else text_of(data, name)


def _count(text: str | bytes, name: str) -> None:
    """Raise InputRefusedError where there is too much of something."""
    for character, most, what in _COUNTED:
        if len(text) <= most:
            continue
        if (text.count(character) if isinstance(text, str) else text.count(character.encode())) > most:
            raise InputRefusedError(name, 1, f"the input has more than {most} {what}", "No domain has so many.")


def _bound_namespaces(text: str | bytes, root: etree._Element, name: str) -> None:
    """Raise InputRefusedError for a namespace with a long name, which each element and attribute in it would repeat."""
    if not (b"xmlns" in text if isinstance(text, bytes) else "xmlns" in text):
        return
    for _, declared in etree.iterwalk(root, events=("start-ns",)):
        if declared is not None and len(declared[1]) > LONGEST_NAMESPACE:
            words = f"a namespace has a name of more than {LONGEST_NAMESPACE} characters"
            raise InputRefusedError(name, 1, words, "Shorten it, or remove what is in it: libvirt does not read that.")


def _is_read_so(root: etree._Element, text: str) -> bool:
    """Whether libxml2, and so libvirt, has read this text: else places in the text would be those of something else."""
    from virtmem_cli.document.encoding import in_utf8

    try:
        again = etree.fromstring(in_utf8(text), _PARSER)
    except etree.XMLSyntaxError:
        return False
    return all(_says(one) == _says(other) for one, other in zip_longest(_nodes(root), _nodes(again)))


def _nodes(root: etree._Element) -> Iterator[etree._Element]:
    """All nodes of a document, those beside its root too."""
    yield from root.itersiblings(preceding=True)
    yield from root.iter()
    yield from root.itersiblings()


def _says(node: etree._Element | None) -> object:
    """All that a node says, to be compared: one after the other, since whole documents would take much memory."""
    return None if node is None else (node.tag, node.text, node.tail, node.attrib.items())
