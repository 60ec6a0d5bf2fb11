"""Backends: which kind of memory is behind a device, its pages, and what QEMU and the host can do with it."""

from collections.abc import Iterator

from virtmem_cli.document.value import Element
from virtmem_cli.domain import HugePage
from virtmem_cli.findings import Problem, Problems, Refuses, Severity, rule
from virtmem_cli.settle import Settled
from virtmem_cli.settle.memory import AnyMemory, BootMemory
from virtmem_cli.target import FEATURES, show
from virtmem_cli.text import up_to
from virtmem_cli.units import human, is_power_of_two


@rule(Severity.ERROR, Refuses.LIBVIRT, "huge pages with <source type='anonymous'>")
def hugepages_anonymous(s: Settled) -> Problems:
    """qemuValidateDomainDefMemory (libvirt 7.9): huge pages come from hugetlbfs or a memfd."""
    if s.domain.backing.hugepages and s.domain.backing.source == "anonymous":
        yield Problem(
            s.domain.backing.hugepages[0].element,
            "<hugepages> stands beside <source type='anonymous'>",
            "Remove <source>, or write type='memfd'.",
        )


@rule(Severity.ERROR, Refuses.LIBVIRT, "huge pages with <allocation mode='ondemand'>")
def hugepages_ondemand(s: Settled) -> Problems:
    """qemuValidateDomainDefMemory (libvirt 7.9): libvirt has huge pages allocated beforehand."""
    if s.domain.backing.hugepages and s.domain.backing.allocation == "ondemand":
        yield Problem(
            s.domain.backing.hugepages[0].element,
            "<hugepages> stands beside <allocation mode='ondemand'>, and huge pages are allocated at start",
            "Remove <allocation>, or write mode='immediate'.",
        )


@rule(Severity.ERROR, Refuses.LIBVIRT, "two <page> without nodeset")
def hugepages_default(s: Settled) -> Problems:
    """virDomainDefMemtuneValidate (libvirt 7.9) allows one for all nodes that no other <page> names."""
    for page in [page for page in s.domain.backing.hugepages if page.nodeset is None][1:]:
        yield Problem(page.element, "this is a second <page> without nodeset", "Write nodeset='…', or remove it.")


@rule(Severity.ERROR, Refuses.LIBVIRT, "a <page nodeset> overlaps another's or names a cell that does not exist")
def hugepages_nodeset(s: Settled) -> Problems:
    """virDomainDefMemtuneValidate (libvirt 7.9): the nodeset lists guest nodes, each with one page size."""
    nodes = max(s.guest_nodes, 1)
    taken: dict[int, HugePage] = {}
    for page in s.domain.backing.hugepages:
        for node in page.nodeset or ():
            if node >= nodes:
                yield Problem(
                    page.element,
                    f"<page nodeset> names guest node {node}, and the last is {nodes - 1}",
                    f"Write {up_to(nodes - 1)}.",
                )
                break
            if taken.setdefault(node, page) is not page:
                yield Problem(
                    page.element, f"an earlier <page> has guest node {node} too", "Name each node in one <page>."
                )
                break


def _on_huge_pages(s: Settled) -> Iterator[tuple[AnyMemory, Element]]:
    """The memory that has huge pages, boot memory first, and the element that says so."""
    for memory in (*s.boot, *s.memory):
        if not memory.pagesize:
            continue
        if not isinstance(memory.device, BootMemory) and memory.device.pagesize:
            yield memory, memory.device.at("pagesize")
        elif memory.page is not None:
            yield memory, memory.page.element


