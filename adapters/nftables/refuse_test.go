package nftables_test

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
			{Name: "r-0000000000000003", Match: filter.Match{Proto: icmp, ICMPType: packet.Values{{Lo: 8, Hi: 8}}, Fragments: packet.OffsetZero}},
		},
		Policers: []filter.Policer{{Name: "sluice-r-0000000000000002", Rate: flowspec.Rate{Amount: 12500000, Unit: flowspec.Bytes}, Burst: 12500000}},
	}
}

var (
	hop  = netip.MustParseAddr("192.0.2.9")
	hop6 = &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::9")}
	mark = uint8(46)
)

// refused is what a rule cannot say.
var refused = map[string]dialecttest.Spoil{
	"filter sluice-v4, entry r-0000000000000001: protocol: a rule with ports must ask for tcp": dialecttest.Matching(filter.Match{SrcPort: dns, Fragments: packet.OffsetZero}),
	"protocol: a rule with tcp-flags must ask for tcp":                                         func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Proto = udp },
	"protocol: a rule with icmp-type or icmp-code must ask for protocol 1":                     dialecttest.Matching(filter.Match{Proto: udp, ICMPCode: packet.Values{{}}, Fragments: packet.OffsetZero}),
	"fragment: a rule with ports, flags or ICMP must ask for fragment offset 0":                func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Fragments = 0 },
	"dscp: no number is left, the entry matches nothing":                                       func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.DSCP = packet.Values{} },
	"port: no number is left, the entry matches nothing":                                       dialecttest.Matching(filter.Match{Proto: udp, Fragments: packet.OffsetZero, Port: dns, SrcPort: packet.Values{{Lo: 1, Hi: 1}}, DstPort: packet.Values{{Lo: 1, Hi: 1}}}),
	"tcp-flags: no packet has a flag set and clear at once":                                    func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags[0] = filter.FlagTerm{Set: 2, Clear: 2} },
	"discard: a rule that drops ends there":                                                    func(_ *filter.Filter, _ *filter.Match, d *filter.Do) { d.Continue = true },
	"sample: nft has no sampling":                                                              func(_ *filter.Filter, _ *filter.Match, d *filter.Do) { d.Sample = true },
	"mark: later rules would read the new DSCP":                                                dialecttest.Doing(filter.Do{Mark: &mark, Continue: true}),
	"redirect: a rule sends packets to a next hop, and which routing table":                    dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2}}),
	"redirect: what nft sends to a next hop in IPv4 has the DF bit set":                        dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: hop, Copy: true}}),
	"redirect: next hop 2001:db8::9 is not of the filter's IP version":                         dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::9")}}),
	"policer sluice-r-0000000000000002: rate 0.1: a limit takes a whole number":                func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Policers[0].Rate.Amount = 0.1 },
	"burst 12499999: a limit of 12500000 bytes/s lets that many bytes through": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Policers[0].Burst = 12499999
	},
	"burst 4307467296: it is too large": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Policers[0].Burst = 12500000 + 1<<32 },
	"rate 2e+10: a limit takes no more than 18446744073": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Policers[0].Rate.Amount, f.Policers[0].Burst = 2e10, 2e10
	},
	"rate 1.0000001e+07: a limit takes no more than 10000000": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Policers[0].Rate = flowspec.Rate{Amount: 10000001, Unit: flowspec.Packets}
	},
	`name "accept": want a name that begins with r- or sluice-`: func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "accept" },
	`name "r-_1": want letters, digits and hyphens only`:        func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r-_1" },
	`counter: name "r-a b": want letters, digits`:               func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "r-a b" },
	"want 1 to 64 characters":                                   func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-" + strings.Repeat("x", 60) },
	"two entries are named r-0000000000000002":                  func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r-0000000000000002" },
}

var refusedIPv6 = map[string]filter.Entry{
	"fragment: a rule with ports, flags or ICMP must ask for fragment offset 0": {Match: filter.Match{Proto: udp, SrcPort: dns}},
	"protocol: a rule with icmp-type or icmp-code must ask for protocol 58":     {Match: filter.Match{Proto: icmp, ICMPType: packet.Values{{Lo: 128, Hi: 128}}}},
	"fragment: no state of IPv6 is left":                                        {Match: filter.Match{Fragments: 0xf0}},
	"redirect: it ends the evaluation":                                          {Do: filter.Do{Redirect: hop6, Continue: true}},
}
