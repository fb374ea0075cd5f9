# The console's commands; `make` lists them. Each is a short script in .ci/ or deploy/.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
RUNTIME := .venv/installed
DEVELOPMENT := .venv/installed-dev

.PHONY: help demo test coverage lint format messages faults bench requirements sbom clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*##/make \1\t/p' Makefile | expand -t 16

demo: $(RUNTIME)  ## fill and run everything on this machine, without Tencent; Ctrl-C ends it
	@exec python deploy/demo.py

test: $(DEVELOPMENT)  ## all tests, on PostgreSQL and SQLite
	@.ci/packages chromium-headless-shell postgresql fonts gcc
	@.ci/test

coverage: $(DEVELOPMENT)  ## the tests on SQLite, and which lines they miss; at least 95 %
	@python -m pytest -q -m "not browser" --cov

lint: $(DEVELOPMENT)  ## format, style, types, layers, templates, settings, messages
	@.ci/lint

format: $(DEVELOPMENT)  ## rewrite Python and templates in the project's format
	ruff check --fix --exit-zero .
	ruff format .
	djlint templates --reformat --quiet || true

messages: $(DEVELOPMENT)  ## bring the Chinese catalogue up to date with the code
	@.ci/messages

faults: $(DEVELOPMENT)  ## kill, cut, stop and break everything for hours; prints one table
	@.ci/packages postgresql gcc
	@python -m tests.faults --long

bench: $(DEVELOPMENT)  ## measure the sending, each figure beside its limit
	@.ci/packages postgresql
	@python -m tests.benchmarks

requirements: $(DEVELOPMENT)  ## pin the newest releases that pyproject.toml allows, with hashes
	@.ci/requirements
	@$(MAKE) --no-print-directory sbom

sbom: $(DEVELOPMENT)  ## write the SBOM and the licences of what is pinned
	@python deploy/inventory.py

clean:  ## remove what these commands made, the demo's data included
	rm -rf .venv var .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): requirements.txt
	@.ci/venv requirements.txt
	@touch $@

$(DEVELOPMENT): requirements.txt requirements-dev.txt
	@.ci/venv requirements-dev.txt
	@touch $@
