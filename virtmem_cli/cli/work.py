"""Work on many inputs: one after the other, or by several processes; what comes of it is in the order of the inputs."""

import gc
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from virtmem_cli.errors import VirtmemError

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")

# Inputs that a process does before it collects garbage, at most, and how many times it is given such a chunk ahead.
_CHUNK, _AHEAD = 40, 3


def in_order(work: Callable[[T], R], tasks: Sequence[T], jobs: int) -> Iterator[R]:
    """The work on each task, by up to so many processes; the results come in the order of the tasks.

    No more than a few results for each process are held at a time.
    """
    jobs = min(jobs, len(tasks))
    gc.freeze()  # or each worker's collector would look through what it has in common with the others, and so copy it
    if jobs < 2:
        for start in range(0, len(tasks), _CHUNK):
            if start:
                _collect()
            yield from map(work, tasks[start : start + _CHUNK])
        return
    from concurrent.futures import ProcessPoolExecutor  # slow to import, and one process is the rule
    from concurrent.futures.process import BrokenProcessPool

    size = max(1, min(_CHUNK, len(tasks) // (jobs * _AHEAD)))
    pending: deque[Future[list[R]]] = deque()
    try:
        with ProcessPoolExecutor(jobs) as pool:
            for start in range(0, len(tasks), size):
                pending.append(pool.submit(_each, work, tasks[start : start + size]))
                if len(pending) > _AHEAD * jobs:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
    except BrokenProcessPool:
        raise VirtmemError("a process of -j was ended from outside, and what was left was not done") from None


def _each(work: Callable[[T], R], tasks: Sequence[T]) -> list[R]:
    done = [work(task) for task in tasks]
    _collect()
    return done


def _collect() -> None:
    """Give back what is in circles; the command has no collector of its own (see `__main__`).

    What is left then, the tables and the modules, is not looked through again.
    """
    gc.collect()
    gc.freeze()
