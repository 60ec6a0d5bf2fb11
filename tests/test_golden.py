"""Golden files: testdata/xml/NAME.xml against what the real command makes of it.

NAME.args is standard output, NAME.err standard error; each exists exactly when there is something in it. Further
files NAME.VARIANT.args and .err hold the same domain for other options: see VARIANTS; NAME.check.out is what `check`
prints. To add a variant, make an empty file of that name and run `pytest --update-golden`.
"""

import difflib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import virtmem
from domains import ROOT

TESTDATA = ROOT / "testdata"
XML, ARGS = TESTDATA / "xml", TESTDATA / "args"

VARIANTS: dict[str, Callable[[str], list[str]]] = {
    r"(check)": lambda _: [],
    r"check-(diff)": lambda _: ["--diff"],
    r"check-diff-(unsafe)": lambda _: ["--diff", "--unsafe-fixes"],
    r"check-(github)": lambda form: ["--format", form],
    r"check-hosts-([a-z0-9-,_]+)": lambda names: [word for name in names.split(",") for word in ("--host", name)],
    r"qemu-([0-9.]+)": lambda version: ["--qemu", version],
    r"host-([a-z0-9-]+)": lambda name: ["--host", str(TESTDATA / "hosts" / f"{name}.toml")],
    r"(json|lines)": lambda form: ["--format", form],
    r"(strict)": lambda _: ["--strict"],
    r"(memory|machine)": lambda scope: ["--scope", scope],
    r"memory-qemu-([0-9.]+)": lambda version: ["--scope", "memory", "--qemu", version],
}


def options(variant: str) -> list[str]:
    for pattern, make in VARIANTS.items():
        if match := re.fullmatch(pattern, variant):
            return make(match[1])
    pytest.fail(f"no such variant: {variant}")


def split(golden: Path) -> tuple[str, str, str]:
    """A golden file's name as (domain, variant or '', 'args', 'err' or 'out')."""
    domain, _, rest = golden.name.partition(".")
    variant, _, kind = rest.rpartition(".")
    return domain, variant, kind


def cases() -> Iterator[tuple[str, str]]:
    yield from ((path.stem, "") for path in sorted(XML.glob("*.xml")))
    yield from sorted({split(path)[:2] for path in ARGS.iterdir() if split(path)[1]})


def run(domain: str, variant: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(XML)
    checked = variant.startswith("check")
    command = "check" if checked else "xml2argv"
    code, out, err = virtmem(command, *(options(variant) if variant else []), f"{domain}.xml")
    if checked:
        assert "diff" in variant or code == int("refused" in err)
        return {"out": out}
    assert code == (0 if out or "nothing to convert" in err else 1)
    return {"args": out, "err": err}


@pytest.mark.parametrize(("domain", "variant"), list(cases()), ids=lambda value: value or "-")
def test_a_domain_gives_its_golden_output(
    domain: str, variant: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    update = request.config.getoption("--update-golden")
    differences: list[str] = []
    for kind, text in run(domain, variant, monkeypatch).items():
        path = ARGS / ".".join(filter(None, (domain, variant, kind)))
        before = path.read_text() if path.exists() else ""
        if text == before and path.exists() == bool(text):
            continue
        differences += difflib.unified_diff(
            before.splitlines(keepends=True), text.splitlines(keepends=True), f"a/{path.name}", f"b/{path.name}"
        )
        differences += [] if text or before else [f"{path.name}: the file is empty, and there is nothing to hold\n"]
        if update and text:
            path.write_text(text)
        elif update:
            path.unlink()
    if differences:
        pytest.fail(("updated:\n" if update else "differs:\n") + "".join(differences), pytrace=False)


def test_every_golden_has_its_domain() -> None:
    domains = {path.stem for path in XML.glob("*.xml")}
    orphans = [path.name for path in ARGS.iterdir() if split(path)[0] not in domains]
    assert orphans == []
    assert all(split(path)[2] in ("args", "err", "out") for path in ARGS.iterdir())
    assert all(path.suffix == ".xml" and "." not in path.stem for path in XML.iterdir())


def test_goldens_hold_nothing_of_this_machine() -> None:
    """A golden is the same on every machine, and on a terminal."""
    for path in ARGS.iterdir():
        text = path.read_text()
        assert "\x1b" not in text, path.name
        assert str(TESTDATA) not in text, path.name
