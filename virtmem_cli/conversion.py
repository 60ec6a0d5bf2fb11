"""The whole way of one domain: bytes and a target to arguments, or to what refuses them.

bytes -> tree -> Domain -> Settled -> findings -> properties -> argv
         document parse    settle     rules       props         argv
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from virtmem_cli.argv import TooLongError, arguments
from virtmem_cli.document.tree import parse_tree
from virtmem_cli.document.value import Element
from virtmem_cli.domain import Domain
from virtmem_cli.errors import InputRefusedError
from virtmem_cli.findings import Finding, Findings
from virtmem_cli.parse import parse_domain
from virtmem_cli.props import all_arguments
from virtmem_cli.rules import reading
from virtmem_cli.rules.judges import JUDGES, Judge
from virtmem_cli.settle import Settled, settle
from virtmem_cli.target import Target

if TYPE_CHECKING:
    from virtmem_cli.settings import Settings
    from virtmem_cli.told import Reported, Silenced


class Conversion(NamedTuple):
    """What came of one input. Refused: error findings (with `strict`, any), and then there is no argv.

    `devices` is how many virtio-mem devices the domain has, refused or not; `settled` what is settled of it, where it
    has any. `silenced` is what configuration and comments silence, or None for nothing.
    """

    findings: "tuple[Reported, ...]"
    refused: bool
    devices: int
    argv: tuple[str, ...]
    settled: Settled | None
    silenced: "Silenced | None" = None


def convert(
    data: bytes, name: str, target: Target, *, strict: bool = False, settings: "Settings | None" = None
) -> Conversion:
    """Judge and convert one domain; `name` stands for it in messages.

    Comments and settings may silence warnings, never errors. Raises InputRefusedError for what is no domain, or
    too large for a process.
    """
    root = parse_tree(data, name)
    domain, found = parse_domain(root, target.host.arch)
    settled = None
    if domain.devices:
        settled = settle(domain, target)
        for rule in (*JUDGES, *_raised(settings)):
            found.add(rule, rule.find(settled))
    told: tuple[Reported, ...] = ()
    refused, silenced = False, None
    if heard := about_virtio_mem(root, domain, found):
        from virtmem_cli.document.source import Source  # where there is something to say, which is seldom
        from virtmem_cli.told import Silenced, is_refused, tell

        source = Source(data, root)
        spoken, off, commented, _ = tell(dict.fromkeys(heard, ()), source, root, settings)
        told = tuple([one.reported for one in spoken])
        silenced = Silenced(sum(off.values()), commented) if off or commented else None
        refused = is_refused(told, strict=strict)
    try:
        argv = arguments(all_arguments(settled), target.qemu) if settled and not refused else ()
    except TooLongError as error:
        raise InputRefusedError(name, 1, str(error), "Write shorter aliases.") from None
    return Conversion(told, refused, len(domain.devices), argv, settled, silenced)


def _raised(settings: "Settings | None") -> Iterable[Judge]:
    """The rules of advice that settings make errors or warnings."""
    if not settings:
        return ()
    from virtmem_cli.registry import ADVICE

    return [rule for rule in ADVICE if settings.get(rule.id, rule.severity) not in (None, rule.severity)]


def about_virtio_mem(root: Element, domain: Domain, found: Findings) -> list[Finding]:
    """The findings that matter: all, or in a domain without virtio-mem those that say that it was meant to have one.

    Then it is there under a misspelt name or in the wrong place.
    """
    if domain.devices:
        return list(found)
    meant = {element for element in root.iter("{*}*") if element.get("model") == "virtio-mem"} if found else ()
    return [one for one in found if one.rule is reading.memory_model or one.problem.element in meant]
