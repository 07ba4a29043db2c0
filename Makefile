# make venv    the development environment in .venv/
# make demo    serve the demo app on 127.0.0.1 (PORT=5000)
# make test    run all tests
# make torture kill builds, fail calls and publish under load, many times

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 5000
STAMP := $(VENV)/.installed

# Measuring writes files of its own, which these would find with strace.
UNSEEN := $(addprefix tests/building/test_stored_attacks.py::,\
  test_nothing_outside_is_written_for_hostile_params \
  test_a_request_opens_its_file_and_looks_at_nothing_else)

.PHONY: venv demo test torture lint types coverage conformance docs bench clean

venv: $(STAMP)

$(STAMP): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(STAMP)
	PORT=$(PORT) $(BIN)/python -m demo_app

test: $(STAMP)
	$(BIN)/python -m pytest

torture: $(STAMP)
	TORTURE_KILLS=1000 TORTURE_PUBLISHES=200 TORTURE_CALLS=all-calls TORTURE_PATHS=100000 \
	  LOAD_RESTARTS=6 \
	  $(BIN)/python -m pytest tests/building/test_torture.py tests/building/test_load.py \
	  tests/building/test_stored_attacks.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy
	$(BIN)/pyright

coverage: $(STAMP)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(UNSEEN:%=--deselect=%) --ignore tests/building/test_torture.py
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include='*/routing/patterns.py,*/routing/expressions.py,*/routing/routes.py,*/routing/files.py,*/handling/view.py,*/handling/middleware.py,*/handling/origins.py,*/validation/strict_json.py,*/validation/validate.py'

conformance: $(STAMP)
	$(BIN)/python -m tests.conformance

docs: $(STAMP)
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: $(STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist *.egg-info docs/_build .coverage* .mypy_cache .ruff_cache .pytest_cache
