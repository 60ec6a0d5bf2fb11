"""This machine as a host to judge for, read from /proc and /sys.

What is not there is as in libvirt's reference, but for the mounts of huge pages: they are those that there are.
"""

import os
import platform
import re
from pathlib import Path

from virtmem_cli.target import LIBVIRT, Host
from virtmem_cli.units import KIB, NotANumberError, TooLargeError, parse_bitmap, parse_scaled

_ESCAPED = re.compile(r"\\([0-7]{3})")


def local_host(root: Path = Path("/")) -> Host:
    """The machine this runs on; `root` is where its /proc and /sys are."""
    host = LIBVIRT._replace(
        name="local", arch=platform.machine(), page_size=os.sysconf("SC_PAGE_SIZE"), hugetlbfs=_mounts(root)
    )
    thp = _read(root / "sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
    if thp.isdecimal() and int(thp):
        host = host._replace(thp=int(thp))
    default = re.search(r"^Hugepagesize:\s+([0-9]+) kB$", _read(root / "proc/meminfo"), re.MULTILINE)
    if default:
        host = host._replace(default_hugepage=int(default[1]) * KIB)
    overcommit = _read(root / "proc/sys/vm/overcommit_memory")
    if overcommit in ("0", "1", "2"):
        host = host._replace(overcommit=int(overcommit))
    try:
        host = host._replace(nodes=parse_bitmap(_read(root / "sys/devices/system/node/has_memory"), size=1024))
    except (NotANumberError, TooLargeError):
        pass  # a kernel without NUMA: the nodes stay unknown
    return host


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _mounts(root: Path) -> dict[int, str]:
    """The first hugetlbfs mount of each page size, as libvirt finds them."""
    mounts: dict[int, str] = {}
    for line in _read(root / "proc/mounts").splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[2] != "hugetlbfs":
            continue
        size = re.search(r"(?:^|,)pagesize=([0-9]+)([KMG]?)(?:,|$)", fields[3])
        if size:
            path = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields[1])
            mounts.setdefault(parse_scaled(size[1], size[2] or "b"), path)
    return mounts
