"""The command as a user has it: a real process, real streams, a real shell and a real terminal."""

import json
import shutil
import signal
import time
from pathlib import Path

import pytest
from command import VIRTMEM, Run, execute, on_a_terminal, process, python, running, shell
from small import ADVISED, DOMAIN, WRONG

from virtmem_cli import __version__

pytestmark = pytest.mark.process

ARGV = [
    "-object",
    '{"qom-type":"memory-backend-ram","id":"memvirtiomem0","reserve":false,"size":2147483648}',
    "-device",
    '{"driver":"virtio-mem-pci","node":0,"block-size":2097152,"memdev":"memvirtiomem0","id":"virtiomem0"}',
]


# Exit codes and streams


def test_good_is_0_and_says_nothing(files: Path) -> None:
    run = process("xml2argv", files / "good.xml")
    assert (run.code, run.err) == (0, "")
    assert run.out == f"-object '{ARGV[1]}' \\\n-device '{ARGV[3]}'\n"


def test_wrong_is_1_and_prints_no_arguments(files: Path) -> None:
    run = process("xml2argv", "wrong.xml", cwd=files)
    assert (run.code, run.out) == (1, "")
    assert run.err == (
        "wrong.xml:11: error: <block> is 3 MiB, which is not a power of two; libvirt and QEMU refuse it. "
        "Write 4 MiB, say. [block-not-power-of-two]\n"
        "wrong.xml: refused, no arguments written\n"
    )


def test_a_warning_is_0_and_strict_makes_it_1(files: Path) -> None:
    run = process("xml2argv", "warned.xml", cwd=files)
    assert run.code == 0
    assert run.out
    assert run.err == (
        "warned.xml:11: warning: <requestd> in <target> is unknown to libvirt, which ignores it. "
        "Did you mean 'requested'? [element-unknown]\n"
    )
    strict = process("xml2argv", "--strict", "warned.xml", cwd=files)
    assert (strict.code, strict.out) == (1, "")
    assert strict.err == run.err + "warned.xml: refused by --strict, no arguments written\n"


def test_no_virtio_mem_is_0_and_says_so(files: Path) -> None:
    run = process("xml2argv", "none.xml", cwd=files)
    assert (run.code, run.out) == (0, "")
    assert run.err == "none.xml: no <memory model='virtio-mem'> in this domain, so there is nothing to convert\n"


def test_all_problems_at_once(files: Path) -> None:
    xml = (
        WRONG.replace("<node>0</node>", "<node>3</node>")
        .replace("'GiB'>16", "'GiB'>1")
        .replace("<size unit='GiB'>2", "<size unit='GiB'>0x2")
    )
    run = process("xml2argv", "-", given=xml)
    assert run.code == 1
    found = [line.split("[")[-1].rstrip("]") for line in run.err.splitlines()[:-1]]
    assert found == ["hotplug-space", "number-invalid", "node-unknown", "block-not-power-of-two"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the input is empty"),
        (b" \n ", "the input is empty"),
        (b"hello", "not well-formed XML"),
        (DOMAIN[:200].encode(), "not well-formed XML"),
        (b"\x00\x01\x02", "not well-formed XML"),
        (b"<network/>", "the root element is 'network', and should be <domain>"),
        (b"<domain xmlns='http://example.org/'/>", "should be <domain>"),
        (b"<!DOCTYPE domain>" + DOMAIN.encode(), "<!DOCTYPE> is not taken"),
        (b"<!DOCTYPE d [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><domain>&a;</domain>", "<!DOCTYPE> is not taken"),
        (b"<domain>" * 4000, "not well-formed XML"),
        (b"<domain>" + b" " * (17 << 20), "larger than 4 MiB"),
    ],
    ids=lambda value: str(value[:24]),
)
def test_what_is_no_domain_is_1(data: bytes, words: str) -> None:
    run = process("xml2argv", "-", given=data)
    assert (run.code, run.out) == (1, "")
    assert words in run.err
    assert run.err.startswith("<stdin>:")


def test_a_name_in_xml_does_not_reach_the_terminal_raw() -> None:
    name = "\u202eevil\u009b31m"
    run = process("xml2argv", "-", given=DOMAIN.replace("<name>guest", f"<name>{name}/"))
    assert run.code == 1
    assert "\\u202eevil\\u009b31m" in run.err


