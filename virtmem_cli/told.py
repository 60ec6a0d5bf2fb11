"""Findings to what is told of them: comments and settings silence some or change their severity, all get lines.

Takes the findings of one domain with its tree and bytes; gives them as they are reported, by line and then by rule.
Only a domain with something to say comes here.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from virtmem_cli.document.comments import FORM, Suppression, suppressions
from virtmem_cli.document.source import Location, Source
from virtmem_cli.document.value import Element
from virtmem_cli.findings import Finding, Findings, Refuses, Severity
from virtmem_cli.registry import RULES
from virtmem_cli.rules import reading
from virtmem_cli.settings import Settings
from virtmem_cli.text import nearest, printable

_LOUDEST_FIRST = tuple(Severity)
# A finding to the names of the hosts that have it; () for all that are judged for.
Hosts = Mapping[Finding, tuple[str, ...]]


class ReportedEdit(NamedTuple):
    """An edit of a repair, plain data: the element by its number."""

    element: int
    part: str
    name: str
    value: str


class Reported(NamedTuple):
    """A finding as it is told, plain data: where it is in the text, how severe after all settings, in harmless words.

    `refuses` is who refuses what was found. `hosts` are the hosts that have the problem, where more than one was named
    and not all have it. `element` is the number of the element in the document, from 0; `edits` are the repair's, and
    `safe` is whether it is that, None where there is none.
    """

    rule: str
    severity: Severity
    refuses: Refuses
    message: str
    advice: str
    location: Location
    hosts: tuple[str, ...] = ()
    element: int = 0
    edits: tuple[ReportedEdit, ...] = ()
    safe: bool | None = None


class Told(NamedTuple):
    """A finding, and what is told of it."""

    finding: Finding
    reported: Reported


class Silenced(NamedTuple):
    """How many findings are not told, or less loudly than by themselves.

    `configuration` are those whose rule it has off, `lowered` those whose rule it makes less severe; `comments` are
    those that comments in the XML silence.
    """

    configuration: int = 0
    comments: int = 0
    lowered: int = 0

    def and_of(self, other: "Silenced") -> "Silenced":
        """Those of two inputs together."""
        return Silenced(*map(sum, zip(self, other, strict=True)))


class Heard(NamedTuple):
    """What is told, and how much is not: findings of rules that are off, by rule, and those that comments silence.

    `lowered` counts what is told less loudly than by itself, which no option but a configuration can do.
    """

    told: Sequence[Told] = ()
    off: Mapping[str, int] = {}
    commented: int = 0
    lowered: int = 0


def tell(found: Hosts, source: Source, root: Element, settings: Settings | None) -> Heard:
    """What is told on the way to arguments: no error is ever silenced, and there is no advice."""
    heard, _ = _suppress(found, suppressions(root), source, guarded=True, judged=frozenset())
    levels = {rule: level for rule, level in (settings or {}).items() if RULES[rule].severity is not Severity.ERROR}
    told = _tell({finding: found[finding] for finding in heard}, source, levels, accepted=is_accepted(found))
    told = [one for one in told if one.reported.severity is not Severity.ADVICE]
    # As advice a warning is not told here, which is as good as off
    loud = Counter([one.rule.id for one in heard if one.rule.severity is not Severity.ADVICE])
    return Heard(told, loud - Counter([one.finding.rule.id for one in told]), len(found) - len(heard))


def is_accepted(found: Iterable[Finding]) -> bool:
    """Whether libvirt and QEMU take the domain as it stands, whatever is silenced; what we cannot convert they may."""
    return not any(refuses(finding) for finding in found)


def refuses(finding: Finding) -> bool:
    """Whether libvirt or QEMU refuses what was found."""
    return finding.rule.severity is Severity.ERROR and finding.rule.refuses is not Refuses.OURS


def tell_all(
    found: Hosts,
    source: Callable[[], Source],
    root: Element,
    settings: Settings | None,
    *,
    judged: Set[str],
    accepted: bool,
) -> Heard:
    """What `check` tells: also of comments that silence nothing, where their rule is one of those that were judged.

    `accepted` is whether the domain is taken on some host as it stands. `source` is called only where there is
    something to tell.
    """
    comments = suppressions(root)
    if not found and not comments:
        return Heard()
    heard, said = _suppress(found, comments, source(), guarded=False, judged=judged)
    everything = {finding: found[finding] for finding in heard} | dict.fromkeys(said, ())
    told = _tell(everything, source(), settings or {}, accepted=accepted) if everything else []
    off = Counter([one.rule.id for one in everything if settings and settings.get(one.rule.id, True) is None])
    lowered = sum([is_lowered(one.finding.rule.severity, one.reported.severity) for one in told])
    return Heard(told, off, len(found) - len(heard), lowered)


def is_lowered(own: Severity, told: Severity) -> bool:
    """Whether a finding is told as less severe than it is by itself."""
    return _LOUDEST_FIRST.index(told) > _LOUDEST_FIRST.index(own)


def _tell(found: Hosts, source: Source, settings: Settings, *, accepted: bool) -> list[Told]:
    told = []
    for finding, hosts in found.items():
        severity = settings.get(finding.rule.id, finding.rule.severity)
        if severity is not None:
            told.append(Told(finding, _reported(finding, severity, hosts, source, accepted=accepted)))
    return sorted(
        told, key=lambda t: (t.reported.location.line, t.reported.rule, t.reported.element, t.reported.message)
    )


def _reported(
    finding: Finding, severity: Severity, hosts: tuple[str, ...], source: Source, *, accepted: bool
) -> Reported:
    rule, (element, message, advice, repair) = finding
    return Reported(
        rule=rule.id,
        severity=severity,
        refuses=rule.refuses,
        message=printable(message),
        advice=printable(advice),
        location=source.locate(element),
        hosts=tuple(map(printable, hosts)),
        element=source.numbers[element],
        edits=tuple(
            [
                ReportedEdit(source.numbers[edit.element], edit.part.value, edit.name, edit.value)
                for edit in (repair.edits if repair else ())
            ]
        ),
        safe=repair.is_safe(accepted=accepted) if repair else None,
    )


def no_domain(reason: str, advice: str, line: int) -> Reported:
    """What is told of an input that is no domain, whatever the settings: nothing else of it was judged."""
    rule = reading.not_a_domain
    location = Location(line, 1, line, 1)
    return Reported(rule.id, rule.severity, rule.refuses, printable(reason), printable(advice), location)


def is_refused(told: Iterable[Reported], *, strict: bool) -> bool:
    """Whether the domain is refused for what is told: for an error, and if `strict` for a warning too."""
    refusing = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    return any(one.severity in refusing for one in told)


def _suppress(
    found: Iterable[Finding], comments: Sequence[Suppression], source: Source, *, guarded: bool, judged: Set[str]
) -> tuple[list[Finding], Findings]:
    """The findings that no comment silences, and findings on the comments.

    With `guarded`, errors cannot be silenced: no arguments are to come of a domain that has one.
    """
    findings, said = list(found), Findings()
    number = source.numbers
    # By rule the findings and where they are, in the order of the document; and those that comments cover, as ranges
    by_rule: dict[str, list[tuple[int, int]]] = {}
    for index, finding in enumerate(findings if comments else ()):
        by_rule.setdefault(finding.rule.id, []).append((number[finding.problem.element], index))
    for places in by_rule.values():
        places.sort()
    covered: dict[str, set[tuple[int, int]]] = {}
    for comment in comments:
        first = number[comment.first]
        last = -1 if comment.last is None else number[comment.last]
        for name in comment.names:
            if not comment.understood or name not in RULES:
                near = nearest(name, RULES) if said.room(reading.suppression_unknown) else None
                said.say(reading.suppression_unknown, comment.first, name, near, FORM)
                continue
            suspects = by_rule.get(name, [])
            hit = (bisect_left(suspects, (first, 0)), bisect_left(suspects, (last + 1, 0)))
            if hit[0] >= hit[1] and name in judged:
                said.say(reading.suppression_unused, comment.first, name)
            if not guarded or RULES[name].severity is not Severity.ERROR:
                covered.setdefault(name, set()).add(hit)
    silenced: set[int] = set()
    for name, ranges in covered.items():
        done = 0
        for start, end in sorted(ranges):
            silenced.update(index for _, index in by_rule.get(name, [])[max(start, done) : end])
            done = max(done, end)
    return [one for index, one in enumerate(findings) if index not in silenced], said
