"""Answers that no QEMU gives: each is a clear error, of `--qemu` and of `verify`.

A mock says them, since no real QEMU would.
"""

import json
from typing import Any

import pytest
from command import Run, virtmem
from domains import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from virtmem_cli import qemu
from virtmem_cli.errors import VirtmemError
from virtmem_cli.target import Qemu

GREETING = {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}}}
ANSWERS: dict[str, Any] = {
    "negotiate": {},
    "target": {"arch": "x86_64"},
    "virtio-mem-pci": [{"name": "memaddr", "type": "uint64"}],
    "memory-backend-ram": [{"name": "reserve", "type": "bool"}],
}
DEVICE = {"type": "virtio-mem", "data": {"id": "ua-growth", "memaddr": 1 << 32, "hotplugged": False}}
# Longer than any number that Python reads, deeper than it can go
LONG, DEEP = "9" * 5000, "[" * 100_000
ODD = [
    "null",
    "true",
    "-1",
    "1.5",
    "1e999",
    "NaN",
    "Infinity",
    "-Infinity",
    LONG,
    '""',
    '"7"',
    "[]",
    "{}",
    "[[]]",
    DEEP,
]


def said(greeting: str = "", **replies: str) -> str:
    """What a QEMU says, with JSON in the place of some of it."""
    given = {**{name: json.dumps(value) for name, value in ANSWERS.items()}, **replies}
    lines = [greeting or json.dumps(GREETING)]
    lines += [f'{{"return": {value}, "id": "{name}"}}' for name, value in given.items() if value]
    return "\n".join([*lines, '{"event": "SHUTDOWN", "data": {}}', ""])


def versioned(major: str = "7", minor: str = "2") -> str:
    return f'{{"QMP": {{"version": {{"qemu": {{"major": {major}, "minor": {minor}, "micro": 0}}}}}}}}'


def asked(words: str, monkeypatch: pytest.MonkeyPatch) -> Qemu | str:
    """What is made of a program that says this: a QEMU, or the words of the error."""
    monkeypatch.setattr(qemu, "_exchange", lambda *_: (words, "odd\n"))
    qemu.asked.cache_clear()
    try:
        return qemu.ask_qemu("/qemu")
    except VirtmemError as error:
        return str(error)
    finally:
        qemu.asked.cache_clear()


NO_QEMU = "'/qemu': it did not answer as a QEMU does: odd"


