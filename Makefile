# make alone lists what there is to do.
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FIND_GO  := find . -name '*.go' -not -path '*/node_modules/*' -print0
FUZZ_TIME ?= 10s
PEERS     = $(dir $(shell find . -name package-lock.json -not -path '*/node_modules/*'))

.DEFAULT_GOAL := help
.PHONY: help run test check fmt fmt-check vet lint race fuzz fresh docs doctor peers build measure torture chroot image-check

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## the demo shop on 127.0.0.1:8080
	go run . demo

test: ## all tests; those of parts that are missing skip and say so (make doctor lists them)
	go test ./...

check: fmt-check vet lint race fresh ## all that a change must pass: format, vet, lint, tests with -race, generated files fresh

fmt: ## format every Go file
	$(FIND_GO) | xargs -0 gofmt -w

fmt-check:
	@unformatted=$$($(FIND_GO) | xargs -0 gofmt -l); \
	if [ -n "$$unformatted" ]; then printf 'not formatted, run make fmt:\n%s\n' "$$unformatted"; exit 1; fi

vet:
	go vet ./...

lint: ## golangci-lint; its first run compiles it for about 3 minutes
	go run $(GOLANGCI) run ./...

race:
	go test -race ./...

fuzz: ## let each parser read nonsense for FUZZ_TIME (10s); what breaks one is kept in its testdata
	@grep -rlE '^func Fuzz' --include='*_test.go' --exclude-dir=node_modules --exclude-dir=bench . | sort | while read -r file; do \
		for name in $$(grep -oE '^func Fuzz[A-Za-z0-9]*' "$$file" | cut -c6-); do \
			echo "$$(dirname "$$file") $$name"; \
			go test -tags whatsmeow "$$(dirname "$$file")" -run '^$$' -fuzz "^$$name$$" -fuzztime "$(FUZZ_TIME)" -fuzzminimizetime=20x </dev/null || exit 1; \
		done; \
	done

fresh: ## generated files are what the code generates
	@state() { git status --porcelain; git diff; }; before=$$(state | cksum); $(MAKE) --no-print-directory docs; after=$$(state | cksum); \
	if [ "$$before" != "$$after" ]; then git status --short; echo 'generated files were stale: commit what make docs wrote'; exit 1; fi

docs: ## write what is generated: docs/config.md, pictures
	go generate ./...
	go test -count=1 ./config -run Fresh -update

doctor: ## list what the tests would miss on this machine
	@miss=0; has() { if eval "$$2" >/dev/null 2>&1; then echo "ok       $$1"; else echo "missing  $$1: $$3"; miss=1; fi; }; \
	has "go 1.26"       "go version | grep -E 'go1\.(2[6-9]|[3-9][0-9])'" "https://go.dev/dl; nothing works without it"; \
	has "chromium"      "command -v chromium || command -v chromium-browser || command -v google-chrome" "apt install chromium; the tests in a browser skip"; \
	has "postgres"      "ls /usr/lib/postgresql/*/bin/initdb || command -v initdb" "apt install postgresql; the tests on Postgres skip (they start a server of their own)"; \
	has "node"          "command -v node && command -v npm" "apt install nodejs npm; the tests against Node peers skip"; \
	for d in $(PEERS); do has "$$d" "test -d $$d/node_modules" "make peers; its tests skip"; done; \
	if [ "$$miss" = 1 ]; then echo "PARLEY_REQUIRE=chromium,postgres,node turns these skips into failures, as .ci/run does"; fi

peers: ## fetch the Node programs that tests talk to
	@for d in $(PEERS); do (cd $$d && npm ci --ignore-scripts --no-audit --no-fund); done

build: ## the static binary, ./parley
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o parley .

measure: ## size of the built binary and its time to /readyz, against their limits
	scripts/measure

torture: ## kill, stop and restart the built program 500 times while 50,000 messages come in (a quarter of an hour; PARLEY_TORTURE=30x4000 is less)
	PARLEY_TORTURE=$${PARLEY_TORTURE:-500x50000} go test -count=1 -timeout 6h ./cli -run TestWhatWasConfirmedIsDoneOnce -v

chroot: ## prove the binary as uid 65532 in an empty chroot (needs root)
	.ci/chroot

image-check: chroot ## the same proof; no container engine is needed for it
