# Every target carries its help after "##"; `make` alone prints them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
UV_VERSION := 0.13.8
PYTHON ?= $(shell for p in python3.12 python3.11 python3.10 python3 python3.13 python3.14; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && { echo $$p; break; }; done)
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 10))'
# where everything is installed
VENV ?= .venv
BIN := $(VENV)/bin
# what builds the documentation site
DOCS_VENV := .venv-docs
# bluesky-queueserver and its clients, which the 0MQ bridge is tried with
ZMQ_CLIENTS := tests/zmq_bridge/clients
ZMQ_CLIENTS_VENV := .venv-zmq-clients
# seconds for one test; far more than any needs
TEST_TIMEOUT := 180
# processes that share the test files: the tests wait more than they compute, and each starts what it needs on free ports;
# files are begun in the order of their names, because those with the longest tests come first then
TEST_JOBS ?= 3
# how often something is disturbed, and rounds that are played at a time: three rounds are an hour for 5000
CHAOS_FAULTS ?= 200
CHAOS_AT_ONCE ?= 2
# what runs docker-compose.yml
COMPOSE ?= docker compose
MEMBERS := protos services/common services/manager services/environment services/worker services/zmq_bridge services/standalone clients/python clients/cli clients/import clients/compat
TYPED := $(MEMBERS:%=%/src) tests/harness tests/bench examples/first_run.py
PROTO_FILES := $(shell find protos/queueserver -name '*.proto' | sort)

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup ## Watch real plans run: start everything, run some plans, show what came out, stop
	@$(BIN)/python examples/first_run.py

