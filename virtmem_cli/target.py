"""What the arguments are for: a QEMU version, by one table of features, and a host, by its profile.

Nothing here looks at a machine: see `host` and `qemu`. Sizes are in bytes.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from virtmem_cli.errors import UsageError
from virtmem_cli.machines import ARCHITECTURES, OTHER, Version
from virtmem_cli.text import quoted
from virtmem_cli.units import (
    GIB,
    KIB,
    MIB,
    NotANumberError,
    TooLargeError,
    UnknownUnitError,
    is_power_of_two,
    parse_bitmap,
    parse_scaled,
)

# devices: the virtio-mem devices. memory: before them all of the guest's memory, and the other memory devices.
# machine: before those the machine, its CPU and PCI controllers, so that QEMU starts.
Scope = Literal["devices", "memory", "machine"]

# What came with which QEMU version. To support a new property, give it a line here and one in `props`.
FEATURES: Mapping[str, Version] = MappingProxyType(
    {
        "object-json": (6, 0),
        "backend-reserve": (6, 1),
        "device-json": (6, 2),
        "device-prealloc": (7, 0),
        "smp-clusters": (7, 0),
        "thread-context": (7, 2),
        "dynamic-memslots": (8, 2),
    }
)
NEWEST: Version = (11, 1)


_ASKED_NOTHING: Mapping[str, bool] = {}


class Qemu(NamedTuple):
    """A QEMU to write arguments for: a version by the table, or a binary that was asked.

    Of a binary, `features` are the answers, which may be for some features only; `arch` is the guest's architecture and
    `drivers` the virtio-mem devices that it has.
    """

    version: Version = NEWEST
    features: Mapping[str, bool] = _ASKED_NOTHING
    arch: str | None = None
    drivers: frozenset[str] | None = None

    def has(self, feature: str) -> bool:
        """Whether this QEMU has the feature, which must be in FEATURES."""
        return self.features.get(feature, self.version >= FEATURES[feature])

    def __str__(self) -> str:
        return f"QEMU {show(self.version)}"


def show(version: Version) -> str:
    """A version as text."""
    return f"{version[0]}.{version[1]}"


def qemu_of_version(text: str) -> Qemu:
    """Read '7.2' or '7.2.22'; raises UsageError."""
    parts = text.split(".")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        raise UsageError(
            f"--qemu {quoted(text)}: write MAJOR.MINOR, such as {show(NEWEST)}, or a path with a '/' in it"
        )
    return Qemu(version=(int(parts[0]), int(parts[1])))


_REFERENCE_MOUNTS: Mapping[int, str] = {2 * MIB: "/dev/hugepages", GIB: "/dev/hugepages1G"}


class Host(NamedTuple):
    """The host to judge for. As it stands here it is libvirt's reference, the same on every machine.

    `thp` is the size of a transparent huge page, or None to go by the guest's architecture; `hugetlbfs` has the
    mount point for each page size; `nodes` are the host's NUMA nodes, or None where they are not known; `overcommit` is
    its vm.overcommit_memory.
    """

    arch: str = "x86_64"
    page_size: int = 4 * KIB
    thp: int | None = None
    hugetlbfs: Mapping[int, str] = _REFERENCE_MOUNTS
    default_hugepage: int = 2 * MIB
    nodes: tuple[int, ...] | None = None
    memory_dir: str = "/var/lib/libvirt/qemu/ram"
    overcommit: int = 0
    name: str = "libvirt"

    def thp_size(self, arch: str) -> int:
        """The size of a transparent huge page: the host's, or else what libvirt takes for the architecture."""
        return self.thp or ARCHITECTURES.get(arch, OTHER).thp


LIBVIRT = Host()

