# Every target carries its help after "##"; `make` alone prints them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
UV_VERSION := 0.13.8
PYTHON ?= $(shell for p in python3.12 python3.11 python3.10 python3 python3.13 python3.14; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
MEMBERS := protos services/common services/manager services/worker services/standalone clients/python clients/cli
PROTO_FILES := $(shell find protos/queueserver -name '*.proto' | sort)

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.ready ## Install everything into .venv (needs only Python 3.10 or newer)

.venv/.ready: requirements.lock $(MEMBERS:%=%/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "No Python 3.10 or newer was found: install one, or say which: make setup PYTHON=/path/to/python"; exit 1; }
	@echo "Installing into .venv with $$($(PYTHON) --version) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet -r requirements.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	@touch $@

.PHONY: lock
lock: ## Resolve dependencies anew into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-emit-index-url --custom-compile-command "make lock" \
	  $(foreach dist,protos rpc manager worker standalone client cli,--no-emit-package queueserver-$(dist)) \
	  $(MEMBERS:%=%/pyproject.toml) requirements-dev.in -o requirements.lock

.PHONY: proto
proto: setup ## Generate the Python code of the contract into protos/gen
	@rm -rf protos/gen/queueserver && mkdir -p protos/gen
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -I protos --python_out=protos/gen --grpc_python_out=protos/gen \
	  --mypy_out=quiet:protos/gen --mypy_grpc_out=quiet:protos/gen $(PROTO_FILES)
	@find protos/gen/queueserver -type d -exec touch {}/__init__.py \; && touch protos/gen/queueserver/py.typed

.PHONY: proto-check
proto-check: setup ## Lint the contract and check that the generated code is up to date
	@cd protos && ../$(BIN)/buf lint
	@$(MAKE) --no-print-directory proto
	@test -z "$$(git status --porcelain -- protos/gen)" || { git status --short -- protos/gen; echo "Generated code differs: run 'make proto' and commit it."; exit 1; }
