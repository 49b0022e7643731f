# Two entry points do all the set-up on a fresh Debian 12: `make demo` and `make test`. The others are for developers.
VENV ?= .venv
PYTHON ?= python3
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PACKAGES := gcc libc6-dev python3-dev python3-venv libvulkan1 libvulkan-dev libvulkan-volk-dev mesa-vulkan-drivers
TEST_PACKAGES := vulkan-validationlayers clang libclang-rt-14-dev spirv-tools
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test system system-test venv docs lint conformance benchmark clean

demo: venv
	$(BIN)/python examples/digits.py
	$(BIN)/python examples/sharpen.py build

test: system-test venv lint
	VKTENSOR_VALIDATE=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal

# Only what is missing is installed, so that a developer without sudo is not asked for it.
system:
	@missing=$$(for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

system-test: system
	@missing=$$(for p in $(TEST_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

venv: system
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q -e '.[test,suite]'

# The site, into build/docs/html. Warnings are errors. Pages of names that are gone would be kept, so all are made anew.
docs: venv
	rm -rf docs/reference/generated
	$(BIN)/python -m sphinx -E -W --keep-going -j auto -d build/docs/doctrees docs build/docs/html

# Warnings are errors, with both compilers; style; types.
lint: system-test venv
	$(BIN)/python shaders/embed.py $(VENV)/embedded.c
	@for cc in gcc clang; do $(BIN)/python tests/compile_warnings.py $$cc || exit 1; done
	$(BIN)/clang-format --dry-run -Werror csrc/*/*.c
	$(BIN)/ruff check .
	$(BIN)/mypy python/vktensor
	$(BIN)/python -m mypy.stubtest vktensor --mypy-config-file pyproject.toml --allowlist tests/stubtest_allowlist.txt

# The conformance suite of the array API standard, as `make test` runs it or with EXAMPLES=200;
# needs git, or a checkout in ARRAY_API_TESTS.
conformance: venv
	PYTHON=$(abspath $(BIN)/python) tests/array_api.sh

benchmark: venv
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf build $(VENV) python/vktensor/_libs python/vktensor/*.so python/*.egg-info