@pytest.mark.parametrize("what", ["absent.xml", ".", "loop.xml", "a\nb.xml"])
def test_what_cannot_be_read_is_3_and_the_others_are_done(what: str, files: Path) -> None:
    (files / "loop.xml").symlink_to("loop.xml")
    run = process("xml2argv", what, "good.xml", cwd=files)
    assert run.code == 3
    assert "cannot be read: " in run.err
    assert len(run.err.splitlines()) == 1
    assert run.out.startswith("-object ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--scope", "all", "good.xml"],
        ["--format", "yaml", "good.xml"],
        ["--qemu", "new", "good.xml"],
        ["--qemu", "7", "good.xml"],
        ["--qemu", "7.2.x", "good.xml"],
        ["--host", "good.xml", "good.xml"],
        ["--no-such", "good.xml"],
        ["-o", "out", "good.xml", "other/good.xml"],
        ["-o", "wrong.xml", "good.xml"],
        ["-o", "", "good.xml"],
        ["-o", "-", "good.xml"],
        ["-", "-"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2(arguments: list[str], files: Path) -> None:
    run = process("xml2argv", *arguments, cwd=files)
    assert (run.code, run.out) == (2, "")
    assert run.err
    assert not (files / "out").exists()


def test_unknown_command_is_2() -> None:
    assert process("argv2xml").code == 2


# Several files, standard input, output folder


def test_several_files_keep_their_order(files: Path) -> None:
    (files / "second.xml").write_text(DOMAIN.replace("'GiB'>2</size", "'MiB'>512</size"))
    run = process("xml2argv", "--format", "json", "wrong.xml", "second.xml", "none.xml", "good.xml", cwd=files)
    assert run.code == 1
    sizes = [json.loads(json.loads(line)[1])["size"] for line in run.out.splitlines()]
    assert sizes == [512 << 20, 2 << 30]


def test_standard_input(files: Path) -> None:
    assert process("xml2argv", "-", given=DOMAIN).out == process("xml2argv", files / "good.xml").out


def test_full_disk_is_3(files: Path) -> None:
    run = shell('exec "$0" xml2argv good.xml >/dev/full', cwd=files)
    assert (run.code, run.err) == (3, "virtmem: standard output: cannot be written: No space left on device\n")


# Formats, through the real programs they are for


def test_shell_format_in_a_real_shell(files: Path) -> None:
    name = "it's $(touch pwned) `touch pwned` \"\\ \u00e4"
    xml = DOMAIN.replace("<name>guest", f"<name>{name}").replace(
        "  <devices>", "  <memoryBacking><source type='file'/></memoryBacking>\n  <devices>"
    )
    (files / "odd.xml").write_text(xml)
    run = shell('eval "set -- $("$0" xml2argv odd.xml)"; printf "%s\\n" "$@"', cwd=files)
    assert (run.code, run.out) == (0, process("xml2argv", "--format", "lines", "odd.xml", cwd=files).out)
    assert not (files / "pwned").exists()


def test_lines_format_through_xargs(files: Path) -> None:
    text = process("xml2argv", "--format", "lines", files / "good.xml").out
    run = execute(["xargs", "-d", "\n", "printf", "%s\\0"], given=text)
    assert (run.code, run.out.split("\0")[:-1]) == (0, ARGV)


def test_json_format(files: Path) -> None:
    assert json.loads(process("xml2argv", "--format", "json", files / "good.xml").out) == ARGV


def test_output_is_utf8_in_any_locale(files: Path) -> None:
    xml = DOMAIN.replace("guest", "gro\u00df").replace(
        "<os>", "<memoryBacking><source type='file'/></memoryBacking><os>"
    )
    (files / "umlaut.xml").write_text(xml, encoding="utf-8")
    for locale in ("C", "C.UTF-8", "POSIX"):
        run = process("xml2argv", files / "umlaut.xml", LC_ALL=locale, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
        assert "gro\u00df" in run.out


# The target


def test_qemu_version_decides_the_syntax(files: Path) -> None:
    heads = {}
    for version in ("5.1", "6.0", "6.2"):
        argv = json.loads(process("xml2argv", "--format", "json", "--qemu", version, files / "good.xml").out)
        heads[version] = [argv[1][0], argv[3][0]]
    assert heads == {"5.1": ["m", "v"], "6.0": ["{", "v"], "6.2": ["{", "{"]}


def test_a_qemu_without_virtio_mem_is_refused(files: Path) -> None:
    run = process("xml2argv", "--qemu", "4.2", files / "good.xml")
    assert run.code == 1
    assert "QEMU 4.2 has no virtio-mem for x86_64" in run.err


def test_host_file(files: Path) -> None:
    (files / "host.toml").write_text("page-size = '64KiB'\nthp-size = '512MiB'\n")
    run = process("xml2argv", "--host", "host.toml", "good.xml", cwd=files)
    assert run.code == 1
    assert "<block> is 2 MiB, and the host's transparent huge page is 512 MiB" in run.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("thp = '2MiB'", "unknown key 'thp'; known are arch, page-size, thp-size"),
        ("thp-size = 2", "thp-size is 2, and should be a size such as '2MiB', a power of two"),
        ("thp-size = '3MiB'", "a power of two"),
        ("nodes = [0]", "a list of nodes such as '0-3'"),
        ("nodes = ''", "a list of nodes such as '0-3'"),
        ("hugetlbfs = '/dev/hugepages'", "a table such as"),
        ("hugetlbfs = { 2MiB = 'dev' }", "an absolute path"),
        ("arch = 'vax'", "one of x86_64"),
        ("memory-dir = 7", "an absolute path"),
        ("thp-size", "this is not TOML"),
        ("a = " + "[" * 5000, "nested more than 20 deep"),
    ],
)
def test_a_wrong_host_file_is_2(text: str, words: str, files: Path) -> None:
    (files / "host.toml").write_text(text)
    run = process("xml2argv", "--host", "host.toml", "good.xml", cwd=files)
    assert run.code == 2
    assert run.err.startswith("virtmem: host.toml: ")
    assert words in run.err


