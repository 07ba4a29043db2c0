# make demo    serve the demo on 127.0.0.1 (PORT=5000)
# make test    run the tests, on all processors
# make test-long  run the tests that take long: browser, Dask, load, attacks
# make venv    create the development environment in .venv/
# make torture kill builds, fail calls and publish under load, many times

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_VENV := .venv-demo
DEMO_STAMP := $(DEMO_VENV)/.installed
PORT ?= 5000
# --group needs pip 25.1, which is also faster. Python 3.11 comes with an older one.
INSTALL := -m pip install --quiet --disable-pip-version-check

.PHONY: venv demo test test-long torture lint types coverage conformance docs bench checkers screenshots \
  sdist clean

venv: $(STAMP)

$(STAMP): setup.cfg pyproject.toml demo_app/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(INSTALL) --upgrade 'pip>=25.1'
	$(BIN)/python $(INSTALL) --editable . --group dev -r demo_app/requirements.txt
	touch $@

$(DEMO_STAMP): setup.cfg demo_app/requirements.txt
	$(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_VENV)/bin/python $(INSTALL) --no-compile --upgrade 'pip>=25.1'
	$(DEMO_VENV)/bin/python $(INSTALL) --no-compile --editable . -r demo_app/requirements.txt
	touch $@

demo: $(DEMO_STAMP)
	PORT=$(PORT) $(DEMO_VENV)/bin/python -m demo_app

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not long'

test-long: $(STAMP)
	$(BIN)/python -m pytest -m long

torture: $(STAMP)
	TORTURE_KILLS=1000 TORTURE_PUBLISHES=200 TORTURE_CALLS=all-calls TORTURE_PATHS=100000 \
	  LOAD_RESTARTS=6 \
	  $(BIN)/python -m pytest tests/building/test_torture.py tests/building/test_load.py \
	  tests/building/test_stored_attacks.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(STAMP)
	$(BIN)/mypy
	$(BIN)/pyright

coverage: $(STAMP)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --dist worksteal -m 'not long'
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include='*/routing/patterns.py,*/routing/expressions.py,*/routing/routes.py,*/routing/files.py,*/handling/view.py,*/handling/middleware.py,*/handling/origins.py,*/validation/strict_json.py,*/validation/validate.py'

conformance: $(STAMP)
	$(BIN)/python -m tests.conformance

docs: $(STAMP)
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: $(STAMP)
	$(BIN)/python -m benchmarks

# Programs that tests start: they check the pages of the demo, and OpenAPI documents. They
# need npm and java.
checkers: $(STAMP)
	npm install --silent --no-save --ignore-scripts --prefix $(VENV)/npm axe-core@4 vnu-jar \
	  @stoplight/spectral-cli@6 @redocly/cli@2 openapi-typescript@7 openapi-fetch@0.17 \
	  typescript@5 @types/node@22
	$(PYTHON) -m venv $(VENV)/checkers
	$(VENV)/checkers/bin/python $(INSTALL) --upgrade 'pip>=25.1'
	$(VENV)/checkers/bin/python $(INSTALL) --group openapi-checkers

# The pictures in docs/_static, while the demo runs on port 5000.
screenshots: $(STAMP)
	$(BIN)/python docs/screenshots.py

# The tests of the sdist run in an environment of its own.
sdist: $(STAMP)
	rm -rf build dist
	$(BIN)/python -m build --quiet

clean:
	rm -rf $(VENV) $(DEMO_VENV) build dist *.egg-info docs/_build .coverage* .mypy_cache .ruff_cache .pytest_cache
