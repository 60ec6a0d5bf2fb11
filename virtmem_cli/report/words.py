"""Words that several formats have: who refuses, a finding as prose, what is silenced, and what could not be read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from virtmem_cli.findings import Refuses
from virtmem_cli.text import printable
from virtmem_cli.told import Reported, Silenced

if TYPE_CHECKING:
    from virtmem_cli.judgement import Judgement

# Who refuses, in the words that advice begins with.
WHO: Mapping[Refuses, str] = {
    Refuses.LIBVIRT: "libvirt refuses",
    Refuses.QEMU: "QEMU refuses",
    Refuses.BOTH: "libvirt and QEMU refuse",
    Refuses.NEVER: "libvirt refuses, QEMU starts and never converges",
    Refuses.OURS: "cannot be converted",
    Refuses.NOBODY: "works, but",
}
# The same in the words that end a sentence.
CLAUSES: Mapping[Refuses, str] = {
    Refuses.LIBVIRT: "libvirt refuses it",
    Refuses.QEMU: "libvirt takes it, QEMU refuses it",
    Refuses.BOTH: "libvirt and QEMU refuse it",
    Refuses.NEVER: "libvirt refuses it, QEMU starts and never converges",
    Refuses.OURS: "it cannot be converted",
    Refuses.NOBODY: "nobody refuses it",
}


class Failure(NamedTuple):
    """An input of which nothing can be said, and why; `failed` makes it."""

    name: str
    words: str


def failed(name: str, words: str) -> Failure:
    """The failure of an input; the words are made harmless here, whoever has put its name into them."""
    return Failure(name, printable(words))


def message(finding: Reported) -> str:
    """What is wrong, with the hosts that it is wrong on, where they are not all."""
    on = f" (host {', '.join(finding.hosts)})" if finding.hosts else ""
    return f"{finding.message}{on}"


def sentence(finding: Reported) -> str:
    """All of a finding as prose."""
    return f"{message(finding)}. {WHO[finding.refuses]}: {finding.advice}"


def silences(by: Mapping[str, Silenced]) -> Iterator[str]:
    """Lines on what is not told, or less loudly; `by` has the numbers of each configuration, by its path or ''."""
    for path, one in by.items():
        if path:
            lowered = f", {one.lowered} made less severe" if one.lowered else ""
            yield f"configured by {path}: {_findings(one.configuration)} silenced{lowered}"
    if commented := sum([one.comments for one in by.values()]):
        yield f"{_findings(commented)} silenced by comments"


def _findings(number: int) -> str:
    return f"{number or 'no'} finding{'' if number == 1 else 's'}"


class Document(Protocol):
    """A format of judgements: one document for all inputs. `between` stands between two judgements."""

    between: str

    def begin(self) -> str:
        """What comes before the first judgement."""

    def judgement(self, judgement: "Judgement") -> str:
        """The part for one input; '' where there is nothing of it in the document."""

    def end(self, failures: Sequence[Failure]) -> str:
        """What comes after the last judgement; `failures` are the inputs without one."""
