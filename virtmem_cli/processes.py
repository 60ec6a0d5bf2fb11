"""Processes that end with this one, and signals that end this one: each becomes an exception, which tidies up.

Knows nothing of what the processes do. A guard, a process of its own, sees to it that none is left whatever ends this
one, SIGKILL too: it waits for the end of a pipe that nobody else holds. Where the guard itself is killed, the kernel
sees to the children that are `tied`, though not to theirs.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
# Seconds in which one signal counts once, though it may come to a process and to its whole group.
ONCE = 1
# prctl(2)
_PR_SET_PDEATHSIG = 1

_last = -float(ONCE)


def _unwind(number: int, _: FrameType | None) -> None:
    global _last
    if time.monotonic() - _last > ONCE:
        _last = time.monotonic()
        raise KeyboardInterrupt(number)


@contextmanager
def heeded() -> Iterator[None]:
    """For the while, SIGHUP and SIGTERM end what is done as Ctrl-C does, by KeyboardInterrupt with their number.

    What is ignored, as by nohup, stays so.
    """
    default = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: signal.signal(number, _unwind) for number in ENDING if signal.getsignal(number) in default}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """For the while, signals wait: for what is short, and must not be left half done."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def disturbed() -> Iterator[None]:
    """For the while, within `undisturbed`, signals do not wait."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


class Guard(NamedTuple):
    """A process group that does not outlive this process, and what a child must close, or it would keep it alive."""

    group: int
    lifeline: int


@contextmanager
def guarded() -> Iterator[Guard]:
    """A process group for children: all in it are killed at the end, or when this process is gone, however.

    Raises OSError where there can be no further process or descriptor.
    """
    reader, writer = os.pipe()
    with undisturbed():
        group = os.fork()
        if not group:
            _watch(reader, writer)
        os.close(reader)
    try:
        os.setpgid(group, group)  # the guard does so itself, later or sooner
        yield Guard(group, writer)
    finally:
        os.killpg(group, signal.SIGKILL)
        os.waitpid(group, 0)
        os.close(writer)


def tied() -> Callable[[], None]:
    """What a child calls first: it is killed when this process is gone, even where its guard was killed before.

    Linux alone has that; elsewhere there is the guard.
    """
    import ctypes  # before there is a child, which is to do as little as can be

    parent = os.getpid()
    try:
        prctl = ctypes.CDLL(None).prctl
    except AttributeError:
        return lambda: None

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
        if os.getppid() != parent:  # it was gone before
            os._exit(1)

    return tie


def _watch(reader: int, writer: int) -> None:
    """What the guard does: its signals wait, and it ends with its group."""
    try:
        os.setpgid(0, 0)
        os.close(writer)
        os.read(reader, 1)
        os.killpg(0, signal.SIGKILL)
    finally:
        os._exit(1)
