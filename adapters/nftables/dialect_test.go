package nftables_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dialect nftables.Dialect

var suite = dialecttest.Suite{
	Dialect: dialect, Configured: configured, Profile: "linux-nftables",
	Match: match, Do: action, Policer: policer, Many: many,
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6, Hostile: hostile,
	Seeds:      listings,
	Judge:      "nft and the kernel, in integration/dataplane",
	Documented: map[string][]string{"2-syn-flood": {"text"}},
}

func TestDialect(t *testing.T) { dialecttest.Run(t, suite) }

func FuzzParse(f *testing.F) { dialecttest.Fuzz(f, suite) }

// configured draws a dialect that makes many sets, or few.
func configured(t *rapid.T) filter.Dialect {
	return nftables.Dialect{MostSets: rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "most sets")}
}

// many draws so many entries that maps lead to them, now and then.
func many(t *rapid.T, v packet.Version) (int, func(filter.Match) filter.Match) {
	if rapid.IntRange(0, 3).Draw(t, "many") > 0 {
		return 0, nil
	}
	return rapid.IntRange(20, 60).Draw(t, "many entries"), ordered(t, v)
}

// ordered returns what gives matches prefixes in the order of RFC 8955 now and then, so that maps lead to them.
func ordered(t *rapid.T, v packet.Version) func(filter.Match) filter.Match {
	n, inner := 0, 0
	step := rapid.IntRange(1, 3).Draw(t, "step")
	bySource := rapid.Bool().Draw(t, "by source")
	return func(m filter.Match) filter.Match {
		if rapid.IntRange(0, 30).Draw(t, "out of order") == 0 {
			return m
		}
		if inner++; !bySource || inner%step == 0 {
			n++
		}
		addr := [16]byte{0x20, 0x01, 0x0d, 0xb8, 14: byte(n / 2), 15: byte(n % 2 * 128)}
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(n / 2), byte(n % 2 * 128)}), 25+n%3%2*7)
		if v == packet.IPv6 {
			p = netip.PrefixFrom(netip.AddrFrom16(addr), 121+n%3%2*7)
		}
		if m.Dst = &p; bySource {
			m.Dst, m.Src = &[]netip.Prefix{netip.PrefixFrom(p.Addr(), p.Bits()-20).Masked()}[0], &p
		}
		return m
	}
}

func policer(t *rapid.T) filter.Policer {
	p := filter.Policer{Rate: flowspec.Rate{Amount: float32(rapid.Uint64Range(1, 1<<34).Draw(t, "rate")), Unit: flowspec.Bytes}}
	p.Burst = uint64(p.Rate.Amount) + rapid.Uint64Range(0, 1<<30).Draw(t, "burst")
	if rapid.Bool().Draw(t, "packets") {
		p.Rate = flowspec.Rate{Amount: float32(rapid.Uint64Range(1, 10_000_000).Draw(t, "packet rate")), Unit: flowspec.Packets}
		p.Burst = rapid.Uint64Range(1, 1<<32-1).Draw(t, "packet burst")
	}
	return p
}

// action draws what a rule can do in that placement.
func action(t *rapid.T, f filter.Filter, _ filter.Match) filter.Do {
	var do filter.Do
	if do.Discard = rapid.Bool().Draw(t, "discard"); do.Discard {
		return do
	}
	do.Continue = f.Placement == filter.Before || rapid.Bool().Draw(t, "continue")
	if rapid.Bool().Draw(t, "limit") {
		do.Policer = "one"
	}
	if do.Continue {
		return do
	}
	if rapid.Bool().Draw(t, "mark") {
		mark := rapid.Uint8Range(0, 63).Draw(t, "dscp")
		do.Mark = &mark
	}
	if f.Version == packet.IPv6 && rapid.Bool().Draw(t, "redirect") {
		do.Redirect = dialecttest.NextHop(f.Version)
		do.Redirect.Copy = rapid.Bool().Draw(t, "copy")
	}
	return do
}

// match draws what the language can say, guarded as a planner does it, without the things that doc.go lists.
func match(t *rapid.T, f filter.Filter) filter.Match {
	v := f.Version
	list := func(name string, top uint32) packet.Values { return dialecttest.MaybeList(t, name, 0, top) }
	m := filter.Match{Dst: dialecttest.Prefix(t, "dst", v), Src: dialecttest.Prefix(t, "src", v), DSCP: list("dscp", 63), Proto: list("proto", 255), Length: list("length", 65535)}
	m.Fragments = packet.Frags(rapid.Byte().Draw(t, "fragments"))
	if v == packet.IPv6 {
		m.Fragments &= 0x0f
		m.Label = list("label", 1<<20-1)
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		m.Proto, m.Port = nil, list("port", 65535)
		if rapid.Bool().Draw(t, "beside") {
			m.DstPort, m.SrcPort = list("dst-port", 65535), list("src-port", 65535)
			if m.Port != nil && len(m.Port.And(m.DstPort))+len(m.Port.And(m.SrcPort)) == 0 {
				m.Port = nil // nothing would be left to say
			}
		}
	case 1:
		m.Proto, m.DstPort, m.SrcPort = nil, list("dst-port", 65535), list("src-port", 65535)
	case 2:
		m.Proto, m.ICMPType, m.ICMPCode = nil, list("icmp-type", 255), list("icmp-code", 255)
	case 3:
		bits := rapid.SampledFrom([]uint16{1, 2, 0x12, 0x3f, 0xff, 0x100, 0xe02}).Draw(t, "bits")
		m.Proto, m.Flags = nil, []filter.FlagTerm{{Set: bits}, {Set: 0x20, Clear: bits & 0x1f}}[:rapid.IntRange(1, 2).Draw(t, "flag terms")]
		m.DstPort = list("dst-port", 65535)
	}
	if g := filter.Guard(m, v, dialect.Semantics()); g.Proto == nil || len(g.Proto) > 0 {
		return g
	}
	return filter.Match{Dst: m.Dst} // a port of a later fragment: nothing is left to say
}
