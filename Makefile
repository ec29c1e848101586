# Redkeep: the verbs. `make help` lists them. Nothing here installs anything on the host; what is missing is named, with
# the line that installs it.

# Go fetches the toolchain that go.mod asks for by itself (1.21 and later can); some distributions turn that off.
export GOTOOLCHAIN ?= auto
GO        ?= go
FUZZTIME  ?= 20s
SIMTIME   ?= 60s
# With what runs before it, shorter than the limit of .ci/run, so that a test that hangs says where.
LABTIME   ?= 13m
LINTER    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
PACKAGER  := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0

# For deb: where it goes, for which machines, and as which version: the newest tag's, with the commits since then.
OUT     ?= bin
ARCH    ?= $(shell $(GO) env GOARCH)
VERSION ?= $(or $(shell git describe --tags --match 'v[0-9]*' 2>/dev/null | sed 's/^v//; s/-rc/~rc/; s/-\([0-9]*\)-g/+\1./'),\
	$(shell git show -s --format='0~%cd.%h' --date=format:%Y%m%d%H%M%S 2>/dev/null),0~unknown)
NFPM    ?= bin/nfpm

# For bench: how often each fault, and which ones (the README's table: RUNS=20 FAULTS=all).
export RUNS   ?= 5
export FAULTS ?=

# For bench-scale: how long a Sentinel runs before it is measured, and for how long it then is; RUNS are pairs, three unless said.
WARM   ?= 30s
WINDOW ?= 60s

# The simulator and the lab have their own verbs; all other packages are unit tests.
UNIT = $$($(GO) list ./... | grep -v -e '/prove/sim$$' -e '/prove/lab$$')

