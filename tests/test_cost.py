"""What the work costs, by counting calls, lines, modules, messages and bytes: never seconds, which the machine decides.

For these there is `make bench`.
"""

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner
from hostile import within_limits
from many_devices import many_devices

from virtmem_cli.cli import main
from virtmem_cli.cli.check import command as check_command
from virtmem_cli.cli.pool import Worker
from virtmem_cli.cli.work import in_order
from virtmem_cli.conversion import convert
from virtmem_cli.judgement import Terms, check
from virtmem_cli.target import Target

if TYPE_CHECKING:
    from _typeshed import TraceFunction

XML = Path(__file__).parent.parent / "testdata" / "xml"

# The bounds. Code that needs less lowers them, and code that needs more is to be worth it.

# Calls for one domain, those of builtins too; Python 3.11 counts a tenth less. Every user waits for them.
MOST_CALLS = {
    ("convert", "example"): 890,
    ("convert", "whole-q35"): 2_990,
    ("check", "example"): 1_000,
    ("check", "whole-q35"): 3_270,
}
# How many times the work for each of the first 256 devices that for each of the next 256 may be. Above 1 there is a
# loop over devices, addresses or controllers for each device; lines show those within a function.
MOST_GROWTH = {
    ("convert", "calls"): 1.02,
    ("convert", "lines"): 1.02,
    ("check", "calls"): 1.02,
    ("check", "lines"): 1.02,
}
# Modules that `xml2argv` of one domain imports beyond `click` and `lxml.etree`, and who needs those of Python. Each
# further one makes every start slower: it is better imported where it is used, if that is seldom.
OWN_MODULES = """__main__ argv cli cli.configuration cli.files cli.help cli.params cli.terminal cli.work cli.xml2argv
    conversion document document.tree document.value domain errors findings layout machines parse
    parse.devices parse.known parse.machine parse.memory parse.reader props report report.shell rules
    rules.addresses rules.backends rules.buses rules.cpus rules.judges rules.machine rules.nodes
    rules.reading rules.sizes settle settle.buses settle.memory target text units"""
PYTHONS_MODULES = {
    "gc": "__main__",
    "shlex": "report.shell",
}
# Bytes that `xml2argv -o` keeps of a file that it is done with: its name and the like. What comes of a domain with 16
# devices would be 20,000.
MOST_KEPT = 3_000
# Bytes by which the size of the same process differs from one run to the next.
NOISE = 3 << 20
# How many tasks a process is told at a time, at least, where there are many.
LEAST_TOLD = 8


