"""`xml2argv -o DIR`: files written whole or not at all, none of before left behind, no link followed."""

import os
from pathlib import Path

import pytest
from command import process, virtmem
from small import DOMAIN, WRONG

from virtmem_cli import host
from virtmem_cli.cli import params

pytestmark = pytest.mark.process


def test_output_folder(files: Path) -> None:
    run = process("xml2argv", "-o", "out/args", "good.xml", "wrong.xml", "none.xml", "-", cwd=files, given=DOMAIN)
    assert (run.code, run.out) == (1, "")
    assert sorted(path.name for path in (files / "out/args").iterdir()) == ["good.args", "stdin.args"]
    written = files / "out/args/good.args"
    assert written.read_text() == process("xml2argv", files / "good.xml").out
    umask = os.umask(0)
    os.umask(umask)
    assert written.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("content", [WRONG, "no XML", "<domain type='kvm'><name>x</name></domain>"])
def test_no_arguments_of_before_are_left_where_there_are_none_now(content: str, files: Path) -> None:
    (files / "wrong.xml").write_text(content)
    (files / "wrong.args").write_text("old")
    run = process("xml2argv", "-o", ".", "wrong.xml", cwd=files)
    assert run.code == (0 if "name" in content and content != WRONG else 1)
    assert "wrong.args, which was from before, is removed" in run.err
    assert not (files / "wrong.args").exists()


def test_what_is_no_regular_file_is_not_removed(files: Path) -> None:
    os.mkfifo(files / "wrong.args")
    run = process("xml2argv", "-o", ".", "wrong.xml", cwd=files)
    assert "wrong.args is from before, and is no regular file, so that it is left alone" in run.err
    assert (files / "wrong.args").is_fifo()


@pytest.mark.parametrize("target", ["good.xml", "nowhere", "wrong.args"])
def test_a_stale_link_is_removed_and_what_it_leads_to_is_not(target: str, files: Path) -> None:
    (files / "wrong.args").symlink_to(target)
    run = process("xml2argv", "-o", ".", "wrong.xml", cwd=files)
    assert run.code == 1
    assert "wrong.args, which was from before, is removed" in run.err
    assert not (files / "wrong.args").is_symlink()
    assert (files / "good.xml").read_text() == DOMAIN


# What is wrong with an input, to the words that it is converted with, the exit code and what is said
NO_ARGUMENTS = {
    "absent": ([], 3, "cannot be read: No such file"),
    "no emulator": (["--qemu", "emulator"], 3, "the domain has no <emulator>"),
    "wrong configuration": ([], 2, "unknown key 'slect'"),
}


@pytest.mark.parametrize("fault", NO_ARGUMENTS)
def test_no_arguments_of_before_are_left_where_the_work_cannot_be_done(fault: str, files: Path) -> None:
    """Whoever starts a guest with them would start it as it is no more."""
    words, code, said = NO_ARGUMENTS[fault]
    (files / "guest.args").write_text("old")
    if fault != "absent":
        (files / "guest.xml").write_text(DOMAIN)
    if fault == "wrong configuration":
        (files / "virtmem.toml").write_text("slect = []")
    run = process("xml2argv", "-o", ".", *words, "guest.xml", cwd=files)
    assert said in run.err
    assert run.code == code
    assert "; ./guest.args, which was from before, is removed\n" in run.err
    assert not (files / "guest.args").exists()