# The proofs join `make test` as soon as they can be asked for a duration or a selection.
SIM := $(shell grep -ls 'sim\.for' prove/sim/*.go 2>/dev/null | head -n 1)
LAB := $(wildcard prove/lab/*_test.go)

.DEFAULT_GOAL := help
.PHONY: help build deb package test unit arch vet lint fuzz sim lab bench bench-scale toll demo clean need-go need-redis

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

build: need-go ## bin/redkeep, static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/redkeep ./cmd/redkeep

deb: need-go $(NFPM) ## the package for Debian and Ubuntu: OUT/redkeep_VERSION_ARCH.deb
	@mkdir -p $(OUT)/deb
	CGO_ENABLED=0 GOARCH=$(ARCH) $(GO) build -trimpath -ldflags "-s -w" -o $(OUT)/deb/redkeep ./cmd/redkeep
	@for shell in bash zsh fish; do $(GO) run ./cmd/redkeep completion $$shell >$(OUT)/deb/redkeep.$$shell || exit; done
	@out=$$($(GO) test ./cmd/redkeep -count=1 -run '^TestManual$$' -manual "$(abspath $(OUT))/deb/redkeep.1") || { echo "$$out"; exit 1; }
	@cp dist/redkeep.yaml.5 CHANGELOG.md $(OUT)/deb/ && cd $(OUT)/deb && mv CHANGELOG.md changelog && gzip -9nf redkeep.1 redkeep.yaml.5 changelog
	@$(MAKE) -s --no-print-directory package
	@if command -v lintian >/dev/null; then lintian $(OUT)/redkeep_$(VERSION)_$(ARCH).deb || true; fi
	@ls -lh $(OUT)/redkeep_$(VERSION)_$(ARCH).deb | awk '{print $$9 ", " $$5}'

# Of what `make deb` has put there: a test wants a second version of the same.
package:
	@STAGE=$(OUT)/deb ARCH=$(ARCH) VERSION=$(VERSION) SOURCE_DATE_EPOCH=$$(git show -s --format=%ct 2>/dev/null || date +%s) \
		$(NFPM) package -f dist/nfpm.yaml -p deb -t $(OUT)/redkeep_$(VERSION)_$(ARCH).deb >/dev/null

bin/nfpm:
	@echo "make: building $(PACKAGER) into ./bin (half a minute, needs the Go module proxy)"
	GOBIN=$(CURDIR)/bin GOFLAGS= $(GO) install $(PACKAGER)

test: need-go need-redis vet unit $(if $(SIM),sim) $(if $(LAB),lab) ## vet, unit tests, the tree's own, a minute of simulator, the lab

vet: need-go
	$(GO) vet ./...

unit: need-go
	@[ "$$(id -u)" = 0 ] || echo "make: not root: tests of the kernel's gate use a user namespace, or are skipped where that is forbidden"
	$(GO) test $(UNIT)

arch: need-go ## only the tests of the tree itself
	$(GO) test ./prove/arch

sim: need-go ## the simulator for SIMTIME (60s): faults injected and votes taken per minute
	$(GO) test ./prove/sim -count=1 -timeout 30m -v -sim.for=$(SIMTIME)

lab: need-go need-redis ## real servers in namespaces, every fault, judged
	@[ "$$(id -u)" = 0 ] || echo "make: not root: the lab uses a user namespace; where that is forbidden, run: sudo make lab"
	$(GO) test ./prove/lab -count=1 -timeout $(LABTIME) -parallel 2

bench: need-go need-redis ## Redkeep, redis-sentinel and keepalived in one table (RUNS=20 FAULTS=all)
	$(GO) run ./prove/bench/cmd -runs $(RUNS) -faults "$(FAULTS)"

bench-scale: need-go need-redis ## one Sentinel over a thousand groups, Redkeep's and redis-sentinel in turn (RUNS=3 WARM=30s WINDOW=60s)
	$(GO) run ./prove/bench/scale/cmd -runs $(if $(filter file default undefined,$(origin RUNS)),3,$(RUNS)) -warm $(WARM) -window $(WINDOW)

toll: need-go ## what the gate adds to a round trip, without the scheduler's noise
	$(GO) test ./internal/act/gate -run '^$$' -bench '^BenchmarkToll$$' -benchtime 20x -count 3

demo: build need-redis ## three hosts on this machine, a writer, a kill: the timeline and the gap
	./bin/redkeep demo

fuzz: need-go ## each fuzz target for FUZZTIME (20s)
	@set -e; for p in $$($(GO) list ./internal/...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p; \
		done; \
	done

lint: need-go bin/golangci-lint ## golangci-lint, built into ./bin at the first call
	./bin/golangci-lint run

bin/golangci-lint:
	@echo "make: building $(LINTER) into ./bin (over a minute, needs the Go module proxy)"
	GOBIN=$(CURDIR)/bin GOFLAGS= $(GO) install $(LINTER)

clean: ## remove what was built
	rm -rf bin .lab

need-go:
	@command -v $(GO) >/dev/null || { \
		echo "make: go is missing; 1.21 or later will do, it fetches the rest itself"; \
		echo "make:   Ubuntu 24.04: sudo apt-get install -y golang-go"; \
		echo "make:   Debian 12:    sudo apt-get install -y -t bookworm-backports golang-go   (or https://go.dev/dl)"; \
		exit 1; }
	@v=$$(cd / && GOTOOLCHAIN=local $(GO) env GOVERSION); case $$v in \
		go1.[0-9]|go1.[0-9].*|go1.1[0-9]|go1.1[0-9].*|go1.20|go1.20.*) \
			echo "make: $$v is too old to fetch a newer one; install Go 1.21 or later (Debian 12: sudo apt-get install -y -t bookworm-backports golang-go)"; \
			exit 1;; \
	esac

# Debian and Ubuntu ship the server's program in redis-tools, under the name redis-check-rdb: the package redis-server
# adds a link to it, and the service, which tests don't want.
need-redis:
	@command -v redis-server >/dev/null || command -v valkey-server >/dev/null || command -v redis-check-rdb >/dev/null || \
		[ -n "$$REDIS_SERVER" ] || { \
		echo "make: no Redis to test with; this installs the program and starts no service:"; \
		echo "make:   sudo apt-get install -y redis-tools"; \
		exit 1; }
