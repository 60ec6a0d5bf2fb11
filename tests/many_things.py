"""Domains that have many of something, to see what each further one costs: by name, a generator that takes the number.

The domains are for `check` and for a conversion in the scope `machine`; what they have many of is right in some and
wrong in others, since what is found costs as well.
"""

from collections.abc import Callable

from domains import edited
from hostile import DEVICE, DEVICES, DOMAIN, IGNORE, REQUESTED, TARGET
from many_devices import many_devices

Generator = Callable[[int], str]
BEFORE = "<memory model"
LARGE = ("'GiB'>16", "'PiB'>4")
NONE = ("    " + DEVICE + "\n", "")
SMALL = "<memory model='virtio-mem'><target><size>{0}</size><block>2048</block>{1}</target>{2}</memory>"
RIGHT = SMALL.format(4096, "<node>0</node>", "")
# Where device memory begins in DOMAIN, and the element around its <page>s
_BASE = 6 << 30
_PAGES = ("<memoryBacking><hugepages>", "</hugepages></memoryBacking>")
# All that can be wrong with a device at once, or nearly
WRONG = (
    "<memory model='virtio-mem' access='a{0}' discard='d{0}' acess='x'><alias name='ua-x'/>"
    "<source><pagesize>3</pagesize><nodemask>^{0}</nodemask></source>"
    "<target dynamicMemslots='{0}' size='1'><size unit='Mb'>{0}x</size><block>3000</block><node>77</node>"
    "<requested>{0}001</requested><address base='0x{0}1'/><size>1</size><blok>1</blok></target>"
    "<driver iommu='{0}' ats='on' foo='x'/><address type='pci' bus='{0}' slot='0x99'/></memory>"
)


def in_devices(text: str, *changes: tuple[str, str]) -> Generator:
    """So many devices: the text with its number for {0}, from 1; and for {1000}, from 1001."""
    return lambda number: edited(DOMAIN, *changes, (DEVICES, _numbered(text, number) + DEVICES))


def before(place: str, text: str, *changes: tuple[str, str], around: tuple[str, str] = ("", "")) -> Generator:
    """The text so many times before a place in the domain."""
    return lambda number: edited(DOMAIN, *changes, (place, around[0] + _numbered(text, number) + around[1] + place))


def _numbered(text: str, number: int) -> str:
    return "".join(text.replace("{0}", str(n)).replace("{1000}", str(1000 + n)) for n in range(1, number + 1))


def _lines_in_one(generator: Generator) -> Generator:
    return lambda number: generator(number).replace("\n", " ")


def gaps(sizes: Callable[[int], int]) -> Generator:
    """Devices with addresses that leave gaps of 2 MiB between them, and as many without, which fit in none."""

    def domain(number: int) -> str:
        given = [
            SMALL.format(2048, "<node>0</node>" + f"<address base='{_BASE + n * (4 << 20):#x}'/>", "")
            for n in range(number)
        ]
        placed = [SMALL.format(sizes(n), "<node>0</node>", "") for n in range(number)]
        return edited(DOMAIN, LARGE, (DEVICES, "".join(given + placed) + DEVICES))

    return domain


def _addresses(order: Callable[[int, int], int]) -> Generator:
    def domain(number: int) -> str:
        devices = (
            SMALL.format(2048, f"<node>0</node><address base='{_BASE + order(n, number) * (2 << 20):#x}'/>", "")
            for n in range(number)
        )
        return edited(DOMAIN, LARGE, (DEVICES, "".join(devices) + DEVICES))

    return domain


def deep_comments(number: int) -> str:
    """Comments around each other, each of which silences all that is in it."""
    depth = min(number, 50)
    names = IGNORE.format("element-unknown,block-below-thp")
    inside = (names + "<a>") * depth + "<b/>" * number + "</a>" * depth
    return edited(DOMAIN, (TARGET, TARGET + inside + "<requestd/>" * number))


