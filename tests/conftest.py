"""Options and helpers that the tests share."""

import signal

import pytest
from real_qemu import QemuBinary


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files, show the difference, and fail"
    )
    parser.addoption("--real", action="store_true", help="fail, do not skip, where a real part such as QEMU is missing")


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A run in the background may have SIGINT ignored, which its children would take over."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def qemu_binary(request: pytest.FixtureRequest) -> QemuBinary:
    return QemuBinary(strict=bool(request.config.getoption("--real")))
