"""The package for programs: plain arguments in, documented records out. See docs/python.md.

Takes text or bytes and names as the command line has them; gives records without anything of the tree. What cannot be
read as a domain at all is a finding like any other; what is wrong with the arguments is a ValueError.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from virtmem_cli import conversion, judgement
from virtmem_cli.errors import InputRefusedError, UsageError
from virtmem_cli.settle import Settled
from virtmem_cli.target import HOSTS, NEWEST, Qemu, Scope, Target, qemu_of_version, show
from virtmem_cli.target import Host as Host
from virtmem_cli.text import meant, quoted
from virtmem_cli.told import Reported, no_domain

NEWEST_QEMU = show(NEWEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem. `severity` is 'error', 'warning' or 'advice'; an error refuses the domain.

    `refuses` says who refuses it: 'libvirt', 'qemu', 'both', 'never' (libvirt refuses, QEMU starts and never
    converges), 'ours' (it cannot be converted) or 'nobody'. Lines and columns count from 1; columns in characters, the
    end not part of it. `hosts` are the names of the hosts that have the problem, () for all. `fix` is 'safe' or
    'unsafe' where `virtmem check --fix` could repair it, else None.
    """

    rule: str
    severity: Literal["error", "warning", "advice"]
    refuses: str
    message: str
    advice: str
    line: int
    column: int
    end_line: int
    end_column: int
    hosts: tuple[str, ...] = ()
    fix: Literal["safe", "unsafe"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a memory device is in the guest's physical address space; `device` is its alias, QEMU's id.

    `address`, `size` and `alignment` are in bytes; `address` is None where no gap is left for it.
    """

    device: str
    address: int | None
    size: int
    alignment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What came of a domain: QEMU's arguments, or, where it is refused, none.

    `name` is the input's, as it was given. `argv` is empty, too, for a domain without virtio-mem. `placements` are
    those of all its memory devices, in the order of the XML; () where too little could be read.
    """

    name: str
    argv: tuple[str, ...]
    findings: tuple[Finding, ...]
    refused: bool
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is to be said of a domain; `name` is the input's, as it was given.

    `devices` is how many virtio-mem devices it has.
    """

    name: str
    findings: tuple[Finding, ...]
    refused: bool
    devices: int


def convert(
    xml: str | bytes,
    *,
    name: str = "<domain>",
    qemu: str = NEWEST_QEMU,
    host: str | Host = "libvirt",
    scope: Scope = "devices",
    strict: bool = False,
) -> Conversion:
    """Convert libvirt's domain XML to QEMU's arguments, as `virtmem xml2argv` does.

    `name` is what the record goes by; `qemu` is a version such as '7.2'; `host` one of those that
    `virtmem xml2argv --help` names; `scope` is 'devices', 'memory' or 'machine'. With `strict`, warnings refuse, too.
    Raises ValueError for an argument that is none of these.
    """
    target = Target(qemu=_qemu(qemu), host=_host(host), scope=_scope(scope))
    try:
        done = conversion.convert(_bytes(xml), name, target, strict=strict)
    except InputRefusedError as error:
        refusal = no_domain(error.reason, error.advice, error.line)
        return Conversion(name=name, argv=(), findings=(_finding(refusal),), refused=True, placements=())
    return Conversion(
        name=name,
        argv=done.argv,
        findings=tuple(_finding(one) for one in done.findings),
        refused=done.refused,
        placements=_placements(done.settled),
    )


def check(
    xml: str | bytes,
    *,
    name: str = "<domain>",
    qemu: str = NEWEST_QEMU,
    host: str | Host | Sequence[str | Host] = "libvirt",
    scope: Scope = "devices",
    strict: bool = False,
) -> Judgement:
    """Judge libvirt's domain XML, as `virtmem check` does: all that is wrong with it, and advice.

    The arguments are those of `convert`; `host` may be several, and then a finding that not all have names its own.
    """
    hosts = tuple(
        _host(one) for one in (host if isinstance(host, list | tuple) and not isinstance(host, Host) else [host])
    )
    if not hosts:
        raise ValueError("host: name one at least")
    version, wanted = _qemu(qemu), _scope(scope)
    targets = [Target(qemu=version, host=one, scope=wanted, hosts=hosts) for one in hosts]
    done = judgement.check(_bytes(xml), name, judgement.Terms(targets=targets, strict=strict))
    return Judgement(
        name=name, findings=tuple(_finding(one) for one in done.findings), refused=done.refused, devices=done.devices
    )


def _bytes(xml: object) -> bytes:
    """The document as bytes; text is UTF-8, whatever encoding it declares. Raises ValueError for neither."""
    if isinstance(xml, bytes | bytearray | memoryview):
        return bytes(xml)
    if not isinstance(xml, str):
        raise ValueError(f"xml is {quoted(repr(xml))}: give text or bytes")
    from virtmem_cli.document.encoding import in_utf8

    return in_utf8(xml)


def _qemu(version: object) -> Qemu:
    try:
        return qemu_of_version(version if isinstance(version, str) else "")
    except UsageError:
        raise ValueError(f"qemu {quoted(str(version))}: write MAJOR.MINOR, such as {NEWEST_QEMU}") from None


def _host(host: object) -> Host:
    if isinstance(host, Host):
        return host
    if not isinstance(host, str) or host not in HOSTS:
        hint = meant(str(host), HOSTS, f"known are {', '.join(HOSTS)}")
        raise ValueError(f"host {quoted(str(host))}: there is no such host; {hint}")
    return HOSTS[host]


def _scope(scope: Scope) -> Scope:
    if not isinstance(scope, str) or scope not in get_args(Scope):
        raise ValueError(f"scope {quoted(str(scope))}: write one of {', '.join(get_args(Scope))}")
    return scope


def _finding(one: Reported) -> Finding:
    line, column, end_line, end_column = one.location
    return Finding(
        rule=one.rule,
        severity=one.severity.value,
        refuses=one.refuses.value,
        message=one.message,
        advice=one.advice,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        hosts=one.hosts,
        fix=None if one.safe is None else "safe" if one.safe else "unsafe",
    )


def _placements(settled: Settled | None) -> tuple[Placement, ...]:
    layout = settled.layout if settled is not None else None
    return tuple(
        Placement(device=one.device.alias, address=one.address, size=one.size, alignment=one.alignment)
        for one in (layout.placements if layout else ())
    )
