package iosxe_test

import (
	"net/netip"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var two = packet.Values{{Lo: 53, Hi: 53}, {Lo: 123, Hi: 123}}

// refused is what Render says of what the language cannot say.
var refused = map[string]dialecttest.Spoil{
	"entry r-0000000000000001: protocol: a line with ports begins with tcp or udp":           dialecttest.Matching(filter.Match{SrcPort: dns, Fragments: packet.OffsetZero}),
	"protocol: a line with TCP flags begins with tcp":                                        func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Proto = udp },
	"protocol: a line with an ICMP type begins with icmp":                                    dialecttest.Matching(filter.Match{Proto: udp, ICMPType: dns, Fragments: packet.OffsetZero}),
	"protocol: a line takes one number, and no range":                                        dialecttest.Matching(filter.Match{Proto: packet.Values{{Lo: 1, Hi: 2}}}),
	"protocol: a line takes one number or one range, not 2 of them":                          dialecttest.Matching(filter.Match{Proto: two}),
	"protocol: whether a line takes 0 for a protocol, or for any, is not written down":       dialecttest.Matching(filter.Match{Proto: dialecttest.One(0)}),
	"icmp-code: a line takes a code only behind a type":                                      dialecttest.Matching(filter.Match{Proto: ping, ICMPCode: packet.Values{{}}, Fragments: packet.OffsetZero}),
	"icmp-type: a line takes one number, and no range":                                       dialecttest.Matching(filter.Match{Proto: ping, ICMPType: packet.Values{{Lo: 1, Hi: 2}}, Fragments: packet.OffsetZero}),
	"source-port: a line takes one range, or up to 10 single ports; write an entry for each": dialecttest.Matching(filter.Match{Proto: udp, SrcPort: packet.Values{{Lo: 1, Hi: 2}, {Lo: 5, Hi: 5}}, Fragments: packet.OffsetZero}),
	"destination-port: no number is left, the entry matches nothing":                         dialecttest.Matching(filter.Match{Proto: udp, DstPort: packet.Values{}, Fragments: packet.OffsetZero}),
	"port: a line has a source port and a destination port":                                  dialecttest.Matching(filter.Match{Proto: udp, Port: dns, Fragments: packet.OffsetZero}),
	"packet-length: an access list has no such condition":                                    dialecttest.Matching(filter.Match{Length: dns}),
	"dscp: a line takes one number, and no range":                                            dialecttest.Matching(filter.Match{DSCP: packet.Values{{Lo: 1, Hi: 2}}}),
	"dscp: no number is left, the entry matches nothing":                                     dialecttest.Matching(filter.Match{DSCP: packet.Values{}}),
	"tcp-flags: bits 0x0040; a line names the six bits":                                      dialecttest.Matching(filter.Match{Proto: tcp, Flags: []filter.FlagTerm{{Set: 0x40}}, Fragments: packet.OffsetZero}),
	"tcp-flags: one of the terms lets every packet through":                                  dialecttest.Matching(filter.Match{Proto: tcp, Flags: []filter.FlagTerm{{}}, Fragments: packet.OffsetZero}),
	"tcp-flags: no packet has a flag set and clear at once":                                  dialecttest.Matching(filter.Match{Proto: tcp, Flags: []filter.FlagTerm{{Set: 2, Clear: 2}}, Fragments: packet.OffsetZero}),
	"tcp-flags: a line takes one term of several flags or several terms of one flag":         dialecttest.Matching(filter.Match{Proto: tcp, Flags: []filter.FlagTerm{{Set: 3}, {Set: 4}}, Fragments: packet.OffsetZero}),
	"fragment: an entry with ports, flags or ICMP must ask for fragment offset 0":            dialecttest.Matching(filter.Match{Proto: udp, SrcPort: dns}),
	"fragment: no condition of IOS XE says just this":                                        dialecttest.Matching(filter.Match{Fragments: 0x88}),
	"policer: an access list does not police":                                                dialecttest.Limiting(filter.Policer{Rate: flowspec.Rate{Amount: 1250, Unit: flowspec.Bytes}, Burst: 15000}),
	"mark: an access list sets no DSCP":                                                      dialecttest.Doing(filter.Do{Mark: new(uint8)}),
	"redirect: an access list permits or denies":                                             dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9")}}),
	"sample: a line samples nothing":                                                         dialecttest.Doing(filter.Do{Sample: true}),
	"continue: the first line that matches ends the evaluation":                              dialecttest.Doing(filter.Do{Continue: true}),
	`counter: "mine", but IOS XE counts by line, and those of r-0000000000000001`:            func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "mine" },
	`name "r_1": want letters, digits and hyphens only`: func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Entries[0].Name, f.Entries[0].Counter = "r_1", ""
	},
	`name "sluice-a b": want`: func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-a b" },
	"it cannot stand before another filter": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Placement = filter.Before
		for i := range f.Entries {
			f.Entries[i].Do = filter.Do{Discard: true}
		}
	},
}

var refusedIPv6 = map[string]filter.Entry{
	"tcp-flags: an IPv6 access list has neither match-all nor match-any":          {Match: filter.Match{Proto: tcp, Flags: []filter.FlagTerm{{Set: 2}}, Fragments: 0x03}},
	"source-port: a line takes one number or one range, not 2 of them":            {Match: filter.Match{Proto: udp, SrcPort: two, Fragments: 0x03}},
	"protocol: 51 is an extension header in IPv6":                                 {Match: filter.Match{Proto: dialecttest.One(51)}},
	"protocol: 60 is an extension header in IPv6":                                 {Match: filter.Match{Proto: dialecttest.One(60), Fragments: 0x0c}},
	"flow-label: a line takes one number, and no range":                           {Match: filter.Match{Label: packet.Values{{Lo: 1, Hi: 2}}}},
	"packet-length: an access list has no such condition":                         {Match: filter.Match{Length: dns}},
	"fragment: no condition of IOS XE says just this; write its states":           {Match: filter.Match{Fragments: 0x08}},
	"fragment: an entry with ports, flags or ICMP must ask for fragment offset 0": {Match: filter.Match{Proto: udp, SrcPort: dns}},
}
