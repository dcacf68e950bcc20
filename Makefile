# make test    everything a change has to pass: vet, staticcheck, unit, script and integration tests
# make bench   the benchmarks behind docs/performance.md
# make docs    the generated pages under docs/

GO ?= go

.PHONY: test deps lint bench docs fuzz

test: deps lint
	$(GO) test -race -timeout 15m ./...

deps:
	.ci/deps

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go' | grep -v 'pb\.go$$'))" || { gofmt -l $$(git ls-files '*.go'); echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

docs:
	$(GO) generate ./...

# Every fuzz target for FUZZTIME, one after the other.
FUZZTIME ?= 20s
fuzz:
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; \
	done
