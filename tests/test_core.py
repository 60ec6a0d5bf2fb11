"""rules and parse: what is found where two things meet, or at the edge of a limit, with its repair."""

from collections.abc import Iterable
from typing import NamedTuple

import pytest
from domains import S390X, X86
from lxml import etree

from virtmem_cli import parse, rules
from virtmem_cli.convert import check, fix
from virtmem_cli.domain import Domain, Topology
from virtmem_cli.findings import Finding, more_findings, nearest
from virtmem_cli.parse import emulator, parse_domain
from virtmem_cli.target import HOSTS, LIBVIRT, Qemu, Target
from virtmem_cli.units import GIB, KIB, MIB
from virtmem_cli.xmltree import parse_tree

THP = LIBVIRT._replace(thp=512 * KIB)
NO_MOUNTS = LIBVIRT._replace(hugetlbfs={})
OVERCOMMIT = LIBVIRT._replace(overcommit=2)
NODES = LIBVIRT._replace(nodes=(0, 1, 4))

# Pieces of X86
SIZE = "<size unit='GiB'>8</size>"
NODE = "<node>0</node>"
BLOCK = "<block unit='MiB'>2</block>"
REQUESTED = "<requested unit='GiB'>1</requested>"
CELL = "<cell id='0' cpus='0-3' memory='4' unit='GiB'/>"
MAX = "<maxMemory unit='GiB'>16</maxMemory>"
MEMORY = "<memory unit='GiB'>12</memory>"
DEVICE = "<memory model='virtio-mem'>"
DEVICES = "<devices>"
CPU = "<cpu>"
LAST = "</devices>"
END = "</target>"
SLOTS = "<maxMemory "

Edits = tuple[tuple[str, str], ...]


def edited(xml: str, edits: Edits) -> bytes:
    """The domain with each piece, which is in it just once, replaced by another."""
    for old, new in edits:
        assert xml.count(old) == 1, old
        xml = xml.replace(old, new)
    return xml.encode()


def found(data: bytes, *targets: Target) -> list[Finding]:
    return list(check(data, name="test.xml", targets=targets or [Target()]).findings)


def text(data: bytes, findings: list[Finding]) -> str:
    """The findings in words: rule, element, message and advice, and in brackets what a repair would do."""
    names = [str(element.tag) for element in parse_tree(data, "test.xml").iter(etree.Element)]
    # the second <page> is <page 2>
    tags = [name if names.count(name) == 1 else f"{name} {names[: n + 1].count(name)}" for n, name in enumerate(names)]
    lines = []
    for one in findings:
        line = f"{one.rule.id} at <{tags[one.place]}>: {one.message}. {one.advice}"
        if one.repair is not None:
            edits = [
                f"{edit.part.name} {edit.name} of <{tags[edit.place]}>: {edit.value}".replace("  ", " ")
                for edit in one.repair.edits
            ]
            line += f" [{'safe' if one.repair.safe else 'unsafe'}: {', '.join(edits)}]"
        lines.append(line)
    return "\n".join(lines)


class Case(NamedTuple):
    """A domain and what `check` says of it; white space in `said` does not count."""

    edits: Edits
    said: str
    base: str = X86
    targets: tuple[Target, ...] = (Target(),)


