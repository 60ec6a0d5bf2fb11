"""Domains for tests, each as another one with changes."""


def edited(xml: str, *changes: tuple[str, str]) -> str:
    """The XML with changes, old and new, each of them once; what is to be changed must be there."""
    for old, new in changes:
        assert old in xml, old
        xml = xml.replace(old, new, 1)
    return xml
