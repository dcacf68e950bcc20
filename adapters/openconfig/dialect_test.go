package openconfig_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/openconfig"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dialect openconfig.Dialect

var suite = dialecttest.Suite{
	Dialect: dialect, Profile: "testdata/profile.yaml", AloneOnly: true,
	Match: match, Do: action,
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6, Hostile: hostile,
	Seeds: []string{
		`{"openconfig-acl:acl":{"acl-sets":{"acl-set":[{"name":"sluice-v6","type":"ACL_IPV6","acl-entries":{"acl-entry":[{"sequence-id":1,"config":{"description":"accept-rest"},"actions":{"config":{"forwarding-action":"ACCEPT"}}}]}}]}}}`,
	},
	Router: router, Rest: func(filter.Filter) string { return "accept-rest" },
	Documented: map[string][]string{"2-ipv6": {"text", "attach"}},
}

func TestDialect(t *testing.T) { dialecttest.Run(t, suite) }

func FuzzParse(f *testing.F) { dialecttest.Fuzz(f, suite) }

// action draws what an entry can do.
func action(t *rapid.T, _ filter.Filter, _ filter.Match) filter.Do {
	return filter.Do{Discard: rapid.Bool().Draw(t, "discard")}
}

// match draws what the language can say, guarded as a planner does it.
func match(t *rapid.T, f filter.Filter) filter.Match {
	v := f.Version
	m := filter.Match{Dst: dialecttest.Prefix(t, "dst", v), Src: dialecttest.Prefix(t, "src", v), DSCP: dialecttest.MaybeList(t, "dscp", 0, 63), Length: dialecttest.MaybeOne(t, "length", 40, 65535)}
	if v == packet.IPv6 {
		return m
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		m.Proto = dialecttest.One(rapid.Uint32Range(0, 254).Draw(t, "proto"))
		m.Fragments = rapid.SampledFrom([]packet.Frags{0, packet.AnyFrags, packet.OffsetZero, packet.AnyFrags &^ packet.OffsetZero}).Draw(t, "fragments")
	case 1:
		m.Proto = rapid.SampledFrom([]packet.Values{tcp, udp}).Draw(t, "tcp or udp")
		m.DstPort = dialecttest.List(t, "dst-port", 0, 65535, 1, 1)
		m.SrcPort = dialecttest.MaybeSpan(t, "src-port", 0, 65535)
	case 2:
		m.ICMPType = dialecttest.One(rapid.SampledFrom([]uint32{0, 3, 8, 11, 43}).Draw(t, "icmp-type"))
	case 3:
		m.Flags = rapid.SampledFrom([][]filter.FlagTerm{{{Set: 2, Clear: 0x10}}, {{Set: 0x12}}, {{Set: 1}, {Set: 4}}, {{Set: 0xff}}, {{Set: 0x10}, {Set: 4}}}).Draw(t, "flags")
	}
	return filter.Guard(m, v, dialect.Semantics())
}
