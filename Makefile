# The only way to run things. `make` alone lists what there is.
#
# Assumed on the machine: Python >= 3.11 with venv, Rust (stable), Node with npm, and for the tests Maven and a JDK >= 21.
# Everything else is installed here: Python packages into .venv, front-end assets by npm, Elasticsearch and tools into .cache.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := .cache/uv/bin/uv
STAMP := .cache/stamp
NATIVE := sensor/native
CARGO := cargo --quiet
PACK := .cache/vigla.vpk
CORPORA ?= ../shared/corpora
export CARGO_TARGET_DIR ?= $(CURDIR)/$(NATIVE)/target
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE := 1
# Bodies behind an inspecting proxy have its authority in the system's store, not in the tool's own.
export UV_SYSTEM_CERTS := 1

RUST_SOURCES := $(shell find $(NATIVE) \( -path '*/target' -o -path '*/fuzz' \) -prune -o \( -name '*.rs' -o -name 'Cargo.*' -o -name '*.pyi' -o -name 'pyproject.toml' \) -print 2>/dev/null)
PACK_SOURCES := $(shell find rules/pack rules/vigla_rules -type f -not -name '*.pyc' 2>/dev/null)
WEB_SOURCES := $(wildcard console/package.json console/package-lock.json console/assets.mjs)

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

# --- set-up -----------------------------------------------------------------------------------------------------------

$(UV):
	@echo "set-up: uv"
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/pip install --quiet uv==0.13.9

$(STAMP)/venv: requirements.lock sensor/pyproject.toml rules/pyproject.toml console/pyproject.toml | $(UV)
	@echo "set-up: Python packages (requirements.lock)"
	@mkdir -p $(STAMP)
	[ -x $(PY) ] || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation -e sensor -e rules -e console
	touch $@

$(STAMP)/native: $(RUST_SOURCES) $(STAMP)/venv
	@echo "set-up: native core (a few minutes the first time)"
	$(VENV)/bin/maturin build --quiet --release --manifest-path $(NATIVE)/python/Cargo.toml --out .cache/wheels
	$(UV) pip install --quiet --python $(PY) --no-deps --force-reinstall "$$(ls -t .cache/wheels/vigla_native-*.whl | head -1)"
	touch $@

$(STAMP)/assets: $(WEB_SOURCES)
	@echo "set-up: front-end assets"
	@mkdir -p $(STAMP)
	cd console && npm ci --silent --no-audit --no-fund && npm run --silent assets
	touch $@

$(PACK): $(PACK_SOURCES) $(STAMP)/venv
	$(PY) -m vigla_rules compile rules/pack --strict --cache .cache/rules -o $@

.PHONY: setup
setup: $(STAMP)/venv $(STAMP)/native $(STAMP)/assets $(PACK) ## Install everything the programs need

.PHONY: debian
debian: ## Debian packages of the tests (Chromium, tshark, ip)
	@deploy/debian/packages.sh chromium tshark unzip iproute2

.PHONY: elasticsearch
elasticsearch: $(STAMP)/venv ## Start the real Elasticsearch of the tests and leave it running
	$(PY) tests/elasticsearch/provision.py start

$(STAMP)/oracle: tests/oracle/requirements.lock | $(UV)
	@echo "set-up: SQLite oracle (an environment of its own)"
	@mkdir -p $(STAMP)
	$(UV) venv --quiet --clear --python $(PYTHON) .cache/oracle
	$(UV) pip install --quiet --python .cache/oracle/bin/python --no-deps --require-hashes -r $<
	touch $@

.PHONY: oracle
oracle: $(STAMP)/oracle ## The environment of the SQLite oracle: pySigma 2 in .cache/oracle

.PHONY: oracle-lock
oracle-lock: $(UV) ## Renew tests/oracle/requirements.lock
	for part in requirements pipelines; do $(UV) pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  $$([ $$part = requirements ] || echo --no-deps) tests/oracle/$$part.in -o .cache/$$part.lock; done
	cat .cache/requirements.lock .cache/pipelines.lock > tests/oracle/requirements.lock

.PHONY: lock
lock: $(UV) ## Renew requirements.lock (hashes, no addresses)
	$(UV) pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  --no-emit-package vigla-native --no-emit-package vigla-sensor --no-emit-package vigla-rules --no-emit-package vigla-console \
	  sensor/pyproject.toml rules/pyproject.toml console/pyproject.toml --extra evidence --group dev -o requirements.lock