@rule(Severity.ERROR, Refuses.LIBVIRT, "the host has no hugetlbfs mount for the page size")
def pagesize_unmounted(s: Settled) -> Problems:
    """'Unable to find any usable hugetlbfs mount' (libvirt 7.9): a file needs one, a memfd does not."""
    mounts = s.host.hugetlbfs
    for memory, element in _on_huge_pages(s):
        if memory.backend == "memory-backend-file" and memory.pagesize not in mounts:
            has = " and ".join(human(mount) for mount in sorted(mounts)) or "none"
            yield Problem(
                element,
                f"pages of {human(memory.pagesize)} are asked for, and the host's hugetlbfs mounts are of {has}",
                "Take one of those, or judge for another host with --host.",
            )


@rule(Severity.ERROR, Refuses.QEMU, "no kernel has pages of that size")
def pagesize_memfd(s: Settled) -> Problems:
    """QEMU's hugetlbsize is a power of two; libvirt looks for a mount with other backends alone."""
    for memory, element in _on_huge_pages(s):
        if s.domain.backing.source == "memfd" and not is_power_of_two(memory.pagesize):
            yield Problem(
                element,
                f"pages of {human(memory.pagesize)} are asked for, which no kernel has",
                "Write 2048 KiB, say.",
            )


@rule(Severity.ERROR, Refuses.QEMU, "virtio-mem together with <locked/>")
def memory_locked(s: Settled) -> Problems:
    """libvirt writes -overcommit mem-lock=on, and QEMU says 'Incompatible with mlock' (5.1)."""
    if s.domain.backing.locked is not None:
        yield Problem(
            s.domain.backing.locked,
            "<locked/> keeps all memory from being given back, which is what virtio-mem does",
            "Remove <locked/>, or the virtio-mem devices.",
        )


@rule(Severity.ERROR, Refuses.QEMU, "an encrypted guest cannot discard memory, which virtio-mem needs")
def launch_security(s: Settled) -> Problems:
    """QEMU's ram_block_discard_disable() for these guests; libvirt does not look."""
    if s.domain.launch_security in ("sev", "s390-pv"):
        yield Problem(
            s.domain.at("launchSecurity"),
            f"<launchSecurity type> is '{s.domain.launch_security}', and such a guest's memory cannot be given back",
            "Remove <launchSecurity>, or the virtio-mem devices.",
        )


@rule(Severity.ERROR, Refuses.QEMU, "the host refuses memory that is not reserved")
def overcommit_never(s: Settled) -> Problems:
    """QEMU since 6.1 refuses reserve=false on private small pages where vm.overcommit_memory is 2."""
    if s.host.overcommit != 2 or not s.target.qemu.has("backend-reserve"):
        return
    for memory in s.virtio_mem:
        device = memory.device
        if not memory.pagesize and not memory.is_shared:
            yield Problem(
                device.element,
                "its memory is private and not reserved, and the host's vm.overcommit_memory is 2",
                "Write access='shared', take huge pages, or set vm.overcommit_memory to 0 or 1 on the host.",
            )


@rule(Severity.WARNING, Refuses.NOBODY, "discard has no effect with this backend")
def discard_ignored(s: Settled) -> Problems:
    """Of QEMU's backends, memory-backend-file alone has discard-data; libvirt leaves it out for the others."""
    for memory in s.virtio_mem:
        if memory.discard and memory.backend != "memory-backend-file":
            yield Problem(
                memory.device.element,
                f"discard is asked for, and libvirt drops it: {memory.backend} has no such property",
                "Write <memoryBacking><source type='file'/>, or leave discard out.",
            )


@rule(Severity.WARNING, Refuses.NOBODY, "this QEMU version cannot preallocate virtio-mem")
def prealloc_unsupported(s: Settled) -> Problems:
    """The backend cannot preallocate, and the device has its own property since QEMU 7.0."""
    for memory in s.virtio_mem:
        if memory.prealloc and not s.target.qemu.has("device-prealloc"):
            yield Problem(
                memory.device.element,
                f"memory is to be allocated at start, which {s.target.qemu} cannot do for virtio-mem: libvirt leaves "
                "it out",
                f"Take QEMU {show(FEATURES['device-prealloc'])} or newer, or on-demand allocation of small pages.",
            )
