"""Asking binaries what they are, and `virtmem verify`: with real QEMU, and with programs that are none."""

import os
import signal
import time
from pathlib import Path

import pytest
from command import on_a_terminal, process, running, virtmem
from domains import ROOT
from real_qemu import QemuBinary, version

from virtmem_cli import qemu
from virtmem_cli.errors import VirtmemError
from virtmem_cli.machines import ARCHITECTURES
from virtmem_cli.target import FEATURES, Qemu

XML = ROOT / "testdata/xml"
# A domain that QEMU 7.2 can start under emulation, with a machine type that it has.
GOOD = (XML / "example.xml").read_text()


def processes_now(words: str) -> list[str]:
    """The command lines of processes that have the words in them."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it has ended meanwhile
    return [line for line in lines if words in line]


def processes_with(words: str) -> list[str]:
    """The same, once those that are ending have ended."""
    for _ in range(20):
        found = processes_now(words)
        if not found:
            break
        time.sleep(0.1)
    return found


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


# The version table is true of every QEMU that is here


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_a_binary_answers_as_the_table_says(arch: str, qemu_binary: QemuBinary) -> None:
    binary = qemu_binary(arch)
    asked, table = qemu.ask_qemu(binary), Qemu(version=version(binary))
    assert asked.version == table.version
    assert asked.arch == arch
    assert {feature: asked.has(feature) for feature in FEATURES} == {f: table.has(f) for f in FEATURES}
    assert asked.drivers is not None
    assert ("virtio-mem-pci" in asked.drivers) == (table.version >= ARCHITECTURES[arch].since)


def test_xml2argv_for_a_binary_is_as_for_its_version(qemu_binary: QemuBinary) -> None:
    binary = qemu_binary("x86_64")
    by_version = ".".join(map(str, version(binary)))
    for name in ("example", "everything-set", "allocation-immediate"):
        asked = virtmem("xml2argv", "--qemu", binary, XML / f"{name}.xml")
        assert asked == virtmem("xml2argv", "--qemu", by_version, XML / f"{name}.xml")


def test_the_emulator_of_the_domain_is_asked(tmp_path: Path, qemu_binary: QemuBinary) -> None:
    binary = qemu_binary("x86_64")
    xml = GOOD.replace("<devices>", f"<devices><emulator>{binary}</emulator>")
    assert virtmem("xml2argv", "--qemu", "emulator", "-", given=xml).code == 0
    none = virtmem("xml2argv", "--qemu", "emulator", "-", given=GOOD)
    assert none.code == 3
    assert "has no <emulator>" in none.err
    absent = virtmem("xml2argv", "--qemu", "emulator", "-", given=xml.replace(binary, f"{tmp_path}/none"))
    assert absent.code == 3
    assert "cannot be run: No such file or directory" in absent.err


@pytest.mark.parametrize("named", ["7.2", "emulator", "qemu-system-x86_64", "./qemu", "usr/bin/env", " /usr/bin/env"])
@pytest.mark.parametrize("words", [["xml2argv", "--qemu", "emulator"], ["check", "--qemu", "emulator"], ["verify"]])
def test_an_emulator_is_an_absolute_path(words: list[str], named: str, here: Path) -> None:
    """libvirt looks for it nowhere else; a version, or a program on PATH, is none. Nothing is started."""
    (here / "odd.xml").write_text(GOOD.replace("<devices>", f"<devices><emulator>{named}</emulator>"))
    run = virtmem(*words, "odd.xml")
    assert (run.code, run.out) == (3, "")
    assert f"odd.xml: <emulator> is '{named}', and should be an absolute path such as '/usr/bin/" in run.err


def test_another_qemu_than_the_emulator_is_asked_whatever_that_is(here: Path, qemu_binary: QemuBinary) -> None:
    xml = GOOD.replace("<devices>", "<devices><emulator>7.2</emulator>")
    assert virtmem("xml2argv", "--qemu", "7.2", "-", given=xml).code == 0
    assert virtmem("verify", "--qemu", qemu_binary("x86_64"), "-", given=xml).code == 0


def test_a_binary_for_another_guest_is_a_finding(qemu_binary: QemuBinary) -> None:
    run = virtmem("xml2argv", "--qemu", qemu_binary("aarch64"), XML / "example.xml")
    assert run.code == 1
    assert "is for aarch64" in run.err


FAKES = {
    "silent": ("exit 0", "did not answer as a QEMU does"),
    "dies": ("echo 'no such device' >&2; exit 1", "did not answer as a QEMU does: no such device"),
    "floods": ("exec yes", "did not answer as a QEMU does, and said more than 4 MiB"),
    "floods with errors": ("exec yes >&2", "did not answer as a QEMU does, and said more than 4 MiB"),
    "hangs": ("exec sleep 60", "no answer within 1 seconds"),
    "child hangs": ("sleep 60", "no answer within 1 seconds"),
    "child hangs behind it": ("sleep 60 & exit 0", "did not answer as a QEMU does"),
    "closes its streams": ("exec 0<&- >&- 2>&-; exec sleep 60", "did not answer as a QEMU does"),
    "other JSON": ("echo '[1]'; echo '{\"QMP\": 1}'; echo '{\"id\": []}'", "did not answer as a QEMU does"),
    "half a greeting": ('echo \'{"QMP": {"version": {"qemu": {"major": 7}}}}\'', "did not answer as a QEMU does"),
    "deep JSON": ("head -c 200000 /dev/zero | tr '\\0' '['", "did not answer as a QEMU does"),
}


@pytest.mark.process
@pytest.mark.parametrize("fake", FAKES)
def test_what_is_no_qemu_is_a_clear_error(fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu, "TIMEOUT", 1)
    script, words = FAKES[fake]
    binary = program(tmp_path / "qemu", script)
    with pytest.raises(VirtmemError, match=words):
        qemu.ask_qemu(str(binary))
    assert processes_with(str(binary)) == []


@pytest.mark.process
def test_what_keeps_the_streams_and_leaves_the_group_does_not_keep_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a daemon of the program's, which is gone itself."""
    monkeypatch.setattr(qemu, "TIMEOUT", 1)
    ours = (tmp_path / "pid").absolute()
    binary = program(tmp_path / "qemu", f"setsid sh -c 'echo $$ >{ours}; exec sleep 60' & sleep 30")
    try:
        with pytest.raises(VirtmemError, match="no answer within 1 seconds"):
            qemu.ask_qemu(str(binary))
        assert processes_with(str(binary)) == []
    finally:
        os.kill(int(ours.read_text()), signal.SIGKILL)


