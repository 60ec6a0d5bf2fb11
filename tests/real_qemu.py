"""Starts real QEMU, frozen and emulated, with a small machine around given arguments, and asks what it has."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from virtmem_cli.argv import arguments
from virtmem_cli.domain import Domain, PciAddress
from virtmem_cli.effective import bus_name
from virtmem_cli.props import Argument, Value, all_arguments
from virtmem_cli.target import LIBVIRT, Qemu, Target

TIMEOUT = 120
_ASK = ("qmp_capabilities", "query-memory-devices", "quit")

# How to make a bus, by its controller's model: the -device to put it on, and itself.
_BUSES = {
    "pcie-root-port": ("pcie-root-port,id={id},chassis={n},bus=pcie.0,addr={slot}",),
    "pcie-switch-downstream-port": (
        "pcie-root-port,id=root{n},chassis={n},bus=pcie.0,addr={slot}",
        "x3130-upstream,id=up{n},bus=root{n}",
        "xio3130-downstream,id={id},bus=up{n},chassis=1{n}",
    ),
    "dmi-to-pci-bridge": ("i82801b11-bridge,id={id},bus=pcie.0,addr={slot}",),
    "pcie-to-pci-bridge": (
        "pcie-root-port,id=root{n},chassis={n},bus=pcie.0,addr={slot}",
        "pcie-pci-bridge,id={id},bus=root{n}",
    ),
    "pci-bridge": ("pci-bridge,id={id},chassis_nr={n},bus={root},addr={slot}",),
    "pci-expander-bus": ("pxb,id={id},bus_nr=2{n},bus=pci.0,addr={slot}",),
}


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
        [binary, "-S", "-nodefaults", "-display", "none", "-accel", "tcg", "-qmp", "stdio", *argv],
        input=commands,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    replies = [json.loads(line) for line in run.stdout.splitlines()]
    devices = next((reply["return"] for reply in replies if isinstance(reply.get("return"), list)), None)
    return Answer(devices if run.returncode == 0 else None, run.stderr)


def machine(domain: Domain) -> Iterator[str]:
    """The machine and the PCI controllers that the domain's memory fits into."""
    kind = "virt" if domain.arch == "aarch64" else "q35" if domain.is_pcie else "pc"
    yield from ("-machine", kind)
    yield from ("-cpu", "max") if domain.arch == "aarch64" else ()
    devices = [device for device in domain.memory_devices if isinstance(device.address, PciAddress)]
    buses = sorted({device.address.bus for device in devices if isinstance(device.address, PciAddress)} - {0})
    for position, bus in enumerate(buses):
        model = next((controller.model for controller in domain.controllers if controller.bus == bus), "")
        names = {
            "id": bus_name(domain, bus),
            "n": bus,
            "root": bus_name(domain, 0),
            "slot": f"{0x1E - position:#x}",
        }
        for device in _BUSES[model or ("pcie-root-port" if domain.is_pcie else "pci-bridge")]:
            yield from ("-device", device.format(**names))


def target_for(binary: str, folder: Path) -> Target:
    """That QEMU, with libvirt's folder for memory files replaced by one of our own."""
    return Target(qemu=Qemu(version=version(binary)), host=LIBVIRT._replace(memory_dir=str(folder)))


def startable(domain: Domain, target: Target, **backend: Value) -> tuple[str, ...]:
    """The arguments of the scope `memory` with a machine, and with what depends on the host made to exist.

    Folders are made, host nodes are node 0, and boot memory is neither reserved nor allocated, since the test's machine
    may have less of it. `backend` are properties to give the first virtio-mem's backend instead.
    """
    changed = []
    for option, properties in all_arguments(domain, target._replace(scope="memory")):
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
    return (*machine(domain), *arguments(changed, target.qemu))
