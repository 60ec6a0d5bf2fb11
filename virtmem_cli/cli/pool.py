"""The processes of -j: each has all tasks from its start, is told the numbers of some, and answers one by one.

So it is known at which task one was that is lost: that task has failed, and what else it was told is done by others.
Slow to import, and one process is the rule.
"""

import errno
import os
import pickle
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from selectors import EVENT_READ, DefaultSelector
from struct import Struct
from typing import Generic, NoReturn, TypeVar

from virtmem_cli.cli.terminal import say_fault
from virtmem_cli.errors import VirtmemError
from virtmem_cli.processes import disturbed, guarded, tied, undisturbed

T = TypeVar("T")
R = TypeVar("R")

# Tasks that a process is told at a time, at most; it is told more when it has no more than as many left.
_TOLD = 20
# How many times what all processes are told at a time may be done before its turn.
_AHEAD = 6
# Seconds to let answers gather: to wake up for each would take a tenth of the time of the work.
_LULL = 0.006
# Seconds that processes have to tidy up, before they are killed.
_GRACE = 0.8
# The exit code of a process that had too little memory.
_SHORT = errno.ENOMEM
# The numbers of the first task and of the one behind the last; and the length of an answer.
_ORDER, _LENGTH = Struct("=QQ"), Struct("=Q")


class Worker:
    """A process, the pipes to and from it, and the numbers of the tasks that it was told and has not answered."""

    def __init__(self, pid: int, orders: int, answers: int) -> None:
        self.pid, self.answers = pid, answers
        self.orders = open(orders, "wb", buffering=0)  # noqa: SIM115, `close` closes it
        self.todo: deque[int] = deque()
        self.heard = bytearray()

    def tell(self, numbers: range) -> None:
        self.todo.extend(numbers)
        try:
            self.orders.write(_ORDER.pack(numbers.start, numbers.stop))
        except BrokenPipeError:
            pass  # it is lost, which its other pipe will tell

    def hear(self) -> list[bytes] | None:
        """What it has answered meanwhile; None where it has gone."""
        words = os.read(self.answers, 1 << 18)
        self.heard += words
        answers, at = [], 0
        while (begin := at + _LENGTH.size) <= len(self.heard):
            end = begin + _LENGTH.unpack_from(self.heard, at)[0]
            if end > len(self.heard):
                break
            answers.append(bytes(self.heard[begin:end]))
            at = end
        del self.heard[:at]
        return answers if words else None

    def close(self) -> None:
        self.orders.close()
        os.close(self.answers)


