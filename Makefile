# From a bare python3 to a tested checkout: `make setup`, `make test`, `make demo`. See BUILD.md.
# PYTHON=3.12 chooses another Python; registries and certificates come from your own pip and uv
# configuration and environment.

UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
RUN := .venv/bin/python
SYNCED := .venv/.synced$(notdir $(PYTHON))
# open_set measures a model that is given to it.
BENCHMARKS := $(filter-out open_set,$(basename $(notdir $(wildcard benchmarks/[a-z]*.py))))

export UV_PROJECT_ENVIRONMENT = .venv
unexport VIRTUAL_ENV

.PHONY: setup demo test test-quick lint docs bench check-gpu clean

setup: $(SYNCED)  ## Install the locked dependencies into .venv

demo: setup  ## Synthesize, convert, train and audit four models; see demo/report/index.html
	$(RUN) -m tfreid.demo --out=demo

test: setup  ## Run all tests, in two processes
	$(RUN) -m pytest -n 2 --dist loadfile --durations 20

test-quick: setup  ## Run the tests that take seconds
	$(RUN) -m pytest -m "not slow"

lint: setup  ## Check style and format
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

docs: setup  ## Build the documentation into site/; open site/index.html
	$(RUN) -m docs.hooks.recipe_tables
	$(RUN) -m properdocs build

bench: setup  ## Measure the figures of benchmarks/RESULTS.md
	for name in $(BENCHMARKS); do $(RUN) -m benchmarks.$$name || exit; done

check-gpu: setup  ## Check what this machine's GPUs do with each method
	$(RUN) -m tfreid.check_gpu

clean:  ## Remove what these targets made
	rm -rf .venv .tools build dist demo site *.egg-info .pytest_cache .ruff_cache

$(SYNCED): pyproject.toml uv.lock | $(filter .tools/%,$(UV))
	@python="$(PYTHON)"; $(choose_python); \
	echo "installing into .venv what uv.lock names for Python $$python (3 GB)"; \
	$(UV) sync --quiet --frozen --all-extras --compile-bytecode --python "$$python" || \
	{ echo "error: see 'What fails, and why' in BUILD.md" >&2; exit 1; }
	@touch .venv/.synced $@

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/python -m pip install --quiet uv

# TFX has wheels for Python 3.10 on any Linux, and for 3.11 to 3.13 where glibc is 2.39 or newer.
define choose_python
has() { $(UV) python find --no-project --no-python-downloads "$$1" >/dev/null 2>&1; }; \
recent_glibc() { printf '2.39\n%s\n' "$$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)" | sort -CV; }; \
if [ -n "$$python" ]; then :; \
elif has 3.10; then python=3.10; \
elif recent_glibc && has '>=3.11,<3.14'; then python='>=3.11,<3.14'; \
elif $(UV) python install 3.10; then python=3.10; \
else echo "error: Python 3.10 is needed here and could not be downloaded. Install it (for" \
"example with pyenv), or use a system with glibc 2.39 or newer (Debian 13, Ubuntu 24.04)," \
"where Python 3.11 to 3.13 will do." >&2; exit 1; fi
endef
