"""What conversions cost, against goals: `make bench` prints a table, and writes it to docs/performance.md.

Times are ratios: the two sides run in turn, so that a busy machine slows both, and the figure is the median of the
ratios of neighbours. Nothing fails here, whatever the figures are: `test_cost` holds the work itself, by counting.
"""

import argparse
import gc
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import click
from lxml import etree
from many_devices import many_devices

from virtmem_cli.cli.check import command as check_command
from virtmem_cli.conversion import convert
from virtmem_cli.target import Target

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "performance.md"
XML = ROOT / "testdata" / "xml"
VIRTMEM = str(Path(sys.executable).parent / "virtmem")
# A folder in memory, and how much must be free there; on a disk, its time would be measured as well
MEMORY, ROOM = "/dev/shm", 512 << 20
# What the many files are copies of, the last with a warning; of small ones where time does not matter
DOMAINS = (
    "example",
    "everything-set",
    "several-nodes",
    "whole-q35",
    "whole-i440fx",
    "whole-aarch64",
    "element-unknown",
)
SMALL_DOMAINS = ("example", "element-unknown")
XML2ARGV, JSON, CHECK = ("xml2argv", "-o", "out"), ("xml2argv", "--format", "json"), ("check",)


class Effort(NamedTuple):
    """How often processes, conversions and batches of files are run, and how many files there are."""

    processes: int
    conversions: int
    batches: int
    files: int
    many_files: int


FULL = Effort(processes=40, conversions=200, batches=9, files=2_000, many_files=20_000)
QUICK = Effort(processes=10, conversions=50, batches=1, files=500, many_files=5_000)


class Goal(NamedTuple):
    """What a figure is to be, and the unit of both."""

    side: Literal["at most", "at least"]
    bound: float
    unit: str = ""

    def holds(self, figure: float) -> bool:
        return figure <= self.bound if self.side == "at most" else figure >= self.bound

    def __str__(self) -> str:
        return f"{self.side} {self.bound:g}{self.unit}"


class Benchmark(NamedTuple):
    """A row of the table; `measure` gets the effort and a folder for files."""

    what: str
    goal: Goal
    measure: Callable[[Effort, Path], float]


class Result(NamedTuple):
    """A row of the table, in words."""

    what: str
    figure: str
    goal: str
    held: str


HEAD = Result("what", "figure", "goal", "held")


def benchmarks(effort: Effort) -> Iterator[Benchmark]:
    """The table: all that is measured, and what it is to be."""
    yield Benchmark("example.xml: the whole process / importing click and lxml", Goal("at most", 1.15), whole_process)
    for name, most in (("example", 20), ("whole-q35", 6)):  # of the latter, 4 is wanted
        yield Benchmark(f"{name}.xml: converting / reading by lxml", Goal("at most", most), partial(conversion, name))
    for count in (256, 512):
        yield Benchmark(f"one of {count} devices / one of 16", Goal("at most", 1.2), partial(per_device, count))
    for command in (JSON, XML2ARGV, CHECK):
        what = f"{effort.files:,} files, {' '.join(command)}: -j 1 / -j 2"
        yield Benchmark(what, Goal("at least", 1.75), partial(speed_up, command))
    for command in (XML2ARGV, *((*CHECK, "--format", form) for form in formats())):
        for jobs in ("1", "2"):
            what = f"{effort.many_files:,} files, {' '.join(command)} -j {jobs}: the largest process"
            yield Benchmark(what, Goal("at most", 60, " MiB"), partial(largest_process, command, jobs))


def formats() -> Iterator[str]:
    """Those of check's formats that are for people, as far as it has them."""
    for option in check_command.params:
        if option.name == "form" and isinstance(option.type, click.Choice):
            yield from (form for form in ("text", "concise") if form in option.type.choices)


def ratio(one: Callable[[], float], other: Callable[[], float], rounds: int) -> float:
    """How many times the seconds of the other the one takes: the median of so many rounds, in turn."""
    one(), other()  # what is slow for the first time only
    return statistics.median(one() / other() for _ in range(rounds))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(command: Sequence[str], folder: Path = ROOT, output: str = os.devnull, descriptors: Sequence[int] = ()) -> None:
    """A command that must succeed, whatever it finds; raises CalledProcessError."""
    with open(output, "wb") as stdout:
        subprocess.run(command, check=True, cwd=folder, stdout=stdout, stderr=subprocess.DEVNULL, pass_fds=descriptors)


def whole_process(effort: Effort, _: Path) -> float:
    ours = partial(run, (VIRTMEM, "xml2argv", str(XML / "example.xml")))
    imports = partial(run, (sys.executable, "-c", "import click, lxml.etree"))
    return ratio(partial(seconds, ours), partial(seconds, imports), effort.processes)


def converting(data: bytes) -> Callable[[], float]:
    """The seconds of a whole conversion in this process."""
    return partial(seconds, partial(convert, data, "domain", Target()))