def test_no_arguments_of_before_are_left_where_a_format_cannot_carry_them(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mount with a line break in its path."""
    (files / "proc").mkdir()
    (files / "proc/mounts").write_text("none /mnt/a\\012b hugetlbfs rw,pagesize=2M 0 0\n")
    here = host.local_host(files)
    monkeypatch.setattr(host, "local_host", lambda: here)
    huge = "<memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking>"
    (files / "guest.xml").write_text(DOMAIN.replace("<os>", f"{huge}<os>"))
    (files / "guest.args").write_text("old")
    words = ("--qemu", "5.2", "--host", "local", "--format", "lines", "-o", files)
    params.host.cache_clear()
    try:
        run = virtmem("xml2argv", "--isolated", *words, files / "guest.xml")
    finally:
        params.host.cache_clear()
    assert "which --format lines cannot carry" in run.err
    assert (run.code, (files / "guest.args").exists()) == (3, False)


def test_what_of_before_cannot_be_removed_is_an_error(files: Path) -> None:
    """It misleads whoever reads no words, also where the domain merely has no arguments."""
    (files / "none.args").mkdir()
    run = process("xml2argv", "-o", ".", "none.xml", cwd=files)
    assert "none.args is from before, and is no regular file" in run.err
    assert run.code == 3


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_nothing_but_a_file_is_written_over(kind: str, files: Path) -> None:
    target = files / "good.args"
    if kind == "fifo":
        os.mkfifo(target)
    else:
        target.mkdir()
    before = os.stat(target)
    run = process("xml2argv", "-o", ".", "good.xml", cwd=files)
    assert run.code == 3
    assert "is no regular file" in run.err
    assert os.stat(target)[:2] == before[:2]


@pytest.mark.parametrize("target", ["real", "nowhere", "good.args", "/dev/null", "folder"])
def test_a_link_is_replaced_and_not_written_through(target: str, files: Path) -> None:
    """Somebody else may have planted it."""
    (files / "real").write_text("old")
    (files / "folder").mkdir()
    (files / "good.args").symlink_to(target)
    run = process("xml2argv", "-o", ".", "good.xml", cwd=files)
    words = "./good.args: it was a symbolic link, and is a file now; what it led to is as it was\n"
    assert (run.code, run.err) == (0, words)
    assert not (files / "good.args").is_symlink()
    assert (files / "good.args").read_text().startswith("-object ")
    assert (files / "real").read_text() == "old"
    assert list((files / "folder").iterdir()) == []
    assert not (files / "nowhere").exists()


def test_the_output_folder_may_be_a_link(files: Path) -> None:
    (files / "real").mkdir()
    (files / "out").symlink_to("real")
    run = process("xml2argv", "-o", "out", "good.xml", cwd=files)
    assert (run.code, run.err) == (0, "")
    assert [path.name for path in (files / "real").iterdir()] == ["good.args"]


def test_a_file_keeps_its_mode_and_no_other_name_of_it_is_written(files: Path) -> None:
    (files / "good.args").write_text("old")
    (files / "good.args").chmod(0o640)
    os.link(files / "good.args", files / "other")
    assert process("xml2argv", "-o", ".", "good.xml", cwd=files).code == 0
    assert (files / "good.args").stat().st_mode & 0o7777 == 0o640
    assert (files / "other").read_text() == "old"


def test_a_planted_file_decides_nothing_about_the_result(files: Path) -> None:
    """Or its owner could write the arguments that a guest is started with."""
    planted = files / "good.args"
    planted.write_text("old")
    try:
        os.chown(planted, 54321, 54321)
    except PermissionError:
        pytest.skip("only root can give a file away")
    planted.chmod(0o6666)
    run = process("xml2argv", "-o", ".", "good.xml", cwd=files)
    words = "./good.args: it was a file of user 54321's, and is a new one of yours now\n"
    assert (run.code, run.err) == (0, words)
    umask = os.umask(0)
    os.umask(umask)
    status = planted.stat()
    assert (status.st_uid, status.st_gid) == (os.geteuid(), os.getegid())
    assert status.st_mode & 0o7777 == 0o666 & ~umask
    assert process("xml2argv", "-o", ".", "good.xml", cwd=files).err == ""


def test_a_file_that_is_kept_gives_nobody_rights(files: Path) -> None:
    (files / "good.args").write_text("old")
    (files / "good.args").chmod(0o6750)
    assert process("xml2argv", "-o", ".", "good.xml", cwd=files).code == 0
    assert (files / "good.args").stat().st_mode & 0o7777 == 0o750


def test_output_folder_that_cannot_be_is_3(files: Path) -> None:
    run = process("xml2argv", "-o", "good.xml/out", "warned.xml", cwd=files)
    assert run.code == 3
    assert "cannot be written: " in run.err
    assert (files / "good.xml").read_text() == DOMAIN
