# Registry Manager. Two commands matter: `make run` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run quick test check messages format bench soak showcase demo image lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

run: $(VENV)/run.stamp ## set up what it needs and start panel, worker and registry; Ctrl-C stops them
	@exec $(BIN)/python manage.py run

quick: $(VENV)/dev.stamp ## check style, types, layers and secrets and run tests/unit (no database, no process), side by side
	@CI_STEPS=quick .ci/steps

test: $(VENV)/dev.stamp ## install real registries, databases and clients and run every test on SQLite, and those that ask a database on PostgreSQL; T=path: only that path, on SQLite
ifdef T
	@$(BIN)/python -m pytest -q $(T)
else
	@$(BIN)/python -m tests.parts.install
	@CI_STEPS=test .ci/steps
endif

check: $(VENV)/dev.stamp ## do what `quick` does, and check settings, migrations and generated docs
	@CI_STEPS=check .ci/steps

messages: $(VENV)/run.stamp ## collect the texts of pages into manager/locale and compile them; needs gettext
	@$(BIN)/python manage.py makemessages --all --no-wrap --no-obsolete --add-location file --ignore tests --ignore var
	@sed -i "/^.POT-Creation-Date/d" manager/locale/*/LC_MESSAGES/django.po
	@for each in manager/locale/*/LC_MESSAGES; do msgfmt --check-format -o $$each/django.mo $$each/django.po; done

format: $(VENV)/dev.stamp ## format code and templates, apply automatic fixes, copy the CSS rules that pages use, and join the icons
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@find templates -name '*.html' -print0 | xargs -0 $(BIN)/djade --target-version 5.2
	@$(BIN)/djhtml --tabwidth 2 templates
	@$(BIN)/python -m tests.checks.kit_css
	@$(BIN)/python -m tests.checks.icon_sprite

bench: $(VENV)/dev.stamp ## measure tokens, pages and `make run`, ratios last; T=sync: that part; T=all: all; BASE=revision: compare with it
	@$(BIN)/python -m tests.parts.install
	@$(BIN)/python -m tests.load.bench $(T)

soak: $(VENV)/dev.stamp ## run clients for minutes while one process after another is killed; T=odd: beside odd manifests
	@$(BIN)/python -m tests.parts.install
	@$(BIN)/python -m tests.load.soak $(T)

showcase: $(VENV)/dev.stamp ## show, on real parts: a rolling update, a webhook, a scraped metric, a restore, reclaimed space, a move of databases
	@$(BIN)/python -m tests.parts.install
	@$(BIN)/python -m tests.showcase

demo: $(VENV)/run.stamp ## fill a running panel with accounts, users and small images
	@$(BIN)/python manage.py demo

image: $(VENV)/run.stamp ## build the container image of this version, and list what is in it (dist/)
	@.ci/image

lock: ## write new lock files from pyproject.toml
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
