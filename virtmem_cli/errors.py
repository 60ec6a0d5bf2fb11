"""Errors: the work cannot be done at all. All else that is wrong is a finding.

Each has a message for the user and the exit code of the process; commands turn one into the other in one place. What
of the input is in a message is made harmless here, whoever raises it.
"""

from virtmem_cli.text import printable


class VirtmemError(Exception):
    """The work cannot be done; the only argument is a message for the user, `exit_code` the process's answer."""

    exit_code = 3

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class InputRefusedError(VirtmemError):
    """The input is not a domain at all, so that there is nothing to judge: `reason` says why, for the input `name`."""

    exit_code = 1

    def __init__(self, name: str, line: int | None, reason: str, advice: str) -> None:
        self.name, self.line, self.reason, self.advice = name, line or 1, reason, advice
        super().__init__(f"{name}:{self.line}: error: {reason}; libvirt refuses it. {advice} [not-a-domain]")

    def __reduce__(self) -> tuple[type["InputRefusedError"], tuple[str, int, str, str]]:
        return type(self), (self.name, self.line, self.reason, self.advice)


class UsageError(VirtmemError):
    """An option's value or a configuration file is wrong."""

    exit_code = 2
