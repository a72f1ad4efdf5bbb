# SPDX-License-Identifier: GPL-3.0-or-later
# `make run` shows the whole at work; `make test` proves it. Both set up what they need in .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PRODUCERS := .venv-producers

# Passed on to the sandbox: `make run ONCE=1` ends by itself, `make run WORKERS=2` starts two workers.
ONCE ?=
WORKERS ?=
# `make bench QUICK=1` takes a look instead of a measurement; `make bench NAMES="engine rest"` does only these.
QUICK ?=
NAMES ?=
# Passed on to the soak: `make soak DURATION=120 SEED=7 KAFKA=embedded`; without KAFKA it takes Apache Kafka where that can be had.
DURATION ?=
SEED ?=
KAFKA ?=
# Passed on to pytest: `make test PYTEST_ARGS="-k halted"`.
PYTEST_ARGS ?=

# SQLAlchemy 1.3 is built on the spot: without its C parts no compiler is needed, and every machine gets the same.
export DISABLE_SQLALCHEMY_CEXT := 1
export PIP_CONSTRAINT := $(CURDIR)/constraints-build.txt
# The pip of Python 3.10 would otherwise build old packages in a way that newer setuptools has given up.
export PIP_USE_PEP517 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: setup
setup: $(STAMP) ## Create .venv and install everything into it, once

# A command that merely exists is not enough (version managers put launchers of absent versions on the path): it must run.
$(STAMP): requirements.txt requirements-dev.txt constraints-build.txt
	@for python in $${PYTHON:-} python3.11 python3 python3.12 python3.10 python3.13; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; \
	  then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	  echo "investigator needs Python 3.10 to 3.13 (3.11 is the one most used) with its venv module, and none was found." >&2; \
	  echo "Install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$($$found --version); this takes a minute, once"; \
	$$found -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@

.PHONY: run
run: $(STAMP) ## Embedded Kafka, PostgreSQL and cluster; real workers; the scenarios, live (ONCE=1: end by itself)
	@ONCE="$(ONCE)" WORKERS="$(WORKERS)" exec $(BIN)/python -m sandbox

# Each version of the client that producers use or used goes to a folder of its own; they have no dependencies of theirs.
$(PRODUCERS)/.installed: requirements-producers.txt $(STAMP)
	@echo "Setting up $(PRODUCERS) with the clients of producers"
	@$(BIN)/python -m venv --clear $(PRODUCERS)
	@$(PRODUCERS)/bin/python -m pip install --quiet --no-deps --requirement requirements-producers.txt
	@for version in 0.10.3 0.11.2 0.12.0 0.14.3; do \
	  $(PRODUCERS)/bin/python -m pip install --quiet --no-deps --target $(PRODUCERS)/clients/$$version thoth-messaging==$$version; \
	done
	@touch $@

.PHONY: producers
producers: $(PRODUCERS)/.installed ## Install the clients of producers, whose messages the tests read

.PHONY: test
test: $(STAMP) $(PRODUCERS)/.installed ## Every test, end-to-end ones included
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: test-kafka
test-kafka: $(STAMP) ## The end-to-end tests, and more, on Apache Kafka itself (Java 17, Maven); KAFKA_BOOTSTRAP_SERVERS: on that one
	@[ -n "$${KAFKA_BOOTSTRAP_SERVERS:-}" ] || $(BIN)/python -m sandbox.apache_kafka
	@SANDBOX_KAFKA=apache $(BIN)/python -m pytest $(or $(KAFKA_TESTS),tests/e2e tests/apache_kafka tests/integration/cli tests/sandbox/test_broker.py tests/integration/preflight/test_checks.py tests/integration/kafka/test_topic_reader.py tests/integration/kafka/test_producer.py) $(PYTEST_ARGS)

.PHONY: bench
bench: $(STAMP) ## Measure how fast it is, as ratios inside one run; some 20 minutes (QUICK=1: some 5)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(NAMES)

.PHONY: soak
soak: $(STAMP) ## Two workers while all around them fails by chance (DURATION=600 SEED=... KAFKA=embedded), then every message is looked for
	@SANDBOX_KAFKA=$(KAFKA) $(BIN)/python -m sandbox.soak $(if $(DURATION),--duration $(DURATION)) $(if $(SEED),--seed $(SEED))

.PHONY: lint
lint: $(STAMP) ## Style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(STAMP) ## Types, tests included
	@$(BIN)/mypy

.PHONY: imports
imports: $(STAMP) ## Who may import whom
	@$(BIN)/lint-imports

.PHONY: docs
docs: $(STAMP) ## Write the reference pages from the code
	@$(BIN)/python -m docs.generate

.PHONY: docs-check
docs-check: $(STAMP) ## Fail if the reference pages are not what the code says
	@$(BIN)/python -m docs.generate --check

.PHONY: clean
clean: ## Remove .venv and everything else that was made here
	@rm -rf $(VENV) $(PRODUCERS) .kafka .sandbox build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