.PHONY: test
test: setup ## Run all tests (more arguments for pytest: ARGS="-k lock -x")
	@$(BIN)/pytest --timeout $(TEST_TIMEOUT) --numprocesses $(TEST_JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: unit
unit: setup ## Run the unit tests only, with few examples for each property: half a minute (ARGS as for make test)
	@$(BIN)/pytest --timeout $(TEST_TIMEOUT) --numprocesses $(TEST_JOBS) --dist loadfile --hypothesis-profile quick tests/unit $(ARGS)

.PHONY: test-bounds
test-bounds: setup ## Send every method its longest request, and one beyond each bound (takes minutes; ARGS="-k AddItems")
	@$(BIN)/pytest --timeout 600 --numprocesses 2 --dist loadfile tests/bounds $(ARGS)

.PHONY: test-compose
test-compose: setup ## Run docker-compose.yml, kill and cut off containers: is anything lost? (another engine: COMPOSE="podman compose")
	@$(BIN)/pytest --timeout 900 -rs tests/compose $(ARGS)

.PHONY: test-wheels
test-wheels: setup ## Build all wheels and take README's first steps from environments with nothing else in them
	@$(BIN)/pytest --timeout 600 tests/wheels $(ARGS)

.PHONY: test-environments
test-environments: setup ## Run plans in environments of other Pythons and blueskys, with nothing of ours there (ARGS=--all)
	@$(BIN)/python -m tests.environments $(ARGS)

.PHONY: test-chaos
test-chaos: setup ## Break every part at random, 200 times, with clients at work: is anything lost? (ARGS="--faults 20 --seed a1.0")
	@$(BIN)/python -m tests.chaos --faults $(CHAOS_FAULTS) --at-once $(CHAOS_AT_ONCE) $(ARGS)

.PHONY: test-how-to
test-how-to: setup ## Type every line of docs/how-to/ at a terminal: does it do what the page says? (needs Go)
	@$(BIN)/pytest --timeout 900 tests/how_to $(ARGS)

.PHONY: run
run: setup ## Run the whole server in the foreground until Ctrl-C (options: ARGS="--startup-dir DIR")
	@exec $(BIN)/start-re-manager $(ARGS)

.PHONY: up
up: ## Run the whole server in containers (settings: .env.example; another engine: COMPOSE="podman compose")
	@$(COMPOSE) up --detach $(ARGS)

.PHONY: logs
logs: ## Show the logs of the containers until Ctrl-C
	@$(COMPOSE) logs --follow

.PHONY: down
down: ## Stop and remove the containers; queue and history are kept
	@$(COMPOSE) down

.PHONY: check
check: lint types imports proto-check proto-breaking ## Everything that CI checks before the tests

.PHONY: lint
lint: setup ## Check form and style
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check

.PHONY: types
types: setup ## Check types, strictly
	@$(BIN)/mypy $(TYPED)

.PHONY: imports
imports: setup ## Check who may import whom (.importlinter)
	@$(BIN)/lint-imports

.PHONY: fmt
fmt: setup ## Format the code and mend what can be mended by itself
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

.PHONY: test-pythons
test-pythons: setup ## Run the unit tests and some plans on the oldest and the newest other Python that is installed
	@$(BIN)/python tests/pythons.py

.PHONY: bench
bench: setup ## Measure speed with real processes: a table, and JSON in bench-results/
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: bench-zmq-bridge
bench-zmq-bridge: setup $(ZMQ_CLIENTS_VENV)/.ready ## Measure the 0MQ bridge and a real bluesky-queueserver side by side
	@$(BIN)/python -m tests.zmq_bridge.bench $(ARGS)

.PHONY: bench-longest
bench-longest: setup ## Measure how long every method's longest request keeps the Manager from others (takes ten minutes)
	@$(BIN)/python -m tests.bench --only "longest requests" $(ARGS)

.PHONY: setup
setup: $(VENV)/.ready ## Install everything into .venv (needs only Python 3.10 or newer)

$(VENV)/.ready: requirements.lock $(MEMBERS:%=%/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "No Python 3.10 or newer was found: install one, or say which: make setup PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) --version >/dev/null 2>&1 || { echo "$(PYTHON) can't be run: say where Python 3.10 or newer is: make setup PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) $(NEW_ENOUGH) || { echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), and 3.10 or newer is needed: say where one is: make setup PYTHON=/path/to/python"; exit 1; }
	@test ! -x $(BIN)/python || $(BIN)/python $(NEW_ENOUGH) 2>/dev/null || rm -rf $(VENV)
	@echo "Installing into $(VENV) with $$($(PYTHON) --version) …"
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
	  echo "This Python can't make virtual environments: install its venv package (on Debian and Ubuntu: python3-venv)."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@# byte code is made now: otherwise the first environment takes twice as long, or each one where none can be written
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode -r requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	@$(BIN)/python -m compileall -q $(MEMBERS)
	@touch $@

.PHONY: lock
lock: ## Resolve dependencies anew into all requirements.lock: the project's, the site's, and that of old clients
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-emit-index-url --custom-compile-command "make lock" \
	  $(foreach dist,protos rpc manager environment worker zmq-bridge standalone client cli import compat,--no-emit-package queueserver-$(dist)) \
	  $(MEMBERS:%=%/pyproject.toml) requirements-dev.in -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-emit-index-url --custom-compile-command "make lock" \
	  docs/.site/requirements.in -o docs/.site/requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-emit-index-url --custom-compile-command "make lock" \
	  $(ZMQ_CLIENTS)/requirements.in -o $(ZMQ_CLIENTS)/requirements.lock

.PHONY: proto
proto: setup ## Generate the Python code and the descriptor set of the contract into protos/gen, and pages of the reference
	@rm -rf protos/gen/.new && mkdir -p protos/gen/.new
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -I protos --python_out=protos/gen/.new --grpc_python_out=protos/gen/.new \
	  --mypy_out=quiet:protos/gen/.new --mypy_grpc_out=quiet:protos/gen/.new $(PROTO_FILES)
	@$(BIN)/python protos/descriptor_set.py protos/gen/.new/queueserver/queueserver.binpb
	@find protos/gen/.new/queueserver -type d -exec touch {}/__init__.py \; && touch protos/gen/.new/queueserver/py.typed
	@rm -rf protos/gen/queueserver && mv protos/gen/.new/queueserver protos/gen/queueserver && rmdir protos/gen/.new
	@$(BIN)/python protos/error_page.py docs/reference/errors.md
	@$(BIN)/python protos/method_page.py protos/gen/queueserver/queueserver.binpb docs/reference/methods.md
	@$(BIN)/python clients/cli/command_page.py docs/reference/cli.md

.PHONY: proto-check
proto-check: setup ## Lint the contract and check that the generated code is up to date
	@cd protos && ../$(BIN)/buf lint
	@$(MAKE) --no-print-directory proto
	@test -z "$$(git status --porcelain -- protos/gen docs/reference/errors.md docs/reference/methods.md docs/reference/cli.md)" || { git status --short -- protos/gen docs/reference/errors.md docs/reference/methods.md docs/reference/cli.md; echo "What is generated differs: run 'make proto' and commit it."; exit 1; }

.PHONY: options
options: setup ## Write the page about options, from their table
	@$(BIN)/python services/standalone/option_page.py docs/reference/configuration.md

.PHONY: demo-list
demo-list: setup ## Write the list of the demo's plans and devices, as an environment without ophyd-async would
	@mkdir -p .demo-list && echo 'raise ImportError("left out")' > .demo-list/ophyd_async.py
	@PYTHONPATH=.demo-list $(BIN)/qserver-list-plans-devices --startup-dir examples/startup --file-dir examples/startup
	@rm -r .demo-list

# What was released last is the last tag; until there is one, protos/released.binpb stands for it, which is made in protos/ by
# `buf build --exclude-source-info -o released.binpb`, and made anew only for a change that nobody can depend on yet.
.PHONY: proto-breaking
proto-breaking: setup ## Check that clients of the last release still understand the contract
	@set -e; tag=$$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || true); released=released.binpb; \
	  if [ -n "$$tag" ]; then released=$$(mktemp -d); trap 'rm -rf "$$released"' EXIT; git archive "$$tag" protos | tar -x -C "$$released" --strip-components 1; fi; \
	  cd protos && ../$(BIN)/buf breaking --against "$$released"

.PHONY: docs
docs: $(DOCS_VENV)/.ready ## Build the documentation as a site in build/site, with every link checked
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict
	@echo "Open build/site/index.html"

$(DOCS_VENV)/.ready: docs/.site/requirements.lock | setup
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(DOCS_VENV)
	@VIRTUAL_ENV=$(DOCS_VENV) $(BIN)/uv pip install --quiet -r docs/.site/requirements.lock
	@touch $@

.PHONY: proto-languages
proto-languages: setup ## Compile the contract and the clients in Go, TypeScript, C++ and Java, as far as they are installed (some: ARGS="go java")
	@$(BIN)/python -m tests.languages $(ARGS)

.PHONY: test-tutorials
test-tutorials: setup ## Type every line of docs/tutorials/, from the first to the last: does what the pages say come out?
	@$(BIN)/pytest --timeout 900 tests/tutorials $(ARGS)

.PHONY: test-styles
test-styles: setup ## Open startup code in the styles of beamlines, with the libraries that they use (ARGS="--only script")
	@$(BIN)/python -m tests.environments.styles $(ARGS)

.PHONY: test-zmq-bridge
test-zmq-bridge: setup $(ZMQ_CLIENTS_VENV)/.ready ## Compare the 0MQ bridge with a real bluesky-queueserver, and drive it with its clients (ARGS="-k history")
	@$(BIN)/pytest --timeout 900 tests/zmq_bridge $(ARGS)

$(ZMQ_CLIENTS_VENV)/.ready: $(ZMQ_CLIENTS)/requirements.lock | setup
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(ZMQ_CLIENTS_VENV)
	@VIRTUAL_ENV=$(ZMQ_CLIENTS_VENV) $(BIN)/uv pip install --quiet --compile-bytecode -r $<
	@touch $@

.PHONY: test-languages
test-languages: setup ## Build the clients in Go, TypeScript, C++ and Java, and run each while the Manager is killed (some: ARGS="-k 'go or java'")
	@$(BIN)/pytest --timeout 900 --capture=no tests/languages $(ARGS)

.PHONY: clean
clean: ## Remove the virtual environment and everything that tools left
	@rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis bench-results chaos-results build dist
	@rm -rf clients/go/{gen,build} clients/typescript/{gen,dist,node_modules} clients/cpp/build clients/java/target
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
