"""A domain as large, deep or long as one can be takes little time and memory.

Domains are made here, as large as `parse_tree` lets in.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from domains import edited
from hostile import COMMANDS, DEVICE, DEVICES, IGNORE, REQUESTED, TARGET, declared, domain, within_limits

from virtmem_cli.document.tree import LARGEST, LONGEST_NAMESPACE, MOST_ATTRIBUTES, MOST_TAGS

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("here")]


def troubles(data: str | bytes, folder: Path, commands: Sequence[str] = ("xml2argv", "fix")) -> dict[str, str]:
    """What goes wrong with each command on that domain; {} where nothing does. `fix` judges twice, as `check` does."""

    def trouble(command: str) -> str:
        file = folder / f"{command}.xml"
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        found = within_limits(*COMMANDS[command], file).trouble
        file.unlink()
        return found

    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(commands, pool.map(trouble, commands), strict=True))
    return {command: words for command, words in found.items() if words}


def many(text: str, size: int = MOST_TAGS, *, tags: int = 1, room: int = 100) -> str:
    """A text as often as there is room for its tags and attributes, up to so many tags altogether."""
    return text * min((size - room) // tags, (MOST_ATTRIBUTES - room) // max(1, text.count("=")))


def long(text: str, size: int = LARGEST, *, room: int = 20_000) -> str:
    """A text as often as there is room for it, and libxml2 takes it for one value."""
    return text * (min(size - room, 9_900_000) // len(text))


def numbered(text: str, *, tags: int) -> str:
    """A text for each number, of which there are as many as there is room for."""
    most = min((MOST_TAGS - 100) // tags, (MOST_ATTRIBUTES - 100) // max(1, text.count("=")))
    return "".join(text.format(number) for number in range(most))


def filled(xml: str, text: str = "x") -> str:
    """The domain with a comment that makes it as large as is let in."""
    room = (LARGEST - len(xml.encode()) - 20) // len(text.encode())
    return edited(xml, (DEVICES, f"<!--{text * room}-->{DEVICES}"))


def long_in(place: str, xml: Callable[[], str], letter: str = "x") -> str:
    """The domain with a very long name at a place."""
    text = xml()
    return text.replace(place, place + letter * (LARGEST - len(text.encode()) - 100), 1)


def many_of(device: str, before: str = "") -> str:
    return domain(("'GiB'>16", "'PiB'>4"), (DEVICES, before + device * 1200 + DEVICES))


def many_wrong(number: int) -> str:
    """Devices with a block that is no power of two."""
    device = "<memory model='virtio-mem'><target><size>4096</size><block>3072</block></target></memory>"
    return domain(("'GiB'>16", "'PiB'>4"), (DEVICES, device * number + DEVICES))


def placed(address: str, before: str = "") -> str:
    """Devices at addresses, as many as a bridge has slots and more."""
    device = DEVICE.replace("</memory>", f"<address {address}/></memory>")
    return domain(("'GiB'>16", "'PiB'>4"), (DEVICES, before + "".join(map(device.format, range(1, 600))) + DEVICES))


def nodemasks(text: str, number: int = 0) -> str:
    """Devices with such a list, each a little different, as many as there is room for."""
    device = "<memory model='virtio-mem'><source><nodemask>{},{}</nodemask></source></memory>"
    most = number or (LARGEST - 20_000) // (len(text) + 100)
    return domain((DEVICES, "".join(device.format(n, text) for n in range(most)) + DEVICES))


BRIDGE = "<controller type='pci' index='1' model='pci-bridge'><address type='pci' bus='0' slot='5'/>"
BEFORE = "    <memory model"
UNKNOWN = ("<target>", "<target>" + "<requestd/>" * 1000)

AT_THE_DOOR = ("deep", "attributes at the door", "elements at the door", "a large file")
# As deep, many or long as is let in; AT_THE_DOOR alone has more.
LARGE: Mapping[str, Callable[[], str | bytes]] = {
    "deep": lambda: "<domain>" + "<a>" * 100_000 + "</a>" * 100_000 + "</domain>",
    "deep, let in": lambda: domain((TARGET, TARGET + many("<a>", 500) + many("</a>", 500))),
    "attributes at the door": lambda: domain(("model=", " ".join(f"a{i}=''" for i in range(300_000)) + " model=")),
    "attributes": lambda: domain(("model=", " ".join(f"a{i}=''" for i in range(MOST_ATTRIBUTES - 100)) + " model=")),
    "elements at the door": lambda: domain((TARGET, TARGET + "<requestd/>" * 300_000)),
    "unknown elements": lambda: domain((TARGET, TARGET + many("<requestd/>"))),
    "unknown elements, long names": lambda: domain((TARGET, TARGET + f"<{'size' * 3000}/>" * (LARGEST // 12_100))),
    "unknown elements in domain": lambda: domain(("  <os>", many("<memoryy/>") + "<os>")),
    "unknown elements in devices": lambda: domain((DEVICES, many("<memoryy/>") + DEVICES)),
    "repeated elements": lambda: domain((TARGET, TARGET + many("<size>1</size>", tags=2))),
    "other namespaces": lambda: domain((DEVICES, many("<x:memory xmlns:x='y' model='virtio-mem'/>") + DEVICES)),
    "processing instructions": lambda: domain((TARGET, many("<?a b?>") + TARGET)),
    "devices, complete": lambda: domain(
        ("'GiB'>16", "'TiB'>1000"), (DEVICES, many(DEVICE, tags=DEVICE.count("<")) + DEVICES)
    ),
    "devices, empty": lambda: domain((DEVICES, many("<memory model='virtio-mem'/>") + DEVICES)),
    "devices, misspelt": lambda: domain((DEVICES, many("<memory model='virtio-men'/>") + DEVICES)),
    "devices, one alias and address": lambda: domain(
        (
            DEVICES,
            many(DEVICE.replace("</m", "<alias name='ua-x'/><address type='pci' slot='5'/></m"), tags=14) + DEVICES,
        )
    ),
    "DIMMs": lambda: domain(
        (
            DEVICES,
            many("<memory model='dimm'><target><size>1048576</size><node>0</node></target></memory>", tags=8) + DEVICES,
        )
    ),
    "DIMMs, empty": lambda: domain((DEVICES, many("<memory model='dimm'/>") + DEVICES)),
    "cells": lambda: domain(("    </numa>", many("<cell id='1' memory='1'/>") + "</numa>")),
    "cells with all CPUs": lambda: domain(
        ("    </numa>", "".join(f"<cell id='{i}' memory='1' cpus='0-16383'/>" for i in range(1, 128)) + "</numa>")
    ),
    "distances": lambda: domain(
        (
            "'GiB'/>\n    </numa>",
            "'GiB'><distances>" + many("<sibling id='0' value='10'/>") + "</distances></cell></numa>",
        )
    ),
    "pages": lambda: domain(
        (
            "  <os>",
            f"<memoryBacking><hugepages>{many('''<page size='2048' nodeset='0'/>''')}</hugepages></memoryBacking><os>",
        )
    ),
    "memnodes": lambda: domain(
        ("  <os>", f"<numatune><memory nodeset='0'/>{many('''<memnode cellid='0' nodeset='0'/>''')}</numatune><os>")
    ),
    "controllers": lambda: domain(
        (DEVICES, many("<controller type='pci' index='7' model='pcie-root-port'/>") + DEVICES)
    ),
    "controllers without index": lambda: domain((DEVICES, many("<controller type='pci'/>") + DEVICES)),
    "addresses": lambda: domain(
        (DEVICES, many("<disk><address type='pci' bus='1' slot='1'/></disk>", tags=3) + DEVICES)
    ),
    "addresses, all different": lambda: domain(
        (DEVICES, numbered("<disk><address type='pci' bus='1' slot='{0}' function='0'/></disk>", tags=3) + DEVICES)
    ),
    "aliases": lambda: domain((DEVICES, numbered("<disk><alias name='ua-{0}'/></disk>", tags=3) + DEVICES)),
    "CPU features": lambda: domain(("<cpu>", "<cpu>" + numbered("<feature name='a{0}' policy='off'/>", tags=1))),
    "comments": lambda: domain((TARGET, many(IGNORE.format("block-below-thp")) + TARGET)),
    "comments, nested": lambda: domain(
        (TARGET, TARGET + (IGNORE.format("element-unknown") + "<a>") * 200 + "</a>" * 200)
    ),
    "comments that all silence much": lambda: domain(
        UNKNOWN, (BEFORE, many(IGNORE.format("element-unknown"), MOST_TAGS - 1100) + BEFORE)
    ),
    "a comment with a rule, again and again": lambda: domain(
        UNKNOWN, (BEFORE, IGNORE.format(long("element-unknown,") + "element-unknown") + BEFORE)
    ),
    "a comment with names of nothing": lambda: domain((BEFORE, IGNORE.format(long(",")) + BEFORE)),
    "a large file": lambda: b"<domain>" + b" " * 100_000_000,
    "a long name": lambda: domain(("guest", long("x"))),
    "a name too long": lambda: domain(("guest", "x" * (LARGEST - 10_000))),
    "a long name of strange letters": lambda: domain(("guest", "\U0001f600" + long("x", LARGEST // 2))),
    "a number of letters": lambda: domain(("'GiB'>4</size", f"'GiB'>{long('x')}</size")),
    "white space before a number": lambda: domain(("'GiB'>4</size", f"'GiB'>{long(' ')}4</size")),
    "a long number": lambda: domain(("'GiB'>4</size", f"'GiB'>{'1' * 1_000_000}</size")),
    "a long number of noughts": lambda: domain(("'GiB'>4</size", f"'GiB'>{'0' * 1_000_000}4</size")),
    "a long number and a letter": lambda: domain(("'GiB'>4</size", f"'GiB'>{'1' * 1_000_000}x</size")),
    "a long hexadecimal number": lambda: domain(
        (TARGET, "<target>" + f"<address base='0x{'0' * 1_000_000}'/>"), ("slots='4'", f"slots='{'4' * 1_000_000}x'")
    ),
    "a long unit": lambda: domain(("'GiB'>4</size", f"'{long('GiB')}'>4</size")),
    "a long access": lambda: domain(("model='virtio-mem'", f"model='virtio-mem' access='{long('shared')}'")),
    "a long model": lambda: domain(("'virtio-mem'", f"'virtio-mem{long('x')}'")),
    "a long machine": lambda: domain(("'q35'", f"'pc-q35-{long('9')}'")),
    "a long alias": lambda: domain(
        ("<domain", "<domain id='1'"), ("    </memory>", f"<alias name='{long('x,')}'/></memory>")
    ),
    "a nodemask of all": lambda: domain((TARGET, f"<source><nodemask>0-4294967295</nodemask></source>{TARGET}")),
    "a nodemask of many": lambda: domain((TARGET, f"<source><nodemask>{long('1,')}1</nodemask></source>{TARGET}")),
    "a nodemask of letters": lambda: domain(
        (TARGET, f"<source><nodemask>{'a' * 1_000_000}</nodemask></source>{TARGET}")
    ),
    "nodemasks of many": lambda: domain(
        (
            DEVICES,
            f"<memory model='virtio-mem'><source><nodemask>{'1-1,' * 24_000}1</nodemask></source></memory>"
            * (LARGEST // 97_000)
            + DEVICES,
        )
    ),
    "a long line": lambda: domain(UNKNOWN, (BEFORE, f"<!--\U0001f600{long('x', LARGEST // 2)}-->{BEFORE}")).replace(
        "\n", " "
    ),
    "strange letters": lambda: domain(
        (REQUESTED, "<requestd/>"),
        (BEFORE, f"<!--\U0001f600{long('x')}--><!--{long('x', LARGEST - 10_000_000)}-->{BEFORE}"),
    ),
    "many lines": lambda: domain(
        (REQUESTED, "<requestd/>"),
        (BEFORE, f"<!--{long(chr(10))}--><!--{long(chr(10), LARGEST - 10_000_000)}-->{BEFORE}"),
    ),
    "white space in a tag": lambda: domain(("model='virtio-mem'", "model='virtio-mem' acess='shared'" + long(" "))),
    "a long line with much to say": lambda: filled(many_wrong(2000).replace("\n", " ")),
    "a long line of strange letters": lambda: filled(many_wrong(2000).replace("\n", " "), "\U0001f600é"),
    "a long architecture": lambda: long_in("x86_64", lambda: placed("type='usb'")),
    "a long machine of dashes": lambda: long_in(
        "q35", lambda: many_of(DEVICE.replace("<target", "<target dynamicMemslots='yes'")), "-"
    ),
    "a long alias of a controller": lambda: long_in(
        "LONG", lambda: placed("type='pci' bus='1' slot='{0}'", f"{BRIDGE}<alias name='ua-LONG'/></controller>")
    ),
    "a long alias in the way": lambda: long_in(
        "LONG",
        lambda: many_of(
            DEVICE.replace("</target>", "<address base='0x200000000'/></target>"),
            "<memory model='virtio-mem'><alias name='ua-LONG'/><target><size>4096</size><node>0</node>"
            "<block>2048</block><address base='0x200000000'/></target></memory>",
        ),
    ),
    "nodemasks of ranges": lambda: nodemasks(",".join(f"{n}-163{n % 84:02}" for n in range(8000))),
    "nodemasks of all numbers": lambda: nodemasks(",".join(map(str, range(16384)))),
    "nodemasks that take out": lambda: nodemasks("0-16383," + ",".join(f"^{n}" for n in range(12_000))),
    "nodemasks of white space": lambda: nodemasks(f"1{' ' * 990}x", 900),
    "comments with all kinds of names": lambda: domain(
        (
            TARGET,
            "".join(IGNORE.format(",".join(f"{n:x}" for n in range(i, i + 1100))) for i in range(900)) + TARGET,
        )
    ),
    "misplaced devices, and strangers": lambda: domain(
        (DEVICE, ""), ("  <os>", many("<memory model='virtio-mem'/><memoryy/>", tags=2) + "<os>")
    ),
    "a long namespace": lambda: domain(
        ("<domain", f"<domain xmlns:x='{'u' * 3_000_000}'"),  # refused for that
        (DEVICES, many("<memory model='virtio-mem' x:a='' x:b=''/>", 10_000) + DEVICES),
    ),
    "a namespace, attributes": lambda: domain(
        ("<domain", f"<domain xmlns:x='{'u' * LONGEST_NAMESPACE}'"),
        (TARGET, "<target " + " ".join(f"x:a{n}=''" for n in range(30_000)) + ">"),
    ),
    "what grows as it is written": lambda: declared(
        "windows-1252", domain((DEVICES, f"<a>&#128512;</a><a b='{chr(34) * 4_000_000}'/>{DEVICES}"))
    ),
    "many repairs that do harm": lambda: domain(
        ("'GiB'>16", "'TiB'>1"),
        (DEVICES, DEVICE.replace("requested unit='GiB'>4</requested", "requestd>9999</requestd") * 300 + DEVICES),
    ),
    "repairs that do harm, and a long comment": lambda: filled(
        domain(
            ("'GiB'>16", "'TiB'>1"),
            (DEVICES, DEVICE.replace("requested unit='GiB'>4</requested", "requestd>9999</requestd") * 40 + DEVICES),
        )
    ),
    "UTF-16": lambda: declared(
        "UTF-16", many_wrong(2000).replace(DEVICES, f"<!--{'x' * 1_500_000}-->{DEVICES}")
    ).encode("utf-16"),
    "GB18030": lambda: declared(
        "GB18030", many_wrong(2000).replace(DEVICES, "<!--" + "\U0001f600" * 900_000 + "-->" + DEVICES)
    ).encode("gb18030"),
    "tags that ISO-2022-CN hides": lambda: declared("ISO-2022-CN", filled(many_wrong(1000))[:-100]).encode(),
    "tags that UTF-7 hides": lambda: (
        b"<?xml version='1.0' encoding='UTF-7'?><domain>+"
        + b64encode(("<a/>" * (LARGEST * 3 // 32 - 100)).encode("utf-16-be"))
        + b"-</domain>"
    ),
    "tags that Java's escapes hide": lambda: (
        b"<?xml version='1.0' encoding='JAVA'?><domain>" + b"\\u003ca/>" * (LARGEST // 9 - 100) + b"</domain>"
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_domain_takes_little(name: str, here: Path) -> None:
    data = LARGE[name]()
    data = data.encode() if isinstance(data, str) else data
    refused = len(data) > LARGEST or data.count(b"<") > MOST_TAGS or data.count(b"=") > MOST_ATTRIBUTES
    assert refused == (name in AT_THE_DOOR)
    assert troubles(data, here) == {}


@pytest.mark.parametrize("name", ["white space in a tag", "many lines", "unknown elements", "strange letters"])
def test_a_diff_of_a_large_domain_takes_little(name: str, here: Path) -> None:
    assert troubles(LARGE[name](), here, ["check", "diff"]) == {}


def test_a_diff_of_lines_that_return_takes_little(here: Path) -> None:
    """No line is so frequent that difflib leaves it out, and each is at hundreds of places."""
    lines = "".join(f"{number % 500}\n" for number in range(400_000))
    assert troubles(domain((REQUESTED, "<requestd/>"), (BEFORE, f"<!--{lines}-->{BEFORE}")), here, ["diff"]) == {}
