package flowspec

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/packet"
)

// The pools are small, so that rules share components, prefixes nest, and packets hit.
var (
	pool4       = []string{"0.0.0.0", "10.0.0.0", "10.1.0.0", "10.1.2.0", "10.1.2.3", "128.0.0.0", "255.255.255.255"}
	pool6       = []string{"::", "2001:db8::", "2001:db8::1234:5678:9a00:0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.1.2.3"}
	numbers     = []uint64{0, 1, 2, 6, 7, 8, 17, 53, 58, 63, 64, 80, 255, 256, 300, 443, 4095, 4096, 65535, 65536, 0xfffff, 0x100000, 1<<32 - 1, 1 << 32, 1<<64 - 1}
	allFamilies = []Family{IPv4, IPv6, VPNv4, VPNv6}
)

// property checks a property twenty times as often as rapid does by itself: a check takes microseconds.
func property(t *testing.T, holds func(*rapid.T)) {
	t.Helper()
	for range 20 {
		rapid.Check(t, holds)
	}
}

// octets draws an NLRI that is valid and often not canonical: ignored bits are set, the long length form is used.
func octets(t *rapid.T, f Family, maxComponents int) []byte {
	v6 := f.v6()
	var body []byte
	if f.VPN() {
		body = append(body, rapid.SampledFrom([]string{"\x00\x00\xfd\xe8\x00\x00\x00\x01", "\x00\x00\xfd\xe8\x00\x00\x00\x02"}).Draw(t, "rd")...)
	}
	last := 12
	if v6 {
		last = 13
	}
	chosen := map[int]bool{}
	for range rapid.IntRange(1, maxComponents).Draw(t, "components") {
		chosen[rapid.IntRange(1, last).Draw(t, "type")] = true
	}
	for typ := 1; typ <= last; typ++ {
		if !chosen[typ] {
			continue
		}
		body = append(body, byte(typ))
		if typ <= 2 {
			body = append(body, prefixOctets(t, v6)...)
		} else {
			body = append(body, listOctets(t, Type(typ))...)
		}
	}
	if len(body) >= 240 || rapid.IntRange(0, 9).Draw(t, "long form") == 0 {
		return append([]byte{0xf0 | byte(len(body)>>8), byte(len(body))}, body...)
	}
	return append([]byte{byte(len(body))}, body...)
}

func prefixOctets(t *rapid.T, v6 bool) []byte {
	if !v6 {
		length := rapid.SampledFrom([]int{0, 1, 8, 9, 15, 16, 24, 31, 32}).Draw(t, "length")
		a := netip.MustParseAddr(rapid.SampledFrom(pool4).Draw(t, "address")).As4()
		return append([]byte{byte(length)}, a[:(length+7)/8]...) // host bits stay
	}
	length := rapid.SampledFrom([]int{0, 1, 8, 32, 33, 64, 65, 104, 127, 128}).Draw(t, "length")
	offset := 0
	if length > 0 {
		offset = rapid.SampledFrom([]int{0, 0, 0, 1, length / 2, length - 1}).Draw(t, "offset")
		offset = min(offset, length-1)
	}
	a := netip.MustParseAddr(rapid.SampledFrom(pool6).Draw(t, "address")).As16()
	return append([]byte{byte(length), byte(offset)}, a[:(length-offset+7)/8]...)
}

func listOctets(t *rapid.T, typ Type) []byte {
	var b []byte
	n := rapid.IntRange(1, 4).Draw(t, "pairs")
	if rapid.IntRange(0, 60).Draw(t, "long list") == 0 {
		n = rapid.IntRange(40, 120).Draw(t, "pairs")
	}
	for i := range n {
		op := rapid.Byte().Draw(t, "op") &^ 0xb0
		if rapid.Bool().Draw(t, "clean") {
			op &= 0x47
		}
		width := rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2, 3}).Draw(t, "width")
		switch {
		case typ == TCPFlags:
			width = min(width, 1)
		case typ == DSCP || typ == Fragment:
			width = 0
		}
		op |= byte(width) << 4
		if i == n-1 {
			op |= 0x80
		}
		b = append(b, op)
		value := rapid.SampledFrom(numbers).Draw(t, "value")
		if typ.Bitmask() {
			value = uint64(rapid.Uint16().Draw(t, "bits")) & uint64(rapid.SampledFrom([]int{0x02, 0x0f, 0x12, 0xff, 0x1ff, 0xffff}).Draw(t, "mask"))
		}
		for o := 1<<width - 1; o >= 0; o-- {
			b = append(b, byte(value>>(8*o)))
		}
	}
	return b
}

// header draws a packet likely to meet the values of r.
func header(t *rapid.T, r slowRule) packet.Header {
	var values []uint64
	h := packet.Header{Dst: address(t, r, 1), Src: address(t, r, 2)}
	for _, c := range r.components {
		for _, p := range c.pairs {
			values = append(values, p.value, p.value-1, p.value+1)
		}
	}
	values = append(values, 0, 1, 53, 80, 1<<20-1)
	near := func(label string, limit uint64) uint64 {
		return rapid.SampledFrom(values).Draw(t, label) % (limit + 1)
	}
	h.Proto = uint8(near("proto", 255))
	if rapid.IntRange(0, 3).Draw(t, "usual") > 0 {
		h.Proto = rapid.SampledFrom([]uint8{1, 6, 6, 17, 58}).Draw(t, "proto")
	}
	h.Length, h.DSCP = uint16(near("length", 65535)), uint8(near("dscp", 63))
	h.Fragment = rapid.SampledFrom([]packet.Fragment{packet.Whole, packet.Whole, packet.First, packet.Middle, packet.Last}).Draw(t, "fragment")
	if r.v6 {
		h.Label = uint32(near("label", 0xfffff))
	} else {
		h.DF = rapid.Bool().Draw(t, "df")
	}
	if h.Fragment == packet.Middle || h.Fragment == packet.Last {
		return h
	}
	switch {
	case h.Proto == 6 || h.Proto == 17:
		h.SrcPort, h.DstPort = uint16(near("source port", 65535)), uint16(near("destination port", 65535))
		if h.Proto == 6 {
			h.Flags = uint16(near("flags", 0xfff))
		}
	case h.Proto == 1 && !r.v6, h.Proto == 58 && r.v6:
		h.ICMPType, h.ICMPCode = uint8(near("icmp type", 255)), uint8(near("icmp code", 255))
	}
	return h
}

// address draws an address: often one inside the prefix component typ of r, or one that misses it by a bit.
func address(t *rapid.T, r slowRule, typ byte) netip.Addr {
	pool := pool4
	if r.v6 {
		pool = pool6
	}
	a := netip.MustParseAddr(rapid.SampledFrom(pool).Draw(t, "address"))
	bits := []byte(bitString(a))
	for _, c := range r.components {
		if c.typ == typ && rapid.IntRange(0, 4).Draw(t, "inside") > 0 {
			copy(bits[c.offset:], c.bits)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "flip") == 0 {
		bits[rapid.IntRange(0, len(bits)-1).Draw(t, "bit")] ^= 1
	}
	raw := make([]byte, len(bits)/8)
	for i, bit := range bits {
		raw[i/8] = raw[i/8]<<1 | bit&1
	}
	b, _ := netip.AddrFromSlice(raw)
	return b
}
