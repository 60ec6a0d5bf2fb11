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
from virtmem_cli.props import Pair, device_pairs
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
    """The least machine that the domain's virtio-mem devices fit into."""
    kind = "virt" if domain.arch == "aarch64" else "q35" if domain.is_pcie else "pc"
    yield from ("-machine", kind, "-smp", str(max(domain.vcpus, 1)))
    yield from ("-cpu", "max") if domain.arch == "aarch64" else ()
    yield from ("-m", f"size={domain.boot_memory >> 10}k,slots={domain.slots},maxmem={domain.max_memory >> 10}k")
    memory = [cell.memory for cell in domain.cells] or [domain.boot_memory]
    for node, size in enumerate(memory):
        yield from ("-object", f"memory-backend-ram,id=ram-node{node},size={size},reserve=off")
        yield from ("-numa", f"node,nodeid={node},memdev=ram-node{node}")
    buses = sorted({d.address.bus for d in domain.devices if isinstance(d.address, PciAddress)} - {0})
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


def startable(domain: Domain, target: Target) -> tuple[str, ...]:
    """The domain's arguments with what depends on the host made to exist: folders, and host nodes beyond 0."""
    pairs = []
    for pair in device_pairs(domain, target):
        backend = dict(pair.backend)
        if "host-nodes" in backend:
            backend["host-nodes"] = (0,)
        if "mem-path" in backend:
            os.makedirs(os.path.dirname(str(backend["mem-path"])), exist_ok=True)
        pairs.append(Pair(backend=backend, device=pair.device))
    return (*machine(domain), *arguments(pairs, target.qemu))