def test_an_absent_host_file_is_3(files: Path) -> None:
    assert process("xml2argv", "--host", "absent.toml", "good.xml", cwd=files).code == 3


def test_local_host(files: Path) -> None:
    """Whatever this machine is: it has a node 0, and no node 127."""
    source = "<source><nodemask>127</nodemask></source><target>"
    run = process("xml2argv", "--host", "local", "-", given=DOMAIN.replace("<target>", source))
    has_nodes = Path("/sys/devices/system/node/has_memory").exists()
    assert ("host nodes 127 are named" in run.err) == has_nodes


# A terminal, a closed pipe, Ctrl-C


def test_colour_on_a_terminal_alone(files: Path) -> None:
    words = ("xml2argv", "wrong.xml")
    shown = on_a_terminal(*words, cwd=files, errors=True)
    assert shown.code == 1
    assert "\x1b[1;31merror: " in shown.out
    assert "[block-not-power-of-two]" in shown.out
    assert "\x1b" not in on_a_terminal(*words, cwd=files, errors=True, NO_COLOR="1").out
    assert "\x1b" not in process("xml2argv", files / "wrong.xml", FORCE_COLOR="1").err


def test_markup_in_names_is_text_on_a_terminal(files: Path) -> None:
    (files / "odd.xml").write_text(DOMAIN.replace("<name>guest", "<name>[red]x[/red]/[link=http://example.org]y"))
    shown = on_a_terminal("xml2argv", "odd.xml", cwd=files, errors=True)
    assert shown.code == 1
    assert "[red]x[/red]/[link=http://example.org]y" in shown.out


def test_closed_pipe_is_quiet(files: Path) -> None:
    with running("xml2argv", "-", cwd=files) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        child.stdin.write(DOMAIN.encode())
        child.stdin.close()
        assert child.wait(timeout=30) == 128 + signal.SIGPIPE
        assert child.stderr.read() == b""


@pytest.mark.parametrize(("close", "code"), [(">&-", 3), ("<&-", 3), ("2>&-", 1)])
def test_closed_streams(close: str, code: int, files: Path) -> None:
    file = {">&-": "good.xml", "<&-": "-", "2>&-": "wrong.xml"}[close]
    assert shell(f'"$0" xml2argv {file} {close}', cwd=files).code == code


def test_without_words_the_help_goes_to_standard_error() -> None:
    run = process()
    assert (run.code, run.out, run.err) == (2, "", process("--help").out)


def test_ctrl_c_is_130_and_quiet() -> None:
    child = running("xml2argv", "-")
    # The import of the command's modules must be over: then it waits for standard input
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if "pipe" in Path(f"/proc/{child.pid}/wchan").read_text() or sleeping(child.pid):
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 130
    assert errors == b""


def test_ctrl_c_while_modules_are_loaded_is_130_and_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert python("-m", "virtmem_cli", "--version") == Run(130, "", "")


def sleeping(pid: int) -> bool:
    """Whether the process has waited for a while without using the processor."""
    before = Path(f"/proc/{pid}/stat").read_text().split()[13:15]
    time.sleep(0.3)
    return Path(f"/proc/{pid}/stat").read_text().split()[13:15] == before


# Help and start-up


