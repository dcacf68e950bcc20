package openconfig_test

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
			{Name: "r-0000000000000001", Match: filter.Match{Dst: &dst, Proto: tcp, Flags: []filter.FlagTerm{{Set: 2}}, Fragments: packet.OffsetZero}, Do: filter.Do{Discard: true}, Counter: "r-0000000000000001"},
			{Name: "r-0000000000000002", Match: filter.Match{Src: &dst, Proto: udp, SrcPort: dns, DSCP: packet.Values{{Lo: 1, Hi: 2}}, Length: dns, Fragments: packet.OffsetZero}},
			{Name: "r-0000000000000003", Match: filter.Match{Proto: icmp, ICMPType: packet.Values{{Lo: 8, Hi: 8}}, Fragments: packet.OffsetZero}},
		},
	}
}

var mark = uint8(8)

func flags(terms ...filter.FlagTerm) dialecttest.Spoil {
	return func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags = append([]filter.FlagTerm{}, terms...) }
}

// refused is what the model has no words for.
var refused = map[string]dialecttest.Spoil{
	"entry r-0000000000000001: tcp-flags: there is no identity for a flag that is not set": flags(filter.FlagTerm{Set: 2, Clear: 4}),
	"tcp-flags: one of the terms lets every packet through":                                flags(filter.FlagTerm{}),
	"tcp-flags: bits 0x0100; the model names eight":                                        flags(filter.FlagTerm{Set: 0x102}),
	"tcp-flags: any of several flags is one entry":                                         flags(filter.FlagTerm{Set: 3}, filter.FlagTerm{Set: 4}),
	"tcp-flags: no term is left":                                                           flags(),
	"protocol: the entry must ask for 6 beside tcp-flags":                                  func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Proto = nil },
	"protocol: the entry must ask for 6 or 17 beside ports":                                dialecttest.Matching(filter.Match{Proto: icmp, SrcPort: dns, Fragments: packet.OffsetZero}),
	"protocol: the entry must ask for 1 beside icmp-type":                                  dialecttest.Matching(filter.Match{ICMPType: dns, Fragments: packet.OffsetZero}),
	"fragment: an entry with ports, flags or ICMP must ask for fragment offset 0":          func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Fragments = 0 },
	"fragment: the model has the offset and neither of the flags":                          dialecttest.Matching(filter.Match{Fragments: 0x22}),
	"protocol: an entry takes one number":                                                  dialecttest.Matching(filter.Match{Proto: packet.Values{{Lo: 6, Hi: 6}, {Lo: 17, Hi: 17}}}),
	"protocol: no number is left":                                                          dialecttest.Matching(filter.Match{Proto: packet.Values{}}),
	"protocol: 255 cannot be named":                                                        dialecttest.Matching(filter.Match{Proto: packet.Values{{Lo: 255, Hi: 255}}}),
	"port: an entry asks for a source port and a destination port":                         dialecttest.Matching(filter.Match{Proto: udp, Port: dns, Fragments: packet.OffsetZero}),
	"source-port: an entry takes one number or range":                                      dialecttest.Matching(filter.Match{Proto: udp, SrcPort: packet.Values{{Lo: 1, Hi: 1}, {Lo: 9, Hi: 9}}, Fragments: packet.OffsetZero}),
	"destination-port: no number is left":                                                  dialecttest.Matching(filter.Match{Proto: udp, DstPort: packet.Values{}, Fragments: packet.OffsetZero}),
	"packet-length: an entry takes one number":                                             dialecttest.Matching(filter.Match{Length: packet.Values{{Lo: 40, Hi: 100}}}),
	"packet-length: no number is left":                                                     dialecttest.Matching(filter.Match{Length: packet.Values{}}),
	"dscp: no number is left":                                                              dialecttest.Matching(filter.Match{DSCP: packet.Values{}}),
	"icmp-type: 53 has no identity":                                                        dialecttest.Matching(filter.Match{Proto: icmp, ICMPType: dns, Fragments: packet.OffsetZero}),
	"icmp-type: an entry takes one number":                                                 dialecttest.Matching(filter.Match{Proto: icmp, ICMPType: packet.Values{{Lo: 0, Hi: 8}}, Fragments: packet.OffsetZero}),
	"icmp-code: a code is an identity":                                                     dialecttest.Matching(filter.Match{Proto: icmp, ICMPCode: dns, Fragments: packet.OffsetZero}),
	"redirect: the model accepts, drops or rejects":                                        dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9")}}),
	"mark: the model does not mark":                                                        dialecttest.Doing(filter.Do{Mark: &mark}),
	"sample: the model does not sample":                                                    dialecttest.Doing(filter.Do{Sample: true}),
	"continue: the first entry that matches decides":                                       dialecttest.Doing(filter.Do{Continue: true}),
	"filter sluice-v4: policer sluice-p: the model has no rates": func(f *filter.Filter, _ *filter.Match, d *filter.Do) {
		f.Policers = []filter.Policer{{Name: "sluice-p", Rate: flowspec.Rate{Amount: 1, Unit: flowspec.Bytes}, Burst: 1}}
		*d = filter.Do{Policer: "sluice-p"}
	},
	"the name accept-rest is taken":  func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "accept-rest" },
	`name "r 1": want letters`:       func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r 1" },
	`counter: name "a b": want`:      func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "a b" },
	"want 1 to 64 characters":        func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-" + strings.Repeat("x", 60) },
	"two entries are named r-000000": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r-0000000000000002" },
	"filter sluice-v4: it cannot stand before another filter": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Placement = filter.Before
		for i := range f.Entries {
			f.Entries[i].Do = filter.Do{Discard: true}
		}
	},
}

var refusedIPv6 = map[string]filter.Entry{
	"protocol: the model does not say whether it is":      {Match: filter.Match{Proto: udp}},
	"ports, flags and ICMP: IPv6 has no fragment-offsets": {Match: filter.Match{SrcPort: dns}},
	"fragment: IPv6 has no fragment-offsets":              {Match: filter.Match{Fragments: packet.OffsetZero}},
	"packet-length: 39 is less than the header":           {Match: filter.Match{Length: packet.Values{{Lo: 39, Hi: 39}}}},
	"flow-label: the model has one for each direction":    {Match: filter.Match{Label: dns}},
}
