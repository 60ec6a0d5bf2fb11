"""libvirt's own schema of domains: a tree to the elements that do not fit it.

Takes the path of a RELAX NG file, such as libvirt's domain.rng, which includes others beside it. libxml2 says little
more than that a domain does not fit, so that what is to blame is found by trying: each part alone in a plain domain.
"""

from collections.abc import Collection, Iterator
from copy import deepcopy

from lxml import etree

from virtmem_cli.errors import VirtmemError

Element = etree._Element

# Where libvirt keeps it.
DEFAULT = "/usr/share/libvirt/schemas/domain.rng"
# What libxml2 says of every domain that does not fit.
_ECHOES = ("RELAXNG_ERR_INTEREXTRA", "RELAXNG_ERR_INTERSEQ", "RELAXNG_ERR_INTERNODATA", "RELAXNG_ERR_CONTENTVALID")
_PLAIN = "<domain type='kvm'><name>x</name><memory>1</memory><os><type>hvm</type></os></domain>"
# So many elements are tried; of a larger domain only the whole is named.
MOST_ELEMENTS = 5000
# Of so many elements in a part each is tried by itself, and so many pieces are made of more.
_FEW = 64


class Schema:
    """A schema that was read once, for any number of domains."""

    def __init__(self, path: str) -> None:
        """Raises VirtmemError where the schema, or one that it includes, cannot be read."""
        self.path = path
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            self._schema = etree.RelaxNG(etree.parse(path, parser))
        except OSError:
            raise VirtmemError(f"{path}: the schema cannot be read, or is not there") from None
        except (etree.XMLSyntaxError, etree.RelaxNGParseError) as error:
            raise VirtmemError(f"{path}: this is no RELAX NG schema: {error}") from None

    def misfits(self, root: Element) -> Iterator[tuple[Element, str]]:
        """The elements that do not fit, and what libxml2 says of each."""
        if self._schema.validate(root):
            return
        few = all(number < MOST_ELEMENTS for number, _ in enumerate(root.iter(etree.Element)))
        yield from (few and list(self._culprits(root))) or [(root, self._words())]

    def _culprits(self, root: Element) -> Iterator[tuple[Element, str]]:
        """The elements that do not fit even alone, as far down as one is to blame, and libxml2's words on each."""
        for child in root.iterchildren(etree.Element):
            parts = child.iterchildren(etree.Element) if child.tag == "devices" else [child]
            for part in parts:
                if not self._fits(part):
                    words = self._words()
                    yield self._innermost(part), words

    def _words(self) -> str:
        """What libxml2 said of the last domain that did not fit, or nothing where that tells nothing."""
        telling = [error.message for error in self._schema.error_log if error.type_name not in _ECHOES]
        return f": {telling[0]}" if telling else ""

    def _innermost(self, part: Element) -> Element:
        """The last element within without which the part fits; itself, where none is found.

        Of a few, each is tried. Of many the part is tried without a half of them, without a quarter and so on, until it
        fits, and then those that were left out are looked at in the same way.
        """
        within = list(part.iterdescendants(etree.Element))
        pieces = 2
        while within:
            pieces = len(within) if len(within) <= _FEW else min(pieces, _FEW)
            size = -(-len(within) // pieces)
            for start in reversed(range(0, len(within), size)):
                if self._fits(part, within[start : start + size]):
                    if size == 1:
                        return within[start]
                    within, pieces = within[start : start + size], 2
                    break
            else:
                if pieces >= min(_FEW, len(within)):
                    break
                pieces *= 2
        return part

    def _fits(self, part: Element, without: Collection[Element] = ()) -> bool:
        """Whether a child of <domain> or <devices> fits in a plain domain, perhaps without elements in it."""
        domain = etree.fromstring(_PLAIN)
        copy = deepcopy(part)
        left_out = set(without)
        for twin in [twin for own, twin in zip(part.iter(), copy.iter(), strict=True) if own in left_out]:
            parent = twin.getparent()
            assert parent is not None
            parent.remove(twin)
        parent = part.getparent()
        if parent is not None and parent.tag == "devices":
            etree.SubElement(domain, "devices").append(copy)
        else:
            for plain in domain.findall(str(part.tag)):
                domain.remove(plain)
            domain.append(copy)
        return self._schema.validate(domain)
