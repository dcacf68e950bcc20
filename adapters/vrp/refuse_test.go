package vrp_test

import (
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var (
	two  = packet.Values{{Lo: 53, Hi: 53}, {Lo: 123, Hi: 123}}
	mark = uint8(8)
	hop  = netip.MustParseAddr("192.0.2.9")
	zero = packet.OffsetZero
)

func flags(terms ...filter.FlagTerm) dialecttest.Spoil {
	return dialecttest.Matching(filter.Match{Proto: tcp, Flags: terms, Fragments: zero})
}

func rate(n float32) flowspec.Rate { return flowspec.Rate{Amount: n, Unit: flowspec.Bytes} }

func naming(name string) dialecttest.Spoil {
	return func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = name }
}

// refused is what a filter cannot say.
var refused = map[string]dialecttest.Spoil{
	"entry r-0000000000000001: port: the entry must ask for protocol 6 or 17":       dialecttest.Matching(filter.Match{SrcPort: one(53), Fragments: zero}),
	"port: a line asks for source and destination port both":                        dialecttest.Matching(filter.Match{Proto: udp, Port: one(53), Fragments: zero}),
	"tcp-flags: the entry must ask for protocol 6":                                  dialecttest.Matching(filter.Match{Proto: udp, Flags: []filter.FlagTerm{{Set: 2}}, Fragments: zero}),
	"icmp: the entry must ask for protocol 1":                                       dialecttest.Matching(filter.Match{Proto: udp, ICMPType: one(8), Fragments: zero}),
	"icmp-code: a code stands behind a type":                                        dialecttest.Matching(filter.Match{Proto: ping, ICMPCode: one(0), Fragments: zero}),
	"icmp-type: a line takes one number":                                            dialecttest.Matching(filter.Match{Proto: ping, ICMPType: span(1, 2), Fragments: zero}),
	"protocol: a line takes one number":                                             dialecttest.Matching(filter.Match{Proto: packet.Values{}}),
	"protocol: how a line names protocol 0 is not written down":                     dialecttest.Matching(filter.Match{Proto: one(0)}),
	"source-port: a line takes one number or one range":                             dialecttest.Matching(filter.Match{Proto: udp, SrcPort: two, Fragments: zero}),
	"destination-port: a line takes one number or one range":                        dialecttest.Matching(filter.Match{Proto: udp, DstPort: packet.Values{}, Fragments: zero}),
	"packet-length: a line takes one number or one range":                           dialecttest.Matching(filter.Match{Length: two}),
	"dscp: a line takes one number":                                                 dialecttest.Matching(filter.Match{DSCP: span(8, 9)}),
	"fragment: an entry with ports, flags or ICMP must ask for fragment offset 0":   dialecttest.Matching(filter.Match{Proto: udp, SrcPort: one(53)}),
	"fragment: no words of VRP say just this":                                       dialecttest.Matching(filter.Match{Fragments: 0x44}), // middle fragments
	"entry r-0000000000000001: fragment: no words":                                  dialecttest.Matching(filter.Match{Fragments: 0xf0}), // don't-fragment
	"tcp-flags: a line knows six flags":                                             flags(filter.FlagTerm{Set: 0x40}),
	"tcp-flags: a flag is asked to be set and clear":                                flags(filter.FlagTerm{Set: 2, Clear: 2}),
	"tcp-flags: a line has one value and one mask":                                  flags(filter.FlagTerm{Set: 3}, filter.FlagTerm{Set: 4}),
	"tcp-flags: a line has one value and one mask, so it cannot ask for one thing":  flags([]filter.FlagTerm{}...),
	"sample: a policy whose limits are shared":                                      dialecttest.Doing(filter.Do{Sample: true}),
	"continue: the first classifier that takes a packet decides":                    dialecttest.Doing(filter.Do{Continue: true}),
	"discard: deny is exclusive of other actions":                                   dialecttest.Doing(filter.Do{Discard: true, Mark: &mark}),
	"redirect: a behavior names a VPN instance":                                     dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2}}),
	"redirect: a behavior sends the packet itself to the next hop, not a copy":      dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: hop, Copy: true}}),
	"redirect: next hop 2001:db8::1 is not of the filter's IP version":              dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::1")}}),
	"policer sluice-p: car counts bits":                                             dialecttest.Limiting(filter.Policer{Rate: flowspec.Rate{Amount: 1000, Unit: flowspec.Packets}, Burst: 10}),
	"policer sluice-p: rate 1251: car takes whole kilobits/s":                       dialecttest.Limiting(filter.Policer{Rate: rate(1251), Burst: 15000}),
	"policer sluice-p: rate 60: car takes whole kilobits/s":                         dialecttest.Limiting(filter.Policer{Rate: rate(60), Burst: 15000}),
	"policer sluice-p: rate 6e+11: car takes whole kilobits/s":                      dialecttest.Limiting(filter.Policer{Rate: rate(6e11), Burst: 15000}),
	"policer sluice-p: burst 4294967296: cbs takes up to 4294967295 bytes":          dialecttest.Limiting(filter.Policer{Rate: rate(1250), Burst: 1 << 32}),
	"policer sluice-deny: its name is taken by another object of the policy":        dialecttest.Limiting(filter.Policer{Name: "sluice-deny", Rate: rate(1250), Burst: 15000}),
	"policer sluice-v6-16: its name is taken by another object of the policy":       dialecttest.Limiting(filter.Policer{Name: "sluice-v6-16", Rate: rate(1250), Burst: 15000}),
	"entry r-0000000000000004: policer sluice-r-0000000000000004: entries that sha": dialecttest.Doing(filter.Do{Policer: "sluice-r-0000000000000004"}),
	`name "r 1": want letters, digits and hyphens only`:                             naming("r 1"),
	`want up to 26 characters, and not -later at the end`:                           naming("a-later"),
	`name "abcdefghijklmnopqrstuvwxyza": want up to 26 characters`:                  naming("abcdefghijklmnopqrstuvwxyza"),
	`counter: "c", but a policy counts by rule`:                                     func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "c" },
	"it cannot stand before another filter": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Placement, f.Entries, f.Policers = filter.Before, f.Entries[:1], nil
	},
	"filter sluice-x: its name must end in -v4": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-x" },
	"want 1 to 64 characters": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Name = "sluice-" + strings.Repeat("x", 60) + "-v4"
	},
	"classifiers: there is no room for them": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { *f = checkered(2559) },
}

// checkered is a filter of n entries, each of another kind than the one before it.
func checkered(n int) filter.Filter {
	f := large(n)
	for i := range f.Entries {
		f.Entries[i].Do.Discard = i%2 == 0
	}
	return f
}

// refusedIPv6 is what an IPv6 filter cannot say.
var refusedIPv6 = map[string]filter.Entry{
	"protocol: a line looks at the first extension header only":             {Match: filter.Match{Proto: udp}},
	"ports, flags and ICMP: nothing keeps a line with them off later fragm": {Match: filter.Match{SrcPort: one(53)}},
	"packet-length: a line of IPv6 has no such condition":                   {Match: filter.Match{Length: one(100)}},
	"flow-label: a rule has no such condition":                              {Match: filter.Match{Label: one(1)}},
	"fragment: no words of VRP say just this":                               {Match: filter.Match{Fragments: 0x03}},
	"redirect: next hop 192.0.2.9 is not of the filter's IP version":        {Do: filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: hop}}},
}