def test_the_mock_is_a_qemu(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = asked(said(), monkeypatch)
    assert isinstance(answer, Qemu)
    assert (answer.version, answer.arch, answer.drivers) == ((7, 2), "x86_64", frozenset({"virtio-mem-pci"}))
    assert answer.has("backend-reserve")
    # a script around it may say something, too
    assert asked(f"starting…\n{said()}", monkeypatch) == answer


ODD_ANSWERS = {
    **{f"major {odd[:9]}": said(versioned(major=odd)) for odd in ODD},
    **{f"minor {odd[:9]}": said(versioned(minor=odd)) for odd in ODD},
    "a greeting without numbers": said('{"QMP": {"version": {"qemu": [7, 2]}}}'),
    "no greeting": said("-"),
    "two greetings": said(f"{versioned()}\n{versioned()}"),
    "no target": said(target=""),
    "no arch": said(target='{"name": "x86_64"}'),
    **{f"arch {odd[:9]}": said(target=f'{{"arch": {odd}}}') for odd in ODD if odd != '""'},
    "arch of control characters": said(target='{"arch": "x86\\u001b[2J"}'),
    **{f"properties {odd[:9]}": said(**{"virtio-mem-pci": odd}) for odd in ODD if odd not in ("null", "[]")},
    **{f"a property {odd[:9]}": said(**{"virtio-mem-pci": f"[{odd}]"}) for odd in ODD},
    **{f"name {odd[:9]}": said(**{"virtio-mem-pci": f'[{{"name": {odd}}}]'}) for odd in ODD if odd[0] != '"'},
    "a reply to nobody": said(**{"no-such-question": "{}"}),
    "a reply without a question": f'{said()}{{"return": {{}}}}\n',
    "a reply to two questions": f'{said()}{{"return": {{}}, "id": ["target"]}}\n',
    "a second reply": f'{said()}{{"return": {{"arch": "s390x"}}, "id": "target"}}\n',
    "neither reply nor event": f"{said()}{{}}\n",
    "half a line": said()[:-20],
    "a deep line": f'{said()}{{"event": {DEEP}\n',
}


@pytest.mark.parametrize("odd", ODD_ANSWERS)
def test_an_answer_that_is_no_qemus_is_a_clear_error(odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(ODD_ANSWERS[odd], monkeypatch) == NO_QEMU


def verified(devices: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`verify`, with a program that says this of its memory devices."""
    words = f'{versioned()}\n{{"return": {devices}, "id": "devices"}}\n'

    def exchange(_: list[str], text: str) -> tuple[str, str]:
        return (words if "query-memory-devices" in text else said()), "odd\n"

    monkeypatch.setattr(qemu, "_exchange", exchange)
    qemu.asked.cache_clear()
    try:
        return virtmem("verify", "--qemu", "/bin/true", ROOT / "testdata/xml/example.xml")
    finally:
        qemu.asked.cache_clear()


NO_PROGRAM = "virtmem: '/bin/true': it did not answer as a QEMU does: odd\n"
ODD_DEVICES = {
    **{f"devices {odd[:9]}": odd for odd in ODD if odd != "[]"},
    **{f"a device {odd[:9]}": f"[{odd}]" for odd in ODD},
    **{f"data {odd[:9]}": f'[{{"type": "dimm", "data": {odd}}}]' for odd in ODD if odd != "{}"},
    **{f"type {odd[:9]}": f'[{{"type": {odd}, "data": {{}}}}]' for odd in ODD if odd[0] != '"'},
    **{f"id {odd[:9]}": f'[{{"type": "dimm", "data": {{"id": {odd}}}}}]' for odd in ODD if odd[0] != '"'},
    **{f"a field {odd[:9]}": f'[{{"type": "dimm", "data": {{"size": {odd}}}}}]' for odd in ODD if odd[0] not in 't"'},
    "a number above 64 bits": f'[{{"type": "dimm", "data": {{"size": {1 << 64}}}}}]',
}


def test_the_mock_has_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    run = verified(json.dumps([DEVICE]), monkeypatch)
    assert run.code == 1
    assert "ua-growth\tmemaddr\t0x180000000\t0x100000000\tdiffers\n" in run.out


@pytest.mark.parametrize("odd", ODD_DEVICES)
def test_devices_that_are_no_qemus_are_a_clear_error(odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = verified(ODD_DEVICES[odd], monkeypatch)
    assert (run.code, run.out) == (3, "")
    assert run.err.endswith(NO_PROGRAM)


def test_an_error_is_no_list_of_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    error = 'null, "id": "no"}\n{"error": {"class": "GenericError", "desc": ""}, "x": 0'
    assert verified(error.replace('"id": "no"', '"event": "E"'), monkeypatch).err.endswith(NO_PROGRAM)


# Anything that JSON can say, and Python's JSON besides
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
# Where one that is odd may be in what a QEMU says
PLACES = sorted({*ANSWERS, "major", "minor", "message"})


@given(place=st.sampled_from(PLACES), value=VALUES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_anything_for_an_answer_is_a_qemu_or_a_clear_error(
    place: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(value)
    if place == "message":
        words = f"{said()}{text}\n"
    elif place in ANSWERS:
        words = said(**{place: text})
    else:
        words = said(versioned(**{place: text}))
    answer = asked(words, monkeypatch)
    assert isinstance(answer, Qemu) or answer == NO_QEMU
    str(answer)


@given(value=VALUES, whole=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_anything_for_devices_is_a_comparison_or_a_clear_error(
    value: object, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = value if whole else [{**DEVICE, "data": {"id": "ua-growth", "size": value, "node": value}}]
    run = verified(json.dumps(devices), monkeypatch)
    assert (run.code == 1 and run.out) or (run.code == 3 and run.err.endswith(NO_PROGRAM))
