"""`virtmem check` on several files: the exit code, and what goes to which stream."""

import json
from pathlib import Path

import pytest
from command import check, check_json, process
from small import BAD, DOMAIN, FILES, NONE, WARNED, WRONG

pytestmark = pytest.mark.usefixtures("here")
FORMATS = ("text", "json", "github", "sarif")


# Exit codes


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("good.xml", 0),
        ("none.xml", 0),
        ("warned.xml", 0),
        ("advised.xml", 0),
        ("good.xml none.xml warned.xml advised.xml", 0),
        ("--strict advised.xml", 0),
        ("--strict warned.xml", 1),
        ("wrong.xml", 1),
        ("empty.xml", 1),
        ("wrong.xml good.xml", 1),
        ("bad/good.xml wrong.xml", 2),
        ("bad/good.xml good.xml", 2),
        ("absent.xml", 3),
        (".", 3),
        ("good.xml absent.xml wrong.xml", 3),
        ("bad/good.xml absent.xml", 3),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_the_worst_exit_code_counts(form: str, words: str, code: int, files: Path) -> None:
    (files / "bad").mkdir()
    (files / "bad/good.xml").write_text(DOMAIN)
    (files / "bad/virtmem.toml").write_text("slect = []")
    assert check("--format", form, *words.split()).code == code


def test_all_files_are_done_in_their_order(files: Path) -> None:
    (files / "bad").mkdir()
    (files / "bad/good.xml").write_text(DOMAIN)
    (files / "bad/virtmem.toml").write_text("slect = []")
    run = check_json("wrong.xml", "absent.xml", "warned.xml", "bad/good.xml", "good.xml", "empty.xml")
    assert run.code == 3
    done = [(file["name"], file["refused"]) for file in json.loads(run.out)["files"]]
    assert done == [("wrong.xml", True), ("warned.xml", False), ("good.xml", False), ("empty.xml", True)]
    assert [line.split(": ")[1] for line in run.err.splitlines()[:2]] == [
        "absent.xml",
        str(files / "bad/virtmem.toml"),
    ]


@pytest.mark.process
@pytest.mark.parametrize("form", FORMATS)
def test_jobs_change_nothing(form: str, files: Path) -> None:
    names = [f"{name}.xml" for name in [*FILES, "absent", *reversed(FILES)]]
    one, four = (process("check", "--format", form, "-j", jobs, *names) for jobs in ("1", "4"))
    assert one == four
    assert one.code == 3
    assert one.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--select", "block-below-tph"], "--select: there is no rule 'block-below-tph'; did you mean 'block-below-t"),
        (["--ignore", "movable-ration"], "--ignore: there is no rule 'movable-ration'; did you mean 'movable-ratio'?"),
        (["--select", "pic-*"], "--select: there is no rule 'pic-*'"),
        (["--select", "pci-*,nonsense"], "--select: there is no rule 'nonsense'"),
        (["--host", "x86-64"], "--host"),
        (["--host", "aarch64-64K"], "--host"),
        (["--format", "yaml"], "yaml"),
        (["--qemu", "new"], "--qemu 'new'"),
        (["--no-such"], "--no-such"),
        (["-"], "'-' is given twice"),
    ],
    ids=str,
)
def test_wrong_usage_is_2_and_nothing_is_done(words: list[str], said: str, files: Path) -> None:
    run = check(*words, "-", "wrong.xml", given=DOMAIN)
    assert (run.code, run.out) == (2, "")
    assert said in run.err


def test_no_file_is_wrong_usage() -> None:
    assert check().code == 2


@pytest.mark.parametrize("words", [["--select", "movable-ratio"], ["--ignore", "not-a-domain"]], ids=" ".join)
def test_what_is_no_domain_is_never_good(words: list[str], files: Path) -> None:
    run = check(*words, "empty.xml")
    assert run.code == 1
    assert "empty.xml" in run.out + run.err


# Streams


