"""Which rules speak, and how loud: a configuration file and options to a severity for each rule.

Takes TOML text and names of rules, gives Settings; reads no file itself. Raises UsageError for what it does not know.
"""

from collections.abc import Iterable, Mapping, Set
from fnmatch import fnmatchcase
from typing import Any

from virtmem_cli.errors import UsageError
from virtmem_cli.findings import Severity
from virtmem_cli.registry import RULES
from virtmem_cli.text import cut, meant, quoted
from virtmem_cli.toml import read_toml, shown

# A rule's name to its severity, or None where it is off; a rule that is absent is as in RULES.
Settings = Mapping[str, Severity | None]

_LEVELS: Mapping[str, Severity | None] = {"off": None, **{severity.value: severity for severity in Severity}}
_KEYS = ("select", "ignore", "rules")


# Names and patterns in one place; there are about a hundred rules. And characters of each.
MOST_NAMES = 500
LONGEST_NAME = 100


def no_rule(name: str) -> str:
    """The words for a name that no rule has."""
    return f"there is no rule {quoted(name)}; {meant(name, RULES, '`virtmem explain` lists them')}"


def named_rules(names: Iterable[str], where: str) -> frozenset[str]:
    """The rules that names, or patterns such as 'pci-*', stand for; `where` stands for their place in an error."""
    rules: set[str] = set()
    names = list(names)
    _count(len(names), where)
    for name in names:
        if len(name) > LONGEST_NAME:
            words = f"{quoted(name)} has more than {LONGEST_NAME} characters, and no rule has so many"
            raise UsageError(f"{where}: {words}: write a name, or a pattern such as 'pci-*'")
        found = [rule for rule in RULES if fnmatchcase(rule, name)]
        if not found:
            raise UsageError(f"{where}: {no_rule(name)}")
        rules.update(found)
    return frozenset(rules)


def _count(number: int, where: str) -> None:
    if number > MOST_NAMES:
        words = f"{number} names, and {MOST_NAMES} are read at most: write a pattern such as 'pci-*' for several"
        raise UsageError(f"{where}: there are {words}")


def chosen(settings: Settings, select: Set[str], ignore: Set[str]) -> Settings:
    """Settings with only some rules on, if any are selected, and some off. A selected rule that was off is on."""
    changed = dict(settings)
    if select:
        changed |= {rule: None for rule in RULES if rule not in select}
        changed |= {rule: RULES[rule].severity for rule in select if changed.get(rule, True) is None}
    return {**changed, **dict.fromkeys(ignore)}


def settings_of_toml(data: bytes, name: str, *, within: str = "") -> Settings | None:
    """Read a configuration; `within` is the table that holds it, and None comes back where that is absent.

    Raises UsageError, naming file and key.
    """
    table: Any = read_toml(data, name, way_out=f"move [{within}] into virtmem.toml" if within else "shorten it")
    for key in filter(None, within.split(".")):
        if not isinstance(table, dict) or key not in table:
            return None
        table = table[key]
    where = f"{name}: [{within}]" if within else name
    if not isinstance(table, dict):
        raise UsageError(f"{where} is {_quoted(table)}, and should be a table")
    for key in table:
        if key not in _KEYS:
            hint = meant(key, _KEYS, f"known are {', '.join(_KEYS)}")
            raise UsageError(f"{where}: unknown key {quoted(key)}; {hint}")
    select, ignore = (_names(table, key, where) for key in ("select", "ignore"))
    settings = chosen({}, named_rules(select, f"{where}: select"), named_rules(ignore, f"{where}: ignore"))
    return {**settings, **_levels(table.get("rules", {}), f"{where}: rules")}


def _names(table: dict[str, Any], key: str, where: str) -> list[str]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"{where}: {key} is {_quoted(names)}, and should be a list of rules, such as ['pci-*']")
    return names


def _levels(table: object, where: str) -> Settings:
    if not isinstance(table, dict):
        raise UsageError(f"{where} is {_quoted(table)}, and should be a table such as {{ movable-ratio = 'off' }}")
    _count(len(table), where)
    levels: dict[str, Severity | None] = {}
    for name, level in table.items():
        if not isinstance(level, str) or level not in _LEVELS:
            known = ", ".join(_LEVELS)
            raise UsageError(f"{where}: {cut(name)} is {_quoted(level)}, and should be one of {known}")
        levels |= dict.fromkeys(named_rules([name], where), _LEVELS[level])
    return levels


def _quoted(value: object) -> str:
    return quoted(value if isinstance(value, str) else shown(value))