# Hosts that are common, by name: what a kernel of that page size has, mounted as systemd and libvirt do.
HOSTS: Mapping[str, Host] = MappingProxyType(
    {
        host.name: host
        for host in (
            LIBVIRT,
            Host(name="x86_64", thp=2 * MIB),
            Host(name="aarch64-4k", arch="aarch64", thp=2 * MIB),
            Host(
                name="aarch64-16k",
                arch="aarch64",
                page_size=16 * KIB,
                thp=32 * MIB,
                hugetlbfs={2 * MIB: "/dev/hugepages2M", 32 * MIB: "/dev/hugepages"},
                default_hugepage=32 * MIB,
            ),
            Host(
                name="aarch64-64k",
                arch="aarch64",
                page_size=64 * KIB,
                thp=512 * MIB,
                hugetlbfs={2 * MIB: "/dev/hugepages2M", 512 * MIB: "/dev/hugepages"},
                default_hugepage=512 * MIB,
            ),
            Host(
                name="s390x",
                arch="s390x",
                thp=MIB,
                hugetlbfs={MIB: "/dev/hugepages", 2 * GIB: "/dev/hugepages2G"},
                default_hugepage=MIB,
            ),
        )
    }
)


class Target(NamedTuple):
    """What a domain is judged and written for, and how much of it is written.

    `hosts` are all hosts that it is to work on, where it is judged for several, one after the other.
    """

    qemu: Qemu = Qemu()
    host: Host = LIBVIRT
    scope: Scope = "devices"
    hosts: tuple[Host, ...] = ()


_A_SIZE = "a size such as '2MiB', a power of two"


def _size(value: object) -> int:
    match = re.fullmatch(r"([0-9]+) ?([A-Za-z]+)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(_A_SIZE)
    try:
        size = parse_scaled(match[1], match[2])
    except (NotANumberError, TooLargeError, UnknownUnitError):
        size = 0
    if not is_power_of_two(size) or size < KIB:
        raise ValueError(_A_SIZE)
    return size


# Linux's PATH_MAX; each memory device has the path in its arguments
LONGEST_PATH = 4096


def _path(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("/") or not value.isprintable() or len(value) > LONGEST_PATH:
        raise ValueError(f"an absolute path of at most {LONGEST_PATH} printable characters")
    return value.rstrip("/")


def _mounts(value: object) -> dict[int, str]:
    if not isinstance(value, dict):
        raise ValueError("a table such as { 2MiB = '/dev/hugepages' }")
    try:
        return {_size(size): _path(path) for size, path in value.items()}
    except ValueError as error:
        raise ValueError(f"a table of page sizes and folders, each {error}") from None


def _nodes(value: object) -> tuple[int, ...]:
    try:
        nodes = parse_bitmap(value, size=1024) if isinstance(value, str) else ()
    except (NotANumberError, TooLargeError):
        nodes = ()
    if not nodes:
        raise ValueError("a list of nodes such as '0-3'")
    return nodes


def _overcommit(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in (0, 1, 2):
        raise ValueError("0, 1 or 2, as in /proc/sys/vm/overcommit_memory")
    return value


def _arch(value: object) -> str:
    if not isinstance(value, str) or value not in ARCHITECTURES:
        raise ValueError(f"one of {', '.join(ARCHITECTURES)}")
    return str(value)


# The keys of a host file: key -> field of Host, reader.
_HOST_KEYS: Mapping[str, tuple[str, Callable[[object], Any]]] = {
    "arch": ("arch", _arch),
    "page-size": ("page_size", _size),
    "thp-size": ("thp", _size),
    "hugetlbfs": ("hugetlbfs", _mounts),
    "default-hugepage": ("default_hugepage", _size),
    "nodes": ("nodes", _nodes),
    "memory-dir": ("memory_dir", _path),
    "overcommit-memory": ("overcommit", _overcommit),
}


def host_of_toml(data: bytes, name: str) -> Host:
    """Read a host's profile; what it does not say is as in LIBVIRT. Raises UsageError, naming file and key."""
    from virtmem_cli.toml import read_toml, shown  # only a host file needs it

    host = LIBVIRT._replace(name=name)
    for key, value in read_toml(data, name).items():
        if key not in _HOST_KEYS:
            raise UsageError(f"{name}: unknown key {quoted(key)}; known are {', '.join(_HOST_KEYS)}")
        attribute, read = _HOST_KEYS[key]
        try:
            host = host._replace(**{attribute: read(value)})
        except ValueError as error:
            raise UsageError(f"{name}: {key} is {shown(value)}, and should be {error}") from None
    return host
