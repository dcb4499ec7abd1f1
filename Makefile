# The commands of simwarden. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run web education test pages soak bench bench-links fmt clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

run: web ## build everything and start the demo: a small country with honest people and thieves
	@echo "run: building the server (the first time takes some minutes) and starting the demo"
	@cargo run --release --locked -p simwarden -- demo

web: ## build the browser pages into web/dist
	@if [ -f web/package.json ]; then \
	  echo "web: installing and building the pages"; \
	  cd web && npm ci --no-audit --no-fund && npm run build; \
	else echo "web: there are no pages to build"; fi

education: ## make lessons, handbook, brochure, posters and slides in three languages, in dist/education
	@scripts/packages.sh chromium poppler-utils fonts-droid-fallback
	@cd web && { [ -d node_modules/marked ] || npm ci --no-audit --no-fund; } && npm run --silent education

test: ## run every check there is; installs and starts what it needs, leaves nothing running
	@scripts/test.sh

pages: web ## only the browser tests: the pages in a real Chromium against the real server
	@scripts/browser-tests.sh

soak: ## the durability tests at full length: 1,000 kills, 200 power cuts, 200 kills amid downloads
	@scripts/soak.sh

bench: ## measure, each number beside its floor or a peer
	@echo "bench: building and measuring; keep the machine quiet"
	@scripts/postgres.sh run cargo run --release --locked -p simwarden -- bench

# `make bench-links FILE` and `make bench-links FILE=…` both name the file; what follows the goal is no goal itself.
ifeq (bench-links,$(firstword $(MAKECMDGOALS)))
LINKS := $(wordlist 2,$(words $(MAKECMDGOALS)),$(MAKECMDGOALS))
ifneq (,$(LINKS))
.PHONY: $(LINKS)
$(LINKS):
	@:
endif
endif

bench-links: ## recall and false alarms of the link check on a labelled file: make bench-links FILE [ARGS="--brands B"]
	@cargo run --quiet --release --locked -p simwarden-checkup --example bench_links -- $(or $(FILE),$(LINKS)) $(ARGS)

fmt: ## format the code
	@cargo fmt --all

clean: ## remove everything that was built
	@echo "clean: removing what was built"
	@cargo clean
	@rm -rf web/dist web/node_modules
