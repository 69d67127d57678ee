# make run      builds what is missing, fetches the default model, and lets it answer
# make test     the same, then every test
# make help     the rest
.DEFAULT_GOAL := help
.PHONY: help build cuda run test fuzz check-long lint format install clean

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
CARAVEL := build/release/caravel
PROMPT ?= The three primary colors are
DEVICE ?=

help:
	@echo 'make run          build, fetch the default model (98 MB), and generate from it'
	@echo 'make run DEVICE=cuda   the same on a GPU; CUDA'"'"'s compiler is fetched where there is none'
	@echo 'make build        build build/release/caravel'
	@echo 'make test         build, fetch both models, fuzz each parser for a minute, run all tests'
	@echo 'make check-long   make test, then the first hour in a bare Debian, kernels for all GPUs, sanitizers, longer fuzzing and random tests, the peers, real clients, load'
	@echo 'make lint         clang-format and clang-tidy, in the versions the project pins'
	@echo 'make format       clang-format in place'
	@echo 'make install      into PREFIX (default /usr/local), with a CMake package file'
	@echo 'make clean        remove build/'

build:
	@scripts/install_packages
	@$(if $(filter cuda%,$(DEVICE)),scripts/install_cuda)
	@scripts/build release caravel

cuda:
	@scripts/install_packages
	@scripts/install_cuda || true

run: build
	@scripts/fetch_model smollm2
	@echo '==> caravel generate --prompt "$(PROMPT)"' >&2
	@$(CARAVEL) generate $(if $(DEVICE),--device $(DEVICE)) --prompt "$(PROMPT)"

test: cuda build
	@scripts/install_packages --test
	@scripts/fetch_model smollm2
	@scripts/fetch_model gemma3-270m
	@if command -v npm >/dev/null; then scripts/install_packages --world minecraft || echo '==> the Minecraft world could not be installed: its tests are skipped' >&2; fi
	@scripts/build release
	@scripts/fuzz $(FUZZ_SECONDS)
	@echo '==> running the tests' >&2
	@ctest --test-dir build/release --output-on-failure --no-tests=error -j $(JOBS)

fuzz:
	@scripts/install_packages --test
	@scripts/fuzz $(FUZZ_SECONDS)

check-long: test
	@tests/newcomer/run
	@scripts/build all-gpus caravel_kernels caravel_sampler
	@ctest --test-dir build/all-gpus --output-on-failure --no-tests=error -R '^cuda_code$$'
	@scripts/sanitize asan
	@scripts/sanitize asan --load 600
	@scripts/sanitize tsan
	@scripts/sanitize tsan --load 600
	@scripts/fuzz 900
	@bench/peers/setup
	@bench/peers/run_all
	@CLIENTS_PYTHON=build/peers/venv/bin/python tests/clients/run
	@bench/serve_load.py

lint:
	@scripts/lint

format:
	@scripts/lint --fix

PREFIX ?= /usr/local
install: build
	@scripts/build release
	@cmake --install build/release --prefix $(PREFIX)

clean:
	rm -rf build
