package dataplane_test

import (
	"encoding/binary"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/packet"
)

// shape is what the octets of a packet have beyond its header: what the packet model does not look at.
type shape struct {
	ecn        byte
	offset     uint16 // of later fragments, in units of 8 octets
	extensions []byte // IPv6: extension headers in front of the fragment header, by number: 0, 43, 60
	behind     []byte // those behind it, only where the offset is zero
	atomic     bool   // IPv6: a fragment header in a whole packet
	options    int    // IPv4: octets of options, a multiple of 4
	payload    []byte // what stands where a transport header would be, in packets that have none that the model knows
}

// octets returns the packet that h and s describe. It is as long as h says; what does not fit is cut off.
func octets(h packet.Header, s shape) []byte {
	var p []byte
	if h.Version() == packet.IPv4 {
		p = ipv4(h, s)
	} else {
		p = ipv6(h, s)
	}
	return p
}

// least is the shortest that h can be with its transport header whole.
func least(h packet.Header, s shape) int {
	n := 20 + s.options
	if h.Version() == packet.IPv6 {
		n = 40 + 8*(len(s.extensions)+len(s.behind))
		if h.Fragment != packet.Whole || s.atomic {
			n += 8
		}
	}
	if h.Fragment > packet.First {
		return n
	}
	switch {
	case h.Proto == 6:
		return n + 20
	case h.Proto == 17, h.Proto == icmpOf(h):
		return n + 8
	}
	return n
}

func icmpOf(h packet.Header) uint8 {
	if h.Version() == packet.IPv6 {
		return 58
	}
	return 1
}

// fitted returns p with n octets.
func fitted(p []byte, n int) []byte {
	if len(p) >= n {
		return p[:n]
	}
	return append(p, make([]byte, n-len(p))...)
}

func ipv4(h packet.Header, s shape) []byte {
	p := make([]byte, 20+s.options)
	p[0] = 0x40 | byte(len(p)/4)
	for i := 20; i < len(p); i++ {
		p[i] = 1 // no operation
	}
	p[1] = h.DSCP<<2 | s.ecn
	binary.BigEndian.PutUint16(p[2:], h.Length)
	binary.BigEndian.PutUint16(p[4:], 0x5155)
	binary.BigEndian.PutUint16(p[6:], fragmentWord(h, s))
	if h.DF {
		p[6] |= 0x40
	}
	p[8], p[9] = 64, h.Proto
	src, dst := h.Src.As4(), h.Dst.As4()
	copy(p[12:], src[:])
	copy(p[16:], dst[:])
	binary.BigEndian.PutUint16(p[10:], checksum(p))
	return fitted(append(p, transport(h, s)...), int(h.Length))
}

// fragmentWord is the MF bit and the offset as IPv4 has them.
func fragmentWord(h packet.Header, s shape) uint16 {
	var w uint16
	if h.Fragment == packet.First || h.Fragment == packet.Middle {
		w = 0x2000
	}
	if h.Fragment > packet.First {
		w |= s.offset
	}
	return w
}

func checksum(p []byte) uint16 {
	var sum uint32
	for i := 0; i < len(p); i += 2 {
		sum += uint32(p[i])<<8 | uint32(p[i+1])
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

func ipv6(h packet.Header, s shape) []byte {
	p := make([]byte, 40)
	binary.BigEndian.PutUint32(p, 6<<28|uint32(h.DSCP)<<22|uint32(s.ecn)<<20|h.Label)
	binary.BigEndian.PutUint16(p[4:], h.Length-40)
	p[7] = 64
	src, dst := h.Src.As16(), h.Dst.As16()
	copy(p[8:], src[:])
	copy(p[24:], dst[:])
	next := 6 // where the number of the next header stands
	add := func(number byte, header []byte) {
		p[next] = number
		next = len(p)
		p = append(p, header...)
	}
	for _, n := range s.extensions {
		add(n, extension(n))
	}
	if h.Fragment != packet.Whole || s.atomic {
		frag := make([]byte, 8)
		w := fragmentWord(h, s)
		binary.BigEndian.PutUint16(frag[2:], w&0x1fff<<3|w>>13)
		binary.BigEndian.PutUint32(frag[4:], 0x51555155)
		add(44, frag)
	}
	for _, n := range s.behind {
		add(n, extension(n))
	}
	p[next] = h.Proto
	return fitted(append(p, transport(h, s)...), int(h.Length))
}

// extension returns an extension header of 8 octets that asks for nothing.
func extension(n byte) []byte {
	if n == 43 {
		return []byte{0, 0, 253, 0, 0, 0, 0, 0} // of a type for experiments (RFC 3692), with no segments left
	}
	return []byte{0, 0, 1, 4, 0, 0, 0, 0} // PadN
}

// transport returns what stands behind the IP header.
func transport(h packet.Header, s shape) []byte {
	if h.Fragment > packet.First {
		return s.payload
	}
	p := make([]byte, 20)
	switch h.Proto {
	case 6:
		binary.BigEndian.PutUint16(p, h.SrcPort)
		binary.BigEndian.PutUint16(p[2:], h.DstPort)
		binary.BigEndian.PutUint16(p[12:], 5<<12|h.Flags)
		return p
	case 17:
		binary.BigEndian.PutUint16(p, h.SrcPort)
		binary.BigEndian.PutUint16(p[2:], h.DstPort)
		binary.BigEndian.PutUint16(p[4:], uint16(max(8, int(h.Length)-20)))
		return p[:8]
	case icmpOf(h):
		p[0], p[1] = h.ICMPType, h.ICMPCode
		return p[:8]
	}
	return s.payload
}

// sentinel returns a packet of the other IP version than v that ends in mark.
func sentinel(v byte, mark []byte) []byte {
	h := packet.Header{Src: netip.MustParseAddr("198.18.0.1"), Dst: netip.MustParseAddr("198.19.0.1"), Proto: 253, Length: uint16(20 + len(mark))}
	if v == 4 {
		h.Src, h.Dst, h.Length = netip.MustParseAddr("2001:2::1"), netip.MustParseAddr("2001:2:0:1::1"), uint16(40+len(mark))
	}
	return octets(h, shape{payload: mark})
}
