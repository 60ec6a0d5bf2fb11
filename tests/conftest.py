"""Options and helpers that the tests share."""

import pytest
from real_qemu import QemuBinary


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files, show the difference, and fail"
    )
    parser.addoption("--real", action="store_true", help="fail, do not skip, where a real part such as QEMU is missing")


@pytest.fixture(scope="session")
def qemu_binary(request: pytest.FixtureRequest) -> QemuBinary:
    return QemuBinary(strict=bool(request.config.getoption("--real")))
