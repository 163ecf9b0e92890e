# Two commands matter: `make demo` shows the council at work, `make test` proves it. Both set everything up first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NODE := .node
DEBIAN := .debian
WORKERS ?= auto
# Servers, workers and commands that tests start are read as compiled modules, wherever a machine is set up not to keep them:
# reading them anew takes longer than most of what they are started for.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test aimock browser promtool lint format bench schemas lock clean

help: ## Show the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(STAMP) ## Install everything into .venv (nothing is written outside this folder)

$(STAMP): pyproject.toml requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "needs Python 3.11 (python3.11), or make PYTHON=/path/to/python"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "needs Python 3.11 or newer"; exit 2; }
	@echo "setup: virtual environment and locked dependencies into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8'
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: setup ## Review the example decisions, then play a day of the shared world
	@$(BIN)/council demo

test: setup aimock browser promtool ## Run every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

# A server that speaks the OpenAI protocol, for the tests of models. Those are skipped where it cannot be had: nothing else needs
# node, and a machine without it still proves the rest.
aimock: ## Install the fake model server that tests talk to into .node
	@if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "*** aimock: node or npm is not installed: the tests that need a model server WILL BE SKIPPED (install node 20.15 or newer)"; \
	elif ! cmp -s tests/models/package-lock.json $(NODE)/.installed; then \
		echo "aimock: the fake model server of the tests into $(NODE) ..."; \
		rm -rf $(NODE) && mkdir $(NODE) && cp tests/models/package.json tests/models/package-lock.json $(NODE)/; \
		if npm ci --prefix $(NODE) --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-timeout=30000 >/dev/null; \
		then cp tests/models/package-lock.json $(NODE)/.installed; \
		else echo "*** aimock: npm could not install it, see above: the tests that need a model server WILL BE SKIPPED"; fi; \
	fi

# The browser that looks at report pages. Tests that need it are skipped where there is none.
browser: ## Install Debian's chromium, which tests look at pages with, where it is missing
	@if command -v chromium >/dev/null; then :; \
	elif ! command -v apt-get >/dev/null; then \
		echo "*** browser: chromium is not installed, and there is no apt-get: the tests of pages WILL BE SKIPPED (install chromium)"; \
	elif [ "$$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then \
		echo "browser: installing Debian's chromium (apt-get install chromium) ..."; \
		as=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		{ $$as apt-get update -qq && $$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
			>/dev/null || echo "*** browser: apt-get could not install chromium, see above: the tests of pages WILL BE SKIPPED"; \
	else \
		echo "*** browser: chromium is not installed, and installing it needs root: the tests of pages WILL BE SKIPPED (sudo make browser)"; \
	fi

# What checks deploy/: alert rules and dashboard queries with promtool, the proxy's file with caddy. Both are unpacked, not installed:
# Debian's packages would start a server each. Their tests are skipped where they cannot be had.
promtool: ## Unpack Debian's promtool and caddy, which tests check deploy/ with, into .debian
	@for tool in promtool:prometheus caddy:caddy; do \
		name=$${tool%%:*}; package=$${tool##*:}; \
		if command -v $$name >/dev/null || [ -x $(DEBIAN)/usr/bin/$$name ]; then continue; fi; \
		if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then \
			echo "*** promtool: $$name is not installed, and there is no apt-get: tests of deploy/ WILL BE SKIPPED (install $$name)"; continue; \
		fi; \
		echo "promtool: Debian's $$name into $(DEBIAN) ..."; \
		rm -rf $(DEBIAN)/new && mkdir -p $(DEBIAN)/new; \
		fetch() { (cd $(DEBIAN)/new && apt-get download -qq $$package) >/dev/null 2>&1; }; \
		if ! fetch && [ "$$(id -u)" = 0 ]; then apt-get update -qq >/dev/null 2>&1 || true; fetch || true; fi; \
		if ls $(DEBIAN)/new/*.deb >/dev/null 2>&1 && dpkg-deb -x $(DEBIAN)/new/*.deb $(DEBIAN); then :; \
		else echo "*** promtool: apt-get could not fetch $$package (apt-get update needs root): tests of deploy/ WILL BE SKIPPED"; fi; \
		rm -rf $(DEBIAN)/new; \
	done

lint: setup ## Check format, style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## Measure speed against peers and floors, in one run (nothing else should run)
	$(BIN)/python -m benchmarks.all

schemas: setup ## Write the JSON Schemas to docs/schemas
	$(BIN)/council schema --write docs/schemas

lock: ## Resolve requirements.lock and deploy/requirements.lock anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --all-extras --output-file requirements.lock pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra postgres --extra redis --extra nats --extra kafka --extra otel \
		--constraints requirements.lock --output-file deploy/requirements.lock pyproject.toml

clean: ## Remove what setup and tests made
	rm -rf $(VENV) $(NODE) $(DEBIAN) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