class Pool(Generic[T, R]):
    """So many processes that work on the tasks, until `end`.

    `work` gets tasks one by one and gives their results; `lost` makes the result of a task whose process was lost, and
    gets the reason. Raises VirtmemError where the processes cannot be started.
    """

    def __init__(
        self,
        work: Callable[[Iterable[T]], Iterator[R]],
        lost: Callable[[T, str], R],
        tasks: Sequence[T],
        jobs: int,
    ) -> None:
        self.work, self.lost, self.tasks, self.jobs = work, lost, tasks, jobs
        self.size = max(1, min(_TOLD, len(tasks) // (3 * jobs)))
        starts = range(0, len(tasks), self.size)
        self.untold = deque(range(start, min(start + self.size, len(tasks))) for start in starts)
        self.workers: list[Worker] = []
        self.done: dict[int, R] = {}
        self.tie = tied()
        self.stack = ExitStack()
        try:
            with _told_of_limits(jobs):
                self.selector = self.stack.enter_context(DefaultSelector())
                self.guard = self.stack.enter_context(guarded())
                for _ in range(jobs):
                    self._start()
        except BaseException:
            self.end()
            raise

    @property
    def begun(self) -> int:
        """How many tasks somebody was told to do whose results were not given yet."""
        return len(self.done) + sum(len(worker.todo) for worker in self.workers)

    def results(self) -> Iterator[R]:
        """The results in the order of the tasks."""
        for number in range(len(self.tasks)):
            while number not in self.done:
                self._tell(number + self.size * self.jobs * _AHEAD)
                time.sleep(_LULL)
                for key, _ in self.selector.select():
                    self._hear(key.data)
            yield self.done.pop(number)

    def end(self) -> None:
        """End the processes: they tidy up, and what has not done so in time is killed."""
        for worker in self.workers:
            worker.close()
            os.kill(worker.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while self.workers and time.monotonic() < deadline:
            self.workers = [worker for worker in self.workers if not os.waitpid(worker.pid, os.WNOHANG)[0]]
            time.sleep(0.001)
        for worker in self.workers:
            os.kill(worker.pid, signal.SIGKILL)
            os.waitpid(worker.pid, 0)
        self.workers = []
        self.stack.close()

    def _tell(self, last: int) -> None:
        """Keep everybody at work, but at no task from that number on."""
        for worker in self.workers:
            while self.untold and self.untold[0].start < last and len(worker.todo) <= self.size:
                worker.tell(self.untold.popleft())

    def _hear(self, worker: Worker) -> None:
        answers = worker.hear()
        for answer in answers or ():
            self.done[worker.todo.popleft()] = pickle.loads(answer)
        if answers is None:
            self._lose(worker)

    def _lose(self, worker: Worker) -> None:
        """Note what is lost with a process, and have another one do the rest."""
        self.workers.remove(worker)
        self.selector.unregister(worker.answers)
        worker.close()
        _, status = os.waitpid(worker.pid, 0)
        if worker.todo:
            number = worker.todo.popleft()
            self.done[number] = self.lost(self.tasks[number], _reason(os.waitstatus_to_exitcode(status)))
            self.untold.extendleft(range(left, left + 1) for left in reversed(worker.todo))
        if self.untold or not self.workers:
            with _told_of_limits(self.jobs):
                self._start()

    def _start(self) -> None:
        """One more process."""
        orders, ordering = os.pipe()
        answering, answers = os.pipe()
        with undisturbed():
            pid = os.fork()
            if not pid:
                self.tie()
                # In the background a terminal would stop whoever reads it; so that is an error, and no rest without end
                signal.signal(signal.SIGTTIN, signal.SIG_IGN)
                self._work(orders, answers, [ordering, answering])
            self.workers.append(worker := Worker(pid, ordering, answering))
        self.selector.register(answering, EVENT_READ, worker)
        os.close(orders)
        os.close(answers)

    def _work(self, orders: int, answers: int, others: Sequence[int]) -> NoReturn:
        """What a process does, for as long as there is somebody who listens."""
        status = 1
        try:
            os.setpgid(0, self.guard.group)
            for worker in self.workers:
                worker.close()
            for descriptor in (*others, self.guard.lifeline):
                os.close(descriptor)
            pipe = open(answers, "wb")  # noqa: SIM115, it is not closed: what is left in it is for nobody
            with disturbed():
                for result in self.work(self._ordered(orders)):
                    answer = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
                    pipe.write(_LENGTH.pack(len(answer)) + answer)
                    pipe.flush()
            status = 0
        except (KeyboardInterrupt, BrokenPipeError):
            pass  # its end was asked for
        except MemoryError:
            status = _SHORT
        except Exception:
            say_fault()
        finally:
            os._exit(status)

    def _ordered(self, orders: int) -> Iterator[T]:
        """The tasks that this process is told to do, as it is told."""
        while order := os.read(orders, _ORDER.size):
            start, stop = _ORDER.unpack(order)
            yield from self.tasks[start:stop]


@contextmanager
def _told_of_limits(jobs: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        words = "take fewer, or raise the limit of processes (`ulimit -u`) or of open files (`ulimit -n`)"
        raise VirtmemError(f"-j {jobs}: no process can be started: {error.strerror}; {words}") from None


def _reason(status: int) -> str:
    """Why a task failed whose process was lost, by its exit code, which for a signal is its number below 0."""
    if status == _SHORT:
        return "not done: its process of -j had too little memory; the other inputs are done"
    name = signal.Signals(-status).name if status < 0 else ""
    end = f"by {name}" if name else f"with exit code {status}"
    short = ", as where memory is short" if name == "SIGKILL" else ""
    return f"not done: its process of -j ended {end}{short}; the other inputs are done"
