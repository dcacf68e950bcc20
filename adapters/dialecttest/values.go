package dialecttest

import (
	"net/netip"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// One is the list of one number.
func One(n uint32) packet.Values { return packet.Values{{Lo: n, Hi: n}} }

// List draws a list of at least `least` and at most `most` numbers and ranges of lo to hi, which may touch each other.
func List(t *rapid.T, name string, lo, hi uint32, least, most int) packet.Values {
	vs := packet.Values{}
	for range rapid.IntRange(least, most).Draw(t, name) {
		a := rapid.Uint32Range(lo, hi).Draw(t, "lo")
		b := a
		if rapid.Bool().Draw(t, "range") {
			b = rapid.Uint32Range(a, hi).Draw(t, "hi")
		}
		vs = vs.Or(packet.NewValues(packet.Span{Lo: a, Hi: b}))
	}
	return vs
}

// Maybe draws whether there is a condition: nil in two of three cases, else what draw draws.
func Maybe(t *rapid.T, name string, draw func() packet.Values) packet.Values {
	if rapid.IntRange(0, 2).Draw(t, "no "+name) > 0 {
		return nil
	}
	return draw()
}

// MaybeList is a List of one to three, or no condition.
func MaybeList(t *rapid.T, name string, lo, hi uint32) packet.Values {
	return Maybe(t, name, func() packet.Values { return List(t, name, lo, hi, 1, 3) })
}

// MaybeSpan is one number or one range, or no condition. Zero comes often: it is what platforms see in a header that is not there.
func MaybeSpan(t *rapid.T, name string, lo, hi uint32) packet.Values {
	return Maybe(t, name, func() packet.Values {
		a := rapid.Uint32Range(lo, hi).Draw(t, name)
		if rapid.IntRange(0, 3).Draw(t, "from the least") == 0 {
			a = lo
		}
		b := a
		if rapid.Bool().Draw(t, "range") {
			b = rapid.Uint32Range(a, hi).Draw(t, "hi")
		}
		return packet.Values{{Lo: a, Hi: b}}
	})
}

// MaybeOne is one number, or no condition.
func MaybeOne(t *rapid.T, name string, lo, hi uint32) packet.Values {
	return Maybe(t, name, func() packet.Values { return One(rapid.Uint32Range(lo, hi).Draw(t, name)) })
}

// Flags draws terms over the bits of mask: none at times, and some that are empty or contradict themselves.
func Flags(t *rapid.T, mask uint16) []filter.FlagTerm {
	out := []filter.FlagTerm{}
	for range rapid.IntRange(0, 3).Draw(t, "flag terms") {
		out = append(out, filter.FlagTerm{Set: rapid.Uint16().Draw(t, "set") & mask, Clear: rapid.Uint16().Draw(t, "clear") & mask})
	}
	return out
}

// Prefix draws one, or nil. Half of them are of few bits, so that prefixes meet each other and packets meet them.
func Prefix(t *rapid.T, name string, v packet.Version) *netip.Prefix {
	if rapid.Bool().Draw(t, "no "+name) {
		return nil
	}
	a, bits := near(t, name, v), 0
	if rapid.Bool().Draw(t, "far") {
		a = far(t, name, v)
		bits = rapid.IntRange(0, a.BitLen()).Draw(t, "length")
	} else {
		bits = rapid.SampledFrom([]int{0, 1, 24, 25, 31, 32, a.BitLen() - 1, a.BitLen()}).Draw(t, "near length")
	}
	p := netip.PrefixFrom(a, bits).Masked()
	return &p
}

// near draws one of a handful of addresses.
func near(t *rapid.T, name string, v packet.Version) netip.Addr {
	b := rapid.SampledFrom([]byte{0, 1, 2, 128, 255}).Draw(t, name)
	if v == packet.IPv6 {
		return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: b})
	}
	return netip.AddrFrom4([4]byte{203, 0, 113, b})
}

// far draws any address, of IPv6 none that stands for one of IPv4.
func far(t *rapid.T, name string, v packet.Version) netip.Addr {
	if v == packet.IPv4 {
		return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "far "+name)))
	}
	b := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "far "+name))
	b[0] |= 0x20
	return netip.AddrFrom16(b)
}

// host is a prefix that no drawn filter asks for.
func host(v packet.Version) *netip.Prefix {
	p := netip.MustParsePrefix("203.0.113.99/32")
	if v == packet.IPv6 {
		p = netip.MustParsePrefix("2001:db8::99/128")
	}
	return &p
}

// Header draws a packet, mostly one that some entry of f is likely to take.
func Header(t *rapid.T, f filter.Filter) packet.Header {
	h := packet.Header{
		Src: near(t, "h-src", f.Version), Dst: near(t, "h-dst", f.Version), Proto: rapid.SampledFrom([]uint8{1, 6, 17, 50, 58}).Draw(t, "h-proto"),
		SrcPort: rapid.Uint16().Draw(t, "h-sport"), DstPort: rapid.Uint16().Draw(t, "h-dport"),
		ICMPType: rapid.Uint8().Draw(t, "h-type"), ICMPCode: rapid.Uint8().Draw(t, "h-code"), Flags: rapid.Uint16Range(0, 0xfff).Draw(t, "h-flags"),
		Length: rapid.Uint16().Draw(t, "h-length"), DSCP: rapid.Uint8Range(0, 63).Draw(t, "h-dscp"),
		Fragment: packet.Fragment(rapid.IntRange(0, 3).Draw(t, "h-fragment")), DF: f.Version == packet.IPv4 && rapid.Bool().Draw(t, "h-df"),
	}
	if len(f.Entries) == 0 || rapid.IntRange(0, 3).Draw(t, "stranger") == 0 {
		return h
	}
	meet(t, &h, rapid.SampledFrom(f.Entries).Draw(t, "met").Match)
	return h
}

// meet gives h what m asks for.
func meet(t *rapid.T, h *packet.Header, m filter.Match) {
	if m.Src != nil {
		h.Src = m.Src.Addr()
	}
	if m.Dst != nil {
		h.Dst = m.Dst.Addr()
	}
	if len(m.Flags) > 0 {
		term := rapid.SampledFrom(m.Flags).Draw(t, "h-term")
		h.Flags = h.Flags&^term.Clear | term.Set
	}
	for _, c := range []struct {
		vs  packet.Values
		set func(uint32)
	}{
		{m.Proto, func(n uint32) { h.Proto = uint8(n) }}, {m.Port, func(n uint32) { h.DstPort = uint16(n) }},
		{m.SrcPort, func(n uint32) { h.SrcPort = uint16(n) }}, {m.DstPort, func(n uint32) { h.DstPort = uint16(n) }},
		{m.ICMPType, func(n uint32) { h.ICMPType = uint8(n) }}, {m.ICMPCode, func(n uint32) { h.ICMPCode = uint8(n) }},
		{m.Length, func(n uint32) { h.Length = uint16(n) }}, {m.DSCP, func(n uint32) { h.DSCP = uint8(n) }}, {m.Label, func(n uint32) { h.Label = n }},
	} {
		if len(c.vs) > 0 {
			span := rapid.SampledFrom(c.vs).Draw(t, "h-span")
			c.set(rapid.SampledFrom([]uint32{span.Lo, span.Hi}).Draw(t, "h-end"))
		}
	}
}
