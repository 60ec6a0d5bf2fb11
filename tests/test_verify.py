"""What verify starts: no program that the XML makes up, and what is said where there is none."""

from pathlib import Path

import pytest
from command import on_a_terminal, virtmem, without_colour
from domains import ROOT
from real_qemu import QemuBinary
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


def test_all_that_is_compared_can_be_read_on_a_narrow_terminal(qemu_binary: QemuBinary) -> None:
    """Also by which QEMU it was."""
    binary = qemu_binary("x86_64")
    run = on_a_terminal("verify", "--qemu", binary, ROOT / "testdata/xml/example.xml", columns=60)
    assert "…" not in run.out
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in without_colour(run.out).splitlines()]
    assert "".join(row[2] for row in cells if row and row[1] in ("memdev", "")).startswith("/objects/memua-growth")
    assert f", {binary}\n" in run.err
    assert ": verified by QEMU " in run.err
