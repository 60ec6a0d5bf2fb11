"""Options and helpers that the tests share."""

import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from real_qemu import QemuBinary
from small import FILES

settings.register_profile("quick", max_examples=20)

# The tests themselves may run in a workflow; those that speak of it say so
os.environ.pop("GITHUB_ACTIONS", None)

# Fixtures that stand for a program
PROGRAMS = {"qemu_binary", "multitool"}
# What Python tells of when a process starts
STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files, show the difference, and fail"
    )
    parser.addoption("--real", action="store_true", help="fail, do not skip, where a real part such as QEMU is missing")


def pytest_itemcollected(item: pytest.Item) -> None:
    if PROGRAMS.intersection(getattr(item, "fixturenames", ())):
        item.add_marker("process")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With --real a test that would be skipped fails, whatever skipped it."""
    report = yield
    if report.skipped and item.config.getoption("--real") and isinstance(report.longrepr, tuple):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr[2]}; with --real no test is skipped"
    return report


class Guard:
    """Fails a test that starts a process and is not marked with `process`, so that `make quick` has none."""

    armed = False

    def __call__(self, event: str, _: object) -> None:
        if self.armed and event in STARTS:
            pytest.fail("it starts a process: mark it with @pytest.mark.process")


GUARD = Guard()
sys.addaudithook(GUARD)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    GUARD.armed = item.get_closest_marker("process") is None
    try:
        return (yield)
    finally:
        GUARD.armed = False


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A run in the background may have SIGINT ignored, which its children would take over."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, and no configuration of this machine reaches it."""
    (tmp_path / "virtmem.toml").write_text("")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def files(here: Path) -> Path:
    """The current folder with the small domain and those that have something to be said of."""
    for name, xml in FILES.items():
        (here / f"{name}.xml").write_text(xml)
    return here


@pytest.fixture(scope="session")
def qemu_binary() -> QemuBinary:
    return QemuBinary()
