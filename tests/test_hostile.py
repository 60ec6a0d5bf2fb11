"""Input that means harm, through the real command: it takes little time and memory, and changes nothing but its output.

The child is killed at a limit of processor time, and its largest resident size is measured. Domains are made here, as
large as `xmltree` lets in.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

import pytest
from command import VIRTMEM, on_a_terminal, without_colour
from command import virtmem as in_this_process
from domains import edited
from real_qemu import TIMEOUT, QemuBinary

from virtmem_cli.document.tree import LARGEST, MOST_ATTRIBUTES, MOST_TAGS

pytestmark = pytest.mark.process

SECONDS, MEMORY = 5, 256 << 20  # of processor time, and resident
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


def domain(*changes: tuple[str, str]) -> str:
    """DOMAIN with changes, each of them once."""
    return edited(DOMAIN, *changes)


WRONG = domain(("'MiB'>4", "'MiB'>3"))
WARNED = domain((REQUESTED, "<requestd unit='GiB'>4</requestd>"))


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


def virtmem(
    *words: str | Path, stdin: bytes | int = b"", cwd: Path | None = None, largest_file: int = 0, stderr: int = -1
) -> Run:
    return limited([VIRTMEM, *words], stdin, cwd=cwd, largest_file=largest_file, stderr=stderr)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in which there are three files, and which no configuration of this machine reaches."""
    (tmp_path / "virtmem.toml").write_text("")
    folder = tmp_path / "here"
    folder.mkdir()
    for name, xml in {"good": DOMAIN, "wrong": WRONG, "warned": WARNED}.items():
        (folder / f"{name}.xml").write_text(xml)
    monkeypatch.chdir(folder)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Large domains

COMMANDS = {
    "xml2argv": ("xml2argv", "--scope", "machine"),
    "check": ("check",),
    "fix": ("check", "--fix", "--unsafe-fixes"),
    "diff": ("check", "--diff", "--unsafe-fixes"),
}


def troubles(data: str | bytes, folder: Path, commands: Sequence[str] = ("xml2argv", "fix")) -> dict[str, str]:
    """What goes wrong with each command on that domain; {} where nothing does. `fix` judges twice, as `check` does."""

    def trouble(command: str) -> str:
        file = folder / f"{command}.xml"
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        found = virtmem(*COMMANDS[command], file).trouble
        file.unlink()
        return found

    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(commands, pool.map(trouble, commands), strict=True))
    return {command: words for command, words in found.items() if words}


