package proof_test

import (
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// universe is one packet for every way in which the conditions of a table can come out, field by field: of all corners of a field that the same
// conditions let through, one stands for the rest. To evaluate all of its packets is to evaluate all packets there are.
type universe struct {
	f        flowspec.Family
	numbers  [flowspec.FlowLabel + 1][]uint64
	dst, src []netip.Addr
}

// universe reduces c.
func (c *corners) universe() *universe {
	u := &universe{f: c.f, numbers: c.numbers}
	if c.has(flowspec.TCPFlags) { // bits combine: no few words stand for all
		u.numbers[flowspec.TCPFlags] = nil
		for w := range uint64(0x1000) {
			u.numbers[flowspec.TCPFlags] = append(u.numbers[flowspec.TCPFlags], w)
		}
	}
	for i, n := range u.numbers[flowspec.PacketLength] {
		if i == 0 {
			u.numbers[flowspec.PacketLength] = slices.Clone(u.numbers[flowspec.PacketLength])
		}
		u.numbers[flowspec.PacketLength][i] = uint64(possible(packet.Header{Length: uint16(n)}, c.f).Length)
	}
	for t, list := range u.numbers {
		u.numbers[t] = representatives(list, func(v uint64, sign func(bool)) { c.signNumber(flowspec.Type(t), v, sign) })
	}
	u.dst = representatives(c.withPatterns(c.dst, flowspec.DstPrefix), func(a netip.Addr, sign func(bool)) { c.signAddress(flowspec.DstPrefix, a, sign) })
	u.src = representatives(c.withPatterns(c.src, flowspec.SrcPrefix), func(a netip.Addr, sign func(bool)) { c.signAddress(flowspec.SrcPrefix, a, sign) })
	return u
}

// conditions calls try with every condition of the table.
func (c *corners) conditions(try func(*condition, *matcher)) {
	for _, m := range c.ms {
		for i := range m.conditions {
			try(&m.conditions[i], m)
		}
	}
}

func (c *corners) has(t flowspec.Type) (yes bool) {
	c.conditions(func(one *condition, _ *matcher) { yes = yes || one.typ == t })
	return yes
}

// representatives returns of all values with one signature the first.
func representatives[T any](list []T, sign func(T, func(bool))) (out []T) {
	seen := map[string]bool{}
	for _, v := range list {
		var signature []byte
		sign(v, func(yes bool) {
			if yes {
				signature = append(signature, 1)
			} else {
				signature = append(signature, 0)
			}
		})
		if !seen[string(signature)] {
			seen[string(signature)] = true
			out = append(out, v)
		}
	}
	return out
}

// signNumber says how every condition that looks at the field of t comes out for v.
func (c *corners) signNumber(t flowspec.Type, v uint64, sign func(bool)) {
	c.conditions(func(one *condition, m *matcher) {
		switch {
		case t == flowspec.Fragment && one.typ == flowspec.Fragment:
			sign(one.state(packet.Fragment(v&3), v&4 != 0))
		case one.typ == t, one.typ == flowspec.Port && (t == flowspec.DstPort || t == flowspec.SrcPort):
			sign(one.lets(v))
		case t == flowspec.Protocol && one.looksBehind():
			sign(one.isOf(uint8(v), m.v6))
		case t == flowspec.Fragment && one.looksBehind():
			sign(one.anyOffset || packet.Fragment(v&3) < packet.Middle)
		}
	})
}

func (c *corners) signAddress(t flowspec.Type, a netip.Addr, sign func(bool)) {
	w := words(a)
	c.conditions(func(one *condition, _ *matcher) {
		if one.typ == t {
			sign(one.covers(w))
		}
	})
}

// withPatterns adds to every address the one that a pattern with an offset makes of it, and the one that just fails it.
func (c *corners) withPatterns(list []netip.Addr, t flowspec.Type) []netip.Addr {
	out := slices.Clone(list)
	c.conditions(func(one *condition, _ *matcher) {
		if one.typ != t || one.prefix.Offset == 0 {
			return
		}
		pattern := one.prefix.Addr.AsSlice()
		for _, a := range list {
			octets := a.AsSlice()
			for bit := int(one.prefix.Offset); bit < int(one.prefix.Len); bit++ {
				mask := byte(0x80) >> (bit % 8)
				octets[bit/8] = octets[bit/8]&^mask | pattern[bit/8]&mask
			}
			out = append(out, addressOf(octets))
			octets[(one.prefix.Len-1)/8] ^= 0x80 >> ((one.prefix.Len - 1) % 8)
			out = append(out, addressOf(octets))
		}
	})
	return out
}

// size is the number of packets of u.
func (u *universe) size() int {
	n := len(u.dst) * len(u.src)
	for t := flowspec.Protocol; t <= flowspec.FlowLabel; t++ {
		if t != flowspec.Port {
			n *= len(u.numbers[t])
		}
	}
	return n
}

// packets calls try with every packet of u.
func (u *universe) packets(try func(packet.Header)) {
	for i := range u.size() {
		n := func(t flowspec.Type) uint64 {
			list := u.numbers[t]
			v := list[i%len(list)]
			i /= len(list)
			return v
		}
		h := packet.Header{Proto: uint8(n(flowspec.Protocol)), SrcPort: uint16(n(flowspec.SrcPort)), DstPort: uint16(n(flowspec.DstPort)), ICMPType: uint8(n(flowspec.ICMPType)),
			ICMPCode: uint8(n(flowspec.ICMPCode)), Flags: uint16(n(flowspec.TCPFlags)), Length: uint16(n(flowspec.PacketLength)), DSCP: uint8(n(flowspec.DSCP)), Label: uint32(n(flowspec.FlowLabel))}
		state := n(flowspec.Fragment)
		h.Fragment, h.DF = packet.Fragment(state&3), state&4 != 0
		h.Dst, i = u.dst[i%len(u.dst)], i/len(u.dst)
		h.Src = u.src[i]
		try(h)
	}
}
