# A fresh Debian 12 or 13: `make accept` or `make test`.  Root or sudo is used for apt packages only.
BOARD  ?= twin210
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: accept test bench setup prove lint clean

accept: setup
	$(BIN)/bench accept --board $(BOARD)

test: lint
	$(BIN)/python -m bench.setup --quiet --tests
	$(BIN)/pytest
	$(BIN)/bench prove --board $(BOARD) --quick

prove: setup
	$(BIN)/bench prove --board $(BOARD)

bench: $(VENV)/ready
	$(BIN)/python -m bench.setup --quiet --bench
	$(BIN)/bench measure --board $(BOARD)

setup: $(VENV)/ready
	$(BIN)/python -m bench.setup --quiet

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/mypy

# What is downloaded or built lies in the user's cache folder and stays; this removes what lies here.
clean:
	rm -rf $(VENV) records build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# `begun` is there while the folder is being filled: one that was cut off is filled again from nothing.
$(VENV)/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is missing or older than 3.11: install python3 of Debian 12 or later, or say make PYTHON=..." >&2; exit 3; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "python3-venv is missing, installing it" >&2; $(APT_INSTALL) python3-venv; } || { \
	  echo "python3-venv is missing and could not be installed: as root type apt-get install python3-venv" >&2; exit 3; }
	@test ! -e $(VENV)/begun || rm -rf $(VENV)
	@mkdir -p $(VENV) && touch $(VENV)/begun
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --progress-bar on --editable '.[test]'
	rm $(VENV)/begun
	touch $@

APT_INSTALL = sudo=$$(test $$(id -u) = 0 || echo sudo); $$sudo apt-get -qq update && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends
