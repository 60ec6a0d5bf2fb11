"""A QEMU binary as what it says of itself: started once, with no machine in it, asked through QMP, and gone."""

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

from virtmem_cli.errors import VirtmemError
from virtmem_cli.machines import ARCHITECTURES, CCW_DRIVER, MEMORY_MODELS, VIRTIO_MEM
from virtmem_cli.target import Qemu
from virtmem_cli.text import quoted

# Seconds that a QEMU has to answer, and bytes that it may answer with: some 40 KiB are usual.
TIMEOUT = 20
LONGEST = 4 << 20

# A feature of `target` to the QOM type that has it and the property that shows it, or None where the type itself does.
_SHOWN_BY: Mapping[str, tuple[str, str | None]] = {
    "backend-reserve": ("memory-backend-ram", "reserve"),
    "device-prealloc": ("virtio-mem", "prealloc"),
    "dynamic-memslots": ("virtio-mem", "dynamic-memslots"),
    "thread-context": ("thread-context", None),
}
_DRIVERS = (MEMORY_MODELS[VIRTIO_MEM].driver, CCW_DRIVER)
_QUESTIONS: Mapping[str, dict[str, Any]] = {
    "negotiate": {"execute": "qmp_capabilities"},
    "target": {"execute": "query-target"},
    **{name: {"execute": "device-list-properties", "arguments": {"typename": name}} for name in _DRIVERS},
    **{
        name: {"execute": "qom-list-properties", "arguments": {"typename": name}}
        for name in ("memory-backend-ram", "thread-context")
    },
    "quit": {"execute": "quit"},
}
# libvirt's name of each architecture of QEMU's.
_ARCHES = {arch.qemu: name for name, arch in ARCHITECTURES.items()}


@cache
def ask_qemu(path: str) -> Qemu:
    """Ask a QEMU binary for its version and for what of virtio-mem it has.

    Raises VirtmemError where it is missing, cannot be run, does not answer within TIMEOUT, or is no QEMU.
    """
    command = [path, "-machine", "none", "-nodefaults", "-display", "none", "-S", "-qmp", "stdio"]
    version, replies, errors = converse(command, _QUESTIONS)
    try:
        return _qemu_of(version, replies)
    except (KeyError, TypeError, AttributeError):  # JSON, but nothing that a QEMU says
        last = f": {errors.strip().splitlines()[-1][:200]}" if errors.strip() else ""
        raise VirtmemError(f"{quoted(path)}: it did not answer as a QEMU does{last}") from None


def _qemu_of(version: Mapping[str, int] | None, replies: Mapping[str, Any]) -> Qemu:
    """The QEMU that gave these replies; raises KeyError, TypeError or AttributeError for what is none."""
    if version is None:
        raise KeyError("version")
    drivers = frozenset(name for name in _DRIVERS if replies.get(name) is not None)
    properties = {name: _names(replies.get(name)) for name in _QUESTIONS}
    properties["virtio-mem"] = set().union(*(properties[name] for name in drivers))
    features = {
        feature: prop in properties[name] if prop else replies.get(name) is not None
        for feature, (name, prop) in _SHOWN_BY.items()
    }
    arch = str(replies["target"]["arch"])
    return Qemu(
        version=(version["major"], version["minor"]),
        features=features,
        arch=_ARCHES.get(arch, arch),
        drivers=drivers,
    )


def _names(reply: Any) -> set[str]:
    return {entry["name"] for entry in reply if "name" in entry} if isinstance(reply, list) else set()


def converse(
    command: list[str], questions: Mapping[str, dict[str, Any]]
) -> tuple[dict[str, int] | None, dict[str, Any], str]:
    """Start a QEMU with QMP on its standard streams, ask, and end it, within TIMEOUT seconds.

    Gives the version that it greets with or None, what it returned to each question or None for an error, and what it
    wrote to standard error. Raises VirtmemError where it cannot be run or takes longer.
    """
    words, errors = _exchange(command, "".join(json.dumps({**q, "id": name}) + "\n" for name, q in questions.items()))
    replies: dict[str, Any] = {}
    version = None
    for line in words.splitlines():
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(message, dict):
            continue
        try:
            if "QMP" in message:
                version = {name: int(number) for name, number in message["QMP"]["version"]["qemu"].items()}
            elif "id" in message:
                replies[str(message["id"])] = message.get("return")
        except (KeyError, TypeError, AttributeError, ValueError):
            continue  # JSON, but nothing that a QEMU says
    return version, replies, errors


def _exchange(command: list[str], text: str) -> tuple[str, str]:
    """What a process answers to the text: standard output, up to LONGEST, and standard error."""
    name = quoted(command[0])
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise VirtmemError(f"{name}: cannot be run: {reason}") from None
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def too_late() -> None:
            late.set()
            _end(process)

        timer = threading.Timer(TIMEOUT, too_late)
        timer.start()
        try:
            try:
                process.stdin.write(text.encode())
                process.stdin.close()
            except BrokenPipeError:
                pass  # it has gone already: what it said tells why
            words = process.stdout.read(LONGEST)
        finally:
            timer.cancel()
            _end(process)
            process.wait()
            process.stdout.close()
        if late.is_set():
            raise VirtmemError(f"{name}: no answer within {TIMEOUT} seconds")
        errors.seek(0)
        return words.decode(errors="replace"), errors.read(LONGEST).decode(errors="replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and whatever it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
