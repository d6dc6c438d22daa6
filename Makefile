# Tocsin. Everything happens in .venv, which tools/setup.sh makes from uv.lock (PYTHON=/path/to/python3.12 chooses a Python).
SETUP = @sh tools/setup.sh
PY = .venv/bin/python

.PHONY: help setup demo test check bench validation docs clean

help:
	@echo "make demo        set up what is needed and run the first scenario"
	@echo "make test        all tests, in parallel"
	@echo "make check       ruff, mypy, the floors of the house (under a minute)"
	@echo "make bench       what is timed, with this machine's numbers"
	@echo "make validation  the tables of the validation book (docs/validation)"
	@echo "make docs        the handbook, into site/"
	@echo "make setup       the whole environment for working on Tocsin"
	@echo "make clean       remove what was made (.venv, .uv, site, caches); runs/ stays"

setup:
	$(SETUP) test check docs

demo:
	$(SETUP)
	@$(PY) tools/demo.py

test:
	$(SETUP) test
	@$(PY) -m pytest -n $(or $(JOBS),auto)

check:
	$(SETUP) test check
	@$(PY) tools/check.py

bench:
	$(SETUP) test peers
	@$(PY) -m benchmarks $(ROWS)

validation:
	$(SETUP) test peers
	@$(PY) -m validation $(ROWS)

docs:
	$(SETUP) docs
	@$(PY) tools/pages.py
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --quiet --strict
	@echo "the handbook: site/index.html"

clean:
	rm -rf .venv .uv site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
