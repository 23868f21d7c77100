# `make run` and `make test` set themselves up: Python 3.11, make and git are enough.
PYTHON ?= $(shell command -v python3 || command -v python3.11)
UV ?= $(shell command -v uv || echo .tools/uv/bin/uv)
RUN = $(UV) run --frozen
PYTEST ?= -n 3 --dist worksteal # one more than two processors: tests also wait
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 22

run: | $(UV) ## start a server to play with on http://localhost:9000
	$(RUN) --no-dev authserver dev $(ARGS)

test: | $(UV) ## every test; what a test needs is installed where that is possible
	bash .ci/prepare
	$(RUN) pytest $(PYTEST) --cov --cov-report= $(ARGS)

bench: | $(UV) ## CPU time per operation, compared with a peer where Node is there
	$(RUN) python -m bench $(ARGS)

lambda-package: | $(UV) ## the server's zip for Lambda, in dist/
	$(RUN) --no-dev --group deploy python .ci/package_lambda.py $(ARGS)

authorizer-package: | $(UV) ## the Lambda authorizer's zip, in dist/
	$(RUN) python .ci/package_authorizer.py $(ARGS)

lint: | $(UV) ## every static check
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) deptry .

floors: | $(UV) ## coverage floors of the last test run
	$(RUN) python -m tests.coverage_floors

docs: | $(UV) ## write docs/compliance.md and the tables of the README
	$(RUN) python -m tests.generated

.tools/uv/bin/uv:
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools/uv uv \
		|| { echo "uv could not be installed by pip: see https://docs.astral.sh/uv/ for other ways"; exit 1; }

.PHONY: help run test bench lambda-package authorizer-package lint floors docs
