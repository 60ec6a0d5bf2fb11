"""Bytes to the bytes repaired: the repairs of all that `check` finds, again until nothing changes.

No repair is trusted. What it makes is parsed and judged again before anything is written, and the repair is left out,
and told, where the result cannot be read, where it changed a value that it does not name, where an error is there that
was not, or where a safe one changed what the guest of an accepted domain gets.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, get_args

from lxml import etree

from virtmem_cli.argv import TooLongError, arguments
from virtmem_cli.document.repair import Repaired, kept, repaired
from virtmem_cli.document.source import Source
from virtmem_cli.domain import Domain
from virtmem_cli.errors import VirtmemError
from virtmem_cli.findings import Severity
from virtmem_cli.judgement import Judgement, Look, Terms, look
from virtmem_cli.props import all_arguments
from virtmem_cli.registry import ADVICE
from virtmem_cli.rules.judges import JUDGES
from virtmem_cli.settle import Settled, settle
from virtmem_cli.target import Scope, Target
from virtmem_cli.told import ReportedEdit, Told

# Elements to look at in all looks together, and what a look counts beside them, so that what is small ends as well.
MOST_LOOKED_AT, _LOOK, _BYTES = 100_000, 200, 150
# What a repair is known by, whatever has become of the text
Key = tuple[object, ...]
_JUDGED = frozenset(rule.id for rule in (*JUDGES, *ADVICE))
_ERRORS = [rule for rule in JUDGES if rule.severity is Severity.ERROR]


class Fixed(NamedTuple):
    """What came of the repairs: the bytes, how many were made, and the judgements before and after them.

    `left_out` has a sentence for each repair that was not made since it would have done harm. `edits` are those of the
    repairs that were made, in order; `origins` tells of each element at the end which it was at first. Elements go by
    their numbers at first, None for one that was added.
    """

    data: bytes
    made: int
    before: Judgement
    after: Judgement
    left_out: tuple[str, ...] = ()
    edits: tuple[tuple[int | None, ReportedEdit], ...] = ()
    origins: Sequence[int | None] = ()


class _Text(NamedTuple):
    """The domain at one time: its bytes, how they are judged, how many repairs they have, what its elements were."""

    data: bytes
    look: Look
    made: int
    origins: Sequence[int | None]
    edits: tuple[tuple[int | None, ReportedEdit], ...] = ()


def fix(data: bytes, name: str, terms: Terms, *, unsafe: bool) -> Fixed:
    """Make the repairs of all that `check` finds, again until nothing changes; without `unsafe` the safe ones alone.

    Only what is repaired changes. Raises VirtmemError where not all is found, where the text cannot be written as it
    was read, or where there is no end of repairs.
    """
    return _Fixing(data, name, terms, unsafe=unsafe).fixed()


class _Fixing:
    def __init__(self, data: bytes, name: str, terms: Terms, *, unsafe: bool) -> None:
        self.name, self.terms, self.unsafe = name, terms, unsafe
        self.looked_at = 0
        first = self.look(data, 0)
        source = first.judgement.source
        self.first = _Text(data, first, 0, range(len(source.numbers) if source else 0))
        # Why repairs were left out, each by its key; those that are so now, and the elements of those that rename
        self.reasons: dict[Key, str] = {}
        self.left_out: set[Key] = set()
        self.closed: set[int | None] = set()

    def fixed(self) -> Fixed:
        text = tried = self.first
        while True:
            while chosen := self.next(text):
                if text is self.first:
                    self.admit()
                text = self.advance(text, chosen)
            if not self.left_out or text is tried:
                break
            # What did harm may do none beside what was repaired since
            tried = text
            self.left_out.clear()
            self.closed.clear()
        before, after = self.first.look.judgement, text.look.judgement
        return Fixed(text.data, text.made, before, after, tuple(self.told(text)), text.edits, text.origins)

    def told(self, text: _Text) -> Iterator[str]:
        """What is to be said of the repairs that were left out."""
        for one in text.look.told:
            if one.finding.problem.repair and (reason := self.reasons.get(self.key(text, one))):
                where = f"{self.name}:{one.reported.location.line}"
                yield f"{where}: {one.reported.rule} is not repaired: {reason}"

    def admit(self) -> None:
        """See that the domain can be repaired at all; raises VirtmemError."""
        cut, source = self.first.look.cut, self.first.look.judgement.source
        if cut is not None:
            raise self.trouble(f"{cut.id} finds more than is named")
        if source is not None and source.text.encode(source.encoding, errors="replace") != self.first.data:
            raise self.trouble(f"{source.encoding} does not give back the same bytes")

    def trouble(self, words: str) -> VirtmemError:
        return VirtmemError(f"{self.name}: cannot be repaired: {words}")

    def look(self, data: bytes, made: int) -> Look:
        """Judge a text; raises VirtmemError where enough was looked at."""
        if self.looked_at > MOST_LOOKED_AT:
            raise self.trouble(f"after {made} repairs there is still something to repair")
        looked = look(data, self.name, self.terms)
        source = looked.judgement.source
        elements = len(source.numbers) if source else 0
        self.looked_at += (_LOOK + len(data) // _BYTES + elements) * len(self.terms.targets)
        return looked

    def next(self, text: _Text, waiting: Collection[Key] = ()) -> list[Told]:
        """What is repaired next, as far as it goes together: names first, then what is misread, then what is judged.

        Each of these depends on the former. Repairs that are `waiting` are for another time.
        """
        source = text.look.judgement.source
        stages: tuple[list[Told], ...] = ([], [], [])
        for one in text.look.told if source else ():
            repair = one.finding.problem.repair
            if repair is None or not (self.unsafe or one.reported.safe):
                continue
            if (key := self.key(text, one)) in self.left_out or key in waiting:
                continue
            if not self.closed.isdisjoint(text.origins[edit.element] for edit in one.reported.edits):
                self.reasons.setdefault(key, "a name there could not be repaired, by which it may say something else")
            else:
                stages[0 if repair.renames else 2 if one.finding.rule.id in _JUDGED else 1].append(one)
        for stage in stages:
            its = _repaired(source, stage) if source and stage else None
            if its and source and its.text != source.text:
                made = frozenset(its.made)
                return [one for one in stage if one.finding.problem.repair in made]
        return []

    def key(self, text: _Text, one: Told) -> Key:
        """A repair, whatever has become of the text."""
        return one.reported.rule, *((edit.part, edit.name, text.origins[edit.element]) for edit in one.reported.edits)

    def advance(self, text: _Text, chosen: list[Told], waiting: frozenset[Key] = frozenset()) -> _Text:
        """The text with these repairs made, and those that follow from them; or with fewer, if they did harm."""
        after = self.chain(text, chosen, waiting)
        if isinstance(after, _Text):
            return after
        if len(chosen) > 1:
            others = frozenset([self.key(text, one) for one in chosen[len(chosen) // 2 :]])
            text = self.advance(text, chosen[: len(chosen) // 2], waiting | others)
            rest = [one for one in self.next(text, waiting) if self.key(text, one) in others]
            return self.advance(text, rest, waiting) if rest else text
        [one] = chosen
        self.left_out.add(self.key(text, one))
        self.reasons[self.key(text, one)] = after
        if one.finding.problem.repair and one.finding.problem.repair.renames:
            self.closed.update(text.origins[edit.element] for edit in one.reported.edits)
        return text

    def chain(self, text: _Text, chosen: list[Told], waiting: Collection[Key]) -> _Text | str:
        """The text with these repairs, and with those that come of them for as long as it is worse than at first."""
        while True:
            after = self.make(text, chosen)
            if isinstance(after, str):
                return after
            worse = self.worse(after)
            if not worse:
                return after
            text, chosen = after, self.next(after, waiting)
            if not chosen:
                return worse

    def make(self, text: _Text, chosen: list[Told]) -> _Text | str:
        """The text with these repairs, or what is wrong with it."""
        source, root = text.look.judgement.source, text.look.root
        assert source is not None
        assert root is not None
        its = _repaired(source, chosen)
        repairs, made = frozenset(its.made), text.made + len(its.made)
        try:
            data = its.text.encode(source.encoding)
        except UnicodeEncodeError:
            return f"{source.encoding} cannot write it"
        its = its._replace(text="")  # which may be large, and is in the bytes
        looked = self.look(data, made)
        if looked.root is None:
            return f"what comes of it cannot be read: {looked.judgement.findings[0].message}"
        changed = kept(list(source.numbers), list(looked.root.iter(etree.Element)), its)
        if changed is not None:
            return f"it would change <{changed.tag!s}> as well"
        origins = [None if number is None else text.origins[number] for number in its.origins]
        edits = [
            (text.origins[edit.element], edit)
            for one in chosen
            if one.finding.problem.repair in repairs
            for edit in one.reported.edits
        ]
        return _Text(data, looked, made, origins, (*text.edits, *edits))

    def worse(self, text: _Text) -> str:
        """What is worse in the text than at first, or ''."""
        after = Counter((rule, text.origins[number], host) for rule, number, host in text.look.errors)
        if new := after - Counter(self.first.look.errors):
            return f"with it {min(rule for rule, _, _ in new)} would be an error"
        for rule, number in sorted(text.look.quiet):
            if (rule, text.origins[number]) in self.heard:
                return f"with it a comment would silence {rule}"
        if not self.unsafe and self.before - self.gets(text.look):
            return "with it the guest would get something else"
        return ""

    @cached_property
    def heard(self) -> set[tuple[str, int | None]]:
        """What is told at first, by rule and element."""
        return {(one.reported.rule, one.reported.element) for one in self.first.look.told}

    @cached_property
    def before(self) -> set[tuple[str, Scope, tuple[str, ...]]]:
        return self.gets(self.first.look)

    def gets(self, looked: Look) -> set[tuple[str, Scope, tuple[str, ...]]]:
        """What the guest gets on each host for which the domain has arguments at first: those of each scope."""
        refused = {host for _, _, host in self.first.look.errors}
        return {
            (target.host.name, scope, _arguments(settled))
            for target in self.terms.targets
            if target.host.name not in refused
            for scope in get_args(Scope)
            if (settled := _accepted(looked.domains[target.host.arch], target._replace(scope=scope)))
        }


def _repaired(source: Source, chosen: Iterable[Told]) -> Repaired:
    return repaired(source, [repair for one in chosen if (repair := one.finding.problem.repair)])


def _arguments(settled: Settled) -> tuple[str, ...]:
    """Its arguments, none where no process could be started with them."""
    try:
        return arguments(all_arguments(settled), settled.target.qemu)
    except TooLongError:
        return ()


def _accepted(domain: Domain, target: Target) -> Settled | None:
    """The domain settled, where it is accepted."""
    settled = settle(domain, target) if domain.devices else None
    return None if settled is None or any(True for rule in _ERRORS for _ in rule.find(settled)) else settled
