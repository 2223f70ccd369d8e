# Each check is defined here, once; CI and the README call these targets.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo
demo: $(VENV)/.installed  ## install netlearn, compare two costs on handwritten digits, say where the pictures are
	$(BIN)/netlearn compare

.PHONY: test
test: $(VENV)/.developed  ## run the tests
	$(BIN)/python -m pytest --numprocesses auto

.PHONY: lint
lint: $(VENV)/.developed  ## check style and layout with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: format
format: $(VENV)/.developed  ## lay the code out with ruff, mending what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: typecheck
typecheck: $(VENV)/.developed  ## check the types with mypy --strict
	$(BIN)/mypy

.PHONY: check
check: lint typecheck test  ## everything that CI checks: lint, typecheck, test

.PHONY: bench
bench: $(VENV)/.developed  ## time netlearn beside what else is installed, write docs/performance.md (NETLEARN_DATA)
	$(BIN)/python -m scripts.benchmark

.PHONY: reproduce
reproduce: $(VENV)/.installed  ## run the book's experiments, write docs/reproduction.md; goes on where it was (NETLEARN_DATA)
	$(BIN)/python -m scripts.reproduce

.PHONY: soak
soak: $(VENV)/.installed  ## kill a run 200 times, resume it each time, compare its end with one left in peace
	$(BIN)/python -m scripts.soak

.PHONY: fuzz
fuzz: $(VENV)/.developed  ## feed 100,000 corrupted files to every reader; tell the longest time and the most memory
	$(BIN)/python -m scripts.fuzz

.PHONY: figures
figures: $(VENV)/.installed  ## redo the README's pictures (full MNIST: set NETLEARN_DATA)
	$(BIN)/netlearn compare --out runs/readme --force
	cp runs/readme/*.png docs/

.PHONY: clean
clean:  ## remove the environment, the caches and the build products; runs/ stays
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(PIP) install --editable .
	touch $@

$(VENV)/.developed: $(VENV)/.installed
	$(PIP) install --group dev
	touch $@
