# `make run` and `make test` are all that is needed; `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run demo stack stack-status stack-stop test chaos check lint lint-deep bench

cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/viral-engine
target := $(or $(CARGO_TARGET_DIR),target)
setup := deploy/local/setup.sh
phase := deploy/local/phase.sh
stack := deploy/local/stack.sh
clickhouse := deploy/local/clickhouse.sh

# Versions of the tools that only `make lint-deep` needs.
deny := 0.20.2
machete := 0.9.2

export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin
# Where the tests find bean-check.
export VIRAL_TEST_VENV := $(or $(VIRAL_TEST_VENV),$(cache)/test-venv)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1 \2/p' Makefile | while read -r name text; do \
		printf '%-12s %s\n' "$$name" "$$text"; done

setup: ## install what building, running and testing need (apt as root; otherwise says what to install)
	@$(setup) test

# Whole-workspace builds everywhere: with a single package selected, cargo may choose other features and build all twice.
# ClickHouse, which takes a download once, stays when the platform ends; without it, the platform goes on.
run: ## build, and start every role on http://127.0.0.1:8080 with a PostgreSQL and a ClickHouse (ARGS=... for more options)
	@$(setup) run
	@cargo build --workspace --bins --locked
	@$(clickhouse) try
	@exec $(target)/debug/viral up --dev $(ARGS)

demo: ## walk the journey of a campaign through the API of the running platform, or of one started for it
	@$(setup) run
	@cargo build --workspace --bins --locked
	@exec $(target)/debug/viral demo --start $(ARGS)

stack: ## start Kafka, Redis and ClickHouse here, without Docker (KAFKA_PORT=... REDIS_PORT=... CLICKHOUSE_PORT=... move them)
	@$(setup) stack
	@$(stack) start

stack-status: ## tell what of the stack runs
	@$(stack) status

stack-stop: ## stop the stack; its data stays
	@$(stack) stop

test: ## set up, build and run every test
	@$(phase) setup $(setup) test
	@$(phase) build cargo build --workspace --all-targets --locked
	@$(phase) engine $(VIRAL_TEST_VENV)/bin/python -B -m unittest discover --start-directory deploy/local/clickhouse
	@deploy/local/test.sh

# One test at a time: they share a broker, and each wants the machine for itself.
chaos: ## bad luck at length: 20 failovers that lose commits, 100 relays, 200 projectors, 10 brokers and engines killed, Kafka and ClickHouse away for a minute (VIRAL_SEED=... repeats a run)
	@$(setup) test
	@cargo build --workspace --all-targets --locked
	@VIRAL_CHAOS=long $(phase) chaos cargo test --workspace --locked --test chaos -- --nocapture --test-threads=1

check: ## type-check everything
	@$(setup) run
	@cargo check --workspace --all-targets --locked

lint: ## formatting, clippy and rustdoc, without a warning
	@$(setup) run
	@$(phase) fmt cargo fmt --all --check
	@$(phase) clippy cargo clippy --workspace --all-targets --locked -- -D warnings
	@RUSTDOCFLAGS=-Dwarnings $(phase) doc cargo doc --workspace --no-deps --locked

lint-deep: lint ## lint, licences and bans of dependencies, and dependencies that nobody uses
	@cargo deny --version 2>/dev/null | grep -qx 'cargo-deny $(deny)' \
		|| cargo install --locked --force cargo-deny --version $(deny)
	@[ "$$(cargo machete --version 2>/dev/null)" = $(machete) ] \
		|| cargo install --locked --force cargo-machete --version $(machete)
	@$(phase) deny cargo deny --locked check bans licenses sources
	@$(phase) machete cargo machete

bench: ## measure a release build (ARGS=... for its options)
	@$(setup) run
	@cargo build --release --locked --bin viral
	@exec $(target)/release/viral bench $(ARGS)
