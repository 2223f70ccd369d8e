# Each check is defined here, once; CI and the README call these targets.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
SCRIPTS := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
BIN := $(VENV)/$(SCRIPTS)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
unexport PYTHONDONTWRITEBYTECODE  # what pip does not compile, Python does once, not in each process
# neighbours, which share what their file makes once, stay in one process
PARALLEL := --numprocesses auto --dist worksteal

.PHONY: demo
demo: $(VENV)/.installed  ## install netlearn, compare two costs on handwritten digits, name the pictures
	$(BIN)/netlearn compare

.PHONY: test
test: $(VENV)/.developed  ## run the quick tests
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow and not browser"

.PHONY: test-all
test-all: $(VENV)/.developed  ## run also the tests that kill, wait or need Chromium; what fails is run once more, alone
	$(BIN)/python -m pytest $(PARALLEL) -m "not long" || \
	  $(BIN)/python -m pytest -m "not long" --last-failed --last-failed-no-failures none

.PHONY: test-long
test-long: $(VENV)/.developed  ## run the tests that take minutes: the guide, the notebook, each experiment, full MNIST (NETLEARN_DATA)
	$(BIN)/python -m pytest $(PARALLEL) -m long

.PHONY: test-lowest
test-lowest: $(VENV)-lowest/.installed  ## run the quick tests with the lowest versions of the dependencies that are allowed
	$(VENV)-lowest/$(SCRIPTS)/python -m pytest $(PARALLEL) -m "not slow and not browser" \
	  -W ignore::DeprecationWarning  # of those old versions

.PHONY: lint
lint: $(VENV)/.developed  ## check style with ruff, and that imports run one way
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.developed  ## format the code with ruff, and fix what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: typecheck
typecheck: $(VENV)/.developed  ## check the types with mypy --strict
	$(BIN)/mypy

.PHONY: check
check: $(VENV)/.developed  ## everything that CI checks, at a time: lint, typecheck, test-all
	$(MAKE) --no-print-directory --jobs 2 lint typecheck test-all

.PHONY: bench
bench: $(VENV)/.developed  ## time netlearn beside other programs, write docs/performance.md (NETLEARN_DATA)
	$(BIN)/python -m scripts.benchmark

.PHONY: reproduce
reproduce: $(VENV)/.installed  ## run the experiments, write docs/reproduction.md and cures.md; resumes (NETLEARN_DATA)
	$(BIN)/python -m scripts.reproduce
	$(BIN)/python -m scripts.cures

.PHONY: reproduce-long
reproduce-long: $(VENV)/.installed  ## run the experiments that take half an hour, add them to docs/cures.md; resumes (NETLEARN_DATA)
	$(BIN)/python -m scripts.cures --long

.PHONY: reproduce-costs
reproduce-costs: $(VENV)/.installed  ## compare the costs of the literature, write docs/costs.md; resumes (NETLEARN_DATA)
	$(BIN)/python -m scripts.costs

.PHONY: notebook
notebook: $(VENV)/.developed  ## execute docs/cross-entropy.ipynb from scratch, make docs/cross-entropy.md of it
	$(BIN)/python -m scripts.notebook

.PHONY: replay
replay: $(VENV)/.installed  ## make the book's recorded curves again, number by number (NETLEARN_DATA)
	$(BIN)/python -m scripts.replay

.PHONY: soak
soak: $(VENV)/.installed  ## kill a run 200 times, resume it, compare its end with an uninterrupted run
	$(BIN)/python -m scripts.soak

.PHONY: interleave
interleave: $(VENV)/.installed  ## let two commands meet at one folder 200 times, check that nothing is lost or wrong
	$(BIN)/python -m scripts.interleave

.PHONY: partial
partial: $(VENV)/.installed  ## make 200 partial states of a comparison, resume each, compare it with an undisturbed one
	$(BIN)/python -m scripts.partial

.PHONY: figures
figures: $(VENV)/.developed  ## draw the README's pictures, make docs/lab.html (full MNIST: set NETLEARN_DATA)
	$(BIN)/netlearn compare --out runs/readme --force
	cp $(addprefix runs/readme/,curves.png digits.png error-vs-gradient.png slowdown.png) docs/
	$(BIN)/netlearn lab --out docs/lab.html
	$(BIN)/python -m scripts.page_pictures runs/readme

.PHONY: api
api: $(VENV)/.developed  ## write docs/api.md from the docstrings of netlearn.api
	$(BIN)/python -m scripts.api_page

.PHONY: site
site: $(VENV)/.installed $(VENV)-site/.installed  ## build the documentation as a site in site/
	$(BIN)/python -m scripts.site $(VENV)-site/$(SCRIPTS)/mkdocs

.PHONY: dist
dist: $(VENV)-release/.installed  ## build wheel and sdist in dist/, check both and CITATION.cff
	rm -rf dist
	$(VENV)-release/$(SCRIPTS)/python -m build --quiet
	$(VENV)-release/$(SCRIPTS)/twine check --strict dist/*
	$(VENV)-release/$(SCRIPTS)/cffconvert --validate

.PHONY: try-dist
try-dist: dist  ## install the wheel with a new HOME, compare two costs, run the quick tests of the sdist
	set -e; cd $$(mktemp -d); mkdir home; export HOME=$$PWD/home; unset NETLEARN_DATA PYTHONPATH; \
	$(PYTHON) -m venv venv; pip="$$PWD/venv/$(SCRIPTS)/python -m pip --quiet --disable-pip-version-check"; \
	$$pip install $(CURDIR)/dist/*.whl; \
	venv/$(SCRIPTS)/netlearn compare; test -f runs/compare/report.html; \
	tar -xzf $(CURDIR)/dist/*.tar.gz; cd netlearn-*/; \
	$$pip install --upgrade 'pip>=25.1'; $$pip install --group dev --editable .; \
	../venv/$(SCRIPTS)/python -m pytest $(PARALLEL) -m "not slow and not browser"

.PHONY: lint-workflow
lint-workflow: $(VENV)-workflow/.installed  ## check .github/workflows: its schema, and what could be unsafe in it
	$(VENV)-workflow/$(SCRIPTS)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENV)-workflow/$(SCRIPTS)/zizmor --offline --quiet --config .github/zizmor.yml .github/workflows

.PHONY: clean
clean:  ## remove the environment, the caches and the build products; runs/ stays
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-site $(VENV)-release $(VENV)-workflow build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	touch $@

$(VENV)-lowest/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/$(SCRIPTS)/python -m pip --quiet --disable-pip-version-check install uv
	$(VENV)-lowest/$(SCRIPTS)/uv pip install --quiet --python $(VENV)-lowest/$(SCRIPTS)/python --resolution lowest-direct --group dev --editable .
	touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(PIP) install --no-compile --editable .
	touch $@

$(VENV)/.developed: $(VENV)/.installed
	$(PIP) install --no-compile --group dev
	touch $@

# environments of their own for the groups site, release and workflow of pyproject.toml
$(VENV)-%/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)-$*
	$(VENV)-$*/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(VENV)-$*/$(SCRIPTS)/python -m pip install --quiet --disable-pip-version-check --group $*
	touch $@
