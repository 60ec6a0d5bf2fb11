"""What the package makes of a domain, for tests that ask it without the command; the way into its rooms is here alone.

A domain is judged for each target, and without any for the default one.
"""

from lxml import etree

from virtmem_cli.document.tree import parse_tree
from virtmem_cli.domain import Domain
from virtmem_cli.fixing import Fixed
from virtmem_cli.fixing import fix as repair
from virtmem_cli.judgement import Judgement, Terms
from virtmem_cli.judgement import check as judge
from virtmem_cli.parse import parse_domain
from virtmem_cli.report import document_format
from virtmem_cli.settle import Settled, settle
from virtmem_cli.target import LIBVIRT, Target
from virtmem_cli.told import Reported

NAME = "test.xml"


def _terms(targets: tuple[Target, ...]) -> Terms:
    return Terms(targets=targets or (Target(),))


def check(data: bytes, *targets: Target) -> Judgement:
    return judge(data, NAME, _terms(targets))


def found(data: bytes, *targets: Target) -> list[Reported]:
    return list(check(data, *targets).findings)


def fix(data: bytes, *targets: Target, unsafe: bool = True) -> Fixed:
    """The domain repaired, how many repairs that took, and what is found before and after."""
    return repair(data, NAME, _terms(targets), unsafe=unsafe)


def fixed(data: bytes, *targets: Target, unsafe: bool = True) -> bytes:
    return fix(data, *targets, unsafe=unsafe).data


def parsed(data: bytes) -> Domain:
    """The domain as it is read, whatever is wrong with it."""
    return parse_domain(parse_tree(data, NAME), LIBVIRT.arch)[0]


def settled(data: bytes, target: Target = Target()) -> Settled:  # noqa: B008, it is frozen
    return settle(parsed(data), target)


def elements(data: bytes) -> list[etree._Element]:
    """The elements in their order, which is what findings and edits count by."""
    return list(parse_tree(data, NAME).iter(etree.Element))


def document(form: str, *judgements: Judgement) -> str:
    """The judgements in a format that is one document."""
    its = document_format(form)
    parts = [part for judgement in judgements if (part := its.judgement(judgement))]
    return its.begin() + its.between.join(parts) + its.end([])


def said(data: bytes, findings: list[Reported]) -> str:
    """The findings in words, a line each: rule, element, message and advice, and in brackets what a repair would do."""
    names = [str(element.tag) for element in elements(data)]
    # the second <page> is <page 2>
    tags = [name if names.count(name) == 1 else f"{name} {names[: n + 1].count(name)}" for n, name in enumerate(names)]
    lines = []
    for one in findings:
        line = f"{one.rule} at <{tags[one.element]}>: {one.message}. {one.advice}"
        if one.safe is not None:
            edits = [
                f"{edit.part.upper().replace('-', '_')} {edit.name} of <{tags[edit.element]}>: {edit.value}"
                for edit in one.edits
            ]
            line += f" [{'safe' if one.safe else 'unsafe'}: {', '.join(edits).replace('  ', ' ')}]"
        lines.append(line)
    return "\n".join(lines)
