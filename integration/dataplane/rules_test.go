package dataplane_test

import (
	"encoding/binary"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// The numbers that rules and packets are drawn from. Rules compare with them, so packets with one more or less lie on both sides of the limit.
var numbers = map[flowspec.Type][]uint64{
	flowspec.Protocol: {1, 2, 6, 17, 47, 50, 58, 59, 132, 255},
	flowspec.Port:     {0, 53, 80, 443, 1024, 65535}, flowspec.DstPort: {0, 53, 80, 443, 1024, 65535}, flowspec.SrcPort: {0, 53, 80, 123, 443, 65535},
	flowspec.ICMPType: {0, 3, 8, 128, 135, 255}, flowspec.ICMPCode: {0, 1, 4, 255},
	flowspec.PacketLength: {0, 60, 100, 576, 1280, 1500, 9000, 65535}, flowspec.DSCP: {0, 1, 10, 46, 63}, flowspec.FlowLabel: {0, 1, 255, 256, 65536, 0x12345, 1048575},
}

// usable are the components that rules have, but for prefixes.
var usable = []flowspec.Type{flowspec.Protocol, flowspec.Port, flowspec.DstPort, flowspec.SrcPort, flowspec.ICMPType, flowspec.ICMPCode, flowspec.TCPFlags,
	flowspec.PacketLength, flowspec.DSCP, flowspec.Fragment, flowspec.FlowLabel}

// breadth says what the rules of a table have in common.
type breadth int

const (
	few          breadth = iota // rules of any kind
	destinations                // many, for as many destinations
	sources                     // many, for one destination or two and as many sources
)

// rules draws a table: a few rules that overlap, or many.
func (d *draw) rules(f flowspec.Family) []flowspec.Rule {
	n, kind := 1+d.IntN(8), few
	if d.one(3) {
		n, kind = 20+d.IntN(60), pick(d, []breadth{destinations, destinations, sources})
	}
	var out []flowspec.Rule
	seen := map[flowspec.ID]bool{}
	for range n {
		r := d.rule(f, kind)
		if !seen[r.ID] {
			seen[r.ID] = true
			out = append(out, r)
		}
	}
	return out
}

func (d *draw) rule(f flowspec.Family, kind breadth) flowspec.Rule {
	for {
		var cs []flowspec.Component
		switch {
		case kind == sources && !d.one(20):
			a := netip.MustParseAddr("203.0.113.1")
			if f == flowspec.IPv6 {
				a = netip.MustParseAddr("2001:db8::1")
			}
			cs = append(cs, flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: a, Len: uint8(a.BitLen())}})
		case kind == destinations && !d.one(20), d.one(2):
			cs = append(cs, d.prefix(f, flowspec.DstPrefix))
		}
		if kind == sources && !d.one(20) || d.one(3) {
			cs = append(cs, d.prefix(f, flowspec.SrcPrefix))
		}
		for _, t := range usable {
			if d.IntN(len(usable)) < 2 && (t != flowspec.FlowLabel || f == flowspec.IPv6) {
				cs = append(cs, d.component(f, t))
			}
		}
		m, err := flowspec.NewMatch(f, flowspec.RD{}, cs...)
		if err != nil {
			continue // of no components
		}
		r := flowspec.Rule{ID: flowspec.NewID("dataplane", m), Match: m, Source: "dataplane", Action: d.action(f)}
		if !m.Set().Empty() || d.one(10) {
			return r
		}
	}
}

// address draws an address of the few that rules and packets are about.
func (d *draw) address(f flowspec.Family, t flowspec.Type) netip.Addr {
	low := byte(d.IntN(4))
	if d.one(2) {
		low = byte(d.IntN(256))
	}
	if f == flowspec.IPv4 {
		if t == flowspec.SrcPrefix {
			return netip.AddrFrom4([4]byte{198, 51, 100, low})
		}
		return netip.AddrFrom4([4]byte{203, 0, 113, low})
	}
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8, 7: byte(d.IntN(2)), 15: low}
	if t == flowspec.SrcPrefix {
		a[4] = 0xff
	}
	return netip.AddrFrom16(a)
}

