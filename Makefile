# The course's commands. `make book` builds the book, `make test` checks everything.
# Variables: SCALE=cpu|gpu  DEVICE=cpu|cuda  SEED=0  EDITION=reader|instructor  ONLY=07_attention
#            PYTHON=python3.12 (which Python makes .venv)  PORT=8000 (where `make serve` serves)

SCALE ?= cpu
DEVICE ?= cpu
SEED ?= 0
EDITION ?= reader
ONLY ?=
PORT ?= 8000
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)

BIN := $(CURDIR)/.venv/bin
READY := .venv/.ready
export PATH := $(BIN):$(PATH)
RUN := --scale $(SCALE) --device $(DEVICE) --seed $(SEED) $(addprefix --only ,$(ONLY))
FAST := not (slow or notebook or book or gpu)
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup book notebooks release check lint test test-all test-gpu serve system-deps \
	benchmarks clean clean-env

help:  ## List the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-20s%s\n", $$1, $$2}'
	@sed -nE 's/^# (Variables: | {11})/  /p' Makefile

setup: $(READY)  ## Make .venv and install the course into it, when that is needed
$(READY): pyproject.toml constraints.txt materials.txt
	@test -n "$(PYTHON)" || { echo "error: expected Python 3.11, 3.12 or 3.13, found none. Fix: install one, then make $(or $(MAKECMDGOALS),book) PYTHON=/its/path" >&2; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@echo "Installing the course into .venv; the first time this takes a few minutes."
	@$(BIN)/pip install --quiet -c constraints.txt -e '.[notebooks,test]'
	@$(BIN)/pip install --quiet --no-deps -r materials.txt
	@touch $(READY)

book: setup  ## Execute the chapters and build the book
	@$(BIN)/llm-course book $(RUN) --edition $(EDITION)

notebooks: setup  ## Execute the chapters and renew the students' notebooks
	@$(BIN)/llm-course notebooks $(RUN)
	@$(BIN)/llm-course release $(addprefix --only ,$(ONLY))

release: setup  ## Renew the students' notebooks, executing nothing
	@$(BIN)/llm-course release $(addprefix --only ,$(ONLY))

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/llm-course check

check: lint  ## Lint, layers and unit tests, in under three minutes
	$(PYTEST) -m "$(FAST)"

test: setup  ## Everything that is checked before a change is accepted
	@.ci/system-deps --if-allowed
	@$(MAKE) --no-print-directory lint
	$(BIN)/llm-course release --check
	$(BIN)/llm-course book
	$(BIN)/llm-course coverage --check
	$(PYTEST)

test-all: test  ## The same, and every automatic mutant of every exercise again
	$(BIN)/python -m llm_course.classroom.grade.mutation.mutants --all

test-gpu: setup  ## Every notebook at the larger scale, on a CUDA device
	$(BIN)/python -m pytest -m gpu

serve: setup  ## Show the built book at a local address
	@test -e build/html/index.html || { echo "error: there is no book yet. Fix: make book" >&2; exit 2; }
	@echo "http://127.0.0.1:$(PORT)/ (Ctrl-C ends it)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/html $(PORT)

system-deps:  ## Install Chromium (browser test) and bubblewrap (grading), where that is allowed
	@.ci/system-deps

benchmarks: setup  ## Measure against peers and record the results for the book
	@for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean:  ## Remove everything that was built
	rm -rf build .pytest_cache .ruff_cache .hypothesis .import_linter_cache

clean-env: clean  ## Remove .venv too
	rm -rf .venv