CASES = {
    "block-of-one-huge-page-below-1-mib": Case(
        ((BLOCK, "<block unit='KiB'>512</block>"),),
        """
        block-below-minimum at <block>: <block> is 512 KiB, and the least is 1 MiB. Write 1024 KiB.
            [unsafe: SIZE of <block>: 1048576]
        """,
        targets=(Target(host=THP),),
    ),
    "block-below-thp-of-s390x": Case(
        (("<block unit='MiB'>1</block>", "<block unit='KiB'>512</block>"),),
        """
        block-below-thp at <block>: <block> is 512 KiB, and the host's transparent huge page is 1
            MiB. Write 1 MiB or more. [unsafe: SIZE of <block>: 1048576]
        """,
        base=S390X,
    ),
    "block-below-thp-of-two-hosts": Case(
        (
            (SIZE, "<size unit='MiB'>8322</size>"),
            (REQUESTED, "<requested unit='MiB'>1026</requested>"),
            ("'GiB'>12<", "'MiB'>12418<"),
        ),
        """
        block-below-thp at <block>: <block> is 2 MiB, and the host's transparent huge page is 32
            MiB. Write 32 MiB or more, which is right for every host named, with <size> 8352 MiB and
            <requested> 1056 MiB. [unsafe: SIZE of <block>: 33554432]
        """,
        targets=tuple(
            Target(host=HOSTS[name], hosts=tuple(HOSTS[name] for name in ("x86_64", "aarch64-16k")))
            for name in ("x86_64", "aarch64-16k")
        ),
    ),
    "block-absent-with-huge-pages": Case(
        (
            (CPU, "<memoryBacking><hugepages/></memoryBacking><cpu>"),
            (BLOCK, ""),
        ),
        """
        value-missing at <target>: <block> is absent. Write <block unit='KiB'>…</block>.
        """,
    ),
    "size-no-multiple-of-odd-pages": Case(
        (
            (DEVICE, "<memory model='virtio-mem'><source><pagesize unit='MiB'>3</pagesize></source>"),
            (BLOCK, "<block unit='MiB'>4</block>"),
        ),
        """
        pagesize-unmounted at <pagesize>: pages of 3 MiB are asked for, and the host's hugetlbfs
            mounts are of 2 MiB and 1 GiB. Take one of those, or judge for another host with --host.
        size-not-page-multiple at <size>: <size> is 8 GiB, which is not a multiple of its pages of 3
            MiB. Write 8193 MiB.
        """,
    ),
    "requested-rounded-up-to-the-size": Case(
        ((REQUESTED, "<requested unit='MiB'>8191</requested>"),),
        """
        requested-not-block-multiple at <requested>: <requested> is 8191 MiB, which is not a
            multiple of <block>, 2 MiB. Write 8 GiB. [unsafe: SIZE of <requested>: 8589934592]
        """,
    ),
    "requested-rounded-down-below-the-size": Case(
        (
            (SIZE, "<size unit='MiB'>8190</size>"),
            (BLOCK, "<block unit='MiB'>4</block>"),
            (REQUESTED, "<requested unit='MiB'>8190</requested>"),
        ),
        """
        size-not-block-multiple at <size>: <size> is 8190 MiB, which is not a multiple of <block>, 4
            MiB. Write 8 GiB. [safe: SIZE of <size>: 8589934592]
        requested-not-block-multiple at <requested>: <requested> is 8190 MiB, which is not a
            multiple of <block>, 4 MiB. Write 8188 MiB. [unsafe: SIZE of <requested>: 8585740288]
        """,
    ),
    "node-empty": Case(
        ((NODE, "<node/>"),),
        """
        node-missing at <target>: <node> is absent, and the guest has NUMA nodes. Write
            <node>0</node>. [unsafe: TEXT of <node>: 0]
        """,
    ),
    "node-of-a-pmem-is-nobodys": Case(
        (
            (
                LAST,
                (
                    "<memory model='virtio-pmem' access='shared'><source><path>/p</path></source><target>"
                    "<size unit='GiB'>1</size><node>9</node></target></memory></devices>"
                ),
            ),
        ),
        "",
    ),
    "node-unknown-after-one-missing": Case(
        (
            (NODE, ""),
            (
                LAST,
                ("<memory model='dimm'><target><size unit='GiB'>1</size><node>9</node></target></memory></devices>"),
            ),
            (SLOTS, "<maxMemory slots='1' "),
        ),
        """
        node-missing at <target 1>: <node> is absent, and the guest has NUMA nodes. Write
            <node>0</node>. [unsafe: INSIDE of <target 1>: <node>0</node>]
        node-unknown at <node>: <node> is 9, and the guest's last node is 0. Write 0, or add a
            <cell>. [unsafe: TEXT of <node>: 0]
        """,
    ),
    "node-unknown-on-the-node-that-libvirt-adds": Case(
        (
            (CELL, ""),
            ("<numa>", ""),
            ("</numa>", ""),
            (NODE, "<node>5</node>"),
        ),
        """
        node-unknown at <node>: <node> is 5, and the guest's last node is 0. Write 0, or add a
            <cell>. [unsafe: TEXT of <node>: 0]
        """,
    ),
    "maxmemory-missing-with-no-boot-memory": Case(
        (
            (MAX, ""),
            (MEMORY, "<memory unit='GiB'>8</memory>"),
            ("<numa>", ""),
            ("</numa>", ""),
            (CELL, ""),
        ),
        """
        maxmemory-missing at <memory 1>: <maxMemory> is absent, and virtio-mem is hotplugged memory.
            Write <maxMemory unit='KiB'>8388608</maxMemory> or more. [safe: BEFORE of <memory 1>:
            <maxMemory unit='KiB'>8388608</maxMemory>]
        memory-below-devices at <memory 1>: <memory> is 8 GiB, of which the memory devices take 8
            GiB. <memory> counts boot memory and devices together: write more than 8 GiB.
        """,
    ),
    "maxmemory-and-memory-missing": Case(
        (
            (MAX, ""),
            (MEMORY, ""),
        ),
        """
        maxmemory-missing at <domain>: <maxMemory> is absent, and virtio-mem is hotplugged memory.
            Write <maxMemory unit='KiB'>12582912</maxMemory> or more.
        """,
    ),
    "hotplug-space-before-rounding": Case(
        ((MAX, "<maxMemory unit='KiB'>12582911</maxMemory>"),),
        """
        hotplug-space at <maxMemory>: <maxMemory> is 12582911 KiB, and boot memory 4 GiB +
            virtiomem0 8 GiB are 12 GiB: 1 KiB too little. Write 12 GiB or more. [safe: SIZE of
            <maxMemory>: 12884901888]
        value-rounded at <maxMemory>: <maxMemory> is 12582911 KiB, which libvirt rounds up to 12
            GiB, a multiple of 1 MiB. 12 GiB is what you get. [safe: SIZE of <maxMemory>:
            12884901888]
        """,
    ),
    "hotplug-space-after-rounding": Case(
        (
            (MAX, "<maxMemory unit='MiB'>12287</maxMemory>"),
            (SIZE, "<size unit='MiB'>8191</size>"),
        ),
        """
        hotplug-space at <maxMemory>: <maxMemory> is 12287 MiB, and boot memory 4 GiB + virtiomem0 8
            GiB are 12 GiB: 1 MiB too little. Write 12 GiB or more. [safe: SIZE of <maxMemory>:
            12884901888]
        value-rounded at <size>: <size> is 8191 MiB, which libvirt rounds up to 8 GiB, a multiple of
            2 MiB. 8 GiB is what you get. [safe: SIZE of <size>: 8589934592]
        """,
    ),
    "hotplug-space-without-boot-memory": Case(
        (
            (MAX, "<maxMemory unit='GiB'>4</maxMemory>"),
            (MEMORY, "<memory unit='GiB'>8</memory>"),
            ("<numa>", ""),
            ("</numa>", ""),
            (CELL, ""),
        ),
        """
        memory-below-devices at <memory 1>: <memory> is 8 GiB, of which the memory devices take 8
            GiB. <memory> counts boot memory and devices together: write more than 8 GiB.
        """,
    ),
    "hotplug-space-of-many": Case(
        (
            (MAX, "<maxMemory unit='GiB'>12</maxMemory>"),
            (
                LAST,
                (
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><requested>0</requested></target></memory>"
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><requested>0</requested></target></memory>"
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><requested>0</requested></target></memory>"
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><requested>0</requested></target></memory>"
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><requested>0</requested></target></memory>"
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><requested>0</requested></target></memory>"
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><requested>0</requested></target></memory>"
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><requested>0</requested></target></memory>"
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><requested>0</requested></target></memory>"
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><requested>0</requested></target></memory></devices>"
                ),
            ),
        ),
        """
        hotplug-space at <maxMemory>: <maxMemory> is 12 GiB, and boot memory 4 GiB + virtiomem0 8
            GiB + virtiomem1 1 GiB + virtiomem2 1 GiB + virtiomem3 1 GiB + virtiomem4 1 GiB +
            virtiomem5 1 GiB + virtiomem6 1 GiB + virtiomem7 1 GiB + 3 more 3 GiB are 22 GiB: 10 GiB
            too little. Write 22 GiB or more. [safe: SIZE of <maxMemory>: 23622320128]
        movable-ratio at <memory 2>: hotplugged memory of up to 18 GiB is 4.5 times boot memory of 4
            GiB: where it is onlined as movable, the kernel runs out of memory for itself. Boot with
            6 GiB or more, or see that the guest onlines part of it for the kernel
            (memory_hotplug.online_policy=auto-movable).
        """,
    ),
    "slots-for-an-nvdimm": Case(
        (
            (
                LAST,
                (
                    "<memory model='nvdimm'><source><path>/p</path></source><target><size unit='GiB'>1"
                    "</size><node>0</node></target></memory></devices>"
                ),
            ),
        ),
        """
        slots-exceeded at <memory 3>: the number of DIMMs is 1, and <maxMemory slots> is 0. Write
            slots='1'. [unsafe: ATTRIBUTE slots of <maxMemory>: 1]
        """,
    ),
    "slots-at-most": Case(((SLOTS, "<maxMemory slots='256' "),), ""),
    "dimm-slot-with-just-enough": Case(
        (
            (SLOTS, "<maxMemory slots='1' "),
            (
                LAST,
                (
                    "<memory model='dimm'><target><size unit='GiB'>1</size><node>0</node></target>"
                    "<address type='dimm' slot='1'/></memory></devices>"
                ),
            ),
        ),
        """
        dimm-slot at <address>: <address slot> is 1, and <maxMemory slots> is 1. Write 0, or more
            slots.
        """,
    ),
    "cell-cpus-without-vcpus": Case(
        (("<vcpu>4</vcpu>", "<vcpu>0</vcpu>"),),
        """
        cell-cpus at <cell>: <cell cpus> goes up to 3, and <vcpu> is 0. Write a <vcpu>.
        """,
    ),
    "hugepages-nodeset-of-two-pages": Case(
        (
            (CELL, ("<cell id='0' cpus='0-1' memory='2' unit='GiB'/><cell id='1' cpus='2-3' memory='2' unit='GiB'/>")),
            (
                CPU,
                (
                    "<memoryBacking><hugepages><page size='2' unit='MiB' nodeset='5'/>"
                    "<page size='2' unit='MiB' nodeset='7'/></hugepages></memoryBacking><cpu>"
                ),
            ),
        ),
        """
        hugepages-nodeset at <page 1>: <page nodeset> names guest node 5, and the last is 1. Write 0
            to 1.
        hugepages-nodeset at <page 2>: <page nodeset> names guest node 7, and the last is 1. Write 0
            to 1.
        """,
    ),
    "hugepages-nodeset-twice": Case(
        (
            (CELL, ("<cell id='0' cpus='0-1' memory='2' unit='GiB'/><cell id='1' cpus='2-3' memory='2' unit='GiB'/>")),
            (
                CPU,
                (
                    "<memoryBacking><hugepages><page size='2' unit='MiB' nodeset='0'/>"
                    "<page size='2' unit='MiB' nodeset='0'/><page size='2' unit='MiB' nodeset='0'/>"
                    "</hugepages></memoryBacking><cpu>"
                ),
            ),
        ),
        """
        hugepages-nodeset at <page 2>: an earlier <page> has guest node 0 too. Name each node in one
            <page>.
        hugepages-nodeset at <page 3>: an earlier <page> has guest node 0 too. Name each node in one
            <page>.
        """,
    ),
    "pagesize-unmounted-for-one-node": Case(
        (
            (CELL, ("<cell id='0' cpus='0-1' memory='2' unit='GiB'/><cell id='1' cpus='2-3' memory='2' unit='GiB'/>")),
            (
                CPU,
                (
                    "<memoryBacking><hugepages><page size='16' unit='MiB' nodeset='1'/>"
                    "<page size='2' unit='MiB' nodeset='0'/></hugepages></memoryBacking><cpu>"
                ),
            ),
        ),
        """
        pagesize-unmounted at <page 1>: pages of 16 MiB are asked for, and the host's hugetlbfs
            mounts are of 2 MiB and 1 GiB. Take one of those, or judge for another host with --host.
        """,
    ),
    "pagesize-without-any-mount": Case(
        ((CPU, "<memoryBacking><hugepages/></memoryBacking><cpu>"),),
        """
        pagesize-unmounted at <hugepages>: pages of 2 MiB are asked for, and the host's hugetlbfs
            mounts are of none. Take one of those, or judge for another host with --host.
        """,
        targets=(Target(host=NO_MOUNTS),),
    ),
    "launch-security-of-s390x": Case(
        ((DEVICES, "<launchSecurity type='s390-pv'/><devices>"),),
        """
        launch-security at <launchSecurity>: <launchSecurity type> is 's390-pv', and such a guest's
            memory cannot be given back. Remove <launchSecurity>, or the virtio-mem devices.
        """,
        base=S390X,
    ),
    "overcommit-never-of-plain-memory": Case(
        (),
        """
        overcommit-never at <memory 2>: its memory is private and not reserved, and the host's
            vm.overcommit_memory is 2. Write access='shared', take huge pages, or set
            vm.overcommit_memory to 0 or 1 on the host.
        """,
        targets=(Target(host=OVERCOMMIT),),
    ),
    "overcommit-never-of-memfd": Case(
        ((CPU, "<memoryBacking><source type='memfd'/></memoryBacking><cpu>"),), "", targets=(Target(host=OVERCOMMIT),)
    ),
    "overcommit-never-of-private-memfd": Case(
        ((CPU, "<memoryBacking><source type='memfd'/><access mode='private'/></memoryBacking><cpu>"),),
        """
        overcommit-never at <memory 2>: its memory is private and not reserved, and the host's
            vm.overcommit_memory is 2. Write access='shared', take huge pages, or set
            vm.overcommit_memory to 0 or 1 on the host.
        """,
        targets=(Target(host=OVERCOMMIT),),
    ),
    "overcommit-never-of-shared-memory": Case(
        ((CPU, "<memoryBacking><access mode='shared'/></memoryBacking><cpu>"),), "", targets=(Target(host=OVERCOMMIT),)
    ),
    "overcommit-never-of-huge-pages": Case(
        ((CPU, "<memoryBacking><hugepages/></memoryBacking><cpu>"),), "", targets=(Target(host=OVERCOMMIT),)
    ),
    "host-node-of-several-ranges": Case(
        ((CPU, "<numatune><memory nodeset='0,3'/></numatune><cpu>"),),
        """
        host-node at <memory 2>: host nodes 3 are named, and the host has 0-1,4. Name nodes that the
            host has.
        """,
        targets=(Target(host=NODES),),
    ),
    "memaddr-outside-with-one-place-left": Case(
        (
            (MAX, "<maxMemory unit='GiB'>12</maxMemory>"),
            (REQUESTED, "<requested unit='GiB'>1</requested><address base='0x100000000'/>"),
        ),
        """
        memaddr-outside at <address>: <address base> is 0x100000000 with 8 GiB, and device memory is
            from 0x180000000 to 0x37fffffff. Write 0x180000000, or leave the address
            out. [unsafe: REMOVE of <address>: ]
        """,
    ),
    "memaddr-without-boot-memory": Case(
        (
            (MEMORY, "<memory unit='GiB'>8</memory>"),
            ("<numa>", ""),
            ("</numa>", ""),
            (CELL, ""),
            (REQUESTED, "<requested unit='GiB'>1</requested><address base='0x100000000'/>"),
        ),
        """
        memory-below-devices at <memory 1>: <memory> is 8 GiB, of which the memory devices take 8
            GiB. <memory> counts boot memory and devices together: write more than 8 GiB.
        """,
    ),
    "memaddr-on-a-machine-without-pci": Case(
        (
            ("machine='q35'", "machine='isapc'"),
            (REQUESTED, "<requested unit='GiB'>1</requested><address base='0x100000000'/>"),
        ),
        """
        machine-without-pci at <os>: <type machine> is 'isapc', which has no bus for virtio-mem.
            Write machine='q35'.
        """,
    ),
    "memaddr-without-maxmemory": Case(
        (
            (MAX, ""),
            (REQUESTED, "<requested unit='GiB'>1</requested><address base='0x100000000'/>"),
        ),
        """
        maxmemory-missing at <memory 1>: <maxMemory> is absent, and virtio-mem is hotplugged memory.
            Write <maxMemory unit='KiB'>12582912</maxMemory> or more. [safe: BEFORE of <memory 1>:
            <maxMemory unit='KiB'>12582912</maxMemory>]
        """,
    ),
    "machine-absent": Case(
        (("arch='x86_64' machine='q35'", "arch='aarch64'"),),
        """
        machine-without-pci at <os>: <type machine> is absent. Write machine='virt'.
        """,
    ),
    "controller-on-a-machine-without-pci": Case(
        (
            ("machine='q35'", "machine='isapc'"),
            (DEVICES, "<devices><controller type='pci' index='1' model='pcie-root-port'/>"),
        ),
        """
        machine-without-pci at <os>: <type machine> is 'isapc', which has no bus for virtio-mem.
            Write machine='q35'.
        """,
    ),
    "address-type-of-s390x": Case(
        ((END, "</target><address type='usb'/>"),),
        """
        address-type at <address>: <address type> is 'usb', and s390x has pci and ccw. Write
            type='ccw'. [unsafe: REMOVE of <address>: ]
        """,
        base=S390X,
    ),
    "pci-slot-on-an-unknown-model": Case(
        (
            (DEVICES, "<devices><controller type='pci' index='1' model='pci-brigde-x-y-z'/>"),
            (END, "</target><address type='pci' bus='1' slot='3'/>"),
        ),
        """
        value-unknown at <controller>: <controller model> is 'pci-brigde-x-y-z'. Write 'pci-root',
            'pcie-root', 'pci-bridge', 'dmi-to-pci-bridge', 'pcie-to-pci-bridge', 'pcie-root-port',
            'pcie-switch-upstream-port', 'pcie-switch-downstream-port', 'pci-expander-bus' or
            'pcie-expander-bus'.
        """,
    ),
    "pci-slot-zero-of-a-bridge": Case(
        (
            (DEVICES, "<devices><controller type='pci' index='1' model='pci-bridge'/>"),
            (END, "</target><address type='pci' bus='1' slot='0'/>"),
        ),
        """
        pci-slot at <address>: <address slot> is 0x0, and bus 0x1, a pci-bridge, has slots 0x1 to
            0x1f. Write slot='0x01', or another bus. [unsafe: REMOVE of <address>: ]
        """,
    ),
    "pci-bus-missing-of-a-controller": Case(
        (
            (
                DEVICES,
                (
                    "<devices><controller type='pci' index='1' model='pcie-root-port'>"
                    "<address type='pci' bus='7' slot='0'/></controller>"
                ),
            ),
            (END, "</target><address type='pci' bus='1' slot='0'/>"),
        ),
        """
        pci-bus-missing at <controller>: <controller> 1 is on bus 0x7, which no <controller> before
            it has. Write its <address> on bus 0, or a <controller type='pci' index='7'/>.
        """,
        targets=(Target(scope="machine"),),
    ),
    "pci-bus-missing-of-a-controller-before": Case(
        (
            (
                DEVICES,
                (
                    "<devices><controller type='pci' index='1' model='pcie-root-port'>"
                    "<address type='pci' bus='0' slot='3'/></controller>"
                    "<controller type='pci' index='2' model='pcie-switch-upstream-port'>"
                    "<address type='pci' bus='5'/></controller>"
                ),
            ),
            (END, "</target><address type='pci' bus='2'/>"),
        ),
        """
        pci-bus-missing at <controller 2>: <controller> 2 is on bus 0x5, which no <controller>
            before it has. Write its <address> on bus 0, or a <controller type='pci' index='5'/>.
        pci-bus at <address 3>: <address> is 0000:02:00.0, and bus 0x2 is a
            pcie-switch-upstream-port, which takes no memory device. Put it on a pcie-root-port's
            bus. [unsafe: REMOVE of <address 3>: ]
        """,
        targets=(Target(scope="machine"),),
    ),
    "pci-bus-of-a-controller-behind-it": Case(
        (
            (
                DEVICES,
                (
                    "<devices><controller type='pci' index='1' model='pcie-switch-downstream-port'>"
                    "<address type='pci' bus='2'/></controller>"
                    "<controller type='pci' index='2' model='pcie-root-port'>"
                    "<address type='pci' bus='0' slot='3'/></controller>"
                ),
            ),
            (END, "</target><address type='pci' bus='1' slot='0'/>"),
        ),
        """
        pci-bus-missing at <controller 1>: <controller> 1 is on bus 0x2, which no <controller>
            before it has. Write its <address> on bus 0, or a <controller type='pci' index='2'/>.
        """,
        targets=(Target(scope="machine"),),
    ),
    "pci-bus-of-a-controller-is-its-own": Case(
        (
            (
                DEVICES,
                (
                    "<devices><controller type='pci' index='1' model='pcie-switch-downstream-port'>"
                    "<address type='pci' bus='1'/></controller>"
                ),
            ),
            (END, "</target><address type='pci' bus='1' slot='0'/>"),
        ),
        """
        pci-bus-missing at <controller>: <controller> 1 is on bus 0x1, which no <controller> before
            it has. Write its <address> on bus 0, or a <controller type='pci' index='1'/>.
        pci-duplicate at <address 2>: <address> of <memory> is 0000:01:00.0, which an earlier
            <controller> has. Write a free address, or leave it out. [unsafe: REMOVE of <address 2>:
            ]
        """,
        targets=(Target(scope="machine"),),
    ),
    "pci-switch-without-address": Case(
        (
            (DEVICES, ("<devices><controller type='pci' index='1' model='pcie-switch-downstream-port'></controller>")),
            (END, "</target><address type='pci' bus='1' slot='0'/>"),
        ),
        """
        pci-bus-missing at <controller>: <controller> 1 is a pcie-switch-downstream-port and has no
            <address>. Write its <address>, on the bus of the port that it belongs to.
        """,
        targets=(Target(scope="machine"),),
    ),
    "pci-chipset-of-i686": Case(
        (
            ("arch='x86_64' machine='q35'", "arch='i686' machine='pc'"),
            (END, "</target><address type='pci' slot='1' function='3'/>"),
        ),
        """
        pci-chipset at <address>: <address> is 0000:00:01.3, which belongs to the chipset of 'pc'.
            Write another slot. [unsafe: REMOVE of <address>: ]
        """,
    ),
    "pci-chipset-with-libvirts-usb": Case(
        (
            ("machine='q35'", "machine='pc'"),
            (END, "</target><address type='pci' slot='1' function='2'/>"),
        ),
        """
        pci-chipset at <address>: <address> is 0000:00:01.2, which belongs to the chipset of 'pc'.
            Write another slot. [unsafe: REMOVE of <address>: ]
        """,
    ),
    "pci-chipset-with-usb-given": Case(
        (
            ("machine='q35'", "machine='pc'"),
            (DEVICES, "<devices><controller type='usb' index='0' model='piix3-uhci'/>"),
            (END, "</target><address type='pci' slot='1' function='2'/>"),
        ),
        "",
    ),
    "pci-chipset-with-other-controllers": Case(
        (
            ("machine='q35'", "machine='pc'"),
            (DEVICES, "<devices><controller type='scsi' index='0'/><hostdev type='usb'/>"),
            (END, "</target><address type='pci' slot='1' function='2'/>"),
        ),
        """
        pci-chipset at <address>: <address> is 0000:00:01.2, which belongs to the chipset of 'pc'.
            Write another slot. [unsafe: REMOVE of <address>: ]
        """,
    ),
    "pci-chipset-of-q35-has-no-usb": Case(((END, "</target><address type='pci' slot='1' function='2'/>"),), ""),
    "pci-chipset-of-q35-with-usb": Case(
        (
            (DEVICES, "<devices><controller type='usb' index='0'/>"),
            (END, "</target><address type='pci' slot='1' function='2'/>"),
        ),
        "",
    ),
    "pci-duplicate-after-a-ccw-address": Case(
        (
            (
                DEVICES,
                (
                    "<devices><disk><address type='ccw' cssid='254' ssid='0' devno='1'/></disk><disk>"
                    "<address type='pci' slot='5'/></disk>"
                ),
            ),
            (END, "</target><address type='pci' slot='5'/>"),
        ),
        """
        pci-duplicate at <address 3>: <address> of <memory> is 0000:00:05.0, which an earlier <disk>
            has. Write a free address, or leave it out. [unsafe: REMOVE of <address 3>: ]
        """,
        base=S390X,
    ),
    "pci-duplicate-of-anothers": Case(
        (
            (
                DEVICES,
                (
                    "<devices><disk><address type='pci' slot='5'/></disk><interface>"
                    "<address type='pci' slot='5'/></interface>"
                ),
            ),
        ),
        """
        pci-duplicate at <address 2>: <address> of <interface> is 0000:00:05.0, which an earlier
            <disk> has. Write a free address, or leave it out.
        """,
    ),
    "pci-multifunction-off-at-another-function": Case(
        (
            (DEVICES, "<devices><disk><address type='pci' slot='5' function='1' multifunction='off'/></disk>"),
            (END, "</target><address type='pci' slot='5' multifunction='on'/>"),
        ),
        "",
    ),
    "ccw-page-size-with-cells": Case(
        (
            (
                MEMORY,
                (
                    "<memory unit='GiB'>12</memory><memoryBacking><hugepages>"
                    "<page size='1' unit='MiB' nodeset='0'/></hugepages></memoryBacking>"
                ),
            ),
            (
                DEVICES,
                (
                    "<cpu><numa><cell id='0' cpus='0-1' memory='2' unit='GiB'/>"
                    "<cell id='1' cpus='2-3' memory='2' unit='GiB'/></numa></cpu><devices>"
                ),
            ),
            ("<block", "<node>1</node><block"),
        ),
        """
        s390x-cells at <cell 1>: libvirt writes -numa for <cell>, which QEMU refuses on s390x: it is
            left out here. Remove <numa>, and the <node> of memory devices.
        ccw-page-size at <memory 2>: the device's pages are 4 KiB, and boot memory's are 1 MiB. Take
            the same page size for both.
        ccw-node at <node>: <node> is 1, and a CCW device is on node 0. Write <node>0</node>.
            [unsafe: TEXT of <node>: 0]
        """,
        base=S390X,
        targets=(Target(host=HOSTS["s390x"]),),
    ),
    "ccw-page-size-with-cells-and-pages-elsewhere": Case(
        (
            (
                MEMORY,
                (
                    "<memory unit='GiB'>12</memory><memoryBacking><hugepages>"
                    "<page size='1' unit='MiB' nodeset='1'/></hugepages></memoryBacking>"
                ),
            ),
            (
                DEVICES,
                (
                    "<cpu><numa><cell id='0' cpus='0-1' memory='2' unit='GiB'/>"
                    "<cell id='1' cpus='2-3' memory='2' unit='GiB'/></numa></cpu><devices>"
                ),
            ),
            ("<block", "<node>0</node><block"),
        ),
        """
        s390x-cells at <cell 1>: libvirt writes -numa for <cell>, which QEMU refuses on s390x: it is
            left out here. Remove <numa>, and the <node> of memory devices.
        """,
        base=S390X,
        targets=(Target(host=HOSTS["s390x"]),),
    ),
    "ccw-page-size-without-cells": Case(
        (
            (
                MEMORY,
                (
                    "<memory unit='GiB'>12</memory><memoryBacking><hugepages>"
                    "<page size='1' unit='MiB' nodeset='0'/></hugepages></memoryBacking>"
                ),
            ),
        ),
        "",
        base=S390X,
        targets=(Target(host=HOSTS["s390x"]),),
    ),
    "alias-duplicate-of-others": Case(
        ((DEVICES, "<devices><disk><alias name='ua-a'/></disk><disk><alias name='ua-a'/></disk>"),),
        """
        alias-duplicate at <alias 2>: <alias name> is 'ua-a', which an earlier device has. Write
            another alias.
        """,
    ),
    "alias-duplicate-of-the-second": Case(
        (
            ("</target>\n", "</target><alias name='ua-a'/>"),
            (LAST, "<disk><alias name='ua-a'/></disk></devices>"),
        ),
        """
        alias-duplicate at <alias 2>: <alias name> is 'ua-a', which an earlier device has. Write
            another alias.
        """,
    ),
    "text-between-comments": Case(
        (
            (BLOCK, "<block unit='MiB'><!-- two -->2</block>"),
            (MAX, "<maxMemory unit='GiB'>1<!-- -->6<!-- --></maxMemory>"),
            (REQUESTED, "<requested unit='GiB'>1<?pi 0?></requested>"),
        ),
        "",
    ),
    "attributes-empty": Case(
        (
            ("machine='q35'", "machine=''"),
            (SIZE, "<size unit=''>8388608</size>"),
            (END, "</target><address type='pci' slot='1' function='1'/>"),
        ),
        """
        pci-chipset at <address>: <address> is 0000:00:01.1, which belongs to the chipset of 'pc'.
            Write another slot. [unsafe: REMOVE of <address>: ]
        """,
    ),
    "attribute-unknown-where-there-is-one": Case(
        ((CPU, "<memoryBacking><source colour='red'/></memoryBacking><cpu>"),),
        """
        attribute-unknown at <source>: <source colour> is unknown to libvirt, which ignores it.
            Remove it, or take one of 'type'.
        """,
    ),
    "attribute-unknown-where-there-is-none": Case(
        ((CPU, "<memoryBacking colour='red'/><cpu>"),),
        """
        attribute-unknown at <memoryBacking>: <memoryBacking colour> is unknown to libvirt, which
            ignores it. Remove it.
        """,
    ),
    "attribute-misspelt-beside-the-right-one": Case(
        ((DEVICE, "<memory model='virtio-mem' acess='private' access='shared'>"),),
        """
        attribute-unknown at <memory 2>: <memory acess> is unknown to libvirt, which ignores it. Did
            you mean 'access'?
        """,
    ),
    "attribute-of-others": Case(((DEVICE, "<memory model='virtio-mem' xmlns:x='urn:x' x:note='1'>"),), ""),
    "yes-and-no-in-other-words": Case(
        (
            (DEVICE, "<memory model='virtio-mem' discard='1'>"),
            (END, "</target><driver iommu='no' ats='OFF' packed='0' page_per_vq='false'/>"),
            ("<target>", "<target dynamicMemslots='off'>"),
        ),
        """
        value-unknown at <memory 2>: <memory discard> is '1'. Did you mean 'yes'? [safe: ATTRIBUTE
            discard of <memory 2>: yes]
        value-unknown at <target>: <target dynamicMemslots> is 'off'. Did you mean 'no'? [safe:
            ATTRIBUTE dynamicMemslots of <target>: no]
        value-unknown at <driver>: <driver ats> is 'OFF'. Did you mean 'off'? [safe: ATTRIBUTE ats
            of <driver>: off]
        value-unknown at <driver>: <driver iommu> is 'no'. Did you mean 'off'? [safe: ATTRIBUTE
            iommu of <driver>: off]
        value-unknown at <driver>: <driver packed> is '0'. Did you mean 'off'? [safe: ATTRIBUTE
            packed of <driver>: off]
        value-unknown at <driver>: <driver page_per_vq> is 'false'. Did you mean 'off'? [safe:
            ATTRIBUTE page_per_vq of <driver>: off]
        """,
    ),
    "yes-where-it-means-nothing": Case(
        ((DEVICE, "<memory model='virtio-mem' access='1'>"),),
        """
        value-unknown at <memory 2>: <memory access> is '1'. Write 'shared' or 'private'.
        """,
    ),
    "value-unknown-of-memory-backing": Case(
        ((CPU, "<memoryBacking><source type='disk'/><allocation mode='never'/></memoryBacking><cpu>"),),
        """
        value-unknown at <source>: <source type> is 'disk'. Write 'file', 'anonymous' or 'memfd'.
        value-unknown at <allocation>: <allocation mode> is 'never'. Write 'immediate' or
            'ondemand'.
        """,
    ),
    "element-misplaced-with-two-homes": Case(
        ((REQUESTED, "<requested unit='GiB'>1</requested><source/>"),),
        """
        element-misplaced at <source>: <source> stands in <target>, where libvirt ignores it: it
            belongs in <memory>. Move it into <memory>.
        """,
    ),
    "element-misplaced-in-devices-with-two-homes": Case(
        ((LAST, "<source/></devices>"),),
        """
        element-misplaced at <source>: <source> stands in <devices>, where libvirt ignores it: it
            belongs in <memory>. Move it into <memory>.
        """,
    ),
    "element-misplaced-in-its-own": Case(
        ((MEMORY, "<memory unit='GiB'>12<memory/></memory>"),),
        """
        element-misplaced at <memory 2>: <memory> stands in <memory>, where libvirt ignores it: it
            belongs in <domain>. Move it into <domain>.
        """,
    ),
    "element-unknown-where-there-is-none": Case(
        ((SIZE, "<size unit='GiB'>8<colour/></size>"),),
        """
        element-unknown at <colour>: <colour> in <size> is unknown to libvirt, which ignores it.
            Remove it.
        """,
    ),
    "element-misspelt-beside-the-right-one": Case(
        ((REQUESTED, "<requested unit='GiB'>1</requested><requestd/>"),),
        """
        element-unknown at <requestd>: <requestd> in <target> is unknown to libvirt, which ignores
            it. Did you mean 'requested'?
        """,
    ),
    "element-near-in-spelling-but-not-enough": Case(((CPU, "<cpu12/><cpu>"),), ""),
    "memory-backing-misspelt": Case(
        ((CPU, "<memorybackin/><cpu>"),),
        """
        element-unknown at <memorybackin>: <memorybackin> is unknown to libvirt, which ignores it.
            Did you mean 'memoryBacking'? [safe: TAG of <memorybackin>: memoryBacking]
        """,
    ),
    "devices-misspelt": Case(
        ((LAST, "</devices><devics/>"),),
        """
        element-unknown at <devics>: <devics> is unknown to libvirt, which ignores it. Did you mean
            'devices'?
        """,
    ),
    "device-misplaced-before-the-rest": Case(
        (
            (MAX, "<memory model='dimm'/><maxMemory unit='GiB'>16</maxMemory>"),
            (MEMORY, "<memory unit='GiB'>12</memory><memoryBacking colour='red'/>"),
        ),
        """
        element-misplaced at <memory 1>: <memory> stands in <domain>, where libvirt ignores it: it
            belongs in <devices>. Move it into <devices>.
        attribute-unknown at <memoryBacking>: <memoryBacking colour> is unknown to libvirt, which
            ignores it. Remove it.
        """,
    ),
    "number-hexadecimal-in-groups": Case(
        ((REQUESTED, "<requested unit='GiB'>1</requested><address base='1_000'/>"),),
        """
        number-invalid at <address>: <address base> is '1_000', which is no whole number. Write a
            hexadecimal number from 0 to 18446744073709551615, with nothing after it.
        """,
    ),
    "number-respelt-at-the-limit": Case(
        ((SLOTS, "<maxMemory slots='4294967295 ' "),),
        """
        number-invalid at <maxMemory>: <maxMemory slots> is '4294967295 ', which is no whole number.
            Write '4294967295'. [safe: ATTRIBUTE slots of <maxMemory>: 4294967295]
        """,
    ),
    "number-with-a-unit": Case(
        ((SLOTS, "<maxMemory slots='4 k' "),),
        """
        number-invalid at <maxMemory>: <maxMemory slots> is '4 k', which is no whole number. Write a
            decimal number from 0 to 4294967295, with nothing after it.
        """,
    ),
    "number-too-large": Case(
        ((SLOTS, "<maxMemory slots='4294967296' "),),
        """
        number-too-large at <maxMemory>: <maxMemory slots> is '4294967296', and the limit is
            4294967295. Write a number from 0 to 4294967295.
        """,
    ),
    "slots-no-number": Case(
        ((SLOTS, "<maxMemory slots='many' "),),
        """
        number-invalid at <maxMemory>: <maxMemory slots> is 'many', which is no whole number. Write
            a decimal number from 0 to 4294967295, with nothing after it.
        """,
    ),
    "number-with-its-own-unit": Case(
        ((SIZE, "<size unit='GiB'>8 GiB</size>"),),
        """
        number-invalid at <size>: <size> is '8 GiB', which is no whole number. Write '8'. [safe:
            TEXT of <size>: 8]
        """,
    ),
    "number-with-another-unit": Case(
        ((SIZE, "<size unit='KiB'>8 GiB</size>"),),
        """
        number-invalid at <size>: <size> is '8 GiB', which is no whole number. Write '8' with
            unit='GiB'. [safe: TEXT of <size>: 8, ATTRIBUTE unit of <size>: GiB]
        """,
    ),
    "number-in-groups-without-unit": Case(
        ((SIZE, "<size>8,388,608</size>"),),
        """
        number-invalid at <size>: <size> is '8,388,608', which is no whole number. Write '8388608'.
            [safe: TEXT of <size>: 8388608]
        """,
    ),
    "unit-unknown-and-nothing-near": Case(
        ((SIZE, "<size unit='furlong'>8</size>"),),
        """
        unit-unknown at <size>: <size> has the unit 'furlong'. Write bytes, KiB, MiB, GiB, TiB, PiB
            or EiB.
        """,
    ),
    "size-too-large-without-unit": Case(
        ((BLOCK, "<block>9999999999999999999</block>"),),
        """
        number-too-large at <block>: <block> is '9999999999999999999' with the unit 'KiB', and the
            limit is 9223372036854775807 bytes. Write a smaller size.
        """,
    ),
    "controller-index-too-large": Case(
        ((DEVICES, "<devices><controller type='pci' index='256' model='pci-bridge'></controller>"),),
        """
        number-too-large at <controller>: <controller index> is '256', and the limit is 255. Write a
            number from 0 to 255.
        """,
    ),
    "nodeset-of-a-page": Case(
        (
            (
                CPU,
                ("<memoryBacking><hugepages><page size='2' unit='MiB' nodeset='a'/></hugepages></memoryBacking><cpu>"),
            ),
        ),
        """
        nodeset-invalid at <page>: <page nodeset> is 'a', which is no list of numbers from 0 to
            16383. Write numbers and ranges with commas between, as '0-3,^2,8'.
        """,
    ),
    "nodeset-up-to-too-many": Case(
        (
            (
                CPU,
                (
                    "<memoryBacking><hugepages><page size='2' unit='MiB' nodeset='0,5,200'/></hugepages>"
                    "</memoryBacking><cpu>"
                ),
            ),
        ),
        """
        nodes-too-many at <page>: <page nodeset> goes up to 200, and QEMU's last node is 127. Write
            nodes from 0 to 127.
        """,
    ),
    "running-with-id-0": Case(
        (
            ("<domain ", "<domain id='0' "),
            (REQUESTED, "<requested unit='GiB'>1</requested><current unit='GiB'>1</current>"),
            (END, "</target><alias name='mine'/>"),
            (DEVICES, "<devices><disk><alias name='mine'/></disk>"),
        ),
        """
        alias-duplicate at <alias 2>: <alias name> is 'mine', which an earlier device has. Write
            another alias. [unsafe: REMOVE of <alias 2>: ]
        """,
    ),
    "maxmemory-zero": Case(
        ((MAX, "<maxMemory>0</maxMemory>"),),
        """
        value-missing at <maxMemory>: <maxMemory> is 0. Write a size.
        """,
    ),
    "maxmemory-empty": Case(
        ((MAX, "<maxMemory/>"),),
        """
        value-missing at <maxMemory>: <maxMemory> is empty. Write <maxMemory
            unit='KiB'>…</maxMemory>.
        """,
    ),
    "vfio-of-a-mediated-device": Case(
        (
            (SIZE, "<size unit='GiB'>256</size>"),
            (MAX, "<maxMemory unit='GiB'>512</maxMemory>"),
            (CELL, "<cell id='0' cpus='0-3' memory='128' unit='GiB'/>"),
            (MEMORY, "<memory unit='GiB'>384</memory>"),
            ("<target>", "<target dynamicMemslots='yes'>"),
            (DEVICES, "<devices><hostdev type='mdev'/>"),
        ),
        """
        vfio-mappings at <hostdev>: VFIO maps virtio-mem block by block: all blocks are 131072, and
            it has 65535 DMA mappings. Write a <block> of 8 MiB or more in each virtio-mem device,
            or raise dma_entry_limit of the host's vfio_iommu_type1.
        """,
    ),
    "vfio-of-an-interface": Case(
        (
            (SIZE, "<size unit='GiB'>256</size>"),
            (MAX, "<maxMemory unit='GiB'>512</maxMemory>"),
            (CELL, "<cell id='0' cpus='0-3' memory='128' unit='GiB'/>"),
            (MEMORY, "<memory unit='GiB'>384</memory>"),
            ("<target>", "<target dynamicMemslots='yes'>"),
            (DEVICES, "<devices><interface type='hostdev'/>"),
        ),
        """
        vfio-mappings at <interface>: VFIO maps virtio-mem block by block: all blocks are 131072,
            and it has 65535 DMA mappings. Write a <block> of 8 MiB or more in each virtio-mem
            device, or raise dma_entry_limit of the host's vfio_iommu_type1.
        """,
    ),
    "vfio-is-nothing-else": Case(
        (
            (SIZE, "<size unit='GiB'>256</size>"),
            (MAX, "<maxMemory unit='GiB'>512</maxMemory>"),
            (CELL, "<cell id='0' cpus='0-3' memory='128' unit='GiB'/>"),
            (MEMORY, "<memory unit='GiB'>384</memory>"),
            ("<target>", "<target dynamicMemslots='yes'>"),
            (DEVICES, "<devices><hostdev type='usb'/><interface type='network'/><disk type='pci'/>"),
        ),
        "",
    ),
    "vhost-user-interface": Case(
        ((DEVICES, "<devices><interface type='vhostuser'/>"),),
        """
        vhost-user-private at <memory 2>: its memory is private, and the domain has a vhost-user
            device, whose process cannot reach it. Write access='shared', or <memoryBacking><access
            mode='shared'/> for all of the guest's memory.
        """,
    ),
    "vhost-user-disk": Case(
        ((DEVICES, "<devices><disk type='vhostuser'/>"),),
        """
        vhost-user-private at <memory 2>: its memory is private, and the domain has a vhost-user
            device, whose process cannot reach it. Write access='shared', or <memoryBacking><access
            mode='shared'/> for all of the guest's memory.
        """,
    ),
    "vhost-user-video": Case(
        ((DEVICES, "<devices><video><driver name='vhostuser'/></video>"),),
        """
        vhost-user-private at <memory 2>: its memory is private, and the domain has a vhost-user
            device, whose process cannot reach it. Write access='shared', or <memoryBacking><access
            mode='shared'/> for all of the guest's memory.
        """,
    ),
    "vhost-user-filesystem": Case(
        ((DEVICES, "<devices><filesystem><driver type='virtiofs'/></filesystem>"),),
        """
        vhost-user-private at <memory 2>: its memory is private, and the domain has a vhost-user
            device, whose process cannot reach it. Write access='shared', or <memoryBacking><access
            mode='shared'/> for all of the guest's memory.
        """,
    ),
    "vhost-user-is-nothing-else": Case(
        (
            (
                DEVICES,
                (
                    "<devices><interface type='user'><driver name='vhostuser'/></interface><filesystem>"
                    "<driver type='path'/></filesystem><video><driver name='qemu'/></video>"
                    "<hostdev type='vhostuser'/><disk><driver type='virtiofs'/></disk>"
                ),
            ),
        ),
        "",
    ),
    "balloon-of-its-own-accord": Case(
        (
            (MEMORY, "<memory unit='GiB'>12</memory><currentMemory unit='GiB'>4</currentMemory>"),
            (DEVICES, "<devices><memballoon model='virtio'/><video model='none'/>"),
        ),
        """
        balloon-inflation at <currentMemory>: <currentMemory> is 4 GiB, and boot memory and
            <requested> are 5 GiB: the balloon takes from boot memory alone, never from virtio-mem.
            Leave <currentMemory> out, and say with <requested> what the guest is to have.
        """,
    ),
    "balloon-none": Case(
        (
            (MEMORY, "<memory unit='GiB'>12</memory><currentMemory unit='GiB'>4</currentMemory>"),
            (DEVICES, "<devices><memballoon model='none'/>"),
        ),
        "",
    ),
    "name-empty": Case(
        (("<name>guest</name>", "<name/>"),),
        """
        value-missing at <name>: <name> is absent or empty. Write <name>…</name>.
        """,
    ),
    "name-of-two-lines": Case(
        (("<name>guest</name>", "<name>a\nb</name>"),),
        """
        name-invalid at <name>: <name> is 'a\\u000ab', and a name holds no '/' and no line break.
            Write another name.
        """,
    ),
    "type-of-qemu": Case((("type='kvm'", "type='qemu'"),), ""),
    "type-of-hvf": Case((("type='kvm'", "type='hvf'"),), ""),
    "id-minus-one": Case(
        (
            ("<domain ", "<domain id='-1' "),
            (REQUESTED, "<requested unit='GiB'>1</requested><current unit='GiB'>1</current>"),
        ),
        """
        current-ignored at <current>: <current> is what libvirt reports of a running guest, and it
            never reads it. Remove it; <requested> is what the guest is to have. [safe: REMOVE of
            <current>: ]
        """,
    ),
    "id-no-number": Case(
        (
            ("<domain ", "<domain id='one' "),
            (REQUESTED, "<requested unit='GiB'>1</requested><current unit='GiB'>1</current>"),
        ),
        """
        number-invalid at <domain>: <domain id> is 'one', which is no whole number. Write a decimal
            number from 0 to 2147483647, with nothing after it.
        current-ignored at <current>: <current> is what libvirt reports of a running guest, and it
            never reads it. Remove it; <requested> is what the guest is to have. [safe: REMOVE of
            <current>: ]
        """,
    ),
    "os-type-empty": Case(
        ((">hvm<", "><"),),
        """
        value-missing at <type>: <os><type> is empty. Write <os><type arch='x86_64'>hvm</type></os>.
        """,
    ),
    "os-type-of-another": Case(
        ((">hvm<", ">xen<"),),
        """
        value-unknown at <type>: <os><type> is 'xen'. Write 'hvm'.
        """,
    ),
    "vcpu-absent": Case(
        (("<vcpu>4</vcpu>", ""),),
        """
        cell-cpus at <cell>: <cell cpus> goes up to 3, and <vcpu> is 1. Write CPUs 0, or a larger
            <vcpu>.
        """,
    ),
    "vcpu-auto-beside-numatune": Case(
        (
            (
                "<vcpu>4</vcpu>",
                (
                    "<vcpu placement='auto'>4</vcpu><numatune>"
                    "<memory mode='strict' placement='static' nodeset='0'/></numatune>"
                ),
            ),
        ),
        "",
    ),
    "vcpu-current-no-number": Case(
        (("<vcpu>4</vcpu>", "<vcpu current='few'>4</vcpu>"),),
        """
        number-invalid at <vcpu>: <vcpu current> is 'few', which is no whole number. Write a decimal
            number from 0 to 4294967295, with nothing after it.
        """,
    ),
    "topology-no-number": Case(
        ((CPU, "<cpu><topology sockets='many' cores='4'/>"),),
        """
        number-invalid at <topology>: <topology sockets> is 'many', which is no whole number. Write
            a decimal number from 0 to 4294967295, with nothing after it.
        """,
    ),
    "alias-ignored": Case(
        ((END, "</target><alias name='mine'/>"),),
        """
        alias-ignored at <alias>: <alias name> is 'mine', which libvirt drops. Write 'ua-' and then
            letters of a to z, digits, '_' or '-'; or remove it. [safe: REMOVE of <alias>: ]
        """,
    ),
    "alias-of-a-console-that-is-a-serial": Case(
        (
            (
                DEVICES,
                (
                    "<devices><console><alias name='ua-a'/></console><console><target/>"
                    "<alias name='ua-a'/></console><console><target type='serial'/><alias name='ua-a'/>"
                    "</console>"
                ),
            ),
            ("</target>\n", "</target><alias name='ua-a'/>"),
        ),
        "",
        base=S390X,
    ),
    "alias-of-a-console-of-its-own": Case(
        (
            (LAST, "<console><target type='virtio'/><alias name='ua-a'/></console></devices>"),
            ("</requested>\n      </target>", "</requested></target><alias name='ua-a'/>"),
        ),
        """
        alias-duplicate at <alias 2>: <alias name> is 'ua-a', which an earlier device has. Write
            another alias.
        """,
    ),
    "alias-of-no-device": Case(
        (
            (
                LAST,
                (
                    "<memballoon model='none'><alias name='ua-a'/></memballoon>"
                    "<controller type='usb' model='none'><alias name='ua-a'/></controller></devices>"
                ),
            ),
            ("</requested>\n      </target>", "</requested></target><alias name='ua-a'/>"),
        ),
        "",
    ),
    "alias-of-a-video": Case(
        (
            (LAST, "<video model='none'><alias name='ua-a'/></video></devices>"),
            ("</requested>\n      </target>", "</requested></target><alias name='ua-a'/>"),
        ),
        """
        alias-duplicate at <alias 2>: <alias name> is 'ua-a', which an earlier device has. Write
            another alias.
        """,
    ),
    "controllers-without-index": Case(
        (
            (
                DEVICES,
                (
                    "<devices><controller type='pci' index='1' model='pcie-root-port'/>"
                    "<controller type='pci' model='pcie-root'/>"
                    "<controller type='pci' model='pcie-switch-upstream-port'/>"
                    "<controller type='pci' model='pci-bridge'/>"
                ),
            ),
            (END, "</target><address type='pci' bus='2'/>"),
        ),
        """
        pci-bus at <address>: <address> is 0000:02:00.0, and bus 0x2 is a pcie-switch-upstream-port,
            which takes no memory device. Put it on a pcie-root-port's bus. [unsafe: REMOVE of
            <address>: ]
        """,
    ),
    "address-of-no-video": Case(
        (
            (
                DEVICES,
                (
                    "<devices><video><model type='none'/><address type='pci' slot='5'/></video>"
                    "<memballoon model='none'><address type='pci' slot='5'/></memballoon>"
                ),
            ),
            (END, "</target><address type='pci' slot='5'/>"),
        ),
        "",
    ),
    "address-of-a-video": Case(
        (
            (DEVICES, "<devices><video><model type='virtio'/><address type='pci' slot='5'/></video>"),
            (END, "</target><address type='pci' slot='5'/>"),
        ),
        """
        pci-duplicate at <address 2>: <address> of <memory> is 0000:00:05.0, which an earlier
            <video> has. Write a free address, or leave it out. [unsafe: REMOVE of <address 2>: ]
        """,
    ),
    "address-of-a-disk-of-no-type": Case(
        (
            (DEVICES, "<devices><disk><model type='none'/><address type='pci' slot='5'/></disk>"),
            (END, "</target><address type='pci' slot='5'/>"),
        ),
        """
        pci-duplicate at <address 2>: <address> of <memory> is 0000:00:05.0, which an earlier <disk>
            has. Write a free address, or leave it out. [unsafe: REMOVE of <address 2>: ]
        """,
    ),
    "address-no-number-of-others": Case(
        (
            (
                DEVICES,
                (
                    "<devices><disk><address type='pci' slot='x'/></disk><disk model='virtio-mem'>"
                    "<address type='pci' slot='x'/></disk>"
                ),
            ),
        ),
        "",
    ),
    "address-no-number": Case(
        ((END, "</target><address type='pci' slot='x'/>"),),
        """
        number-invalid at <address>: <address slot> is 'x', which is no whole number. Write a
            decimal or 0x… number from 0 to 31, with nothing after it.
        """,
    ),
    "address-out-of-range": Case(
        ((END, "</target><address type='pci' domain='65536' bus='256' slot='32' function='8'/>"),),
        """
        pci-address-range at <address>: <address bus> is '256', and the limit is 0xff. Write a
            number from 0 to 0xff. [unsafe: REMOVE of <address>: ]
        pci-address-range at <address>: <address domain> is '65536', and the limit is 0xffff. Write
            a number from 0 to 0xffff. [unsafe: REMOVE of <address>: ]
        pci-address-range at <address>: <address function> is '8', and the limit is 0x7. Write a
            number from 0 to 0x7. [unsafe: REMOVE of <address>: ]
        pci-address-range at <address>: <address slot> is '32', and the limit is 0x1f. Write a
            number from 0 to 0x1f. [unsafe: REMOVE of <address>: ]
        """,
    ),
    "address-of-domain-one": Case(
        ((END, "</target><address type='pci' domain='1'/>"),),
        """
        pci-address-range at <address>: <address domain> is 0x0001, and a guest has PCI domain 0
            alone. Write domain='0x0000'. [unsafe: ATTRIBUTE domain of <address>: 0x0000]
        """,
    ),
    "ccw-out-of-range": Case(
        ((END, "</target><address type='ccw' cssid='255' ssid='4' devno='65536'/>"),),
        """
        number-too-large at <address>: <address cssid> is '255', and the limit is 0xfe. Write a
            number from 0 to 0xfe. [unsafe: REMOVE of <address>: ]
        number-too-large at <address>: <address devno> is '65536', and the limit is 0xffff. Write a
            number from 0 to 0xffff. [unsafe: REMOVE of <address>: ]
        number-too-large at <address>: <address ssid> is '4', and the limit is 0x3. Write a number
            from 0 to 0x3. [unsafe: REMOVE of <address>: ]
        """,
        base=S390X,
    ),
    "ccw-partial": Case(
        ((END, "</target><address type='ccw' ssid='1'/>"),),
        """
        ccw-partial at <address>: <address type='ccw'> lacks cssid and devno. Write cssid, ssid and
            devno, or none of them.
        """,
        base=S390X,
    ),
    "dimm-slots-in-hexadecimal": Case(
        (
            (SLOTS, "<maxMemory slots='4' "),
            (
                LAST,
                (
                    "<memory model='dimm'><target><size unit='GiB'>1</size><node>0</node></target>"
                    "<address type='dimm' slot='0x1'/></memory><memory model='nvdimm'><source><path>/p"
                    "</path></source><target><size unit='GiB'>1</size><node>0</node></target>"
                    "<address type='dimm' slot='1'/></memory></devices>"
                ),
            ),
        ),
        """
        dimm-slot at <address 2>: <address slot> is 1, which another DIMM has. Write another.
        """,
    ),
    "dimm-slot-no-number": Case(
        (
            (SLOTS, "<maxMemory slots='4' "),
            (
                LAST,
                (
                    "<memory model='dimm'><target><size unit='GiB'>1</size><node>0</node></target>"
                    "<address type='dimm' slot='x'/></memory><memory model='nvdimm'><source><path>/p"
                    "</path></source><target><size unit='GiB'>1</size><node>0</node></target></memory>"
                    "<memory model='nvdimm'><source><path>/p</path></source><target><size unit='GiB'>1"
                    "</size><node>0</node></target><address type='dimm' slot='1'/></memory></devices>"
                ),
            ),
        ),
        "",
    ),
    "dimm-of-no-size": Case(
        (
            (SLOTS, "<maxMemory slots='4' "),
            (
                LAST,
                ("<memory model='dimm'><target><size unit='GiB'>0</size><node>0</node></target></memory></devices>"),
            ),
        ),
        """
        size-zero at <size 2>: <size> is 0. Write a size.
        """,
    ),
    "dimm-with-an-address": Case(
        (
            (SLOTS, "<maxMemory slots='4' "),
            (
                LAST,
                (
                    "<memory model='dimm'><target><size unit='GiB'>1</size><node>0</node></target>"
                    "<address type='dimm' base='0x180000000'/></memory></devices>"
                ),
            ),
            (REQUESTED, "<requested unit='GiB'>1</requested><address base='0x180000000'/>"),
        ),
        """
        memaddr-overlap at <memory 3>: <address base> is 0x180000000 with 1 GiB, which overlaps
            virtiomem0 at 0x180000000 with 8 GiB. Leave the address out, and QEMU finds a place.
        """,
    ),
    "pmem-with-an-address": Case(
        (
            (
                LAST,
                (
                    "<memory model='virtio-pmem' access='shared'><source><path>/p</path></source><target>"
                    "<size unit='GiB'>1</size><address base='0x180000000'/></target></memory></devices>"
                ),
            ),
            (REQUESTED, "<requested unit='GiB'>1</requested><address base='0x180000000'/>"),
        ),
        """
        memaddr-overlap at <address 2>: <address base> is 0x180000000 with 1 GiB, which overlaps
            virtiomem0 at 0x180000000 with 8 GiB. Leave the address out, and QEMU finds a place.
            [unsafe: REMOVE of <address 2>: ]
        """,
    ),
    "model-misspelt": Case(
        ((DEVICE, "<memory model='virtiomem'>"),),
        """
        memory-model at <memory 2>: <memory model> is 'virtiomem'. Did you mean 'virtio-mem'? [safe:
            ATTRIBUTE model of <memory 2>: virtio-mem]
        """,
    ),
    "model-of-another": Case(
        ((LAST, "<memory model='dim'/><memory model='ram'/><memory/></devices>"),),
        """
        memory-model at <memory 3>: <memory model> is 'dim'. Did you mean 'dimm'? [safe: ATTRIBUTE
            model of <memory 3>: dimm]
        memory-model at <memory 4>: <memory model> is 'ram'. Write 'virtio-mem', 'dimm', 'nvdimm',
            'virtio-pmem' or 'sgx-epc'.
        memory-model at <memory 5>: <memory model> is absent. Write 'virtio-mem', 'dimm', 'nvdimm',
            'virtio-pmem' or 'sgx-epc'.
        """,
    ),
    "node-minus-nothing": Case(((NODE, "<node> -00</node>"),), ""),
    "node-minus-one": Case(
        ((NODE, "<node>-1</node>"),),
        """
        number-invalid at <node>: <node> is '-1', which is no whole number. Write a decimal number
            from 0 to 2147483647, with nothing after it.
        """,
    ),
    "node-minus-and-a-space": Case(
        ((NODE, "<node>-0 </node>"),),
        """
        number-invalid at <node>: <node> is '-0 ', which is no whole number. Write a decimal number
            from 0 to 2147483647, with nothing after it.
        """,
    ),
    "two-numas": Case((("</numa>", "</numa><numa><cell id='1' cpus='3' memory='1' unit='GiB'/></numa>"),), ""),
    "numa-of-strangers": Case(
        (("<numa>", "<numa><cel id='1'/>"),),
        """
        element-unknown at <cel>: <cel> in <numa> is unknown to libvirt, which ignores it. Did you
            mean 'cell'?
        """,
    ),
    "cell-memory-absent": Case(
        ((" memory='4' unit='GiB'", ""),),
        """
        value-missing at <cell>: <cell memory> is absent. Write memory='…' unit='KiB'.
        """,
    ),
    "cell-id-no-number": Case(
        (("<cell id='0'", "<cell id='x'"),),
        """
        number-invalid at <cell>: <cell id> is 'x', which is no whole number. Write a decimal number
            from 0 to 4294967295, with nothing after it.
        """,
    ),
    "cell-id-absent": Case((("<cell id='0'", "<cell"),), ""),
    "cell-without-cpus": Case(
        ((CELL, ("<cell id='0' cpus='0-3' memory='2' unit='GiB'/><cell id='1' cpus='^0' memory='2' unit='GiB'/>")),), ""
    ),
    "numa-without-cells": Case(
        ((CELL, ""),),
        """
        value-missing at <numa>: <numa> has no <cell>. Write a <cell>, or remove <numa>.
        """,
    ),
    "distances-no-number": Case(
        (
            (
                CELL,
                (
                    "<cell id='0' cpus='0-3' memory='4' unit='GiB'><distances><sibling value='256'/>"
                    "<sibling id='0'/></distances></cell>"
                ),
            ),
        ),
        """
        number-invalid at <sibling 1>: <sibling id> is '', which is no whole number. Write a decimal
            number from 0 to 16384, with nothing after it.
        number-invalid at <sibling 2>: <sibling value> is '', which is no whole number. Write a
            decimal number from 0 to 255, with nothing after it.
        number-too-large at <sibling 1>: <sibling value> is '256', and the limit is 255. Write a
            number from 0 to 255.
        """,
    ),
    "allocation-threads-no-number": Case(
        ((CPU, "<memoryBacking><allocation mode='immediate' threads='all'/></memoryBacking><cpu>"),),
        """
        number-invalid at <allocation>: <allocation threads> is 'all', which is no whole number.
            Write a decimal number from 0 to 4294967295, with nothing after it.
        """,
    ),
    "page-size-no-number": Case(
        (
            (
                CPU,
                (
                    "<memoryBacking><hugepages><page size='2M'/><page size='0' nodeset='0'/></hugepages>"
                    "</memoryBacking><cpu>"
                ),
            ),
        ),
        """
        number-invalid at <page 1>: <page size> is '2M', which is no whole number. Write '2' with
            unit='MiB'. [safe: ATTRIBUTE size of <page 1>: 2, ATTRIBUTE unit of <page 1>: MiB]
        value-missing at <page 2>: <page size> is 0. Write a size.
        """,
    ),
    "memnode-halves": Case(
        (
            (
                CPU,
                (
                    "<numatune><memnode cellid='0'/><memnode nodeset='0'/>"
                    "<memnode cellid='x' nodeset='0'/><memnode cellid='7' nodeset='0'/></numatune><cpu>"
                ),
            ),
        ),
        """
        memnode-cell at <memnode 4>: <memnode cellid> is 7, which no <cell> has. Name a <cell> that
            there is.
        number-invalid at <memnode 3>: <memnode cellid> is 'x', which is no whole number. Write a
            decimal number from 0 to 4294967295, with nothing after it.
        value-missing at <memnode 1>: <memnode nodeset> is absent. Write <memnode cellid='0'
            mode='strict' nodeset='0'/>.
        value-missing at <memnode 2>: <memnode cellid> is absent. Write <memnode cellid='0'
            mode='strict' nodeset='0'/>.
        """,
    ),
    "numatune-default-placement-and-nothing": Case(
        ((CPU, "<numatune><memory placement='default'/></numatune><cpu>"),),
        """
        value-missing at <memory 2>: <numatune><memory nodeset> is absent. Write nodeset='0', say.
        """,
    ),
    "numatune-static-placement-and-nothing": Case(
        ((CPU, "<numatune><memory placement='static'/></numatune><cpu>"),),
        """
        value-missing at <memory 2>: <numatune><memory nodeset> is absent. Write nodeset='0', say.
        """,
    ),
    "numatune-of-nothing-beside-vcpus-auto": Case(
        (
            ("<vcpu>4</vcpu>", "<vcpu placement='auto'>4</vcpu>"),
            (CPU, "<numatune><memory /></numatune><cpu>"),
        ),
        """
        numatune-auto at <memory 2>: <numatune><memory placement> is 'auto', and only numad on the
            host can say which nodes that means. Write <numatune><memory nodeset='…'/></numatune>.
        """,
    ),
    "numatune-of-nothing": Case(((CPU, "<numatune><memory /></numatune><cpu>"),), ""),
    "numatune-static-beside-vcpus-auto": Case(
        (
            ("<vcpu>4</vcpu>", "<vcpu placement='auto'>4</vcpu>"),
            (CPU, "<numatune><memory placement='static'/></numatune><cpu>"),
        ),
        """
        value-missing at <memory 2>: <numatune><memory nodeset> is absent. Write nodeset='0', say.
        """,
    ),
    "numatune-nodeset-beside-vcpus-auto": Case(
        (
            ("<vcpu>4</vcpu>", "<vcpu placement='auto'>4</vcpu>"),
            (CPU, "<numatune><memory nodeset='0'/></numatune><cpu>"),
        ),
        "",
    ),
    "vcpu-no-number": Case(
        (
            ("<vcpu>4</vcpu>", "<vcpu>four</vcpu>"),
            (" cpus='0-3'", ""),
        ),
        """
        number-invalid at <vcpu>: <vcpu> is 'four', which is no whole number. Write a decimal number
            from 0 to 16384, with nothing after it.
        """,
    ),
    "block-zero": Case(
        ((BLOCK, "<block>0</block>"),),
        """
        value-missing at <block>: <block> is 0. Write a size.
        """,
    ),
    "dimm-with-an-address-that-is-no-number": Case(
        (
            (SLOTS, "<maxMemory slots='4' "),
            (
                LAST,
                (
                    "<memory model='dimm'><target><size unit='GiB'>1</size><node>0</node></target>"
                    "<address type='dimm' base='x'/></memory></devices>"
                ),
            ),
        ),
        "",
    ),
    "dimm-with-pages-that-nobody-mounts": Case(
        (
            (SLOTS, "<maxMemory slots='4' "),
            (
                LAST,
                (
                    "<memory model='dimm'><source><pagesize unit='MiB'>16</pagesize></source><target>"
                    "<size unit='GiB'>1</size><node>0</node></target></memory></devices>"
                ),
            ),
        ),
        """
        pagesize-unmounted at <pagesize>: pages of 16 MiB are asked for, and the host's hugetlbfs
            mounts are of 2 MiB and 1 GiB. Take one of those, or judge for another host with --host.
        """,
    ),
    "aliases-of-dimms": Case(
        (
            (MAX, "<maxMemory slots='4' unit='GiB'>12</maxMemory>"),
            (
                LAST,
                (
                    "<memory model='dimm'><target><size unit='GiB'>1</size><node>0</node></target>"
                    "<address type='dimm' slot='1'/></memory><memory model='dimm'><target>"
                    "<size unit='GiB'>1</size><node>0</node></target><address type='dimm' slot='1'/>"
                    "</memory><memory model='nvdimm'><source><path>/p</path></source><target>"
                    "<size unit='GiB'>1</size><node>0</node></target><address type='dimm' slot='0x3'/>"
                    "</memory><memory model='nvdimm'><source><path>/p</path></source><target>"
                    "<size unit='GiB'>1</size><node>0</node></target></memory></devices>"
                ),
            ),
        ),
        """
        hotplug-space at <maxMemory>: <maxMemory> is 12 GiB, and boot memory 4 GiB + virtiomem0 8
            GiB + dimm1 1 GiB + dimm1 1 GiB + nvdimm3 1 GiB + nvdimm0 1 GiB are 16 GiB: 4 GiB too
            little. Write 16 GiB or more. [safe: SIZE of <maxMemory>: 17179869184]
        dimm-slot at <address 2>: <address slot> is 1, which another DIMM has. Write another.
        """,
    ),
    "size-no-multiple-of-its-pages": Case(
        (
            (DEVICE, "<memory model='virtio-mem'><source><pagesize unit='GiB'>1</pagesize></source>"),
            (BLOCK, "<block unit='GiB'>1</block>"),
            (SIZE, "<size unit='MiB'>7680</size>"),
        ),
        """
        size-not-block-multiple at <size>: <size> is 7680 MiB, which is not a multiple of <block>, 1
            GiB. Write 8 GiB. [safe: SIZE of <size>: 8589934592]
        size-not-page-multiple at <size>: <size> is 7680 MiB, which is not a multiple of its pages
            of 1 GiB. Write 8 GiB. [safe: SIZE of <size>: 8589934592]
        """,
    ),
    "node-of-s390x-without-cells": Case(
        (("<block", "<node>0</node><block"),),
        """
        node-unknown at <node>: <node> is 0, and the domain has no NUMA cells. Leave <node> out.
            [unsafe: REMOVE of <node>: ]
        """,
        base=S390X,
    ),
    "memaddr-outside-without-boot-memory": Case(
        (
            (MEMORY, "<memory unit='GiB'>8</memory>"),
            ("<numa>", ""),
            ("</numa>", ""),
            (CELL, ""),
            (REQUESTED, "<requested unit='GiB'>1</requested><address base='0x200000'/>"),
        ),
        """
        memory-below-devices at <memory 1>: <memory> is 8 GiB, of which the memory devices take 8
            GiB. <memory> counts boot memory and devices together: write more than 8 GiB.
        """,
    ),
    "memaddr-twice-without-maxmemory": Case(
        (
            (MAX, ""),
            (REQUESTED, "<requested unit='GiB'>1</requested><address base='0x180000000'/>"),
            (
                LAST,
                (
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block><address base='0x180000000'/></target></memory></devices>"
                ),
            ),
        ),
        """
        maxmemory-missing at <memory 1>: <maxMemory> is absent, and virtio-mem is hotplugged memory.
            Write <maxMemory unit='KiB'>13631488</maxMemory> or more. [safe: BEFORE of <memory 1>:
            <maxMemory unit='KiB'>13631488</maxMemory>]
        """,
    ),
    "pci-multifunction-off-at-the-first-function": Case(
        (
            (DEVICES, "<devices><disk><address type='pci' slot='5' function='1'/></disk>"),
            (END, "</target><address type='pci' slot='5' multifunction='off'/>"),
        ),
        """
        pci-multifunction at <address 2>: <address> of <memory> is 0000:00:05.0 with
            multifunction='off', and the slot has more functions. Write multifunction='on'. [unsafe:
            ATTRIBUTE multifunction of <address 2>: on]
        """,
    ),
    "qemu-of-another-architecture": Case(
        (),
        """
        qemu-version at <os>: <type arch> is 'x86_64', and this QEMU 11.1 is for aarch64. Take the
            QEMU for x86_64.
        """,
        targets=(Target(qemu=Qemu(arch="aarch64")),),
    ),
    "qemu-without-the-device": Case(
        (
            (
                LAST,
                (
                    "<memory model='virtio-mem'><target><size unit='GiB'>1</size><node>0</node>"
                    "<block unit='MiB'>2</block></target></memory></devices>"
                ),
            ),
        ),
        """
        qemu-version at <memory 2>: this QEMU 11.1 has no virtio-mem-pci. Take QEMU 5.1 or newer.
        """,
        targets=(Target(qemu=Qemu(drivers=frozenset({"virtio-mem-ccw"}))),),
    ),
    "qemu-with-the-device": Case(
        (), "", targets=(Target(qemu=Qemu(arch="x86_64", drivers=frozenset({"virtio-mem-pci"}))),)
    ),
    "machine-of-7.0": Case(
        (
            ("machine='q35'", "machine='pc-q35-7.0'"),
            ("<target>", "<target dynamicMemslots='yes'>"),
        ),
        "",
    ),
    "machine-of-6.2": Case(
        (
            ("machine='q35'", "machine='pc-q35-6.2'"),
            ("<target>", "<target dynamicMemslots='yes'>"),
        ),
        """
        dynamic-memslots-machine at <target>: <target dynamicMemslots> is 'yes', and machine type
            'pc-q35-6.2' is of before 7.0. Take a machine type of 7.0 or later, or remove
            dynamicMemslots.
        """,
    ),
    "machine-of-6.2-for-i686": Case(
        (
            ("arch='x86_64' machine='q35'", "arch='i686' machine='pc-i440fx-6.2'"),
            ("<target>", "<target dynamicMemslots='yes'>"),
        ),
        """
        dynamic-memslots-machine at <target>: <target dynamicMemslots> is 'yes', and machine type
            'pc-i440fx-6.2' is of before 7.0. Take a machine type of 7.0 or later, or remove
            dynamicMemslots.
        """,
    ),
    "alias-with-capitals": Case(((END, "</target><alias name='ua-Mem'/>"),), ""),
    "controller-numbers-no-numbers": Case(
        (
            (
                DEVICES,
                ("<devices><controller type='pci' index='1' model='pci-bridge'><target chassisNr='y'/></controller>"),
            ),
        ),
        """
        number-invalid at <target 1>: <controller><target chassisNr> is 'y', which is no whole
            number. Write a decimal or 0x… number from 0 to 4294967295, with nothing after it.
        """,
    ),
    "address-no-number-on-a-bus": Case(
        ((END, "</target><address type='pci' bus='1' slot='x'/>"),),
        """
        number-invalid at <address>: <address slot> is 'x', which is no whole number. Write a
            decimal or 0x… number from 0 to 31, with nothing after it.
        """,
    ),
    "alias-of-a-dimm-taken": Case(
        (
            ("<domain ", "<domain id='1' "),
            (MAX, "<maxMemory slots='1' unit='GiB'>12</maxMemory>"),
            (
                LAST,
                (
                    "<memory model='dimm'><target><size unit='GiB'>1</size><node>0</node></target>"
                    "</memory><disk><alias name='dimm0'/></disk></devices>"
                ),
            ),
        ),
        """
        hotplug-space at <maxMemory>: <maxMemory> is 12 GiB, and boot memory 4 GiB + virtiomem0 8
            GiB + dimm-twice 1 GiB are 13 GiB: 1 GiB too little. Write 13 GiB or more. [safe: SIZE
            of <maxMemory>: 13958643712]
        """,
    ),
    "model-of-another-takes-no-space": Case(
        (
            (MAX, "<maxMemory unit='GiB'>12</maxMemory>"),
            (LAST, "<memory model='dim'><target><size unit='GiB'>1</size></target></memory></devices>"),
        ),
        """
        memory-model at <memory 3>: <memory model> is 'dim'. Did you mean 'dimm'? [safe: ATTRIBUTE
            model of <memory 3>: dimm]
        """,
    ),
    "node-minus-and-letters": Case(
        ((NODE, "<node>-X0</node>"),),
        """
        number-invalid at <node>: <node> is '-X0', which is no whole number. Write a decimal number
            from 0 to 2147483647, with nothing after it.
        """,
    ),
    "qemu-without-the-ccw-device": Case(
        (),
        """
        qemu-version at <memory 2>: this QEMU 11.1 has no virtio-mem-ccw. Take QEMU 10.0 or newer.
        """,
        base=S390X,
        targets=(Target(qemu=Qemu(arch="s390x", drivers=frozenset({"virtio-mem-pci"}))),),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_what_is_said(case: Case) -> None:
    data = edited(case.base, case.edits)
    assert text(data, found(data, *case.targets)).split() == case.said.split()


def parsed(*edits: tuple[str, str]) -> Domain:
    return parse_domain(parse_tree(edited(X86, edits), "test.xml"), LIBVIRT.arch)[0]


def test_cpu_features() -> None:
    policies = ("force", "require", "optional", "disable", "forbid", "guess")
    features = "".join(f"<feature name='{policy}' policy='{policy}'/>" for policy in policies)
    cpu = parsed(("<cpu>", f"<cpu>{features}<feature name='none'/><feature policy='force'/>")).cpu
    assert cpu.features == {
        "force": True,
        "require": True,
        "optional": True,
        "disable": False,
        "forbid": False,
        "none": True,
    }


def test_topology_of_zero_is_one() -> None:
    assert parsed(("<cpu>", "<cpu><topology sockets='0' cores='4'/>")).topology == Topology(1, 1, 1, 4, 1)


def test_controllers() -> None:
    (controller,) = parsed(
        (
            "<devices>",
            "<devices><controller type='pci' index='3' model='pci-expander-bus'><model name='pxb'/>"
            "<target chassis='0x10' chassisNr='2' port='010' busNr='254'><node>1</node></target></controller>",
        )
    ).controllers
    numbers = {"chassis": 16, "chassisNr": 2, "port": 8, "busNr": 254, "node": 1}
    assert (controller.bus, controller.driver, controller.numbers) == (3, "pxb", numbers)


def test_controllers_without_index_get_the_first_free() -> None:
    controllers = "".join(f"<controller type='pci'{index}/>" for index in ("", " index='0'", " index='2'", "", ""))
    buses = [controller.bus for controller in parsed(("<devices>", f"<devices>{controllers}")).controllers]
    assert buses == [1, 0, 2, 3, 4]


def test_a_dimm_has_what_it_says() -> None:
    dimm = (
        "<memory model='dimm' access='shared' discard='yes'><source><pagesize unit='MiB'>2</pagesize>"
        "<nodemask>0-1</nodemask></source><target><size unit='GiB'>1</size><node>0</node></target>"
        "<address type='dimm' slot='0x2' base='0x200000000'/></memory></devices>"
    )
    (device,) = parsed(("</devices>", dimm)).other_memory
    assert (device.shared, device.discard, device.pagesize, device.nodemask) == (True, True, 2 * MIB, (0, 1))
    assert (device.slot, device.memaddr, device.node, device.alias) == (2, 8 * GIB, 0, "dimm2")


@pytest.mark.parametrize(
    ("devices", "path"), [("<emulator>/a</emulator>", "/a"), ("<emulator/>", None), ("", None)], ids=["path", "", "no"]
)
def test_emulator(devices: str, path: str | None) -> None:
    root = parse_tree(edited(X86, (("<devices>", f"<devices>{devices}"),)), "test.xml")
    assert emulator(root) == path


def test_of_very_many_findings_the_first_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By `rules`, and the rules after that one have their say too."""
    monkeypatch.setattr(rules, "MOST_FINDINGS", 2)
    end = X86.index("    </memory>\n") + len("    </memory>\n")
    device = X86[X86.index("    <memory model") : end].replace(BLOCK, "<block unit='MiB'>3</block>")
    data = edited(X86, (("  </devices>", 3 * device + "  </devices>"),))
    findings = [one for one in found(data) if one.rule.id == "block-not-power-of-two"]
    assert [one.message == more_findings(one.rule.id, 0).message for one in findings] == [False, False, True]
    places = [one.place for one in findings]
    assert places == sorted(set(places))
    assert "hotplug-space" in {one.rule.id for one in found(data)}


@pytest.mark.parametrize(
    ("rule_id", "edits"),
    [
        ("attribute-unknown", (("<numa>", "<numa acess='1' modell='1' slots='1' units='1'>"),)),
        ("element-unknown", (("<target>", "<target><sise/><nodes/><blok/><requestd/>"),)),
    ],
)
def test_of_very_many_strangers_the_first_are_named(
    rule_id: str, edits: Edits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `parse`, which looks for near names no longer."""
    monkeypatch.setattr(parse, "MOST_FINDINGS", 2)
    looked: list[str] = []

    def counted(name: str, known: Iterable[str], closeness: float = 0.7) -> str | None:
        looked.append(name)
        return nearest(name, known, closeness)

    monkeypatch.setattr(parse, "nearest", counted)
    findings = [one for one in found(edited(X86, edits)) if one.rule.id == rule_id]
    more = more_findings(rule_id, 0).message
    assert [one.message == more for one in findings].count(True) == 1
    assert len(findings) == 3
    assert len(looked) == 2
    assert findings[2].place - findings[0].place == (2 if rule_id == "element-unknown" else 0)


def test_how_many_pages_and_nodes_are_read() -> None:
    """One more than can be right, so that the rules see it; what comes after tells nothing new."""
    page, node = "<page size='2' unit='MiB' nodeset='0'/>", "<memnode cellid='0' nodeset='0'/>"
    wrong_page, wrong_node = page.replace("'0'", "'x'"), node.replace("nodeset='0'", "nodeset='x'")
    for pages, nodes, findings in ((129, 128, 2), (130, 129, 0)):
        data = edited(
            X86,
            (
                (
                    "<cpu>",
                    f"<memoryBacking><hugepages>{pages * page}{wrong_page}</hugepages></memoryBacking>"
                    f"<numatune>{nodes * node}{wrong_node}</numatune><cpu>",
                ),
            ),
        )
        assert [one.rule.id for one in found(data)].count("nodeset-invalid") == findings


@pytest.mark.parametrize("number", [128, 129])
def test_how_many_cells_there_may_be(number: int) -> None:
    cells = "".join(f"<cell id='{n}' memory='1' unit='GiB'/>" for n in range(number))
    data = edited(X86, (("      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>\n", cells),))
    said = text(data, [one for one in found(data) if one.rule.id == "nodes-too-many"])
    assert said == (
        "nodes-too-many at <cell 129>: there are 129 <cell>s, and QEMU's limit is 128. Write fewer."
        if number > 128
        else ""
    )


DIMM_IN_THE_WAY = (
    ("<maxMemory ", "<maxMemory slots='1' "),
    ("<requested unit='GiB'>1</requested>", "<requested unit='GiB'>1</requested><address base='0x180000000'/>"),
    (
        "</devices>",
        "<memory model='dimm'><target><size unit='GiB'>1</size><node>0</node></target>"
        "<address type='dimm' slot='0' base='0x180000000'/></memory></devices>",
    ),
)
CONTROLLER_NUMBER = (
    (
        "<devices>",
        "<devices><controller type='pci' index='1' model='pcie-root-port'><target chassis='4 '/></controller>",
    ),
)


@pytest.mark.parametrize(
    ("edits", "kept"),
    [
        (DIMM_IN_THE_WAY, b"<memory model='dimm'>"),
        (CONTROLLER_NUMBER, b"<target chassis='4'/>"),
    ],
)
def test_a_repair_reaches_what_is_wrong(edits: Edits, kept: bytes) -> None:
    assert kept in fix(edited(X86, edits), name="test.xml", unsafe=True, targets=[Target()])[0]


def test_a_repair_leaves_the_right_one_the_first() -> None:
    data = edited(X86, (("<numa>", "<numaa/><numa>"),))
    fixed, _ = fix(data, name="test.xml", unsafe=False, targets=[Target()])
    assert not check(fixed, name="test.xml", targets=[Target()]).refused


def test_the_page_that_is_in_force_is_named() -> None:
    """Pages of a node count before those of the rest, in whatever order they stand."""
    pages = "<page size='4' unit='MiB' nodeset='0'/><page size='2' unit='MiB'/>"
    data = edited(X86, (("<os>", f"<memoryBacking><hugepages>{pages}</hugepages></memoryBacking><os>"),))
    (one,) = [finding for finding in found(data) if finding.rule.id == "pagesize-unmounted"]
    assert list(parse_tree(data, "x").iter(etree.Element))[one.place].get("nodeset") == "0"
