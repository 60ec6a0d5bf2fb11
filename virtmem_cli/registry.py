"""All rules there are, by name: those that judge, those that give advice, and those that are said while reading.

Each rule stands in its file in `rules`, and nowhere else.
"""

from collections.abc import Mapping
from types import MappingProxyType

from virtmem_cli.findings import AnyRule
from virtmem_cli.rules import advice, reading
from virtmem_cli.rules.judges import JUDGES, rules_in

# Those that judge a Settled for `check` alone
ADVICE = rules_in(advice)
RULES: Mapping[str, AnyRule] = MappingProxyType({rule.id: rule for rule in (*rules_in(reading), *JUDGES, *ADVICE)})
