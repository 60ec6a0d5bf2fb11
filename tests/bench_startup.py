"""How long one conversion takes, as a multiple of importing what it stands on: `make bench`.

The two are run in turn, so that a busy machine slows both; the ratio of the medians is the figure.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNS = 40


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    virtmem = Path(sys.executable).parent / "virtmem"
    commands = {
        "import click, lxml.etree": [sys.executable, "-c", "import click, lxml.etree"],
        "virtmem xml2argv example.xml": [str(virtmem), "xml2argv", str(ROOT / "testdata/xml/example.xml")],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        print(f"{median * 1000:7.1f} ms  {name}")
    base, ours = medians.values()
    print(f"{ours / base:7.2f}     ratio, of medians of {RUNS} runs in turn")


if __name__ == "__main__":
    main()