@pytest.mark.process
@pytest.mark.parametrize("script", ["exec sleep 60", "echo no"])
def test_what_is_no_qemu_is_started_once_for_all_domains(
    script: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs would cost its time for each."""
    monkeypatch.setattr(qemu, "TIMEOUT", 1)
    binary = program(here / "qemu", f"echo started >>{here}/log\n{script}")
    for name in ("a.xml", "b.xml", "c.xml"):
        Path(name).write_text(GOOD.replace("<devices>", f"<devices><emulator>{binary}</emulator>"))
    run = virtmem("xml2argv", "--qemu", "emulator", "a.xml", "b.xml", "c.xml")
    assert run.code == 3
    assert run.err.count(f"virtmem: '{binary}': ") == 3
    assert (here / "log").read_text() == "started\n"


@pytest.mark.process
@pytest.mark.parametrize("path", ["/nonexistent/qemu", "/", "/etc/passwd"])
def test_what_cannot_be_run_is_3(path: str) -> None:
    run = virtmem("xml2argv", "--qemu", path, XML / "example.xml")
    assert run.code == 3
    assert "cannot be run: " in run.err


# verify


def test_verify_says_what_qemu_has(qemu_binary: QemuBinary) -> None:
    run = virtmem("verify", "--qemu", qemu_binary("x86_64"), XML / "example.xml")
    assert run.code == 0, run.err
    rows = [line.split("\t") for line in run.out.splitlines()]
    assert ["ua-growth", "max-size", str(8 << 30), str(8 << 30), "ok"] in rows
    assert ["ua-growth", "memaddr", "0x180000000", "0x180000000", "ok"] in rows
    assert all(row[-1] == "ok" for row in rows)
    assert "replaced for this run: -accel kvm by tcg" in run.err
    assert "replaced for this run: the files and folders of memory" in run.err


@pytest.mark.parametrize("name", ["memfd-hugepages", "hugepages-for-all", "hugepages-of-device", "numatune-strict"])
def test_verify_replaces_what_only_a_real_host_has(name: str, qemu_binary: QemuBinary, tmp_path: Path) -> None:
    xml = (XML / f"{name}.xml").read_text()
    for versioned in ("pc-q35-8.2", "pc-q35-9.0", "pc-q35-8.0"):
        xml = xml.replace(versioned, "q35")
    run = virtmem("verify", "--qemu", qemu_binary("x86_64"), "-", given=xml)
    assert run.code == 0, run.err
    assert "huge pages" in run.err or "files and folders" in run.err or "NUMA nodes" in run.err


def test_verify_repeats_qemus_words(qemu_binary: QemuBinary) -> None:
    xml = GOOD.replace("machine='q35'", "machine='pc-q35-99.9'")
    run = virtmem("verify", "--qemu", qemu_binary("x86_64"), "-", given=xml)
    assert (run.code, run.out) == (1, "")
    assert "does not start: " in run.err
    assert "unsupported machine type" in run.err


def test_verify_shows_a_difference(tmp_path: Path, qemu_binary: QemuBinary) -> None:
    """A QEMU that reports something else: the real one, with its answer changed on the way."""
    real = qemu_binary("x86_64")
    binary = program(tmp_path / "qemu", f'exec {real} "$@" | sed -u \'s/"block-size": 2097152/"block-size": 1/\'')
    run = virtmem("verify", "--qemu", binary, XML / "example.xml")
    assert run.code == 1
    assert "ua-growth\tblock-size\t2097152\t1\tdiffers\n" in run.out


def test_verify_refuses_what_is_refused(qemu_binary: QemuBinary) -> None:
    run = virtmem("verify", "--qemu", qemu_binary("x86_64"), XML / "wrong.xml")
    assert (run.code, run.out) == (1, "")
    assert "refused, QEMU was not started" in run.err


def test_verify_heeds_the_configuration(qemu_binary: QemuBinary, tmp_path: Path) -> None:
    said = {}
    for rule in ("element-unknown", "movable-ratio"):
        (tmp_path / rule).mkdir()
        (tmp_path / rule / "virtmem.toml").write_text(f"ignore = ['{rule}']")
        (tmp_path / rule / "odd.xml").write_text(GOOD.replace("<target>", "<target><requestd/>"))
        said[rule] = virtmem("verify", "--qemu", qemu_binary("x86_64"), tmp_path / rule / "odd.xml").err
    assert ["[element-unknown]" in words for words in said.values()] == [False, True]
    named = f"configured by {tmp_path}/element-unknown/virtmem.toml: 1 finding silenced\n"
    assert [named in words for words in said.values()] == [True, False]


def test_verify_without_virtio_mem_or_qemu(qemu_binary: QemuBinary) -> None:
    assert "nothing to verify" in virtmem("verify", "--qemu", qemu_binary("x86_64"), XML / "no-virtio-mem.xml").err
    missing = virtmem("verify", "--qemu", "no-such-qemu", XML / "example.xml")
    assert missing.code == 3
    assert "no such program" in missing.err


def test_verify_draws_a_table_on_a_terminal(qemu_binary: QemuBinary) -> None:
    run = on_a_terminal("verify", "--qemu", qemu_binary("x86_64"), XML / "example.xml")
    assert run.code == 0
    assert "┏━━" in run.out
    assert "ua-growth" in run.out


ENDING = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: 137}
# QEMUs that answer what they are and then, with a machine, hang: themselves, and behind a script that waits for them
HANGING = {"exec": "exec sleep 63", "script": "sleep 63; exit 1"}


@pytest.mark.parametrize("hanging", HANGING)
@pytest.mark.parametrize("number", ENDING)
def test_a_signal_leaves_nothing(number: signal.Signals, hanging: str, tmp_path: Path, qemu_binary: QemuBinary) -> None:
    """No QEMU, not even one behind a script, and no file: not even where the command itself is killed."""
    real = qemu_binary("x86_64")
    marker = tmp_path / "started"
    script = f'case "$*" in *"-machine none"*) exec {real} "$@";; esac; touch {marker}; {HANGING[hanging]}'
    binary = program(tmp_path / "qemu", script)
    child = running("verify", "--qemu", binary, XML / "example.xml", TMPDIR=str(tmp_path))
    deadline = time.monotonic() + 30
    while not (marker.exists() and processes_now("sleep 63")) and time.monotonic() < deadline:
        time.sleep(0.05)
    child.send_signal(number)
    _, errors = child.communicate(timeout=30)
    assert child.returncode in (ENDING[number], -number)  # which is the same to a shell
    assert b"Traceback" not in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["qemu", "started"]
    assert processes_with("sleep 63") == []
    assert processes_with(str(binary)) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_leaves_no_real_qemu_and_no_memory(
    number: signal.Signals, tmp_path: Path, qemu_binary: QemuBinary
) -> None:
    """A QEMU that is never told to quit, behind a script: its memory is in files that have no name any more."""
    real = qemu_binary("x86_64")
    asked = f'case "$*" in *"-machine none"*) exec {real} "$@";; esac'
    binary = program(tmp_path / "qemu", f'{asked}; sed -u /quit/d | {real} -name "{tmp_path}" "$@"')
    folder = tmp_path / "temporary"
    folder.mkdir()
    child = running("verify", "--qemu", binary, XML / "example.xml", TMPDIR=str(folder))
    deadline = time.monotonic() + 30
    while not any(str(folder) in line for line in processes_now(f"-name {tmp_path}")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(number)
    child.communicate(timeout=30)
    assert processes_with(str(tmp_path)) == []
    assert list(folder.iterdir()) == []


def test_verify_leaves_no_file(tmp_path: Path, qemu_binary: QemuBinary) -> None:
    for xml, code in ((GOOD, 0), (GOOD.replace("machine='q35'", "machine='pc-q35-99.9'"), 1)):
        run = process("verify", "--qemu", qemu_binary("x86_64"), "-", given=xml, TMPDIR=str(tmp_path))
        assert run.code == code, run.err
        assert list(tmp_path.iterdir()) == []
