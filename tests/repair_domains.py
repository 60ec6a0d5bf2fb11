"""Repairs every refused domain of a folder, and starts on real QEMU what is accepted then.

usage: python tests/repair_domains.py FOLDER

Exit 0 where each domain that has repairs for all of its errors is accepted by `check` and by QEMU once they are made,
and a second repair changes nothing. Domains of machines that this QEMU cannot emulate are judged by `check` alone.
"""

import difflib
import sys
import tempfile
from pathlib import Path

from judging import check, fix, parsed
from real_qemu import QemuBinary, start, startable, target_for

from virtmem_cli.conversion import convert
from virtmem_cli.errors import VirtmemError
from virtmem_cli.findings import Severity


def problem(data: bytes, name: str) -> str | None:
    """What is wrong with the repairs of a domain, or None."""
    before = check(data)
    errors = [finding for finding in before.findings if finding.severity is Severity.ERROR]
    if not errors or not all(finding.edits for finding in errors):
        return None
    try:
        done = fix(data)
    except VirtmemError as error:
        return str(error)
    if done.left_out:
        return f"not all is repaired: {done.left_out}"
    repaired = done.data
    print(f"{name}: {done.made} repairs")
    old, new = (text.decode().splitlines() for text in (data, repaired))
    print(
        *(line for line in difflib.unified_diff(old, new, n=0, lineterm="") if line[:3] not in ("---", "+++")), sep="\n"
    )
    after = check(repaired)
    if after.refused:
        return f"still refused: {[finding.message for finding in after.findings]}"
    if fix(repaired)[:2] != (repaired, 0):
        return "a second repair changes something"
    domain = parsed(repaired)
    if domain.arch not in ("x86_64", "aarch64") or any(device.pagesize for device in domain.devices):
        return None
    binary = QemuBinary()(domain.arch)
    with tempfile.TemporaryDirectory() as folder:
        target = target_for(binary, Path(folder))
        if convert(repaired, name, target).refused:
            return None  # QEMU is too old for it, which is another question
        answer = start(binary, startable(domain, target))
    return None if answer.devices is not None else f"QEMU does not start: {answer.words}"


def main() -> None:
    bad = 0
    for path in sorted(Path(sys.argv[1]).glob("*.xml")):
        if words := problem(path.read_bytes(), path.name):
            bad += 1
            print(f"{path.name}: {words}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
