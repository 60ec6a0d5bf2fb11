"""In a workflow GitHub's runner reads what the command writes, and obeys none of what came from the input.

The runner's own way to read is in `runner.py`. Arguments are the very same; what is for people shows escapes.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from command import Run, check, execute, on_a_terminal, process, shell, virtmem, without_colour
from hostile import DOMAIN, REQUESTED, WARNED, domain, odd_domain
from hypothesis import given
from hypothesis import strategies as st
from runner import REGISTERED, commands

from virtmem_cli import convert
from virtmem_cli.report import ARGUMENTS, DOCUMENTS, arguments_format
from virtmem_cli.report.harmless import for_runner

OBEYED = [
    "::set-output name=x::y",
    " \t::SET-ENV name=PATH::y",
    "\u3000\xa0::stop-commands::t",
    "##[add-mask]x",
    "a ##[Add-Path]/x",
    "###[set-output name=x]y",
    "##[error]##[error]z",
    "::error::a##[add-mask]b",
]
BREAKS = ["\n", "\r", "\r\n", "\x85", "\u2028", "\n\n \n"]
# What an attribute or a path can be: each at the beginning of a line, and in one
TEXTS = [*OBEYED, *(f"a{end}{one}{end}" for end in BREAKS for one in OBEYED)]


@pytest.fixture(autouse=True)
def workflow(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")


def assert_nothing_is_obeyed(run: Run, *ours: str) -> None:
    assert run.code in (0, 1, 2, 3)
    assert [command.name for command in commands(run.err)] == []
    assert {command.name for command in commands(run.out)} <= {*ours}


def references(text: str) -> str:
    """Text for XML, with what a parser would make a space or a line break of it kept."""
    return "".join(f"&#{ord(c)};" if c in "\r\n\t\x85\u2028" else escape(c, {"'": "&apos;"}) for c in text)


def test_the_runner_would_obey_them() -> None:
    for text in TEXTS:
        assert list(commands(text))
    assert {name for name in REGISTERED if not list(commands(f"::{name}::"))} == set()


# Words


def wrong(text: str) -> str:
    """A domain that is wrong in several ways, each with the text in it, raw in its source too."""
    value = quoteattr(text)
    source = "\n".join((escape(text), f"<!-- {text} -->".replace("--", "-- ").replace("<!-- ", "<!--", 1)))
    return domain(
        ("'MiB'>4", f"{quoteattr(text)}>3"),
        ("model='virtio-mem'", f"model='virtio-mem' access={value}"),
        ("arch='x86_64'", f"arch={value}"),
        (REQUESTED, f"<requestd>{escape(text)}</requestd>\n{escape(text)}<requested unit='MiB'>3</requested>"),
        ("    </memory>", f"<alias name={value}/>\n<!-- virtmem: ignore={text} -->\n</memory>"),
        ("  <devices>", f"{source.splitlines()[0]}\n  <devices>"),
    )


@pytest.fixture(scope="module")
def domains(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Domains with such texts, in files with such names."""
    folder = tmp_path_factory.mktemp("workflow")
    (folder / "virtmem.toml").write_text("")
    files = []
    for number, text in enumerate(TEXTS):
        files.append(folder / f"{text} {number}.xml".replace("/", ""))
        files[-1].write_bytes(wrong(text).encode())
    return files


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("form", ["text", *DOCUMENTS])
def test_no_report_has_a_command(
    form: str, relative: bool, domains: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(domains[0].parent)
    run = check("--format", form, "--", *(path.name if relative else path for path in domains))
    ours = ("error", "warning", "notice") if form == "github" else ()
    assert_nothing_is_obeyed(run, *ours)
    if form in ("json", "sarif"):
        assert "set-output" in json.dumps(json.loads(run.out))
    if form == "github":
        # One for each line of findings, and whatever a runner that does not know them would look for
        assert not list(commands(run.out.replace("::error ", "").replace("::warning ", "").replace("::notice ", "")))


@pytest.mark.parametrize(
    "words",
    [["check", "--diff", "--unsafe-fixes"], ["check", "--fix", "--unsafe-fixes"], ["xml2argv"], ["verify"]],
    ids=" ".join,
)
def test_no_message_has_a_command(words: list[str], domains: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(domains[0].parent)
    each = [[path.name] for path in domains] if words == ["verify"] else [[path.name for path in domains]]
    before = [path.read_bytes() for path in domains]
    for files in each:
        run = virtmem(*words, "--", *files)
        assert_nothing_is_obeyed(run)
        assert run.err
    for path, data in zip(domains, before, strict=True):
        path.write_bytes(data)


EXITS: dict[str, Sequence[str]] = {
    "no file": ["check", "--"],
    "no file, as SARIF": ["check", "--format", "sarif", "--"],
    "no file, for arguments": ["xml2argv", "--"],
    "no file to verify": ["verify", "--"],
    "no folder": ["xml2argv", "good.xml", "-o", "good.xml/"],
    "--host": ["check", "good.xml", "--host"],
    "--qemu": ["check", "good.xml", "--qemu"],
    "--qemu of verify": ["verify", "good.xml", "--qemu"],
    "--select": ["check", "good.xml", "--select"],
    "--format": ["check", "good.xml", "--format"],
    "-j": ["check", "good.xml", "-j"],
    "explain": ["explain", "--"],
    "a word too many": ["explain", "a"],
    "no command": [],
}


@pytest.mark.parametrize("name", EXITS)
def test_no_exit_has_a_command(name: str, here: Path) -> None:
    (here / "good.xml").write_text(DOMAIN)
    for text in TEXTS:
        run = virtmem(*EXITS[name], text.replace("/", ""))
        assert_nothing_is_obeyed(run)
        assert run.code


@pytest.mark.process
def test_a_fault_has_no_command() -> None:
    code = "raise RuntimeError('\\n::set-output name=x::y\\na ##[add-mask]x')"
    script = f"import virtmem_cli.cli.explain as c\ndef page(_):\n    {code}\nc.page = page\n"
    script += "from virtmem_cli.__main__ import main\nmain()"
    run = execute(
        [
            "sh",
            "-c",
            '"$@" 2>&1 | sed s/Traceback/trace/',
            "sh",
            sys.executable,
            "-c",
            script,
            "explain",
            "node-missing",
        ]
    )
    assert "trace" in run.out
    assert "set-output" in run.out
    assert list(commands(run.out)) == []


def test_only_a_line_that_would_be_obeyed_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a::b::c\n #[error]\n##\n# #[x]\n\u00df \U0001f600\n"
    for form in ("words", "diff", "shell", "json", "lines", "xml"):
        assert for_runner(text, form) == text
    assert for_runner("a\n ::x::y\n z##[w]", "diff") == "a\n \\u003a:x::y\n z\\u0023#[w]"
    Path("warned.xml").write_text(WARNED)
    inside = check("--diff", "--unsafe-fixes", "warned.xml")
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert inside == check("--diff", "--unsafe-fixes", "warned.xml")


@pytest.mark.parametrize("value", [None, ""])
def test_elsewhere_nothing_is_changed(value: str | None, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    if value is not None:
        monkeypatch.setenv("GITHUB_ACTIONS", value)
    (here / "warned.xml").write_text(
        WARNED.replace(REQUESTED.replace("requested", "requestd"), "<requestd/> ##[error]")
    )
    assert "##[error]" in check("--diff", "--unsafe-fixes", "warned.xml").out
    assert "##[error]" in virtmem("xml2argv", "-", given=odd_domain(name="##[error]")).out


# Arguments


PATHS = [*TEXTS, "it's ##['##[']", "\n::'a'::", "\n '::a::'", "#", "a\n #"]


def pmem(path: str) -> str:
    """A domain with the path in an argument."""
    return odd_domain(path="PATH").replace("PATH", references(path))


def argv_of(path: str, qemu: str) -> tuple[str, ...]:
    argv = convert(pmem(path), scope="memory", qemu=qemu).argv
    assert path.replace(",", ",,") in argv[-3] or path == json.loads(argv[-3])["mem-path"]
    return argv


@pytest.mark.process
@pytest.mark.parametrize("qemu", ["5.2", "11.1"])
def test_a_shell_gets_the_very_arguments(qemu: str) -> None:
    texts = []
    for path in PATHS:
        run = virtmem("xml2argv", "--scope", "memory", "--qemu", qemu, "-", given=pmem(path))
        assert run.code == 0
        assert_nothing_is_obeyed(run)
        texts.append(run.out)
    script = 'for one; do eval "set -- $one"; printf "%s\\0" "$#" "$@"; done'
    words = shell(script, *texts).out.split("\0")[:-1]
    argvs = [argv_of(path, qemu) for path in PATHS]
    assert words == [word for argv in argvs for word in (str(len(argv)), *argv)]


@pytest.mark.parametrize("qemu", ["5.2", "11.1"])
def test_json_gives_the_very_arguments(qemu: str) -> None:
    for path in PATHS:
        run = virtmem("xml2argv", "--scope", "memory", "--format", "json", "--qemu", qemu, "-", given=pmem(path))
        assert_nothing_is_obeyed(run)
        assert json.loads(run.out) == list(argv_of(path, qemu))


def test_lines_say_the_same_in_json_and_refuse_the_old_syntax() -> None:
    words = ("xml2argv", "--scope", "memory", "--format", "lines", "--qemu")
    refused = 0
    for path in PATHS:
        new = virtmem(*words, "11.1", "-", given=pmem(path))
        assert new.code == 0
        assert_nothing_is_obeyed(new)
        assert [meant(one) for one in new.out.split("\n")[:-1]] == [meant(one) for one in argv_of(path, "11.1")]
        old = virtmem(*words, "5.2", "-", given=pmem(path))
        assert_nothing_is_obeyed(old)
        text = "".join(f"{argument}\n" for argument in argv_of(path, "5.2"))
        refused += old.code == 3
        if old.code == 3:
            assert "\n" in path or "##[" in path or list(commands(text))
            assert (old.out, "take json" in old.err) == ("", True)
        else:
            assert (old.code, old.out) == (0, text)
    assert 0 < refused < len(PATHS)


def meant(argument: str) -> object:
    return json.loads(argument) if argument.startswith("{") else argument


WORDS = st.lists(
    st.sampled_from(["::", ":", "##[", "#", "[", "]", " ", "'", '"', "\\", "\n", "\r", "\u2028", "error", "a"])
)


@given(WORDS.map("".join), WORDS.map("".join))
def test_no_argument_is_obeyed_whatever_is_in_it(one: str, two: str) -> None:
    argv = ["-object", one, "-device", json.dumps({"id": two}, ensure_ascii=False)]
    for form in ("shell", "json"):
        text = for_runner(arguments_format(form)(argv), form)
        assert list(commands(text)) == []
    assert json.loads(for_runner(arguments_format("json")(argv), "json")) == argv


@pytest.mark.parametrize("value", ["true", "1", "false"])
def test_any_word_stands_for_a_workflow(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", value)
    assert "##[error]" not in virtmem("xml2argv", "-", given=odd_domain(name="##[error]")).out


# Files and streams


def test_what_goes_to_a_file_is_as_ever(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = {}
    for value in ("true", ""):
        monkeypatch.setenv("GITHUB_ACTIONS", value)
        for form in ARGUMENTS:
            xml = odd_domain(path="##[add-mask]x")
            assert virtmem("xml2argv", "--format", form, "-o", f"{form}{value}", "-", given=xml).code == 0
            written[form, value] = (here / f"{form}{value}/stdin.args").read_text()
    for form in ARGUMENTS:
        assert written[form, "true"] == written[form, ""]


@pytest.mark.parametrize("text", ["##[add-mask]x", "\n  ::set-output name=x::y"])
def test_repaired_xml_that_would_be_obeyed_is_not_written(text: str, here: Path) -> None:
    xml = WARNED.replace("<target>", f"<target><!-- {text} -->")
    run = check("--fix", "--unsafe-fixes", "-", given=xml)
    assert (run.code, run.out) == (3, "")
    assert "give the name of its file" in run.err
    (here / "warned.xml").write_text(xml)
    assert check("--fix", "--unsafe-fixes", "warned.xml").code == 0
    assert text in (here / "warned.xml").read_text()
    assert check("--fix", "--unsafe-fixes", "-", given=WARNED).out == DOMAIN


@pytest.mark.process
def test_a_terminal_in_a_workflow_has_no_command(here: Path, domains: list[Path]) -> None:
    for words in (["check"], ["check", "--diff", "--unsafe-fixes"]):
        run = on_a_terminal(
            *words, "--", *[path.name for path in domains], cwd=domains[0].parent, GITHUB_ACTIONS="true"
        )
        assert list(commands(run.out)) == []
        assert list(commands(without_colour(run.out))) == []


@pytest.mark.process
def test_workers_have_no_command(domains: list[Path]) -> None:
    names = [path.name for path in domains]
    run = process("check", "-j", "2", "--", *names, cwd=domains[0].parent, GITHUB_ACTIONS="true")
    assert_nothing_is_obeyed(run)
