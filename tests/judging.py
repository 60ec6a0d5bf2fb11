"""What the package makes of a domain, for tests that ask it without the command; the way into its rooms is here alone.

A domain is judged for each target, and without any for the default one.
"""

from lxml import etree

from virtmem_cli import convert
from virtmem_cli.convert import Judgement
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.domain import Domain
from virtmem_cli.findings import Finding
from virtmem_cli.parse import parse_domain
from virtmem_cli.target import LIBVIRT, Target

NAME = "test.xml"


def check(data: bytes, *targets: Target) -> Judgement:
    return convert.check(data, name=NAME, targets=targets or (Target(),))


def found(data: bytes, *targets: Target) -> list[Finding]:
    return list(check(data, *targets).findings)


def fix(data: bytes, *targets: Target, unsafe: bool = True) -> tuple[bytes, int]:
    """The domain repaired, and how many repairs that took."""
    return convert.fix(data, name=NAME, unsafe=unsafe, targets=targets or (Target(),))


def fixed(data: bytes, *targets: Target, unsafe: bool = True) -> bytes:
    return fix(data, *targets, unsafe=unsafe)[0]


def parsed(data: bytes) -> Domain:
    """The domain as it is read, whatever is wrong with it."""
    return parse_domain(parse_tree(data, NAME), LIBVIRT.arch)[0]


def elements(data: bytes) -> list[etree._Element]:
    """The elements in their order, which is what findings and edits count by."""
    return list(parse_tree(data, NAME).iter(etree.Element))


def said(data: bytes, findings: list[Finding]) -> str:
    """The findings in words, a line each: rule, element, message and advice, and in brackets what a repair would do."""
    names = [str(element.tag) for element in elements(data)]
    # the second <page> is <page 2>
    tags = [name if names.count(name) == 1 else f"{name} {names[: n + 1].count(name)}" for n, name in enumerate(names)]
    lines = []
    for one in findings:
        line = f"{one.rule.id} at <{tags[one.place]}>: {one.message}. {one.advice}"
        if one.repair is not None:
            edits = [
                f"{edit.part.name} {edit.name} of <{tags[edit.place]}>: {edit.value}".replace("  ", " ")
                for edit in one.repair.edits
            ]
            line += f" [{'safe' if one.repair.safe else 'unsafe'}: {', '.join(edits)}]"
        lines.append(line)
    return "\n".join(lines)
