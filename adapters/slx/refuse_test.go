package slx_test

import (
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var (
	udp = dialecttest.One(17)
	tcp = dialecttest.One(6)
	dns = dialecttest.One(53)
)

// busy is a filter with one of everything.
func busy() filter.Filter {
	net, host := netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.9/32")
	return filter.Filter{
		Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Entries: []filter.Entry{
			{Name: "r-0000000000000001", Match: filter.Match{Src: &net, Dst: &host, Proto: tcp}, Counter: "r-0000000000000001"},
			{Name: "r-0000000000000002", Match: filter.Match{Dst: &host}, Do: filter.Do{Discard: true}, Counter: "r-0000000000000002"},
			{Name: "r-0000000000000003", Match: filter.Match{Proto: dialecttest.One(47)}, Do: filter.Do{Discard: true}},
		},
	}
}

var mark = uint8(8)

// refused is what a list cannot say.
var refused = map[string]dialecttest.Spoil{
	"entry r-0000000000000001: port: a line has a source port and": dialecttest.Matching(filter.Match{Proto: udp, Port: dns}),
	"source-port: what a line with ports does to later fragments":  dialecttest.Matching(filter.Match{Proto: udp, SrcPort: dns}),
	"destination-port: what a line with ports does to later":       dialecttest.Matching(filter.Match{Proto: udp, DstPort: dns, Fragments: packet.OffsetZero}),
	"tcp-flags: what a line with flags says of the flags":          dialecttest.Matching(filter.Match{Proto: tcp, Flags: []filter.FlagTerm{{Set: 2}}}),
	"icmp-type: a line has no such condition":                      dialecttest.Matching(filter.Match{ICMPType: dns}),
	"icmp-code: a line has no such condition":                      dialecttest.Matching(filter.Match{ICMPCode: dns}),
	"packet-length: a line has no such condition":                  dialecttest.Matching(filter.Match{Length: dns}),
	"dscp: the command has no such condition":                      dialecttest.Matching(filter.Match{DSCP: dns}),
	"fragment: `fragment` and `non-fragment` do not say":           dialecttest.Matching(filter.Match{Fragments: 0xcc}),
	"protocol: no number is left, the entry matches nothing":       dialecttest.Matching(filter.Match{Proto: packet.Values{}}),
	"protocol: a line takes one number; write an entry":            dialecttest.Matching(filter.Match{Proto: tcp.Or(udp)}),
	"protocol: 0 may be taken for any protocol":                    dialecttest.Matching(filter.Match{Proto: dialecttest.One(0)}),
	"entry r-0000000000000001: policer: a list does not police":    dialecttest.Limiting(filter.Policer{Rate: flowspec.Rate{Amount: 1250, Unit: flowspec.Bytes}, Burst: 15000}),
	"filter sluice-v4: policer sluice-p: a list does not police":   dialecttest.Limiting(filter.Policer{Rate: flowspec.Rate{Amount: 1250, Unit: flowspec.Bytes}, Burst: 15000}),
	"mark: a list does not mark":                                   dialecttest.Doing(filter.Do{Mark: &mark}),
	"sample: copy-sflow hands packets to a collector":              dialecttest.Doing(filter.Do{Sample: true}),
	"continue: the first line that matches ends the evaluation":    dialecttest.Doing(filter.Do{Continue: true}),
	"redirect: a list sends packets nowhere":                       dialecttest.Doing(filter.Do{Redirect: dialecttest.NextHop(packet.IPv4)}),
	`counter: "mine", but SLX-OS counts by line`:                   func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "mine" },
	`name "r_1": want letters, digits and hyphens only`: func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Entries[0].Name, f.Entries[0].Counter = "r_1", ""
	},
	"want 1 to 63 characters":                  func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-" + strings.Repeat("x", 57) },
	"two entries are named r-0000000000000002": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r-0000000000000002" },
	"filter sluice-v4: it cannot stand before another filter": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
		f.Placement = filter.Before
		for i := range f.Entries {
			f.Entries[i].Do = filter.Do{Discard: true}
		}
	},
}

var refusedIPv6 = map[string]filter.Entry{
	"destination: the hardware does not look at":         {Match: filter.Match{Dst: &[]netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}[0]}},
	"protocol: whether it is the next header or":         {Match: filter.Match{Proto: udp}},
	"source-port: what a line with ports":                {Match: filter.Match{SrcPort: dns}},
	"flow-label: a line has no such condition":           {Match: filter.Match{Label: dns}},
	"fragment: `fragment` and `non-fragment` do not say": {Match: filter.Match{Fragments: packet.OffsetZero}},
}
