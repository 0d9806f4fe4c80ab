# flatbook: `make demo` and `make test` are all a newcomer needs.
.PHONY: demo test build bench clean help

help: ## Show this help
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: ## Install what is missing, build, and flatten a simulated fleet
	@scripts/install-deps
	@scripts/build-release
	@.build/release/flatbook demo

test: ## Everything CI checks
	@scripts/check

build: ## Release build
	@scripts/install-deps
	@scripts/build-release

bench: ## Measure speed and memory
	@scripts/bench-all

clean: ## Remove build output
	rm -rf .build
