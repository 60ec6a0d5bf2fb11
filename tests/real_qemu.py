"""Starts real QEMU, frozen and emulated, and asks what it has."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from virtmem_cli.argv import arguments
from virtmem_cli.domain import Domain, PciAddress, PciController
from virtmem_cli.machines import machine_of
from virtmem_cli.props import Argument, Properties, Value, all_arguments
from virtmem_cli.settle import settle
from virtmem_cli.target import LIBVIRT, Qemu, Target

TIMEOUT = 120
_ASK = ("qmp_capabilities", "query-memory-devices", "quit")


class QemuBinary:
    """Finds QEMU's binaries; skips where one is missing."""

    def __call__(self, arch: str) -> str:
        path = shutil.which(f"qemu-system-{arch}")
        if path is None:
            pytest.skip(f"qemu-system-{arch} is not installed")
        return path


class Answer(NamedTuple):
    """What QEMU said: its memory devices, or None where it did not start, and its words on standard error."""

    devices: list[dict[str, Any]] | None
    words: str


def version(binary: str) -> tuple[int, int]:
    text = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True, timeout=TIMEOUT).stdout
    major, minor, *_ = text.split("version ")[1].split()[0].split(".")
    return int(major), int(minor)


def start(binary: str, argv: Sequence[str]) -> Answer:
    """Start it, ask, and let it quit; never longer than TIMEOUT."""
    commands = "".join(json.dumps({"execute": command}) + "\n" for command in _ASK)
    run = subprocess.run(
        [binary, "-S", "-nodefaults", "-display", "none", "-qmp", "stdio", *argv],
        input=commands,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    replies = [json.loads(line) for line in run.stdout.splitlines()]
    devices = next((reply["return"] for reply in replies if isinstance(reply.get("return"), list)), None)
    return Answer(devices if run.returncode == 0 else None, run.stderr)


def is_pcie(domain: Domain) -> bool:
    machine = machine_of(domain.arch, domain.machine)
    return machine is not None and machine.root == "pcie-root"


def complete(domain: Domain) -> Domain:
    """The domain with the controllers that libvirt would add for the buses of its memory devices."""
    known = {controller.bus for controller in domain.controllers}
    addresses = [device.address for device in domain.memory_devices if isinstance(device.address, PciAddress)]
    added = tuple(
        PciController(
            element=domain.element,
            bus=bus,
            model="pcie-root-port" if is_pcie(domain) else "pci-bridge",
            alias=None,
            address=None,
            driver=None,
            numbers={},
        )
        for bus in sorted({address.bus for address in addresses} - known - {0})
    )
    return domain._replace(controllers=(*domain.controllers, *added))


def target_for(binary: str, folder: Path) -> Target:
    """That QEMU, with libvirt's folder for memory files replaced by one of our own."""
    return Target(qemu=Qemu(version=version(binary)), host=LIBVIRT._replace(memory_dir=str(folder)))


def startable(domain: Domain, target: Target, **backend: Value) -> tuple[str, ...]:
    """The arguments of the scope `machine`, with what depends on the host made to exist.

    The machine is emulated, and of this QEMU's own version. Folders are made, host nodes are node 0, and boot memory is
    neither reserved nor allocated, since the test's machine may have less of it. `backend` are properties to give the
    first virtio-mem's backend instead.
    """
    here: dict[str, Properties | None] = {
        "-machine": {"": "virt" if domain.arch == "aarch64" else "q35" if is_pcie(domain) else "pc"},
        "-accel": {"": "tcg"},
        "-cpu": {"": "max"} if domain.arch == "aarch64" else None,
    }
    changed = []
    for option, properties in all_arguments(settle(complete(domain), target._replace(scope="machine"))):
        if option in here:
            if (replacement := here[option]) is not None:
                changed.append(Argument(option, replacement))
            continue
        changes: dict[str, Value] = {}
        if properties.get("qom-type") == "thread-context":
            changes["node-affinity"] = (0,)
        if "host-nodes" in properties:
            changes["host-nodes"] = (0,)
        if "mem-path" in properties:
            os.makedirs(os.path.dirname(str(properties["mem-path"])), exist_ok=True)
        if str(properties.get("qom-type", "")).startswith("memory-backend-"):
            if properties.get("id") == f"mem{domain.devices[0].alias}":
                changes |= backend
            else:
                changes |= {"reserve": False, "prealloc": False}
        changed.append(Argument(option, {**properties, **changes}))
    return arguments(changed, target.qemu)
