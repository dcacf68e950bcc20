package iosxepolicy_test

import (
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dns = dialecttest.One(53)

func limiting(amount float32, unit flowspec.Unit, burst uint64) dialecttest.Spoil {
	return dialecttest.Limiting(filter.Policer{Name: "sluice-r-0000000000000001", Rate: flowspec.Rate{Amount: amount, Unit: unit}, Burst: burst})
}

// refused is what Render says of what the language cannot say.
var refused = map[string]dialecttest.Spoil{
	"entry r-0000000000000001: port: a list that permits them takes later fragments along": dialecttest.Matching(filter.Match{Proto: udp, DstPort: dns, Fragments: packet.OffsetZero}),
	"tcp-flags: a list that permits them":                                                  dialecttest.Matching(filter.Match{Proto: dialecttest.One(6), Flags: []filter.FlagTerm{{Set: 2}}, Fragments: packet.OffsetZero}),
	"icmp-type: a list that permits them":                                                  dialecttest.Matching(filter.Match{Proto: dialecttest.One(1), ICMPType: dialecttest.One(8), Fragments: packet.OffsetZero}),
	"fragment: that the list of a class":                                                   dialecttest.Matching(filter.Match{Fragments: 0xcc}),
	"packet-length: whether a packet":                                                      dialecttest.Matching(filter.Match{Length: packet.Values{{Lo: 100, Hi: 200}}}),
	"dscp: a class compares one":                                                           dialecttest.Matching(filter.Match{DSCP: packet.Values{{Lo: 0, Hi: 8}}}),
	"dscp: no number is left":                                                              dialecttest.Matching(filter.Match{DSCP: packet.Values{}}),
	"protocol: no number is left":                                                          dialecttest.Matching(filter.Match{Proto: packet.Values{}}),
	"protocol: whether a line takes 0":                                                     dialecttest.Matching(filter.Match{Proto: packet.Values{{Lo: 0, Hi: 1}}}),
	"redirect: a policy does not redirect":                                                 dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9")}}),
	"sample: a class samples nothing":                                                      dialecttest.Doing(filter.Do{Sample: true}),
	"continue: the first class":                                                            dialecttest.Doing(filter.Do{Continue: true}),
	"discard: drop is the only action":                                                     dialecttest.Doing(filter.Do{Discard: true, Mark: new(uint8)}),
	"policer sluice-p: want the name sluice-r-0000000000000001":                            dialecttest.Limiting(filter.Policer{Rate: flowspec.Rate{Amount: 1250, Unit: flowspec.Bytes}, Burst: 15000}),
	"several entries share it":                                                             func(f *filter.Filter, _ *filter.Match, do *filter.Do) { do.Policer = f.Policers[0].Name },
	"rates in packets":                                                                     limiting(1250, flowspec.Packets, 15000),
	"rate 999":                                                                             limiting(999, flowspec.Bytes, 15000),
	"rate 1000.03":                                                                         limiting(1000.03, flowspec.Bytes, 15000),
	"rate 1.25e+11":                                                                        limiting(125e9, flowspec.Bytes, 15000),
	"burst 999":                                                                            limiting(1000, flowspec.Bytes, 999),
	"burst 512000001":                                                                      limiting(1000, flowspec.Bytes, 512000001),
	`counter: "mine", but IOS XE counts by class`:                                          func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "mine" },
	`name "r_1": want letters, digits and hyphens only`: func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Entries[0].Name, f.Entries[0].Counter = "r_1", ""
	},
	`name "sluice-a b": want`: func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-a b" },
	"want 1 to 64 characters": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-" + strings.Repeat("a", 50) },
	"it cannot stand before another filter": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Placement, f.Policers = filter.Before, nil
		for i := range f.Entries {
			f.Entries[i].Do = filter.Do{Discard: true}
		}
	},
}

var refusedIPv6 = map[string]filter.Entry{
	"IPv6: access lists of IPv6 permit neighbour discovery by themselves": {Match: filter.Match{Proto: udp}},
}
