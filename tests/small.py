"""A small domain, what may be wrong with it, and files of it, for tests of what `check` says of a domain."""

import os
from pathlib import Path

from domains import edited

from virtmem_cli.units import GIB, KIB, MIB

DOMAIN = """<domain type='kvm'>
  <name>guest</name>
  <maxMemory slots='1' unit='GiB'>16</maxMemory>
  <memory unit='GiB'>6</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <memory model='virtio-mem'>
      <target>
        <size unit='GiB'>2</size>
        <node>0</node>
        <block unit='MiB'>2</block>
      </target>
    </memory>
  </devices>
</domain>
"""
BLOCK, BAD = "<block unit='MiB'>2</block>", "<block unit='MiB'>3</block>"
MISSPELT = "<requestd>1</requestd>"


def domain(*changes: tuple[str, str]) -> str:
    """DOMAIN with changes, each of them once."""
    return edited(DOMAIN, *changes)


WRONG = domain((BLOCK, BAD))
WARNED = domain((BLOCK, BLOCK + MISSPELT))
ADVISED = domain(("'GiB'>6", "'GiB'>10"), ("'GiB'>2", "'GiB'>8"))
NONE = domain(("model='virtio-mem'", "model='dimm'"), (BLOCK, ""))
FILES = {"good": DOMAIN, "wrong": WRONG, "warned": WARNED, "advised": ADVISED, "none": NONE, "empty": ""}
# An error and advice
BOTH = ADVISED.replace(BLOCK, BAD)
ERROR_COMMENT = "<!-- virtmem: ignore=block-not-power-of-two -->"
WARNING_COMMENT = "<!-- virtmem: ignore=element-unknown -->"
# A configuration that has nothing to say of WRONG
OFF = "ignore = ['block-not-power-of-two']"
UNITS = {"KiB": KIB, "MiB": MIB, "GiB": GIB}
CELL = "<cpu><numa><cell id='0' cpus='0' memory='4' unit='GiB'/></numa></cpu>"
# Names of files that a terminal, rich or a log would act upon
ODD_NAMES = [
    "\x1b[31mred\x1b[0m.xml",
    "\x1b]0;title\x07.xml",
    "\u009b31m.xml",
    "[red]x[/red].xml",
    "[link=http:/example.org]y.xml",
    "\u202egnp.xml",
    "\u2066x\u2069.xml",
    "a\nb.xml",
    "a\r\tb.xml",
    os.fsdecode(b"\xff\x80.xml"),
]


def made(name: Path | str, text: str = WRONG) -> str:
    """A file of that name, in folders that are made for it; its name."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)
    return str(name)


def configure(folder: Path | str, text: str, name: str = "virtmem.toml") -> None:
    made(f"{folder}/{name}", text)
