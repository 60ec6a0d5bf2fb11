"""What can be said of a domain: a rule, the problem that it finds, the repair, and the one place that collects them.

A finding is data: the rule, the element, what is wrong and what to write instead. Who finds does not print. A finding
as a rule gives it speaks of an element of the tree; as it is reported, it speaks of lines and columns: see `told`.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, TypeVar

from virtmem_cli.units import LARGEST

if TYPE_CHECKING:
    from lxml.etree import _Element as Element
else:
    Element = Any


class Severity(Enum):
    """ERROR: no arguments are given. WARNING: arguments are given, and are not what the XML seems to say.

    ADVICE: all is as it should be, and there is something to know; only `check` speaks of it.
    """

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


class Refuses(Enum):
    """Who refuses what the rule finds.

    NEVER: libvirt does, and QEMU starts and never converges. OURS: it cannot be converted.
    """

    LIBVIRT = "libvirt"
    QEMU = "qemu"
    BOTH = "both"
    NEVER = "never"
    OURS = "ours"
    NOBODY = "nobody"


class Part(Enum):
    """What of an element an edit changes.

    SIZE is its text, or the attribute of that name, as a size with the attribute 'unit' beside it; the value is in
    bytes. BEFORE and INSIDE add an element before it, or as its last child; REMOVE takes it away.
    """

    TEXT = "text"
    SIZE = "size"
    TAG = "tag"
    ATTRIBUTE = "attribute"
    ATTRIBUTE_NAME = "attribute-name"
    BEFORE = "before"
    INSIDE = "inside"
    REMOVE = "remove"


class Edit(NamedTuple):
    """One change of the XML: what of which element, the attribute's name where it is one, and the new value."""

    element: Element
    part: Part
    value: str
    name: str = ""


class Repair(NamedTuple):
    """What makes a problem go away.

    Safe: a domain that is accepted gives the guest the same as before, and one that is refused what it meant to give.
    """

    edits: tuple[Edit, ...]
    safe: bool

    @property
    def renames(self) -> bool:
        """Whether libvirt hears then what it passed over, which changes the guest of a domain that is accepted."""
        return any(edit.part in (Part.TAG, Part.ATTRIBUTE_NAME) for edit in self.edits)

    def is_safe(self, *, accepted: bool) -> bool:
        """Whether it is safe for a domain that is accepted as it stands, or for one that is not."""
        return self.safe and not (accepted and self.renames)


def safe(element: Element, part: Part, value: str | int = "", name: str = "") -> Repair | None:
    """A repair of one edit that is safe, where it can be made."""
    return repair(Edit(element, part, str(value), name), safe=True)


def unsafe(element: Element, part: Part, value: str | int = "", name: str = "") -> Repair | None:
    """A repair of one edit that changes what the guest gets, where it can be made."""
    return repair(Edit(element, part, str(value), name), safe=False)


def repair(*edits: Edit, safe: bool) -> Repair | None:
    """A repair; None for a size that libvirt cannot read, and for the text of an element that has others in it."""
    for edit in edits:
        if edit.part is Part.SIZE and int(edit.value) > LARGEST:
            return None
        own_text = edit.part is Part.TEXT or (edit.part is Part.SIZE and not edit.name)
        if own_text and next(edit.element.iterchildren("*"), None) is not None:
            return None
    return Repair(edits, safe)


class Problem(NamedTuple):
    """What a rule finds: `message` names element, value and limit; `advice` is a sentence that says what to write."""

    element: Element
    message: str
    advice: str
    repair: Repair | None = None


Problems = Iterator[Problem]


P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class Rule(Generic[P, R]):
    """One rule: its name, never reused for another, and the function that finds its problems.

    A rule that `parse` or a comment raises finds one Problem in what it is given; the others find all in a Settled.
    """

    __slots__ = ("find", "id", "refuses", "severity", "title")

    def __init__(self, severity: Severity, refuses: Refuses, title: str, find: Callable[P, R]) -> None:
        self.id = find.__name__.replace("_", "-")
        self.severity, self.refuses, self.title, self.find = severity, refuses, title, find

    def __repr__(self) -> str:
        return f"<rule {self.id}>"


AnyRule = Rule[..., object]


def rule(severity: Severity, refuses: Refuses, title: str) -> Callable[[Callable[P, R]], Rule[P, R]]:
    """Make a rule of a function, whose name with '-' for '_' is the rule's."""
    return lambda find: Rule(severity, refuses, title, find)


class Finding(NamedTuple):
    """A problem, and the rule that found it."""

    rule: AnyRule
    problem: Problem


# Findings of one rule that are named for one domain, and of all together. A rule that comes later names its first one
# all the same, so that nothing goes unsaid that refuses a domain.
MOST_FINDINGS = 1000
MOST_TOGETHER = 5000


class Findings:
    """What was found in one domain, in order: of each rule as many as tell something new, each once."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}
        self._counts: dict[str, int] = {}
        self._full: set[str] = set()
        # The first rule that had more to say than is named
        self.cut: AnyRule | None = None

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def room(self, rule: AnyRule) -> int:
        """How many more findings of the rule would be named."""
        count = self._counts.get(rule.id, 0)
        return max(0, min(MOST_FINDINGS - count, max(MOST_TOGETHER - len(self._found), int(not count))))

    def say(self, rule: Rule[P, Problem], *about: P.args, **more: P.kwargs) -> None:
        """Find one problem by a rule, if there is room for it."""
        if rule.id not in self._full:
            self.add(rule, (rule.find(*about, **more),))

    def add(self, rule: AnyRule, problems: Iterable[Problem]) -> None:
        """Take the problems that a rule finds, until there are enough of them."""
        for problem in problems:
            finding = Finding(rule, problem)
            if finding in self._found:
                continue
            if not self.room(rule):
                self._cut(rule, problem.element)
                return
            self._counts[rule.id] = self._counts.get(rule.id, 0) + 1
            self._found[finding] = None

    def _cut(self, rule: AnyRule, element: Element) -> None:
        """Say once that the rule finds more than is named."""
        self.cut = self.cut or rule
        if rule.id not in self._full:
            self._full.add(rule.id)
            number = self._counts[rule.id]
            named = (f"the first {number} are named", "Begin with those.")
            words, advice = named if number > 1 else ("the first is named", "Begin with that.")
            problem = Problem(element, f"there are more of these: {words}", advice)
            self._found[Finding(rule, problem)] = None
