package eosacl_test

import (
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var (
	tcp, udp, ping = dialecttest.One(6), dialecttest.One(17), dialecttest.One(1)
	dns            = dialecttest.One(53)
	two            = packet.Values{{Lo: 1, Hi: 1}, {Lo: 3, Hi: 3}}
	zero           = packet.OffsetZero
	mark           = uint8(8)
)

func prefixOf(s string) *netip.Prefix {
	p := netip.MustParsePrefix(s)
	return &p
}

// busy has one of everything that the language can say.
func busy() filter.Filter {
	entry := func(n string, m filter.Match, do filter.Do) filter.Entry {
		name := "r-000000000000000" + n
		return filter.Entry{Name: name, Rule: flowspec.ID(name[2:18]), Counter: name[:18], Match: m, Do: do}
	}
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{
		entry("1", filter.Match{Src: prefixOf("198.51.100.0/24"), Dst: prefixOf("203.0.113.80/32"), Proto: tcp, SrcPort: packet.Values{{Lo: 1024, Hi: 65535}}, DstPort: dialecttest.One(443), Fragments: zero}, filter.Do{}),
		entry("2", filter.Match{Proto: udp, SrcPort: packet.Values{{Lo: 0, Hi: 1023}}, DstPort: packet.Values{{Lo: 5353, Hi: 5355}}, Fragments: zero}, filter.Do{Discard: true}),
		entry("2-2", filter.Match{Proto: ping, ICMPType: dialecttest.One(3), ICMPCode: dialecttest.One(4), Fragments: zero}, filter.Do{Discard: true}),
		entry("3", filter.Match{Dst: prefixOf("203.0.113.9/32"), Proto: dialecttest.One(47), DSCP: dialecttest.One(46)}, filter.Do{Discard: true}),
		entry("4", filter.Match{Dst: prefixOf("203.0.113.10/32"), Fragments: packet.AnyFrags &^ zero}, filter.Do{Discard: true}),
	}}
	f.Entries[4].Counter = ""
	return f
}

// refused says what Render refuses in a filter of IPv4, by words of the error.
var refused = map[string]dialecttest.Spoil{
	"protocol: a line with ports begins with tcp or udp":                          dialecttest.Matching(filter.Match{SrcPort: dns, Fragments: zero}),
	"protocol: a line with an ICMP type begins with icmp":                         dialecttest.Matching(filter.Match{Proto: udp, ICMPType: dns, Fragments: zero}),
	"icmp-code: a line takes a code only behind a type":                           dialecttest.Matching(filter.Match{Proto: ping, ICMPCode: packet.Values{{}}, Fragments: zero}),
	"icmp-type: a line takes one number, and no range":                            dialecttest.Matching(filter.Match{Proto: ping, ICMPType: packet.Values{{Lo: 1, Hi: 2}}, Fragments: zero}),
	"icmp-code: a line takes one number or one range, not 2":                      dialecttest.Matching(filter.Match{Proto: ping, ICMPType: dns, ICMPCode: two, Fragments: zero}),
	"protocol: a line takes one number, and no range":                             dialecttest.Matching(filter.Match{Proto: packet.Values{{Lo: 1, Hi: 2}}}),
	"protocol: a line takes one number or one range, not 2 of them":               dialecttest.Matching(filter.Match{Proto: two}),
	"protocol: whether a line takes 0 for a protocol, or for any":                 dialecttest.Matching(filter.Match{Proto: packet.Values{{}}}),
	"source-port: a line takes one number or one range, not 2 of them":            dialecttest.Matching(filter.Match{Proto: udp, SrcPort: two, Fragments: zero}),
	"destination-port: no number is left, the entry matches nothing":              dialecttest.Matching(filter.Match{Proto: udp, DstPort: packet.Values{}, Fragments: zero}),
	"dscp: a line takes one number, and no range":                                 dialecttest.Matching(filter.Match{DSCP: packet.Values{{Lo: 1, Hi: 2}}}),
	"port: a line has a source port and a destination port":                       dialecttest.Matching(filter.Match{Proto: udp, Port: dns, Fragments: zero}),
	"packet-length: Arista says that access lists have such a condition":          dialecttest.Matching(filter.Match{Length: dns}),
	"tcp-flags: lines name flags without a sign":                                  dialecttest.Matching(filter.Match{Proto: tcp, Flags: []filter.FlagTerm{{Set: 2}}, Fragments: zero}),
	"fragment: an entry with ports, flags or ICMP must ask for fragment offset 0": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Fragments = 0 },
	"fragment: no condition of EOS says just this":                                dialecttest.Matching(filter.Match{Fragments: 0x22}), // first fragments
	"policer: an access list does not police":                                     dialecttest.Limiting(filter.Policer{Rate: flowspec.Rate{Amount: 1250, Unit: flowspec.Bytes}, Burst: 15000}),
	"mark: an access list sets no DSCP":                                           dialecttest.Doing(filter.Do{Mark: &mark}),
	"redirect: an access list permits or denies":                                  dialecttest.Doing(filter.Do{Redirect: dialecttest.NextHop(packet.IPv4)}),
	"sample: a line samples nothing":                                              dialecttest.Doing(filter.Do{Sample: true}),
	"continue: the first line that matches ends the evaluation":                   dialecttest.Doing(filter.Do{Continue: true}),
	`counter: "mine", but EOS counts by line`:                                     func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "mine" },
	`name "r.1": want letters, digits`:                                            func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r.1" },
	"want 1 to 64 characters":                                                     func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-" + strings.Repeat("x", 60) },
}

var refusedIPv6 = map[string]filter.Entry{
	"flow-label: no source has such a condition":                                {Match: filter.Match{Label: dns}},
	"protocol: whether the protocol of an IPv6 line is the one behind":          {Match: filter.Match{Proto: udp}},
	"fragment: no condition of EOS says just this":                              {Match: filter.Match{Fragments: 0x0c}},
	"dscp: no source has it in an IPv6 line":                                    {Match: filter.Match{DSCP: dns}},
	"nor is there a condition that keeps ports off later fragments":             {Match: filter.Match{Proto: udp, SrcPort: dns, Fragments: 0x03}},
	"packet-length: Arista says that access lists have such a condition, but n": {Match: filter.Match{Length: dns}},
}
