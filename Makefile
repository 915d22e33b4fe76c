# repltools: build, try, test, install. `make help` lists what there is.
SHELL  := /bin/sh
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?=
SEED ?= 1
MINUTES ?= 10
stage  := .build/stage

.PHONY: help run test soak bench build install uninstall lint format clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: ## install what is missing, build, and run a playground server (in a terminal: and connect to it)
	@scripts/install-prerequisites run
	@scripts/build
	@scripts/run-playground

test: ## install what is missing, build, and run every test and check
	@scripts/install-prerequisites test
	@scripts/run-tests

soak: $(stage) ## do to a server whatever may happen to one, at random, for MINUTES=10, as SEED=1 has it
	@scripts/test-peers
	@.venv-test/runner/bin/python Tests/Soak/soak.py --seed '$(SEED)' --minutes '$(MINUTES)'

bench: $(stage) ## measure the tools that were built
	@Benchmarks/run
	@Benchmarks/paste

build: ## build the release and put it together in .build/stage
	@scripts/build

# Builds only where nothing is built yet: so that `make build`, then `sudo make install`, needs no Swift as root.
install: $(stage) ## install what was built to PREFIX (PYTHON=/path/python3: `import replserve` works there)
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' PYTHON='$(PYTHON)' scripts/install $(stage)

$(stage):
	@scripts/build

uninstall: ## remove what `make install` with the same PREFIX, DESTDIR and PYTHON installed
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' PYTHON='$(PYTHON)' scripts/install --uninstall

# What the pages say of the tools is compared with those that were built.
lint: $(stage) ## check the formatting, the man pages, the scripts, and our CPython prototypes
	@scripts/lint

format: ## reformat the Swift sources
	@swift format --in-place --recursive --parallel $(wildcard Package.swift Sources Tests Fuzz)

clean: ## remove everything that was built
	@rm -rf .build .venv-test .pytest_cache
	@find python Tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
