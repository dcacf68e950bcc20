package iosxr_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dialect iosxr.Dialect

var suite = dialecttest.Suite{
	Dialect: dialect, Profile: "cisco-asr9k",
	Match: match, Do: action,
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6, Hostile: hostile, Spoilt: spoilt,
	Seeds: []string{
		list("deny tcp 198.51.100.0 0.0.0.255 gt 1023 any neq www match-any +syn -ack dscp lt af11"),
		"<data><ipv4 xmlns=\"http://cisco.com/ns/yang/Cisco-IOS-XR-um-ipv4-access-list-cfg\"><access-lists/></ipv4></data>",
	},
	Router: router, Says: says, Rest: rest, Grammar: grammar,
	Documented: map[string][]string{"2-syn-flood": {"text", "attach"}, "5-before": {"attach"}},
	Edits: &dialecttest.Edits{
		Edit: dialect.Edit, Inner: "<sequence", Device: newDevice, Operations: 2,
		Repairs: map[[2]string]bool{
			{"eq 53", "eq 54"}:                              false,
			{"10001001 deny", "10001001 permit"}:            false,
			{"8\n", "8 log\n"}:                              true,
			{"10000000 permit ipv4", "10000000 permit udp"}: true,
			{"10003001 deny", "10003005 deny"}:              true,
		},
	},
}

func TestDialect(t *testing.T) { dialecttest.Run(t, suite) }

func FuzzParse(f *testing.F) { dialecttest.Fuzz(f, suite) }

// action draws what a line can do in that placement.
func action(t *rapid.T, f filter.Filter, _ filter.Match) filter.Do {
	if f.Placement == filter.Before || rapid.Bool().Draw(t, "discard") {
		return filter.Do{Discard: true}
	}
	if rapid.Bool().Draw(t, "accept") {
		return filter.Do{}
	}
	return filter.Do{Redirect: dialecttest.NextHop(f.Version)}
}

// match draws what the language can say, guarded as a planner does it: one value of each condition, without the things that doc.go lists.
func match(t *rapid.T, f filter.Filter) filter.Match {
	v := f.Version
	span := func(name string, top uint32) packet.Values { return dialecttest.MaybeSpan(t, name, 0, top) }
	one := func(name string) packet.Values { return dialecttest.MaybeOne(t, name, 0, 255) }
	m := filter.Match{Dst: dialecttest.Prefix(t, "dst", v), Src: dialecttest.Prefix(t, "src", v), DSCP: span("dscp", 63), Length: span("length", 65535), Proto: one("proto")}
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if f.Placement == filter.Before && v == packet.IPv6 {
		kind = 6 // a deny with ports is not known to leave later fragments alone
	}
	switch kind {
	case 0, 1:
		m.Proto = rapid.SampledFrom([]packet.Values{tcp, udp}).Draw(t, "transport")
		m.DstPort, m.SrcPort = span("dst-port", 65535), span("src-port", 65535)
	case 2:
		m.Proto = ping
		if v == packet.IPv6 {
			m.Proto = dialecttest.One(58)
		}
		if m.ICMPType = one("icmp-type"); m.ICMPType != nil {
			m.ICMPCode = one("icmp-code")
		}
	case 3:
		m.Proto = tcp
		bits := rapid.SampledFrom([]uint16{1, 2, 0x12, 0x3f}).Draw(t, "bits")
		m.Flags = rapid.SampledFrom([][]filter.FlagTerm{{{Set: bits}}, {{Set: 0x20, Clear: bits & 0x1f}}, {{Set: 2}, {Clear: 0x10}, {Set: 4}}}).Draw(t, "flags")
	case 4:
		m.Fragments = 0xcc
	case 5:
		if f.Placement == filter.Alone || v == packet.IPv4 {
			m.Fragments = packet.OffsetZero
		}
	}
	if v == packet.IPv6 {
		m.Fragments &= 0x0f
	}
	return filter.Guard(m, v, dialect.Semantics())
}
