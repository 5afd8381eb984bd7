# Two commands do everything on a fresh Debian or Ubuntu machine, set-up included:
#
#   make bench    the benchmark on the board `unix`: no board, no compiler, no download beyond the package index
#   make test     every check that CI runs
#
# and for development:
#
#   make native             build the native modules anew, into native_modules/prebuilt
#   make benchmarks         how fast: kws01 beside TensorFlow Lite Micro, samples per second, 10^8 cases of arithmetic,
#                           generated weights beside the official ones; every output byte beside tflite-micro's;
#                           and the report of 200 records
#   make cycles             how many cycles the kernels take on an emulated Cortex-M0+, model by model: writes budgets and
#                           docs/performance.md
#   make instructions       how many instructions they take on every other architecture, under QEMU: writes budgets and
#                           docs/instructions.md
#   make format             ruff and clang-format

VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get
TOOLS := gcc arm-none-eabi-gcc riscv64-unknown-elf-gcc xtensa-lx106-elf-gcc qemu-arm qemu-riscv32 qemu-xtensa
TOOL_PACKAGES := gcc libc6-dev gcc-arm-none-eabi gcc-riscv64-unknown-elf gcc-xtensa-lx106 qemu-user
C_FILES := $(wildcard native_modules/kernels/*.[ch] native_modules/micropython/*.[ch] tests/native/*.[ch] tests/instructions/*.c)

bench: $(VENV)/.installed
	$(BIN)/tinympy bench

test: lint test-native check-cycles check-instructions
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile tests/unit tests/e2e tests/board

lint: $(VENV)/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)

# The sanitizers' runtime has to be in the process before Python is.
test-native: $(VENV)/.developing compilers
	$(BIN)/python native_modules/build.py --check
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" \
	ASAN_OPTIONS=detect_leaks=0 $(BIN)/python -m pytest --capture=sys --numprocesses auto tests/native

native: $(VENV)/.developing compilers
	$(BIN)/python native_modules/build.py

cycles: $(VENV)/.developing compilers
	$(BIN)/python tests/cycles/cycles.py --layers --write

check-cycles: $(VENV)/.developing compilers
	$(BIN)/python tests/cycles/cycles.py --check

instructions: $(VENV)/.developing compilers
	$(BIN)/python tests/instructions/instructions.py --write

check-instructions: $(VENV)/.developing compilers
	$(BIN)/python tests/instructions/instructions.py --check

benchmarks: $(VENV)/.developing compilers
	$(BIN)/python tests/benchmarks/latency.py
	$(BIN)/python tests/benchmarks/accuracy_rate.py
	$(BIN)/python tests/benchmarks/arithmetic.py
	$(BIN)/python tests/benchmarks/packed_sums.py
	$(BIN)/python tests/benchmarks/ulab_requantise.py
	$(BIN)/python tests/benchmarks/generated_weights.py
	$(BIN)/python tests/benchmarks/exactness.py
	$(BIN)/python tests/benchmarks/report.py

format: $(VENV)/.developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(C_FILES)

$(VENV)/bin/python:
	@python3 -c 'import ensurepip' 2>/dev/null || { $(APT) update -qq && $(APT) install -y -qq python3-venv; }
	python3 -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/.developing: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed

compilers:
	@for tool in $(TOOLS); do command -v $$tool >/dev/null || missing=yes; done; [ -z "$$missing" ] || \
	{ $(APT) update -qq && $(APT) install -y -qq $(TOOL_PACKAGES); }

.PHONY: bench test lint test-native native cycles check-cycles instructions check-instructions benchmarks format compilers
