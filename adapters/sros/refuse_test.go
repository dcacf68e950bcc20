package sros_test

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
	ping = packet.Values{{Lo: 1, Hi: 1}}
	dns  = packet.Values{{Lo: 53, Hi: 53}}
)

// busy is a filter with one of everything.
func busy() filter.Filter {
	dst, mark := netip.MustParsePrefix("203.0.113.9/32"), uint8(46)
	return filter.Filter{
		Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Policers: []filter.Policer{{Name: "sluice-r-0000000000000002", Rate: flowspec.Rate{Amount: 1250000, Unit: flowspec.Bytes}, Burst: 15000}},
		Entries: []filter.Entry{
			{Name: "r-0000000000000001", Rule: "0000000000000001", Match: filter.Match{Dst: &dst, Proto: tcp, Flags: []filter.FlagTerm{{Set: 2, Clear: 0x10}}, Fragments: packet.OffsetZero}, Do: filter.Do{Discard: true}, Counter: "r-0000000000000001"},
			{Name: "r-0000000000000002", Rule: "0000000000000002", Match: filter.Match{Src: &dst, Proto: udp, SrcPort: dns, Length: packet.Values{{Lo: 400, Hi: 1500}}, Fragments: packet.OffsetZero}, Do: filter.Do{Policer: "sluice-r-0000000000000002"}},
			{Name: "r-0000000000000003", Rule: "0000000000000003", Match: filter.Match{Proto: ping, ICMPType: packet.Values{{}}, Fragments: packet.OffsetZero}, Do: filter.Do{Mark: &mark}},
			{Name: "r-0000000000000004", Rule: "0000000000000004", Match: filter.Match{Proto: udp, Port: packet.Values{{Lo: 1024, Hi: 65535}}, Fragments: packet.OffsetZero}, Do: filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9")}}},
			{Name: "r-0000000000000005", Rule: "0000000000000005", Match: filter.Match{Fragments: 0xcc}, Do: filter.Do{Discard: true}},
		},
	}
}

var (
	two  = packet.Values{{Lo: 53, Hi: 53}, {Lo: 123, Hi: 123}}
	mark = uint8(8)
	hop  = netip.MustParseAddr("192.0.2.9")
	zero = packet.OffsetZero
)

func flags(terms ...filter.FlagTerm) dialecttest.Spoil {
	return func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags = terms }
}

func rate(n float32) flowspec.Rate { return flowspec.Rate{Amount: n, Unit: flowspec.Bytes} }

