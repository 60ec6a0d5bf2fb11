"""Options and helpers that the tests share."""

import shutil
from pathlib import Path

import pytest

TESTDATA = Path(__file__).parent.parent / "testdata"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files, show the difference, and fail"
    )
    parser.addoption("--real", action="store_true", help="fail, do not skip, where a real part such as QEMU is missing")


@pytest.fixture(scope="session")
def qemu_binary(request: pytest.FixtureRequest) -> "QemuBinary":
    return QemuBinary(strict=bool(request.config.getoption("--real")))


class QemuBinary:
    """Finds QEMU's binaries; skips, or with --real fails, where one is missing."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict

    def __call__(self, arch: str) -> str:
        path = shutil.which(f"qemu-system-{arch}")
        if path is None:
            reason = f"qemu-system-{arch} is not installed"
            if self.strict:
                pytest.fail(reason)
            pytest.skip(reason)
        return path