@contextmanager
def collector_off() -> Iterator[None]:
    """As in the command; a collection at some time or other would be counted, too."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def calls(work: Callable[[], object]) -> int:
    """How many calls the work makes, of builtins too; each step of a generator is one."""
    number = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal number
        number += event in ("call", "c_call")

    before = sys.getprofile()
    with collector_off():
        sys.setprofile(count)
        try:
            work()
        finally:
            sys.setprofile(before)
    return number


def lines(work: Callable[[], object]) -> int:
    """How many lines the work goes through."""
    number = 0

    def count(frame: FrameType, event: str, argument: object) -> "TraceFunction":
        nonlocal number
        number += event == "line"
        return count

    before = sys.gettrace()
    with collector_off():
        sys.settrace(count)
        try:
            work()
        finally:
            sys.settrace(before)
    return number


COUNTERS = {"calls": calls, "lines": lines}
WAYS: dict[str, Callable[[bytes], object]] = {
    "convert": lambda data: convert(data, "domain", Target()),
    "check": lambda data: check(data, "domain", Terms()),
}


@pytest.mark.parametrize(("way", "domain"), MOST_CALLS)
def test_a_domain_takes_no_more_calls_than_it_did(way: str, domain: str) -> None:
    data = (XML / f"{domain}.xml").read_bytes()
    WAYS[way](data)  # what is imported or remembered at the first time is not counted
    assert calls(partial(WAYS[way], data)) <= MOST_CALLS[way, domain]


@pytest.mark.parametrize(("way", "unit"), MOST_GROWTH)
def test_a_further_device_costs_as_much_as_those_before(way: str, unit: str) -> None:
    few, some, many = (many_devices(number) for number in (16, 256, 512))
    WAYS[way](few)
    least, middle, most = (COUNTERS[unit](partial(WAYS[way], data)) for data in (few, some, many))
    assert (most - middle) / 256 <= (middle - least) / 240 * MOST_GROWTH[way, unit]


def test_the_many_devices_are_converted() -> None:
    """What is refused, or warned of, would count other work."""
    conversion = convert(many_devices(512), "domain", Target())
    assert not conversion.findings
    assert len(conversion.argv) == 2 * 2 * 512


def modules(program: str, *arguments: str) -> set[str]:
    """The public modules that a program has imported at its end."""
    code = f"import sys\ntry:\n    {program}\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=XML,
        env={**os.environ, "LC_ALL": "C"},
    )
    names = run.stderr.split()
    return {name for name in names if not name.startswith("_")}


@pytest.mark.process
def test_the_command_imports_no_more_modules_than_it_needs() -> None:
    before = modules("import click, lxml.etree")
    after = modules("from virtmem_cli.__main__ import command; command()", "xml2argv", "example.xml")
    own = {"virtmem_cli", *(f"virtmem_cli.{name}" for name in OWN_MODULES.split())}
    assert after - before == own | {*PYTHONS_MODULES}


FORMATS = next(option.type.choices for option in check_command.params if isinstance(option.type, click.Choice))
REPORTS = [["check", "--format", form] for form in FORMATS]


@pytest.mark.parametrize("command", [["xml2argv", "-o", "out"], *REPORTS], ids=" ".join)
def test_what_is_written_is_not_kept(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file has something to be said of it, a line or two; the document is not kept by this test either."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("virtmem_cli.cli.check.write_output", lambda *_: None)
    names = [f"{number}.xml" for number in range(120)]
    for name in names:
        Path(name).write_bytes(many_devices(16).replace(b"<devices>", b"<devices><memry/>"))

    def peak(files: list[str]) -> int:
        with collector_off():
            tracemalloc.start()
            try:
                assert CliRunner().invoke(main, [*command, *files]).exit_code == 0
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    peak(names[:1])
    few, many = peak(names[:30]), peak(names)
    assert (many - few) / 90 <= MOST_KEPT


@pytest.mark.process
@pytest.mark.parametrize("command", [["xml2argv", "-o", "out"], *REPORTS], ids=" ".join)
def test_neither_do_processes_keep_it(command: list[str], here: Path) -> None:
    """With `-j`, the largest of them needs no more for four times as many files, each with much to be said of it."""
    for number in range(400):
        (here / f"{number}.xml").write_bytes(many_devices(16).replace(b"<devices>", b"<devices><memry/>" * 40))
    few, many = (
        within_limits(*command, "-j", "2", *(f"{n}.xml" for n in range(number)), cwd=here) for number in (100, 400)
    )
    assert few.trouble == many.trouble == ""
    assert many.peak - few.peak <= 300 * MOST_KEPT + NOISE


@pytest.mark.process
def test_processes_are_told_many_tasks_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[range] = []
    tell = Worker.tell

    def noted(self: Worker, numbers: range) -> None:
        told.append(numbers)
        tell(self, numbers)

    monkeypatch.setattr(Worker, "tell", noted)
    names = [f"{number}.xml" for number in range(800)]
    with in_order(lambda task: (task[0], os.getpid()), lambda name, _: (name, 0), names, 2) as results:
        done = list(results)
    assert [name for name, _ in done] == names
    assert not {0, os.getpid()} & {worker for _, worker in done}
    assert len(told) <= 800 / LEAST_TOLD