def test_version_and_help() -> None:
    assert process("--version").out == f"virtmem {__version__}\n"
    assert "xml2argv" in process("--help").out
    text = process("xml2argv", "--help").out
    for option in ("--scope", "--format", "--qemu", "--host", "--strict", "--output", "Example:", "Exit status:"):
        assert option in text


def test_python_runs_it_as_a_module(files: Path) -> None:
    assert python("-m", "virtmem_cli", "xml2argv", "good.xml", cwd=files) == process("xml2argv", "good.xml", cwd=files)


def test_a_plain_conversion_imports_nothing_slow(tmp_path: Path) -> None:
    (tmp_path / "good.xml").write_text(DOMAIN)  # and no configuration
    code = (
        "import sys; from virtmem_cli.cli import main\n"
        "try: main(['xml2argv', 'good.xml'])\n"
        "except SystemExit: print(*sys.modules)"
    )
    run = python("-c", code, cwd=tmp_path)
    assert run.code == 0
    modules = set(run.out.splitlines()[-1].split())
    slow = {"rich", "tempfile", "tomllib", "pathlib", "dataclasses", "difflib", "importlib.metadata", "subprocess"}
    assert "virtmem_cli.conversion" in modules
    assert not modules & slow


@pytest.mark.parametrize("command", [["check", "--format", "json"], ["xml2argv", "-o", "out"]])
def test_standard_input_that_cannot_be_read_stops_no_other(command: list[str], files: Path) -> None:
    run = shell('"$0" "$@" <&-', *command, "-", "good.xml", cwd=files)
    assert run.code == 3
    assert "<stdin>: cannot be read: standard input is closed" in run.err
    if command[0] == "check":
        document = json.loads(run.out)
        assert [file["name"] for file in document["files"]] == ["good.xml"]
        assert [file["name"] for file in document["unread"]] == ["<stdin>"]
    else:
        assert (files / "out/good.args").exists()


def test_a_folder_that_is_gone_is_no_matter_to_standard_input(files: Path) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && "$0" xml2argv -'
    run = shell(script, given=DOMAIN, cwd=files)
    assert (run.code, run.err) == (0, "")
    assert run.out == process("xml2argv", files / "good.xml").out


def test_advice_that_settings_make_an_error_refuses_arguments_too(files: Path) -> None:
    (files / "much.xml").write_text(ADVISED)
    assert process("xml2argv", "much.xml", cwd=files).code == 0
    (files / "virtmem.toml").write_text("rules = { movable-ratio = 'error' }\n")
    run = process("xml2argv", "much.xml", cwd=files)
    assert (run.code, run.out) == (1, "")
    assert "[movable-ratio]" in run.err
    assert process("check", "much.xml", cwd=files).code == 1


def test_what_cannot_be_written_is_not_told_as_repaired(files: Path) -> None:
    """A pipe in place of a file can be read, and not replaced."""
    (files / "long.xml").write_text(DOMAIN.replace("'GiB'>16<", "'GiB'>1<"))
    run = execute(["bash", "-c", f"{VIRTMEM} check --format json --fix <(cat long.xml)"], cwd=files)
    assert run.code == 3
    assert "cannot be written" in run.err
    assert "repair made" not in run.err
    document = json.loads(run.out)
    assert document["files"] == []
    assert len(document["unread"]) == 1


def test_a_file_that_is_given_twice_is_not_repaired_twice(files: Path) -> None:
    run = process("check", "--fix", "good.xml", "./good.xml", cwd=files)
    assert (run.code, run.out) == (2, "")
    assert "a file is given twice" in run.err


def test_a_rule_with_too_many_findings_is_named_where_they_cannot_be_repaired(files: Path) -> None:
    device = DOMAIN[DOMAIN.index("    <memory model") : DOMAIN.index("  </devices>")]
    (files / "many.xml").write_text(DOMAIN.replace(device, device.replace("MiB'>2<", "MiB'>3<") * 1100))
    run = process("check", "--fix", "--unsafe-fixes", "many.xml", cwd=files)
    assert run.code == 3
    assert "many.xml: cannot be repaired: block-not-power-of-two finds more than is named" in run.err


@pytest.mark.skipif(shutil.which("patch") is None, reason="patch is not installed")
def test_a_difference_of_a_file_with_a_blank_in_its_name_is_one_that_patch_takes(files: Path) -> None:
    (files / "a name.xml").write_text(DOMAIN.replace("'GiB'>16<", "'GiB'>1<"))
    difference = process("check", "--diff", "a name.xml", cwd=files).out
    assert execute(["patch", "-p0"], given=difference, cwd=files).code == 0
    assert "'GiB'>6</maxMemory>" in (files / "a name.xml").read_text()
