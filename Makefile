# make run: set up and convert an example. make test: set up and run all checks and tests. make quick: those tests that
# start no process, in seconds. make docs: the table of rules. make fuzz: fuzzing, for FUZZ_SECONDS.
# make bench: what conversions cost, into docs/performance.md; BENCH_ARGS=--quick measures less, and writes nothing.
# Needs Python 3.11 or later (PYTHON=…) and make; the tests of real QEMU skip where it is not installed, and so do those
# of SARIF without `make tools`, which needs npm.

PYTHON ?= python3
BIN := .venv/bin
EXAMPLE ?= testdata/xml/example.xml
PYTEST_ARGS ?=

.PHONY: run test quick check golden docs bench fuzz audit tools clean

run: .venv/.stamp
	$(BIN)/virtmem xml2argv $(EXAMPLE)

test: check
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# While one works: what starts neither QEMU nor the command, and of examples that are made up, fewer
quick: .venv/.stamp
	$(BIN)/python -m pytest -q -m 'not process and not long' --hypothesis-profile=quick $(PYTEST_ARGS)

check: .venv/.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Rewrite the golden files; fails where it changed something, so that somebody reads the difference
golden: .venv/.stamp
	$(BIN)/python -m pytest tests/test_golden.py --update-golden

# The table of rules
docs: .venv/.stamp
	$(BIN)/python tests/rules_table.py

.venv/.stamp: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "virtmem needs Python 3.11 or later: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m compileall -q virtmem_cli
	touch $@

# What conversions cost, against goals. Compiled before: where Python may write no bytecode, each start would do it again
BENCH_ARGS ?= --write
bench: .venv/.stamp
	$(BIN)/python -m compileall -q virtmem_cli
	$(BIN)/python tests/bench.py $(BENCH_ARGS)

# Microsoft's validator of SARIF, which some tests ask
tools:
	npm install --prefix .tools --no-fund --no-audit @microsoft/sarif-multitool@5
	chmod u+x .tools/node_modules/@microsoft/sarif-multitool-*/Sarif.Multitool # where npm runs no scripts

# Fuzzing, guided by coverage; what it finds is in .fuzz/crash-*. FUZZ_SEED=1 begins as every run with it does
FUZZ_SECONDS ?= 600
FUZZ_SEED ?= 0
fuzz: .venv/.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	$(BIN)/python tests/fuzz_domains.py $(FUZZ_SECONDS) .fuzz $(FUZZ_SEED)

# Known faults of the packages that are installed, where pip-audit's database can be reached
audit: .venv/.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[audit]'
	$(BIN)/python tests/audit.py

clean:
	rm -rf mutants .fuzz .venv .tools .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
