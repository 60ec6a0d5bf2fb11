"""What can be said of a domain: the rules' registry, a finding, and the error for what cannot be read at all.

A finding is data: the rule, the line, what is wrong and what to write instead. Who finds does not print.
Every rule stands in RULES once, with its severity and with who would refuse the domain for it.
"""

from enum import Enum
from functools import partial
from typing import NamedTuple


class Severity(Enum):
    """ERROR: no arguments are given. WARNING: arguments are given, and are not what the XML seems to say.

    ADVICE: all is as it should be, and there is something to know; only `check` speaks of it.
    """

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


class Refuses(Enum):
    """Who refuses what the rule finds; the value is the clause that a message ends with."""

    LIBVIRT = "libvirt refuses it"
    QEMU = "libvirt takes it, QEMU refuses it"
    BOTH = "libvirt and QEMU refuse it"
    NEVER = "libvirt refuses it, QEMU starts and never converges"
    OURS = "it cannot be converted"
    NOBODY = ""


class Rule(NamedTuple):
    """One rule: its name is never reused for another."""

    id: str
    severity: Severity
    refuses: Refuses
    title: str


class Location(NamedTuple):
    """A stretch of the input, the end not part of it: lines and columns from 1, columns in characters."""

    line: int
    column: int
    end_line: int
    end_column: int


class Part(Enum):
    """What of an element an edit changes.

    SIZE is its text, or the attribute of that name, as a size with the attribute 'unit' beside it; the value is in
    bytes. BEFORE and INSIDE add an element before it, or as its last child; REMOVE takes it away.
    """

    TEXT = "text"
    SIZE = "size"
    TAG = "tag"
    ATTRIBUTE = "attribute"
    ATTRIBUTE_NAME = "attribute-name"
    BEFORE = "before"
    INSIDE = "inside"
    REMOVE = "remove"


class Edit(NamedTuple):
    """One change of the XML: what of which element, the attribute's name where it is one, and the new value."""

    place: int
    part: Part
    value: str
    name: str = ""


class Repair(NamedTuple):
    """What makes a finding go away. Safe: the guest gets what the XML meant to give it."""

    edits: tuple[Edit, ...]
    safe: bool


class Finding(NamedTuple):
    """One problem: `message` names element, value and limit; `advice` is a sentence that says what to write.

    `place` is the element's number in document order, from 0; `location` where that is, once it was looked up. `hosts`
    are the hosts that have the problem, where more than one was named and not all have it.
    """

    rule: Rule
    place: int
    message: str
    advice: str
    repair: Repair | None = None
    hosts: tuple[str, ...] = ()
    location: Location = Location(1, 1, 1, 1)


def _rules(severity: Severity, refuses: Refuses, titles: dict[str, str]) -> dict[str, Rule]:
    return {
        rule_id: Rule(id=rule_id, severity=severity, refuses=refuses, title=title) for rule_id, title in titles.items()
    }


_error = partial(_rules, Severity.ERROR)

