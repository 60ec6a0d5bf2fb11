"""The domains that tests begin with, and others that are one of them with changes."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
# By architecture: testdata/edges/base
BASES = {path.stem: path.read_text() for path in sorted((ROOT / "testdata/edges/base").glob("*.xml"))}
X86, S390X = BASES["x86_64"], BASES["s390x"]


def edited(xml: str, *changes: tuple[str, str]) -> str:
    """The XML with changes, old and new, one after the other; what is to be changed must be there just once."""
    for old, new in changes:
        assert xml.count(old) == 1, f"{xml.count(old)} times: {old}"
        xml = xml.replace(old, new)
    return xml
