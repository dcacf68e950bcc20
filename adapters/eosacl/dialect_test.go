package eosacl_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/eosacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dialect eosacl.Dialect

var suite = dialecttest.Suite{
	Dialect: dialect, Profile: "arista-eos:filter=acl", AloneOnly: true,
	Match: match, Do: action,
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6, Hostile: hostile, Spoilt: spoilt,
	Seeds: []string{
		list("deny tcp 198.51.100.0 0.0.0.255 gt 1023 any eq www ssh"),
		`["ip access-list sluice-v4", "counters per-entry", "10001000 remark a uncounted", "10001001 deny icmp any any 3 4", "2147483640 permit ip any any"]`,
	},
	Router: router, Says: says, Rest: func(filter.Filter) string { return "permit" }, Grammar: grammar,
	Documented: map[string][]string{"1-resolver": {"text", "attach"}},
}

func TestDialect(t *testing.T) { dialecttest.Run(t, suite) }

func FuzzParse(f *testing.F) { dialecttest.Fuzz(f, suite) }

// action draws what a line can do.
func action(t *rapid.T, f filter.Filter, _ filter.Match) filter.Do {
	return filter.Do{Discard: f.Placement == filter.Before || rapid.Bool().Draw(t, "discard")}
}

// match draws what the language can say, guarded as a planner does it: one value of each condition, without the things that doc.go lists.
func match(t *rapid.T, f filter.Filter) filter.Match {
	v := f.Version
	m := filter.Match{Dst: dialecttest.Prefix(t, "dst", v), Src: dialecttest.Prefix(t, "src", v)}
	if v == packet.IPv6 {
		return m
	}
	m.DSCP, m.Proto = dialecttest.MaybeOne(t, "dscp", 0, 63), dialecttest.MaybeOne(t, "proto", 1, 255)
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0, 1:
		m.Proto = rapid.SampledFrom([]packet.Values{tcp, udp}).Draw(t, "transport")
		m.DstPort, m.SrcPort = dialecttest.MaybeSpan(t, "dst-port", 0, 65535), dialecttest.MaybeSpan(t, "src-port", 0, 65535)
	case 2:
		m.Proto = ping
		if m.ICMPType = dialecttest.MaybeOne(t, "icmp-type", 0, 255); m.ICMPType != nil {
			m.ICMPCode = dialecttest.MaybeOne(t, "icmp-code", 0, 255)
		}
	case 3:
		m.Fragments = packet.AnyFrags &^ packet.OffsetZero
	case 4:
		m.Fragments = packet.OffsetZero
	}
	return filter.Guard(m, v, dialect.Semantics())
}
