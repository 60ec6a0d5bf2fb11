"""The whole way: bytes and a target to findings, properties and arguments.

bytes -> tree -> Domain -> findings -> properties -> argv
         xmltree  parse    rules       props         argv

`convert` goes all of it, for arguments; `check` goes to the findings alone, for several hosts, with advice.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lxml import etree

from virtmem_cli.argv import arguments
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.domain import Domain
from virtmem_cli.errors import InputRefusedError, VirtmemError
from virtmem_cli.findings import MOST_FINDINGS, RULES, Finding, Location, Severity, finding
from virtmem_cli.parse import parse_domain
from virtmem_cli.props import Pair, all_arguments, device_pairs
from virtmem_cli.rules import CHECKS, Check, judge
from virtmem_cli.target import Target

if TYPE_CHECKING:  # imported where there is something to say, which most conversions have not
    from virtmem_cli.document.schema import Schema
    from virtmem_cli.document.source import Source
    from virtmem_cli.settings import Settings

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


class Judgement(NamedTuple):
    """What is to be said of one input; `source` is its text, where it could be read and there are findings."""

    name: str
    findings: tuple[Finding, ...]
    refused: bool
    devices: int
    source: "Source | None"


def convert(
    data: bytes, *, name: str, target: Target, strict: bool = False, settings: "Settings | None" = None
) -> Conversion:
    """Judge and convert one domain; `name` stands for it in messages.

    Comments and settings may silence warnings, never errors. Raises InputRefusedError for what is no domain.
    """
    root = parse_tree(data, name)
    domain, found = _judged(root, target, CHECKS)
    source = _source(found, data, root)
    if found:
        from virtmem_cli.document.comments import suppress, suppressions

        found, _ = suppress(found, suppressions(root), guarded=True, judged=frozenset())
    findings = _settled(found, source, settings, guarded=True)
    findings = tuple(one for one in findings if one.rule.severity is not Severity.ADVICE)  # check's to give
    refused = _refused(findings, strict)
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


def check(
    data: bytes,
    *,
    name: str,
    targets: Sequence[Target],
    strict: bool = False,
    settings: "Settings | None" = None,
    schema: "Schema | None" = None,
) -> Judgement:
    """Judge one domain for each target, with advice; what is no domain is a finding as well.

    A finding that only some of the targets' hosts have names them.
    """
    from virtmem_cli.advice import ADVICE
    from virtmem_cli.document.comments import suppress, suppressions

    try:
        root = parse_tree(data, name)
    except InputRefusedError as error:
        refusal = finding("not-a-domain", 0, error.reason, error.advice)._replace(
            location=Location(error.line, 1, error.line, 1)
        )
        return Judgement(name, (refusal,), True, 0, None)  # whatever the settings: nothing was judged
    checks = {**CHECKS, **ADVICE}
    hosts: dict[Finding, list[str]] = {}
    for target in targets:
        domain, found = _judged(root, target, checks)
        for one in found:
            hosts.setdefault(one, []).append(target.host.name)
    merged = [f if len(names) == len(targets) else f._replace(hosts=tuple(names)) for f, names in hosts.items()]
    if schema is not None:
        merged += schema.judge(root)
    comments = suppressions(root)
    on = {rule for rule in RULES if (settings or {}).get(rule, True) is not None}
    if schema is None:
        on -= {"schema-mismatch"}
    merged, said = suppress(merged, comments, guarded=False, judged=on)
    source = _source([*merged, *said], data, root)
    findings = _settled([*merged, *said], source, settings, guarded=False)
    return Judgement(name, findings, _refused(findings, strict), len(domain.devices), source)


# More rounds than any chain of repairs has links, since a repair may uncover the next problem; and elements to look
# at in all rounds together, which bounds the time for a domain that is far too large.
_ROUNDS = 30
_MOST_LOOKS = 40_000


def fix(data: bytes, *, name: str, unsafe: bool, **how: Any) -> tuple[bytes, int]:
    """Make the repairs of all that `check` finds, again until nothing changes; gives the bytes and how many were made.

    `how` is what `check` takes beside. Only what is repaired changes. Raises VirtmemError where the text cannot be
    written as it was read, so that more would.
    """
    from virtmem_cli.document.repair import repaired

    made = 0
    for round_ in range(1, _ROUNDS + 1):
        judgement = check(data, name=name, **how)
        repairs = [one.repair for one in judgement.findings if one.repair and (unsafe or one.repair.safe)]
        if judgement.source is None or not repairs:
            return data, made
        if len(repairs) >= MOST_FINDINGS:
            break
        source = judgement.source
        if source.text.encode(source.encoding, errors="replace") != data:
            raise VirtmemError(f"{name}: cannot be repaired: {source.encoding} does not give back the same bytes")
        text, number = repaired(source, repairs)
        if text == source.text:
            return data, made
        data, made = text.encode(source.encoding), made + number
        if round_ * len(source.tags) > _MOST_LOOKS:
            break
    raise VirtmemError(f"{name}: cannot be repaired: after {made} repairs there is still something to repair")


def _judged(root: Element, target: Target, checks: Mapping[str, Check]) -> tuple[Domain, list[Finding]]:
    domain, found = parse_domain(root, target.host.arch)
    if domain.devices:
        return domain, list(dict.fromkeys([*found, *judge(domain, target, checks)]))
    # nothing here to judge, unless the device is there under a misspelt name or in the wrong place
    meant = {place for place, element in enumerate(root.iter(etree.Element)) if element.get("model") == "virtio-mem"}
    return domain, [one for one in found if one.rule.id == "memory-model" or one.place in meant]


def _source(found: Sequence[Finding], data: bytes, root: Element) -> "Source | None":
    if not found:
        return None
    from virtmem_cli.document.source import Source

    return Source(data, root)


def _settled(
    found: Iterable[Finding], source: "Source | None", settings: "Settings | None", *, guarded: bool
) -> tuple[Finding, ...]:
    """The findings as the settings want them, with their locations, by line and then by rule."""
    if source is not None:
        found = [one._replace(location=source.locate(one.place)) for one in found]
    if settings:
        from virtmem_cli.settings import apply

        found = apply(settings, found, guarded=guarded)
    return tuple(sorted(found, key=lambda f: (f.location.line, f.rule.id, f.place, f.message)))


def _refused(findings: Iterable[Finding], strict: bool) -> bool:
    refusing = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    return any(one.rule.severity in refusing for one in findings)
