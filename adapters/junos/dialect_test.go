package junos_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// instances are those of the device that the tests write for.
var instances = filter.Instances{
	{Form: flowspec.RedirectAS2, Global: 65000, Local: 666}:                           "SCRUB",
	{Form: flowspec.RedirectIPv4, Addr: netip.MustParseAddr("192.0.2.1"), Local: 666}: "clean.2_b",
}

var dialect = junos.Dialect{}.With(instances).(junos.Dialect)

var suite = dialecttest.Suite{
	Dialect: dialect, Profile: "junos-mx", Others: []string{"junos-ptx"}, Instances: instances,
	Match: match, Do: action, Policer: policer,
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6, Hostile: hostile,
	Seeds: []string{
		inFilter(`<term inactive="inactive"><name>a</name><then><next>term</next></then></term>`),
		inFilter(`<term><name>a</name><then><routing-instance><routing-instance-name>SCRUB</routing-instance-name></routing-instance><sample/></then></term>`),
		`family inet6 { filter sluice-v6 { term a { from { payload-protocol-except [ 6 17 ]; traffic-class ef; } then { count a; routing-instance { clean.2_b; } } } term nothing { from { source-address ::/128; destination-address ::/128; } then discard; } } }`,
		`policer sluice-p { filter-specific; if-exceeding-pps { pps-limit 5k; packet-burst 500; } then discard; } family inet { filter sluice-v4 { term a { then { policer sluice-p; dscp 8; next term; } } } }`,
		`family inet { filter sluice-v4 { term a { from { tcp-flags "!(syn & !ack) | rst"; port-except [ 1 2-3 ]; } then { next-ip 192.0.2.1/32; } } } }`,
	},
	Router:     router,
	Documented: map[string][]string{"2-syn-flood": {"text", "attach"}, "7-before": {"attach"}},
	Edits:      &dialecttest.Edits{Edit: dialect.Edit, Inner: "<term>"},
}

func TestDialect(t *testing.T) { dialecttest.Run(t, suite) }

func FuzzParse(f *testing.F) { dialecttest.Fuzz(f, suite) }

func policer(t *rapid.T) filter.Policer {
	return filter.Policer{
		Burst: rapid.Uint64Range(1, 1<<63).Draw(t, "burst"),
		Rate: flowspec.Rate{
			Amount: float32(rapid.Uint64Range(1, 1<<60).Draw(t, "rate")),
			Unit:   rapid.SampledFrom([]flowspec.Unit{flowspec.Bytes, flowspec.Packets}).Draw(t, "unit"),
		},
	}
}

// action draws what a term can do in that placement.
func action(t *rapid.T, f filter.Filter, _ filter.Match) filter.Do {
	do := filter.Do{Sample: rapid.Bool().Draw(t, "sample")}
	if rapid.Bool().Draw(t, "mark") {
		mark := rapid.Uint8Range(0, 63).Draw(t, "dscp")
		do.Mark = &mark
	}
	if do.Discard = rapid.Bool().Draw(t, "discard"); do.Discard {
		return do
	}
	do.Continue = f.Placement == filter.Before || rapid.Bool().Draw(t, "continue")
	if rapid.Bool().Draw(t, "limit") {
		do.Policer = "one"
	}
	if !do.Continue && rapid.Bool().Draw(t, "redirect") {
		do.Redirect = dialecttest.NextHop(f.Version)
		if rapid.Bool().Draw(t, "into an instance") {
			to, _ := instances.Target(rapid.SampledFrom([]string{"SCRUB", "clean.2_b"}).Draw(t, "instance"))
			do.Redirect = &to
		}
	}
	return do
}

// match draws what the language can say, guarded as a planner does it, without the things that doc.go lists.
func match(t *rapid.T, f filter.Filter) filter.Match {
	v := f.Version
	list := func(name string, top uint32) packet.Values { return dialecttest.MaybeList(t, name, 0, top) }
	m := filter.Match{Dst: dialecttest.Prefix(t, "dst", v), Src: dialecttest.Prefix(t, "src", v), DSCP: list("dscp", 63), Proto: list("proto", 255)}
	if v == packet.IPv6 {
		return m
	}
	m.Length = list("length", 65535)
	if m.Fragments = packet.Frags(rapid.Byte().Draw(t, "fragments")); m.Fragments != 0 {
		m.Fragments = rapid.SampledFrom(filter.FragmentParts(m.Fragments)).Draw(t, "part")
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		m.Proto, m.Port = nil, list("port", 65535)
	case 1:
		m.Proto, m.DstPort, m.SrcPort = nil, list("dst-port", 65535), list("src-port", 65535)
	case 2:
		m.Proto, m.ICMPType, m.ICMPCode = nil, list("icmp-type", 255), list("icmp-code", 255)
	case 3:
		bits := rapid.SampledFrom([]uint16{1, 2, 0x12, 0x3f}).Draw(t, "bits")
		m.Proto, m.Flags = nil, []filter.FlagTerm{{Set: bits}, {Set: 0x20, Clear: bits & 0x1f}}
	}
	if g := filter.Guard(m, v, dialect.Semantics()); g.Proto == nil || len(g.Proto) > 0 {
		return g
	}
	return filter.Match{Dst: m.Dst} // a port of a later fragment: nothing is left to say
}
