# `make demo` shows what Vernissage does; `make check` runs everything that must be green; `make verify` the long runs;
# `make docs` writes the documentation as a site, build/site.
# All make .venv first, with what they need, on any machine with Python 3.11 or newer.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo
TELLING := sh scripts/telling.sh
# pip compiles on one core, and tests of packages, which nobody imports here. Files for other Pythons are no errors.
QUIETLY := --quiet --disable-pip-version-check --no-compile
COMPILING = $(TELLING) "compiling" $(BIN)/python -m compileall -qq -j 0 -x 'site-packages/.*/tests?/' $(VENV)/lib || :
# Installed first and by itself, so that a machine's own build of it (for its GPU, or for the CPU alone) is kept.
TORCH ?= torch==2.13.0

# CONSTRAINTS=constraints.txt installs the base packages in the versions that the release was tested with; without it the
# newest are taken, so that what breaks with one of them is known before the next release.
CONSTRAINTS ?=
PINNED := $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))

.PHONY: demo check install components lint types imports bytecode docs test verify benchmarks clean

demo: $(VENV)/.base
	@sh scripts/demo.sh $(BIN)/vernissage $(DEMO)

# On two cores: what waits for the network beside what unpacks, and types beside the bytecode of the tests.
check:
	@$(MAKE) --jobs 2 install
	@$(MAKE) --jobs 2 lint types imports bytecode
	@$(MAKE) test

install: components $(VENV)/.all

components: $(VENV)/bin/python
	@$(BIN)/python scripts/system_components.py

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

bytecode:
	@# Else every worker rewrites every assertion for itself, which takes as long as types do; errors come with the tests.
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest --collect-only -qq > /dev/null || :

docs: $(VENV)/.all
	@# The variable silences a notice of the theme's authors about what comes after MkDocs. With --quiet nothing is strict.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

test:
	@# Neighbours stay with one worker, so that what the tests of a file share is made once.
	$(BIN)/pytest -n auto --dist worksteal -q

verify: install
	$(BIN)/python -m tests.verify

benchmarks: $(VENV)/.all
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) $(DEMO) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Vernissage needs Python 3.11 or newer, but $(PYTHON) is " + sys.version.split()[0] + "; run make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@$(TELLING) "making $(VENV)" $(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(VENV)/bin/python pyproject.toml
	@$(TELLING) "installing" $(BIN)/python -m pip install $(QUIETLY) $(PINNED) --editable '.[pretrained]'
	@# Where Python is told to write no bytecode, as in many containers, every command would compile its modules anew.
	@$(BIN)/python -m compileall -q src
	@$(COMPILING)
	@touch $@

$(VENV)/.all: $(VENV)/.base
	@$(TELLING) "installing" $(BIN)/python -m pip install $(QUIETLY) $(PINNED) $(TORCH)
	@$(TELLING) "installing" $(BIN)/python -m pip install $(QUIETLY) $(PINNED) --editable '.[dev,heic,models,minilm,multilingual,openvino,postgres,pretrained,ray,video]'
	@# Holds manifests to another library in the tests. It asks for an old Pillow and works with the new one.
	@$(TELLING) "installing" $(BIN)/python -m pip install $(QUIETLY) --no-deps iiif-prezi3==3.1.1
	@$(COMPILING)
	@touch $@
