package eos_test

import (
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var (
	udp   = packet.Values{{Lo: 17, Hi: 17}}
	tcp   = packet.Values{{Lo: 6, Hi: 6}}
	icmp  = packet.Values{{Lo: 1, Hi: 1}}
	dns   = packet.Values{{Lo: 53, Hi: 53}}
	later = packet.AnyFrags &^ packet.OffsetZero
)

// busy is a filter with one of everything.
func busy() filter.Filter {
	dst := netip.MustParsePrefix("203.0.113.9/32")
	return filter.Filter{
		Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Entries: []filter.Entry{
			{Name: "r-0000000000000001", Match: filter.Match{Dst: &dst, Proto: tcp, DstPort: dns, Length: packet.Values{{Lo: 40, Hi: 100}}}, Do: filter.Do{Discard: true}, Counter: "r-0000000000000001"},
			{Name: "r-0000000000000002", Match: filter.Match{Src: &dst, Proto: udp, SrcPort: dns}, Do: filter.Do{Policer: "sluice-r-0000000000000002"}, Counter: "r-0000000000000002"},
			{Name: "r-0000000000000003", Match: filter.Match{Proto: icmp, DSCP: packet.Values{{Lo: 46, Hi: 46}}}},
		},
		Policers: []filter.Policer{{Name: "sluice-r-0000000000000002", Rate: flowspec.Rate{Amount: 12500000, Unit: flowspec.Bytes}, Burst: 1250000}},
	}
}

var (
	nextHop = &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9")}
	mark    = uint8(8)
)

// refused is what a traffic policy cannot say.
var refused = map[string]dialecttest.Spoil{
	"entry r-0000000000000001: protocol: neither TCP nor UDP is left": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Proto = icmp },
	"protocol: 0 cannot be named in IPv4":                             dialecttest.Matching(filter.Match{Proto: packet.Values{{Lo: 0, Hi: 5}}}),
	"protocol: no number is left":                                     dialecttest.Matching(filter.Match{Proto: packet.Values{}}),
	"protocol: ICMP is not left for its type":                         dialecttest.Matching(filter.Match{Proto: udp, ICMPType: icmp}),
	"destination-port: no number is left":                             func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.DstPort = packet.Values{} },
	"source-port: no number is left":                                  func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.SrcPort = packet.Values{} },
	"port: it stands beside an ICMP field": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) {
		m.ICMPType = icmp
	},
	"port: a statement asks for source and destination port both": dialecttest.Matching(filter.Match{Port: dns}),
	"tcp-flags: initial, established and rst": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) {
		m.Flags = []filter.FlagTerm{{Set: 2, Clear: 0x10}}
	},
	"icmp-type: one statement names one type":                                       dialecttest.Matching(filter.Match{ICMPType: packet.Values{{Lo: 3, Hi: 4}}}),
	"icmp-type: one statement names one type, and a code stands beside a type only": dialecttest.Matching(filter.Match{ICMPCode: icmp}),
	"icmp-code: codes are listed":                                                   dialecttest.Matching(filter.Match{ICMPType: icmp, ICMPCode: packet.Values{{Lo: 0, Hi: 3}}}),
	"icmp-type, icmp-code: no number is left":                                       dialecttest.Matching(filter.Match{ICMPType: icmp, ICMPCode: packet.Values{}}),
	"fragment: a match tells offset zero from later fragments and nothing else":     dialecttest.Matching(filter.Match{Fragments: 0x22}),
	"fragment: a later fragment has no transport header":                            func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Fragments = later },
	"packet-length: no number is left":                                              func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Length = packet.Values{} },
	"packet-length: one match takes one number or range": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) {
		m.Length = packet.Values{{Lo: 1, Hi: 1}, {Lo: 9, Hi: 9}}
	},
	"dscp: no number is left":                                                               func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.DSCP = packet.Values{} },
	"dscp: one match takes one number":                                                      func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.DSCP = packet.Values{{Lo: 1, Hi: 2}} },
	"discard: a match that drops does not also limit":                                       func(_ *filter.Filter, _ *filter.Match, d *filter.Do) { d.Mark = &mark },
	"discard: a match that drops does not also limit, redi":                                 func(_ *filter.Filter, _ *filter.Match, d *filter.Do) { d.Redirect = nextHop },
	"continue: the first match that takes a packet decides":                                 dialecttest.Doing(filter.Do{Continue: true}),
	"sample: EosSdk knows such an action":                                                   dialecttest.Doing(filter.Do{Sample: true}),
	"redirect: a match names a VRF":                                                         dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2}}),
	"redirect: a match sends the packet itself":                                             dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: nextHop.Addr, Copy: true}}),
	"redirect: next hop 2001:db8::9 is not of the filter's IP version":                      dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::9")}}),
	"entry r-0000000000000001: policer sluice-r-0000000000000002: several entries share it": dialecttest.Doing(filter.Do{Policer: "sluice-r-0000000000000002"}),
	"entry r-0000000000000002: policer sluice-other: want the name sluice-r-0000000000000002": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Policers[0].Name, f.Entries[1].Do.Policer = "sluice-other", "sluice-other"
	},
	"entry r-0000000000000002: policer sluice-r-0000000000000002: later fragments are looked at apart": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Entries[1].Match.SrcPort = nil
	},
	"policer sluice-r-0000000000000002: rate 0.1: police takes a whole number": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Policers[0].Rate.Amount = 0.1
	},
	"police counts bits, not packets": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Policers[0].Rate.Unit = flowspec.Packets },
	"the name later-x is taken":       func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "later-x" },
	"the name rest is taken":          func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "rest" },
	"the name ipv4-all-default is":    func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "ipv4-all-default" },
	`name "r.1": want letters`:        func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r.1" },
	`counter: name "a b": want`:       func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "a b" },
	"want 1 to 64 characters": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Name = "sluice-" + strings.Repeat("x", 60) + "-v4"
	},
	"filter sluice-x: its name must end in -v4": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-x" },
	"two entries are named r-0000000000000002":  func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r-0000000000000002" },
	"filter sluice-v4: it cannot stand before another filter": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Placement, f.Policers = filter.Before, nil
		for i := range f.Entries {
			f.Entries[i].Do = filter.Do{Discard: true}
		}
	},
}

var refusedIPv6 = map[string]filter.Entry{
	"protocol: the chip's key holds the next header": {Match: filter.Match{Proto: udp}},
	"ports, flags and ICMP: a match of type ipv6":    {Match: filter.Match{SrcPort: dns}},
	"fragment: a match of type ipv6 has no such":     {Match: filter.Match{Fragments: packet.OffsetZero}},
	"packet-length: whether the 40 octets":           {Match: filter.Match{Length: dns}},
	"flow-label: a traffic policy has no such":       {Match: filter.Match{Label: dns}},
}