# --- the two commands -------------------------------------------------------------------------------------------------

.PHONY: demo
demo: setup ## Four towns, their sensors and a console on 127.0.0.1; Ctrl-C ends all of it
	@exec $(PY) deploy/demo/demo.py --pack $(PACK) $(DEMO)

.PHONY: test
test: setup oracle debian ## Everything that is proven in under half an hour
	@$(MAKE) --no-print-directory -j2 --output-sync=target lane-rust lane-python lane-services lane-browser

.PHONY: lane-rust lane-python lane-services lane-browser
lane-rust:
	@echo "== Rust: unit, property, flood (debug build)"
	cd $(NATIVE) && $(CARGO) test -p vigla-core
	@echo "== Rust: a protocol from the scaffold compiles and passes its tests"
	$(PY) -m pytest -q -m "cargo" tests/scaffold
lane-python:
	@echo "== Python: unit, twin engines, contracts, replay"
	$(PY) -m pytest -q -m "not elasticsearch and not browser and not cargo" tests
lane-services:
	@echo "== Delivery and stores on a real Elasticsearch"
	$(PY) -m pytest -q -m "elasticsearch" tests
lane-browser:
	@echo "== Pages in Chromium"
	$(PY) -m pytest -q -m "browser" tests

.PHONY: protocol
protocol: $(STAMP)/venv ## Begin a protocol: NAME=finger [OVER=tcp|udp] [PORTS=79]; its folder and a row in every table
	$(PY) $(NATIVE)/scaffold/protocol.py $(NAME) --over $(or $(OVER),tcp) --ports "$(PORTS)"
	cd $(NATIVE) && cargo fmt
	$(PY) -m vigla_rules fields rules/pack > docs/fields.md

.PHONY: test-release
test-release: ## The Rust tests in the release build (overflow checks stay on)
	cd $(NATIVE) && $(CARGO) test --release -p vigla-core

# --- checks -----------------------------------------------------------------------------------------------------------

.PHONY: check
check: lint deny ## Format, lint, types, import contracts, stubs, licenses

.PHONY: lint
lint: $(STAMP)/venv $(STAMP)/native
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PY) -m mypy.stubtest vigla_native --allowlist $(NATIVE)/stubtest.allow
	cd $(NATIVE) && cargo fmt --check
	cd $(NATIVE) && $(CARGO) clippy --all-targets -- -D warnings
	$(PY) -m vigla_rules check rules/pack --cache .cache/rules

.cache/tools/bin/cargo-deny:
	@echo "set-up: cargo-deny (some minutes the first time)"
	cargo install --quiet --locked cargo-deny --version 0.20.2 --root .cache/tools

.PHONY: deny
deny: .cache/tools/bin/cargo-deny
	cd $(NATIVE) && $(CURDIR)/.cache/tools/bin/cargo-deny --log-level error check bans licenses sources

.PHONY: format
format: $(STAMP)/venv ## Format everything
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .
	cd $(NATIVE) && cargo fmt

# --- long runs --------------------------------------------------------------------------------------------------------

.PHONY: corpora
corpora: setup oracle ## Every capture of $(CORPORA) through `events`; the share met per protocol
	$(PY) tests/bench/corpora.py $(CORPORA) $(if $(SHORT),--short)

.PHONY: pack
pack: setup ## Every sample of the pack through the real sensor and the reference
	$(PY) -m vigla_rules test rules/pack

.PHONY: bench
bench: setup ## Ratios against peers run beside ours
	@deploy/debian/packages.sh tshark libndpi-bin
	$(PY) tests/bench/bench.py $(BENCH)

FUZZ_SECONDS ?= 60
.cache/tools/bin/cargo-fuzz:
	@echo "set-up: cargo-fuzz (some minutes the first time)"
	cargo install --quiet --locked cargo-fuzz --version 0.13.2 --root .cache/tools

.PHONY: fuzz
fuzz: .cache/tools/bin/cargo-fuzz ## Every fuzz target for $(FUZZ_SECONDS) seconds on one core (needs a nightly Rust)
	PATH="$(CURDIR)/.cache/tools/bin:$$PATH" CARGO_TARGET_DIR="$(CARGO_TARGET_DIR)/fuzz" $(NATIVE)/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ)

.PHONY: clean
clean: ## Remove what was built (not .cache downloads)
	rm -rf $(VENV) $(STAMP) $(NATIVE)/target .cache/wheels $(PACK)
