"""The registry of rules: each is declared once, at its function, and shown by a golden."""

import inspect
import re
from pathlib import Path

import pytest

import virtmem_cli
from virtmem_cli.findings import Refuses, Severity
from virtmem_cli.machines import ARCHITECTURES, MACHINES, PCI_DRIVERS, PCI_MODELS
from virtmem_cli.registry import ADVICE, RULES
from virtmem_cli.rules.judges import JUDGES

PACKAGE = Path(virtmem_cli.__file__).parent
ARGS = Path(__file__).parent.parent / "testdata" / "args"
GOLDENS = "".join(path.read_text() for path in sorted([*ARGS.glob("*.err"), *ARGS.glob("*.out")]))
DECLARED = {path.stem: path.read_text().count("\n@rule(") for path in (PACKAGE / "rules").glob("*.py")}


def test_every_rule_that_is_declared_is_in_the_registry() -> None:
    assert sum(DECLARED.values()) == len(RULES)
    assert len(JUDGES) + len(ADVICE) + DECLARED["reading"] == len(RULES)


def test_no_rule_is_declared_elsewhere() -> None:
    others = [path for path in PACKAGE.rglob("*.py") if path.parent.name != "rules"]
    assert not any("@rule(" in path.read_text() for path in others)


def test_every_rule_of_reading_is_said_by_somebody() -> None:
    rooms = "".join(path.read_text() for path in PACKAGE.rglob("*.py") if path.parent.name != "rules")
    reading = [rule for rule in RULES.values() if rule not in (*JUDGES, *ADVICE)]
    assert [rule.id for rule in reading if f"reading.{rule.find.__name__}" not in rooms] == []


# libvirt's schema is not the same on every machine; the rule's examples show it where it is installed.
@pytest.mark.parametrize("rule_id", sorted(set(RULES) - {"schema-mismatch"}))
def test_a_golden_shows_the_rule(rule_id: str) -> None:
    assert f"[{rule_id}]" in GOLDENS


def test_names_titles_and_reasons() -> None:
    for rule_id, rule in RULES.items():
        assert rule.id == rule_id
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule_id)
        assert rule.title
        assert not rule.title.endswith(".")
        assert inspect.getdoc(rule.find), rule_id
        # an error is somebody's refusal, and what nobody refuses is no error
        assert (rule.severity is Severity.ERROR) == (rule.refuses is not Refuses.NOBODY)


def test_advice_is_advice_and_nothing_else_is() -> None:
    assert {rule.id for rule in RULES.values() if rule.severity is Severity.ADVICE} == {rule.id for rule in ADVICE}


def test_the_facts_of_machines_fit_together() -> None:
    assert set(MACHINES) == set(ARCHITECTURES)
    for machine in (machine for machines in MACHINES.values() for machine in machines):
        assert PCI_MODELS[machine.root].is_root
    assert all(model.is_root or model.driver in PCI_DRIVERS for model in PCI_MODELS.values())
    assert {model.root for model in PCI_MODELS.values()} <= {None, "pci-root", "pcie-root"}
