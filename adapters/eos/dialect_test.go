package eos_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/eos"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dialect eos.Dialect

var suite = dialecttest.Suite{
	Dialect: dialect, Profile: "arista-eos", AloneOnly: true, OnePolicerEach: true,
	Match: match, Do: action, Policer: policer,
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6, Spoilt: spoilt, Hostile: hostile,
	Seeds: []string{
		"traffic-policies\n   traffic-policy sluice-in\n      match a ipv6\n         dscp af11\n      match b ipv4\n         protocol tcp udp source port 1,2-3 destination port all\n         fragment offset 1-8191\n",
		`["traffic-policies", "traffic-policy sluice-in", "match a ipv4", "protocol 1-255", "actions", "police rate 1 gbps burst-size 1 bytes"]`,
	},
	Router: router, Grammar: grammar,
	Documented: map[string][]string{"1-amplification": {"text", "attach"}},
}

func TestDialect(t *testing.T) { dialecttest.Run(t, suite) }

func FuzzParse(f *testing.F) { dialecttest.Fuzz(f, suite) }

// policer draws one that counts bytes.
func policer(t *rapid.T) filter.Policer {
	return filter.Policer{Burst: rapid.Uint64Range(1, 1<<63).Draw(t, "burst"),
		Rate: flowspec.Rate{Unit: flowspec.Bytes, Amount: float32(rapid.Uint64Range(1, 1<<60).Draw(t, "rate"))}}
}

// action draws what a match can do. A limit needs an entry that is about one kind of packets.
func action(t *rapid.T, f filter.Filter, m filter.Match) filter.Do {
	do := filter.Do{Discard: f.Placement == filter.Before || rapid.Bool().Draw(t, "discard")}
	if do.Discard {
		return do
	}
	if rapid.Bool().Draw(t, "mark") {
		mark := rapid.Uint8Range(0, 63).Draw(t, "dscp")
		do.Mark = &mark
	}
	if rapid.Bool().Draw(t, "redirect") {
		do.Redirect = dialecttest.NextHop(f.Version)
	}
	one := f.Version == packet.IPv6 || m.Fragments != 0 && m.Fragments != packet.AnyFrags || m.SrcPort != nil || m.DstPort != nil || m.ICMPType != nil
	if one && rapid.Bool().Draw(t, "limit") {
		do.Policer = "own"
	}
	return do
}

// match draws what the language can say.
func match(t *rapid.T, f filter.Filter) filter.Match {
	v := f.Version
	m := filter.Match{Dst: dialecttest.Prefix(t, "dst", v), Src: dialecttest.Prefix(t, "src", v), DSCP: dialecttest.MaybeOne(t, "dscp", 0, 63)}
	if v == packet.IPv6 {
		return m
	}
	m.Length = dialecttest.MaybeSpan(t, "length", 0, 65535)
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		m.Proto = dialecttest.MaybeList(t, "proto", 1, 255)
		m.Fragments = rapid.SampledFrom([]packet.Frags{0, packet.AnyFrags, packet.OffsetZero, packet.AnyFrags &^ packet.OffsetZero}).Draw(t, "fragments")
	case 1:
		m.DstPort, m.SrcPort = dialecttest.MaybeList(t, "dst-port", 0, 65535), dialecttest.MaybeList(t, "src-port", 0, 65535)
		m.Proto = rapid.SampledFrom([]packet.Values{nil, tcp, udp, tcp.Or(udp)}).Draw(t, "tcp or udp")
		m.Fragments = rapid.SampledFrom([]packet.Frags{0, packet.OffsetZero}).Draw(t, "offset")
	case 2:
		m.ICMPType, m.Proto = dialecttest.One(rapid.Uint32Range(0, 255).Draw(t, "icmp-type")), icmp
		if rapid.Bool().Draw(t, "code") {
			m.ICMPCode = packet.Values{{Lo: 0, Hi: 0}, {Lo: 4, Hi: 4}}
		}
	}
	return m
}
