"""Signals, lost processes and limits: one signal ends all of it, and what is lost is named; with real processes."""

import json
import os
import pty
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import TIMEOUT, VIRTMEM, process, running, shell
from small import DOMAIN, WARNED, WRONG

pytestmark = pytest.mark.process

ENDING = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
FIX = ("--fix", "--unsafe-fixes")
COMMANDS = {"check": ("check", "--format", "json"), "xml2argv": ("xml2argv", "--format", "json")}


def until(happened: Callable[[], object]) -> None:
    """Wait for what has to happen; how long it takes is no matter."""
    deadline = time.monotonic() + TIMEOUT
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and those that they have."""
    found: set[int] = set()
    left = [pid]
    while left:
        try:
            children = Path(f"/proc/{left[-1]}/task/{left.pop()}/children").read_text().split()
        except OSError:
            continue  # it has ended meanwhile
        left += map(int, children)
        found.update(map(int, children))
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that run, and are not just waited for."""
    states = {}
    for pid in pids:
        try:
            states[pid] = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
    return {pid for pid, state in states.items() if state not in "ZX"}


def reading(pids: set[int], path: Path) -> set[int]:
    """Those that have a file open."""
    found = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                if os.readlink(link) == str(path):
                    found.add(pid)
            except OSError:
                continue
    return found


@pytest.fixture
def slow(here: Path) -> Iterator[Path]:
    """A FIFO whose writer never says anything: whoever reads it is busy until it is ended."""
    os.mkfifo(here / "slow.xml")
    descriptor = os.open(here / "slow.xml", os.O_RDWR)
    yield here / "slow.xml"
    os.close(descriptor)


NAMES = [f"{number}.xml" for number in range(30)]


@pytest.fixture
def files(here: Path, slow: Path) -> list[str]:
    """Thirty inputs, and the slow one among them."""
    for number, name in enumerate(NAMES):
        (here / name).write_text((DOMAIN, WRONG, WARNED)[number % 3])
    return [*NAMES[:20], "slow.xml", *NAMES[20:]]


def ended(child: "subprocess.Popen[bytes]") -> tuple[int, bytes, str]:
    """How it ended, and that it had nobody left."""
    out, err = child.communicate(timeout=TIMEOUT)
    assert b"Traceback" not in err, err.decode()
    return child.returncode, out, err.decode()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("jobs", ["1", "4"])