def many(text: str, size: int = MOST_TAGS, *, tags: int = 1, room: int = 100) -> str:
    """A text as often as there is room for its tags and attributes, up to so many tags altogether."""
    return text * min((size - room) // tags, (MOST_ATTRIBUTES - room) // max(1, text.count("=")))


def long(text: str, size: int = LARGEST, *, room: int = 20_000) -> str:
    """A text as often as there is room for it, and libxml2 takes it for one value."""
    return text * (min(size - room, 9_900_000) // len(text))


def numbered(text: str, *, tags: int) -> str:
    """A text for each number, of which there are as many as there is room for."""
    most = min((MOST_TAGS - 100) // tags, (MOST_ATTRIBUTES - 100) // max(1, text.count("=")))
    return "".join(text.format(number) for number in range(most))


DEVICES = "  </devices>"
BEFORE = "    <memory model"
IGNORE = "<!-- virtmem: ignore={} -->"
UNKNOWN = ("<target>", "<target>" + "<requestd/>" * 1000)

AT_THE_DOOR = ("deep", "attributes at the door", "elements at the door", "a large file")
# As deep, many or long as is let in; AT_THE_DOOR alone has more.
LARGE: Mapping[str, Callable[[], str | bytes]] = {
    "deep": lambda: "<domain>" + "<a>" * 100_000 + "</a>" * 100_000 + "</domain>",
    "deep, let in": lambda: domain((TARGET, TARGET + many("<a>", 500) + many("</a>", 500))),
    "attributes at the door": lambda: domain(("model=", " ".join(f"a{i}=''" for i in range(300_000)) + " model=")),
    "attributes": lambda: domain(("model=", " ".join(f"a{i}=''" for i in range(MOST_ATTRIBUTES - 100)) + " model=")),
    "elements at the door": lambda: domain((TARGET, TARGET + "<requestd/>" * 300_000)),
    "unknown elements": lambda: domain((TARGET, TARGET + many("<requestd/>"))),
    "unknown elements, long names": lambda: domain((TARGET, TARGET + f"<{'size' * 3000}/>" * (LARGEST // 12_100))),
    "unknown elements in domain": lambda: domain(("  <os>", many("<memoryy/>") + "<os>")),
    "unknown elements in devices": lambda: domain((DEVICES, many("<memoryy/>") + DEVICES)),
    "repeated elements": lambda: domain((TARGET, TARGET + many("<size>1</size>", tags=2))),
    "other namespaces": lambda: domain((DEVICES, many("<x:memory xmlns:x='y' model='virtio-mem'/>") + DEVICES)),
    "processing instructions": lambda: domain((TARGET, many("<?a b?>") + TARGET)),
    "devices, complete": lambda: domain(
        ("'GiB'>16", "'TiB'>1000"), (DEVICES, many(DEVICE, tags=DEVICE.count("<")) + DEVICES)
    ),
    "devices, empty": lambda: domain((DEVICES, many("<memory model='virtio-mem'/>") + DEVICES)),
    "devices, misspelt": lambda: domain((DEVICES, many("<memory model='virtio-men'/>") + DEVICES)),
    "devices, one alias and address": lambda: domain(
        (
            DEVICES,
            many(DEVICE.replace("</m", "<alias name='ua-x'/><address type='pci' slot='5'/></m"), tags=14) + DEVICES,
        )
    ),
    "DIMMs": lambda: domain(
        (
            DEVICES,
            many("<memory model='dimm'><target><size>1048576</size><node>0</node></target></memory>", tags=8) + DEVICES,
        )
    ),
    "DIMMs, empty": lambda: domain((DEVICES, many("<memory model='dimm'/>") + DEVICES)),
    "cells": lambda: domain(("    </numa>", many("<cell id='1' memory='1'/>") + "</numa>")),
    "cells with all CPUs": lambda: domain(
        ("    </numa>", "".join(f"<cell id='{i}' memory='1' cpus='0-16383'/>" for i in range(1, 128)) + "</numa>")
    ),
    "distances": lambda: domain(
        (
            "'GiB'/>\n    </numa>",
            "'GiB'><distances>" + many("<sibling id='0' value='10'/>") + "</distances></cell></numa>",
        )
    ),
    "pages": lambda: domain(
        (
            "  <os>",
            f"<memoryBacking><hugepages>{many('''<page size='2048' nodeset='0'/>''')}</hugepages></memoryBacking><os>",
        )
    ),
    "memnodes": lambda: domain(
        ("  <os>", f"<numatune><memory nodeset='0'/>{many('''<memnode cellid='0' nodeset='0'/>''')}</numatune><os>")
    ),
    "controllers": lambda: domain(
        (DEVICES, many("<controller type='pci' index='7' model='pcie-root-port'/>") + DEVICES)
    ),
    "controllers without index": lambda: domain((DEVICES, many("<controller type='pci'/>") + DEVICES)),
    "addresses": lambda: domain(
        (DEVICES, many("<disk><address type='pci' bus='1' slot='1'/></disk>", tags=3) + DEVICES)
    ),
    "addresses, all different": lambda: domain(
        (DEVICES, numbered("<disk><address type='pci' bus='1' slot='{0}' function='0'/></disk>", tags=3) + DEVICES)
    ),
    "aliases": lambda: domain((DEVICES, numbered("<disk><alias name='ua-{0}'/></disk>", tags=3) + DEVICES)),
    "CPU features": lambda: domain(("<cpu>", "<cpu>" + numbered("<feature name='a{0}' policy='off'/>", tags=1))),
    "comments": lambda: domain((TARGET, many(IGNORE.format("block-below-thp")) + TARGET)),
    "comments, nested": lambda: domain(
        (TARGET, TARGET + (IGNORE.format("element-unknown") + "<a>") * 200 + "</a>" * 200)
    ),
    "comments that all silence much": lambda: domain(
        UNKNOWN, (BEFORE, many(IGNORE.format("element-unknown"), MOST_TAGS - 1100) + BEFORE)
    ),
    "a comment with a rule, again and again": lambda: domain(
        UNKNOWN, (BEFORE, IGNORE.format(long("element-unknown,") + "element-unknown") + BEFORE)
    ),
    "a comment with names of nothing": lambda: domain((BEFORE, IGNORE.format(long(",")) + BEFORE)),
    "a large file": lambda: b"<domain>" + b" " * 100_000_000,
    "a long name": lambda: domain(("guest", long("x"))),
    "a name too long": lambda: domain(("guest", "x" * (LARGEST - 10_000))),
    "a long name of strange letters": lambda: domain(("guest", "\U0001f600" + long("x", LARGEST // 2))),
    "a number of letters": lambda: domain(("'GiB'>4</size", f"'GiB'>{long('x')}</size")),
    "white space before a number": lambda: domain(("'GiB'>4</size", f"'GiB'>{long(' ')}4</size")),
    "a long number": lambda: domain(("'GiB'>4</size", f"'GiB'>{'1' * 1_000_000}</size")),
    "a long number of noughts": lambda: domain(("'GiB'>4</size", f"'GiB'>{'0' * 1_000_000}4</size")),
    "a long number and a letter": lambda: domain(("'GiB'>4</size", f"'GiB'>{'1' * 1_000_000}x</size")),
    "a long hexadecimal number": lambda: domain(
        (TARGET, "<target>" + f"<address base='0x{'0' * 1_000_000}'/>"), ("slots='4'", f"slots='{'4' * 1_000_000}x'")
    ),
    "a long unit": lambda: domain(("'GiB'>4</size", f"'{long('GiB')}'>4</size")),
    "a long access": lambda: domain(("model='virtio-mem'", f"model='virtio-mem' access='{long('shared')}'")),
    "a long model": lambda: domain(("'virtio-mem'", f"'virtio-mem{long('x')}'")),
    "a long machine": lambda: domain(("'q35'", f"'pc-q35-{long('9')}'")),
    "a long alias": lambda: domain(
        ("<domain", "<domain id='1'"), ("    </memory>", f"<alias name='{long('x,')}'/></memory>")
    ),
    "a nodemask of all": lambda: domain((TARGET, f"<source><nodemask>0-4294967295</nodemask></source>{TARGET}")),
    "a nodemask of many": lambda: domain((TARGET, f"<source><nodemask>{long('1,')}1</nodemask></source>{TARGET}")),
    "a nodemask of letters": lambda: domain(
        (TARGET, f"<source><nodemask>{'a' * 1_000_000}</nodemask></source>{TARGET}")
    ),
    "nodemasks of many": lambda: domain(
        (
            DEVICES,
            f"<memory model='virtio-mem'><source><nodemask>{'1-1,' * 24_000}1</nodemask></source></memory>"
            * (LARGEST // 97_000)
            + DEVICES,
        )
    ),
    "a long line": lambda: domain(UNKNOWN, (BEFORE, f"<!--\U0001f600{long('x', LARGEST // 2)}-->{BEFORE}")).replace(
        "\n", " "
    ),
    "strange letters": lambda: domain(
        (REQUESTED, "<requestd/>"),
        (BEFORE, f"<!--\U0001f600{long('x')}--><!--{long('x', LARGEST - 10_000_000)}-->{BEFORE}"),
    ),
    "many lines": lambda: domain(
        (REQUESTED, "<requestd/>"),
        (BEFORE, f"<!--{long(chr(10))}--><!--{long(chr(10), LARGEST - 10_000_000)}-->{BEFORE}"),
    ),
    "white space in a tag": lambda: domain(("model='virtio-mem'", "model='virtio-mem' acess='shared'" + long(" "))),
    "tags that UTF-7 hides": lambda: (
        b"<?xml version='1.0' encoding='UTF-7'?><domain>+"
        + b64encode(("<a/>" * (LARGEST * 3 // 32 - 100)).encode("utf-16-be"))
        + b"-</domain>"
    ),
    "tags that Java's escapes hide": lambda: (
        b"<?xml version='1.0' encoding='JAVA'?><domain>" + b"\\u003ca/>" * (LARGEST // 9 - 100) + b"</domain>"
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_domain_takes_little(name: str, here: Path) -> None:
    data = LARGE[name]()
    data = data.encode() if isinstance(data, str) else data
    refused = len(data) > LARGEST or data.count(b"<") > MOST_TAGS or data.count(b"=") > MOST_ATTRIBUTES
    assert refused == (name in AT_THE_DOOR)
    assert troubles(data, here) == {}


@pytest.mark.parametrize("name", ["white space in a tag", "many lines", "unknown elements", "strange letters"])
def test_a_diff_of_a_large_domain_takes_little(name: str, here: Path) -> None:
    assert troubles(LARGE[name](), here, ["check", "diff"]) == {}


def test_a_diff_of_lines_that_return_takes_little(here: Path) -> None:
    """No line is so frequent that difflib leaves it out, and each is at hundreds of places."""
    lines = "".join(f"{number % 500}\n" for number in range(400_000))
    assert troubles(domain((REQUESTED, "<requestd/>"), (BEFORE, f"<!--{lines}-->{BEFORE}")), here, ["diff"]) == {}


# What XML can refer to

ENTITIES = {
    "internal": "<!DOCTYPE domain [<!ENTITY a 'guest'>]>{&a;}",
    "laughs": "<!DOCTYPE domain [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{i + 1} '{f'&a{i};' * 10}'>" for i in range(12))
    + "]>{&a12;}",
    "quadratic": f"<!DOCTYPE domain [<!ENTITY a '{'x' * 100_000}'>]>{{{'&a;' * 100_000}}}",
    "a file": "<!DOCTYPE domain [<!ENTITY a SYSTEM 'FILE'>]>{&a;}",
    "the network": "<!DOCTYPE domain [<!ENTITY a SYSTEM 'HTTP'>]>{&a;}",
    "a file's DTD": "<!DOCTYPE domain SYSTEM 'FILE'>{guest}",
    "the network's DTD": "<!DOCTYPE domain PUBLIC 'x' 'HTTP'>{guest}",
    "a parameter": "<!DOCTYPE domain [<!ENTITY % p SYSTEM 'HTTP'> %p;]>{guest}",
    "a parameter, a file": "<!DOCTYPE domain [<!ENTITY % p SYSTEM 'FILE'> %p;]>{guest}",
    "none": "<!DOCTYPE domain>{guest}",
    "unknown": "{&a;}",
}
REFERENCES = {
    "a style sheet": "<?xml-stylesheet type='text/xsl' href='HTTP'?><?xml-stylesheet href='FILE'?>{guest}",
    "a model": "<?xml-model href='HTTP' type='application/xml'?>{guest}",
    "XInclude": "{guest<i:include xmlns:i='http://www.w3.org/2001/XInclude' href='HTTP'/>}",
    "XInclude of text": "{guest<i:include xmlns:i='http://www.w3.org/2001/XInclude' parse='text' href='FILE'/>}",
    "a schema": "{guest<a xmlns:x='http://www.w3.org/2001/XMLSchema-instance' x:noNamespaceSchemaLocation='HTTP'/>}",
}


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A socket that listens on this machine, and can be asked whether somebody came."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        yield listening


def referring(texts: Mapping[str, str], server: socket.socket, folder: Path) -> list[Path]:
    """Domains that refer to a file with a secret, and to the network."""
    secret = folder / "secret"
    secret.write_text("<name>the-secret</name>")
    files = []
    for name, text in texts.items():
        before, inside, after = re.split("[{}]", text)
        xml = before + domain(("guest", inside)) + after
        files.append(folder / f"{name}.xml")
        files[-1].write_text(xml.replace("FILE", secret.as_uri()).replace("HTTP", f"http://{address(server)}/x"))
    return files


def address(server: socket.socket) -> str:
    host, port = server.getsockname()
    return f"{host}:{port}"


def assert_nothing_fetched(run: Run, files: Sequence[Path], server: socket.socket) -> None:
    assert run.trouble == ""
    assert b"the-secret" not in run.out + run.err + b"".join(file.read_bytes() for file in files)
    with pytest.raises(BlockingIOError):
        server.accept()


@pytest.mark.parametrize("command", COMMANDS)
def test_an_entity_refuses_a_domain(command: str, server: socket.socket, here: Path) -> None:
    files = referring(ENTITIES, server, here)
    before = [file.read_bytes() for file in files]
    run = virtmem(*COMMANDS[command], *files)
    assert_nothing_fetched(run, files, server)
    assert run.code == 1
    assert [file.read_bytes() for file in files] == before
    if command == "xml2argv":
        words = [line for line in run.err.splitlines() if b"[not-a-domain]" in line]
        assert len(words) == len(files)
        assert all(b"<!DOCTYPE> is not taken" in line or b"not well-formed XML" in line for line in words)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reference_is_not_followed(command: str, server: socket.socket, here: Path) -> None:
    files = referring(REFERENCES, server, here)
    assert_nothing_fetched(virtmem(*COMMANDS[command], *files), files, server)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_domain_is_told(command: str, here: Path) -> None:
    (here / "broken.xml").write_text("<domain>")
    run = virtmem(*COMMANDS[command], "broken.xml")
    assert run.code == 1
    assert b"not well-formed XML" in run.out + run.err


# Bytes

_NAMED = domain(("guest", "gro\u00df"), (REQUESTED, "<requestd/>"))


def _declared(encoding: str, data: str = _NAMED) -> str:
    return f"<?xml version='1.0' encoding='{encoding}'?>\n{data}"


BYTES: Mapping[str, bytes] = {
    "not UTF-8": _NAMED.encode("latin-1"),
    "cut in a character": _NAMED.encode()[: _NAMED.encode().index(b"\xc3") + 1],
    "overlong": DOMAIN.encode().replace(b"guest", b"\xc0\xbc\xe0\x80\xbc"),
    "surrogates": DOMAIN.encode().replace(b"guest", b"\xed\xa0\xbd\xed\xb8\x80"),
    "not a character": DOMAIN.encode().replace(b"guest", b"\xef\xbf\xbf"),
    "UTF-16 that is UTF-8": _declared("UTF-16").encode(),
    "UTF-8 that is UTF-16": _declared("UTF-8").encode("utf-16"),
    "UTF-8 that is UTF-16, no mark": _declared("UTF-8").encode("utf-16-le"),
    "UTF-16, cut": _declared("UTF-16").encode("utf-16")[:-1],
    "UTF-32": _declared("UTF-32").encode("utf-32"),
    "UTF-8 that is UTF-32": _declared("UTF-8").encode("utf-32-be"),
    "two marks": b"\xef\xbb\xbf\xff\xfe" + DOMAIN.encode(),
    "a mark of another": b"\xff\xfe" + DOMAIN.encode(),
    "UTF-7": _declared("UTF-7").encode("utf-7"),
    "EBCDIC": _declared("IBM037").encode("cp037"),
    "US-ASCII that is not": _declared("US-ASCII").encode(),
    **{f"{name}, declared": _declared(name).encode() for name in ("hex", "rot13", "zlib", "idna", "unicode_escape")},
    **{f"{name}, declared": _declared(name).encode() for name in ("x-unknown", "a" * 10_000, "UCS-4", "UTF-8-sig")},
    "version 1.1": DOMAIN.encode().replace(b"<domain", b"<?xml version='1.1'?><domain").replace(b"guest", b"&#x1b;"),
    "NUL in a name": DOMAIN.encode().replace(b"guest", b"gu\0est"),
    "NUL in a number": DOMAIN.encode().replace(b">4</size", b">4\0</size"),
    "NUL behind": DOMAIN.encode() + b"\0" * 1000,
    "NUL": b"\0" * 1000,
    "NUL by its number": DOMAIN.encode().replace(b"guest", b"gu&#0;est"),
    "ESC by its number": DOMAIN.encode().replace(b"guest", b"gu&#x1b;[31mest"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_odd_bytes_are_a_domain_or_none(command: str, here: Path) -> None:
    files = []
    for number, data in enumerate(BYTES.values()):
        files.append(here / f"{number}.xml")
        files[-1].write_bytes(data)
    assert virtmem(*COMMANDS[command], *files).trouble == ""


def test_nul_is_in_no_domain() -> None:
    for name in (name for name in BYTES if name.startswith("NUL")):
        run = virtmem("xml2argv", "-", stdin=BYTES[name])
        assert (run.code, run.out) == (1, b"")
        assert b"not well-formed XML" in run.err


# Numbers

PLACES = {
    "size": ("'GiB'>4</size", "4"),
    "block": ("'MiB'>4</block", "4"),
    "requested": ("'GiB'>4</requested", "4"),
    "node": ("<node>0</node", "0"),
    "slots": ("slots='4'", "4"),
    "cell memory": ("memory='4'", "4"),
    "maxMemory": ("'GiB'>16</maxMemory", "16"),
}
TAKEN = {"plus": "+{}", "space": " {}", "tab": "\t{}", "noughts": "000{}"}
REFUSED: Mapping[str, str | dict[int, str]] = {
    "arabic": {ord("0") + digit: chr(0x660 + digit) for digit in range(10)},
    "wide": {ord("0") + digit: chr(0xFF10 + digit) for digit in range(10)},
    "superscript": "{}\u00b2",
    "underscore": "{}_0",
    "exponent": "{}e0",
    "fraction": "{}.0",
    "hexadecimal": "0x{}",
    "minus": "-{}",
    "two signs": "+-{}",
    "sign alone": "+",
    "space behind": "{} ",
    "odd space": "\u00a0{}",
    "another odd space": "\u2003{}",
    "line": "\u2028{}",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_number_is_one_as_libvirt_reads_it(place: str, here: Path) -> None:
    """Decimal digits of ASCII, perhaps with white space and a plus before them; a minus before a node's 0 alone."""
    spot, number = PLACES[place]
    spelt = {name: form.format(number) for name, form in TAKEN.items()} | {
        name: form.format(number) if isinstance(form, str) else number.translate(form) for name, form in REFUSED.items()
    }
    taken = {*TAKEN, *(["minus"] if place == "node" else [])}
    for name, text in spelt.items():
        changed = spot.replace(number, text)
        (here / f"{name}.xml").write_text(domain((spot, changed)), encoding="utf-8")
    files = [f"{name}.xml" for name in spelt]
    run = virtmem("check", "--format", "json", *files)
    found = {
        file["name"]: [finding["rule"] for finding in file["findings"] if finding["rule"] == "number-invalid"]
        for file in json.loads(run.out)["files"]
    }
    assert {name for name in spelt if not found[f"{name}.xml"]} == taken
    (plain,) = virtmem("xml2argv", "--scope", "machine", "--format", "json", "good.xml").out.splitlines()
    lines = virtmem("xml2argv", "--scope", "machine", "--format", "json", *files).out.splitlines()
    assert lines == [plain] * len(taken)


# Files and streams


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("what", "code"), [("folder", 3), ("socket", 3), ("/dev/zero", 1), ("/dev/null", 1)])
def test_what_is_no_file_is_read_with_care(what: str, code: int, command: str, here: Path) -> None:
    (here / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        run = virtmem(*COMMANDS[command], what)
    assert (run.trouble, run.code) == ("", code)


def test_nobody_writes_to_a_fifo(here: Path) -> None:
    os.mkfifo(here / "fifo")
    run = virtmem("check", "fifo")
    assert run.code == 3
    assert b"nobody writes to it" in run.err


@pytest.mark.parametrize("command", ["xml2argv", "check"])
def test_somebody_writes_to_a_fifo(command: str, here: Path) -> None:
    os.mkfifo(here / "fifo")
    writer = threading.Thread(target=(here / "fifo").write_text, args=[DOMAIN])
    writer.start()
    run = virtmem(*COMMANDS[command], "fifo")
    writer.join()
    assert (run.trouble, run.code) == ("", 0)


@pytest.mark.parametrize("command", COMMANDS)
def test_standard_input_ends_early(command: str) -> None:
    for end in (0, 1, len(DOMAIN) // 2, len(DOMAIN) - 3):
        run = virtmem(*COMMANDS[command], "-", stdin=DOMAIN[:end].encode())
        assert (run.trouble, run.code) == ("", 1)


def test_standard_input_has_no_end() -> None:
    with open("/dev/zero") as zero:
        run = virtmem("check", "-", stdin=zero.fileno())
    assert (run.trouble, run.code) == ("", 1)


@pytest.mark.parametrize("early", [0, 100])
def test_standard_input_that_does_not_wait(early: int) -> None:
    """Whoever had the pipe before may have told it not to block, as node does."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.write(writer, DOMAIN[:early].encode())

    def later() -> None:
        os.write(writer, DOMAIN[early:].encode())
        os.close(writer)

    timer = threading.Timer(1.5, later)
    timer.start()
    run = virtmem("xml2argv", "-", stdin=reader)
    timer.join()
    os.close(reader)
    assert (run.trouble, run.code) == ("", 0)


def redirected(words: str, redirection: str) -> Run:
    """A command under a shell that changes its streams."""
    return limited(["sh", "-c", f'exec "$0" {words} {redirection}', VIRTMEM], DOMAIN.encode())


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
@pytest.mark.parametrize(
    "words",
    [
        "xml2argv good.xml",
        "check wrong.xml",
        "check --format sarif wrong.xml",
        "check --diff warned.xml",
        "check --fix -",
        "explain",
        "explain --example wrong node-missing",
    ],
)
def test_output_that_cannot_be_written_is_3(words: str, redirection: str) -> None:
    run = redirected(words, redirection)
    assert (run.trouble, run.code) == ("", 3)
    assert b"standard output" in run.err


@pytest.mark.parametrize("words", ["--help", "--version", "check --help"])
def test_help_that_cannot_be_written_has_no_traceback(words: str) -> None:
    assert redirected(words, ">/dev/full").trouble == ""


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("xml2argv good.xml", 0),
        ("xml2argv warned.xml", 0),
        ("xml2argv wrong.xml", 1),
        ("xml2argv absent.xml good.xml", 3),
        ("check warned.xml", 0),
        ("check --fix --diff warned.xml", 0),
        ("check absent.xml wrong.xml", 3),
        ("check --no-such", 2),
        ("explain nothing", 2),
    ],
)
def test_words_that_nobody_can_hear_change_nothing_else(words: str, code: int, redirection: str) -> None:
    undisturbed = redirected(words, "")
    run = redirected(words, redirection)
    assert undisturbed.code == code
    assert (run.code, run.out) == (code, undisturbed.out)


@pytest.mark.parametrize("redirection", ["", ">&-"])
@pytest.mark.parametrize("words", ["xml2argv warned.xml", "xml2argv wrong.xml", "check wrong.xml"])
def test_a_reader_of_errors_that_goes_away(words: str, redirection: str) -> None:
    """As SIGPIPE would have it, whichever stream it was; 3 where the other one was closed and is missed first."""
    reader, writer = os.pipe()
    os.close(reader)
    run = limited(["sh", "-c", f'exec "$0" {words} {redirection}', VIRTMEM], stderr=writer)
    os.close(writer)
    assert run.code in ((141,) if not redirection else (3, 141))


@pytest.mark.parametrize(
    "words", ["xml2argv $(yes good.xml | head -n 3000)", "check --format sarif wrong.xml", "check --fix -", "explain"]
)
def test_a_reader_that_goes_away(words: str) -> None:
    script = f'{{ "$0" {words}; echo $? >code; }} | head -c 1'
    run = limited(["sh", "-c", script, VIRTMEM], (DOMAIN + " " * 200_000).encode())
    assert run.trouble == ""
    assert len(run.out) == 1
    assert b"roken" not in run.err
    assert Path("code").read_text().strip() in ("0", "1", "141")


WRITES = {
    "output": ("xml2argv", "--scope", "machine", "-o", "written", "good.xml"),
    "fix": ("check", "--fix", "written/warned.xml"),
}


@pytest.fixture
def written(here: Path) -> Path:
    """A folder to write to, with what is there already."""
    folder = here / "written"
    folder.mkdir()
    (folder / "warned.xml").write_text(WARNED)
    (folder / "good.args").write_text("old")
    return folder


def untouched(folder: Path) -> bool:
    files = {path.name: path.read_text() for path in folder.iterdir()}
    return files == {"warned.xml": WARNED, "good.args": "old"}


@pytest.mark.parametrize("size", [1, 100, 400])
@pytest.mark.parametrize("what", WRITES)
def test_a_limit_on_files_leaves_none_half_written(what: str, size: int, written: Path) -> None:
    run = virtmem(*WRITES[what], largest_file=size)
    assert (run.trouble, run.code) == ("", 3)
    assert b"cannot be written: File too large" in run.err
    assert untouched(written)


@pytest.mark.parametrize("what", WRITES)
def test_a_folder_that_is_not_ours_stays_as_it_is(what: str, written: Path) -> None:
    command: list[str | Path] = [VIRTMEM, *WRITES[what]]
    if os.geteuid() == 0:  # root is stopped by no mode, unless it gives up what makes it so
        if shutil.which("setpriv") is None:
            pytest.skip("root, without setpriv")
        command = ["setpriv", "--bounding-set=-dac_override", "--", *command]
    written.chmod(0o555)
    run = limited(command)
    written.chmod(0o755)
    assert (run.trouble, run.code) == ("", 3)
    assert b"cannot be written: Permission denied" in run.err
    assert untouched(written)


# Injection: what a shell runs, what QEMU reads, where a file goes

ODD = {
    "comma": "a,b",
    "commas": ",a,,b,",
    "equals": "a=b,share=on",
    "quote": "it's",
    "quotes": "'\"'\"",
    "out of quotes": "';touch canary;'",
    "dollar": "$(touch canary)",
    "backtick": "`touch canary`",
    "variable": "${IFS}$0",
    "line": "a\ntouch canary\n",
    "and": "a&&touch canary;|<>",
    "backslash": "a\\'\\n\\",
    "dash": "-x",
    "dashes": "--help",
    "up": "../here/canary2",
    "dots": "..",
    "glob": "* ? ~ [a]",
    "hash": "#a !b %s{}",
    "spaces": " a  b ",
    "tab": "a\tb",
    "markup": "[red]x[/red]",
    "link": "[link=http://x]y",
    "controls": "a\x9b31m\x9d8;;x\x9c",
    "bidi": "\u202egnp\u2066.\u200f",
    "letters": "gro\u00df \U0001f600",
    "json": '{"a":"b"}',
}
NAMES = {name: text for name, text in ODD.items() if not {"/", "\n"} & {*text}}


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


@pytest.mark.parametrize("qemu", ["5.2", "11.1"])
@pytest.mark.parametrize("scope", ["devices", "memory", "machine"])
def test_a_shell_gets_the_very_arguments(scope: str, qemu: str, here: Path) -> None:
    """Each shell that is here reads --format shell as what --format json says, and runs nothing of it."""
    inputs = here / "inputs"
    inputs.mkdir()
    for number, text in enumerate(ODD.values()):
        (inputs / f"{number}.xml").write_text(odd_domain(path=text), encoding="utf-8")
    for number, text in enumerate(NAMES.values(), len(ODD)):
        (inputs / f"{number}.xml").write_text(odd_domain(name=text), encoding="utf-8")
    files = sorted(inputs.iterdir())
    for form in ("shell", "json"):
        run = virtmem("xml2argv", "--scope", scope, "--qemu", qemu, "--format", form, "-o", form, *files)
        assert (run.trouble, run.code) == ("", 0)
    written = sorted((here / "json").iterdir())
    assert len(written) == len(files)
    argvs = [json.loads(path.read_text(encoding="utf-8")) for path in written]
    before = names(here)
    script = 'for file in shell/*; do args=$(cat "$file"); eval "set -- $args"; printf "%s\\0" "$#" "$@"; done'
    for shell in filter(shutil.which, ("sh", "dash", "bash", "busybox")):
        command = [shell, "sh", "-c", script] if shell == "busybox" else [shell, "-c", script]
        run = limited(command)
        words = run.out.decode().split("\0")[:-1]
        assert run.err == b""
        assert words == [word for argv in argvs for word in (str(len(argv)), *argv)]
    assert names(here) == before


def ask(binary: str, argv: Sequence[str], paths: Sequence[str]) -> dict[str, str]:
    """QEMU, started frozen in the current folder: the path of each memory backend that it has, by its QOM path."""
    questions = [{"execute": "qmp_capabilities"}]
    questions += [{"execute": "qom-get", "arguments": {"path": p, "property": "mem-path"}, "id": p} for p in paths]  # type: ignore[dict-item]
    run = subprocess.run(
        [binary, "-S", "-nodefaults", "-display", "none", "-qmp", "stdio", *argv],
        input="".join(json.dumps(question) + "\n" for question in [*questions, {"execute": "quit"}]).encode(),
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    replies = [json.loads(line) for line in run.stdout.splitlines()]
    return {reply["id"]: reply["return"] for reply in replies if "id" in reply}


@pytest.mark.parametrize("qemu", ["5.2", "7.2"])
def test_qemu_reads_the_very_paths(qemu: str, qemu_binary: QemuBinary, here: Path) -> None:
    """In the old syntax as in JSON; all odd paths in one domain, and each odd name in a path."""
    binary = qemu_binary("x86_64")
    pmem = "".join(
        f"<memory model='virtio-pmem' access='shared'><source><path>{escape(text)}</path></source>"
        f"<target><size unit='MiB'>2</size></target><alias name='ua-{number}'/></memory>"
        for number, text in enumerate(text for text in ODD.values() if text != "..")
    )
    name = "a,b='\"$`\\;[x] \u00df\U0001f600"
    xml = odd_domain(name).replace("</devices>", f"{pmem}</devices>").replace("'GiB'>16", "'GiB'>64")
    folder = here / "it's, \u00df"
    (here / "host.toml").write_text(f'memory-dir = "{folder}"', encoding="utf-8")
    run = virtmem(
        *("xml2argv", "--scope", "machine", "--qemu", qemu, "--host", "host.toml", "--format", "json", "-"),
        stdin=xml.encode(),
    )
    assert (run.trouble, run.code) == ("", 0)
    expected = {f"/objects/memua-{n}": text for n, text in enumerate(text for text in ODD.values() if text != "..")}
    expected["/objects/memvirtiomem0"] = f"{folder}/-1-{name}/virtiomem0"
    for path in (*expected.values(), f"{folder}/-1-{name}/ram-node0"):
        (here / path).parent.mkdir(parents=True, exist_ok=True)
    assert ask(binary, json.loads(run.out), [*expected]) == expected


BARE = {
    "CPU model": ("<cpu>", "<cpu><model>qemu64,family=3</model>"),
    "CPU feature": ("<cpu>", "<cpu><model>qemu64</model><feature name='avx=off,family=3,aes' policy='require'/>"),
    "machine": ("'q35'", "'pc-q35-7.2=x'"),
    "machine, comma": ("'q35'", "'pc-q35-7.2,usb=on'"),
}


@pytest.mark.parametrize("name", BARE)
def test_a_word_with_more_behind_it_is_refused(name: str) -> None:
    """-cpu has no way to write a comma, and what is behind one is a property of its own."""
    run = virtmem("xml2argv", "--scope", "machine", "-", stdin=domain(BARE[name]).encode())
    assert (run.code, run.out) == (1, b"")


@pytest.mark.parametrize("driver", ["isa-debug-exit", "driver=pvpanic", "ioh3420,bus=pcie.0"])
def test_a_controller_is_no_other_device(driver: str) -> None:
    """libvirt knows the few drivers of each controller, and takes no other."""
    port = f"<controller type='pci' index='1' model='pcie-root-port'><model name={quoteattr(driver)}/></controller>"
    address = "<address type='pci' bus='0x01' slot='0x00'/></memory>"
    xml = domain(("<devices>", f"<devices>{port}"), ("    </memory>", address))
    run = virtmem("xml2argv", "--scope", "machine", "-", stdin=xml.encode())
    assert (run.code, run.out) == (1, b"")


def test_an_odd_alias_is_dropped_or_refused(here: Path) -> None:
    """libvirt drops it where the domain does not run, and QEMU would refuse it where it does."""
    aliases = [f"ua-{text}" for text in ODD.values()]
    for state, start in {"off": "<domain", "on": "<domain id='1'"}.items():
        (here / state).mkdir()
        for number, alias in enumerate(aliases):
            named = ("    </memory>", f"<alias name={quoteattr(alias)}/></memory>")
            (here / state / f"{number}.xml").write_text(domain(("<domain", start), named), encoding="utf-8")
    off = virtmem("xml2argv", "--format", "json", *sorted((here / "off").iterdir()))
    ids = [json.loads(json.loads(line)[3])["id"] for line in off.out.splitlines()]
    assert (off.code, len(ids)) == (0, len(aliases))
    assert {*ids} == {"virtiomem0", *(alias for alias in aliases if re.fullmatch(r"[\w-]+", alias, re.ASCII))}
    on = virtmem("xml2argv", "--format", "json", *sorted((here / "on").iterdir()))
    ids = [json.loads(json.loads(line)[3])["id"] for line in on.out.splitlines()]
    assert sorted(ids) == sorted(alias for alias in aliases if re.fullmatch(r"[\w.-]+", alias, re.ASCII))


@pytest.mark.parametrize("text", ["/x\\u0000", "/x\\u001b[31m", "/x\\n", "/x\\u202e", "/x\\u009b", "x"])
def test_a_host_file_has_no_odd_folder(text: str, here: Path) -> None:
    for key in ("memory-dir = ", "hugetlbfs.2MiB = "):
        (here / "host.toml").write_text(f'{key}"{text}"')
        run = virtmem("xml2argv", "--host", "host.toml", "good.xml")
        assert (run.code, run.out) == (2, b"")


FILE_NAMES = [
    "../x.xml",
    "../../x.xml.xml",
    "..xml",
    ".xml",
    "-x.xml",
    "a\nb.xml",
    "$(touch canary).xml",
    "\x1b[31m.xml",
]


@pytest.mark.parametrize("file", FILE_NAMES)
def test_arguments_stay_in_their_folder(file: str, here: Path) -> None:
    work = here / "work" / "deep"
    work.mkdir(parents=True)
    (work / file).write_text(odd_domain(".."))
    before = sorted(path for path in here.rglob("*"))
    run = virtmem("xml2argv", "-o", "out", "--", file, cwd=work)
    assert (run.trouble, run.code) == ("", 0)
    (made,) = (work / "out").iterdir()
    assert made.name == os.path.basename(file).removesuffix(".xml") + ".args"
    assert sorted(path for path in here.rglob("*") if path not in (made, made.parent)) == before


def test_a_name_with_folders_in_it_is_refused(here: Path) -> None:
    run = virtmem("xml2argv", "-o", "out", "-", stdin=odd_domain("../../x").encode())
    assert run.code == 1
    assert not (here / "out").exists()


def test_a_repair_through_a_link_stays_in_its_file(here: Path) -> None:
    other = here / "other"
    other.mkdir()
    (other / "warned.xml").write_text(WARNED)
    (other / "more.xml").symlink_to("warned.xml")
    (here / "link.xml").symlink_to("other/more.xml")
    before = names(here)
    assert virtmem("check", "--fix", "link.xml").trouble == ""
    assert names(here) == before
    assert names(other) == ["more.xml", "warned.xml"]
    assert (here / "link.xml").is_symlink()
    assert (other / "more.xml").is_symlink()
    assert (other / "warned.xml").read_text() == DOMAIN


@pytest.mark.parametrize("words", [["xml2argv"], ["check"], ["check", "--fix"], ["verify"]])
def test_a_file_name_with_nul_is_3(words: list[str]) -> None:
    """No process can be given one; a caller of the function can."""
    run = in_this_process(*words, "a\0b.xml")
    assert run.code == 3
    assert "cannot be read" in run.err


# The terminal

EVIL = "\x1b]8;;http://x\x07[red]\x1b[2J\x9b31m\u202e\u2066[link=http://x]y\r\b"
# What XML can hold of that
EVIL_XML = "\x9d8;;http:x\x07[red]\x9b2J\u202e\u2066[link=x]y\x85\u2028".replace("\x07", "\x9c")
EVIL_DOMAIN = domain(
    ("guest", f"{EVIL_XML}/"),
    ("'MiB'>4", f"'M{EVIL_XML}'>3{EVIL_XML}"),
    ("model='virtio-mem'", f"model='virtio-mem' access='{EVIL_XML}'"),
    ("<node>0", f"<!-- {EVIL_XML} --><node>{EVIL_XML}"),
    ("    </memory>", f"\t<alias name='{EVIL_XML}'/>\n{IGNORE.format(EVIL_XML)}\n</memory>"),
    ("'q35'", f"'{EVIL_XML}'"),
    ("machine=", f"\t{EVIL_XML.replace(EVIL_XML, 'x')}='{EVIL_XML}' machine="),
    (REQUESTED, f"<requestd>\t{EVIL_XML}</requestd>"),
)
PMEM_DOMAIN = odd_domain(path=EVIL_XML)
QEMU_SAYS = [
    {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}}},
    {"id": "target", "return": {"arch": "x86_64"}},
    {"id": "virtio-mem-pci", "return": [{"name": "memaddr"}]},
    {"id": "memory-backend-ram", "return": [{"name": "reserve"}]},
    {"id": "devices", "return": [{"type": "virtio-mem", "data": {"id": "virtiomem0", "memdev": EVIL}}]},
]
_DIRECTIONS = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


@pytest.fixture
def evil(here: Path) -> Path:
    """Files with odd names, of odd content; a QEMU that answers oddly, and one that says odd words."""
    folder = here / "evil"
    folder.mkdir()
    for name in (EVIL.replace("/", ""), "evil"):
        (folder / f"{name}.xml").write_text(EVIL_DOMAIN, encoding="utf-8")
    (folder / f"{EVIL.replace('/', '')}-broken.xml").write_text("<domain>")
    (folder / "pmem.xml").write_text(PMEM_DOMAIN, encoding="utf-8")
    warned = WARNED.replace("<target>", f"\t<target> <!-- \t{EVIL_XML} -->")
    (folder / "warned.xml").write_text(warned, encoding="utf-8")
    (folder / "latin.xml").write_text(_declared("latin-1", WARNED.replace("guest", "gro\u00df")), encoding="latin-1")
    answers = "".join(json.dumps(answer) + "\n" for answer in QEMU_SAYS)
    for name, script in {"qemu": f"cat <<'END'\n{answers}END", "words": f"printf '%s' '{EVIL}' >&2"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    (folder / "host.toml").write_text(f'"{json.dumps(EVIL)[1:-1]}" = 1')
    return folder


def terminal(words: Sequence[str], cwd: Path) -> str:
    """What the command writes to a terminal, on both streams."""
    run = on_a_terminal(*words, cwd=cwd, errors=True)
    assert run.code in (0, 1, 2, 3)
    return run.out


def acts(text: str) -> set[str]:
    """The characters that do something to a terminal, but for the end of a line."""
    return {c for c in text if (ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0 or ord(c) in _DIRECTIONS}


EVIL_FILE = EVIL.replace("/", "") + ".xml"
SHOWN = {
    "check": ["check", EVIL_FILE],
    "check of no domain": ["check", EVIL_FILE.replace(".xml", "-broken.xml")],
    "check of no file": ["check", EVIL],
    "fix": ["check", "--fix", "--unsafe-fixes", EVIL_FILE],
    "diff": ["check", "--diff", "--unsafe-fixes", EVIL_FILE],
    "xml2argv": ["xml2argv", EVIL_FILE],
    "xml2argv of no domain": ["xml2argv", EVIL_FILE.replace(".xml", "-broken.xml")],
    "xml2argv of no file": ["xml2argv", EVIL],
    "xml2argv to no folder": ["xml2argv", "-o", "evil.xml/" + EVIL, "pmem.xml"],
    "explain": ["explain", EVIL],
    "verify": ["verify", EVIL_FILE],
    "verify --qemu": ["verify", "--qemu", EVIL, "../good.xml"],
    "verify --qemu that talks": ["verify", "--qemu", "./words", "../good.xml"],
    "--qemu": ["check", "--qemu", EVIL, "evil.xml"],
    "--qemu without a slash": ["check", "--qemu", EVIL.replace("/", ""), "evil.xml"],
    "--host": ["check", "--host", EVIL, "evil.xml"],
    "--host, a file": ["check", "--host", "host.toml", "evil.xml"],
    "--schema": ["check", f"--schema={EVIL}.rng", "evil.xml"],
    "--ignore": ["check", "--ignore", EVIL, "evil.xml"],
    "-o": ["xml2argv", "-o", "evil.xml", EVIL_FILE],
    **{f"check --format {form}": ["check", "--format", form, EVIL_FILE, EVIL] for form in ("json", "sarif", "github")},
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_terminal_gets_words_and_colours(name: str, evil: Path) -> None:
    text = without_colour(terminal(SHOWN[name], evil))
    assert text
    assert acts(text) == set()


@pytest.mark.parametrize("words", [["check", f"--{EVIL}"], [f"--{EVIL}"], [EVIL], ["explain", "a", EVIL]], ids=str)
def test_wrong_usage_is_told_in_words(words: list[str], evil: Path) -> None:
    assert acts(terminal(words, evil)) == set()


def test_a_qemu_that_answers_oddly(evil: Path) -> None:
    """In the table of `verify`."""
    text = without_colour(terminal(["verify", "--qemu", "./qemu", "../good.xml"], evil))
    assert "differs" in text
    assert acts(text) == set()


@pytest.mark.parametrize("qemu", ["5.2", "11.1"])
@pytest.mark.parametrize("form", ["shell", "lines", "json"])
def test_arguments_terminal(form: str, qemu: str, evil: Path) -> None:
    """Whoever looks at them is not deceived; but for the old syntax, which can write no character in another way."""
    words = ["xml2argv", "--scope", "memory", "--qemu", qemu, "--format", form, "pmem.xml"]
    text = without_colour(terminal(words, evil))
    if (form, qemu) not in (("shell", "5.2"), ("lines", "5.2")):
        assert acts(text) == set()
    assert "\x1b" not in text


@pytest.mark.parametrize("name", ["check", "check of no domain", "xml2argv", "explain", "verify --qemu that talks"])
def test_a_terminal_gets_the_words_of_a_pipe(name: str, evil: Path) -> None:
    run = limited(["sh", "-c", 'exec "$0" "$@" 2>&1', VIRTMEM, *SHOWN[name]], cwd=evil)
    assert without_colour(terminal(SHOWN[name], evil)) == run.out.decode()
    assert acts(run.out.decode()) == set()


@pytest.mark.parametrize("file", ["warned.xml", "latin.xml"])
def test_a_diff_on_a_terminal_is_the_diff(file: str, evil: Path) -> None:
    """A tab in it is white space, and no other letter than the file has."""
    text = without_colour(terminal(["check", "--diff", file], evil))
    assert "\\u0009" not in text
    assert "\ufffd" not in text
    assert acts(text) <= {"\t"}


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_a_report_in_a_pipe_has_no_controls(form: str, evil: Path) -> None:
    run = virtmem("check", "--format", form, EVIL_FILE, EVIL, "pmem.xml", cwd=evil)
    assert run.trouble == ""
    assert acts(run.out.decode()) == set()
