"""A file that `--fix` replaces: nobody's edit is lost, and it keeps all that it has but its text."""

import os
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from command import process
from domains import X86, edited

from virtmem_cli.cli import replace as room
from virtmem_cli.cli.replace import CHANGED, OPEN, replace
from virtmem_cli.errors import VirtmemError

# Reads and replaces a file, again and again, with time between the two for somebody else
REPAIRS = """
import sys, time
from virtmem_cli.cli.replace import replace
from virtmem_cli.errors import VirtmemError
path = sys.argv[1]
print("begins", flush=True)
while True:
    try:
        text = open(path, "rb").read()
        time.sleep(0.0005)
        replace(path, text, text.split(b"|")[0] + b"|repaired\\n")
    except (VirtmemError, FileNotFoundError):
        pass
"""
# What setfacl -m u:1000:rw would write: version 2, and entries of a tag, permissions and an id
ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, permissions, 1000 if tag == 2 else 0xFFFFFFFF)
    for tag, permissions in ((1, 6), (2, 6), (4, 4), (16, 6), (32, 4))
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "guest.xml"
    path.write_bytes(b"old")
    return path


def refusal(path: Path, was: bytes = b"old") -> str:
    """Why the file is left alone, which it then is."""
    before = path.read_bytes()
    with pytest.raises(VirtmemError) as error:
        replace(str(path), was, b"new")
    assert path.read_bytes() == before
    assert not list(path.parent.glob(".virtmem-*"))
    return str(error.value).removeprefix(f"{path}: cannot be written: ")


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_file_gets_its_next_text(file: Path, exchanges: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the system cannot exchange files."""
    if not exchanges:
        monkeypatch.setattr(room, "_exchange", lambda *_: False)
    replace(str(file), b"old", b"new")
    assert file.read_bytes() == b"new"
    assert os.listdir(file.parent) == ["guest.xml"]


@pytest.mark.parametrize("exchanges", [True, False])
@pytest.mark.parametrize("now", [b"older", b"ol", b"new"])
def test_a_file_that_was_changed_is_left_alone(
    file: Path, exchanges: bool, now: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr(room, "_exchange", lambda *_: False)
    file.write_bytes(now)
    assert refusal(file) == CHANGED


@pytest.mark.parametrize("how", ["written", "renamed", "gone"])
def test_a_change_at_the_last_moment_is_kept(file: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first look and the exchange; a file that is gone stays gone."""
    fsync = os.fsync
    other = Thread(target=file.write_bytes, args=[b"theirs"])

    def late(descriptor: int) -> None:
        fsync(descriptor)
        if how == "written":
            other.start()
            while "BREAKING" not in Path("/proc/locks").read_text():
                time.sleep(0.001)  # until it waits, since there is a lease
        else:
            file.unlink()
        if how == "renamed":
            (file.parent / "theirs").write_bytes(b"theirs")
            (file.parent / "theirs").rename(file)

    monkeypatch.setattr(os, "fsync", late)
    with pytest.raises(VirtmemError, match="cannot be written"):
        replace(str(file), b"old", b"new")
    if how == "written":
        other.join()
    assert [path.read_bytes() for path in file.parent.iterdir()] == ([] if how == "gone" else [b"theirs"])


def test_a_newer_file_that_comes_while_the_old_one_goes_back_is_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, times = room._exchange, []

    def busy(one: str, other: str) -> bool:
        times.append(one)
        if len(times) < 3:  # an edit before each
            (file.parent / "theirs").write_bytes(b"edit %d" % len(times))
            (file.parent / "theirs").rename(file)
        return exchange(one, other)

    monkeypatch.setattr(room, "_exchange", busy)
    with pytest.raises(VirtmemError, match="somebody has changed it"):
        replace(str(file), b"old", b"new")
    assert [path.read_bytes() for path in file.parent.iterdir()] == [b"edit 2"]


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_file_that_somebody_has_open_for_writing_is_left_alone(
    file: Path, exchanges: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr(room, "_exchange", lambda *_: False)
    with file.open("r+b"):
        assert refusal(file) == OPEN
    with file.open("rb"):
        replace(str(file), b"old", b"new")


def before_the_exchange(monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    fsync = os.fsync

    def late(descriptor: int) -> None:
        fsync(descriptor)
        then()

    monkeypatch.setattr(os, "fsync", late)


def after_the_exchange(monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    """Do something when the files have changed places for the first time."""
    exchange, times = room._exchange, []

    def busy(one: str, other: str) -> bool:
        done = exchange(one, other)
        times.append(one)
        if len(times) == 1:
            then()
        return done

    monkeypatch.setattr(room, "_exchange", busy)


def renamed(file: Path, text: bytes) -> None:
    (file.parent / "theirs").write_bytes(text)
    (file.parent / "theirs").rename(file)


def test_a_file_that_is_removed_while_the_old_one_goes_back_is_the_old_one(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_the_exchange(monkeypatch, lambda: renamed(file, b"theirs"))
    after_the_exchange(monkeypatch, file.unlink)
    with pytest.raises(VirtmemError, match="somebody has changed it"):
        replace(str(file), b"old", b"new")
    assert [path.read_bytes() for path in file.parent.iterdir()] == [b"theirs"]


def test_of_an_edit_before_and_one_after_the_exchange_none_is_lost(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later one has the name; where the former is, is said."""
    before_the_exchange(monkeypatch, lambda: renamed(file, b"first"))
    monkeypatch.setattr(room, "_lease", lambda _: 1)  # or the second would wait
    after_the_exchange(monkeypatch, lambda: file.write_bytes(b"second"))
    with pytest.raises(VirtmemError, match="it was changed twice meanwhile") as error:
        replace(str(file), b"old", b"new")
    assert file.read_bytes() == b"second"
    assert Path(str(error.value).split()[-1]).read_bytes() == b"first"


@pytest.mark.process
@pytest.mark.parametrize("renames", [False, True])
def test_no_edit_of_a_busy_editor_is_lost(tmp_path: Path, renames: bool) -> None:
    """Each edit is found in the file again, repaired or not, while another process repairs without a pause."""
    file, beside = tmp_path / "guest.xml", tmp_path / "guest.xml~"
    file.write_bytes(b"0|")
    with subprocess.Popen([sys.executable, "-c", REPAIRS, file], stdout=subprocess.PIPE) as repairs:
        assert repairs.stdout is not None
        repairs.stdout.readline()
        repaired = 0
        try:
            for number in range(1, 300):
                if renames:
                    beside.write_bytes(b"%d|" % number)
                    beside.rename(file)
                else:
                    file.write_bytes(b"%d|" % number)
                time.sleep(0.002 * (number % 3))
                deadline = time.monotonic() + 5
                while not (text := file.read_bytes()).startswith(b"%d|" % number):
                    assert time.monotonic() < deadline, f"edit {number} is lost: {text!r}"
                repaired += b"repaired" in text
        finally:
            repairs.kill()
    assert repaired > 30


def test_mode_owner_attributes_and_access_list_stay(file: Path) -> None:
    if os.geteuid() == 0:
        os.chown(file, 1234, 4321)
    file.chmod(0o640)
    os.setxattr(file, "user.origin", b"\0by hand")
    os.setxattr(file, "system.posix_acl_access", ACL)
    before = file.stat()
    replace(str(file), b"old", b"new")
    after = file.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert os.getxattr(file, "user.origin") == b"\0by hand"
    assert os.getxattr(file, "system.posix_acl_access") == ACL


def test_no_access_list_comes_from_the_folder(file: Path) -> None:
    os.setxattr(file.parent, "system.posix_acl_default", ACL)
    file.chmod(0o604)
    replace(str(file), b"old", b"new")
    assert (os.listxattr(file), stat.S_IMODE(file.stat().st_mode)) == ([], 0o604)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("fchown", "its owner or group could not be kept: --diff shows what to write into it"),
        ("setxattr", "its attribute user.origin could not be kept: --diff shows what to write into it"),
        ("getxattr", "its attributes cannot be read: Operation not permitted"),
    ],
)
def test_what_cannot_be_kept_keeps_the_file_as_it_is(
    file: Path, call: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for one who may write into the folder, and is not the owner."""
    os.setxattr(file, "user.origin", b"by hand")

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, call, refused)
    assert refusal(file) == words


def test_a_file_with_two_names_is_left_alone(file: Path) -> None:
    os.link(file, file.parent / "other.xml")
    assert refusal(file) == (
        "it has 2 names (hard links), and only this one would change: --diff shows what to write into it"
    )


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "guest.xml")
    with pytest.raises(VirtmemError, match=r"guest\.xml: cannot be written: it is no regular file"):
        replace(str(tmp_path / "guest.xml"), b"", b"new")
    with pytest.raises(VirtmemError, match=r"none\.xml: cannot be written: No such file or directory"):
        replace(str(tmp_path / "none.xml"), b"", b"new")


@pytest.mark.parametrize("call", ["fsync", "fchmod", "pread"])
def test_nothing_is_left_behind_where_a_signal_ends_it(file: Path, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the files change places, and after."""
    done = getattr(os, call)
    times: list[object] = []

    def interrupted(*words: object) -> object:
        times.append(words)
        if len(times) == 1 + (call == "pread"):
            raise KeyboardInterrupt
        return done(*words)

    monkeypatch.setattr(os, call, interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace(str(file), b"old", b"new")
    assert [path.read_bytes() for path in file.parent.iterdir()] == [b"old"]


@pytest.mark.process
def test_the_command_tells_what_is_left_alone_and_repairs_the_rest(tmp_path: Path) -> None:
    for name in ("one.xml", "two.xml"):
        (tmp_path / name).write_text(edited(X86, ("'MiB'>2<", "'MiB'>2M<")))
    os.link(tmp_path / "one.xml", tmp_path / "same.xml")
    run = process("check", "--fix", "one.xml", "two.xml", cwd=tmp_path)
    assert run.code == 3
    assert run.err.startswith("virtmem: one.xml: cannot be written: it has 2 names (hard links)")
    assert "1 repair made\n1 domain: nothing found\n" in run.err
    assert ((tmp_path / "two.xml").read_text(), (tmp_path / "one.xml").read_text() == X86) == (X86, False)