def conversion(name: str, effort: Effort, _: Path) -> float:
    data = (XML / f"{name}.xml").read_bytes()
    return ratio(converting(data), partial(seconds, partial(etree.fromstring, data)), effort.conversions)


def per_device(count: int, effort: Effort, _: Path) -> float:
    few = 16
    domains = ratio(converting(many_devices(count)), converting(many_devices(few)), 3 * effort.batches)
    return domains * few / count


def copies(folder: Path, domains: Sequence[str], count: int) -> list[str]:
    """Fill the folder with so many files, copies of the domains in turn; gives their names, which are short."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    texts = [(XML / f"{domain}.xml").read_bytes() for domain in domains]
    names = [f"{number}.xml" for number in range(count)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(texts[number % len(texts)])
    return names


def speed_up(command: Sequence[str], effort: Effort, folder: Path) -> float:
    files = copies(folder, DOMAINS, effort.files)

    def took(jobs: str) -> float:
        shutil.rmtree(folder / "out", ignore_errors=True)
        return seconds(partial(run, (VIRTMEM, *command, "-j", jobs, *files), folder))

    return ratio(partial(took, "1"), partial(took, "2"), effort.batches)


# A process between, since the peak of a process begins with the size of the one that starts it. What the system says
# of the command is the largest of its processes: it has waited for its workers.
_LAUNCHER = """
import os, sys
report, *command = sys.argv[1:]
_, status, usage = os.wait4(os.spawnv(os.P_NOWAIT, command[0], command), 0)
os.write(int(report), b"%d" % usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def largest_process(command: Sequence[str], jobs: str, effort: Effort, folder: Path) -> float:
    """The most that the command, or one of its workers, has resident, in MiB."""
    files = copies(folder, SMALL_DOMAINS, effort.many_files)
    reader, writer = os.pipe()
    launcher = (sys.executable, "-IS", "-c", _LAUNCHER, str(writer))
    with open(reader, "rb") as report:
        run((*launcher, VIRTMEM, *command, "-j", jobs, *files), folder, str(folder / "report"), [writer])
        os.close(writer)
        return int(report.read()) / 1024


def measured(benchmark: Benchmark, effort: Effort, folder: Path) -> Result:
    figure = benchmark.measure(effort, folder)
    words = f"{figure:.0f}{benchmark.goal.unit}" if benchmark.goal.unit else f"{figure:.2f}"
    return Result(benchmark.what, words, str(benchmark.goal), "yes" if benchmark.goal.holds(figure) else "no")


def machine() -> str:
    """What it was measured on, in words that name nobody's machine."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    cores = len(os.sched_getaffinity(0))
    return f"{cores} core{'s' if cores > 1 else ''} of {model}, with Python {platform.python_version()}"


def conclusion(results: Sequence[Result]) -> str:
    missed = sum(result.held == "no" for result in results)
    return f"{missed} of {len(results)} goals are not held." if missed else "All goals are held."


PAGE_TEXT = """# What it costs

The goals: the command starts about as fast as the libraries that it stands on; a conversion takes little more than
reading the XML; a device costs the same in a large domain as in a small one; two processes are nearly twice as fast as
one; and memory does not grow with the number of files. This page says how far they are held.

A figure with a `/` is how many times as long the first takes as the second. They are run in turn, so that a busy
machine slows both, and the figure is the median; only the gain of two processes needs a machine that is idle. The files
are in memory, where there is room, so that no disk is measured. With `-o`, two processes make files in one folder,
which takes one at a time, and so the system sets a limit there. Time is no test: `tests/test_cost.py` counts calls
instead, and holds them.

{table}

{conclusion} `make bench` measured them, and wrote this page:
{machine}.
"""


def page(results: Sequence[Result]) -> str:
    rows = [HEAD, Result("---", "---", "---", "---"), *results]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return PAGE_TEXT.format(table=table, conclusion=conclusion(results), machine=machine())


def shown(row: Result, width: int) -> str:
    return f"{row.what:{width}}  {row.figure:>8}  {row.goal:15}  {row.held}"


def main() -> None:
    options = argparse.ArgumentParser(description="Measure what conversions cost, against goals.")
    options.add_argument("--quick", action="store_true", help="fewer repetitions and fewer files")
    options.add_argument("--write", action="store_true", help="write docs/performance.md as well")
    chosen = options.parse_args()
    effort = QUICK if chosen.quick else FULL
    gc.disable()  # as in the command
    table = list(benchmarks(effort))
    width = max(len(benchmark.what) for benchmark in table)
    results = []
    print(shown(HEAD, width))
    in_memory = os.path.isdir(MEMORY) and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(dir=MEMORY if in_memory else None) as folder:
        for benchmark in table:
            results.append(measured(benchmark, effort, Path(folder, "files")))
            print(shown(results[-1], width), flush=True)
    print(f"{conclusion(results)}\n{machine()}.")
    if chosen.write:
        PAGE.write_text(page(results))


if __name__ == "__main__":
    main()