@pytest.mark.parametrize("to", ["parent", "group"])
@pytest.mark.parametrize("number", ENDING)
def test_one_signal_ends_all_and_says_how_far(
    number: signal.Signals, to: str, jobs: str, command: str, files: list[str], slow: Path
) -> None:
    child = subprocess.Popen(
        [VIRTMEM, *COMMANDS[command], "-j", jobs, *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    until(lambda: reading({child.pid, *descendants(child.pid)}, slow))
    all_of_it = descendants(child.pid)
    assert len(all_of_it) == (0 if jobs == "1" else 5)
    (os.kill if to == "parent" else os.killpg)(child.pid, number)
    code, out, err = ended(child)
    assert code == ENDING[number]
    assert not alive(all_of_it)
    said = err.splitlines()[-1]
    assert said.startswith(f"virtmem: ended by {number.name}: ")
    assert "of 31 inputs done" in said
    assert ("more begun" in said) == (jobs != "1")
    if jobs == "1":
        assert f"ended by {number.name}: 20 of 31" in said
    if command == "check":
        with pytest.raises(json.JSONDecodeError):
            json.loads(out)


def test_a_signal_while_standard_input_is_read_says_how_far(files: list[str]) -> None:
    child = running("check", "0.xml", "-")
    until(lambda: "pipe" in Path(f"/proc/{child.pid}/wchan").read_text() or reads_standard_input(child.pid))
    child.send_signal(signal.SIGTERM)
    code, _, err = ended(child)
    assert (code, err) == (143, "virtmem: ended by SIGTERM: 0 of 2 inputs done\n")


def reads_standard_input(pid: int) -> bool:
    """Whether it waits in read(2) of descriptor 0, where the system tells."""
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split()[:2] == ["0", "0x0"]
    except OSError:
        return False


def test_an_ignored_signal_stays_ignored(files: list[str], slow: Path) -> None:
    """As nohup has it."""
    words = shlex.join([str(VIRTMEM), "check", "-j", "2", *files])
    child = subprocess.Popen(["sh", "-c", f"trap '' HUP; exec {words}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: reading(descendants(child.pid), slow))
    child.send_signal(signal.SIGHUP)
    child.send_signal(signal.SIGTERM)
    assert ended(child)[0] == 143


@pytest.mark.parametrize("jobs", ["1", "3"])
@pytest.mark.parametrize("number", ENDING)
def test_a_signal_leaves_no_file_half_written(number: signal.Signals, jobs: str, here: Path) -> None:
    """At whatever moment it comes: what is there is the text of before or that of after, and nothing else is there."""
    before, after = WRONG.encode(), process("check", *FIX, "-", given=WRONG).out.encode()
    assert before != after
    names = [f"{number}.xml" for number in range(150)]
    seen = set()
    for moment in range(6):
        for name in names:
            (here / name).write_bytes(before)
        child = running("check", *FIX, "-j", jobs, *names)
        watched = here / names[moment * 10]
        while child.poll() is None and watched.read_bytes() == before:
            time.sleep(0.001)
        workers = descendants(child.pid)
        child.send_signal(number)
        code, _, _ = ended(child)
        seen.add(code)
        assert not alive(workers)
        assert sorted(path.name for path in here.iterdir()) == sorted(names)
        assert {(here / name).read_bytes() for name in names} <= {before, after}
    assert ENDING[number] in seen


# A process that is lost


@pytest.mark.parametrize("command", COMMANDS)
def test_a_lost_process_costs_the_input_that_it_was_at(command: str, files: list[str], slow: Path) -> None:
    child = running(*COMMANDS[command], "-j", "3", *files)
    until(lambda: reading(descendants(child.pid), slow))
    (worker,) = reading(descendants(child.pid), slow)
    os.kill(worker, signal.SIGKILL)
    code, out, err = ended(child)
    undisturbed = process(*COMMANDS[command], *NAMES)
    assert code == 3
    lost = "slow.xml: not done: its process of -j ended by SIGKILL, as where memory is short; the other inputs are done"
    assert [line for line in err.splitlines() if "not done" in line] == [f"virtmem: {lost}"]
    if command == "check":
        document = json.loads(out)
        assert document["files"] == json.loads(undisturbed.out)["files"]
        assert document["unread"] == [{"name": "slow.xml", "message": lost}]
    else:
        assert out.decode() == undisturbed.out
        assert [line for line in err.splitlines(keepends=True) if "not done" not in line] == (
            undisturbed.err.splitlines(keepends=True)
        )


def test_no_arguments_of_before_are_left_of_an_input_that_is_lost(here: Path) -> None:
    """And its name is as harmless as ever."""
    name = "\x1b[31mred\x1b[0m.xml"
    os.mkfifo(name)
    descriptor = os.open(name, os.O_RDWR)
    stale = here / f"{name[:-4]}.args"
    stale.write_text("old")
    (here / "good.xml").write_text(DOMAIN)
    child = running("xml2argv", "-o", ".", "-j", "2", name, "good.xml")
    until(lambda: reading(descendants(child.pid), here / name))
    (worker,) = reading(descendants(child.pid), here / name)
    os.kill(worker, signal.SIGKILL)
    code, _, err = ended(child)
    os.close(descriptor)
    assert code == 3
    assert "the other inputs are done; ./" in err
    assert err.endswith("which was from before, is removed\n")
    assert "\x1b" not in err
    assert not stale.exists()


def test_all_processes_may_be_lost_again_and_again(here: Path) -> None:
    """Whatever is at work at the time; as where memory is short."""
    names = [f"{number}.xml" for number in range(6)]
    descriptors = []
    for name in names:
        os.mkfifo(name)
        descriptors.append(os.open(name, os.O_RDWR))
    child = running("check", "-j", "2", *names)
    killed: set[int] = set()
    for _ in names:
        until(lambda: [pid for name in names for pid in reading(descendants(child.pid) - killed, here / name)])
        (worker, *_) = [pid for name in names for pid in reading(descendants(child.pid) - killed, here / name)]
        killed.add(worker)
        os.kill(worker, signal.SIGKILL)
    code, _, err = ended(child)
    assert code == 3
    assert [line.split(": ")[1] for line in err.splitlines()] == names


@pytest.mark.parametrize("jobs", ["2", "4"])
def test_no_process_outlives_one_that_is_killed(jobs: str, files: list[str], slow: Path) -> None:
    """Not even one that is busy, and so does not notice."""
    child = running("check", "-j", jobs, *files)
    until(lambda: reading(descendants(child.pid), slow))
    all_of_it = descendants(child.pid)
    assert len(all_of_it) == int(jobs) + 1
    child.kill()
    child.communicate(timeout=TIMEOUT)
    until(lambda: not alive(all_of_it))


def guard_of(pid: int) -> int:
    """The process that leads the group of all others."""
    (guard,) = [one for one in descendants(pid) if os.getpgid(one) == one]
    return guard


def test_no_process_outlives_its_guard_and_one_that_is_killed(files: list[str], slow: Path) -> None:
    """Whoever ends all processes one by one may come to the guard first."""
    child = running("check", "-j", "3", *files)
    until(lambda: reading(descendants(child.pid), slow))
    all_of_it = descendants(child.pid)
    os.kill(guard_of(child.pid), signal.SIGKILL)
    child.kill()
    child.communicate(timeout=TIMEOUT)
    until(lambda: not alive(all_of_it))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("names", [["guest.xml"], ["guest.xml", "good.xml"]])
def test_no_qemu_outlives_its_guard_and_one_that_is_killed(
    names: list[str], number: signal.Signals, here: Path
) -> None:
    (here / "qemu").write_text(f"#!/bin/sh\necho >{here}/started\nexec sleep 60\n")
    (here / "qemu").chmod(0o755)
    (here / "guest.xml").write_text(DOMAIN.replace("<devices>", f"<devices><emulator>{here}/qemu</emulator>"))
    (here / "good.xml").write_text(DOMAIN)
    child = running("xml2argv", "--qemu", "emulator", *names)
    until((here / "started").exists)
    all_of_it = descendants(child.pid)
    assert len(all_of_it) == 2
    os.kill(guard_of(child.pid), signal.SIGKILL)
    child.send_signal(number)
    child.communicate(timeout=TIMEOUT)
    until(lambda: not alive(all_of_it))


def test_a_terminal_among_the_inputs_of_several_processes_is_an_error(here: Path) -> None:
    """It would stop the process that reads it, for ever, since that is in the background."""
    (here / "good.xml").write_text(DOMAIN)
    master, slave = pty.openpty()
    pipe = subprocess.PIPE
    command = ["setsid", "--ctty", str(VIRTMEM), "check", "--isolated", "-j", "2", "/dev/tty", "good.xml"]
    child = subprocess.Popen(command, stdin=slave, stdout=pipe, stderr=pipe)
    os.close(slave)
    try:
        code, _, err = ended(child)
    finally:
        child.kill()
        os.close(master)
    assert code == 3
    assert err.startswith("virtmem: /dev/tty: cannot be read: Input/output error\n")
    assert "1 domain: nothing found" in err


# Limits


# As another user, since root may have as many processes as it likes
FEW = "prlimit --nproc=1 setpriv --reuid=65534 --bounding-set=-sys_resource,-sys_admin --"


@pytest.mark.parametrize("limit", ["prlimit --nofile=16", FEW], ids=["files", "processes"])
@pytest.mark.parametrize("command", COMMANDS)
def test_too_few_processes_or_files_is_3(command: str, limit: str, files: list[str]) -> None:
    if limit == FEW and shell(f'exec {limit} "$0" --version').code:
        pytest.skip("not root, or no setpriv")
    run = shell(f'exec {limit} "$0" "$@"', *COMMANDS[command], "-j", "8", *NAMES)
    assert (run.code, run.out) == (3, "")
    assert run.err.startswith("virtmem: -j 8: no process can be started: ")
    assert "take fewer, or raise the limit" in run.err
