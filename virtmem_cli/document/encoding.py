"""The bytes of a document to its text, by the encoding that it is written in; and text to bytes in UTF-8.

What is not taken is an InputRefusedError that names the encoding. libxml2 has encodings of its own, and reads some in
another way than Python: `tree` sees that both read the same, since a tag could hide between the two.
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE, lookup

from virtmem_cli.errors import InputRefusedError
from virtmem_cli.text import quoted

# Encodings that show in the first bytes: a mark, or the '<' that a document begins with.
_MARKS = (
    (BOM_UTF8, "utf-8"),
    (BOM_UTF32_LE, "utf-32-le"),
    (BOM_UTF32_BE, "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (BOM_UTF16_LE, "utf-16-le"),
    (BOM_UTF16_BE, "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
# A declaration up to its encoding, whatever white space it has; all else is no declaration to libxml2.
_DECLARATION = (
    r"""(<\?xml\s++version\s*+=\s*+(?:"[^"]*+"|'[^']*+'))\s++encoding\s*+=\s*+"""
    r"""(?:"([A-Za-z0-9._-]++)"|'([A-Za-z0-9._-]++)')"""
)
# What Python has beside encodings: ways to write text in other letters, in which a '<' hides, and slow ones.
_NO_ENCODINGS = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7", "utf-8-sig")


def encoding_of(data: bytes) -> str:
    """The encoding by the first bytes, else the name that is declared, else UTF-8."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    declared = re.match(_DECLARATION.encode(), data)
    return (declared[2] or declared[3]).decode() if declared else "utf-8"


def text_of(data: bytes, name: str) -> str:
    """The text of a document; `name` stands for the input in messages.

    Raises InputRefusedError for an encoding that is not taken, and for bytes that are not in it.
    """
    encoding = encoding_of(data)
    try:
        if lookup(encoding).name not in _NO_ENCODINGS:
            return data.decode(encoding)
    except LookupError:  # an encoding that only libxml2 knows, or something else that Python can decode
        pass
    except ValueError:
        reason = f"the bytes are not what its encoding is said to be, {quoted(encoding)}"
        raise InputRefusedError(name, 1, reason, "Write it in UTF-8.") from None
    raise InputRefusedError(name, 1, f"the encoding {quoted(encoding)} is not taken", "Write it in UTF-8.")


def in_utf8(xml: str) -> bytes:
    """A document that is text already, as bytes in UTF-8, whatever encoding it declares."""
    xml = xml.removeprefix("\ufeff")
    declared = re.match(_DECLARATION, xml)
    text = f"{declared[1]}{xml[declared.end() :]}" if declared else xml
    return text.encode("utf-8", "surrogatepass")
