# SPDX-License-Identifier: GPL-3.0-or-later
# `make run` starts investigator in a sandbox; `make test` runs every test. Each target sets up what it needs in .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PRODUCERS := .venv-producers

# For the sandbox: `make run ONCE=1` ends after the scenarios, `make run WORKERS=2` starts two workers.
ONCE ?=
WORKERS ?=
# For the benchmarks: `make bench QUICK=1` measures less and less exactly, `make bench NAMES="engine rest"` runs only these.
QUICK ?=
NAMES ?=
# For the fault matrix: `make faults QUICK=1 NAMES="graph- kind-500" SEED=7`; a fault runs if its name contains one of NAMES.
# For the soak test: `make soak DURATION=120 SEED=7 KAFKA=embedded`. Without KAFKA, the soak test runs on Apache Kafka where
# Java 17 and Maven are installed, and else on the embedded broker.
DURATION ?=
SEED ?=
KAFKA ?=
# For pytest: `make test PYTEST_ARGS="-k halted"`. With PROCESSES=0, pytest runs all tests in its own process, as --pdb wants.
PYTEST_ARGS ?=
PROCESSES ?= 2
# The tests of one file share servers, so they run in one process.
PYTEST := $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile

# pip builds SQLAlchemy 1.3 from source. Without its C extensions it needs no compiler and is the same on every machine.
export DISABLE_SQLALCHEMY_CEXT := 1
export PIP_CONSTRAINT := $(CURDIR)/constraints-build.txt
# Otherwise the pip of Python 3.10 builds old packages without PEP 517, which newer setuptools no longer supports.
export PIP_USE_PEP517 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

.PHONY: setup
setup: $(STAMP) ## Create .venv and install all dependencies into it, if they have changed

# A Python on the path may be the launcher of a version manager for a version that is not installed, so each one is run.
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
run: $(STAMP) ## Run workers and Thoth's scenarios on an embedded Kafka broker, PostgreSQL and cluster (ONCE=1, WORKERS=2)
	@ONCE="$(ONCE)" WORKERS="$(WORKERS)" exec $(BIN)/python -m sandbox

# Producers have used several versions of thoth-messaging. Each gets its own folder; all use the same dependencies.
$(PRODUCERS)/.installed: requirements-producers.txt $(STAMP)
	@echo "Setting up $(PRODUCERS) with the clients of producers"
	@$(BIN)/python -m venv --clear $(PRODUCERS)
	@$(PRODUCERS)/bin/python -m pip install --quiet --no-deps --requirement requirements-producers.txt
	@for version in 0.10.3 0.11.2 0.12.0 0.14.3; do \
	  $(PRODUCERS)/bin/python -m pip install --quiet --no-deps --target $(PRODUCERS)/clients/$$version thoth-messaging==$$version; \
	done
	@touch $@

.PHONY: producers
producers: $(PRODUCERS)/.installed ## Install the clients of Thoth's producers into .venv-producers, for the tests

.PHONY: test
test: $(STAMP) $(PRODUCERS)/.installed ## Run every test, end-to-end tests included (PYTEST_ARGS="-k halted")
	@$(PYTEST) $(PYTEST_ARGS)

.PHONY: test-unit
test-unit: $(STAMP) ## Run the tests that need no servers, in under a minute (PYTEST_ARGS="-k halted")
	@$(PYTEST) tests/unit $(PYTEST_ARGS)

.PHONY: test-kafka
test-kafka: $(STAMP) ## Run the end-to-end tests and more on Apache Kafka (Java 17, Maven), or on KAFKA_BOOTSTRAP_SERVERS if set
	@[ -n "$${KAFKA_BOOTSTRAP_SERVERS:-}" ] || $(BIN)/python -m sandbox.apache_kafka
	@SANDBOX_KAFKA=apache $(BIN)/python -m pytest $(or $(KAFKA_TESTS),tests/e2e tests/apache_kafka tests/integration/cli tests/sandbox/test_broker.py tests/integration/preflight/test_checks.py tests/integration/kafka/test_topic_reader.py tests/integration/kafka/test_producer.py) $(PYTEST_ARGS)

.PHONY: bench
bench: $(STAMP) ## Measure throughput, latency and memory in about 20 minutes (QUICK=1: about 5; NAMES="engine rest")
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(NAMES)

.PHONY: faults
faults: $(STAMP) ## Cause one fault after the other, and check what each delays or stops (QUICK=1, NAMES="graph-", SEED=7)
	@$(BIN)/python -m sandbox.fault_matrix $(if $(QUICK),--quick) $(if $(SEED),--seed $(SEED)) $(NAMES)

.PHONY: soak
soak: $(STAMP) ## Run two workers while dependencies fail at random, then check every message (DURATION=600, SEED=7, KAFKA=embedded)
	@SANDBOX_KAFKA=$(KAFKA) $(BIN)/python -m sandbox.soak $(if $(DURATION),--duration $(DURATION)) $(if $(SEED),--seed $(SEED))

.PHONY: break-guarantees
break-guarantees: $(STAMP) ## Break each guarantee in a copy of the code, and check that a test fails, in about 3 minutes
	@$(BIN)/python -m tools.break_guarantees

.PHONY: lint
lint: $(STAMP) ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(STAMP) ## Check types, in tests too
	@$(BIN)/mypy

.PHONY: imports
imports: $(STAMP) ## Check that modules import only what their layer may
	@$(BIN)/lint-imports

.PHONY: words
words: $(STAMP) ## Check that words which the glossary has replaced do not come back
	@$(BIN)/python -m tools.check_words

.PHONY: links
links: $(STAMP) ## Check the relative links and anchors in the documentation
	@$(BIN)/python -m tools.check_links

.PHONY: docs
docs: $(STAMP) ## Generate the reference pages from the code
	@$(BIN)/python -m docs.generate

.PHONY: docs-check
docs-check: $(STAMP) ## Check that the reference pages match the code
	@$(BIN)/python -m docs.generate --check

.PHONY: release-check
release-check: $(STAMP) ## Check version and changelog, and that a wheel works outside of the checkout
	@$(BIN)/python -m tools.release_check

.PHONY: clean
clean: ## Remove .venv, caches and everything else that these targets create
	@rm -rf $(VENV) $(PRODUCERS) .kafka .sandbox build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
