"""A QEMU binary as what it says of itself: started once, with no machine in it, asked through QMP, and gone."""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from functools import cache
from selectors import EVENT_READ, DefaultSelector
from typing import Any, NamedTuple, NoReturn

from virtmem_cli.errors import VirtmemError
from virtmem_cli.machines import ARCHITECTURES, CCW_DRIVER, MEMORY_MODELS, VIRTIO_MEM, Version
from virtmem_cli.processes import guarded, tied
from virtmem_cli.target import Qemu
from virtmem_cli.text import quoted

# Seconds that a QEMU has to answer, and bytes that it may say on each stream: some 40 KiB are usual.
TIMEOUT = 20
LONGEST = 4 << 20
# Seconds between looks whether it is gone, which matter only where something else has kept its streams.
_LOOK = 0.1
# What a number of a version is below.
_MOST = 1000

# A feature of `target` to the QOM type that has it and the property that shows it, or None where the type itself does.
_SHOWN_BY: Mapping[str, tuple[str, str | None]] = {
    "backend-reserve": ("memory-backend-ram", "reserve"),
    "device-prealloc": ("virtio-mem", "prealloc"),
    "dynamic-memslots": ("virtio-mem", "dynamic-memslots"),
    "thread-context": ("thread-context", None),
}
_DRIVERS = (MEMORY_MODELS[VIRTIO_MEM].driver, CCW_DRIVER)
_TYPES = ("memory-backend-ram", "thread-context")
_QUESTIONS: Mapping[str, dict[str, Any]] = {
    "negotiate": {"execute": "qmp_capabilities"},
    "target": {"execute": "query-target"},
    **{name: {"execute": "device-list-properties", "arguments": {"typename": name}} for name in _DRIVERS},
    **{name: {"execute": "qom-list-properties", "arguments": {"typename": name}} for name in _TYPES},
    "quit": {"execute": "quit"},
}
# libvirt's name of each architecture of QEMU's.
_ARCHES = {arch.qemu: name for name, arch in ARCHITECTURES.items()}


class Answers(NamedTuple):
    """What a QEMU said: the version that it greeted with, what it returned to each question, or None for an error.

    `errors` is what it wrote to standard error.
    """

    version: Version | None
    replies: Mapping[str, Any]
    errors: str


def no_qemu(path: str, errors: str) -> VirtmemError:
    """The error for a program that answers, and not as a QEMU does."""
    last = f": {errors.strip().splitlines()[-1][:200]}" if errors.strip() else ""
    return VirtmemError(f"{quoted(path)}: it did not answer as a QEMU does{last}")


def ask_qemu(path: str) -> Qemu:
    """Ask a QEMU binary, once, for its version and for what of virtio-mem it has.

    Raises VirtmemError where it is missing, cannot be run, does not answer within TIMEOUT, or is no QEMU.
    """
    answer = asked(path)
    if isinstance(answer, VirtmemError):
        raise answer.with_traceback(None)
    return answer


@cache
def asked(path: str) -> Qemu | VirtmemError:
    """The QEMU, or why there is none: one that hangs costs TIMEOUT once, not for each domain that names it."""
    command = [path, "-machine", "none", "-nodefaults", "-display", "none", "-S", "-qmp", "stdio"]
    try:
        answers = converse(command, _QUESTIONS)
    except VirtmemError as error:
        return error
    try:
        return _qemu_of(answers)
    except ValueError:
        return no_qemu(path, answers.errors)


def _qemu_of(answers: Answers) -> Qemu:
    """The QEMU that gave these answers; raises ValueError for what is none."""
    match answers.replies.get("target"):
        case {"arch": str(arch)} if arch.isascii() and arch.isidentifier():
            pass
        case _:
            raise ValueError("arch")
    if answers.version is None:
        raise ValueError("version")
    properties = {name: _names(answers.replies.get(name)) for name in (*_DRIVERS, *_TYPES)}
    drivers = frozenset(name for name in _DRIVERS if properties[name] is not None)
    properties["virtio-mem"] = set().union(*(properties[name] or () for name in drivers))
    features = {
        feature: (had := properties[name]) is not None and (prop is None or prop in had)
        for feature, (name, prop) in _SHOWN_BY.items()
    }
    return Qemu(version=answers.version, features=features, arch=_ARCHES.get(arch, arch), drivers=drivers)


