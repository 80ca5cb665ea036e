# Every target is one line over dotnet or a script in build/; `make` lists them.
.PHONY: help setup build run demo test test-long test-faults bench publish image test-image test-deploy migration format screenshots docs conformance clean
.DEFAULT_GOAL := help
RID ?= linux-x64

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what tests, benchmarks and the container need (Debian packages, as root)
	@build/setup.sh test bench image

build: ## Build everything (Release, warnings are errors)
	@dotnet build IdentityProvider.sln -c Release -v q

run: ## Serve the demo on http://localhost:8080 until Ctrl-C
	@dotnet run --project src/IdP -c Release -v q -- serve --demo --data "$(CURDIR)/artifacts/demo" --urls http://localhost:8080

demo: ## Start provider and resource API, get tokens, call the API in every way, check each answer
	@build/demo.sh

test: ## Install what is missing, build, run all tests and checks, print the totals
	@build/test.sh

test-long: ## The same with the cases of great volume in full (the result goes to docs/test-long.txt)
	@build/test.sh --long

test-faults: build ## Kill, cut, fill and break what the server stands on, and check a ledger of what it had acknowledged
	@tests/faults/all.sh

bench: ## Measure on one core; appends to docs/BENCHMARKS.md (BENCH_COMPARE=path of a comparison script, optional)
	@tests/benchmarks/bench.sh

publish: ## Self-contained, ReadyToRun program in artifacts/idp/IdP (RID=linux-x64)
	@build/publish.sh $(RID)

image: ## Container image from the published program (IMAGE=idp BASE=image with libicu and libssl, optional)
	@build/image.sh

test-image: image ## Start the image with a volume, get a token, restart it, find the data again
	@build/test-image.sh

test-deploy: ## Walk the documents of deployment on a throw-away machine: every command of deploy/README.md and docs/OPERATIONS.md (as root)
	@tests/deploy/files.sh && tests/deploy/walk.sh

migration: ## Make the same migration for every database (name=WhatChanged)
	@build/migration.sh "$(name)"

format: ## Format the code
	@dotnet format IdentityProvider.sln

screenshots: ## Drive the sample app in Chromium and write docs/images
	@build/screenshots.sh

docs: ## Write the documents that are made from the code
	@build/docs.sh

conformance: ## Write docs/CONFORMANCE.md from the results of the last `make test`
	@build/conformance.py artifacts/test-results

clean: ## Remove everything that was built
	@rm -rf artifacts TestResults && find src tests samples -type d \( -name bin -o -name obj -o -name node_modules -o -name TestResults \) -prune -exec rm -rf {} +
