# make demo and make test do all their own set-up; both may be run again at once.
PYTHON ?= python3
BIN := .venv/bin
LOCKED := .venv/.locked

.PHONY: demo test lint unit bench soak down clean help

help: ## Show this help
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(LOCKED): requirements.lock pyproject.toml
	@$(PYTHON) cli/bootstrap.py .venv
	@touch $@

demo: $(LOCKED) ## Bring up a real Kubernetes, deploy dev, roll the app under load, roll it back
	@$(BIN)/python -m cli.demo

test: $(LOCKED) ## Run every test: unit, integration, e2e with real pods
	@$(BIN)/python -m tests.prepare
	@$(BIN)/pytest -n 2

lint: $(LOCKED) ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

unit: $(LOCKED) ## Run the tests that need no cluster
	@$(BIN)/pytest tests/unit

bench: $(LOCKED) ## Measure, beside kubectl, into .turnout/bench.json
	@$(BIN)/python -m tests.bench

soak: $(LOCKED) ## Kill processes 200 times, and roll out and back 20 times under load; nothing may be lost
	@$(BIN)/python -m tests.soak

down: $(LOCKED) ## End every sandbox of this user; leaves nothing running
	@$(BIN)/turnout sandbox down --all

# State and passphrase stay: without them an environment that lives on could neither be changed nor deleted.
clean: down ## End every sandbox, delete the demo and the virtual environment; state and passphrase stay
	rm -rf .turnout/demo .turnout/demo.json .turnout/bench.json .turnout/soak .turnout/soak-rollouts .turnout/soak.json .venv
