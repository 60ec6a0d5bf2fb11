"""XML that means harm: what it refers to is not fetched, odd bytes and odd numbers are told."""

import json
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from command import check_json, virtmem
from hostile import COMMANDS, DOMAIN, REQUESTED, Run, declared, domain, within_limits

pytestmark = pytest.mark.usefixtures("here")


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


@pytest.mark.process
@pytest.mark.parametrize("command", COMMANDS)
def test_an_entity_refuses_a_domain(command: str, server: socket.socket, here: Path) -> None:
    files = referring(ENTITIES, server, here)
    before = [file.read_bytes() for file in files]
    run = within_limits(*COMMANDS[command], *files)
    assert_nothing_fetched(run, files, server)
    assert run.code == 1
    assert [file.read_bytes() for file in files] == before
    if command == "xml2argv":
        words = [line for line in run.err.splitlines() if b"[not-a-domain]" in line]
        assert len(words) == len(files)
        assert all(b"<!DOCTYPE> is not taken" in line or b"not well-formed XML" in line for line in words)


@pytest.mark.process
@pytest.mark.parametrize("command", COMMANDS)
def test_a_reference_is_not_followed(command: str, server: socket.socket, here: Path) -> None:
    files = referring(REFERENCES, server, here)
    assert_nothing_fetched(within_limits(*COMMANDS[command], *files), files, server)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_domain_is_told(command: str, here: Path) -> None:
    (here / "broken.xml").write_text("<domain>")
    run = virtmem(*COMMANDS[command], "broken.xml")
    assert run.code == 1
    assert "not well-formed XML" in run.out + run.err


# Bytes


_NAMED = domain(("guest", "gro\u00df"), (REQUESTED, "<requestd/>"))


def _named(encoding: str) -> str:
    return declared(encoding, _NAMED)


BYTES: Mapping[str, bytes] = {
    "not UTF-8": _NAMED.encode("latin-1"),
    "cut in a character": _NAMED.encode()[: _NAMED.encode().index(b"\xc3") + 1],
    "overlong": DOMAIN.encode().replace(b"guest", b"\xc0\xbc\xe0\x80\xbc"),
    "surrogates": DOMAIN.encode().replace(b"guest", b"\xed\xa0\xbd\xed\xb8\x80"),
    "not a character": DOMAIN.encode().replace(b"guest", b"\xef\xbf\xbf"),
    "UTF-16 that is UTF-8": _named("UTF-16").encode(),
    "UTF-8 that is UTF-16": _named("UTF-8").encode("utf-16"),
    "UTF-8 that is UTF-16, no mark": _named("UTF-8").encode("utf-16-le"),
    "UTF-16, cut": _named("UTF-16").encode("utf-16")[:-1],
    "UTF-32": _named("UTF-32").encode("utf-32"),
    "UTF-8 that is UTF-32": _named("UTF-8").encode("utf-32-be"),
    "two marks": b"\xef\xbb\xbf\xff\xfe" + DOMAIN.encode(),
    "a mark of another": b"\xff\xfe" + DOMAIN.encode(),
    "UTF-7": _named("UTF-7").encode("utf-7"),
    "EBCDIC": _named("IBM037").encode("cp037"),
    "US-ASCII that is not": _named("US-ASCII").encode(),
    **{f"{name}, declared": _named(name).encode() for name in ("hex", "rot13", "zlib", "idna", "unicode_escape")},
    **{f"{name}, declared": _named(name).encode() for name in ("x-unknown", "a" * 10_000, "UCS-4", "UTF-8-sig")},
    "version 1.1": DOMAIN.encode().replace(b"<domain", b"<?xml version='1.1'?><domain").replace(b"guest", b"&#x1b;"),
    "NUL in a name": DOMAIN.encode().replace(b"guest", b"gu\0est"),
    "NUL in a number": DOMAIN.encode().replace(b">4</size", b">4\0</size"),
    "NUL behind": DOMAIN.encode() + b"\0" * 1000,
    "NUL": b"\0" * 1000,
    "NUL by its number": DOMAIN.encode().replace(b"guest", b"gu&#0;est"),
    "ESC by its number": DOMAIN.encode().replace(b"guest", b"gu&#x1b;[31mest"),
}


@pytest.mark.process
@pytest.mark.parametrize("command", COMMANDS)
def test_odd_bytes_are_a_domain_or_none(command: str, here: Path) -> None:
    files = []
    for number, data in enumerate(BYTES.values()):
        files.append(here / f"{number}.xml")
        files[-1].write_bytes(data)
    assert within_limits(*COMMANDS[command], *files).trouble == ""


def test_nul_is_in_no_domain() -> None:
    for name in (name for name in BYTES if name.startswith("NUL")):
        run = virtmem("xml2argv", "-", given=BYTES[name])
        assert (run.code, run.out) == (1, "")
        assert "not well-formed XML" in run.err


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
    (here / "good.xml").write_text(DOMAIN)
    files = [f"{name}.xml" for name in spelt]
    run = check_json(*files)
    found = {
        file["name"]: [finding["rule"] for finding in file["findings"] if finding["rule"] == "number-invalid"]
        for file in json.loads(run.out)["files"]
    }
    assert {name for name in spelt if not found[f"{name}.xml"]} == taken
    (plain,) = virtmem("xml2argv", "--scope", "machine", "--format", "json", "good.xml").out.splitlines()
    lines = virtmem("xml2argv", "--scope", "machine", "--format", "json", *files).out.splitlines()
    assert lines == [plain] * len(taken)
