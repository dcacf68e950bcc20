package proof_test

import (
	"encoding/binary"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Packets at random seldom meet two rules at once, and never their edges. So packets are made of corners: the numbers at which some condition of the
// table turns from true to false, on both sides. Most packets are made of corners that several rules let through together.

// corners are the values worth trying in each field of a table.
type corners struct {
	f        flowspec.Family
	numbers  [flowspec.FlowLabel + 1][]uint64 // by the component that reads the field
	dst, src []netip.Addr
	ms       []*matcher
}

// cornersOf collects the corners of ms, all of family f.
func cornersOf(f flowspec.Family, ms []*matcher) *corners {
	c := &corners{f: f, ms: ms}
	add := func(t flowspec.Type, values ...uint64) {
		for _, v := range values {
			if v <= uint64(t.Max()) {
				c.numbers[t] = append(c.numbers[t], v)
			}
		}
	}
	icmp := uint64(1)
	if f == flowspec.IPv6 {
		icmp = 58
	}
	add(flowspec.Protocol, 6, 17, icmp, 47, 0, 255)
	add(flowspec.DstPort, 0, 5, 65535)
	add(flowspec.SrcPort, 0, 5, 65535)
	add(flowspec.ICMPType, 0, 8, 255)
	add(flowspec.ICMPCode, 0, 255)
	add(flowspec.TCPFlags, 0, 2, 0x10, 0x12, 0xfff)
	add(flowspec.PacketLength, 40, 60, 1400, 65535)
	add(flowspec.DSCP, 0, 5, 63)
	add(flowspec.FlowLabel, 0)
	if f == flowspec.IPv6 {
		add(flowspec.FlowLabel, 0xfffff)
	}
	for state := range uint64(4) {
		add(flowspec.Fragment, state)
		if f == flowspec.IPv4 {
			add(flowspec.Fragment, state|4)
		}
	}
	for i := range 3 {
		c.dst, c.src = append(c.dst, smallAddress(f, i)), append(c.src, smallAddress(f, i))
	}
	for _, m := range ms {
		for i := range m.conditions {
			part := &m.conditions[i]
			switch part.typ {
			case flowspec.DstPrefix:
				c.dst = appendEdges(c.dst, part.prefix)
			case flowspec.SrcPrefix:
				c.src = appendEdges(c.src, part.prefix)
			case flowspec.Port:
				for _, t := range part.terms {
					add(flowspec.SrcPort, around(t.Value)...)
					add(flowspec.DstPort, around(t.Value)...)
				}
			case flowspec.TCPFlags:
				for _, t := range part.terms {
					add(flowspec.TCPFlags, t.Value, ^t.Value&0xfff, t.Value&(t.Value-1))
				}
			case flowspec.Fragment:
			default:
				for _, t := range part.terms {
					add(part.typ, around(t.Value)...)
				}
			}
		}
	}
	return c
}

func around(v uint64) []uint64 { return []uint64{v - 1, v, v + 1} } // v-1 of 0 lies outside every field

// appendEdges appends the first and the last address of p, and those beside them.
func appendEdges(list []netip.Addr, p flowspec.Prefix) []netip.Addr {
	last := p.Addr.AsSlice()
	for bit := range 8 * len(last) {
		if bit < int(p.Offset) || bit >= int(p.Len) {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
	}
	hi, _ := netip.AddrFromSlice(last)
	for _, a := range []netip.Addr{p.Addr, p.Addr.Prev(), hi, hi.Next()} {
		if a.IsValid() && a.Is4() == p.Addr.Is4() {
			list = append(list, a)
		}
	}
	return list
}

// overlap makes packets that lie in several rules at once, as far as their conditions let it.
type overlap struct {
	numbers  [flowspec.FlowLabel + 1][]uint64
	dst, src []netip.Addr
	either   []*condition // conditions on either port
}

// inside keeps of every field the corners that all conditions of ms let through, and all corners where that is none.
func (c *corners) inside(ms ...*matcher) *overlap {
	o := &overlap{dst: c.dst, src: c.src, numbers: c.numbers}
	for _, m := range ms {
		for i := range m.conditions {
			one := &m.conditions[i]
			if one.looksBehind() {
				o.keep(flowspec.Protocol, func(v uint64) bool { return one.isOf(uint8(v), m.v6) })
				o.keep(flowspec.Fragment, func(v uint64) bool { return one.anyOffset || packet.Fragment(v&3) < packet.Middle })
			}
			switch one.typ {
			case flowspec.DstPrefix:
				o.dst = kept(o.dst, func(a netip.Addr) bool { return one.covers(words(a)) })
			case flowspec.SrcPrefix:
				o.src = kept(o.src, func(a netip.Addr) bool { return one.covers(words(a)) })
			case flowspec.Port:
				o.either = append(o.either, one)
			case flowspec.Fragment:
				o.keep(one.typ, func(v uint64) bool { return one.state(packet.Fragment(v&3), v&4 != 0) })
			default:
				o.keep(one.typ, one.lets)
			}
		}
	}
	return o
}

func (o *overlap) keep(t flowspec.Type, lets func(uint64) bool) {
	o.numbers[t] = kept(o.numbers[t], lets)
}

// kept returns those of list that are let through, or list when that is none.
func kept[T any](list []T, lets func(T) bool) (out []T) {
	for _, v := range list {
		if lets(v) {
			out = append(out, v)
		}
	}
	if out == nil {
		return list
	}
	return out
}

// packet draws a packet of o.
func (o *overlap) packet(d *draw, f flowspec.Family) packet.Header {
	n := func(t flowspec.Type) uint64 { return o.numbers[t][d.IntN(len(o.numbers[t]))] }
	state := n(flowspec.Fragment)
	h := packet.Header{Dst: o.dst[d.IntN(len(o.dst))], Src: o.src[d.IntN(len(o.src))], Proto: uint8(n(flowspec.Protocol)), SrcPort: uint16(n(flowspec.SrcPort)), DstPort: uint16(n(flowspec.DstPort)),
		ICMPType: uint8(n(flowspec.ICMPType)), ICMPCode: uint8(n(flowspec.ICMPCode)), Flags: uint16(n(flowspec.TCPFlags)), Length: uint16(n(flowspec.PacketLength)),
		DSCP: uint8(n(flowspec.DSCP)), Label: uint32(n(flowspec.FlowLabel)), Fragment: packet.Fragment(state & 3), DF: state&4 != 0}
	for _, c := range o.either {
		for range 8 {
			if c.lets(uint64(h.SrcPort)) || c.lets(uint64(h.DstPort)) {
				break
			}
			if d.chance(2) {
				h.SrcPort = uint16(n(flowspec.SrcPort))
			} else {
				h.DstPort = uint16(n(flowspec.DstPort))
			}
		}
	}
	return possible(h, f)
}

// possible makes h a packet that can exist: one that is no shorter than its IP header.
func possible(h packet.Header, f flowspec.Family) packet.Header {
	least := uint16(20)
	if f == flowspec.IPv6 {
		least = 40
	}
	h.Length = max(h.Length, least)
	return h
}

// anyPacket draws a packet from everywhere.
func anyPacket(d *draw, f flowspec.Family) packet.Header {
	x := d.Uint64()
	h := packet.Header{Proto: pick(d, uint8(x), 6, 17, 1, 58), SrcPort: uint16(x >> 8), DstPort: uint16(x >> 24), ICMPType: uint8(x >> 40), ICMPCode: uint8(x >> 48), Flags: uint16(x>>50) & 0xfff,
		Length: uint16(d.IntN(1 << 16)), DSCP: uint8(x>>56) & 63, Fragment: packet.Fragment(x >> 62), DF: f == flowspec.IPv4 && x>>61&1 == 1}
	if f == flowspec.IPv6 {
		h.Label = uint32(d.IntN(1 << 20))
	}
	for _, a := range []*netip.Addr{&h.Dst, &h.Src} {
		*a = smallAddress(f, d.IntN(5))
		if d.chance(4) {
			octets := a.AsSlice()
			binary.BigEndian.PutUint32(octets[len(octets)-4:], d.Uint32())
			*a = addressOf(octets)
		}
	}
	return possible(h, f)
}

// packets calls try with n packets: three in four inside overlaps of up to three matches, the rest made of corners or of anything.
func (c *corners) packets(d *draw, n int, try func(packet.Header)) {
	const each = 16
	for done := 0; done < n; done += each {
		var chosen []*matcher
		if len(c.ms) > 0 && !d.chance(4) {
			for k := 1 + d.IntN(3); k > 0; k-- {
				chosen = append(chosen, c.ms[d.IntN(len(c.ms))])
			}
		}
		o := c.inside(chosen...)
		for range each {
			if chosen == nil && d.chance(2) {
				try(anyPacket(d, c.f))
			} else {
				try(o.packet(d, c.f))
			}
		}
	}
}
