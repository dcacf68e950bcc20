package iosxepolicy_test

import (
	"fmt"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/iosxepolicy"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dialect iosxepolicy.Dialect

var udp = dialecttest.One(17)

var suite = dialecttest.Suite{
	Dialect: dialect, Profile: "cisco-iosxe:filter=policy", Others: []string{"cisco-asr1k:filter=policy"}, AloneOnly: true, IPv4Only: true, OnePolicerEach: true,
	Match: sayable, Do: does, Policer: policer,
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6,
	Hostile: hostile, Spoilt: spoilt, Seeds: seeds,
	Router: router, Says: says, Rest: func(filter.Filter) string { return "passes" },
	Grammar:    keepsToGrammar,
	Documented: map[string][]string{"1-limit-udp": {"text", "attach"}},
	Edits: &dialecttest.Edits{
		Edit: dialect.Edit, Inner: "<action-list>", Device: newDevice, Operations: 3,
		Repairs: map[[2]string]bool{
			{"permit udp", "permit 18"}:                   false,
			{"match dscp 0", "match dscp 1"}:              false,
			{"police cir 1000000", "police cir 2000000"}:  false,
			{"  drop\n", "  set dscp 1\n"}:                false,
			{"  drop\n", "  shape average 8000\n"}:        true,
			{"permit udp any", "permit udp any eq 53"}:    true,
			{" class sluice-v4-r-0000000000000001\n", ""}: true, // its actions are nobody's
			{"match dscp 0\n", "match dscp 0\n match x"}:  true,
		},
		Objects:  func(f filter.Filter) int { return 1 + 2*len(f.Entries) },
		Ordinary: func(m filter.Match) filter.Match { return filter.Match{Dst: m.Dst, Proto: m.Proto} },
	},
}

// newDevice returns a router without policies. What drops what exceeds a rate limits; what only lets pass does not.
func newDevice() dialecttest.Device {
	return &dialecttest.Store{
		Keys:   map[string]string{"extended": "name", "access-list-seq-rule": "sequence", "class-map": "name", "policy-map": "name", "class": "name", "action-list": "action-type"},
		Limits: "exceed-drop",
	}
}

func TestDialect(t *testing.T) { dialecttest.Run(t, suite) }

func FuzzParse(f *testing.F) {
	for text := range hostile {
		f.Add([]byte(text))
	}
	dialecttest.Fuzz(f, suite)
}

// sayable draws a match that the language can say.
func sayable(t *rapid.T, _ filter.Filter) filter.Match {
	m := filter.Match{Dst: dialecttest.Prefix(t, "dst", packet.IPv4), Src: dialecttest.Prefix(t, "src", packet.IPv4), DSCP: dialecttest.MaybeOne(t, "dscp", 0, 63)}
	if rapid.Bool().Draw(t, "protocols") {
		m.Proto = dialecttest.List(t, "proto", 1, 255, 1, 3)
	}
	return m
}

// does draws what a class does.
func does(t *rapid.T, _ filter.Filter, _ filter.Match) filter.Do {
	do := filter.Do{Discard: rapid.IntRange(0, 2).Draw(t, "discard") == 0}
	if do.Discard {
		return do
	}
	if rapid.Bool().Draw(t, "limit") {
		do.Policer = "limited"
	}
	if rapid.Bool().Draw(t, "mark") {
		mark := rapid.Uint8Range(0, 63).Draw(t, "dscp set")
		do.Mark = &mark
	}
	return do
}

// policer draws whole bits/s from 8 kbit/s on.
func policer(t *rapid.T) filter.Policer {
	bytes := rapid.OneOf(rapid.Uint32Range(1000, 1<<24), rapid.SampledFrom([]uint32{1000, 125_000_000, 1_250_000_000})).Draw(t, "bytes/s")
	return filter.Policer{Rate: flowspec.Rate{Amount: float32(bytes), Unit: flowspec.Bytes}, Burst: rapid.Uint64Range(1000, 512_000_000).Draw(t, "burst")}
}

// busy is a filter with one of everything.
func busy() filter.Filter {
	dst, src, all := netip.MustParsePrefix("203.0.113.9/32"), netip.MustParsePrefix("198.51.100.0/24"), uint8(8)
	entry := func(n int, m filter.Match, do filter.Do) filter.Entry {
		id := fmt.Sprintf("%016x", n)
		return filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Match: m, Do: do, Counter: "r-" + id}
	}
	limit := filter.Policer{Name: "sluice-r-0000000000000002", Rate: flowspec.Rate{Amount: 125000, Unit: flowspec.Bytes}, Burst: 15000}
	both := filter.Policer{Name: "sluice-r-0000000000000005", Rate: flowspec.Rate{Amount: 1000, Unit: flowspec.Bytes}, Burst: 1000}
	f := filter.Filter{
		Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Policers: []filter.Policer{limit, both},
		Entries: []filter.Entry{
			entry(1, filter.Match{Src: &src, Dst: &dst}, filter.Do{}),
			entry(2, filter.Match{Dst: &dst, Proto: udp}, filter.Do{Policer: limit.Name}),
			entry(3, filter.Match{Src: &src, Proto: packet.Values{{Lo: 6, Hi: 6}, {Lo: 47, Hi: 47}}, DSCP: dialecttest.One(0)}, filter.Do{Discard: true}),
			entry(4, filter.Match{DSCP: dialecttest.One(46)}, filter.Do{Mark: &all}),
			entry(5, filter.Match{}, filter.Do{Policer: both.Name, Mark: &all}),
		},
	}
	f.Entries[3].Counter = ""
	return f
}
