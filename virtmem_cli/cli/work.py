"""Work on many inputs: one after the other, or by several processes; what comes of it is in the order of the inputs.

A signal that ends the command ends its processes with it, and what was done by then is said. A process that is lost,
killed or out of memory, costs no more than the one input that it was at.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from virtmem_cli.cli.files import Given, inputs
from virtmem_cli.cli.terminal import say

if TYPE_CHECKING:
    from virtmem_cli.cli.pool import Pool

R = TypeVar("R")
# An input, and its bytes where only this process could read them
Task = tuple[str, Given]

# Inputs that a process does before it collects garbage, at most.
_CHUNK = 40


@contextmanager
def in_order(
    work: Callable[[Task], R], lost: Callable[[str, str], R], files: Sequence[str], jobs: int
) -> Iterator[Iterator[R]]:
    """The work on each input, by up to so many processes; the results come in the order of the inputs.

    `lost` makes the result of an input whose process was lost, and gets its name and the reason. No more than a few
    results for each process are held at a time. Raises VirtmemError where the processes cannot be started.
    """
    if len(files) < 2:
        yield map(work, inputs(files))
        return
    from virtmem_cli.processes import heeded  # slow to import, and one input is the rule

    done = 0
    pool: Pool[Task, R] | None = None

    def counted(results: Iterable[R]) -> Iterator[R]:
        nonlocal done
        for result in results:
            yield result
            done += 1

    each = partial(_one_by_one, work)
    with heeded():
        try:
            tasks = list(inputs(files))
            gc.freeze()  # or each worker's collector would look through what all have in common, and so copy it
            if jobs > 1:
                pool = _pool(each, lambda task, reason: lost(task[0], reason), tasks, min(jobs, len(tasks)))
            yield counted(pool.results() if pool else each(tasks))
        except KeyboardInterrupt as end:
            _say_how_far(end, f"{done} of {len(files)} inputs done{f', {pool.begun} more begun' if pool else ''}")
            raise
        finally:
            if pool:
                pool.end()


def _pool(
    each: Callable[[Iterable[Task]], Iterator[R]], lost: Callable[[Task, str], R], tasks: Sequence[Task], jobs: int
) -> "Pool[Task, R]":
    from virtmem_cli.cli.pool import Pool  # slow to import, and one process is the rule

    return Pool(each, lost, tasks, jobs)


def _say_how_far(end: KeyboardInterrupt, words: str) -> None:
    from signal import SIGINT, Signals

    try:
        say(f"virtmem: ended by {Signals(end.args[0] if end.args else SIGINT).name}: {words}")
    except BrokenPipeError:
        pass  # nobody listens, which is no reason to end in another way


def _one_by_one(work: Callable[[Task], R], tasks: Iterable[Task]) -> Iterator[R]:
    for number, task in enumerate(tasks):
        if number and not number % _CHUNK:
            _collect()
        yield work(task)


def _collect() -> None:
    """Give back what is in circles; the command has no collector of its own (see `__main__`).

    What is left then, the tables and the modules, is not looked through again.
    """
    gc.collect()
    gc.freeze()