RULES: dict[str, Rule] = {
    **_error(
        Refuses.LIBVIRT,
        {
            # What cannot be read
            "not-a-domain": "the input is no domain XML",
            "value-missing": "a required element or attribute is absent or empty",
            "value-unknown": "a value is none of those that libvirt knows",
            "number-invalid": "a number is not in the form that libvirt reads",
            "number-too-large": "a number is above its limit",
            "unit-unknown": "a unit is none of those that libvirt knows",
            "nodeset-invalid": "a list of nodes or CPUs cannot be read, or is empty",
            "name-invalid": "the domain's name holds a '/' or a line break",
            "controller-index": "two PCI controllers have the same index",
            "controller-model": "a PCI controller does not fit the machine",
            "ccw-partial": "a CCW address gives some of cssid, ssid and devno, but not all",
            # What does not fit together
            "address-type": "the address type does not fit the machine",
            "block-below-thp": "the block is smaller than the host's transparent huge page",
            "ccw-duplicate": "two devices have the same CCW address",
            "ccw-node": "a CCW device is on a node other than 0",
            "ccw-page-size": "a CCW device's page size differs from boot memory's",
            "cell-cpus": "the cells' CPUs overlap, or are more than <vcpu>",
            "cell-ids": "the cells are not numbered from 0 without holes",
            "host-node": "the host has no such NUMA node",
            "hugepages-anonymous": "huge pages with <source type='anonymous'>",
            "hugepages-default": "two <page> without nodeset",
            "hugepages-nodeset": "a <page nodeset> overlaps another's or names a cell that does not exist",
            "hugepages-ondemand": "huge pages with <allocation mode='ondemand'>",
            "machine-without-pci": "the machine type has no PCI bus for virtio-mem",
            "maxmemory-missing": "virtio-mem without <maxMemory>",
            "memnode-cell": "a <memnode> names a cell that does not exist or has a <memnode> already",
            "memnode-restrictive": "one of <memory mode> and <memnode mode> is restrictive, and the other is not",
            "memory-model": "a <memory> device has no model that libvirt knows",
            "memory-below-devices": "<memory> leaves nothing for the guest to boot with",
            "node-missing": "the device does not say on which guest node it is",
            "numatune-repeated": "more than one <numatune>",
            "pagesize-unmounted": "the host has no hugetlbfs mount for the page size",
            "pci-address-range": "a part of the PCI address is out of range",
            "pci-bus": "the PCI bus takes no such device",
            "pci-slot": "the PCI bus has no such slot",
        },
    ),
    **_error(Refuses.NEVER, {"requested-above-size": "<requested> is above <size>"}),
    **_error(
        Refuses.QEMU,
        {
            "alias-invalid": "the alias is no identifier of QEMU's",
            "block-below-minimum": "the block is smaller than 1 MiB",
            "block-below-page": "the block is smaller than the backend's page",
            "ccw-property": "the CCW device has no such property",
            "dynamic-memslots-machine": "dynamicMemslots on a machine type of before 7.0",
            "launch-security": "an encrypted guest cannot discard memory, which virtio-mem needs",
            "hotplug-gap": "no gap is left for a device, though the sum fits",
            "memaddr-outside": "the guest address is not where device memory is",
            "memaddr-taken": "the guest address is in the way of a device that QEMU places",
            "overcommit-never": "the host refuses memory that is not reserved",
            "memory-locked": "virtio-mem together with <locked/>",
            "cell-zero": "a cell without memory",
            "nodes-too-many": "more NUMA nodes than QEMU knows",
            "pci-multifunction": "a slot with more than one function says multifunction='off'",
            "pagesize-memfd": "no kernel has pages of that size",
            "slots-too-many": "more <maxMemory slots> than QEMU has",
            "size-zero": "<size> is 0",
            "size-not-block-multiple": "<size> is not a multiple of <block>",
            "size-not-page-multiple": "<size> is not a multiple of the backend's page",
        },
    ),
    **_error(
        Refuses.BOTH,
        {
            "arch-unsupported": "the architecture has no virtio-mem",
            "block-not-power-of-two": "<block> is not a power of two",
            "dimm-slot": "a DIMM's slot is taken, or beyond <maxMemory slots>",
            "hotplug-space": "boot memory and memory devices exceed <maxMemory>",
            "memaddr-overlap": "two devices' guest addresses overlap",
            "memaddr-unaligned": "the guest address is not aligned",
            "node-unknown": "the device is on a guest node that does not exist",
            "alias-duplicate": "two devices have the same alias",
            "pci-chipset": "the PCI address belongs to the machine's chipset",
            "pci-duplicate": "two devices have the same PCI address",
            "qemu-version": "this QEMU version lacks what the domain asks for",
            "requested-not-block-multiple": "<requested> is not a multiple of <block>",
            "slots-exceeded": "more DIMMs than <maxMemory slots>",
        },
    ),
    **_error(
        Refuses.OURS,
        {
            "domain-type": "the domain's type is not one that QEMU serves",
            "pci-bus-missing": "no controller provides the PCI bus",
            "numatune-auto": "automatic NUMA placement is numad's to decide, on the host",
        },
    ),
    **_rules(
        Severity.WARNING,
        Refuses.NOBODY,
        {
            "alias-ignored": "libvirt keeps no alias that does not begin with 'ua-'",
            "attribute-misplaced": "libvirt ignores an attribute of another element",
            "attribute-unknown": "libvirt ignores an attribute that it does not know",
            "current-ignored": "libvirt reports <current>, and never reads it",
            "discard-ignored": "discard has no effect with this backend",
            "element-misplaced": "libvirt ignores an element in the wrong place",
            "element-repeated": "libvirt reads the first of an element given twice",
            "element-unknown": "libvirt ignores an element that it does not know",
            "memory-left-out": "a memory device of a model that is not written",
            "pci-bus-implied": "libvirt adds the controller for the bus; these arguments do not",
            "prealloc-unsupported": "this QEMU version cannot preallocate virtio-mem",
            "s390x-cells": "QEMU takes no -numa on s390x",
            "schema-mismatch": "the domain does not fit libvirt's schema",
            "suppression-unknown": "a comment suppresses a rule that does not exist",
            "suppression-unused": "a comment suppresses what is not there",
            "value-rounded": "libvirt rounds the value up",
        },
    ),
    **_rules(
        Severity.ADVICE,
        Refuses.NOBODY,
        {
            "balloon-inflation": "the memory balloon does not reach virtio-mem",
            "memmap-boot-memory": "what the guest needs to manage growth takes much of its boot memory",
            "memslot-metadata": "one large memory slot takes much of the host's memory",
            "movable-ratio": "much more movable memory than the guest boots with",
            "vfio-mappings": "more blocks than VFIO has DMA mappings",
            "vhost-user-memslots": "dynamicMemslots beside a vhost-user device",
            "vhost-user-private": "a vhost-user device cannot reach memory that is not shared",
        },
    ),
}


def finding(rule_id: str, place: int, message: str, advice: str, repair: Repair | None = None) -> Finding:
    """A finding of the rule `rule_id`, which must be in RULES."""
    return Finding(rule=RULES[rule_id], place=place, message=message, advice=advice, repair=repair)


# Findings of one rule that are named for one domain.
MOST_FINDINGS = 1000


def more_findings(rule_id: str, place: int) -> Finding:
    """What stands for a rule's findings after the first MOST_FINDINGS: the rest tells nothing new."""
    return finding(rule_id, place, f"there are more of these: the first {MOST_FINDINGS} are named", "Begin with those.")


def safe(place: int, part: Part, value: str | int = "", name: str = "") -> Repair:
    """A repair of one edit that leaves the guest what it was meant to have."""
    return Repair((Edit(place, part, str(value), name),), safe=True)


def unsafe(place: int, part: Part, value: str | int = "", name: str = "") -> Repair:
    """A repair of one edit that changes what the guest gets."""
    return Repair((Edit(place, part, str(value), name),), safe=False)
