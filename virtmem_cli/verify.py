"""A domain on real QEMU: started frozen and emulated, asked for its memory devices, compared with the XML.

Takes a Settled that is not refused and a QEMU; gives a Report. What exists only on a real host is replaced for the run,
and the report says so. Nothing is left running, and no file stays.
"""

from collections.abc import Iterable, Iterator, Mapping
from tempfile import gettempdir
from typing import NamedTuple

from virtmem_cli.argv import arguments
from virtmem_cli.domain import VirtioMem
from virtmem_cli.props import Argument, Value, all_arguments
from virtmem_cli.qemu import converse, no_qemu
from virtmem_cli.settle import Settled, settle
from virtmem_cli.settle.memory import model_of

_QUESTIONS = {
    name: {"execute": command}
    for name, command in (("negotiate", "qmp_capabilities"), ("devices", "query-memory-devices"), ("quit", "quit"))
}


# Characters of QEMU's words that are repeated: the last ones, which say why it does not start.
_WORDS = 2_000


class Row(NamedTuple):
    """One field of one device: what the XML and the layout say, and what QEMU reports."""

    device: str
    field: str
    expected: int | str
    reported: int | str | None


# A memory device's fields, as a QEMU reports them.
Reported = Mapping[str, int | str]


class Report(NamedTuple):
    """What came of it: `rows` is empty, and `words` has QEMU's own, where it did not start."""

    rows: tuple[Row, ...]
    words: str
    replaced: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether QEMU started and reports what was expected."""
        return bool(self.rows) and all(row.expected == row.reported for row in self.rows)


def verify(settled: Settled, binary: str) -> Report:
    """Start the binary with the domain's arguments, which are for the scope `machine`, and compare.

    Raises VirtmemError where the binary cannot be run or does not answer in time.
    """
    replaced: dict[str, None] = {}
    stood_in = list(stand_ins(all_arguments(settled), replaced))
    command = [binary, "-S", "-nodefaults", "-display", "none", "-qmp", "stdio"]
    _, replies, words = converse([*command, *arguments(stood_in, settled.target.qemu)], _QUESTIONS)
    rows: tuple[Row, ...] = ()
    if "devices" in replies:
        try:
            rows = tuple(_rows(settled, _devices(replies["devices"])))
        except ValueError:
            raise no_qemu(binary, words) from None
    return Report(rows=rows, words=words[-_WORDS:], replaced=tuple(replaced))


def _devices(reply: object) -> Mapping[str, Reported]:
    """The memory devices in a reply, by their id; raises ValueError for what is no reply of a QEMU."""
    devices: dict[str, Reported] = {}
    for device in reply if isinstance(reply, list) else [None]:
        match device:
            case {"type": str(), "data": {**data}} if isinstance(name := data.get("id", ""), str):
                devices[name] = {str(field): _plain(value) for field, value in data.items()}
            case _:
                raise ValueError("device")
    return devices


def _plain(value: object) -> int | str:
    """A value such as a QEMU gives for a memory device; raises ValueError for any other."""
    if isinstance(value, str) or (isinstance(value, int) and 0 <= value < 1 << 64):
        return value
    raise ValueError("value")


def stand_ins(given: Iterable[Argument], replaced: dict[str, None]) -> Iterator[Argument]:
    """The arguments with what depends on the host replaced; `replaced` gets a line for each kind of replacement."""
    for option, properties in given:
        changed = dict(properties)
        if option == "-accel" and properties[""] != "tcg":
            replaced[f"-accel {properties['']} by tcg"] = None
            changed = {"": "tcg"}
        elif option == "-cpu" and properties[""] == "host":
            replaced["-cpu host by max"] = None
            changed = {"": "max"}
        elif str(properties.get("qom-type", "")).startswith("memory-backend-"):
            _stand_in(changed, replaced)
        elif properties.get("qom-type") == "thread-context":
            continue
        yield Argument(option, changed)


def _stand_in(backend: dict[str, Value], replaced: dict[str, None]) -> None:
    """Memory that needs nothing of the host: no huge pages, no host nodes, none of it reserved or allocated."""
    if "mem-path" in backend:
        replaced["the files and folders of memory by temporary ones"] = None
        backend["mem-path"] = gettempdir()  # in a folder QEMU makes a file itself, and takes its name away at once
    if backend.pop("hugetlb", False):
        backend.pop("hugetlbsize")
        replaced["huge pages by ordinary ones"] = None
    if "host-nodes" in backend:
        replaced["host NUMA nodes by none"] = None
    for name in ("host-nodes", "policy", "prealloc", "prealloc-threads", "prealloc-context"):
        backend.pop(name, None)


def _rows(settled: Settled, reported: Mapping[str, Reported]) -> Iterator[Row]:
    # As it was started: without what is not written, and on ordinary pages
    domain = settled.domain
    plain = domain._replace(
        backing=domain.backing._replace(hugepages=()),
        memory_devices=tuple(
            device._replace(pagesize=0) for device in domain.memory_devices if model_of(device).driver
        ),
    )
    layout = settle(plain, settled.target).layout
    for placement in layout.placements if layout else ():
        device = placement.device
        data = reported.get(device.alias) or {}
        expected: dict[str, int | str | None] = {"memdev": f"/objects/mem{device.alias}"}
        if isinstance(device, VirtioMem):
            expected |= {
                "memaddr": placement.address,
                "max-size": device.size,
                "requested-size": device.requested,
                "block-size": device.block,
                "node": device.node or 0,
            }
        else:
            expected |= {model_of(device).address: placement.address, "size": device.size}
        for field, value in expected.items():
            yield Row(device.alias, field, value if value is not None else "nowhere", data.get(field))
