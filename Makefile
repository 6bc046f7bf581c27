# Each target sets up what it needs: a virtual environment beside the code, from the package
# registries only. Nothing is installed outside this folder.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: run test check contract lock setup

run: $(VENV)/.runtime
	@$(BIN)/hubbub up $(ARGS)

test: $(VENV)/.dev check
	@$(BIN)/pytest -n 2 $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/hubbub check
	@$(BIN)/hubbub contract check

contract: $(VENV)/.dev
	@$(BIN)/hubbub contract write

setup: $(VENV)/.dev

# The lock files name versions and hashes, never a registry.
lock: $(VENV)/.uv
	@$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-annotate --no-header --generate-hashes pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-annotate --no-header --generate-hashes pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

$(VENV)/.uv:
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@touch $@

$(VENV)/.runtime: $(VENV)/.uv requirements.lock pyproject.toml
	@test -f $(VENV)/.dev || $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.uv requirements-dev.lock pyproject.toml
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@ $(VENV)/.runtime
