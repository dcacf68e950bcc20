# make test    everything a change has to pass: vet, staticcheck, unit, script and integration tests
# make bench   the benchmarks behind docs/performance.md
# make prove   a hundred million packets put to tables drawn at random, some minutes (PROVE=N for another number)
# make fuzz-sessions  arbitrary octets on BGP sessions and BMP connections, minutes (SESSIONTIME=2h for another time)
# make docs    the generated pages under docs/

GO ?= go

.PHONY: test deps lint bench prove docs fuzz fuzz-sessions

# In these nothing runs side by side (core TestAloneIsAlone), and the race detector makes their millions of evaluations many times slower. core/reconcile is tested in both ways.
ALONE := ./core/table ./core/verify ./integration/proof

test: deps lint
	$(GO) test ./core/reconcile $(ALONE)
	$(GO) test -race -timeout 15m $$($(GO) list ./... | grep -v $(ALONE:./%=-e '/%$$'))

deps:
	.ci/deps

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go' | grep -v 'pb\.go$$'))" || { gofmt -l $$(git ls-files '*.go'); echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

PROVE ?= 100000000
prove:
	$(GO) test -v -count 1 -timeout 3h -run 'TestPlans|TestDiffKeeps|TestMutants|TestNaive' ./integration/proof -evaluations $(PROVE)

docs:
	$(GO) generate ./...

# Arbitrary octets on a BGP session and on a BMP connection: minutes with every change, SESSIONTIME=2h by hand.
SESSIONTIME ?= 60s
fuzz-sessions:
	@for f in adapters/bgp:FuzzSession adapters/bgp/bmp:FuzzRouter; do \
	  echo "$$f"; $(GO) test -run '^$$' -fuzz "^$${f#*:}$$" -fuzztime $(SESSIONTIME) ./$${f%:*} || exit 1; \
	done

# Every fuzz target for FUZZTIME, one after the other.
FUZZTIME ?= 20s
fuzz:
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
	  done; \
	done
