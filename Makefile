# The two commands of the README are `make demo` and `make test`; both work on a fresh clone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PINNED := requirements/dev.txt
TESTS ?= tests
PYTEST_ARGS ?=
# Tests of one file stay together, and each worker has a server of its own; WORKERS=0 runs them in one process.
WORKERS ?= 2
KILLS ?= 200
# Where an image forbids it, each of the many processes would compile every library anew: ten seconds of each.
unexport PYTHONDONTWRITEBYTECODE

# Where the demo's data lie; without it the demo makes its own.
DATA ?=

.PHONY: help setup env demo test browser lint lint-style lint-types lint-sql format bench detection faults fuzz docs up down requirements clean

help: ## these lines
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1|/' | \
	  while IFS='|' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

setup: $(STAMP) ## .venv with `eco` in it, and nothing else

# One environment for the demo and the tests. uv makes it in a minute; without uv, pip does, in several.
# Either way every file is checked against the hash in requirements/.
$(STAMP): $(PINNED) requirements/bootstrap.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is $$($(PYTHON) -V 2>&1): 3.11 or newer is needed (make PYTHON=python3.12 ...)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) lacks the module venv: install python3-venv (Debian, Ubuntu)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes \
	      -r requirements/bootstrap.txt && \
	    $(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes $(PINNED) requirements/bootstrap.txt; then :; \
	else \
	  echo "uv cannot do it here; pip goes on alone, which takes a few minutes" >&2; \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r $(PINNED); \
	fi
	@if test -x $(BIN)/uv; then \
	  $(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	@touch $@

demo: $(STAMP) ## set everything up and run the main job on this machine, without Docker
	$(BIN)/eco demo $(if $(DATA),--data "$(DATA)")

test: $(STAMP) ## all tests, two at a time; TESTS=tests/unit for some, WORKERS=0 for one process
	$(BIN)/python -m pytest $(TESTS) -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

browser: ## what the tests of the page need: Chromium, its driver, Chinese fonts (Debian, Ubuntu)
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null && fc-list :lang=zh | grep -q .; then \
	  echo "all there"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium chromium-driver fonts-noto-cjk; \
	else echo "as root: apt-get install chromium chromium-driver fonts-noto-cjk" >&2; exit 1; fi

lint: lint-style lint-types lint-sql ## style, types, SQL (`make -j2 lint`: beside each other)

lint-style: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-types: $(STAMP)
	$(BIN)/mypy

lint-sql: $(STAMP)
	$(BIN)/sqlfluff lint -q -p 0 plugins/ecowarehouse/migrations dbt_project
	$(BIN)/sqlfluff lint -q --templater placeholder $$(git ls-files 'plugins/ecowarehouse/*/sql/*.sql')

format: $(STAMP) ## let the tools rewrite style
	$(BIN)/ruff check --fix -q . || true
	$(BIN)/ruff format .

bench: $(STAMP) ## measure, and compare with the limits
	$(BIN)/python tests/bench/run.py

detection: $(STAMP) ## plant faults and count which are found (SEEDS='1 2'): recall and precision by kind
	$(BIN)/python -m tests.detection.run $(if $(SEEDS),--seeds $(SEEDS))

faults: $(STAMP) ## kill steps at random moments (KILLS=200, SEED=...): nothing may be lost
	$(BIN)/python -m tests.faults.run --kills $(KILLS) $(if $(SEED),--seed $(SEED))

fuzz: $(STAMP) ## property tests with many more examples
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest tests/unit tests/integration $(PYTEST_ARGS)

docs: $(STAMP) ## generated pages: data dictionary, contracts
	$(BIN)/eco docs

up: $(STAMP) ## start PostgreSQL and Airflow
	$(BIN)/eco up

down: ## stop what `make up` started
	@if test -x $(BIN)/eco; then $(BIN)/eco down; else echo "nothing is installed, so nothing runs"; fi

# Without Python, because a machine that runs containers may have none.
env: ## .env for Docker Compose, with generated passwords
	@test ! -e .env || { echo ".env exists, and is never overwritten" >&2; exit 1; }
	@umask 077; while IFS= read -r line; do \
	  case "$$line" in ECO_SECRET_*=) line="$$line$$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')";; esac; \
	  printf '%s\n' "$$line"; \
	done < .env.example > .env.new && mv .env.new .env
	@echo ".env is written; keep a copy: with another AIRFLOW_FERNET what Airflow encrypted is lost"

requirements: $(STAMP) ## compile requirements/*.in to pins with hashes
	for name in runtime dev; do \
	  $(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-annotate --no-header requirements/$$name.in -o requirements/$$name.txt; \
	done

clean: down ## remove what was made here, the home with its data excepted
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs
	find . -name __pycache__ -not -path './.eco/*' -prune -exec rm -rf {} +