// refused is what a filter cannot say.
var refused = map[string]dialecttest.Spoil{
	"entry r-0000000000000001: protocol: an entry with ports must name tcp or udp":   dialecttest.Matching(filter.Match{SrcPort: dns, Fragments: zero}),
	"protocol: an entry with TCP flags must name tcp":                                func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Proto = udp },
	"protocol: an entry with ICMP fields must name icmp":                             dialecttest.Matching(filter.Match{Proto: udp, ICMPType: dns, Fragments: zero}),
	"icmp-type: an entry takes one number, and no range":                             dialecttest.Matching(filter.Match{Proto: ping, ICMPType: packet.Values{{Lo: 1, Hi: 2}}, Fragments: zero}),
	"icmp-code: an entry takes one number, and no range":                             dialecttest.Matching(filter.Match{Proto: ping, ICMPCode: packet.Values{{Lo: 1, Hi: 2}}, Fragments: zero}),
	"protocol: an entry takes one number, and no range":                              dialecttest.Matching(filter.Match{Proto: packet.Values{{Lo: 1, Hi: 2}}}),
	"protocol: an entry takes one number or one range, not 2 of them":                dialecttest.Matching(filter.Match{Proto: two}),
	"source-port: an entry takes one number or one range, not 2 of them":             dialecttest.Matching(filter.Match{Proto: udp, SrcPort: two, Fragments: zero}),
	"destination-port: no number is left, the entry matches nothing":                 dialecttest.Matching(filter.Match{Proto: udp, DstPort: packet.Values{}, Fragments: zero}),
	"packet-length: an entry takes one number or one range":                          dialecttest.Matching(filter.Match{Length: two}),
	"dscp: a filter of type packet-length has no such condition in IPv4":             dialecttest.Matching(filter.Match{DSCP: dns}),
	"port: an entry has port, or source-port and destination-port, not both":         dialecttest.Matching(filter.Match{Proto: udp, Port: dns, DstPort: dns, Fragments: zero}),
	"fragment: an entry with ports, flags or ICMP must ask for fragment offset 0":    func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Fragments = 0 },
	"fragment: no words of SR OS say just this":                                      dialecttest.Matching(filter.Match{Fragments: 0x44}), // middle fragments
	"entry r-0000000000000001: fragment: no words":                                   dialecttest.Matching(filter.Match{Fragments: 0xf0}), // don't-fragment
	"tcp-flags: bits 0x200; SR OS names the nine bits 0x1ff":                         flags(filter.FlagTerm{Set: 0x200}),
	"tcp-flags: no packet has a flag set and clear at once":                          flags(filter.FlagTerm{Set: 2, Clear: 2}),
	"tcp-flags: an entry takes one term, not 2 of them":                              flags(filter.FlagTerm{Set: 3}, filter.FlagTerm{Set: 4}),
	"tcp-flags: an entry takes one term, not 0 of them":                              flags([]filter.FlagTerm{}...),
	"sample: filter-sample depends on how cflowd":                                    dialecttest.Doing(filter.Do{Sample: true}),
	"continue: an entry that matches ends the evaluation":                            dialecttest.Doing(filter.Do{Continue: true}),
	"discards, limits, redirects or marks at once, two of these together":            dialecttest.Doing(filter.Do{Discard: true, Mark: &mark}),
	"entry r-0000000000000001: action: that an entry discards, limits, redirects":    dialecttest.Doing(filter.Do{Policer: "sluice-r-0000000000000002", Mark: &mark}),
	"redirect: an entry names a router instance or a service":                        dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2}}),
	"redirect: an entry sends the packet itself to the next hop, not a copy":         dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: hop, Copy: true}}),
	"redirect: next hop 2001:db8::1 is not of the filter's IP version":               dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::1")}}),
	"policer sluice-p: it counts packets, and such a policer of SR OS has no burst":  dialecttest.Limiting(filter.Policer{Rate: flowspec.Rate{Amount: 1000, Unit: flowspec.Packets}, Burst: 10}),
	"policer sluice-p: rate 1251: pir takes whole kilobits/s":                        dialecttest.Limiting(filter.Policer{Rate: rate(1251), Burst: 15000}),
	"policer sluice-p: rate 60: pir takes whole kilobits/s":                          dialecttest.Limiting(filter.Policer{Rate: rate(60), Burst: 15000}),
	"policer sluice-p: rate 3e+11: pir takes whole kilobits/s, 125 bytes/s each, of": dialecttest.Limiting(filter.Policer{Rate: rate(3e11), Burst: 15000}),
	"policer sluice-p: burst 268435457: mbs takes up to 268435456 bytes":             dialecttest.Limiting(filter.Policer{Rate: rate(1250), Burst: 1<<28 + 1}),
	"its name has more than 32 characters":                                           dialecttest.Limiting(filter.Policer{Name: "sluice-" + strings.Repeat("x", 26), Rate: rate(1250), Burst: 1}),
	`name "sluice-a_b": want letters, digits and hyphens only`:                       dialecttest.Limiting(filter.Policer{Name: "sluice-a_b", Rate: rate(1250), Burst: 1}),
	`name "r_1": want letters, digits and hyphens only`: func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Entries[0].Name, f.Entries[0].Counter = "r_1", ""
	},
	`counter: "mine", but SR OS counts by entry, and those of r-0000000000000001`: func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "mine" },
	"want 1 to 64 characters":                  func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-" + strings.Repeat("x", 60) },
	"two entries are named r-0000000000000002": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r-0000000000000002" },
}

var refusedIPv6 = map[string]filter.Entry{
	"flow-label: a filter of type packet-length has no such condition":        {Match: filter.Match{Label: dns}},
	"protocol: an entry with ICMP fields must name ipv6-icmp":                 {Match: filter.Match{Proto: ping, ICMPType: dns, Fragments: packet.OffsetZero}},
	"dscp: an entry takes one number, and no range":                           {Match: filter.Match{DSCP: packet.Values{{Lo: 1, Hi: 2}}}},
	"fragment: no words of SR OS say just this":                               {Match: filter.Match{Fragments: 0x03}}, // an atomic fragment has a fragment header
	"entry r-1: fragment: no words of SR OS say just this":                    {Match: filter.Match{Fragments: 0x02}},
	"fragment: no state is left, the entry matches nothing":                   {Match: filter.Match{Fragments: 0x10}},
	"fragment: its conditions on ports, flags or ICMP hold for zero, so they": {Match: filter.Match{Proto: udp, SrcPort: packet.Values{{Lo: 0, Hi: 1023}}, Fragments: 0x03}},
	"fragment: an entry with ports, flags or ICMP must ask for":               {Match: filter.Match{Proto: udp, SrcPort: dns}},
	"packet-length: 20-1500: lengths of IPv6 packets begin at 40":             {Match: filter.Match{Length: packet.Values{{Lo: 20, Hi: 1500}}}},
	"packet-length: 40-65535: lengths of IPv6 packets begin at 40":            {Match: filter.Match{Length: packet.Values{{Lo: 40, Hi: 65535}}}},
	"packet-length: 65535 stands for itself and all that is longer":           {Match: filter.Match{Length: packet.Values{{Lo: 65535, Hi: 65535}}}},
}

func prefixOf(s string) *netip.Prefix {
	p := netip.MustParsePrefix(s)
	return &p
}
