"""The registry of rules: each is declared once, used, and shown by a golden."""

import re
from pathlib import Path

import pytest

import virtmem_cli
from virtmem_cli.advice import ADVICE
from virtmem_cli.findings import RULES, Refuses, Severity
from virtmem_cli.parse import PCI_MODELS
from virtmem_cli.props import CONTROLLERS
from virtmem_cli.rules import BUSES, CHECKS

PACKAGE = Path(virtmem_cli.__file__).parent
ARGS = Path(__file__).parent.parent / "testdata" / "args"
GOLDENS = "".join(path.read_text() for path in sorted([*ARGS.glob("*.err"), *ARGS.glob("*.out")]))


def test_every_rule_is_somebodys() -> None:
    rooms = "".join(
        (PACKAGE / f"{room}.py").read_text() for room in ("parse", "document/comments", "document/schema", "convert")
    )
    said = set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', rooms)) & set(RULES)
    assert said.isdisjoint({*CHECKS, *ADVICE})
    assert said | {*CHECKS, *ADVICE} == set(RULES)
    assert set(CHECKS).isdisjoint(ADVICE)


# libvirt's schema is not the same on every machine; the rule's examples show it where it is installed.
@pytest.mark.parametrize("rule_id", sorted(set(RULES) - {"schema-mismatch"}))
def test_a_golden_shows_the_rule(rule_id: str) -> None:
    assert f"[{rule_id}]" in GOLDENS


def test_names_and_titles() -> None:
    for rule_id, rule in RULES.items():
        assert rule.id == rule_id
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule_id)
        assert rule.title
        assert not rule.title.endswith(".")
        # an error is somebody's refusal, and what nobody refuses is no error
        assert (rule.severity is Severity.ERROR) == (rule.refuses is not Refuses.NOBODY)


def test_the_table_is_in_order() -> None:
    for table in (CHECKS, ADVICE):
        assert list(table) == sorted(table)


def test_the_tables_of_pci_models_agree() -> None:
    assert set(BUSES) == set(PCI_MODELS)
    assert set(CONTROLLERS) == set(PCI_MODELS) - {"pci-root", "pcie-root"}
