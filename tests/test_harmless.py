"""Text of the input comes out harmless: in every message, in every format, at every exit, whatever is in it.

What is for programs has the very text: arguments, the repaired XML, and a difference, where they go to a file or pipe.
"""

import ast
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from command import Run, check, execute, shell, virtmem
from domains import ROOT
from hostile import UNSEEN, domain, odd_domain, unseen
from lxml import etree
from test_rooms import PACKAGE

from virtmem_cli.errors import InputRefusedError, UsageError, VirtmemError
from virtmem_cli.report import ARGUMENTS, DOCUMENTS, arguments_format
from virtmem_cli.report.harmless import for_terminal
from virtmem_cli.text import printable, quoted

# What a name in XML can have of it
NAME = "x\u200c\u3164\ufe0f\U000e0101"
FILE = UNSEEN.replace("/", "") + "\n\r\t\x1b.xml"


def test_what_is_not_seen_is_written_as_json_escapes_it() -> None:
    everything = "".join(map(chr, range(0x110000)))
    hidden = unseen(everything) | {"\n"}
    short = {c: f"\\u{ord(c):04x}" for c in "\n\r\t\b\f"}
    expected = "".join(short.get(c) or json.dumps(c)[1:-1] if c in hidden else c for c in everything)
    assert (printable(everything) == expected) is True  # or pytest would show where it differs, for minutes


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gro\u00df \U0001f600 \u65e5\u672c \u0915\u094d\u0937 e\u0301", None),
        ("\u202e\U000e0041\ud800\ue000\ufe0f", r"\u202e\udb40\udc41\ud800\ue000\ufe0f"),
        ("a\u00a0b\u3000c d", r"a\u00a0b\u3000c d"),
        (r"\u202e", None),
    ],
)
def test_what_is_seen_stays_as_it_is(text: str, shown: str | None) -> None:
    assert printable(text) == (text if shown is None else shown)
    assert printable(printable(text)) == printable(text)
    assert quoted(text) == f"'{printable(text)}'"


@pytest.mark.parametrize("kind", [VirtmemError, UsageError])
def test_an_error_is_harmless_whoever_raises_it(kind: type[VirtmemError]) -> None:
    assert unseen(str(kind(UNSEEN))) == set()
    assert str(InputRefusedError(UNSEEN, 1, UNSEEN, UNSEEN)).count(printable(UNSEEN)) == 3
    assert "\n" not in str(kind("a\nb"))


# Every text of domains that have much in them


def changed(path: Path) -> Iterator[bytes]:
    """The domain with one of its texts changed, each of them once: names and values of attributes, tags, contents."""

    def written() -> bytes:
        return etree.tostring(root, encoding="utf-8")

    root = etree.fromstring(path.read_bytes())
    for element in root.iter(etree.Element):
        for name, value in element.attrib.items():
            element.set(name, value + UNSEEN)
            yield written()
            element.set(name, value)
            element.set(NAME, UNSEEN)
            yield written()
            del element.attrib[NAME]
        if len(element) == 0:
            text, element.text = element.text, (element.text or "") + UNSEEN
            yield written()
            element.text = text
        tag, element.tag = element.tag, f"{element.tag!s}{NAME}"
        yield written()
        element.tag = tag
        comment = etree.Comment(f" virtmem: ignore={UNSEEN} ")
        element.append(comment)
        yield written()
        element.remove(comment)