func (d *draw) prefix(f flowspec.Family, t flowspec.Type) flowspec.Component {
	a := d.address(f, t)
	bits := pick(d, []int{0, 8, 24, 25, 30, 31, 32, 32, 32})
	if f == flowspec.IPv6 {
		bits = pick(d, []int{0, 32, 48, 63, 64, 65, 126, 127, 128, 128, 128})
	}
	p := netip.PrefixFrom(a, bits).Masked()
	return flowspec.Component{Type: t, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(bits)}}
}

func (d *draw) component(f flowspec.Family, t flowspec.Type) flowspec.Component {
	c := flowspec.Component{Type: t}
	for i := range 1 + d.IntN(4) {
		term := flowspec.Term{And: i > 0 && d.one(2), Op: flowspec.Op(d.IntN(8))}
		switch t {
		case flowspec.TCPFlags:
			term.Op, term.Value = flowspec.Op(d.IntN(4)), pick(d, []uint64{1, 2, 2, 0x10, 0x12, 0x29, 0xff, 0x100, 0x102, 0xe00})
		case flowspec.Fragment:
			term.Op, term.Value = flowspec.Op(d.IntN(4)), uint64(d.IntN(16))
			if f == flowspec.IPv6 {
				term.Value &^= 1
			}
		default:
			term.Value = pick(d, numbers[t])
		}
		c.Terms = append(c.Terms, term)
	}
	return c
}

// action draws what the platform can do. Rates are so high that nothing is over them.
func (d *draw) action(f flowspec.Family) flowspec.Action {
	var a flowspec.Action
	switch d.IntN(8) {
	case 0, 1, 2:
		a.Rate = &flowspec.Rate{Unit: flowspec.Bytes}
	case 3:
		a.Rate = &flowspec.Rate{Unit: flowspec.Bytes, Amount: 1e9}
	case 4:
		a.Rate = &flowspec.Rate{Unit: flowspec.Packets, Amount: 1e6}
	case 5:
		mark := pick(d, []uint8{0, 1, 10, 46, 63})
		a.Mark = &mark
		return a
	case 6:
		if f == flowspec.IPv6 {
			a.Redirect = &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr(nextHop), Copy: d.one(2)}
			return a
		}
	}
	a.Continue = !a.Discard() && d.one(3)
	return a
}

// packet draws a packet: one that a rule is about, with a field or two changed, or any other.
func (d *draw) packet(f flowspec.Family, rules []flowspec.Rule) (packet.Header, shape) {
	h := packet.Header{Src: d.address(f, flowspec.SrcPrefix), Dst: d.address(f, flowspec.DstPrefix), Proto: 17, Length: 100}
	set := pick(d, rules).Match.Set()
	if w, ok := set.Witness(); ok && !d.one(10) {
		if h = w; !d.one(3) {
			h.Src, h.Dst = d.near(f, w.Src, flowspec.SrcPrefix), d.near(f, w.Dst, flowspec.DstPrefix)
		}
	}
	for range 3 + d.IntN(8) {
		if was := h; !set.Has(d.change(f, &h)) && !d.one(8) {
			h = was
		}
	}
	// Addresses that a router does not forward to are none of the filter's business.
	if !forwardable(h.Src) {
		h.Src = d.address(f, flowspec.SrcPrefix)
	}
	if !forwardable(h.Dst) {
		h.Dst = d.address(f, flowspec.DstPrefix)
	}
	if f == flowspec.IPv6 && (h.Proto == 0 || h.Proto == 43 || h.Proto == 44 || h.Proto == 51 || h.Proto == 60) {
		h.Proto = 17 // these are extension headers, or one that the kernel takes for a protocol
	}
	s := d.shape(h)
	return tidy(h, s), s
}

