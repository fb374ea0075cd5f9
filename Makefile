# The console's commands; `make` lists them. Each is a short script in .ci/ or deploy/.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
RUNTIME := .venv/installed
DEVELOPMENT := .venv/installed-dev

.PHONY: help demo test coverage lint format messages faults mutations bench requirements sbom clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*##/make \1\t/p' Makefile | expand -t 16

demo: $(RUNTIME)  ## run the console with demo data on this machine, without Tencent; Ctrl-C stops
	@exec python deploy/demo.py

test: $(DEVELOPMENT)  ## all tests, on PostgreSQL and SQLite
	@.ci/packages chromium-headless-shell postgresql fonts gcc
	@.ci/test

coverage: $(DEVELOPMENT)  ## test coverage on SQLite, with the missed lines; at least 95 %
	@python -m pytest -q -m "not browser" --cov

lint: $(DEVELOPMENT)  ## format, style, types, layers, templates, settings, messages
	@.ci/lint

format: $(DEVELOPMENT)  ## rewrite Python and templates in the project's format
	ruff check --fix --exit-zero .
	ruff format .
	djlint templates --reformat --quiet || true

messages: $(DEVELOPMENT)  ## update the Chinese catalogue from the code
	@.ci/messages

faults: $(DEVELOPMENT)  ## run the fault tests (crashes, lost connections, power cuts) for hours
	@.ci/packages postgresql gcc
	@python -m tests.faults --long

mutations: $(DEVELOPMENT)  ## take each protection of docs/asvs.md away; its tests must fail (half an hour)
	@.ci/packages chromium-headless-shell postgresql
	@python -m tests.mutations

bench: $(DEVELOPMENT)  ## run the benchmarks, each figure next to its limit
	@.ci/packages postgresql
	@python -m tests.benchmarks

requirements: $(DEVELOPMENT)  ## pin the newest releases that pyproject.toml allows, with hashes
	@.ci/requirements
	@$(MAKE) --no-print-directory sbom

sbom: $(DEVELOPMENT)  ## write the SBOM and the licences of the pinned packages
	@python deploy/inventory.py

clean:  ## remove everything that these commands created, including the demo's data
	rm -rf .venv var .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): requirements.txt
	@.ci/venv requirements.txt
	@touch $@

$(DEVELOPMENT): requirements.txt requirements-dev.txt
	@.ci/venv requirements-dev.txt
	@touch $@
