# Two commands for a fresh clone: `make run` and `make test`. README.md says what they do.
PYTHON ?= python3.11
# A pip index with the build of torch that suits the machine, such as PyTorch's own of CPU builds.
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test lint types layers unit test-slow test-browser soak clean

run: $(READY)
	$(BIN)/suite run --search tiny

test: lint types layers unit

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

unit: $(READY)
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile

# What takes too long for every commit: the shipped search end to end, the wheel, a killed driver.
test-slow: $(READY)
	$(BIN)/pytest -m slow

# Part of `make test`, too. A Chromium must be on the PATH (Debian: apt-get install chromium), or they are skipped.
test-browser: $(READY)
	$(BIN)/pytest -m browser

# Fifty kills at random moments, a quarter of an hour or more.
soak: $(READY)
	$(BIN)/python benchmarks/soak.py

clean:
	rm -rf $(VENV) build dist *.egg-info

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@# torch first and pinned, so that no other package's range chooses its build
	$(BIN)/pip install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) \
		--constraint constraints.txt "torch==$$(sed -n 's/^torch==//p' constraints.txt)"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@
