"""For tests of input that means harm: the real command within limits, and a domain to change.

The child is killed at a limit of processor time, and its largest resident size is measured.
"""

import os
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from command import VIRTMEM
from domains import edited
from real_qemu import TIMEOUT

# Of processor time, and resident. A domain costs at most 2 seconds (docs/security.md); not every machine is as fast.
SECONDS, MEMORY = 3, 128 << 20
DEVICE = """<memory model='virtio-mem'>
      <target>
        <size unit='GiB'>4</size>
        <node>0</node>
        <block unit='MiB'>4</block>
        <requested unit='GiB'>4</requested>
      </target>
    </memory>"""
DOMAIN = f"""<domain type='qemu'>
  <name>guest</name>
  <maxMemory slots='4' unit='GiB'>16</maxMemory>
  <memory unit='GiB'>4</memory>
  <vcpu>4</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
  </os>
  <cpu>
    <numa>
      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>
    </numa>
  </cpu>
  <devices>
    {DEVICE}
  </devices>
</domain>
"""
TARGET, REQUESTED = "<target>", "<requested unit='GiB'>4</requested>"
DEVICES = "  </devices>"
IGNORE = "<!-- virtmem: ignore={} -->"
COMMANDS = {
    "xml2argv": ("xml2argv", "--scope", "machine"),
    "check": ("check",),
    "fix": ("check", "--fix", "--unsafe-fixes"),
    "diff": ("check", "--diff", "--unsafe-fixes"),
}


def domain(*changes: tuple[str, str]) -> str:
    """DOMAIN with changes, each of them once."""
    return edited(DOMAIN, *changes)


WRONG = domain(("'MiB'>4", "'MiB'>3"))
WARNED = domain((REQUESTED, "<requestd unit='GiB'>4</requestd>"))


def odd_domain(name: str = "guest", path: str = "pmem") -> str:
    """A domain whose name is in a path of virtio-mem's, and that has a virtio-pmem on a path."""
    return (
        domain(
            ("guest", escape(name)),
            ("  <os>", "<memoryBacking><source type='file'/></memoryBacking><os>"),
            (
                DEVICES,
                f"<memory model='virtio-pmem' access='shared'><source><path>{escape(path)}</path></source>"
                "<target><size unit='MiB'>64</size></target></memory></devices>",
            ),
        )
        .replace("'GiB'>4", "'MiB'>64")
        .replace("memory='4' unit='GiB'", "memory='64' unit='MiB'")
    )


# Letters and marks without width: Default_Ignorable_Code_Point, where none of these categories is.
_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")
_NO_WIDTH = {
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
    *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
}
# One of each kind of what is not seen as itself, of those that XML can hold: controls of C1, formats and directions,
# tags, ends of lines, spaces, a variation selector, a filler, private use, and what is not assigned.
UNSEEN = (
    "\x7f\x85\x9b\xad\u061c\u200b\u202e\u2066\ufeff\U000e0041"
    "\u2028\u2029\xa0\u3000\ufe0f\U000e0101\u3164\ue000\U000f0000\u0378"
)


def unseen(text: str) -> set[str]:
    """The characters that are not seen as themselves, whatever a terminal makes of them, but for the end of a line."""
    return {c for c in {*text} - {*"\n "} if unicodedata.category(c) in _CATEGORIES or ord(c) in _NO_WIDTH}


def declared(encoding: str, xml: str) -> str:
    return f"<?xml version='1.0' encoding='{encoding}'?>\n{xml}"


class Run(NamedTuple):
    """What a command answered: its exit code, or a signal's number below 0; its streams; its largest resident size."""

    code: int
    out: bytes
    err: bytes
    peak: int

    @property
    def trouble(self) -> str:
        """What no input may bring about; '' where it did not."""
        if b"Traceback" in self.err:
            return f"a traceback: {self.err.decode(errors='replace').splitlines()[-1]}"
        if self.code not in (0, 1, 2, 3):
            return f"exit code {self.code}"
        if self.peak > MEMORY:
            return f"{self.peak >> 20} MiB"
        return "" if self.code == 0 or self.out or self.err else "no word on why"


# A process between, so that what is measured begins with this small one, and not with the one that runs the tests.
_LAUNCHER = """
import os, resource, signal, sys
report, seconds, size, *command = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
if int(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
child = os.fork()
if not child:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp(command[0], command)
_, status, usage = os.wait4(child, 0)
os.write(int(report), b"%d %d" % (os.waitstatus_to_exitcode(status), usage.ru_maxrss))
"""


def limited(
    command: Sequence[str | Path],
    stdin: bytes | int = b"",
    *,
    cwd: Path | None = None,
    largest_file: int = 0,
    stderr: int = subprocess.PIPE,
) -> Run:
    """A command with the limit of processor time and, perhaps, of the size of files that it writes."""
    reader, writer = os.pipe()
    launcher = [sys.executable, "-IS", "-c", _LAUNCHER, str(writer), str(SECONDS), str(largest_file)]
    given: dict[str, Any] = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
    run = subprocess.run(
        [*launcher, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=cwd,
        pass_fds=[writer],
        timeout=TIMEOUT,
        check=False,
        **given,
    )
    os.close(writer)
    with os.fdopen(reader) as report:
        code, peak = map(int, report.read().split())
    return Run(code, run.stdout, run.stderr or b"", peak << 10)


def within_limits(
    *words: str | Path, stdin: bytes | int = b"", cwd: Path | None = None, largest_file: int = 0, stderr: int = -1
) -> Run:
    return limited([VIRTMEM, *words], stdin, cwd=cwd, largest_file=largest_file, stderr=stderr)
