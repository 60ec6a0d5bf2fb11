"""Bytes to a judgement for one target or several, with advice: the way of a conversion to the findings alone.

`check` gives what is told of a domain. `look` gives beside it what `fixing` has to know to repair the domain.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from virtmem_cli.conversion import about_virtio_mem
from virtmem_cli.document.source import Source
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.document.value import Element
from virtmem_cli.domain import Domain
from virtmem_cli.errors import InputRefusedError
from virtmem_cli.findings import AnyRule, Finding, Findings, Severity
from virtmem_cli.parse import parse_domain
from virtmem_cli.parse.machine import names_architecture
from virtmem_cli.registry import ADVICE, RULES
from virtmem_cli.rules import reading
from virtmem_cli.rules.judges import JUDGES
from virtmem_cli.settings import Settings
from virtmem_cli.settle import settle
from virtmem_cli.target import Target
from virtmem_cli.told import Reported, Silenced, Told, is_refused, no_domain, refuses, tell_all

if TYPE_CHECKING:
    from virtmem_cli.document.schema import Schema


class Terms(NamedTuple):
    """What a domain is judged by: for which targets, whether a warning refuses, which rules speak, and a schema.

    `configuration` is the path of the file that some of the settings come from, or "", and `configured` what it says.
    """

    targets: Sequence[Target] = (Target(),)
    strict: bool = False
    settings: Settings | None = None
    schema: "Schema | None" = None
    configuration: str = ""
    configured: Settings | None = None


class Judgement(NamedTuple):
    """What is to be said of one input; `source` is its text, where it could be read and there are findings.

    `configuration` is the path of its configuration, or "".
    """

    name: str
    findings: tuple[Reported, ...]
    refused: bool
    devices: int
    source: Source | None
    configuration: str = ""
    silenced: Silenced = Silenced()


class Look(NamedTuple):
    """A judgement, and what it comes of.

    `root` is None where there is no domain; `domains` are what was read, by what libvirt takes where <type arch> is
    absent. `errors` are the errors whatever is silenced: the rule, the element's number and the host. `quiet` is
    what was found and is not told, by rule and element. `cut` is a rule of which not all findings are named.
    """

    judgement: Judgement
    root: Element | None = None
    domains: Mapping[str, Domain] = {}
    told: Sequence[Told] = ()
    errors: tuple[tuple[str, int, str], ...] = ()
    quiet: frozenset[tuple[str, int]] = frozenset()
    cut: AnyRule | None = None


def check(data: bytes, name: str, terms: Terms) -> Judgement:
    """Judge one domain for each target, with advice; what is no domain is a finding as well.

    A finding that only some of the targets' hosts have names them.
    """
    return look(data, name, terms).judgement


def look(data: bytes, name: str, terms: Terms) -> Look:
    """As `check`, with all that the judgement comes of."""
    try:
        root = parse_tree(data, name)
    except InputRefusedError as error:
        refusal = no_domain(error.reason, error.advice, error.line)
        return Look(
            Judgement(name, (refusal,), refused=True, devices=0, source=None, configuration=terms.configuration)
        )
    its = _found(root, terms)
    together = Findings()
    for one in its.hosts:
        together.add(one.rule, (one.problem,))
    for element, words in terms.schema.misfits(root) if terms.schema else ():
        together.say(reading.schema_mismatch, element, words, terms.schema.path if terms.schema else "")
    everywhere = len(terms.targets)
    merged = {one: () if len(on := its.hosts.get(one, ())) in (0, everywhere) else tuple(on) for one in together}
    judged = {rule for rule in RULES if (terms.settings or {}).get(rule, True) is not None}
    if terms.schema is None:
        judged.discard(reading.schema_mismatch.id)
    sources: list[Source] = []

    def source() -> Source:
        if not sources:
            sources.append(Source(data, root))
        return sources[0]

    refused = {host for one, names in its.hosts.items() if refuses(one) for host in names}
    accepted = any(target.host.name not in refused for target in terms.targets)
    told, off, commented, lowered = tell_all(
        merged, source, root, terms.settings, judged=judged, accepted=bool(accepted)
    )
    configured = sum([number for rule, number in off.items() if (terms.configured or {}).get(rule, True) is None])
    findings = tuple([one.reported for one in told])
    judgement = Judgement(
        name,
        findings,
        refused=is_refused(findings, strict=terms.strict),
        devices=len(next(iter(its.domains.values())).devices),
        source=source() if told else None,
        configuration=terms.configuration,
        silenced=Silenced(configured, commented, lowered),
    )
    errors = [
        (one.rule.id, source().numbers[one.problem.element], host)
        for one, names in its.hosts.items()
        if one.rule.severity is Severity.ERROR
        for host in names
    ]
    heard = {one.finding for one in told} if len(told) < len(merged) else merged.keys()
    quiet = [(one.rule.id, source().numbers[one.problem.element]) for one in merged if one not in heard]
    return Look(judgement, root, its.domains, told, tuple(errors), frozenset(quiet), its.cut or together.cut)


class _Found(NamedTuple):
    """What was found, and on which hosts; and what was read, by the hosts' architectures. For `cut` see Look."""

    hosts: Mapping[Finding, Sequence[str]]
    domains: Mapping[str, Domain]
    cut: AnyRule | None


def _found(root: Element, terms: Terms) -> _Found:
    """What is found for each target; what is read is so once for an architecture, or for all where it is named."""
    read: dict[str, tuple[Domain, Findings]] = {}
    named = names_architecture(root)
    hosts: dict[Finding, list[str]] = {}
    domains: dict[str, Domain] = {}
    cut: AnyRule | None = None
    for target in terms.targets:
        default = "" if named else target.host.arch
        if default not in read:
            read[default] = parse_domain(root, default)
        domain, found = read[default]
        domains[target.host.arch] = domain
        judged = _judged(domain, target)
        cut = cut or found.cut or judged.cut
        for one in (*about_virtio_mem(root, domain, found), *judged):
            hosts.setdefault(one, []).append(target.host.name)
    return _Found(hosts, domains, cut)


def _judged(domain: Domain, target: Target) -> Findings:
    """What the rules and advice find for one target."""
    found = Findings()
    if domain.devices:
        settled = settle(domain, target)
        for rule in (*JUDGES, *ADVICE):
            found.add(rule, rule.find(settled))
    return found
