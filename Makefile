# make demo   installs what is missing and serves the app on http://127.0.0.1:7860
# make test   installs what is missing (Chromium too) and runs every test, on other CPUs the numeric ones also as on a plain one
# make assets makes what is missing in assets/ (all of it takes a day or two; goes on where it stopped)
# make lint   ruff
# Each step says what it does and is skipped where it is done.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 7860
WORKERS ?= 3
# What PyTorch, oneDNN and MKL have on a CPU without AVX-512
PLAIN_CPU := WSR_COMPUTE_DTYPE=float32 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2
# Three tests at a time on two cores (four take as long), since many wait for a server or a child; those of one file follow each other and share what they set up
# Bytecode is kept even where the environment says otherwise: hundreds of processes would compile the same files
TESTS = PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
# Succeeds where PyTorch already computes as on a plain CPU, as the CPU or the variables above decide
IS_PLAIN = $(BIN)/python -c "import sys, torch; from wsr.fields.base import compute_dtype; \
	sys.exit('AVX512' in torch.backends.cpu.get_cpu_capability() or compute_dtype('cpu') != torch.float32)"

.PHONY: demo test assets lint system system-test

demo: $(VENV)/.installed system
	@echo "wsr: serving on http://$(HOST):$(PORT) (Ctrl-C stops)"
	$(BIN)/wsr app --host $(HOST) --port $(PORT)

test: $(VENV)/.installed-test system-test
	$(BIN)/ruff check .
	@begun=$$(date +%s); \
	if $(IS_PLAIN); then \
		echo "wsr: all tests in fp32 and without AVX-512, as this CPU or the environment says: none is run twice"; \
		$(PLAIN_CPU) $(TESTS) || exit; \
	else \
		$(TESTS) || exit; \
		echo "wsr: the numeric tests again, in fp32 and as on a CPU without AVX-512"; \
		$(PLAIN_CPU) $(TESTS) -m numeric || exit; \
	fi; \
	took=$$(( $$(date +%s) - begun )); echo "wsr: all tests passed, in $$((took / 60)) min $$((took % 60)) s"

assets: $(VENV)/.installed-test system
	$(BIN)/python -m precompute run --all

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .

$(BIN)/python:
	@echo "wsr: making $(VENV)"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml
	@echo "wsr: installing into $(VENV) (a few minutes the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[app]"
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@echo "wsr: installing what the tests need"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	@touch $@

system:
	@sh tools/system.sh $$(cat packages.txt)

system-test:
	@sh tools/system.sh $$(cat packages.txt) chromium
