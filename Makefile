# Needs Go, Node with npm, and make. `make test` is what CI runs.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
# The web tests write web/dist, which the Go tests embed.
.NOTPARALLEL:

LISTEN   ?= 127.0.0.1:8080
DATA     ?= ./data
FUZZTIME ?= 20s
BENCH    ?= .
COUNT    ?= 1
ROUNDS   ?= 5

# What is seldom run is not inlined, and nobody speaks HTTP/2 (TLS ends at the proxy
# before us): together 1.0 MiB less.
COLD  := html/template text/template/... image/... archive/... mime/... regexp/... log/... math/big expvar database/... \
  encoding/asn1 encoding/gob encoding/xml crypto/tls crypto/x509/... golang.org/x/image/... golang.org/x/net/... golang.org/x/text/... \
  google.golang.org/protobuf/... go.opentelemetry.io/... github.com/aymerick/... github.com/go-logr/... github.com/go-pdf/... \
  github.com/golang-jwt/... github.com/graph-gophers/... github.com/klauspost/... github.com/microcosm-cc/... github.com/nyaruka/... \
  github.com/peterbourgon/... github.com/prometheus/...
SMALL := -trimpath -ldflags "-s -w" -tags nethttpomithttp2 $(COLD:%=-gcflags=%=-l)

# The binaries run where there is no C library.
build: export CGO_ENABLED := 0

# The pages are built again when one of their sources, or the packages, changed.
# Folders count too: a file that went away changes nothing else.
MODULES := web/node_modules/.installed
PAGES   := web/dist/board.html
PEERS   := web/bench/node_modules/.installed
WEB_SRC := $(shell find web/src) $(wildcard web/*.mjs web/tsconfig.json web/.npmrc)

.PHONY: run
run: build
	bin/nowserving -demo -listen $(LISTEN) -data $(DATA) $(ARGS)

# Go knows itself what has changed.
.PHONY: build
build: web
	go build $(SMALL) -o bin/nowserving ./server
	go build $(SMALL) -o bin/nowserving-display ./display

.PHONY: web
web: $(PAGES)

$(MODULES): web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

$(PAGES): $(MODULES) $(WEB_SRC)
	cd web && npm run --silent build

# Cheap checks first; each prints what it found and stops the run.
.PHONY: test check
test check:
	@start=$$SECONDS; \
	$(MAKE) --no-print-directory lint race web-test e2e; \
	echo "PASS: lint, Go tests, web tests, browser tests; $$((SECONDS - start)) s"

.PHONY: lint
lint: web
	@unformatted=$$(gofmt -l server hub store display web/*.go); \
	if [ -n "$$unformatted" ]; then echo "gofmt:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	.ci/vuln

.PHONY: race
race: web
	@.ci/compiler
	go test -race -shuffle=on -timeout 10m $$(go list ./... | grep -v /server/torture)
	go test -count 1 -timeout 10m ./server/torture
	go test -count 1 -timeout 10m -run '^TestWorld$$' ./hub/sim -sim.seeds 1000

.PHONY: web-test
web-test: web
	cd web && npm test --silent

# Against a fake hub that misbehaves on purpose, and against the real server.
.PHONY: e2e
e2e: build
	@browser=$$(.ci/browser); cd web && export CHROMIUM="$$browser"; npm run --silent e2e; npm run --silent e2e:real

# One table: ours beside the others that this machine has (nginx with nchan, ws,
# socket.io, Redis, NATS; what is missing is named). BENCH picks rows, a regular
# expression; `make bench BENCH=year` and `make soak` take longer and are not in it.
.PHONY: bench
bench: build $(PEERS)
	go build -o bin/bench ./server/bench
	bin/bench -only '$(BENCH)' -rounds $(ROUNDS)

.PHONY: soak
soak: build
	go build -o bin/bench ./server/bench
	bin/bench -only soak

$(PEERS): web/bench/package.json web/bench/package-lock.json
	cd web/bench && npm ci --no-audit --no-fund
	touch $@

# The parts by themselves, and a command's way to its paint in a browser.
.PHONY: microbench
microbench: build
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...
	@browser=$$(.ci/browser); cd web && export CHROMIUM="$$browser"; node e2e/latency.mjs; node --test e2e/burst.test.mjs

.PHONY: fuzz
fuzz: web
	FUZZTIME=$(FUZZTIME) .ci/fuzz

# Minutes of crashes, power cuts, full disks, bad links, hostile clients and broken
# programs; `make race` runs a few rounds of the same tests. Needs root for the
# disks (what is skipped says so).
.PHONY: torture
torture: web
	@start=$$SECONDS; .ci/torture; echo "PASS: torture; $$((SECONDS - start)) s"

# Breaks the program on purpose, one line at a time: each break must be noticed.
.PHONY: mutants
mutants: web
	MUTANTS=1 go test -count 1 -timeout 20m -run '^TestMutants' -v ./server/torture

.PHONY: clean
clean:
	rm -rf bin web/node_modules web/bench/node_modules
	find web/dist -mindepth 1 ! -name .gitkeep -delete