THINGS: dict[str, Generator] = {
    "devices behind ports": lambda number: many_devices(number).decode(),
    "devices": in_devices(RIGHT, LARGE),
    "devices, complete": in_devices(DEVICE, LARGE),
    "devices, empty": in_devices("<memory model='virtio-mem'/>"),
    "devices of no model": in_devices("<memory model='virtio-men{0}'/>"),
    "devices of odd models": in_devices("<memory model='abc{1000}'/>"),
    "devices, all wrong": in_devices(WRONG),
    "devices, all wrong, in one line": _lines_in_one(in_devices(WRONG)),
    "devices, bad blocks": in_devices(SMALL.format(4096, "", "").replace("2048", "3072"), LARGE),
    "devices, bad blocks, in one line": _lines_in_one(
        in_devices(SMALL.format(4096, "", "").replace("2048", "3072"), LARGE)
    ),
    "devices, bad blocks, different": in_devices(SMALL.format(4096, "", "").replace("2048", "{0}1000"), LARGE),
    "devices of one alias": in_devices(SMALL.format(4096, "", "<alias name='ua-x'/>"), LARGE),
    "devices of one address": in_devices(
        SMALL.format(4096, "<node>0</node>", "<address type='pci' bus='0' slot='9'/>"), LARGE
    ),
    "devices on one guest address": in_devices(
        SMALL.format(4096, "<node>0</node><address base='0x200000000'/>", ""), LARGE
    ),
    "devices at addresses": _addresses(lambda n, _: n),
    "devices at addresses, backwards": _addresses(lambda n, number: number - n),
    "devices at addresses, in no order": _addresses(lambda n, number: n // 2 if n % 2 else number - n),
    "devices outside": in_devices(SMALL.format(4096, "<node>0</node><address base='0x{0}00000'/>", "")),
    "devices without room": in_devices(SMALL.format(4 << 20, "<node>0</node>", "")),
    "devices without room, in sum enough": in_devices(
        SMALL.format(2048, "<node>0</node>", "").replace("<block>2048<", "<block>1073741824<"), LARGE
    ),
    "devices among gaps": gaps(lambda _: 4096),
    "devices among gaps, all different": gaps(lambda n: 4096 + 2048 * n),
    "devices among gaps, smaller and smaller": gaps(lambda n: 2048 * (30_000 - n)),
    "devices with dynamic slots": in_devices(
        SMALL.format(4096, "<node>0</node>", "").replace("<target>", "<target dynamicMemslots='yes'>"),
        LARGE,
        ("'q35'", "'pc-q35-6.2'"),
    ),
    "devices of CCW": in_devices(
        SMALL.format(4096, "<node>7</node>", "<driver ats='on' page_per_vq='on'/>"),
        LARGE,
        ("arch='x86_64' machine='q35'", "arch='s390x' machine='s390-ccw-virtio'"),
    ),
    "devices of CCW, one address": in_devices(
        SMALL.format(4096, "", "<address type='ccw' cssid='0xfe' ssid='0' devno='0x1'/>"),
        LARGE,
        ("arch='x86_64' machine='q35'", "arch='s390x' machine='s390-ccw-virtio'"),
    ),
    "nodemasks": in_devices(
        SMALL.format(4096, "<node>0</node>", "<source><nodemask>0-100,{0}</nodemask></source>").replace("{0}", "7"),
        LARGE,
    ),
    "nodemasks, large and different": in_devices(
        SMALL.format(4096, "<node>0</node>", "<source><nodemask>0-16000,{0}</nodemask></source>").replace(
            "-16000,{0}", "-1{0}"
        ),
        LARGE,
    ),
    "DIMMs": in_devices("<memory model='dimm'><target><size>4096</size><node>0</node></target></memory>", LARGE),
    "DIMMs, empty": in_devices("<memory model='dimm'/>"),
    "DIMMs with slots": in_devices("<memory model='dimm'><address type='dimm' slot='{0}'/></memory>", LARGE),
    "DIMMs of one slot": in_devices("<memory model='dimm'><address type='dimm' slot='1'/></memory>", LARGE),
    "pages": before("  <os>", "<page size='2048' nodeset='{0}'/>", around=_PAGES),
    "devices on a page": lambda number: edited(
        THINGS["devices"](number), ("  <os>", f"{_PAGES[0]}<page size='3072'/>{_PAGES[1]}<os>")
    ),
    "devices on many pages": lambda number: edited(
        THINGS["devices, complete"](number),
        ("  <os>", _PAGES[0] + _numbered("<page size='{0}' unit='MiB' nodeset='0-127'/>", 130) + _PAGES[1] + "<os>"),
    ),
    "memnodes": before("  <os>", "<memnode cellid='{0}' nodeset='0'/>", around=("<numatune>", "</numatune>")),
    "cells": before("    </numa>", "<cell id='{0}' memory='1024'/>"),
    "cells of one number": before("    </numa>", "<cell id='1' memory='1' cpus='0-{0}'/>"),
    "distances": before(
        "    </numa>",
        "<sibling id='{0}' value='10'/>",
        around=("<cell id='1' memory='1024'><distances>", "</distances></cell>"),
    ),
    "controllers": in_devices("<controller type='pci' index='{0}' model='pcie-root-port'/>"),
    "controllers of one index": in_devices("<controller type='pci' index='7' model='pcie-root-port'/>"),
    "controllers of odd models": in_devices("<controller type='pci' index='7' model='pcie-root-pork{0}'/>"),
    "controllers without index": in_devices("<controller type='pci'/>"),
    "controllers in each other": in_devices(
        "<controller type='pci' index='{0}' model='pcie-root-port'><address type='pci' bus='{0}' function='1'/>"
        "<alias name='ua-{0}'/></controller>" + SMALL.format(4096, "", "<address type='pci' bus='{0}' slot='0'/>"),
        LARGE,
    ),
    "controllers of one place": in_devices(
        "<controller type='pci' index='{0}' model='pcie-root-port'><address type='pci' bus='0' slot='9'/></controller>"
    ),
    "addresses": in_devices("<disk><address type='pci' bus='1' slot='1' multifunction='off'/></disk>"),
    "addresses, all different": in_devices("<disk><address type='pci' bus='0x{0}' slot='0'/></disk>"),
    "addresses, functions": in_devices(
        "<disk><address type='pci' bus='0' slot='9' function='1'/></disk>"
        "<disk><address type='pci' bus='0' slot='9' multifunction='off'/></disk>"
        + SMALL.format(4096, "<node>0</node>", "<address type='pci' bus='0' slot='9' function='2'/>"),
        LARGE,
    ),
    "aliases": in_devices("<disk><alias name='ua-{0}'/></disk>"),
    "aliases, the same": in_devices("<disk><alias name='ua-x'/></disk>"),
    "aliases in a device": before("    </memory>", "<alias nam='ua-x'/>"),
    "parts of a device": before("    </memory>", "<address typ='pci'/>"),
    "CPU features": before("    <numa>", "<feature name='a{0}' policy='force'/>"),
    "CPU features, bad": before("    <numa>", "<feature name='a,{0}' policy='force'/>"),
    "strange attributes": lambda number: edited(
        DOMAIN, (TARGET, f"<target {' '.join(f'''a{n}='' ''' for n in range(number))}>")
    ),
    "strange attributes, near": lambda number: edited(
        DOMAIN, (TARGET, f"<target {' '.join(f'''dynamicMemslots{n}='' ''' for n in range(number))}>")
    ),
    "strange elements": before(REQUESTED, "<a{1000}/>"),
    "strange elements, near": before(REQUESTED, "<requestd/>"),
    "strange elements, nearly all": before(REQUESTED, "<requested{0}/>"),
    "strange elements in domain": before("  <os>", "<memoryy{0}/>"),
    "strange elements in domain, far": before("  <os>", "<maxmem{0}o/>"),
    "strange elements in devices": in_devices("<memoryy{0}/>"),
    "strange elements in devices, far": in_devices("<mxemor{0}/>"),
    "strange namespaces": in_devices("<x:memory xmlns:x='y{0}' model='virtio-mem'/>"),
    "misplaced elements": before(REQUESTED, "<nodemask/>"),
    "misplaced devices": before("  <os>", "<memory model='virtio-mem'/>", NONE),
    "misplaced devices beside strangers": before("  <os>", "<memory model='virtio-mem'/><memoryy/>", NONE),
    "repeated elements": before(REQUESTED, "<size>1</size>"),
    "repeated elements of domain": before("  <os>", "<vcpu>1</vcpu>"),
    "repeated numatunes": before("  <os>", "<numatune/>"),
    "currents": before(REQUESTED, "<current>1</current>"),
    "devices elements": before("</domain>", "<devices><memory model='virtio-mem'/></devices>"),
    "VFIO": in_devices("<hostdev type='pci'/>"),
    "vhost-user": in_devices("<interface type='vhostuser'/>" + RIGHT, LARGE),
    "comments": before(TARGET, IGNORE.format("block-below-thp")),
    "comments of no rules": before(TARGET, IGNORE.format("block-below-thpp{0}")),
    "comments of many names": lambda number: edited(
        DOMAIN, (BEFORE, IGNORE.format(",".join(f"x{n}" for n in range(number))) + BEFORE)
    ),
    "comments, each of many names": before(TARGET, IGNORE.format("{0}," + ",".join("abcdef"))),
    "comments of all that is found": lambda number: edited(
        DOMAIN,
        (TARGET, TARGET + "<requestd/>" * number),
        (BEFORE, IGNORE.format("element-unknown") * number + BEFORE),
    ),
    "comments in each other": deep_comments,
    "comments at each device": in_devices(IGNORE.format("block-below-thp,block-not-power-of-two") + WRONG),
    "processing instructions": before(TARGET, "<?a b?>"),
    "lines": before(TARGET, "\n", (REQUESTED, "<requestd/>")),
    "a long line": _lines_in_one(before(BEFORE, "<!-- é -->", (TARGET, TARGET + "<requestd/>" * 50))),
}
