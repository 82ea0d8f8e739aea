# Everything a developer or CI does here is a target of this file; `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

BIN := $(CURDIR)/.bin
MODULES := $(shell sed -n 's|^\t\./||p' go.work)
PACKAGES := $(MODULES:%=./%/...)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 30s
SEED ?= 1
TEMPLATES := $(shell sed -n 's|.*template: \([a-z.]*\).*|deploy/\1|p' deploy/stacks.yaml | sort -u)
COMPOSE := VERSION=$(VERSION) docker compose

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##-- use it

.PHONY: run
run: ## Run both services in one process on one SQLite file (PORT, DATA_DIR); needs Go alone
	@go build -o dist/ ./spillway && exec dist/spillway run

.PHONY: up
up: ## Bring up the whole system in containers on 127.0.0.1:8080; needs Docker
	$(COMPOSE) up --build --wait

.PHONY: down
down: ## Take it down again, with its data
	$(COMPOSE) down --volumes --remove-orphans

.PHONY: images
images: ## Build the images spillway/register, spillway/login and spillway/spillway
	$(COMPOSE) build

.PHONY: deploy
deploy: ## Bring the environment ENV up on AWS, or to what this checkout says (SERVICES="register login": with new images of these)
	@scripts/deploy "$(ENV)" $(SERVICES)

##-- test it

.PHONY: test
test: $(BIN)/gotestsum ## Run every test that this machine can (REQUIRE_DOCKER=1: fail where it cannot)
	$(BIN)/gotestsum --format pkgname-and-test-fails --format-hide-empty-pkg -- -race -timeout 15m $(PACKAGES)
	go test -short -count 1 ./bench/defences # Go's cache of results does not look outside of the module

.PHONY: deploy-emulated
deploy-emulated: ## Create, change, take back and destroy the stacks of AWS on emulators, and say what that verifies; needs Docker
	REQUIRE_DOCKER=1 scripts/deploy-emulated

.PHONY: e2e
e2e: $(BIN)/gotestsum $(BIN)/registry ## Build the images, bring everything up and walk it by both doors; needs Docker
	REQUIRE_DOCKER=1 $(BIN)/gotestsum --format testname -- -tags e2e -count 1 -timeout 15m ./spillway/e2e/...

.PHONY: schemathesis
schemathesis: $(BIN)/schemathesis ## Ask both services whatever their OpenAPI documents allow and forbid, 30 s each (SEED)
	scripts/schemathesis $(BIN)/schemathesis 30 $(SEED)

.PHONY: defences
defences: ## Take the defences of docs/attacks.md away, one by one, and want their tests to fail (ONLY=regexp)
	go run ./bench/defences -only "$(ONLY)"

.PHONY: fuzz
fuzz: ## Fuzz each parser for FUZZTIME (default 30s)
	scripts/fuzz $(FUZZTIME) $(MODULES)

.PHONY: conformance
conformance: ## Hold frontdoor and its peers to the conformance table, and write docs/conformance.md
	go run ./bench/conformance docs/conformance.md

.PHONY: bench-frontdoor
bench-frontdoor: ## Measure frontdoor side by side with its peers, in process and as processes; it ends in ratios
	go run ./bench/frontdoor
	go run ./bench/process

##-- ship it: what the workflows run, and anybody by hand (docs/ci.md)

.PHONY: affected
affected: ## Say which services the commits since BASE reach (none: all of them)
	@go run ./spillway/cmd/affected "$(BASE)"

.PHONY: push
push: ## Build SERVICE for PLATFORM (linux/arm64), push it to REPOSITORY, check it there
	@scripts/push-image "$(SERVICE)" "$(REPOSITORY)" "$(PLATFORM)"

.PHONY: sbom
sbom: $(BIN)/syft ## Write what is in IMAGE to SBOM, in SPDX
	$(BIN)/syft scan --quiet "registry:$(IMAGE)" -o "spdx-json=$(SBOM)"

.PHONY: scan
scan: $(BIN)/grype ## Fail where SBOM has a vulnerability, high or critical, that has a fix
	$(BIN)/grype "sbom:$(SBOM)" --fail-on high --only-fixed

.PHONY: smoke
smoke: ## Walk the deployment at URL
	@go run ./spillway smoke "$(URL)"

.PHONY: bench-verify
bench-verify: ## Measure what tokens cost beside jwx, and signing in beside argon2id; it ends in ratios
	go run ./bench/verify

