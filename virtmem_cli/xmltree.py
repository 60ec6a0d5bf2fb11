"""Bytes to an lxml tree, by the one parser, hardened: no network, no entities, no document type.

Takes bytes, gives the <domain> element. What is not XML, or no domain, is an InputRefusedError with file and line.
"""

from lxml import etree

from virtmem_cli.findings import InputRefusedError, printable, quoted

# The largest domain known has some hundred kilobytes.
LARGEST = 16 << 20


def parse_tree(data: bytes, name: str) -> etree._Element:
    """Parse a domain's bytes; `name` stands for the input in messages.

    Raises InputRefusedError for what is empty, too large, not XML, has a DOCTYPE, or is not a <domain>.
    """
    if len(data) > LARGEST:
        raise InputRefusedError(f"{name}: error: larger than {LARGEST >> 20} MiB, so this is no domain XML")
    if not data.strip():
        raise InputRefusedError(f"{name}: error: the input is empty, and should be a libvirt <domain>")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        reason = (error.msg or "").removesuffix(f", line {line}, column {column}").strip() or "it cannot be read"
        raise InputRefusedError(
            f"{name}:{line or 1}: error: this is not well-formed XML: {printable(reason)}"
        ) from None
    if root.getroottree().docinfo.doctype:
        raise InputRefusedError(
            f"{name}: error: a <!DOCTYPE> is not taken, since entities can hide what the XML says; remove it"
        )
    if root.tag != "domain":
        raise InputRefusedError(
            f"{name}:{root.sourceline or 1}: error: the root element is {quoted(str(root.tag))}, and should be <domain>"
        )
    return root