@pytest.mark.process
def test_text_goes_to_standard_output_and_the_summary_to_standard_error(files: Path) -> None:
    run = process("check", "wrong.xml", "good.xml", "none.xml", "warned.xml", "advised.xml")
    assert run.code == 1
    assert [line for line in run.out.splitlines() if not line.startswith(" ")] == [
        "wrong.xml:11: error: <block> is 3 MiB, which is not a power of two [block-not-power-of-two]",
        "warned.xml:11: warning: <requestd> in <target> is unknown to libvirt, which ignores it [element-unknown]",
        "advised.xml:7: advice: hotplugged memory of up to 8 GiB is 4.0 times boot memory of 2 GiB: where it is "
        "onlined as movable, the kernel runs out of memory for itself [movable-ratio]",
    ]
    assert run.err.splitlines()[:2] == [
        "none.xml: no <memory model='virtio-mem'> in this domain, so there is nothing to check",
        "5 domains, 1 refused: 1 error, 1 warning, 1 piece of advice",
    ]


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("good", "1 domain: nothing found"),
        ("wrong", "1 domain, 1 refused: 1 error"),
        ("warned", "1 domain: 1 warning"),
        ("advised", "1 domain: 1 piece of advice"),
        ("empty", "1 domain, 1 refused: 1 error"),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_the_summary_is_the_same_in_every_format(form: str, name: str, summary: str, files: Path) -> None:
    assert check("--format", form, f"{name}.xml").err.splitlines()[0] == summary


def test_a_report_has_all_files(files: Path) -> None:
    names = [f"{name}.xml" for name in FILES]
    document = json.loads(check("--format", "json", *names, "absent.xml").out)
    assert [file["name"] for file in document["files"]] == names
    assert [file["devices"] for file in document["files"]] == [1, 1, 1, 1, 0, 0]
    assert [file["name"] for file in document["unread"]] == ["absent.xml"]
    results = json.loads(check("--format", "sarif", *names, "absent.xml").out)["runs"][0]["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("block-not-power-of-two", "error"),
        ("element-unknown", "warning"),
        ("movable-ratio", "note"),
        ("not-a-domain", "error"),
    ]
    lines = check("--format", "github", *names, "absent.xml").out.splitlines()
    assert [line.split()[0] for line in lines] == ["::error", "::warning", "::notice", "::error", "::error"]


def test_an_input_that_cannot_be_read_is_in_every_report(files: Path) -> None:
    """What is missing from a report must show in it, or an incomplete run looks like a clean one."""

    def printed(form: str) -> str:
        run = check("--format", form, "absent.xml", "good.xml")
        assert run.code == 3
        return run.out

    words = "absent.xml: cannot be read: No such file or directory"
    assert json.loads(printed("json"))["unread"] == [{"name": "absent.xml", "message": words}]
    assert printed("github") == f"::error file=absent.xml::{words}\n"
    (invocation,) = json.loads(printed("sarif"))["runs"][0]["invocations"]
    assert not invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"][0]["message"] == {"text": words}


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_a_report_without_files_is_well_formed(form: str) -> None:
    run = check("--format", form, "absent.xml")
    assert run.code == 3
    assert json.loads(run.out)


@pytest.mark.parametrize("form", ["text", "github"])
def test_a_good_domain_prints_nothing(form: str, files: Path) -> None:
    assert check("--format", form, "good.xml").out == ""


def test_all_formats_say_the_same_place(files: Path) -> None:
    finding = check_json("wrong.xml").file()["findings"][0]
    place = [finding[key] for key in ("line", "column", "endLine", "endColumn")]
    assert place == [11, 9, 11, 9 + len(BAD)]
    (result,) = json.loads(check("--format", "sarif", "wrong.xml").out)["runs"][0]["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert [region[key] for key in ("startLine", "startColumn", "endLine", "endColumn")] == place
    assert check("--format", "github", "wrong.xml").out.startswith(
        f"::error file=wrong.xml,line=11,endLine=11,col=9,endColumn={9 + len(BAD)},title=virtmem block-not-power-of-two"
    )


@pytest.mark.process
def test_standard_input_is_named_as_such() -> None:
    run = process("check", "-", given=WRONG.encode())
    assert run.code == 1
    assert run.out.startswith("<stdin>:11: error: ")
    assert check_json("-", given=WRONG).file()["name"] == "<stdin>"
    assert check("-", given=NONE).err.startswith("<stdin>: no <memory model='virtio-mem'>")


@pytest.mark.process
def test_standard_input_has_its_place_among_files(files: Path) -> None:
    run = check_json("-j", "4", "good.xml", "-", "wrong.xml", given=WARNED)
    assert [file["name"] for file in json.loads(run.out)["files"]] == ["good.xml", "<stdin>", "wrong.xml"]
