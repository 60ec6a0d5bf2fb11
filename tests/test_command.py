"""The helpers that run the command, and who may start a process."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command import process, virtmem


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run(["true"], check=True),
        lambda: os.system("true"),
        lambda: os.posix_spawn("/bin/true", ["true"], {}),
    ],
    ids=["subprocess", "system", "posix_spawn"],
)
def test_a_process_is_for_tests_that_are_marked(start: Callable[[], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match="mark it"):
        start()


@pytest.mark.process
def test_a_function_and_a_process_answer_the_same(tmp_path: Path) -> None:
    (tmp_path / "wrong.xml").write_text("<domain>")
    words = ("check", tmp_path / "wrong.xml", tmp_path / "absent.xml")
    assert virtmem(*words) == process(*words)
    assert virtmem(*words).code == 3
