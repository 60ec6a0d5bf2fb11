"""What a terminal would act upon reaches it in no way, be it in names, in values or in what QEMU says."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from command import VIRTMEM, on_a_terminal, without_colour
from hostile import (
    DOMAIN,
    IGNORE,
    REQUESTED,
    UNSEEN,
    WARNED,
    declared,
    domain,
    limited,
    odd_domain,
    unseen,
    within_limits,
)

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("here")]
EVIL = f"\x1b]8;;http://x\x07[red]\x1b[2J\x9b31m\u202e\u2066[link=http://x]y\r\b{UNSEEN[-8:]}"
# What XML can hold of that
EVIL_XML = "\x9d8;;http:x\x07[red]\x9b2J\u202e\u2066[link=x]y\x85\u2028".replace("\x07", "\x9c") + UNSEEN[-8:]
EVIL_DOMAIN = domain(
    ("guest", f"{EVIL_XML}/"),
    ("'MiB'>4", f"'M{EVIL_XML}'>3{EVIL_XML}"),
    ("model='virtio-mem'", f"model='virtio-mem' access='{EVIL_XML}'"),
    ("<node>0", f"<!-- {EVIL_XML} --><node>{EVIL_XML}"),
    ("    </memory>", f"\t<alias name='{EVIL_XML}'/>\n{IGNORE.format(EVIL_XML)}\n</memory>"),
    ("'q35'", f"'{EVIL_XML}'"),
    ("machine=", f"\t{EVIL_XML.replace(EVIL_XML, 'x')}='{EVIL_XML}' machine="),
    (REQUESTED, f"<requestd>\t{EVIL_XML}</requestd>"),
)
PMEM_DOMAIN = odd_domain(path=EVIL_XML)
QEMU_SAYS = [
    {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}}},
    {"id": "target", "return": {"arch": "x86_64"}},
    {"id": "virtio-mem-pci", "return": [{"name": "memaddr"}]},
    {"id": "memory-backend-ram", "return": [{"name": "reserve"}]},
]
QEMU_HAS = [
    QEMU_SAYS[0],
    {"id": "devices", "return": [{"type": "virtio-mem", "data": {"id": "virtiomem0", "memdev": EVIL}}]},
]


@pytest.fixture
def evil(here: Path) -> Path:
    """Files with odd names, of odd content; a QEMU that answers oddly, and one that says odd words."""
    (here / "good.xml").write_text(DOMAIN)
    folder = here / "evil"
    folder.mkdir()
    for name in (EVIL.replace("/", ""), "evil"):
        (folder / f"{name}.xml").write_text(EVIL_DOMAIN, encoding="utf-8")
    (folder / f"{EVIL.replace('/', '')}-broken.xml").write_text("<domain>")
    (folder / "pmem.xml").write_text(PMEM_DOMAIN, encoding="utf-8")
    warned = WARNED.replace("<target>", f"\t<target> <!-- \t{EVIL_XML} -->")
    (folder / "warned.xml").write_text(warned, encoding="utf-8")
    (folder / "latin.xml").write_text(
        declared("iso-8859-1", WARNED.replace("<node>", "<!-- gro\u00df --><node>")), encoding="latin-1"
    )
    asked, started = ("".join(json.dumps(one) + "\n" for one in answers) for answers in (QEMU_SAYS, QEMU_HAS))
    says = f"case \"$*\" in *'-machine none'*) cat <<'END'\n{asked}END\n;; *) cat <<'END'\n{started}END\nesac"
    for name, script in {"qemu": says, "words": f"printf '%s' '{EVIL}' >&2"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    (folder / "host.toml").write_text(f'"{json.dumps(EVIL)[1:-1]}" = 1')
    return folder


def terminal(words: Sequence[str], cwd: Path) -> str:
    """What the command writes to a terminal, on both streams."""
    run = on_a_terminal(*words, cwd=cwd, errors=True)
    assert run.code in (0, 1, 2, 3)
    return run.out


EVIL_FILE = EVIL.replace("/", "") + ".xml"
SHOWN = {
    "check": ["check", EVIL_FILE],
    "check of no domain": ["check", EVIL_FILE.replace(".xml", "-broken.xml")],
    "check of no file": ["check", EVIL],
    "fix": ["check", "--fix", "--unsafe-fixes", EVIL_FILE],
    "diff": ["check", "--diff", "--unsafe-fixes", EVIL_FILE],
    "xml2argv": ["xml2argv", EVIL_FILE],
    "xml2argv of no domain": ["xml2argv", EVIL_FILE.replace(".xml", "-broken.xml")],
    "xml2argv of no file": ["xml2argv", EVIL],
    "xml2argv to no folder": ["xml2argv", "-o", "evil.xml/" + EVIL, "pmem.xml"],
    "explain": ["explain", EVIL],
    "verify": ["verify", EVIL_FILE],
    "verify --qemu": ["verify", "--qemu", EVIL, "../good.xml"],
    "verify --qemu that talks": ["verify", "--qemu", "./words", "../good.xml"],
    "--qemu": ["check", "--qemu", EVIL, "evil.xml"],
    "--qemu without a slash": ["check", "--qemu", EVIL.replace("/", ""), "evil.xml"],
    "--host": ["check", "--host", EVIL, "evil.xml"],
    "--host, a file": ["check", "--host", "host.toml", "evil.xml"],
    "--schema": ["check", f"--schema={EVIL}.rng", "evil.xml"],
    "--ignore": ["check", "--ignore", EVIL, "evil.xml"],
    "-o": ["xml2argv", "-o", "evil.xml", EVIL_FILE],
    **{f"check --format {form}": ["check", "--format", form, EVIL_FILE, EVIL] for form in ("json", "sarif", "github")},
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_terminal_gets_words_and_colours(name: str, evil: Path) -> None:
    text = without_colour(terminal(SHOWN[name], evil))
    assert text
    assert unseen(text) == set()


@pytest.mark.parametrize("words", [["check", f"--{EVIL}"], [f"--{EVIL}"], [EVIL], ["explain", "a", EVIL]], ids=str)
def test_a_terminal_is_safe_from_wrong_usage(words: list[str], evil: Path) -> None:
    assert unseen(terminal(words, evil)) == set()


def test_a_terminal_is_safe_from_what_qemu_answers(evil: Path) -> None:
    """In the table of `verify`."""
    text = without_colour(terminal(["verify", "--qemu", "./qemu", "../good.xml"], evil))
    assert "differs" in text
    assert unseen(text) == set()


@pytest.mark.parametrize("qemu", ["5.2", "11.1"])
@pytest.mark.parametrize("form", ["shell", "lines", "json"])
def test_a_terminal_is_safe_from_arguments(form: str, qemu: str, evil: Path) -> None:
    """Whoever looks at them is not deceived."""
    words = ["xml2argv", "--scope", "memory", "--qemu", qemu, "--format", form, "pmem.xml"]
    text = without_colour(terminal(words, evil))
    assert "mem-path" in text
    assert unseen(text) == set()


@pytest.mark.parametrize("no_color", ["", "1"])
@pytest.mark.parametrize(
    "words", [["--diff", "--unsafe-fixes", "warned.xml"], ["--fix", "--unsafe-fixes", "-"]], ids=" ".join
)
def test_a_terminal_is_safe_from_repairs(words: list[str], no_color: str, evil: Path) -> None:
    run = on_a_terminal("check", *words, given=evil / "warned.xml", cwd=evil, NO_COLOR=no_color)
    assert run.code == 0
    assert "requested" in run.out
    assert unseen(without_colour(run.out)) == set()


@pytest.mark.parametrize("name", ["check", "check of no domain", "xml2argv", "explain", "verify --qemu that talks"])
def test_a_terminal_gets_the_words_of_a_pipe(name: str, evil: Path) -> None:
    run = limited(["sh", "-c", 'exec "$0" "$@" 2>&1', VIRTMEM, *SHOWN[name]], cwd=evil)
    assert without_colour(terminal(SHOWN[name], evil)) == run.out.decode()
    assert unseen(run.out.decode()) == set()


@pytest.mark.parametrize("file", ["warned.xml", "latin.xml"])
def test_a_diff_on_a_terminal_is_the_diff(file: str, evil: Path) -> None:
    """A tab in it is white space, and no other letter than the file has."""
    text = without_colour(terminal(["check", "--diff", "--unsafe-fixes", file], evil))
    assert "+        <requested" in text
    assert "\\u0009" not in text
    assert "\ufffd" not in text
    assert (r"<!-- gro\udcdf -->" in text) == (file == "latin.xml")  # the byte, whatever its encoding
    assert unseen(text) == set()


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_a_report_in_a_pipe_has_no_controls(form: str, evil: Path) -> None:
    run = within_limits("check", "--format", form, EVIL_FILE, EVIL, "pmem.xml", cwd=evil)
    assert run.trouble == ""
    assert unseen(run.out.decode()) == set()
