"""Files and streams that are odd, end early, are full, closed or not ours: what is said, and what stays as it was."""

import fcntl
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from command import VIRTMEM
from hostile import COMMANDS, DEVICE, DOMAIN, WARNED, WRONG, Run, domain, limited, within_limits

pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def files(here: Path) -> None:
    for name, xml in {"good": DOMAIN, "wrong": WRONG, "warned": WARNED}.items():
        (here / f"{name}.xml").write_text(xml)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("what", "code"), [("folder", 3), ("socket", 3), ("/dev/zero", 1), ("/dev/null", 1)])
def test_what_is_no_file_is_read_with_care(what: str, code: int, command: str, here: Path) -> None:
    (here / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        run = within_limits(*COMMANDS[command], what)
    assert (run.trouble, run.code) == ("", code)


def test_a_fifo_that_nobody_writes_to_is_3(here: Path) -> None:
    os.mkfifo(here / "fifo")
    run = within_limits("check", "fifo")
    assert run.code == 3
    assert b"nobody writes to it" in run.err


@pytest.mark.parametrize("command", ["xml2argv", "check"])
def test_a_fifo_that_somebody_writes_to_is_read(command: str, here: Path) -> None:
    os.mkfifo(here / "fifo")
    writer = threading.Thread(target=(here / "fifo").write_text, args=[DOMAIN])
    writer.start()
    run = within_limits(*COMMANDS[command], "fifo")
    writer.join()
    assert (run.trouble, run.code) == ("", 0)


@pytest.mark.parametrize("command", COMMANDS)
def test_standard_input_that_ends_early_is_no_domain(command: str) -> None:
    for end in (0, 1, len(DOMAIN) // 2, len(DOMAIN) - 3):
        run = within_limits(*COMMANDS[command], "-", stdin=DOMAIN[:end].encode())
        assert (run.trouble, run.code) == ("", 1)


def test_standard_input_without_end_is_no_domain() -> None:
    with open("/dev/zero") as zero:
        run = within_limits("check", "-", stdin=zero.fileno())
    assert (run.trouble, run.code) == ("", 1)


@pytest.mark.parametrize("early", [0, 100])
def test_standard_input_that_does_not_block_is_waited_for(early: int) -> None:
    """Whoever had the pipe before may have told it not to block, as node does."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.write(writer, DOMAIN[:early].encode())

    def later() -> None:
        os.write(writer, DOMAIN[early:].encode())
        os.close(writer)

    timer = threading.Timer(1.5, later)
    timer.start()
    run = within_limits("xml2argv", "-", stdin=reader)
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
        "check --diff --unsafe-fixes warned.xml",
        "check --fix -",
        "explain",
        "explain --example wrong node-missing",
    ],
)
def test_output_that_cannot_be_written_is_3(words: str, redirection: str) -> None:
    run = redirected(words, redirection)
    assert (run.trouble, run.code) == ("", 3)
    assert b"standard output" in run.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("check --fix --unsafe-fixes - ", ""),
        ("check --fix --unsafe-fixes --isolated - other.xml", "1 repair made\n1 domain: nothing found\n"),
        ("check --diff --unsafe-fixes warned.xml other.xml", ""),
    ],
)
def test_repairs_that_cannot_be_written_are_not_told_as_made(words: str, said: str, here: Path) -> None:
    (here / "other.xml").write_text(WARNED)
    run = limited(["sh", "-c", f'exec "$0" {words} >/dev/full', VIRTMEM], WARNED.encode())
    assert run.code == 3
    assert run.err.decode() == f"virtmem: standard output: cannot be written: No space left on device\n{said}"
    assert ((here / "other.xml").read_text() != WARNED) is bool(said)


@pytest.mark.parametrize("words", ["--help", "--version", "check --help"])
def test_help_that_cannot_be_written_has_no_traceback(words: str) -> None:
    assert redirected(words, ">/dev/full").trouble == ""


UNBUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"])


@UNBUFFERED
def test_output_to_a_file_that_is_too_large_is_3(unbuffered: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file takes the beginning of it, which is no reason to think that it has taken all."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    script = 'exec "$0" xml2argv good.xml >report'
    run = limited(["sh", "-c", script, VIRTMEM], largest_file=100)
    assert (run.trouble, run.code) == ("", 3)
    assert b"standard output: cannot be written: File too large" in run.err
    assert (here / "report").stat().st_size == 100


@UNBUFFERED
@pytest.mark.parametrize(
    ("words", "stream"), [("check --format sarif wrong.xml", "stdout"), ("xml2argv many.xml", "stderr")]
)
def test_a_pipe_that_does_not_block_gets_all(words: str, stream: str, unbuffered: str, here: Path) -> None:
    """A full pipe is waited for, whoever has told it not to block, as node does."""
    (here / "many.xml").write_text(domain((DEVICE, DEVICE.replace("'MiB'>4", "'MiB'>3") * 50)))
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command: list[str | Path] = [VIRTMEM, *words.split()]
    undisturbed = subprocess.run(command, capture_output=True, env=environment, check=False)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: writer}
    process = subprocess.Popen(command, env=environment, stdout=streams["stdout"], stderr=streams["stderr"])
    os.close(writer)
    time.sleep(0.5)  # to let the pipe be full
    with open(reader, "rb") as pipe:
        assert pipe.read() == getattr(undisturbed, stream)
    assert process.wait() == undisturbed.returncode


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("xml2argv good.xml", 0),
        ("xml2argv warned.xml", 0),
        ("xml2argv wrong.xml", 1),
        ("xml2argv absent.xml good.xml", 3),
        ("check warned.xml", 0),
        ("check --fix --diff --unsafe-fixes warned.xml", 0),
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
def test_a_reader_of_errors_that_goes_away_ends_the_command(words: str, redirection: str) -> None:
    """As SIGPIPE would have it, whichever stream it was; 3 where the other one was closed and is missed first."""
    reader, writer = os.pipe()
    os.close(reader)
    run = limited(["sh", "-c", f'exec "$0" {words} {redirection}', VIRTMEM], stderr=writer)
    os.close(writer)
    assert run.code in ((141,) if not redirection else (3, 141))


@pytest.mark.parametrize(
    "words", ["xml2argv $(yes good.xml | head -n 3000)", "check --format sarif wrong.xml", "check --fix -", "explain"]
)
def test_a_reader_that_goes_away_is_not_complained_of(words: str) -> None:
    script = f'{{ "$0" {words}; echo $? >code; }} | head -c 1'
    run = limited(["sh", "-c", script, VIRTMEM], (DOMAIN + " " * 200_000).encode())
    assert run.trouble == ""
    assert len(run.out) == 1
    assert b"roken" not in run.err
    assert Path("code").read_text().strip() in ("0", "1", "141")


WRITES = {
    "output": ("xml2argv", "--scope", "machine", "-o", "written", "good.xml"),
    "fix": ("check", "--fix", "--unsafe-fixes", "written/warned.xml"),
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
    run = within_limits(*WRITES[what], largest_file=size)
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
