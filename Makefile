# `make` alone says what there is. Needs Python 3.11 to 3.13 and make; everything else goes into .venv.

PYTHON  ?= python3
CASE    ?= credit-drift
WORKERS ?= 2
LAWS    ?= tests

BIN   := .venv/bin
USED  := .venv/.used-by-rca
DEV   := .venv/.used-by-tests
PIP   := $(BIN)/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt
# Wheels and notebooks behave alike everywhere when the clock's zone, the hash seed and the way of adding up do.
ADDED := $(if $(filter x86_64 AMD64,$(shell uname -m)),OPENBLAS_CORETYPE=Haswell NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR")
# Compiled code is kept, whatever the machine says: every kernel and every command under test is a process that reads it.
ENV   := TZ=UTC PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 JUPYTER_PLATFORM_DIRS=1 $(ADDED)
# Whole files, so that what the tests of one share is made once; the longest first, as tests/conftest.py has them.
SHARE := --dist loadfile --no-loadscope-reorder
KEPT  := kept=$$(mktemp -d) && trap 'rm -rf "$$kept"' EXIT && export RCA_KEPT="$$kept" &&
NBVAL := $(ENV) $(BIN)/python -m pytest -o addopts= -q -p no:cacheprovider --nbval-current-env --nbval-cell-timeout=300

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types layers notebooks templates samples tests cover prove sample spark lab wheel clean

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: $(USED)  ## run an incident that ships and say where its report is (CASE=flights-storm for another)
	@$(BIN)/rca demo $(CASE)

test: $(DEV)  ## everything that has to hold
	@$(MAKE) --no-print-directory --jobs $(WORKERS) lint types layers notebooks
	@$(MAKE) --no-print-directory tests

lint: $(DEV)  ## style
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .

format: $(DEV)  ## put code into the house style, as far as a tool can
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --quiet --fix .

types: $(DEV)  ## types
	$(BIN)/mypy

layers: $(DEV)  ## which module may import which
	$(BIN)/lint-imports --no-cache >.venv/layers.txt || { cat .venv/layers.txt; exit 1; }

notebooks: templates samples  ## run every template, and compare the sample report with what its notebooks give today

templates: $(DEV)
	@$(KEPT) $(NBVAL) --nbval-lax notebooks

samples: $(DEV)
	@$(KEPT) $(NBVAL) --nbval reports/sample/*/

tests: $(DEV)  ## tests and examples
	$(ENV) $(BIN)/python -m pytest -q -n $(WORKERS) $(SHARE)

cover: $(DEV)  ## which lines and branches the tests run; half as long again as they take
	$(ENV) $(BIN)/python -m pytest -q -n $(WORKERS) $(SHARE) --cov --cov-report=term-missing:skip-covered

prove: $(DEV)  ## the long statistical proofs: false-alarm rates, coverage, causes found (LAWS=tests/statistical/test_x.py for some)
	$(ENV) $(BIN)/python -m pytest -q -n $(WORKERS) -m prove --proven tests/PROVEN.md --on "$$(date -u +%F)" $(LAWS)

sample: $(USED)  ## run the reports that ship in reports/sample anew: one whole, two in part, so that they stay small
	rm -rf reports/sample
	$(BIN)/rca run data/incidents/credit-drift --out reports/sample
	$(BIN)/rca run data/incidents/line-cascade --out reports/sample --only cascade
	$(BIN)/rca run data/incidents/chatbot-update --out reports/sample --only timeline,postmortem
	rm -f reports/sample/.runs/*.log.json

spark: $(DEV)  ## install PySpark too, so that its tests run (half a gigabyte; wants a Java)
	$(PIP) --editable '.[spark]'

lab: $(USED)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

wheel: $(DEV)  ## build the package into dist/
	$(BIN)/python -m pip --disable-pip-version-check wheel -qq --no-deps --wheel-dir dist .

clean:  ## remove what was built, installed and cached; reports stay
	rm -rf .venv build dist .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "rca needs Python 3.11 to 3.13; say which: make PYTHON=python3.12"; exit 1; }
	@echo "Creating .venv …"
	@$(PYTHON) -m venv .venv

$(USED): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what rca uses into .venv, once: a minute or two …"
	@$(PIP) --editable .
	@touch $@

$(DEV): $(USED)
	@echo "Installing what the tests use …"
	@$(PIP) --editable '.[dev]'
	@touch $@
