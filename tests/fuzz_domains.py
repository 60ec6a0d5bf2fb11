"""Fuzzing, guided by coverage: bytes to findings, arguments, reports and repairs, on a corpus of the golden domains.

usage: python tests/fuzz_domains.py SECONDS [FOLDER [SEED]]    (make fuzz)

FOLDER keeps the corpus between runs, and takes what breaks a promise as crash-*, to be run again by its name. A SEED
other than 0 begins with the golden domains alone, and as every run with it; without one, each run begins elsewhere. The
promises are below; the options of a run follow from the input's length, so that an input alone tells all.
"""

import json
import random
import re
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import atheris
from domains import ROOT
from lxml import etree
from runner import commands

with atheris.instrument_imports(include=["virtmem_cli"]):
    from judging import check, document, fix

    from virtmem_cli.cli.terminal import plain
    from virtmem_cli.conversion import convert
    from virtmem_cli.document.tree import parse_tree
    from virtmem_cli.errors import InputRefusedError, VirtmemError
    from virtmem_cli.findings import Part, Severity
    from virtmem_cli.judgement import Terms, look
    from virtmem_cli.parse.known import known_elements
    from virtmem_cli.registry import RULES
    from virtmem_cli.report import DOCUMENTS, arguments_format
    from virtmem_cli.report.harmless import for_runner
    from virtmem_cli.report.text import lines
    from virtmem_cli.target import HOSTS, Qemu, Target
    from virtmem_cli.told import ReportedEdit

