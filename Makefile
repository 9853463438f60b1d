# Every target is also a plain command in docs/install.md. Paths are relative, so a folder with a space in its name works.
PYTHON ?= python3

.PHONY: help setup demo check accept test test-all lint format generate site lock clean
.DEFAULT_GOAL := help

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

setup: ## Virtual environment, locked packages, Node and the CDK CLI, all inside this folder
	@$(PYTHON) tools/setup.py

demo: setup ## Deploy, ask, update and remove Mistral 7B on the embedded AWS
	@.venv/bin/mistral7b demo

check: setup ## Test your files in environments/; after edits of code: lint, types, and the unit tests of what changed
	@.venv/bin/python tools/check.py

accept: setup ## Accept what your edits of environments/ change, and show it
	@.venv/bin/python -m pytest tests/environments --accept

# Three workers for two cores: the CDK CLI of the end-to-end tests waits a lot.
test: setup lint ## Linters, type checks and every test
	@.venv/bin/pytest --numprocesses 3 --dist loadgroup

test-all: setup lint ## The same, with 6,750 mutated environment files, every random example and every combination that JumpStart publishes
	@.venv/bin/pytest --numprocesses 3 --dist loadgroup --hypothesis-profile all

lint: setup ## ruff and mypy --strict
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy

format: setup ## Format the code, and fix what ruff can fix
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

generate: setup ## Write what is made from the code: schemas, references, the constructs' data, recorded and accepted templates
	@.venv/bin/python tools/generate.py

site: setup ## The documentation as a site: .mistral7b/site/index.html, which needs no server and no internet
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

# One resolution, dev.txt, holds every package; the others take their versions from it.
COMPILE = .venv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-emit-package sagehost --no-emit-package sagemaker-tgi --no-emit-package scaling-rules --custom-compile-command "make lock" --quiet
lock: setup ## Resolve requirements.txt, requirements/ and package-lock.json anew
	@$(COMPILE) --upgrade --extra dev --output-file requirements/dev.txt
	@$(COMPILE) --constraint requirements/dev.txt --extra deploy --output-file requirements.txt
	@for one in client capacity bench docs local pipeline test; do \
		$(COMPILE) --constraint requirements/dev.txt --extra $$one --output-file requirements/$$one.txt || exit; done
	@.venv/bin/npm update --package-lock-only

clean: ## Remove what set-up and runs have made in this folder
	@rm -rf .venv node_modules cdk.out .mistral7b .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
