"""The domain's memory: cells, <memoryBacking> and <numatune>, each as it is given.

Takes the elements of <domain> by their names, gives the records of `domain`; what cannot be read is said by the reader.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from virtmem_cli.document.value import Element, Value
from virtmem_cli.domain import HugePage, MemNode, MemoryBacking, MemoryMode, NumaCell, NumaTune
from virtmem_cli.parse.reader import (
    ACCESS,
    MOST_NODES,
    NODES,
    YES_NO,
    Reader,
    attribute,
    every,
    first,
    first_with,
)
from virtmem_cli.rules import reading
from virtmem_cli.units import MIB, UINT_MAX, numbers_of

Top = Mapping[str, list[Element]]

_MODES: Mapping[str, MemoryMode] = {mode: mode for mode in get_args(MemoryMode)}
_SOURCES = {name: name for name in ("file", "anonymous", "memfd")}
_ALLOCATIONS = {name: name for name in ("immediate", "ondemand")}
_PLACEMENTS = {name: name for name in ("default", "static", "auto")}


def cells(reader: Reader, top: Top) -> tuple[NumaCell, ...]:
    """The guest's NUMA nodes, by their numbers."""
    numas = [numa for cpu in top.get("cpu", ()) if (numa := first(cpu, "numa")) is not None]
    elements = every(numas, "cell")
    if len(elements) > MOST_NODES:
        reader.say(reading.nodes_too_many, elements[MOST_NODES], MOST_NODES, cells=len(elements))
    if numas and not elements:
        reader.say(reading.value_missing, numas[0], "<numa>", "a <cell>, or remove <numa>", "has no <cell>")
    found = [_cell(reader, element, index) for index, element in enumerate(elements[:MOST_NODES])]
    return tuple(sorted(found, key=lambda cell: cell.id))


def _cell(reader: Reader, element: Element, index: int) -> NumaCell:
    cell_id = index if element.get("id") is None else reader.uint(element, "id", limit=UINT_MAX)
    if element.get("memory") is None:
        reader.say(reading.value_missing, element, "<cell memory>", "memory='…' unit='KiB'")
        memory = 0
    else:
        memory = reader.scaled(element, "memory", element.get("unit"), step=MIB, zero=reading.cell_zero)
    return NumaCell(
        element=element,
        id=index if cell_id is None else cell_id,
        cpus=() if element.get("cpus") is None else numbers_of(reader.bitmap(element, "cpus", empty=True) or 0),
        memory_given=memory,
        shared=reader.choice(element, "memAccess", ACCESS),
        discard=reader.choice(element, "discard", YES_NO),
        distances=dict(_distances(reader, element)),
    )


def _distances(reader: Reader, cell: Element) -> Iterator[tuple[int, int]]:
    """The cell's distances to others, by their ids."""
    for sibling in every(cell.iterchildren("distances"), "sibling"):
        cell_id = reader.uint(sibling, "id", limit=NODES)
        value = reader.uint(sibling, "value", limit=255)
        if cell_id is not None and value is not None:
            yield cell_id, value


def backing(reader: Reader, top: Top) -> MemoryBacking:
    """<memoryBacking>, of which libvirt puts several together: of each part it takes the first that says something."""
    parents = top.get("memoryBacking", ())
    parts: dict[str, list[Element]] = {}
    for element in (child for parent in parents for child in parent.iterchildren("{}*")):
        parts.setdefault(str(element.tag), []).append(element)
    allocations = parts.get("allocation", ())
    threads = first_with(allocations, "threads")
    return MemoryBacking(
        hugepages=_hugepages(reader, parts.get("hugepages", ())),
        source=reader.choice(first_with(parts.get("source", ()), "type"), "type", _SOURCES),
        shared=reader.choice(first_with(parts.get("access", ()), "mode"), "mode", ACCESS),
        discard=True if "discard" in parts else None,
        allocation=reader.choice(first_with(allocations, "mode"), "mode", _ALLOCATIONS),
        threads=0 if threads is None else reader.uint(threads, "threads", limit=UINT_MAX) or 0,
        locked=parts["locked"][0] if "locked" in parts else None,
    )


def _hugepages(reader: Reader, parents: Iterable[Element]) -> tuple[HugePage, ...]:
    # More than one for each node and one for the rest overlap, which the first of them show
    pages = every(parents, "page")[: MOST_NODES + 2]
    if not pages:
        return tuple([HugePage(parent, 0, None) for parent in parents][:1])
    return tuple(
        [
            HugePage(element=page, size=size, nodeset=reader.nodeset(page))
            for page in pages
            if (size := _page_size(reader, page))
        ]
    )


def _page_size(reader: Reader, page: Element) -> int:
    if page.get("size") is None:
        reader.say(reading.value_missing, page, "<page size>", "size='2048' unit='KiB'")
        return 0
    return reader.scaled(page, "size", page.get("unit"), zero=reading.value_missing, binary=True)


def numatune(reader: Reader, root: Element, top: Top) -> NumaTune:
    """The first <numatune>: on which host nodes the guest's memory is."""
    element = next(iter(top.get("numatune", ())), None)
    if element is None:
        return NumaTune(element=root, mode="strict", nodeset=None, memnodes=())
    memory = first(element, "memory")
    nodeset: tuple[int, ...] | None = None
    if memory is not None:
        placement = reader.choice(memory, "placement", _PLACEMENTS)
        vcpu = attribute(next(iter(top.get("vcpu", ())), None), "placement")
        given = memory.get("nodeset")
        if placement == "auto" or (vcpu == "auto" and placement is None and given is None):
            reader.say(reading.numatune_auto, Value(memory, called="<numatune><memory placement>"))
        elif given is not None:
            nodeset = reader.nodeset(memory)
        elif memory.get("mode") is not None or placement is not None:
            reader.say(reading.value_missing, memory, "<numatune><memory nodeset>", "nodeset='0', say")
    return NumaTune(
        element=element if memory is None else memory,
        mode=reader.choice(memory, "mode", _MODES) or "strict",
        nodeset=nodeset,
        memnodes=tuple(_memnodes(reader, element)),
    )


def _memnodes(reader: Reader, parent: Element) -> Iterator[MemNode]:
    # More than one for each node overlap, which the first of them show
    for element in list(parent.iterchildren("memnode"))[: MOST_NODES + 1]:
        absent = [name for name in ("cellid", "nodeset") if element.get(name) is None]
        if absent:
            example = "<memnode cellid='0' mode='strict' nodeset='0'/>"
            reader.say(reading.value_missing, element, f"<memnode {absent[0]}>", example)
            continue
        cellid = reader.uint(element, "cellid", limit=UINT_MAX)
        nodeset = reader.nodeset(element)
        if cellid is not None:
            mode = reader.choice(element, "mode", _MODES) or "strict"
            yield MemNode(element=element, cellid=cellid, mode=mode, nodeset=nodeset)
