# The targets that people and CI run. They need Python 3.11 or newer with pip, and install everything else into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The system's pip installs into the environment, so the environment needs no pip of its own.
PIP := $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check -qq
INSTALL_LOCKED := $(PIP) install --require-hashes --requirement
INSTALL_PUPPYLOG := $(PIP) install --no-deps --no-build-isolation --editable .

C_SOURCES := $(wildcard src/puppylog/formats/native/*.[ch] src/puppylog/stores/postgres/ingest/*.c \
	src/puppylog/rows/*.[ch] src/puppylog/receive/otlp/native/*.[ch] src/puppylog/native/*.h)

# Only `make lock` needs uv, which resolves for all versions of Python and all platforms at once.
UV ?= uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--custom-compile-command "make lock" --no-emit-index-url --no-emit-find-links

# Most tests wait for a process, a server or a deadline, so five processes of pytest keep two cores busy. Each process
# costs about 10 s of CPU time: it collects all tests, and starts a server of PostgreSQL and others that tests share.
PROCESSES ?= 5
IN_PARALLEL := -n $(PROCESSES) --dist worksteal

# Costly tests have cases on several stores or in many parts. Each run tests another half of them, and `make soak` all.
SAMPLE := --sample

# Random tests are short in `make test` and long in `make soak`. Each of these variables sets a length.
SOAK_LENGTHS := TAILING_EXAMPLES=$${TAILING_EXAMPLES:-2000} PUPPYLOG_TEST_SOAK_S=$${PUPPYLOG_TEST_SOAK_S:-1800} \
	PUPPYLOG_TEST_EXACTLY_ONCE_LINES=$${PUPPYLOG_TEST_EXACTLY_ONCE_LINES:-200000} \
	PUPPYLOG_TEST_EXACTLY_ONCE_KILLS=$${PUPPYLOG_TEST_EXACTLY_ONCE_KILLS:-26} \
	PUPPYLOG_TEST_SOAK_COPYTRUNCATE_RUNS=$${PUPPYLOG_TEST_SOAK_COPYTRUNCATE_RUNS:-20} \
	PUPPYLOG_TEST_SOAK_COPYTRUNCATE_LINES=$${PUPPYLOG_TEST_SOAK_COPYTRUNCATE_LINES:-2000000} \
	PUPPYLOG_TEST_SOAK_COPYTRUNCATE_KILLS=$${PUPPYLOG_TEST_SOAK_COPYTRUNCATE_KILLS:-200} \
	PUPPYLOG_TEST_SOAK_RETENTION_S=$${PUPPYLOG_TEST_SOAK_RETENTION_S:-1800} \
	PUPPYLOG_TEST_SOAK_RETENTION_BYTES=$${PUPPYLOG_TEST_SOAK_RETENTION_BYTES:-200000000} \
	PUPPYLOG_TEST_SOAK_RETENTION_KILLS=$${PUPPYLOG_TEST_SOAK_RETENTION_KILLS:-60} \
	PUPPYLOG_TEST_KUBELET_BYTES=$${PUPPYLOG_TEST_KUBELET_BYTES:-10485760} \
	PUPPYLOG_TEST_KUBELET_STEPS=$${PUPPYLOG_TEST_KUBELET_STEPS:-60} \
	PUPPYLOG_TEST_REPLAY_KILLS=$${PUPPYLOG_TEST_REPLAY_KILLS:-50} \
	PUPPYLOG_TEST_REREAD_KILLS=$${PUPPYLOG_TEST_REREAD_KILLS:-50} \
	PUPPYLOG_TEST_NOTIFICATIONS_KILLS=$${PUPPYLOG_TEST_NOTIFICATIONS_KILLS:-500} \
	PUPPYLOG_TEST_NOTIFICATIONS_TRANSITIONS=$${PUPPYLOG_TEST_NOTIFICATIONS_TRANSITIONS:-2000} \
	PUPPYLOG_TEST_REMOTE_COLLECTORS=$${PUPPYLOG_TEST_REMOTE_COLLECTORS:-10} \
	PUPPYLOG_TEST_REMOTE_KILLS=$${PUPPYLOG_TEST_REMOTE_KILLS:-200} \
	PUPPYLOG_TEST_REMOTE_LINES=$${PUPPYLOG_TEST_REMOTE_LINES:-20000} \
	PUPPYLOG_TEST_FUZZ_INPUTS=$${PUPPYLOG_TEST_FUZZ_INPUTS:-1000000} \
	PUPPYLOG_TEST_EXAMPLES_TIMES=$${PUPPYLOG_TEST_EXAMPLES_TIMES:-20}
SOAK_TESTS := tests/tail/test_model.py tests/collect/test_names_at_random.py tests/collect/test_watching_at_random.py \
	tests/endtoend/test_logrotate.py tests/endtoend/test_exactly_once.py tests/endtoend/test_exactly_once_postgres.py \
	tests/endtoend/test_remote_exactly_once.py \
	tests/endtoend/test_replay_killed.py tests/endtoend/test_reread_killed.py \
	tests/endtoend/test_notifications_killed.py tests/endtoend/test_soak.py tests/endtoend/test_bootstrap_postgres.py \
	tests/endtoend/test_soak_copytruncate.py tests/endtoend/test_metric_sums_timescaledb.py \
	tests/endtoend/test_soak_retention.py tests/formats/test_native_memory.py tests/formats/test_format_files.py \
	tests/formats/test_packaged_heads.py \
	tests/formats/test_stamp.py tests/formats/test_stamp_positions.py tests/formats/test_kinds.py tests/serve/store/test_bad_calls.py \
	tests/stores/postgres/sessions/test_reading_sql.py tests/stores/duckdb/engine/test_levels.py \
	tests/stores/duckdb/engine/test_narrowing.py tests/stores/postgres/ingest/test_pgcopy.py tests/rows/test_text.py tests/receive/test_fuzz.py \
	tests/receive/otlp/test_native.py tests/test_bench.py tests/serve/page tests/cli/demo

.PHONY: help demo test check soak bench scale fmt lock manifests clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(VENV)/run.stamp ## show how lines become records, metrics and an alert; ends by itself
	@$(BIN)/puppylog demo

test: $(VENV)/dev.stamp ## run the tests; choose some with ARGS="-k rotation"
	@$(BIN)/pytest $(IN_PARALLEL) $(SAMPLE) $(ARGS)

check: $(VENV)/dev.stamp ## run all checks: lint, format, types, layers, tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/clang-format --dry-run --Werror $(C_SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(IN_PARALLEL) $(SAMPLE) $(ARGS)

soak: $(VENV)/dev.stamp ## before a release: random tests and kills for hours; of metrics, too, with PUPPYLOG_TEST_TIMESCALEDB
	$(SOAK_LENGTHS) $(BIN)/pytest -s $(SOAK_TESTS) $(ARGS)
	PUPPYLOG_TEST_EXAMPLES_TIMES=2 $(BIN)/pytest $(IN_PARALLEL) -m "sampled or thorough" --timeout 3600 $(ARGS)
	PUPPYLOG_TEST_REMOTE=1 $(BIN)/pytest $(IN_PARALLEL) tests/contract tests/endtoend/test_remote_killed.py -k remote $(ARGS)
	$(SOAK_LENGTHS) $(BIN)/pytest $(IN_PARALLEL) -m hypothesis --timeout 3600 $(ARGS)

bench: $(VENV)/run.stamp ## measure speed, size, latency, idle cost and load; options with ARGS="--lines 500000"
	@$(BIN)/python -m bench $(ARGS)

scale: $(VENV)/run.stamp ## measure what a line costs each part of a store of several servers; see docs/scaling.md
	@$(BIN)/python -m bench.scale $(ARGS)

fmt: $(VENV)/dev.stamp ## format the source
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(C_SOURCES)

lock: ## write requirements/*.txt from pyproject.toml
	$(COMPILE) pyproject.toml --output-file requirements/run.txt
	$(COMPILE) --group build --constraint requirements/run.txt --output-file requirements/build.txt
	$(COMPILE) pyproject.toml --group dev --constraint requirements/run.txt --constraint requirements/build.txt \
		--output-file requirements/dev.txt

# The chart's values files, each rendered to the manifest of the same name. HELM names another program.
HELM ?= helm

manifests: ## render deploy/kubernetes from the Helm chart
	@for values in deploy/helm/values/*.yaml; do \
		$(HELM) template puppylog deploy/helm/puppylog --namespace puppylog --skip-tests --values $$values \
			> deploy/kubernetes/$$(basename $$values) || exit 1; done

clean: ## delete the environment and all caches
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Puppylog needs Python 3.11 or newer: name one, as in make PYTHON=python3.12 test")'
	@$(PYTHON) -m venv --without-pip $(VENV)

# Files that the modules in C are built from.
NATIVE := hatch_build.py $(C_SOURCES)

$(VENV)/run.stamp: requirements/run.txt requirements/build.txt pyproject.toml $(NATIVE) | $(BIN)/python
	@echo "Installing what Puppylog needs into $(VENV) …"
	@$(INSTALL_LOCKED) requirements/run.txt --requirement requirements/build.txt
	@$(INSTALL_PUPPYLOG)
	@$(BIN)/python deploy/container/trim.py $(BIN)/../lib/python*/site-packages
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml $(NATIVE) | $(BIN)/python
	@echo "Installing what Puppylog and its checks need into $(VENV) …"
	@$(INSTALL_LOCKED) requirements/dev.txt
	@$(INSTALL_PUPPYLOG)
	@touch $(VENV)/run.stamp $@
