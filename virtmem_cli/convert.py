"""The whole way: bytes and a target to findings, properties and arguments.

bytes -> tree -> Domain -> findings -> properties -> argv
         xmltree  parse    rules       props         argv
"""

from collections.abc import Iterable
from typing import NamedTuple

from lxml import etree

from virtmem_cli.argv import arguments
from virtmem_cli.findings import Finding, Severity
from virtmem_cli.parse import parse_domain
from virtmem_cli.props import Pair, all_arguments, device_pairs
from virtmem_cli.rules import judge
from virtmem_cli.source import Source
from virtmem_cli.target import Target
from virtmem_cli.xmltree import parse_tree

Element = etree._Element


class Conversion(NamedTuple):
    """What came of one input. Refused: error findings (with `strict`, any), and then neither pairs nor argv.

    `devices` is how many virtio-mem devices the domain has, refused or not.
    """

    name: str
    findings: tuple[Finding, ...]
    refused: bool
    devices: int
    pairs: tuple[Pair, ...]
    argv: tuple[str, ...]


def convert(data: bytes, *, name: str, target: Target, strict: bool = False) -> Conversion:
    """Judge and convert one domain; `name` stands for it in messages.

    Raises InputRefusedError for what is no domain.
    """
    root = parse_tree(data, name)
    domain, unreadable = parse_domain(root, target.host.arch)
    if domain.devices:
        found = {*unreadable, *judge(domain, target)}
    else:  # nothing here to judge, unless the device is there under a misspelt name
        found = {finding for finding in unreadable if finding.rule.id == "memory-model"}
    findings = _located(found, data, root)
    refused = any(strict or finding.rule.severity is Severity.ERROR for finding in findings)
    # Without virtio-mem there is nothing that this is about, in any scope
    wanted = bool(domain.devices) and not refused
    return Conversion(
        name=name,
        findings=findings,
        refused=refused,
        devices=len(domain.devices),
        pairs=device_pairs(domain, target) if wanted else (),
        argv=arguments(all_arguments(domain, target), target.qemu) if wanted else (),
    )


def _located(found: Iterable[Finding], data: bytes, root: Element) -> tuple[Finding, ...]:
    """The findings with their locations, by line and then by rule."""
    if not found:
        return ()
    source = Source(data, root)
    located = (finding._replace(location=source.locate(finding.place)) for finding in found)
    return tuple(sorted(located, key=lambda f: (f.location.line, f.rule.id, f.place, f.message)))
