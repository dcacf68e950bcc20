package vrp_test

import (
	"net/netip"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var (
	udp  = one(17)
	tcp  = one(6)
	ping = one(1)
)

func prefix(s string) *netip.Prefix {
	p := netip.MustParsePrefix(s)
	return &p
}

func one(n uint32) packet.Values { return packet.Values{{Lo: n, Hi: n}} }

func span(lo, hi uint32) packet.Values { return packet.Values{{Lo: lo, Hi: hi}} }

// busy is a filter with one of everything that the language can say.
func busy() filter.Filter {
	mark := uint8(46)
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Policers: []filter.Policer{
		{Name: "sluice-r-0000000000000004", Rate: flowspec.Rate{Amount: 1250000, Unit: flowspec.Bytes}, Burst: 150000},
	}}
	add := func(id, name string, m filter.Match, do filter.Do) {
		f.Entries = append(f.Entries, filter.Entry{Name: name, Rule: flowspec.ID(id), Match: m, Do: do, Counter: "r-" + id})
	}
	add("0000000000000001", "r-0000000000000001", filter.Match{Dst: prefix("203.0.113.9/32"), Src: prefix("198.51.100.0/24"), Proto: one(17), SrcPort: one(53), DstPort: span(1024, 65535), Fragments: packet.OffsetZero}, filter.Do{Discard: true})
	add("0000000000000002", "r-0000000000000002", filter.Match{Dst: prefix("203.0.113.9/32"), Proto: one(17), Fragments: packet.AnyFrags &^ packet.OffsetZero}, filter.Do{Discard: true})
	add("0000000000000003", "r-0000000000000003", filter.Match{Dst: prefix("203.0.113.10/32"), Fragments: 0xee}, filter.Do{Discard: true})
	add("0000000000000004", "r-0000000000000004", filter.Match{Dst: prefix("203.0.113.80/32"), Proto: one(6), DstPort: one(443), Flags: []filter.FlagTerm{{Set: 2, Clear: 16}}, Length: span(0, 99), Fragments: packet.OffsetZero}, filter.Do{Policer: "sluice-r-0000000000000004"})
	add("0000000000000004", "r-0000000000000004-2", filter.Match{Dst: prefix("203.0.113.80/32"), Proto: one(6), DstPort: span(8080, 8090), Flags: []filter.FlagTerm{{Set: 2, Clear: 16}}, Length: span(1000, 1500), Fragments: 0x11}, filter.Do{Policer: "sluice-r-0000000000000004"})
	add("0000000000000005", "r-0000000000000005", filter.Match{Dst: prefix("203.0.113.0/25"), Proto: one(1), ICMPType: one(3), ICMPCode: one(4), Fragments: packet.OffsetZero}, filter.Do{})
	add("0000000000000006", "r-0000000000000006", filter.Match{DSCP: one(8), Proto: one(47)}, filter.Do{Mark: &mark})
	add("0000000000000007", "r-0000000000000007", filter.Match{Src: prefix("198.51.100.7/32")}, filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9")}})
	f.Entries[7].Counter = ""
	return f
}
