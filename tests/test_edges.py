"""What is found at the edge of a limit, or where two things meet: each table of testdata/edges/*.toml is a case.

The README there says how one is written.
"""

import difflib
import json
import re
import textwrap
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from domains import BASES, ROOT
from judging import found, said

from virtmem_cli.target import HOSTS, LIBVIRT, Host, Qemu, Target, host_of_toml, qemu_of_version

Case = dict[str, Any]
KEYS = ("base", "host", "hosts", "qemu", "scope", "remove", "before", "tag", "replace", "after", "found")
CASES = {
    f"{path.stem}/{name}": case
    for path in sorted((ROOT / "testdata/edges").glob("*.toml"))
    for name, case in tomllib.loads(path.read_text()).items()
}


def domain(case: Case) -> bytes:
    """The base domain with its changes, which do not depend on each other or on their order."""
    xml = BASES[case.get("base", "x86_64")]
    last = len(xml)
    for start, end, text in sorted(changes(case, xml), reverse=True):
        if end > last:
            raise ValueError(f"two changes of one element: {xml[start:end]}")
        xml, last = xml[:start] + text + xml[end:], start
    return xml.encode()


def changes(case: Case, xml: str) -> Iterator[tuple[int, int, str]]:
    """From where to where something is cut out, and what comes there instead."""
    for name in case.get("remove", ()):
        yield *element(xml, name).span(), ""
    for how in ("before", "tag", "replace", "after"):
        for name, text in case.get(how, {}).items():
            there = element(xml, name)
            begin, end = there.span()
            spans = {"before": (begin, begin), "tag": there.span("tag"), "replace": (begin, end), "after": (end, end)}
            yield *spans[how], text


def element(xml: str, name: str) -> re.Match[str]:
    """The element of a base domain with that name, which is its tag, but for the virtio-mem: that is the device."""
    tag, start = ("memory", "memory model") if name == "device" else (name, name)
    there = re.search(rf"(?P<tag><{start}\b[^>]*>)((?<=/>)|.*?</{tag}>)", xml, re.DOTALL)
    if there is None:
        raise ValueError(f"there is no <{name}> in the base domain")
    return there


def host(choice: str | dict[str, Any]) -> Host:
    """One by its name, or what a host file says, as a table."""
    if isinstance(choice, str):
        return HOSTS[choice]
    return host_of_toml("\n".join(f"{key} = {json.dumps(value)}" for key, value in choice.items()).encode(), "libvirt")


def qemu(choice: str | dict[str, Any]) -> Qemu:
    """One by its version, or a binary that was asked, as a table."""
    if isinstance(choice, str):
        return qemu_of_version(choice)
    answers: dict[str, Any] = {key: frozenset(value) if key == "drivers" else value for key, value in choice.items()}
    return Qemu(**answers)


def targets(case: Case) -> list[Target]:
    hosts = [host(choice) for choice in case.get("hosts", [case.get("host", {})])]
    several = tuple(hosts) if "hosts" in case else ()
    asked, scope = qemu(case.get("qemu", {})), case.get("scope", "devices")
    return [Target(qemu=asked, host=one, scope=scope, hosts=several) for one in hosts]


def folded(text: str) -> list[str]:
    """The lines of findings, each of them wrapped anew; those after a finding's first line are indented."""
    findings = [" ".join(one.split()) for one in re.split(r"\n(?=\S)", text.strip())]
    return [line for one in findings for line in textwrap.wrap(one, 110, subsequent_indent="    ")]


def difference(case: Case) -> str:
    """How what is found differs from what the case says; '' where it does not."""
    if wrong := [key for key in case if key not in KEYS]:
        raise ValueError(f"unknown: {', '.join(wrong)}; a case has {', '.join(KEYS)}")
    if "found" not in case:
        raise ValueError("what is found is missing: found = '' where that is nothing")
    data = domain(case)
    now = said(data, found(data, *targets(case)))
    if now.split() == case["found"].split():
        return ""
    diff = difflib.unified_diff(folded(case["found"]), folded(now), "the case", "what is found", lineterm="")
    return "\n".join([*diff, "", "The domain:", data.decode()])


@pytest.mark.parametrize("name", CASES)
def test_a_case_finds_what_its_table_says(name: str) -> None:
    if words := difference(CASES[name]):
        pytest.fail(words, pytrace=False)


def test_the_readme_shows_a_case() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", (ROOT / "testdata/edges/README.md").read_text(), re.DOTALL)
    assert shown in (ROOT / "testdata/edges/sizes.toml").read_text()


@pytest.mark.parametrize(
    ("case", "target"),
    [
        ({}, Target()),
        ({"qemu": "7.0", "scope": "memory"}, Target(qemu=Qemu(version=(7, 0)), scope="memory")),
        ({"qemu": {"drivers": ["virtio-mem-pci"]}}, Target(qemu=Qemu(drivers=frozenset({"virtio-mem-pci"})))),
        ({"host": "s390x"}, Target(host=HOSTS["s390x"])),
        ({"host": {"nodes": "0-1"}}, Target(host=LIBVIRT._replace(nodes=(0, 1)))),
    ],
    ids=str,
)
def test_a_case_names_whom_it_is_judged_for(case: Case, target: Target) -> None:
    assert targets(case) == [target]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"fuond": ""}, "unknown: fuond; a case has base, "),
        ({"remove": ["size"]}, "what is found is missing"),
        ({"remove": ["siez"], "found": ""}, "there is no <siez> in the base domain"),
        ({"remove": ["numa"], "replace": {"cell": "<cell/>"}, "found": ""}, "two changes of one element"),
    ],
    ids=["key", "found", "element", "twice"],
)
def test_a_case_that_is_wrong_is_told(case: Case, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        difference(case)


def test_a_difference_is_told() -> None:
    words = difference({"replace": {"node": "<node>7</node>"}, "found": "node-unknown at <node>: <node> is 8."})
    assert "-node-unknown at <node>: <node> is 8.\n+node-unknown at <node>: <node> is 7, and" in words
    assert "<node>7</node>" in words
