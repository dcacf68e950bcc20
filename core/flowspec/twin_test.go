package flowspec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// This file is the slow twin of the package: it reads NLRIs, evaluates packets and orders rules in the words of RFC 8955 and RFC
// 8956, and shares no code with what it checks. Addresses are strings of '0' and '1'.

type slowPair struct {
	and   bool
	op    byte // the three low bits
	value uint64
}

type slowComponent struct {
	typ            byte
	offset, length int
	bits           string // pattern of a prefix: bits offset..length-1
	pairs          []slowPair
	octets         []byte // canonical operators and values
}

type slowRule struct {
	v6         bool
	rd         []byte
	components []slowComponent
}

var errSlow = errors.New("malformed")

// slowRead reads one NLRI, clearing what a receiver must ignore.
func slowRead(f Family, b []byte) (r slowRule, err error) {
	defer func() { // a slice out of range is a truncated NLRI
		if recover() != nil {
			err = errSlow
		}
	}()
	r.v6 = f == IPv6 || f == VPNv6
	length, rest := int(b[0]), b[1:]
	if length >= 240 {
		length, rest = (length-240)*256+int(b[1]), b[2:]
	}
	if len(rest) != length {
		return r, errSlow
	}
	if f == VPNv4 || f == VPNv6 {
		r.rd, rest = rest[:8], rest[8:]
	}
	for last := -1; len(rest) > 0; {
		var c slowComponent
		c.typ = rest[0]
		if int(c.typ) <= last || c.typ == 0 || c.typ > 13 || c.typ == 13 && !r.v6 {
			return r, errSlow
		}
		last = int(c.typ)
		if c.typ <= 2 {
			rest, err = c.readPrefix(r.v6, rest[1:])
		} else {
			rest, err = c.readList(r.v6, rest[1:])
		}
		if err != nil {
			return r, err
		}
		r.components = append(r.components, c)
	}
	if len(r.components) == 0 {
		return r, errSlow
	}
	return r, nil
}

func (c *slowComponent) readPrefix(v6 bool, b []byte) ([]byte, error) {
	c.length, b = int(b[0]), b[1:]
	width := 32
	if v6 {
		width = 128
		c.offset, b = int(b[0]), b[1:]
		if !(c.length == 0 && c.offset == 0) && !(c.offset < c.length && c.length < 129) {
			return nil, errSlow
		}
	}
	if c.length > width {
		return nil, errSlow
	}
	for len(c.bits) < c.length-c.offset {
		c.bits += fmt.Sprintf("%08b", b[0])
		b = b[1:]
	}
	c.bits = c.bits[:c.length-c.offset]
	return b, nil
}

func (c *slowComponent) readList(v6 bool, b []byte) ([]byte, error) {
	bitmask := c.typ == 9 || c.typ == 12
	for first := true; ; first = false {
		op := b[0]
		n := []int{1, 2, 4, 8}[op&0x30>>4]
		value := uint64(0)
		octets := append([]byte{}, b[1:1+n]...)
		for _, o := range octets {
			value = value*256 + uint64(o)
		}
		b = b[1+n:]
		switch {
		case c.typ == 9 && n > 2, (c.typ == 11 || c.typ == 12) && n != 1:
			return nil, errSlow
		case c.typ == 11:
			value %= 64
		case c.typ == 12 && v6:
			value &= 0x0e
		case c.typ == 12:
			value &= 0x0f
		}
		if c.typ == 11 || c.typ == 12 {
			octets[0] = byte(value)
		}
		if first {
			op &^= 0x40
		}
		op &^= 0x08
		if bitmask {
			op &^= 0x04
		}
		c.octets = append(append(c.octets, op), octets...)
		c.pairs = append(c.pairs, slowPair{op&0x40 != 0, op & 7, value})
		if op&0x80 != 0 {
			return b, nil
		}
	}
}

// slowWrite writes r canonically.
func slowWrite(r slowRule) []byte {
	body := append([]byte{}, r.rd...)
	for _, c := range r.components {
		body = append(body, c.typ)
		if c.typ > 2 {
			body = append(body, c.octets...)
			continue
		}
		body = append(body, byte(c.length))
		if r.v6 {
			body = append(body, byte(c.offset))
		}
		for bits := c.bits; bits != ""; {
			chunk := (bits + "0000000")[:8]
			bits = bits[min(8, len(bits)):]
			var o byte
			fmt.Sscanf(chunk, "%08b", &o)
			body = append(body, o)
		}
	}
	if len(body) < 240 {
		return append([]byte{byte(len(body))}, body...)
	}
	return append(binary.BigEndian.AppendUint16(nil, 0xf000|uint16(len(body))), body...)
}

