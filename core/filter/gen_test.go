package filter_test

import (
	"net/netip"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// versions draws an IP version.
var versions = rapid.SampledFrom([]packet.Version{packet.IPv4, packet.IPv6})

// semantics draws a platform.
var semantics = rapid.Custom(func(t *rapid.T) filter.Semantics {
	b := rapid.Bool()
	return filter.Semantics{
		PortsCheckProtocol: b.Draw(t, "ports"), TransportChecksOffset: b.Draw(t, "offset"),
		FlagsCheckProtocol: b.Draw(t, "flags"), ICMPChecksProtocol: b.Draw(t, "icmp"), TailDiscards: b.Draw(t, "tail"),
	}
})

// values draws a list of numbers up to top: none at all, empty, a few.
func values(top uint32) *rapid.Generator[packet.Values] {
	return rapid.Custom(func(t *rapid.T) packet.Values {
		if rapid.Bool().Draw(t, "no condition") {
			return nil
		}
		vs := packet.Values{}
		for range rapid.IntRange(0, 3).Draw(t, "spans") {
			lo := rapid.Uint32Range(0, top).Draw(t, "lo")
			vs = vs.Or(packet.NewValues(packet.Span{Lo: lo, Hi: rapid.Uint32Range(lo, top).Draw(t, "hi")}))
		}
		return vs
	})
}

// prefix draws a prefix of version v, or none.
func prefix(v packet.Version) *rapid.Generator[*netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) *netip.Prefix {
		if rapid.Bool().Draw(t, "no prefix") {
			return nil
		}
		a := netip.AddrFrom4([4]byte{203, 0, 113, byte(rapid.IntRange(0, 255).Draw(t, "octet"))})
		if v == packet.IPv6 {
			a = netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: byte(rapid.IntRange(0, 255).Draw(t, "octet"))})
		}
		p := netip.PrefixFrom(a, rapid.IntRange(0, a.BitLen()).Draw(t, "length")).Masked()
		return &p
	})
}

// match draws conditions of every kind, those that can match nothing included.
func match(v packet.Version) *rapid.Generator[filter.Match] {
	return rapid.Custom(func(t *rapid.T) filter.Match {
		m := filter.Match{
			Dst: prefix(v).Draw(t, "dst"), Src: prefix(v).Draw(t, "src"),
			Proto: rapid.SampledFrom([]packet.Values{nil, nil, {}, {{Lo: 6, Hi: 6}}, {{Lo: 0, Hi: 16}}, {{Lo: 17, Hi: 17}}, {{Lo: 1, Hi: 1}}, {{Lo: 58, Hi: 58}}}).Draw(t, "proto"),
			Port:  values(65535).Draw(t, "port"), DstPort: values(65535).Draw(t, "dst-port"), SrcPort: values(65535).Draw(t, "src-port"),
			ICMPType: values(255).Draw(t, "icmp-type"), ICMPCode: values(255).Draw(t, "icmp-code"),
			Length: values(65535).Draw(t, "length"), DSCP: values(63).Draw(t, "dscp"),
			Fragments: packet.Frags(rapid.Byte().Draw(t, "fragments")),
		}
		if v == packet.IPv6 {
			m.Label = values(1<<20-1).Draw(t, "label")
			m.Fragments &= 0x0f
		}
		m.Flags = rapid.SampledFrom([][]filter.FlagTerm{nil, nil, {}, {{Set: 2}}, {{Set: 2, Clear: 0x10}}, {{Set: 1}, {Clear: 0xfff}}, {{}}, {{Set: 4, Clear: 4}}}).Draw(t, "flags")
		return m
	})
}

// header draws a packet, fields that it would not have included.
func header(v packet.Version) *rapid.Generator[packet.Header] {
	return rapid.Custom(func(t *rapid.T) packet.Header {
		addr := func(name string) netip.Addr {
			o := byte(rapid.IntRange(0, 255).Draw(t, name))
			if v == packet.IPv6 {
				return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: o})
			}
			return netip.AddrFrom4([4]byte{203, 0, 113, o})
		}
		h := packet.Header{
			Src: addr("src"), Dst: addr("dst"),
			Proto:   rapid.SampledFrom([]uint8{1, 6, 17, 58, 50}).Draw(t, "proto"),
			SrcPort: rapid.Uint16().Draw(t, "sport"), DstPort: rapid.Uint16().Draw(t, "dport"),
			ICMPType: rapid.Uint8().Draw(t, "type"), ICMPCode: rapid.Uint8().Draw(t, "code"),
			Flags:  rapid.SampledFrom([]uint16{0, 1, 2, 0x12, 0x10, 4, 0xfff}).Draw(t, "flags"),
			Length: rapid.Uint16().Draw(t, "length"), DSCP: rapid.Uint8Range(0, 63).Draw(t, "dscp"),
			Fragment: packet.Fragment(rapid.IntRange(0, 3).Draw(t, "fragment")),
		}
		if v == packet.IPv6 {
			h.Label = rapid.Uint32Range(0, 1<<20-1).Draw(t, "label")
		} else {
			h.DF = rapid.Bool().Draw(t, "df")
		}
		return h
	})
}

// filters draws a filter that Check accepts.
func filters() *rapid.Generator[filter.Filter] {
	return rapid.Custom(func(t *rapid.T) filter.Filter {
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{}}
		if rapid.Bool().Draw(t, "ipv6") {
			f.Name, f.Version = "sluice-v6", packet.IPv6
		}
		if rapid.Bool().Draw(t, "before") {
			f.Placement = filter.Before
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "entries") {
			name := "r-" + string(rune('a'+i))
			e := filter.Entry{Name: name, Rule: flowspec.ID(name), Counter: name, Match: match(f.Version).Draw(t, "match")}
			e.Do.Discard = rapid.Bool().Draw(t, "discard")
			e.Do.Continue = f.Placement == filter.Before && !e.Do.Discard || rapid.Bool().Draw(t, "continue")
			e.Do.Sample = rapid.Bool().Draw(t, "sample")
			if rapid.Bool().Draw(t, "marks") {
				mark := rapid.Uint8Range(0, 63).Draw(t, "mark")
				e.Do.Mark = &mark
			}
			if rapid.Bool().Draw(t, "redirects") {
				e.Do.Redirect = &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.99"), Copy: rapid.Bool().Draw(t, "copy")}
			}
			if !e.Do.Discard && rapid.Bool().Draw(t, "limits") {
				p := filter.Policer{Name: "sluice-" + name, Burst: rapid.Uint64Range(1, 1<<63).Draw(t, "burst")}
				p.Rate = flowspec.Rate{Amount: float32(rapid.Uint32Range(1, 1<<31).Draw(t, "rate")), Unit: rapid.SampledFrom([]flowspec.Unit{flowspec.Bytes, flowspec.Packets}).Draw(t, "unit")}
				e.Do.Policer = p.Name
				f.Policers = append(f.Policers, p)
			}
			f.Entries = append(f.Entries, e)
		}
		return f
	})
}