def _names(reply: Any) -> set[str] | None:
    """The properties of a type, or None where there is no such type; raises ValueError for what is no list of them."""
    if reply is None:
        return None
    if not isinstance(reply, list):
        raise ValueError("properties")
    names = set()
    for entry in reply:
        match entry:
            case {"name": str(name)}:
                names.add(name)
            case _:
                raise ValueError("names")
    return names


def converse(command: list[str], questions: Mapping[str, dict[str, Any]]) -> Answers:
    """Start a QEMU with QMP on its standard streams, ask, and end it, within TIMEOUT seconds.

    Raises VirtmemError where it cannot be run, takes longer, or says what is no QMP.
    """
    text = "".join(json.dumps({**question, "id": name}) + "\n" for name, question in questions.items())
    words, errors = _exchange(command, text)
    try:
        return Answers(*_understood(words, questions), errors)
    except (ValueError, RecursionError):
        raise no_qemu(command[0], errors) from None


def _understood(words: str, questions: Mapping[str, object]) -> tuple[Version | None, dict[str, Any]]:
    """A QEMU's greeting and replies, each at most once; raises ValueError or RecursionError for anything else.

    A line that is no object is not QEMU's, but of a script around it.
    """
    version: Version | None = None
    replies: dict[str, Any] = {}
    for line in words.split("\n"):
        if not line.startswith("{"):
            continue
        match json.loads(line, parse_constant=_no_number):
            case {"QMP": {"version": {"qemu": {"major": major, "minor": minor}}}} if version is None:
                version = _number(major), _number(minor)
            case {"id": str(name), "return": value} if name in questions and name not in replies:
                replies[name] = value
            case {"id": str(name), "error": {}} if name in questions and name not in replies:
                replies[name] = None
            case {"event": str()}:
                pass
            case _:
                raise ValueError(line[:80])
    return version, replies


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value < _MOST:
        raise ValueError("version")
    return value


def _no_number(word: str) -> NoReturn:
    """JSON has neither NaN nor Infinity, which Python would read."""
    raise ValueError(word)


def _exchange(command: list[str], text: str) -> tuple[str, str]:
    """What a process says to the text, on standard output and on standard error; nothing is left of it."""
    try:
        with guarded() as guard:
            pipe = subprocess.PIPE
            with subprocess.Popen(
                command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                process_group=guard.group,
                preexec_fn=tied(),  # there are no threads, with which that is not safe
            ) as process:
                try:
                    return _said(process, text.encode(), quoted(command[0]))
                finally:
                    process.kill()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise VirtmemError(f"{quoted(command[0])}: cannot be run: {reason}") from None


def _said(process: "subprocess.Popen[bytes]", text: bytes, name: str) -> tuple[str, str]:
    """Give a process the text, which is short, and listen until it is gone; never longer than TIMEOUT."""
    deadline = time.monotonic() + TIMEOUT
    assert process.stdin is not None
    try:
        process.stdin.write(text)
        process.stdin.close()
    except BrokenPipeError:
        pass  # it has gone already: what it said tells why
    said = {process.stdout: bytearray(), process.stderr: bytearray()}
    with DefaultSelector() as selector:
        for stream, heard in said.items():
            assert stream is not None
            selector.register(stream, EVENT_READ, heard)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise VirtmemError(f"{name}: no answer within {TIMEOUT} seconds")
            gone = process.poll() is not None
            ready = selector.select(0 if gone else min(left, _LOOK))
            if gone and not ready:
                break  # what it has started may keep the streams for as long as it likes
            for key, _ in ready:
                piece = os.read(key.fd, 1 << 16)
                key.data.extend(piece)
                if len(key.data) > LONGEST:
                    words = f"it did not answer as a QEMU does, and said more than {LONGEST >> 20} MiB"
                    raise VirtmemError(f"{name}: {words}")
                if not piece:
                    selector.unregister(key.fileobj)
    return said[process.stdout].decode(errors="replace"), said[process.stderr].decode(errors="replace")
