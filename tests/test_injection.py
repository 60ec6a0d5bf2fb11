"""Injection: what a shell runs, what QEMU reads, and where a file goes, is what was meant, whatever words are in it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from command import execute, process, shell, virtmem
from hostile import DOMAIN, WARNED, domain, odd_domain
from real_qemu import TIMEOUT, QemuBinary

from virtmem_cli import convert
from virtmem_cli.errors import VirtmemError
from virtmem_cli.host import local_host
from virtmem_cli.report import arguments_format

pytestmark = pytest.mark.usefixtures("here")
ODD = {
    "comma": "a,b",
    "commas": ",a,,b,",
    "equals": "a=b,share=on",
    "quote": "it's",
    "quotes": "'\"'\"",
    "out of quotes": "';touch canary;'",
    "dollar": "$(touch canary)",
    "backtick": "`touch canary`",
    "variable": "${IFS}$0",
    "line": "a\ntouch canary\n",
    "and": "a&&touch canary;|<>",
    "backslash": "a\\'\\n\\",
    "dash": "-x",
    "dashes": "--help",
    "up": "../here/canary2",
    "dots": "..",
    "glob": "* ? ~ [a]",
    "hash": "#a !b %s{}",
    "spaces": " a  b ",
    "tab": "a\tb",
    "markup": "[red]x[/red]",
    "link": "[link=http://x]y",
    "controls": "a\x9b31m\x9d8;;x\x9c",
    "bidi": "\u202egnp\u2066.\u200f",
    "letters": "gro\u00df \U0001f600",
    "json": '{"a":"b"}',
}
NAMES = {name: text for name, text in ODD.items() if not {"/", "\n"} & {*text}}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.process
@pytest.mark.parametrize("qemu", ["5.2", "11.1"])
@pytest.mark.parametrize("scope", ["devices", "memory", "machine"])
def test_a_shell_gets_the_very_arguments(scope: str, qemu: str, here: Path) -> None:
    """Each shell that is here reads --format shell as what --format json says, and runs nothing of it."""
    inputs = here / "inputs"
    inputs.mkdir()
    for number, text in enumerate(ODD.values()):
        (inputs / f"{number}.xml").write_text(odd_domain(path=text), encoding="utf-8")
    for number, text in enumerate(NAMES.values(), len(ODD)):
        (inputs / f"{number}.xml").write_text(odd_domain(name=text), encoding="utf-8")
    files = sorted(inputs.iterdir())
    for form in ("shell", "json"):
        run = process("xml2argv", "--scope", scope, "--qemu", qemu, "--format", form, "-o", form, *files)
        assert run.code == 0
    written = sorted((here / "json").iterdir())
    assert len(written) == len(files)
    argvs = [json.loads(path.read_text(encoding="utf-8")) for path in written]
    before = names(here)
    script = 'for file in shell/*; do args=$(cat "$file"); eval "set -- $args"; printf "%s\\0" "$#" "$@"; done'
    for one in filter(shutil.which, ("sh", "dash", "bash", "busybox")):
        command = [one, "sh", "-c", script] if one == "busybox" else [one, "-c", script]
        run = execute(command)
        words = run.out.split("\0")[:-1]
        assert run.err == ""
        assert words == [word for argv in argvs for word in (str(len(argv)), *argv)]
    assert names(here) == before


@pytest.mark.process
@pytest.mark.parametrize("qemu", ["5.2", "11.1"])
def test_a_mount_with_a_line_break_is_carried(qemu: str, here: Path) -> None:
    """A mount of huge pages, as the kernel tells of it; shell and JSON carry it, lines cannot."""
    (here / "proc").mkdir()
    (here / "proc/mounts").write_text("none /mnt/a\\012b,\\040'c hugetlbfs rw,pagesize=2M 0 0\n")
    xml = domain(("  <os>", "<memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking><os>"))
    argv = convert(xml, scope="memory", qemu=qemu, host=local_host(here)).argv
    path = "/mnt/a\nb, 'c/libvirt/qemu/-1-guest"
    assert (path.replace(",", ",,") if qemu == "5.2" else json.dumps(path)) in argv[-3]
    words = shell('eval "set -- $1"; printf "%s\\0" "$@"', arguments_format("shell")(argv)).out.split("\0")
    assert words[:-1] == list(argv) == json.loads(arguments_format("json")(argv))
    if qemu == "5.2":
        with pytest.raises(VirtmemError, match="line break"):
            arguments_format("lines")(argv)


def ask(binary: str, argv: Sequence[str], paths: Sequence[str]) -> dict[str, str]:
    """QEMU, started frozen in the current folder: the path of each memory backend that it has, by its QOM path."""
    questions = [{"execute": "qmp_capabilities"}]
    questions += [{"execute": "qom-get", "arguments": {"path": p, "property": "mem-path"}, "id": p} for p in paths]  # type: ignore[dict-item]
    run = subprocess.run(
        [binary, "-S", "-nodefaults", "-display", "none", "-qmp", "stdio", *argv],
        input="".join(json.dumps(question) + "\n" for question in [*questions, {"execute": "quit"}]).encode(),
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    replies = [json.loads(line) for line in run.stdout.splitlines()]
    return {reply["id"]: reply["return"] for reply in replies if "id" in reply}


@pytest.mark.parametrize("qemu", ["5.2", "7.2"])
def test_qemu_reads_the_very_paths(qemu: str, qemu_binary: QemuBinary, here: Path) -> None:
    """In the old syntax as in JSON; all odd paths in one domain, and each odd name in a path."""
    binary = qemu_binary("x86_64")
    pmem = "".join(
        f"<memory model='virtio-pmem' access='shared'><source><path>{escape(text)}</path></source>"
        f"<target><size unit='MiB'>2</size></target><alias name='ua-{number}'/></memory>"
        for number, text in enumerate(text for text in ODD.values() if text != "..")
    )
    name = "a,b='\"$`\\;[x] \u00df\U0001f600"
    xml = odd_domain(name).replace("</devices>", f"{pmem}</devices>").replace("'GiB'>16", "'GiB'>64")
    folder = here / "it's, \u00df"
    (here / "host.toml").write_text(f'memory-dir = "{folder}"', encoding="utf-8")
    run = process(
        *("xml2argv", "--scope", "machine", "--qemu", qemu, "--host", "host.toml", "--format", "json", "-"),
        given=xml,
    )
    assert run.code == 0
    expected = {f"/objects/memua-{n}": text for n, text in enumerate(text for text in ODD.values() if text != "..")}
    expected["/objects/memvirtiomem0"] = f"{folder}/-1-{name}/virtiomem0"
    for path in (*expected.values(), f"{folder}/-1-{name}/ram-node0"):
        (here / path).parent.mkdir(parents=True, exist_ok=True)
    assert ask(binary, json.loads(run.out), [*expected]) == expected


BARE = {
    "CPU model": ("<cpu>", "<cpu><model>qemu64,family=3</model>"),
    "CPU feature": ("<cpu>", "<cpu><model>qemu64</model><feature name='avx=off,family=3,aes' policy='require'/>"),
    "machine": ("'q35'", "'pc-q35-7.2=x'"),
    "machine, comma": ("'q35'", "'pc-q35-7.2,usb=on'"),
}


@pytest.mark.parametrize("name", BARE)
def test_a_word_with_more_behind_it_is_refused(name: str) -> None:
    """-cpu has no way to write a comma, and what is behind one is a property of its own."""
    run = virtmem("xml2argv", "--scope", "machine", "-", given=domain(BARE[name]))
    assert (run.code, run.out) == (1, "")


# Words of the input in every place of an argument where there can be one
ASKING = {
    "machine": lambda word: domain(("'q35'", f"'{word}'")),
    "CPU model": lambda word: domain(("<cpu>", f"<cpu><model>{word}</model>")),
    "CPU feature": lambda word: domain(("<cpu>", f"<cpu><model>qemu64</model><feature name='{word}'/>")),
    "alias": lambda word: domain(("<domain", "<domain id='1'"), ("    </memory>", f"<alias name='{word}'/></memory>")),
    "name": lambda word: odd_domain(name=word),
    "path": lambda word: odd_domain(path=word),
}


@pytest.mark.parametrize("version", ["5.2", "7.2"])
@pytest.mark.parametrize("word", ["help", "?"])
@pytest.mark.parametrize("place", ASKING)
def test_no_word_asks_qemu_for_a_list(place: str, word: str, version: str, qemu_binary: QemuBinary, here: Path) -> None:
    """QEMU would list what it has, and be content; such a word is refused, or in a place where it is no question."""
    binary = qemu_binary("x86_64")
    words = ("--scope", "machine", "--qemu", version, "--host", "host.toml", "--format", "json")
    (here / "host.toml").write_text(f"memory-dir = '{here}'")
    for folder in ("-1-guest", "-1-help", "-1-?", "1-guest"):
        (here / folder).mkdir()
    run = virtmem("xml2argv", *words, "-", given=ASKING[place](word))
    if place in ("machine", "CPU model", "CPU feature") or (place, word) == ("alias", "?"):
        assert (run.code, run.out) == (1, "")
    else:
        assert run.code == 0
        assert word in run.out
        ask(binary, json.loads(run.out), [])


@pytest.mark.parametrize("option", ["-machine", "-cpu"])
def test_to_qemu_help_is_a_question(option: str, qemu_binary: QemuBinary) -> None:
    assert re.match("Supported machines|Available CPUs", execute([qemu_binary("x86_64"), option, "help"]).out)


@pytest.mark.parametrize("driver", ["isa-debug-exit", "driver=pvpanic", "ioh3420,bus=pcie.0"])
def test_a_controller_is_no_other_device(driver: str) -> None:
    """libvirt knows the few drivers of each controller, and takes no other."""
    port = f"<controller type='pci' index='1' model='pcie-root-port'><model name={quoteattr(driver)}/></controller>"
    address = "<address type='pci' bus='0x01' slot='0x00'/></memory>"
    xml = domain(("<devices>", f"<devices>{port}"), ("    </memory>", address))
    run = virtmem("xml2argv", "--scope", "machine", "-", given=xml)
    assert (run.code, run.out) == (1, "")


def test_an_odd_alias_is_dropped_or_refused(here: Path) -> None:
    """libvirt drops it where the domain does not run, and QEMU would refuse it where it does."""
    aliases = [f"ua-{text}" for text in ODD.values()]
    for state, start in {"off": "<domain", "on": "<domain id='1'"}.items():
        (here / state).mkdir()
        for number, alias in enumerate(aliases):
            named = ("    </memory>", f"<alias name={quoteattr(alias)}/></memory>")
            (here / state / f"{number}.xml").write_text(domain(("<domain", start), named), encoding="utf-8")
    off = virtmem("xml2argv", "--format", "json", *sorted((here / "off").iterdir()))
    ids = [json.loads(json.loads(line)[3])["id"] for line in off.out.splitlines()]
    assert (off.code, len(ids)) == (0, len(aliases))
    assert {*ids} == {"virtiomem0", *(alias for alias in aliases if re.fullmatch(r"[\w-]+", alias, re.ASCII))}
    on = virtmem("xml2argv", "--format", "json", *sorted((here / "on").iterdir()))
    ids = [json.loads(json.loads(line)[3])["id"] for line in on.out.splitlines()]
    assert sorted(ids) == sorted(alias for alias in aliases if re.fullmatch(r"[\w.-]+", alias, re.ASCII))


@pytest.mark.parametrize("text", ["/x\\u0000", "/x\\u001b[31m", "/x\\n", "/x\\u202e", "/x\\u009b", "x"])
def test_a_host_file_has_no_odd_folder(text: str, here: Path) -> None:
    for key in ("memory-dir", "hugetlbfs.2MiB"):
        (here / f"{key}.toml").write_text(f'{key} = "{text}"')
        run = virtmem("xml2argv", "--host", here / f"{key}.toml", "-", given=DOMAIN)
        assert (run.code, run.out) == (2, "")


FILE_NAMES = [
    "../x.xml",
    "../../x.xml.xml",
    "..xml",
    ".xml",
    "-x.xml",
    "a\nb.xml",
    "$(touch canary).xml",
    "\x1b[31m.xml",
]


@pytest.mark.parametrize("file", FILE_NAMES)
def test_arguments_stay_in_their_folder(file: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = here / "work" / "deep"
    work.mkdir(parents=True)
    (work / file).write_text(odd_domain(".."))
    before = sorted(path for path in here.rglob("*"))
    monkeypatch.chdir(work)
    run = virtmem("xml2argv", "-o", "out", "--", file)
    assert run.code == 0
    (made,) = (work / "out").iterdir()
    assert made.name == os.path.basename(file).removesuffix(".xml") + ".args"
    assert sorted(path for path in here.rglob("*") if path not in (made, made.parent)) == before


def test_a_name_with_folders_in_it_is_refused(here: Path) -> None:
    run = virtmem("xml2argv", "-o", "out", "-", given=odd_domain("../../x"))
    assert run.code == 1
    assert not (here / "out").exists()


def test_a_repair_through_a_link_stays_in_its_file(here: Path) -> None:
    other = here / "other"
    other.mkdir()
    (other / "warned.xml").write_text(WARNED)
    (other / "more.xml").symlink_to("warned.xml")
    (here / "link.xml").symlink_to("other/more.xml")
    before = names(here)
    assert virtmem("check", "--fix", "--unsafe-fixes", "link.xml").code == 0
    assert names(here) == before
    assert names(other) == ["more.xml", "warned.xml"]
    assert (here / "link.xml").is_symlink()
    assert (other / "more.xml").is_symlink()
    assert (other / "warned.xml").read_text() == DOMAIN


@pytest.mark.parametrize("words", [["xml2argv"], ["check"], ["check", "--fix"], ["verify"]])
def test_a_file_name_with_nul_is_3(words: list[str]) -> None:
    """No process can be given one; a caller of the function can."""
    run = virtmem(*words, "a\0b.xml")
    assert run.code == 3
    assert "cannot be read" in run.err