// near returns a, or an address of the pool where a is none that a router forwards to.
func (d *draw) near(f flowspec.Family, a netip.Addr, t flowspec.Type) netip.Addr {
	if !forwardable(a) {
		return d.address(f, t)
	}
	return a
}

func forwardable(a netip.Addr) bool {
	b := a.As16()
	if a.Is4() {
		return b[12] != 0 && b[12] != 127 && b[12] < 224 && !(b[12] == 192 && b[13] == 168) && !(b[12] == 169 && b[13] == 254)
	}
	return b[0] == 0x20
}

// change draws another value for one field of h.
func (d *draw) change(f flowspec.Family, h *packet.Header) packet.Header {
	n := func(t flowspec.Type) uint64 { return pick(d, numbers[t]) + uint64(d.IntN(3)) - 1 }
	switch d.IntN(12) {
	case 0:
		h.Dst = d.address(f, flowspec.DstPrefix)
	case 1:
		h.Src = d.address(f, flowspec.SrcPrefix)
	case 2:
		h.Proto = uint8(pick(d, numbers[flowspec.Protocol]))
	case 3:
		h.SrcPort = uint16(n(flowspec.SrcPort))
	case 4:
		h.DstPort = uint16(n(flowspec.DstPort))
	case 5:
		h.ICMPType = uint8(n(flowspec.ICMPType))
	case 6:
		h.ICMPCode = uint8(n(flowspec.ICMPCode))
	case 7:
		h.Flags = uint16(d.IntN(0x1000)) & pick(d, []uint16{0xfff, 0x12, 0x13f, 0xff})
	case 8:
		h.Length = uint16(n(flowspec.PacketLength))
	case 9:
		h.DSCP = uint8(n(flowspec.DSCP)) & 63
	case 10:
		h.Fragment = packet.Fragment(d.IntN(4))
		h.DF = f == flowspec.IPv4 && d.one(2)
	case 11:
		if f == flowspec.IPv6 {
			h.Label = uint32(n(flowspec.FlowLabel)) & 0xfffff
		}
	}
	return tidy(*h, shape{})
}

// shape draws what the model does not look at.
func (d *draw) shape(h packet.Header) shape {
	s := shape{ecn: byte(d.IntN(4)), offset: pick(d, []uint16{1, 2, 185, 4096, 8191}), payload: d.bait()}
	if h.Version() == packet.IPv4 {
		if d.one(4) {
			s.options = 4 * (1 + d.IntN(10))
		}
		return s
	}
	for _, n := range []byte{0, 43, 60} {
		if d.one(5) {
			s.extensions = append(s.extensions, n)
		}
	}
	if s.atomic = h.Fragment == packet.Whole && d.one(4); h.Fragment <= packet.First && d.one(5) {
		s.behind = []byte{60}
	}
	return s
}

// bait is octets that read like the ports, the flags or the ICMP type of a rule.
func (d *draw) bait() []byte {
	p := make([]byte, 20)
	binary.BigEndian.PutUint16(p, uint16(pick(d, numbers[flowspec.SrcPort])))
	binary.BigEndian.PutUint16(p[2:], uint16(pick(d, numbers[flowspec.DstPort])))
	binary.BigEndian.PutUint16(p[12:], uint16(d.IntN(1<<16)))
	if d.one(3) {
		p[0], p[1] = byte(pick(d, numbers[flowspec.ICMPType])), byte(pick(d, numbers[flowspec.ICMPCode]))
	}
	return p
}

// tidy returns h as a packet that exists: without the fields that it lacks, and as long as its headers.
func tidy(h packet.Header, s shape) packet.Header {
	zero := h.Fragment <= packet.First
	if !zero || h.Proto != 6 && h.Proto != 17 {
		h.SrcPort, h.DstPort = 0, 0
	}
	if !zero || h.Proto != 6 {
		h.Flags = 0
	}
	if !zero || h.Proto != icmpOf(h) {
		h.ICMPType, h.ICMPCode = 0, 0
	}
	h.Length = uint16(max(int(h.Length), least(h, s)))
	return h
}
