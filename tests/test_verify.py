"""What verify starts: no program that the XML makes up, and what is said where there is none."""

from pathlib import Path

import pytest
from command import virtmem
from small import DOMAIN, NONE


@pytest.mark.process
@pytest.mark.parametrize("devices", [True, False])
def test_an_architecture_that_is_not_known_names_no_program(devices: bool, here: Path) -> None:
    planted = here / "qemu-system-ci/run"
    planted.parent.mkdir()
    planted.write_text("#!/bin/sh\ntouch started\n")
    planted.chmod(0o755)
    (here / "guest.xml").write_text((DOMAIN if devices else NONE).replace("arch='x86_64'", "arch='ci/run'"))
    run = virtmem("verify", "guest.xml")
    assert not (here / "started").exists()
    assert run.out == ""
    if devices:
        assert run.code == 1
        assert "[arch-unsupported]" in run.err
        assert run.err.endswith("guest.xml: refused, QEMU was not started\n")
    else:
        assert run.code == 0
        assert "nothing to verify" in run.err


@pytest.mark.parametrize(
    ("named", "code", "said"),
    [
        ("", 2, "virtmem: --qemu is empty; give the path of the QEMU to start\n"),
        ("7.2", 3, "virtmem: --qemu '7.2': no such program; verify starts one, so give its path\n"),
    ],
)
def test_a_qemu_that_is_none_is_told_as_what_it_is(named: str, code: int, said: str, here: Path) -> None:
    (here / "guest.xml").write_text(DOMAIN)
    assert virtmem("verify", "--qemu", named, "guest.xml") == (code, "", said)
