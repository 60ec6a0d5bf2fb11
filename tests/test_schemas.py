"""`check --schema`: what the schema does not take is told, whatever the schema's name is."""

import json
from collections.abc import Collection
from pathlib import Path

import pytest
from command import Run, check, check_json, process
from domains import edited
from lxml import etree
from small import DOMAIN, FILES, WARNED, made

from virtmem_cli.document.schema import Element, Schema

pytestmark = pytest.mark.usefixtures("here")
NAMES_ANY = """<grammar xmlns='http://relaxng.org/ns/structure/1.0'>
  <define name='anything'>
    <zeroOrMore>
      <choice><attribute><anyName/></attribute><text/><ref name='element'/></choice>
    </zeroOrMore>
  </define>
  <define name='element'>
    <element><anyName><except><name>requestd</name></except></anyName><ref name='anything'/></element>
  </define>
</grammar>
"""
TAKES_ANY = """<grammar xmlns='http://relaxng.org/ns/structure/1.0'>
  <include href='parts/any.rng'/>
  <start><element name='domain'><ref name='anything'/></element></start>
</grammar>
"""


def schema(path: Path) -> Path:
    """A schema of two files, which takes any domain in which no element is called `requestd`."""
    made(path.parent / "parts/any.rng", NAMES_ANY)
    return Path(made(path, TAKES_ANY))


def assert_it_is_held_against(run: Run, path: str) -> None:
    (found,) = (finding for finding in run.file()["findings"] if finding["rule"] == "schema-mismatch")
    assert found["line"] == 11
    assert found["column"] == DOMAIN.splitlines()[10].index("</block>") + len("</block>") + 1
    assert "<requestd> in <target> does not fit" in found["message"]
    assert path[:70] in found["advice"]
    assert "element-unknown" in run.rules()
    assert run.code == 0


@pytest.mark.parametrize(
    "name", ["own.rng", "with space.rng", "a%41b.rng", "é漢.rng", "[red].rng", "x#y?z.rng"], ids=ascii
)
@pytest.mark.parametrize("folder", ["", "a b/", "a%41/", "a:b/", "#/"])
def test_a_schema_of_ones_own_is_held_against_a_domain(folder: str, name: str, here: Path) -> None:
    path = str(schema(here / folder / name))
    assert_it_is_held_against(check_json("--schema", path, "-", given=WARNED), path)
    assert check_json("--schema", path, "-", given=DOMAIN).rules() == []
    assert check_json("-", given=WARNED).rules() == ["element-unknown"]


def test_a_schema_that_the_domain_itself_does_not_fit(here: Path) -> None:
    """Its elements do, each of them."""
    path = schema(here / "own.rng")
    known = "<attribute name='type'/><zeroOrMore><ref name='element'/></zeroOrMore>"
    path.write_text(TAKES_ANY.replace("<ref name='anything'/>", known))
    run = check_json("--schema", path, "-", given=edited(DOMAIN, ("<domain ", "<domain colour='red' ")))
    (found,) = run.file()["findings"]
    assert found["message"] == "<domain> does not fit libvirt's schema"


@pytest.mark.process
@pytest.mark.parametrize("name", ["own", "own.xml", "own.RNG", "-"])
def test_behind_an_equals_sign_a_schema_may_have_any_name(name: str, here: Path) -> None:
    path = schema(here / name)
    assert_it_is_held_against(check_json(f"--schema={path}", "-", given=WARNED), str(path))
    assert process("check", f"--schema={name}", "-", given=WARNED.encode()).out


@pytest.mark.process
def test_a_schema_is_held_against_all_files(files: Path) -> None:
    schema(files / "own.rng")
    words = ("check", "--format", "json", "--schema", "own.rng", *(f"{name}.xml" for name in FILES))
    one, four = process(*words), process(*words, "-j", "4")
    assert one == four
    rules = [finding["rule"] for file in json.loads(one.out)["files"] for finding in file["findings"]]
    assert rules.count("schema-mismatch") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("", "no RELAX NG"),
        ("hello", "no RELAX NG"),
        (DOMAIN, "no RELAX NG"),
        (TAKES_ANY, ""),  # what it includes is not there
    ],
    ids=["absent", "empty", "text", "domain", "half"],
)
def test_a_schema_that_cannot_be_used_is_3(text: str | None, words: str, files: Path) -> None:
    if text is not None:
        (files / "own.rng").write_text(text)
    for option in (["--schema", str(files / "own.rng")], [f"--schema={files / 'own.rng'}"]):
        run = check(*option, "wrong.xml")
        assert (run.code, run.out) == (3, "")
        assert run.err.startswith(f"virtmem: {files / 'own.rng'}: ")
        assert words in run.err
        assert len(run.err.splitlines()) == 1


def test_a_folder_is_no_schema(here: Path) -> None:
    (here / "own.rng").mkdir()
    assert check("--schema", here / "own.rng", "-", given=DOMAIN).code == 3
    assert check("--schema=", "-", given=DOMAIN).code in (2, 3)


@pytest.fixture
def installed() -> None:
    if not Path("/usr/share/libvirt/schemas/domain.rng").exists():
        pytest.skip("libvirt's schema is not installed")


@pytest.mark.parametrize(
    "words", ["--schema warned.xml", "warned.xml --schema", "--schema -- warned.xml", "--schema --strict warned.xml"]
)
def test_a_domain_is_not_taken_for_the_schema(words: str, installed: None, files: Path) -> None:
    run = check_json(*words.split())
    assert run.file()["name"] == "warned.xml"
    assert "schema-mismatch" in run.rules()
    assert check_json("--schema", "good.xml").rules() == []


def test_the_installed_schema_finds_the_element(installed: None) -> None:
    assert_it_is_held_against(check_json("--schema", "-", given=WARNED), "/usr/share/libvirt/schemas/domain.rng")


@pytest.mark.parametrize("place", [0, 1, 1000, 1998, 1999])
@pytest.mark.parametrize(
    ("wrong", "found"),
    [("<requestd/>", "requestd"), ("<a><requestd/></a>", "requestd"), ("<requestd/><b/><requestd/>", "cpu")],
)
def test_of_very_many_elements_few_are_tried(
    wrong: str, found: str, place: int, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one of them is to blame it is found, wherever it is; of two, neither is to blame alone."""
    tried: list[int] = []
    fits = Schema._fits

    def counted(self: Schema, part: Element, without: Collection[Element] = ()) -> bool:
        tried.append(len(without))
        return fits(self, part, without)

    monkeypatch.setattr(Schema, "_fits", counted)
    text = f"<domain><cpu>{'<b/>' * place}{wrong}{'<b/>' * (1999 - place)}</cpu><os/></domain>"
    misfits = Schema(str(schema(here / "own.rng"))).misfits(etree.fromstring(text))
    assert [str(element.tag) for element, _ in misfits] == [found]
    assert len(tried) <= 300


def test_no_long_name_is_shown_in_full(here: Path) -> None:
    long = edited(WARNED, ("<requestd>", f"<{'x' * 10_000}><requestd/></{'x' * 10_000}><requestd>"))
    run = check_json("--schema", schema(here / "own.rng"), "-", given=long)
    assert all(len(finding["message"]) < 500 for finding in run.file()["findings"])
    assert "schema-mismatch" in run.rules()
