# Each target sets up what it needs: a virtual environment beside the code, from the package
# registries only. Nothing is installed outside this folder.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Certificates of the machine, so that it works behind a proxy of the company as well.
export UV_SYSTEM_CERTS := 1
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: run test check contract proofs bench torture lock setup

run: $(VENV)/.runtime
	@$(BIN)/hubbub up $(ARGS)

# The real server that some tests need is fetched once, into .cache. A process without tests takes some of the
# other's: those that kill workers come one after the other, and would keep it waiting.
test: $(VENV)/.dev check
	@$(BIN)/python -m tests.real.pds.install
	@$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/hubbub check
	@$(BIN)/hubbub contract check

contract: $(VENV)/.dev
	@$(BIN)/hubbub contract write

# What the platforms' folders have proven, for `hubbub check`.
proofs: $(VENV)/.dev
	@$(BIN)/pytest tests/conformance --record-proofs

# A quarter of an hour on a machine that does nothing else; writes bench/RESULTS.md.
bench: $(VENV)/.bench
	@$(BIN)/python -m bench $(ARGS)

# Half an hour of killed workers and lost answers; writes docs/reference/torture.md. ARGS="--seed 7"
torture: $(VENV)/.dev
	@PYTHONPATH=tests $(BIN)/python -m faults.torture $(ARGS)

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
	@test -f $(VENV)/.dev || $(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.uv requirements-dev.lock pyproject.toml
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@ $(VENV)/.runtime

$(VENV)/.bench: $(VENV)/.dev
	@$(BIN)/uv pip install -q --python $(BIN)/python --group bench
	@touch $@
