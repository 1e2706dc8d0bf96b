# Every task of the workshop. Needs Python 3.11 or newer with pip, and make; everything else is put into the checkout.

UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/
# One more than there are cores: many tests wait for a process.
WORKERS ?= 3
ARGS ?=

# Packages come from the lock file, interpreters from the machine.
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
# Modules are compiled once, at installation: a command that compiles all it imports takes seconds to start.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE
# mkdocs-material would praise a successor on every build.
export NO_MKDOCS_2_WARNING := 1

MANIFESTS := uv.lock pyproject.toml $(wildcard packages/*/pyproject.toml)
SYNCED := $(VENV)/.synced
BENCH_SYNCED := $(VENV)/.synced-bench
SYNC := sync --locked --all-packages --quiet
SOURCES := packages tests tools .ci

.DEFAULT_GOAL := help
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif
.SUFFIXES:
.PHONY: help demo test test-all ci check format format-check lint imports deps types docs serve-docs bench audit sbom release new-rail clean

help: ## list the tasks
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r task text; do \
		printf '  %-13s %s\n' "$$task" "$$text"; done

demo: $(SYNCED) ## connect a made-up portfolio, sync it, print it, serve the app: make demo ARGS="--clients 20 --no-serve"
	@$(RUN)runway demo $(ARGS)

test: $(SYNCED) ## run every test, on SQLite and PostgreSQL: make test ARGS="-k bills"
	@.ci/find-program redis-server "the tests of queue-celery" >/dev/null
	@.ci/find-program chromium "the tests in a browser" >/dev/null
	@$(RUN)pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-all: $(SYNCED) ## run every test on each Python from 3.11 up that is found
	@uv=$$(.ci/find-uv $(UV_VERSION)) && pythons=$$(.ci/find-python --all) && failed= && \
	for python in $$pythons; do \
		number=$$($$python -c 'import platform; print(platform.python_version())'); \
		echo "Python $$number ($$python)"; \
		UV_PROJECT_ENVIRONMENT=.tools/envs/$$number $$uv $(SYNC) --python $$python \
			&& .tools/envs/$$number/bin/pytest -n $(WORKERS) --dist worksteal $(ARGS) || failed="$$failed $$number"; \
	done; \
	if [ -n "$$failed" ]; then echo "failed on Python:$$failed" >&2; exit 1; fi

# Types take one core for half a minute, and tests wait for processes of their own now and then: they share the cores.
ci: format-check lint imports deps docs ## everything CI runs, in the order of what fails soonest
	@$(MAKE) --no-print-directory -j2 SIDE_BY_SIDE=1 types test

check: ## all of that, with twenty whole days of a thousand companies instead of five times two hours: half an hour
	@RUNWAY_WHOLE_DAYS=1 $(MAKE) --no-print-directory ci

format: $(SYNCED) ## put the code into its form
	@$(RUN)ruff format $(SOURCES)
	@$(RUN)ruff check --quiet --fix-only $(SOURCES)

format-check: $(SYNCED) ## is the code in its form? (make format mends it)
	@$(RUN)ruff format --check --diff --quiet $(SOURCES) || { echo "run: make format" >&2; exit 1; }

lint: $(SYNCED) ## style and likely bugs, by ruff
	@$(RUN)ruff check $(SOURCES)

imports: $(SYNCED) ## do the arrows point one way? by import-linter
	@$(RUN)lint-imports --no-cache --no-logo

deps: $(SYNCED) ## is every dependency declared and used? by deptry, package by package
	@for package in packages/*/; do \
		(cd $$package && $(CURDIR)/$(RUN)deptry --no-ansi src) >$(VENV)/deptry.txt 2>&1 \
			|| { echo "$$package"; cat $(VENV)/deptry.txt; exit 1; }; \
	done; echo "deptry: every package declares what it imports"

types: $(SYNCED) ## mypy, strictly
	@$(RUN)mypy $(wildcard packages/*/src)
	@$(RUN)mypy --explicit-package-bases tests

docs: $(SYNCED) ## build the documentation into site/, strictly
	@$(RUN)mkdocs build --strict --quiet --clean
	@echo "docs: built into site/"

serve-docs: $(SYNCED) ## show the documentation at http://127.0.0.1:8000, rebuilt at every change
	@$(RUN)mkdocs serve --dev-addr 127.0.0.1:8000

bench: $(BENCH_SYNCED) ## measure, beside peers: make bench ARGS="--small"
	@$(RUN)python -m tests.bench $(ARGS)

audit: $(SYNCED) ## are there known holes in what is installed? asks PyPI; fails, and says so, where it cannot
	@uv=$$(.ci/find-uv $(UV_VERSION)) && $$uv export --quiet --locked --all-packages --no-dev --no-emit-workspace \
		--no-group docs --no-group names --format requirements.txt --output-file $(VENV)/audited.txt >/dev/null \
		&& .ci/audit $(VENV)/audited.txt

sbom: $(SYNCED) ## what the release is made of, as CycloneDX, into build/sbom.cdx.json
	@mkdir -p build && uv=$$(.ci/find-uv $(UV_VERSION)) && $$uv export --quiet --locked --all-packages --no-dev \
		--no-group docs --no-group names --format cyclonedx1.5 --output-file build/sbom.cdx.json >/dev/null \
		&& echo "sbom: build/sbom.cdx.json"

release: check audit sbom ## all that CI runs, no known holes, the list of parts; then the packages, into build/packages
	@uv=$$(.ci/find-uv $(UV_VERSION)) && rm -rf build/packages \
		&& $$uv build --quiet --all-packages --wheel --out-dir build/packages && ls build/packages

new-rail: $(SYNCED) ## copy packages/rail-sample to packages/rail-NAME and rename it: make new-rail NAME=acme
	@$(RUN)python -m runway_testkit.scaffold rail "$(NAME)"
	@$$(.ci/find-uv $(UV_VERSION)) lock --quiet

clean: ## remove environments, caches and what was built; databases stay
	@rm -rf $(VENV) .tools site build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find packages tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(SYNCED): $(MANIFESTS)
	@uv=$$(.ci/find-uv $(UV_VERSION)) && python=$$(.ci/find-python) \
		&& if [ -x $(BIN)/python ] && $(BIN)/python -c '' 2>/dev/null; then python=$(BIN)/python; fi \
		&& $$uv $(SYNC) --python $$python
	@rm -f $(BENCH_SYNCED)
	@touch $@

$(BENCH_SYNCED): $(SYNCED)
	@uv=$$(.ci/find-uv $(UV_VERSION)) && $$uv $(SYNC) --group bench
	@touch $@