@pytest.fixture(scope="module")
def domains(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Some hundred domains, each with one odd text, in files with odd names."""
    folder = tmp_path_factory.mktemp("harmless")
    (folder / "virtmem.toml").write_text("")
    texts = {
        data: None
        for name in ("everything-set", "controller-defaults")
        for data in changed(ROOT / f"testdata/xml/{name}.xml")
    }
    files = [folder / f"{number}{FILE}" for number in range(len(texts))]
    for file, data in zip(files, texts, strict=True):
        file.write_bytes(data)
    return files


def assert_harmless(run: Run, *, out: bool = True) -> None:
    assert run.code in (0, 1, 2, 3)
    assert unseen(run.err) == set()
    if out:
        assert unseen(run.out) == set()


@pytest.mark.parametrize("form", ["text", *DOCUMENTS])
def test_no_text_of_a_domain_is_in_a_report_as_it_is(form: str, domains: list[Path]) -> None:
    run = check("--format", form, "--scope", "machine", *domains)
    assert run.code == 1
    assert_harmless(run)
    assert run.out.count(r"\u202e") > len(domains) / 4


@pytest.mark.parametrize(
    "words", [["check", "--diff", "--unsafe-fixes"], ["xml2argv"], ["xml2argv", "--scope", "machine", "--qemu", "5.2"]]
)
def test_no_text_of_a_domain_is_in_a_message_as_it_is(words: list[str], domains: list[Path]) -> None:
    run = virtmem(*words, *domains)
    assert run.code in (1, 3)
    assert_harmless(run, out=False)
    assert run.err.count(r"\u202e") > 100 * (words[0] == "xml2argv")


ESCAPED = "".join(f"\\U{ord(c):08x}" for c in UNSEEN)
TOML = f'"{ESCAPED}"'
EXITS = {
    "no file": ["check", FILE],
    "no file, as JSON": ["check", "--format", "json", FILE],
    "no file, as SARIF": ["check", "--format", "sarif", FILE],
    "no file, for GitHub": ["check", "--format", "github", FILE],
    "no domain": ["check", f"broken{FILE}"],
    "no domain, for arguments": ["xml2argv", f"broken{FILE}"],
    "no virtio-mem": ["xml2argv", f"none{FILE}"],
    "no virtio-mem, stale": ["xml2argv", "-o", f"out{FILE}", f"none{FILE}"],
    "no folder": ["xml2argv", "-o", f"none{FILE}", "good.xml"],
    "two to one file": ["xml2argv", "-o", "out", f"none{FILE}", f"none{FILE.removesuffix('.xml')}"],
    "--fix": ["check", "--fix", f"none{FILE}"],
    "--host, a finding": ["check", "--host", f"host{FILE}", "--host", "libvirt", "good.xml"],
    "--host, a key": ["check", "--host", f"key{FILE}", "good.xml"],
    "--host, a value": ["check", "--host", f"value{FILE}", "good.xml"],
    "--host, no TOML": ["check", "--host", f"none{FILE}", "good.xml"],
    "--host, no file": ["check", "--host", FILE, "good.xml"],
    "--host, no name": ["check", "--host", UNSEEN, "good.xml"],
    "--qemu": ["check", "--qemu", UNSEEN, "good.xml"],
    "--select": ["check", "--select", UNSEEN, "good.xml"],
    "--schema": ["check", f"--schema={UNSEEN}.rng", "good.xml"],
    "--schema, no schema": ["check", f"--schema=none{FILE}", "good.xml"],
    "explain": ["explain", UNSEEN],
    "verify": ["verify", "--qemu", UNSEEN, "good.xml"],
    "verify of no domain": ["verify", f"broken{FILE}"],
    "settings": ["check", "settings/good.xml"],
    "--no-such": ["check", f"--{UNSEEN}\n"],
    "no command": [f"{UNSEEN}\n"],
    "no choice": ["check", "--format", f"{UNSEEN}\n", "good.xml"],
    "no number": ["check", "-j", f"{UNSEEN}\n", "good.xml"],
    "too many words": ["explain", "a", f"{UNSEEN}\n"],
    "lines": ["xml2argv", "--qemu", "5.2", "--scope", "memory", "--format", "lines", "pmem.xml"],
}


@pytest.fixture
def odd_files(here: Path) -> Path:
    (here / "good.xml").write_text(domain(("'MiB'>4", "'MiB'>2")))
    (here / "pmem.xml").write_text(odd_domain(path=f"{UNSEEN}\nx"), encoding="utf-8")
    (here / f"broken{FILE}").write_text(f"<domain><a {UNSEEN}", encoding="utf-8")
    for name in (FILE, FILE.removesuffix(".xml")):
        (here / f"none{name}").write_text("<domain type='kvm'><name>x</name><os><type>hvm</type></os></domain>")
    (here / f"out{FILE}").mkdir()
    (here / f"out{FILE}" / f"none{FILE.removesuffix('.xml')}.args").write_text("")
    (here / f"host{FILE}").write_text("thp-size = '4MiB'")
    (here / f"key{FILE}").write_text(f"{TOML} = 1")
    (here / f"value{FILE}").write_text(f"arch = [{TOML}]")
    (here / "settings").mkdir()
    (here / "settings/good.xml").write_text(domain())
    (here / "settings/virtmem.toml").write_text(f"[rules]\nmovable-ratio = {TOML}")
    return here


@pytest.mark.parametrize("name", EXITS)
def test_no_exit_lets_odd_text_through(name: str, odd_files: Path) -> None:
    run = virtmem(*EXITS[name])
    assert_harmless(run)
    assert r"\u202e" in run.out + run.err or r"%E2%80%AE" in run.out
    # Nor is there a line that a message did not begin
    assert not [line for line in run.err.splitlines() if line == "x" or line.startswith(("\\u", ".xml"))]


@pytest.mark.process
def test_a_fault_is_told_in_harmless_words() -> None:
    code = f"""
import virtmem_cli.cli.xml2argv as command
def convert(*_, **__):
    raise RuntimeError({UNSEEN!r})
command.convert = convert
from virtmem_cli.__main__ import main
main()
"""
    script = '"$@" 2>&1 | sed s/Traceback/trace/'  # or what runs it would take it for one
    run = execute(["sh", "-c", script, "sh", sys.executable, "-c", code, "xml2argv", ROOT / "testdata/xml/example.xml"])
    assert "trace (most recent call last)" in run.out
    assert r"RuntimeError: \u007f\u0085\u009b" in run.out
    assert unseen(run.out) == set()


@pytest.mark.process
@pytest.mark.parametrize("form", ["text", *DOCUMENTS])
def test_a_file_whose_process_is_lost_is_named_in_harmless_words(
    form: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may be no text at all."""
    names = [os.fsdecode(b"\xff\xe2\x80\xae.xml"), "good.xml"]
    for name in names:
        (here / name).write_text(domain())
    monkeypatch.setattr("virtmem_cli.cli.check.check", lambda *_: os._exit(1))
    run = check("-j", "2", "--format", form, *names)
    assert run.code == 3
    assert_harmless(run)
    assert r"\udcff\u202e.xml: not done: its process of -j ended" in run.err
    if form in ("json", "sarif"):
        text = json.loads(run.out)
        told = text["unread"] if form == "json" else text["runs"][0]["invocations"][0]["toolExecutionNotifications"]
        (words, _) = (one["message"] if form == "json" else one["message"]["text"] for one in told)
        assert words.startswith(r"\udcff\u202e.xml: not done")


@pytest.mark.process
@pytest.mark.parametrize("error", ["MemoryError", "ImportError('x.so: failed to map segment from shared object')"])
def test_too_little_memory_is_told_as_what_it_is(error: str) -> None:
    code = f"""
import virtmem_cli.cli.xml2argv as command
def convert(*_, **__):
    raise {error}
command.convert = convert
from virtmem_cli.__main__ import main
main()
"""
    run = execute([sys.executable, "-c", code, "xml2argv", ROOT / "testdata/xml/example.xml"])
    assert run == (3, "", "virtmem: there is too little memory\n")


@pytest.mark.process
def test_a_process_with_too_little_memory_costs_its_input(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: object) -> None:
        raise MemoryError

    for name in ("one.xml", "other.xml"):
        (here / name).write_text(domain())
    monkeypatch.setattr("virtmem_cli.cli.check.check", short)
    run = check("-j", "2", "one.xml", "other.xml")
    words = "not done: its process of -j had too little memory; the other inputs are done"
    assert run == (3, "", f"virtmem: one.xml: {words}\nvirtmem: other.xml: {words}\n")


# What is for programs, on a terminal


@pytest.mark.process
@pytest.mark.parametrize("qemu", ["5.2", "11.1"])
def test_what_a_terminal_shows_of_arguments_is_the_arguments(qemu: str, here: Path) -> None:
    """QEMU gets the same from it, pasted into a shell; but for lines of the old syntax, which can be shown alone."""
    xml = odd_domain(path=f"it's {UNSEEN}\r\n\t#$\\")
    words = ("xml2argv", "--scope", "memory", "--qemu", qemu, "--format")
    argv = json.loads(virtmem(*words, "json", "-", given=xml).out)
    assert UNSEEN in "".join(argv)
    for form in ARGUMENTS:
        if form == "lines" and qemu == "5.2":
            continue
        shown = for_terminal(arguments_format(form)(argv), form)
        assert unseen(shown) == set()
        if form == "shell":
            run = shell('eval "set -- $1"; printf "%s\\0" "$@"', shown)
            read = run.out.split("\0")[:-1]
        else:
            read = json.loads(shown) if form == "json" else shown.splitlines()
        assert [meant(one) for one in read] == [meant(one) for one in argv]


def meant(argument: str) -> object:
    return json.loads(argument) if argument.startswith("{") else argument


def test_a_program_gets_the_very_text(here: Path) -> None:
    alias = domain(("    </memory>", f"<alias name={quoteattr('odd' + UNSEEN)}/></memory>"))
    warned = alias.replace("<node>", "<nod/><node>")
    (here / "warned.xml").write_text(warned, encoding="utf-8")
    assert f"-    {UNSEEN}" not in check("--diff", "--unsafe-fixes", "warned.xml").out
    assert f"odd{UNSEEN}" in check("--diff", "--unsafe-fixes", "warned.xml").out
    assert UNSEEN in virtmem("xml2argv", "-", given=odd_domain(name=UNSEEN)).out


# By construction


def makers(name: str) -> set[str]:
    """The files of the package that call what has the name."""
    return {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name
    }


@pytest.mark.parametrize(
    ("name", "file"), [("Reported", "told.py"), ("Plain", "cli/terminal.py"), ("Failure", "report/words.py")]
)
def test_what_is_told_is_made_at_one_place(name: str, file: str) -> None:
    assert makers(name) == {file}


WRITERS = {"print", "input", "echo", "secho", "warn", "print_exc", "write_through", "breakpoint", "displayhook"}


def voices(text: str) -> set[str]:
    """What code has that writes to the streams, or could: the streams themselves, writers, and modules that write."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and node.attr.strip("_") in ("stdout", "stderr"):
            found |= {ast.unparse(node)} & {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"}
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found |= {name} if name.rpartition(".")[2] in WRITERS or name == "os.write" else set()
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            names = [module or alias.name for alias in node.names]
            names += [f"{module}.{alias.name}" for alias in node.names if module in ("sys", "click", "warnings")]
            odd = {"sys.stdout", "sys.stderr", "click.echo", "click.secho"}
            found |= {
                name for name in names if name.partition(".")[0] in ("rich", "logging", "warnings") or name in odd
            }
    return found


@pytest.mark.parametrize(
    "code",
    [
        "print(1)",
        "click.echo(1)",
        "sys.stderr.write('')",
        "out = sys.stdout",
        "from sys import stdout",
        "from click import echo",
        "os.write(1, b'')",
        "def f():\n    from rich.console import Console",
        "import logging",
    ],
)
def test_a_voice_is_found_however_it_is_written(code: str) -> None:
    assert voices(code)


def test_nothing_writes_but_the_terminal() -> None:
    files = {path for path in PACKAGE.rglob("*.py") if voices(path.read_text())}
    # Where memory is short the process itself says so, in words that are none of the input's
    assert files == {PACKAGE / "cli/terminal.py", PACKAGE / "__main__.py"}
    text = (PACKAGE / "__main__.py").read_text()
    assert voices(text) == {"os.write"}
    assert text.count("os.write(") == text.count("os.write(2, _SHORT)")
