# `make demo` is the site with weeks of history; `make test` and `make lint` are what .ci/run runs.
# All need Python 3.11 or newer; everything else is installed into .venv/.

PYTHON ?= python3
PORT ?= 8000
METRICS_PORT ?= 9100
ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-input --root-user-action=ignore
RUNTIME := .venv/.runtime-installed
TESTING := .venv/.testing-installed

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint bench proof clean chromium

help:
	@echo "make demo    the site with a demo's data on http://127.0.0.1:$(PORT)/ (PORT=, METRICS_PORT=)"
	@echo "make test    every test but the slow ones (ARGS='-k name' picks some)"
	@echo "make lint    ruff, mypy, layers, missing migrations, templates"
	@echo "make bench   measurements of speed and memory"
	@echo "make proof   the slow proofs: millions of rows, hundreds of crashes"
	@echo "make venv    .venv/ with what the site needs to run"
	@echo "make clean   removes .venv/, caches and this clone's embedded database"

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Countinghouse needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)."; \
		echo "Name another one: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv

$(RUNTIME): requirements.txt | .venv/bin/python
	@echo "installing requirements.txt into .venv/"
	@$(PIP) -r requirements.txt
	@touch $@

$(TESTING): tests/requirements.txt requirements.txt | .venv/bin/python
	@echo "installing tests/requirements.txt into .venv/"
	@$(PIP) -r tests/requirements.txt
	@touch $(RUNTIME) $@

venv: $(RUNTIME)

demo: $(RUNTIME)
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py serve --demo --port $(PORT) --metrics-port $(METRICS_PORT)

test: $(TESTING) chromium
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(ARGS)

lint: $(TESTING)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check_templates
	$(BIN)/python manage.py openapi --check

bench: $(TESTING)
	$(BIN)/python -m pytest tests/benchmarks -s -m benchmark $(ARGS)

proof: $(TESTING)
	$(BIN)/python -m pytest -m proof -s $(ARGS)

# The tests of pages need a browser; without one they are skipped, and it is said here.
chromium:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		echo "installing chromium for the tests of pages" && \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } \
		</dev/null >/dev/null 2>&1; } || \
		echo "*** NO CHROMIUM AND IT COULD NOT BE INSTALLED: THE TESTS OF PAGES WILL BE SKIPPED ***"

clean:
	@[ ! -x $(BIN)/python ] || [ ! -d .local ] || $(BIN)/python -m billing_site.local_services.removal
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
