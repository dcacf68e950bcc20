package split_test

import (
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/oracle"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"pgregory.net/rapid"
)

// matches says whether a packet passes every component.
func matches(components []flowspec.Component, h packet.Header) bool {
	for _, c := range components {
		if !oracle.Component(c, h) {
			return false
		}
	}
	return true
}

// entryMatches says whether a packet passes an entry in which nothing is implied: a platform that checks neither protocol nor offset
// would read the same octets of any packet, so the packet here carries every field whatever its protocol is.
func entryMatches(e split.Entry, h packet.Header) bool {
	in := func(t flowspec.Type, v uint32) bool { return e.Values[t] == nil || e.Values[t].Has(v) }
	state := packet.Frags(1) << h.Fragment
	if h.DF {
		state <<= 4
	}
	flags := len(e.Flags) == 0
	for _, c := range e.Flags {
		flags = flags || h.Flags&c.Set == c.Set && h.Flags&c.Clear == 0
	}
	return flags && (e.Frags == 0 || e.Frags&state != 0) &&
		(e.Dst == nil || netip.PrefixFrom(e.Dst.Addr, int(e.Dst.Len)).Contains(h.Dst)) &&
		(e.Src == nil || netip.PrefixFrom(e.Src.Addr, int(e.Src.Len)).Contains(h.Src)) &&
		in(flowspec.Protocol, uint32(h.Proto)) && in(flowspec.DstPort, uint32(h.DstPort)) && in(flowspec.SrcPort, uint32(h.SrcPort)) &&
		(in(flowspec.Port, uint32(h.SrcPort)) || in(flowspec.Port, uint32(h.DstPort))) &&
		in(flowspec.ICMPType, uint32(h.ICMPType)) && in(flowspec.ICMPCode, uint32(h.ICMPCode)) &&
		in(flowspec.PacketLength, uint32(h.Length)) && in(flowspec.DSCP, uint32(h.DSCP)) && in(flowspec.FlowLabel, h.Label)
}

// drawNumber draws a number near the edges of small universes, so that rules and packets meet.
func drawNumber(t *rapid.T, top uint32) uint64 {
	return rapid.OneOf(rapid.Uint64Range(0, 8), rapid.Uint64Range(uint64(top)-3, uint64(top)+2),
		rapid.SampledFrom([]uint64{53, 80, 123, 443})).Draw(t, "value")
}

var numericTop = map[flowspec.Type]uint32{
	flowspec.Protocol: 255, flowspec.Port: 65535, flowspec.DstPort: 65535, flowspec.SrcPort: 65535, flowspec.ICMPType: 255,
	flowspec.ICMPCode: 255, flowspec.PacketLength: 65535, flowspec.DSCP: 63, flowspec.FlowLabel: 0xfffff,
}

// drawComponents draws a rule of family f.
func drawComponents(t *rapid.T, f flowspec.Family) []flowspec.Component {
	var out []flowspec.Component
	last := flowspec.Fragment
	if f == flowspec.IPv6 {
		last = flowspec.FlowLabel
	}
	for typ := flowspec.DstPrefix; typ <= last; typ++ {
		often := 4
		if typ == flowspec.Port || typ == flowspec.DstPort || typ == flowspec.Protocol {
			often = 2
		}
		if rapid.IntRange(0, often).Draw(t, "has") != 0 {
			continue
		}
		c := flowspec.Component{Type: typ}
		if typ <= flowspec.SrcPrefix {
			p := netip.PrefixFrom(address(f, 0), rapid.SampledFrom([]int{0, 24, address(f, 0).BitLen()}).Draw(t, "len")).Masked()
			c.Prefix = flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}
			out = append(out, c)
			continue
		}
		for n := rapid.IntRange(1, 7).Draw(t, "terms"); n > 0; n-- {
			term := flowspec.Term{And: len(c.Terms) > 0 && rapid.IntRange(0, 2).Draw(t, "and") == 0}
			if typ.Bitmask() {
				term.Op = flowspec.Op(rapid.IntRange(0, 3).Draw(t, "op"))
				term.Value = rapid.SampledFrom([]uint64{0, 1, 2, 3, 4, 6, 8, 16, 18, 0x12, 0xff, 0x100, 0x1002, 15, 14, 10}).Draw(t, "bits")
				if typ == flowspec.Fragment {
					term.Value &= 15
				}
			} else {
				term.Op = flowspec.Op(rapid.SampledFrom([]int{0, 1, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7}).Draw(t, "op"))
				term.Value = drawNumber(t, numericTop[typ])
			}
			c.Terms = append(c.Terms, term)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		out = append(out, flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}})
	}
	return out
}

// address returns one of two addresses of family f.
func address(f flowspec.Family, i int) netip.Addr {
	if f == flowspec.IPv6 {
		return netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 15: byte(i)})
	}
	return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
}

// drawPacket draws a packet that carries every field, near the edges that drawNumber likes.
func drawPacket(t *rapid.T, f flowspec.Family) packet.Header {
	at := func(top uint32) uint32 { return uint32(min(drawNumber(t, top), uint64(top))) }
	h := packet.Header{
		Src: address(f, rapid.IntRange(0, 1).Draw(t, "src")), Dst: address(f, rapid.IntRange(0, 1).Draw(t, "dst")),
		Proto: rapid.SampledFrom([]uint8{6, 17, 1, 58, 6, 17, 0, 2, 255}).Draw(t, "proto"), SrcPort: uint16(at(65535)), DstPort: uint16(at(65535)),
		ICMPType: uint8(at(255)), ICMPCode: uint8(at(255)), Length: uint16(at(65535)), DSCP: uint8(at(63)),
		Flags:    uint16(rapid.IntRange(0, 0xfff).Draw(t, "flags")),
		Fragment: packet.Fragment(rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3}).Draw(t, "fragment")),
	}
	if f == flowspec.IPv4 {
		h.DF = rapid.Bool().Draw(t, "df")
	} else {
		h.Label = at(0xfffff)
	}
	return h
}

// drawLimits draws a platform.
func drawLimits(t *rapid.T, filter bool) *split.Limits {
	l := &split.Limits{MaxParts: 4096}
	for typ := flowspec.DstPrefix; typ <= flowspec.FlowLabel; typ++ {
		one := split.Limit{OK: rapid.IntRange(0, 9).Draw(t, "ok") != 0, MaxValues: rapid.IntRange(0, 5).Draw(t, "values")}
		if typ == flowspec.Port {
			one.OK = rapid.Bool().Draw(t, "port")
		}
		if rapid.Bool().Draw(t, "pairs?") {
			one.MaxPairs = rapid.IntRange(1, 6).Draw(t, "pairs")
		}
		if rapid.Bool().Draw(t, "width?") {
			one.MaxWidth = 1
		}
		for op := split.Eq; op <= split.NotAll; op <<= 1 {
			if rapid.IntRange(0, 3).Draw(t, "op") != 0 {
				one.Ops |= op
			}
		}
		if rapid.Bool().Draw(t, "bits?") {
			one.Bits = rapid.SampledFrom([]uint16{0x3f, 0xff, 0x0f, 0x0e}).Draw(t, "bits")
		}
		if rapid.IntRange(0, 3).Draw(t, "maxbits?") == 0 {
			one.MaxBits = 1
		}
		if filter {
			one.MaxPairs, one.MaxWidth = 0, 0
		}
		l.Of[typ] = one
	}
	if rapid.Bool().Draw(t, "exclude") {
		l.Exclude = []uint16{1<<flowspec.Port | 1<<flowspec.DstPort, 1<<flowspec.Port | 1<<flowspec.SrcPort}
	}
	return l
}
