"""What is shipped: the wheel's contents, and a README that is true."""

import re
import zipfile
from pathlib import Path

import pytest
from command import python, virtmem
from domains import ROOT

from virtmem_cli.cli import COMMANDS
from virtmem_cli.findings import Severity
from virtmem_cli.settings import settings_of_toml
from virtmem_cli.target import HOSTS
from virtmem_cli.units import human

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def run(command: str) -> str:
    """What a README's command prints, on both streams."""
    _, out, err = virtmem(*command.removeprefix("virtmem ").split())
    return out + err


def test_readme_example() -> None:
    snippet = blocks("xml")[0]
    example = (ROOT / "testdata/xml/example.xml").read_text()
    assert "".join(f"    {line}\n" for line in snippet.splitlines()) in example
    session = blocks("console")[0]
    assert session.splitlines(keepends=True)[1:] == (ROOT / "testdata/args/example.args").read_text().splitlines(
        keepends=True
    )


def test_readme_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "testdata/xml")
    command, expected = blocks("console")[1].split("\n", 1)
    assert run(command.removeprefix("$ ")) == expected


def test_readme_host_file(tmp_path: Path) -> None:
    host = blocks("toml")[0]
    (tmp_path / "host.toml").write_text(host)
    result = run(f"virtmem xml2argv --host {tmp_path}/host.toml {ROOT}/testdata/xml/example.xml")
    assert "transparent huge page is 512 MiB" in result


def test_readme_configuration() -> None:
    settings = settings_of_toml(blocks("toml")[1].encode(), "virtmem.toml")
    assert settings is not None
    assert settings["memslot-metadata"] is None
    assert settings["pci-slot"] is None
    assert settings["element-unknown"] is Severity.ERROR


def test_readme_hosts() -> None:
    rows = re.findall(r"^\| `([a-z0-9_-]+)` \| (.*) \| (.*) \| (.*) \|$", README, re.MULTILINE)
    hosts = {name: host for name, host in HOSTS.items() if name != "libvirt"}
    assert [name for name, *_ in rows] == list(hosts)
    for name, pages, thp, huge in rows:
        host = hosts[name]
        assert (pages, thp) == (human(host.page_size), human(host.thp or 0))
        assert huge == ", ".join(human(size) for size in sorted(host.hugetlbfs))


def test_readme_names_real_options() -> None:
    text = "".join(run(f"virtmem {command} --help") for command in COMMANDS)
    named = set(re.findall(r"(?<=[ `])--[a-z][a-z-]*", README))
    assert "--unsafe-fixes" in named
    assert named <= set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


@pytest.mark.process
def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    words = ("--quiet", "--disable-pip-version-check", "--no-deps", "--wheel-dir", tmp_path, ROOT)
    run = python("-m", "pip", "wheel", *words)
    assert run.code == 0, run.err
    (wheel,) = tmp_path.glob("virtmem-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {
        str(p.relative_to(ROOT)) for p in (ROOT / "virtmem_cli").rglob("*") if p.suffix in (".py", ".typed", ".md")
    }
    assert {"virtmem_cli/py.typed", "virtmem_cli/rulebook/block-below-thp.md"} < package
    assert {name for name in names if ".dist-info/" not in name} == package
    assert any(name.endswith("licenses/LICENSE") for name in names)