.PHONY: operations
operations: ## Run the behaviour suite on every adapter, and write docs/operations.md; needs Docker
	set -o pipefail; REQUIRE_DOCKER=1 go test -json -run '^(TestMemory|TestBehaviour|TestDirectory|TestStore|TestSagaOverDynamoDB|TestLifeOverDynamoDB|TestDenials|TestCounters|TestRecords)$$' \
	  ./services/internal/account/accounttest ./services/internal/embedded ./services/internal/dynamo ./services/internal/cognito | \
	  go run ./services/internal/account/accounttest/cmd/operations docs/operations.md

.PHONY: bench-telemetry
bench-telemetry: ## Measure what metrics and traces cost a request; it ends in ratios
	go run ./bench/telemetry

.PHONY: bench-timing
bench-timing: ## Measure whether the time of an answer tells who has an account
	go run ./bench/timing

##-- check it

.PHONY: lint
lint: lint-go lint-files lint-versions lint-generated deploy-check ## Run every linter and every check of generated files

.PHONY: lint-go
lint-go: $(BIN)/golangci-lint $(BIN)/govulncheck
	for m in $(MODULES); do echo "golangci-lint $$m"; (cd $$m && $(BIN)/golangci-lint run --allow-parallel-runners ./...); done
	for m in $(MODULES); do echo "govulncheck $$m"; scripts/govulncheck $(BIN)/govulncheck $$m; done

.PHONY: lint-files
lint-files: $(BIN)/hadolint $(BIN)/shellcheck $(BIN)/actionlint
	$(BIN)/hadolint $$(git ls-files '*Dockerfile*')
	$(BIN)/shellcheck $$(git ls-files scripts .ci)
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck

.PHONY: deploy-check
deploy-check: $(BIN)/cfn-lint $(BIN)/checkov ## Hold the CloudFormation templates to linters, to AWS's limits and to the programs they deploy
	$(BIN)/cfn-lint --include-checks I --regions us-east-1 eu-west-1 -- $(TEMPLATES)
	$(BIN)/checkov --framework cloudformation --compact --quiet --skip-download $(TEMPLATES:%=--file %)
	go test -count 1 ./services/local/templates # Go's cache of results does not look outside of the module

.PHONY: lint-versions
lint-versions:
	scripts/check-links
	scripts/check-go-version

.PHONY: lint-generated
lint-generated: generate conformance
	@git diff --exit-code --stat -- README.md deploy/README.md docs proto services/internal/rpc \
	  || { echo "generated files are not current: run 'make generate' and commit"; exit 1; }

.PHONY: generate
generate: $(BIN)/buf $(BIN)/protoc-gen-go ## Make generated code and tables anew
	cd proto && PATH="$(BIN):$$PATH" $(BIN)/buf lint && PATH="$(BIN):$$PATH" $(BIN)/buf generate
	go run ./spillway/cmd/tables README.md deploy/README.md
	go run ./bench/defences -write docs/attacks.md

.PHONY: build
build: ## Build each module by itself, without the workspace, and each binary
	for m in $(MODULES); do echo "build $$m"; (cd $$m && GOWORK=off go build -o /dev/null ./... && GOWORK=off go vet ./...); done
	go build -o dist/ ./examples/echo ./examples/orders

.PHONY: ci
ci: build lint test schemathesis e2e ## What CI runs

.PHONY: clean
clean: ## Remove what builds and tests have made
	rm -rf $(BIN) dist

##-- tools, each pinned by its module or version

$(BIN)/golangci-lint $(BIN)/govulncheck $(BIN)/gotestsum $(BIN)/protoc-gen-go &: tools/go.mod
	cd tools && GOWORK=off GOBIN=$(BIN) go install tool && touch $(BIN)/*

$(BIN)/buf: tools/buf/go.mod
	cd tools/buf && GOWORK=off GOBIN=$(BIN) go install tool && touch $@

$(BIN)/registry: tools/registry/go.mod
	cd tools/registry && GOWORK=off GOBIN=$(BIN) go install tool && touch $@

$(BIN)/syft $(BIN)/grype &: tools/scan/go.mod
	cd tools/scan && GOWORK=off GOBIN=$(BIN) go install tool && touch $(BIN)/syft $(BIN)/grype

$(BIN)/actionlint: tools/actionlint/go.mod
	cd tools/actionlint && GOWORK=off GOBIN=$(BIN) go install tool && touch $@

$(BIN)/hadolint $(BIN)/shellcheck $(BIN)/cfn-lint $(BIN)/checkov $(BIN)/schemathesis &: tools/requirements.txt
	python3 -m venv $(BIN)/venv && $(BIN)/venv/bin/pip install -q -r tools/requirements.txt
	for t in hadolint shellcheck cfn-lint checkov schemathesis; do ln -sf venv/bin/$$t $(BIN)/$$t && touch $(BIN)/$$t; done
