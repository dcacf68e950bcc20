package junos_test

import (
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var (
	udp  = packet.Values{{Lo: 17, Hi: 17}}
	tcp  = packet.Values{{Lo: 6, Hi: 6}}
	icmp = packet.Values{{Lo: 1, Hi: 1}}
	dns  = packet.Values{{Lo: 53, Hi: 53}}
)

// busy is a filter with one of everything.
func busy() filter.Filter {
	dst := netip.MustParsePrefix("203.0.113.9/32")
	return filter.Filter{
		Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Entries: []filter.Entry{
			{Name: "r-0000000000000001", Match: filter.Match{Dst: &dst, Proto: tcp, Flags: []filter.FlagTerm{{Set: 2, Clear: 0x10}}, Fragments: packet.OffsetZero}, Do: filter.Do{Discard: true}, Counter: "r-0000000000000001"},
			{Name: "r-0000000000000002", Match: filter.Match{Src: &dst, Proto: udp, SrcPort: dns, Fragments: packet.OffsetZero}, Do: filter.Do{Policer: "sluice-r-0000000000000002", Continue: true}},
			{Name: "r-0000000000000003", Match: filter.Match{Proto: icmp, ICMPType: packet.Values{{Lo: 8, Hi: 8}}, Fragments: packet.OffsetZero}, Do: filter.Do{Sample: true}},
			{Name: "r-0000000000000004", Match: filter.Match{Dst: &dst, Proto: udp}, Do: filter.Do{Redirect: scrub(), Mark: new(uint8)}},
			{Name: "r-0000000000000005", Match: filter.Match{Src: &dst}, Do: filter.Do{Policer: "sluice-r-0000000000000005"}},
		},
		Policers: []filter.Policer{
			{Name: "sluice-r-0000000000000002", Rate: flowspec.Rate{Amount: 12500000, Unit: flowspec.Bytes}, Burst: 1250000},
			{Name: "sluice-r-0000000000000005", Rate: flowspec.Rate{Amount: 5000, Unit: flowspec.Packets}, Burst: 500},
		},
	}
}

// scrub is the redirect to the route target that the instance SCRUB imports.
func scrub() *flowspec.Redirect {
	r, _ := instances.Target("SCRUB")
	return &r
}

// refused is what a term cannot say.
var refused = map[string]dialecttest.Spoil{
	"entry r-0000000000000001: protocol: a term with ports must ask for tcp":                  dialecttest.Matching(filter.Match{SrcPort: dns, Fragments: packet.OffsetZero}),
	"protocol: a term with tcp-flags must ask for tcp":                                        func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Proto = udp },
	"protocol: a term with icmp-type or icmp-code must ask for protocol 1":                    dialecttest.Matching(filter.Match{Proto: udp, ICMPCode: packet.Values{{}}, Fragments: packet.OffsetZero}),
	"fragment: a term with ports, flags or ICMP must ask for fragment offset 0":               func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Fragments = 0 },
	"fragment: one term asks the same flags of first and later fragments":                     dialecttest.Matching(filter.Match{Fragments: 0xee}),
	"port: Junos does not take it beside source-port or destination-port":                     dialecttest.Matching(filter.Match{Proto: udp, Port: dns, SrcPort: dns, Fragments: packet.OffsetZero}),
	"dscp: no number is left, the entry matches nothing":                                      func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.DSCP = packet.Values{} },
	"tcp-flags: bits 0x0040; Junos matches the six bits":                                      func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags[0].Set = 0x40 },
	"tcp-flags: one of the terms lets every packet through":                                   func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags[0] = filter.FlagTerm{} },
	"tcp-flags: no packet has a flag set and clear at once":                                   func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags[0] = filter.FlagTerm{Set: 2, Clear: 2} },
	"discard: a term that discards ends there":                                                func(_ *filter.Filter, _ *filter.Match, d *filter.Do) { d.Continue = true },
	"redirect: a term names a routing instance, and which one imports 65000L:666 is not said": dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS4, Global: 65000, Local: 666}}),
	"redirect: routing-instance ends the evaluation and cannot continue":                      dialecttest.Doing(filter.Do{Redirect: scrub(), Continue: true}),
	"discard: a term that discards ends there; it does not also":                              dialecttest.Doing(filter.Do{Redirect: scrub(), Discard: true}),
	"redirect: a term sends the packet itself to the next hop, not a copy":                    dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9"), Copy: true}}),
	"redirect: next hop 2001:db8::9 is not of the filter's IP version":                        dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::9")}}),
	"redirect: next-ip ends the evaluation and cannot continue":                               dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9")}, Continue: true}),
	"policer sluice-r-0000000000000002: rate 0.1: bandwidth-limit takes a whole number": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Policers[0].Rate.Amount = 0.1
	},
	"policer sluice-r-0000000000000002: rate 2.5: pps-limit takes a whole number": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Policers[0].Rate = flowspec.Rate{Amount: 2.5, Unit: flowspec.Packets}
	},
	"the name accept-rest is taken":                     func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "accept-rest" },
	`name "r_1": want letters, digits and hyphens only`: func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r_1" },
	`counter: name "a b": want letters, digits`:         func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "a b" },
	"want 1 to 64 characters":                           func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-" + strings.Repeat("x", 60) },
	"two entries are named r-0000000000000002":          func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r-0000000000000002" },
}

var refusedIPv6 = map[string]filter.Entry{
	"fragment: a term with ports, flags or ICMP also matches later fragments, and family inet6 has no fragment-offset": {Match: filter.Match{Proto: udp, SrcPort: dns}},
	"fragment: family inet6 has no fragment-offset":                                                                    {Match: filter.Match{Proto: udp, SrcPort: dns, Fragments: packet.OffsetZero}},
	"packet-length: whether family inet6 counts the 40 octets":                                                         {Match: filter.Match{Length: dns}},
	"flow-label: family inet6 has no such condition":                                                                   {Match: filter.Match{Label: dns}},
	"protocol: a term with icmp-type or icmp-code must ask for protocol 58":                                            {Match: filter.Match{Proto: icmp, ICMPType: packet.Values{{Lo: 128, Hi: 128}}}},
}

func prefixOf(s string) *netip.Prefix {
	p := netip.MustParsePrefix(s)
	return &p
}
