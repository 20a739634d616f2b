# Two commands for a fresh clone: `make run` and `make test`. README.md says what they do.
PYTHON ?= python3.11
# A pip index with the build of torch that suits the machine, such as PyTorch's own of CPU builds.
TORCH_INDEX ?=
# Images of containers often set it. Every process of Ray, and every test process, would then compile torch and
# pandas for itself: an import that takes 2 seconds takes 7.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test lint lint-js types layers unit docs coverage test-slow test-browser chromium fuzz soak clean

run: $(READY)
	$(BIN)/suite run --search tiny

# The types and the pages are checked while the tests run.
test: lint layers
	+@$(MAKE) --no-print-directory --jobs=2 types docs unit

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The scripts of the report. The version is the one of .pre-commit-config.yaml; it needs node's npx.
BIOME ?= 2.6.8
lint-js:
	@if command -v npx >/dev/null; then npx --yes @biomejs/biome@$(BIOME) ci; \
		else echo "lint-js is skipped: there is no npx (Debian: apt-get install npm)." >&2; fi

types: $(READY)
	$(BIN)/mypy
	$(BIN)/mypy examples

layers: $(READY)
	$(BIN)/lint-imports

# Three processes keep two cores busy: tests with Ray, Chromium or another process of their own wait for it.
unit: $(READY)
	$(BIN)/pytest -m "not slow" -n 3 --dist loadfile --no-loadscope-reorder

# The documentation site, in build/site. A dead link or an unknown reference fails.
docs: $(READY)
	$(BIN)/python docs/build_pages.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The tests of `make test` with the lines and branches that they reach, in the terminal and in build/coverage.
coverage: $(READY)
	$(BIN)/pytest -m "not slow" -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-branch \
		--cov-report=term:skip-covered --cov-report=html:build/coverage

# What takes too long for every commit: the shipped search end to end, the wheel, a killed driver.
test-slow: $(READY)
	$(BIN)/pytest -m slow

# Part of `make test`, too, where they are skipped if there is no Chromium.
test-browser: chromium
	$(BIN)/pytest -m browser

# The machine's own Chromium where there is one; else playwright's, which it downloads once into its cache.
chromium: $(READY)
	@command -v chromium || command -v chromium-browser || command -v google-chrome \
		|| $(BIN)/playwright install chromium \
		|| { echo "There is no Chromium, and playwright could not download one: install it (Debian: apt-get" \
			"install chromium), or see that playwright reaches its download host, and make test-browser again."; \
			exit 1; } >&2

# Hostile files of every kind to every command that reads them, for about five minutes; SEED draws others.
SEED ?= 0
fuzz: $(READY)
	SUITE_FUZZ_EXAMPLES=120 $(BIN)/pytest tests/fuzz --hypothesis-seed=$(SEED)

# Fifty kills at random moments, a quarter of an hour or more.
soak: $(READY)
	$(BIN)/python benchmarks/soak.py

clean:
	rm -rf $(VENV) build dist *.egg-info

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@# torch first and pinned, so that no other package's range chooses its build. Modules are compiled when first
	@# imported: compiling all of them takes a minute, and most are never used.
	$(BIN)/pip install --quiet --no-compile $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) \
		--constraint constraints.txt "torch==$$(sed -n 's/^torch==//p' constraints.txt)"
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable ".[dev]"
	touch $@