// slowMatches says whether r matches h (RFC 8955 §4.2.2, RFC 8956 §3).
func slowMatches(r slowRule, h packet.Header) bool {
	for _, c := range r.components {
		if !slowComponentMatches(r.v6, c, h) {
			return false
		}
	}
	return true
}

func slowComponentMatches(v6 bool, c slowComponent, h packet.Header) bool {
	transport := h.Fragment == packet.Whole || h.Fragment == packet.First
	hasPorts := transport && (h.Proto == 6 || h.Proto == 17)
	hasICMP := transport && (h.Proto == 1 && !v6 || h.Proto == 58 && v6)
	numeric := func(field uint64) bool {
		return slowList(c.pairs, func(p slowPair) bool { return slowNumeric(p, field) })
	}
	bitmask := func(field uint64) bool {
		return slowList(c.pairs, func(p slowPair) bool { return slowBitmask(p, field) })
	}
	switch c.typ {
	case 1:
		return bitString(h.Dst)[c.offset:c.length] == c.bits
	case 2:
		return bitString(h.Src)[c.offset:c.length] == c.bits
	case 3:
		return numeric(uint64(h.Proto))
	case 4:
		return hasPorts && (numeric(uint64(h.SrcPort)) || numeric(uint64(h.DstPort)))
	case 5:
		return hasPorts && numeric(uint64(h.DstPort))
	case 6:
		return hasPorts && numeric(uint64(h.SrcPort))
	case 7:
		return hasICMP && numeric(uint64(h.ICMPType))
	case 8:
		return hasICMP && numeric(uint64(h.ICMPCode))
	case 9:
		return transport && h.Proto == 6 && bitmask(uint64(h.Flags))
	case 10:
		return numeric(uint64(h.Length))
	case 11:
		return numeric(uint64(h.DSCP))
	case 12:
		return bitmask(slowFragment(v6, h))
	}
	return numeric(uint64(h.Label))
}

func slowFragment(v6 bool, h packet.Header) uint64 {
	var d uint64
	if h.DF && !v6 {
		d |= 1
	}
	if h.Fragment == packet.Middle || h.Fragment == packet.Last {
		d |= 2 // a fragment other than the first
	}
	if h.Fragment == packet.First {
		d |= 4
	}
	if h.Fragment == packet.Last {
		d |= 8
	}
	return d
}

// slowList ORs runs of pairs that AND joins.
func slowList(pairs []slowPair, holds func(slowPair) bool) bool {
	result, group := false, true
	for i, p := range pairs {
		if i > 0 && !p.and {
			result = result || group
			group = true
		}
		group = group && holds(p)
	}
	return result || group
}

func slowNumeric(p slowPair, field uint64) bool {
	lt, gt, eq := p.op&4 != 0, p.op&2 != 0, p.op&1 != 0
	return lt && field < p.value || gt && field > p.value || eq && field == p.value ||
		p.op == 7
}

func slowBitmask(p slowPair, field uint64) bool {
	not, match := p.op&2 != 0, p.op&1 != 0
	got := field&p.value != 0
	if match {
		got = field&p.value == p.value
	}
	return got != not
}

func bitString(a netip.Addr) string {
	var s strings.Builder
	for _, o := range a.AsSlice() {
		fmt.Fprintf(&s, "%08b", o)
	}
	return s.String()
}

// slowCompare follows flow_rule_cmp of RFC 8955 Appendix A and RFC 8956 Appendix A: -1 when a has precedence.
func slowCompare(a, b slowRule) int {
	const aFirst, bFirst = -1, +1
	for i := 0; i < max(len(a.components), len(b.components)); i++ {
		if i >= len(a.components) {
			return bFirst
		}
		if i >= len(b.components) {
			return aFirst
		}
		ca, cb := a.components[i], b.components[i]
		if ca.typ < cb.typ {
			return aFirst
		}
		if ca.typ > cb.typ {
			return bFirst
		}
		if ca.typ <= 2 {
			if ca.offset < cb.offset {
				return aFirst
			}
			if ca.offset > cb.offset {
				return bFirst
			}
			if strings.HasPrefix(ca.bits, cb.bits) || strings.HasPrefix(cb.bits, ca.bits) {
				if ca.length > cb.length {
					return aFirst
				}
				if ca.length < cb.length {
					return bFirst
				}
				continue
			}
			if ca.bits < cb.bits { // neither begins with the other: the first differing bit decides
				return aFirst
			}
			return bFirst
		}
		sa, sb := string(ca.octets), string(cb.octets)
		common := min(len(sa), len(sb))
		switch {
		case sa[:common] < sb[:common]:
			return aFirst
		case sa[:common] > sb[:common]:
			return bFirst
		case len(sa) > len(sb):
			return aFirst
		case len(sa) < len(sb):
			return bFirst
		}
	}
	return 0
}
