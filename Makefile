# Two commands are all a fresh machine needs: make run, make test.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
DATA ?= $(or $(STEADY_HANDS_DATA),.data)
PORT ?= $(or $(STEADY_HANDS_PORT),8000)
# The browser is fetched while the environment is made; but nothing beside "clean".
ifeq ($(MAKELEVEL)$(filter clean,$(MAKECMDGOALS)),0)
MAKEFLAGS += --jobs=2
endif

.PHONY: run test test-fast browser check faults security soak bench bench-long lighthouse lock schema review cases screenshots atlas clean

run: .venv/compiled
	$(BIN)/steady-hands serve --data $(DATA) --port $(PORT) --open

# For two cores. Tests that look at seconds mostly wait: six at a time, after those that compute.
# One of them that fails is run once more, since a busy machine can be late; the report names it.
test: .venv/dev .venv/compiled browser
	$(BIN)/python -m pytest -q -n 3 --dist worksteal -m "not timed"
	$(BIN)/python -m pytest -q -n 6 --dist worksteal --reruns 1 -raR -m timed tests/browser tests/faults tests/server

# The rules and the protocol files alone; needs pydantic, pytest and hypothesis, so any Python with them.
test-fast: .venv/dev
	$(BIN)/python -m pytest -q -p no:tests.support.visitor -m "not slow" tests/domain tests/protocol_files

# Needs no more than Python itself, so that it may be installed while the environment is made.
browser:
	$(PYTHON) -m tests.browser.chromium

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test

# The nineteen faults that a running session survives, one line each.
faults: .venv/dev .venv/compiled browser
	$(BIN)/python -m tests.faults

# Who may not come in, and what nobody can do, one line a promise; two marks need Node and npm.
security: .venv/dev .venv/compiled browser
	$(BIN)/python -m tests.security

# The fault tests in full: every point of the kill sweeps, fifty restarts of PostgreSQL.
soak: .venv/dev .venv/compiled
	STEADY_HANDS_SOAK=1 $(BIN)/python -m pytest -q -s tests/faults tests/clinical/test_before.py

bench: .venv/dev .venv/compiled
	$(BIN)/python -m benchmarks

bench-long: .venv/dev .venv/compiled
	$(BIN)/python -m benchmarks --long

# Lighthouse is a Node program; its pinned version is installed outside the repository.
lighthouse: .venv/dev .venv/compiled
	$(BIN)/python -m benchmarks.lighthouse

# Every phase with its picture and its words, large and small, in three themes.
atlas: .venv/dev .venv/compiled browser
	$(BIN)/python -m tests.browser.atlas

screenshots: .venv/dev .venv/compiled
	$(BIN)/python -m tests.browser.screenshots

COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade --quiet --custom-compile-command "make lock"

# New versions within the bounds of pyproject.toml, with hashes, for every platform.
lock: .venv/dev
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/$(COMPILE) pyproject.toml -o requirements.lock
	$(BIN)/$(COMPILE) --group build -o requirements-build.lock
	$(BIN)/$(COMPILE) pyproject.toml --group dev -o requirements-dev.lock

schema: .venv/dev
	$(BIN)/steady-hands schema --to protocols/schema/protocol.schema.json

review: .venv/dev
	$(BIN)/steady-hands review --to docs/clinical-review.md

# What the rules of a session make of one table of cases, for script to be held to.
cases: .venv/dev
	$(BIN)/python -m tests.cases.generate

INSTALL := -m pip install --quiet --disable-pip-version-check

.venv/app: requirements.lock requirements-build.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python $(INSTALL) --require-hashes -r requirements.lock -r requirements-build.lock
	$(BIN)/python $(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/app requirements-dev.lock
	$(BIN)/python $(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# So that no start has to compile the app first, also where Python may not keep what it compiles.
.venv/compiled: .venv/app $(wildcard webapp/*.py webapp/*/*.py webapp/*/*/*.py webapp/*/*/*/*.py)
	$(BIN)/python -m compileall -q webapp
	@touch $@

clean:
	rm -rf .venv .data .pytest_cache .mypy_cache .ruff_cache .hypothesis
