# The README's two commands are `make main` and `make test`; both set up what they need.

# The first of these that works: a name on the PATH may not (pyenv's, for a version that is not selected).
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	"$$python" -c '$(SUITS)' 2>/dev/null && { echo "$$python"; break; }; done)
SUITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHONS := Python 3.11, 3.12 or 3.13 is needed
# A relative path, since that of this folder may contain spaces and quotes.
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
# MLflow's command; only one process at a time creates the tables of an empty store. In place of the shell,
# which would not pass it on when make is terminated.
RUN := exec env PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python -m steps.run run . --env-manager local

# Quotes any text as one word for the shell.
quoted = '$(subst ','\'',$(1))'

# What is given to make is given to main, a $ as it is: make main source=FILE grid=gbt_fine
GIVEN = $(foreach p,$(filter-out PYTHON,$(.VARIABLES)),$(if $(filter command line,$(origin $(p))),-P $(call quoted,$(p)=$(value $(p)))))

.PHONY: main test bench mutants load-tool pictures lint mlproject report ui moved serve image setup java pins platforms clean

main: setup
	@$(RUN) -e main $(GIVEN)

# Three workers: on two cores, two wait a sixth of the time, for what their tests start and for disks.
test: lint .venv/tests-installed
	@$(BIN)/python -m pytest -n 3

.venv/tests-installed: tests/requirements.txt .venv/installed
	$(INSTALL) -r tests/requirements.txt -c requirements.txt
	@touch $@

lint: setup
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

# MLproject, from the declaration of the workflow.
mlproject: .venv/installed
	@$(BIN)/python -m common.workflow.mlproject

# Each benchmark alone: python -m benchmarks.NAME. Their tables are kept under benchmarks/results.
BENCHMARKS := workflow coarse_grid xgboost_grid scaling genetic_search parity refits batch
# These take no file; those of the service use the champion that `make main` registered.
OTHER_BENCHMARKS := application service service_soak

# A missing tool is reported first, not after an hour.
bench: load-tool main
	@$(INSTALL) -r benchmarks/requirements.txt
	@set -e; for name in $(BENCHMARKS); do \
		echo "== $$name"; $(BIN)/python -m benchmarks.$$name $(if $(source),--source $(call quoted,$(source))); done
	@set -e; for name in $(OTHER_BENCHMARKS); do echo "== $$name"; $(BIN)/python -m benchmarks.$$name; done

# Plants small faults, one at a time, in the modules that decide: an hour and more. make mutants module=common/learning/metrics.py
mutants: setup
	@$(INSTALL) -r benchmarks/requirements-mutants.txt
	@$(BIN)/python -m benchmarks.mutants $(module)

load-tool:
	@command -v hey >/dev/null || { echo "hey is needed, which loads the service: apt-get install hey, or brew install hey" >&2; exit 1; }

# make report workflow=RUN; by default, the workflow that ended last
report: .venv/installed
	@$(RUN) -e report $(if $(workflow),-P $(call quoted,workflow=$(workflow)))

# The documents' pictures, from the store's runs, with Chromium: docs/walkthrough.md.
pictures: setup
	@$(INSTALL) -r docs/requirements.txt
	@$(BIN)/python -m docs.pictures $(call given,folder browser name)

# make ui port=5001
ui: .venv/installed
	@exec ./mlflow.sh $(port)

# After this folder was moved or copied: makes the store use the artifacts in it.
moved: .venv/installed
	@exec $(BIN)/python -m steps.moved

given = $(foreach p,$(1),$(if $(filter command line,$(origin $(p))),--$(p) $(call quoted,$(value $(p)))))

# make serve port=5056 workers=2 model=models:/income/1; on 127.0.0.1, or make serve host=0.0.0.0
serve: .venv/installed
	@exec $(BIN)/python -m steps.serve $(call given,model host port workers)

# make image name=income model=models:/income/1
image: .venv/installed
	@exec $(BIN)/python -m steps.image $(call given,model name)

setup: java .venv/installed .venv/spark-classes.jsa

# The pins are complete. --no-deps leaves out a dependency that has no wheel on some machines. pip would
# install and compile on one core: so two of them share the pins, and what they install is compiled on all.
.venv/installed: requirements.txt
	@[ -n "$(PYTHON)" ] || { echo "$(PYTHONS), and none is on PATH: install one, or name it with make PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c '$(SUITS)' || { echo "$(PYTHONS), and $(PYTHON) is none of them: name one with make PYTHON=..." >&2; exit 1; }
	"$(PYTHON)" -m venv .venv
	sed 's/ *#.*//; /^ *$$/d' requirements.txt | tr '\n' '\0' | xargs -0 -n 80 -P 2 $(INSTALL) --no-deps --no-compile
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests/' .venv/lib || true
	@$(BIN)/python -c 'import xgboost' 2>.venv/xgboost.log || { \
		[ "$$(uname)" = Darwin ] && echo "XGBoost needs OpenMP's library: brew install libomp" >&2 || cat .venv/xgboost.log >&2; exit 1; }
	@touch $@

# Saves every step four seconds. Java's messages are shown only if it fails.
.venv/spark-classes.jsa: .venv/installed | java
	@$(BIN)/python -m common.machine.class_archive 2>.venv/spark-classes.log || cat .venv/spark-classes.log >&2

# Spark runs on Java 17, 21 or 25. Root on Debian gets its headless runtime; anybody else gets a message.
java:
	@java="$${JAVA_HOME:+$$JAVA_HOME/bin/}java"; \
	if "$$java" -version 2>&1 | grep -Eq 'version "(17|21|25)[."]'; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! command -v "$$java" >/dev/null && [ -z "$$JAVA_HOME" ]; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends default-jre-headless; \
	else \
		echo "Java 17, 21 or 25 is needed: install one (Debian: apt-get install default-jre-headless; macOS: brew install openjdk@17) and put it on PATH or set JAVA_HOME" >&2; exit 1; \
	fi

# Needs the network: computes all pins again from requirements.in.
pins: setup
	$(BIN)/uv pip compile requirements.in -o requirements.txt --universal --python-version 3.11 \
		--no-header --annotation-style line --no-emit-index-url --no-emit-find-links --quiet

# Needs the network and two minutes: checks that every pin has a wheel for each supported machine and Python.
platforms: setup
	@PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python -m tests.platforms

# Removes what can be made again; runs and their store stay.
clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache spark-warehouse metastore_db derby.log
	find reports -type f ! -name README.md -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
