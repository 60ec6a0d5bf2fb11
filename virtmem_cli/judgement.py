"""Bytes to a judgement for one target or several, with advice; and to the bytes repaired, with the judgement after.

`check` goes the way of a conversion to the findings alone. `fix` makes their repairs and judges again, until nothing
changes; what comes of that is what it gives, so that nobody has to ask again.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from virtmem_cli.conversion import about_virtio_mem
from virtmem_cli.document.repair import repaired
from virtmem_cli.document.source import Source
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.domain import Domain
from virtmem_cli.errors import InputRefusedError, VirtmemError
from virtmem_cli.findings import MOST_FINDINGS, AnyRule, Finding, Findings, Repair
from virtmem_cli.parse import parse_domain
from virtmem_cli.registry import ADVICE, RULES
from virtmem_cli.rules import reading
from virtmem_cli.rules.judges import JUDGES
from virtmem_cli.settings import Settings
from virtmem_cli.settle import settle
from virtmem_cli.target import Target
from virtmem_cli.text import printable
from virtmem_cli.told import Reported, is_refused, no_domain, tell_all

if TYPE_CHECKING:
    from virtmem_cli.document.schema import Schema


class Terms(NamedTuple):
    """What a domain is judged by: for which targets, whether a warning refuses, which rules speak, and a schema."""

    targets: Sequence[Target] = (Target(),)
    strict: bool = False
    settings: Settings | None = None
    schema: "Schema | None" = None


class Judgement(NamedTuple):
    """What is to be said of one input; `source` is its text, where it could be read and there are findings."""

    name: str
    findings: tuple[Reported, ...]
    refused: bool
    devices: int
    source: Source | None


class Fixed(NamedTuple):
    """What came of the repairs: the bytes, how many were made, and the judgements before and after them."""

    data: bytes
    made: int
    before: Judgement
    after: Judgement


def check(data: bytes, name: str, terms: Terms) -> Judgement:
    """Judge one domain for each target, with advice; what is no domain is a finding as well.

    A finding that only some of the targets' hosts have names them.
    """
    return _judge(data, name, terms)[0]


class _Repairs(NamedTuple):
    """The repairs of what was found; not all of them where a rule was cut off."""

    repairs: list[Repair]
    cut: AnyRule | None = None


def _judge(data: bytes, name: str, terms: Terms) -> tuple[Judgement, _Repairs]:
    """The judgement, and the repairs of its findings."""
    try:
        root = parse_tree(data, name)
    except InputRefusedError as error:
        refusal = no_domain(error.reason, error.advice, error.line)
        return Judgement(name, (refusal,), refused=True, devices=0, source=None), _Repairs([])
    read: dict[str, tuple[Domain, Findings]] = {}  # by what libvirt takes where <type arch> is absent
    hosts: dict[Finding, list[str]] = {}
    cut: AnyRule | None = None
    for target in terms.targets:
        if target.host.arch not in read:
            read[target.host.arch] = parse_domain(root, target.host.arch)
        domain, found = read[target.host.arch]
        for one in about_virtio_mem(root, domain, found):
            hosts.setdefault(one, []).append(target.host.name)
        judged = _judged(domain, target)
        cut = cut or found.cut or judged.cut
        for one in judged:
            hosts.setdefault(one, []).append(target.host.name)
    merged = {one: () if len(names) == len(terms.targets) else tuple(names) for one, names in hosts.items()}
    if terms.schema is not None:
        misfits = Findings()
        for element, words in terms.schema.misfits(root):
            misfits.say(reading.schema_mismatch, element, words, terms.schema.path)
        merged |= dict.fromkeys(misfits, ())
    on = {rule for rule in RULES if (terms.settings or {}).get(rule, True) is not None}
    if terms.schema is None:
        on.discard(reading.schema_mismatch.id)
    sources: list[Source] = []

    def source() -> Source:
        if not sources:
            sources.append(Source(data, root))
        return sources[0]

    told = tell_all(merged, source, root, terms.settings, judged=on)
    findings = tuple([one.reported for one in told])
    refused = is_refused(findings, strict=terms.strict)
    judgement = Judgement(name, findings, refused, len(domain.devices), source() if told else None)
    return judgement, _Repairs([repair for one in told if (repair := one.finding.problem.repair)], cut)


def _judged(domain: Domain, target: Target) -> Findings:
    """What the rules and advice find for one target."""
    found = Findings()
    if domain.devices:
        settled = settle(domain, target)
        for rule in (*JUDGES, *ADVICE):
            found.add(rule, rule.find(settled))
    return found


# More rounds than any chain of repairs has links, since a repair may uncover the next problem; and elements to look
# at in all rounds together, which bounds the time for a domain that is far too large.
_ROUNDS = 30
_MOST_LOOKS = 40_000


def fix(data: bytes, name: str, terms: Terms, *, unsafe: bool) -> Fixed:
    """Make the repairs of all that `check` finds, again until nothing changes; without `unsafe` the safe ones alone.

    Only what is repaired changes. Raises VirtmemError where the text cannot be written as it was read, so that more
    would.
    """
    made = 0
    before: Judgement | None = None
    for round_ in range(1, _ROUNDS + 1):
        judgement, (repairs, cut) = _judge(data, name, terms)
        before = before or judgement
        repairs = [repair for repair in repairs if unsafe or repair.safe]
        if judgement.source is None or not repairs:
            return Fixed(data, made, before, judgement)
        if cut is not None:
            raise VirtmemError(
                f"{printable(name)}: cannot be repaired: {cut.id} finds more than the {MOST_FINDINGS} that are named"
            )
        source = judgement.source
        if source.text.encode(source.encoding, errors="replace") != data:
            words = f"{printable(source.encoding)} does not give back the same bytes"
            raise VirtmemError(f"{printable(name)}: cannot be repaired: {words}")
        text, number = repaired(source, repairs)
        if text == source.text:
            return Fixed(data, made, before, judgement)
        data, made = text.encode(source.encoding), made + number
        if round_ * len(source.tags) > _MOST_LOOKS:
            break
    raise VirtmemError(
        f"{printable(name)}: cannot be repaired: after {made} repairs there is still something to repair"
    )
