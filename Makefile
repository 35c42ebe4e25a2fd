# Registry Manager. Two commands matter: `make run` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run quick test check messages format bench soak demo lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

run: $(VENV)/run.stamp ## set up all it needs and start panel, worker and registry; Ctrl-C stops
	@exec $(BIN)/python manage.py run

quick: $(VENV)/dev.stamp ## style, types, layers, secrets and tests/unit (no database, no process), side by side
	@CI_STEPS=quick .ci/steps

test: $(VENV)/dev.stamp ## install the real parts and pass every test on SQLite and PostgreSQL; T=path: that one, on SQLite
ifdef T
	@$(BIN)/python -m pytest -q $(T)
else
	@$(BIN)/python -m tests.parts.install
	@CI_STEPS=test .ci/steps
endif

check: $(VENV)/dev.stamp ## what `quick` does, and settings, migrations, generated docs
	@CI_STEPS=check .ci/steps

messages: $(VENV)/run.stamp ## collect what pages say into manager/locale, and compile it; needs gettext
	@$(BIN)/python manage.py makemessages --all --no-wrap --no-obsolete --add-location file --ignore tests --ignore var
	@for each in manager/locale/*/LC_MESSAGES; do msgfmt --check-format -o $$each/django.mo $$each/django.po; done

format: $(VENV)/dev.stamp ## format code and templates, mend what can be mended without a thought, and take what pages use of the kit
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@find templates -name '*.html' -print0 | xargs -0 $(BIN)/djade --target-version 5.2
	@$(BIN)/djhtml --tabwidth 2 templates
	@$(BIN)/python -m tests.checks.kit_css

bench: $(VENV)/dev.stamp ## print what tokens, pages and `make run` cost, ratios last; T=sync: that part; T=all: all; BASE=revision: beside it
	@$(BIN)/python -m tests.parts.install
	@$(BIN)/python -m tests.load.bench $(T)

soak: $(VENV)/dev.stamp ## minutes of clients at work while one process after another is killed; T=odd: beside odd manifests
	@$(BIN)/python -m tests.parts.install
	@$(BIN)/python -m tests.load.soak $(T)

demo: $(VENV)/run.stamp ## fill a running panel with accounts, users and small images
	@$(BIN)/python manage.py demo

lock: ## write the lock files anew from pyproject.toml
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	@$(VENV)/lock/bin/uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --upgrade --no-header --no-emit-index-url --no-emit-find-links -o requirements.lock
	@$(VENV)/lock/bin/uv pip compile --quiet pyproject.toml --group dev -c requirements.lock --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	  -o requirements-dev.lock

clean: ## remove the virtual environment and caches; the data folder stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage

$(VENV)/venv.stamp:
	@.ci/venv "$(PYTHON)" "$(VENV)"
	@touch $@

$(VENV)/run.stamp: requirements.lock $(VENV)/venv.stamp
	@echo "installing the locked packages ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	@echo "installing the locked development packages ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