Element = etree._Element
QEMUS = (Qemu(), Qemu(version=(7, 2)), Qemu(version=(5, 2)))
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}
SCOPES = ("devices", "memory", "machine")
# What a terminal would act upon; a line break ends each line of a report.
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def target_of(number: int) -> Target:
    hosts = tuple(HOSTS.values())
    return Target(
        qemu=QEMUS[number % len(QEMUS)],
        scope=SCOPES[number // 3 % len(SCOPES)],  # type: ignore[arg-type]
        host=hosts[number // 9 % len(hosts)],
    )


def promises_of_arguments(data: bytes, target: Target) -> None:
    """No arguments beside an error; shell, lines and JSON give the same ones, and QEMU's own JSON is JSON."""
    try:
        conversion = convert(data, "fuzz", target)
    except InputRefusedError:
        return
    errors = [one for one in conversion.findings if one.severity is Severity.ERROR]
    assert conversion.refused == bool(errors)
    argv = list(conversion.argv)
    assert bool(argv) == (bool(conversion.devices) and not errors)
    if not argv:
        return
    assert shlex.split(arguments_format("shell")(argv).replace("\\\n", "")) == argv
    assert json.loads(arguments_format("json")(argv)) == argv
    try:
        assert arguments_format("lines")(argv).split("\n")[:-1] == argv
    except VirtmemError:
        assert any("\n" in argument for argument in argv)
    for option, value in zip(argv[::2], argv[1::2], strict=True):
        assert option.startswith("-")
        if value.startswith("{"):
            assert isinstance(json.loads(value), dict)


def promises_of_reports(data: bytes, target: Target) -> None:
    """Every finding is somewhere in the text, and every format can be written."""
    judgement = check(data, target)
    assert judgement.refused == any(one.severity is Severity.ERROR for one in judgement.findings)
    for finding in judgement.findings:
        assert not CONTROLS.search(finding.message + finding.advice), finding
        if judgement.source is not None:
            judgement.source.length(finding.location.line)
            assert finding.location[:2] <= finding.location[2:]
    assert not CONTROLS.search(plain(lines(judgement)))
    for form in DOCUMENTS:
        written = document(form, judgement)
        assert form == "github" or json.loads(written)
        obeyed = [command.name for command in commands(for_runner(written, form))]
        assert obeyed == ([LEVELS[one.severity] for one in judgement.findings] if form == "github" else [])
    assert not list(commands(for_runner(plain(lines(judgement)), "words")))


def promises_of_repairs(data: bytes, target: Target) -> None:
    """After all repairs the text parses, nothing is worse, what no repair names is as it was, and nothing is left."""
    for unsafe in (False, True):
        try:
            done = fix(data, target, unsafe=unsafe)
        except VirtmemError as error:
            if not re.search("does not give back the same bytes|there is still something to repair", str(error)):
                raise
            return
        if done.before.source is None:
            assert done.data == data
            return
        again = fix(done.data, target, unsafe=unsafe)
        assert (again.data, again.made) == (done.data, 0)
        before, after = (parse_tree(text, "fuzz") for text in (data, done.data))
        if done.made:
            same_but_for(done.edits, before, after, done.origins)
        left = Counter(
            (rule, done.origins[number] if done.made else number, host)
            for rule, number, host in errors(done.data, target)
        )
        assert not left - Counter(errors(data, target))
        if not unsafe and not errors(data, target):
            assert machine(data, target) in ((), machine(done.data, target))


def same_but_for(
    edits: Sequence[tuple[int | None, ReportedEdit]], before: Element, after: Element, origins: Sequence[int | None]
) -> None:
    """What no edit names is as it was: each element that is left, its name, attributes and text."""
    old, new = list(before.iter(etree.Element)), list(after.iter(etree.Element))
    named: dict[int | None, set[str]] = {}
    for number, edit in edits:
        its = {"size": {edit.name, "unit"}, "attribute-name": {edit.name, edit.value}, "tag": {"<"}}
        named.setdefault(number, set()).update(its.get(edit.part, {edit.name}))
    removed = {number for number, edit in edits if edit.part == Part.REMOVE.value}
    for element, origin in zip(new, origins, strict=True):
        if origin is not None:
            changed = {name for name, _ in says(element).items() ^ says(old[origin]).items()}
            assert changed <= named.get(origin, set()), changed
    numbers = {element: number for number, element in enumerate(old)}
    for gone in set(range(len(old))) - set(origins):
        assert removed & {numbers[up] for up in (old[gone], *old[gone].iterancestors())}


def says(element: Element) -> dict[str, str]:
    """An element's name as '<', its own text as '', and its attributes."""
    return {"<": str(element.tag), "": " ".join("".join(element.xpath("text()")).split()), **element.attrib}


def errors(data: bytes, target: Target) -> Sequence[tuple[str, int, str]]:
    return look(data, "fuzz", Terms(targets=[target])).errors


def machine(data: bytes, target: Target) -> tuple[str, ...]:
    """What QEMU would be started with."""
    return convert(data, "fuzz", target._replace(scope="machine")).argv


def one(data: bytes) -> None:
    target = target_of(len(data))
    promises_of_arguments(data, target)
    promises_of_reports(data, target)
    promises_of_repairs(data, target)


VALUES = (
    *("0", "1", "2", "3", "4", "5", "8", "16", "31", "128", "255", "2048", "1048576", "4194304", "1073741824"),
    *("-1", "+4", "0x2", "0x140000000", "007", "2M", "1.5", "4 GiB", "2,048", "99999999999999999999", "1e3", "٤"),
    *("0-3", "^1", "0-3,^2", "1,", "", " ", "yes", "no", "on", "off", "shared", "private", "virtio-mem", "dimm"),
    *("ua-a", "a,b", "$(id)", "'", '"', "\n", "[red]", "\u202e", "pci", "ccw", "KiB", "MiB", "GiB", "KB", "EiB"),
    *("x86_64", "aarch64", "s390x", "q35", "pc", "virt", "memfd", "file", "immediate", "ondemand", "restrictive"),
)


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """One change of the tree, mostly, so that what comes of it is XML still; else one of the bytes."""
    chance = random.Random(seed)
    try:
        root = etree.fromstring(data) if chance.random() < 0.8 else None
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        return bytes(atheris.Mutate(data, max_size))
    for _ in range(chance.randint(1, 3)):
        elements = list(root.iter(etree.Element))
        element, other = chance.choice(elements), chance.choice(elements)
        try:
            CHANGES[chance.randrange(len(CHANGES))](element, other, chance)
        except (ValueError, TypeError):
            pass  # no name, or a tree in itself
    text: bytes = etree.tostring(root, encoding=chance.choice(ENCODINGS))
    return text[:max_size]


def _set_attribute(element: Element, other: Element, chance: random.Random) -> None:
    names = [*element.attrib, *other.attrib, "unit"]
    element.set(str(chance.choice(names)), chance.choice(VALUES))


def _drop_attribute(element: Element, other: Element, chance: random.Random) -> None:
    element.attrib.pop(chance.choice([*element.attrib, "unit"]), None)


def _set_text(element: Element, other: Element, chance: random.Random) -> None:
    if len(element) == 0:
        element.text = chance.choice(VALUES)


def _rename(element: Element, other: Element, chance: random.Random) -> None:
    element.tag = other.tag if chance.random() < 0.7 else f"{element.tag!s}d"


def _misspell(element: Element, other: Element, chance: random.Random) -> None:
    """A letter twice, in the name of the element or of an attribute, perhaps beside the right one."""
    name = str(chance.choice([element.tag, *element.attrib]))
    place = chance.randrange(len(name))
    odd = chance.choice((name[:place] + name[place:][:1] + name[place:], name.swapcase(), f"{name}s"))
    if name == element.tag:
        element.tag = odd
    else:
        element.set(odd, element.get(name, ""))
        if chance.random() < 0.7:
            element.attrib.pop(name, None)


def _swap(element: Element, other: Element, chance: random.Random) -> None:
    one, two = deepcopy(element), deepcopy(other)
    parent, others = element.getparent(), other.getparent()
    if parent is not None and others is not None and other not in (*element.iter(), *element.iterancestors()):
        parent.replace(element, two)
        others.replace(other, one)


def _copy(element: Element, other: Element, chance: random.Random) -> None:
    other.insert(chance.randint(0, len(other)), deepcopy(element))


def _twice(element: Element, other: Element, chance: random.Random) -> None:
    element.addnext(deepcopy(element))


def _drop(element: Element, other: Element, chance: random.Random) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _comment(element: Element, other: Element, chance: random.Random) -> None:
    element.addprevious(etree.Comment(f" virtmem: ignore={chance.choice(list(RULES))} "))


CHANGES = (
    _set_attribute,
    _set_attribute,
    _set_text,
    _set_text,
    _drop_attribute,
    _rename,
    _misspell,
    _misspell,
    _swap,
    _copy,
    _twice,
    _drop,
    _comment,
)
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-16", "iso-8859-1")


def words() -> set[str]:
    """What domains are made of, so that the fuzzer need not guess it letter by letter."""
    paths = [(path, its) for path, its in known_elements()]
    known = {name for path, _ in paths for name in path.split("/")}
    known |= {name for _, its in paths if its for name in its.attributes}
    found = set(re.findall(r"[A-Za-z_][A-Za-z0-9_-]{2,}", " ".join(p.read_text() for p in ROOT.glob("testdata/xml/*"))))
    units = {"KiB", "MiB", "GiB", "TiB", "EiB", "KB", "bytes"}
    return known | units | {word for word in found if len(word) < 20} | {"<!--", "-->", "<![CDATA[", "]]>", "&#x", "0x"}


def main() -> None:
    seconds, folder = sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else ".fuzz")
    if Path(seconds).is_file():
        one(Path(seconds).read_bytes())
        return
    seed = sys.argv[3] if len(sys.argv) > 3 else "0"
    corpus = folder / ("corpus" if seed == "0" else f"corpus-{seed}")
    if seed != "0":
        shutil.rmtree(corpus, ignore_errors=True)
    corpus.mkdir(parents=True, exist_ok=True)
    for path in ROOT.glob("testdata/xml/*.xml"):
        (corpus / path.name).write_bytes(path.read_bytes())
    dictionary = folder / "words.dict"
    dictionary.write_text("".join(f'"{word}"\n' for word in sorted(words())))
    options = [
        f"-max_total_time={seconds}",
        f"-dict={dictionary}",
        f"-seed={seed}",
        f"-artifact_prefix={folder}/",
        "-max_len=6000",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
