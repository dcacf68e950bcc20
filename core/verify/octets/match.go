package octets

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Match is what an NLRI asks of a packet.
type Match struct {
	Plane   string // the packets that it can meet: family and route distinguisher
	Version packet.Version
	// Key is such that NLRIs of one plane are evaluated in the order of their keys, and are the same exactly if those are. It is RFC 8955 §5.1 and RFC 8956 §4: type
	// and octets of each component, the lower first. No list is the beginning of another one, since the last operator of a list says that it is. Prefixes stand in
	// it bit by bit, with an end above any bit: of two that overlap the longer is first. So is, of two NLRIs, the one with more components.
	Key string
	Set packet.Set
}

// Routes is what a device looks at for a component of a route beside its field: RFC 8955 §4.2.2.
var Routes = certificate.Semantics{PortsCheckProtocol: true, FlagsCheckProtocol: true, ICMPChecksProtocol: true, TransportChecksOffset: true}

var families = map[string]struct {
	version packet.Version
	rd      int // octets of a route distinguisher
}{"ipv4": {packet.IPv4, 0}, "ipv6": {packet.IPv6, 0}, "vpnv4": {packet.IPv4, 8}, "vpnv6": {packet.IPv6, 8}}

// ReadMatch decodes an NLRI in hexadecimal that is well-formed and canonical; nothing else is sent. Whoever evaluates it looks by itself at what checks says.
func ReadMatch(family, nlri string, checks certificate.Semantics) (Match, error) {
	b, err := hex.DecodeString(nlri)
	in := &reader{left: b, whole: len(b), fault: err}
	length := int(in.take(1)[0])
	if length >= 240 { // RFC 8955 §4.1
		length = length&15<<8 | int(in.take(1)[0])
		in.refuse(length < 240, "a short length in two octets")
	}
	in.refuse(length != len(in.left), "the length octets do not fit")
	f, ok := families[family]
	in.refuse(!ok, "no family of that name")
	plane := family + hex.EncodeToString(in.take(f.rd))
	in.refuse(len(in.left) == 0, "no component")

	box := packet.Everything(f.version)
	var port packet.Values // source or destination
	numbered := [...]*packet.Values{3: &box.Proto, 4: &port, 5: &box.DstPort, 6: &box.SrcPort, 7: &box.ICMPType, 8: &box.ICMPCode, 10: &box.Length, 11: &box.DSCP, 13: &box.Label}
	for last := byte(0); len(in.left) > 0 && in.fault == nil; {
		kind := in.take(1)[0]
		in.refuse(kind <= last || kind > 13 || kind == 13 && f.version == packet.IPv4, "a component that is unknown or in the wrong place")
		in.key, last = append(in.key, kind), kind
		switch {
		case in.fault != nil:
		case kind == 1:
			box.Dst = in.prefix(f.version)
		case kind == 2:
			box.Src = in.prefix(f.version)
		case kind == 9:
			box.Flags = readList(in, flags, 2, 0xffff)
		case kind == 11:
			box.DSCP = readList(in, numbers, 1, 63)
		case kind == 12 && f.version == packet.IPv6: // without DF
			box.Frags &= readList(in, fragments, 1, 14)
		case kind == 12:
			box.Frags &= readList(in, fragments, 1, 15)
		default:
			*numbered[kind] = numbered[kind].And(readList(in, numbers, 8, math.MaxUint64))
		}
		imply(&box, kind, checks)
	}
	out := Match{Plane: plane, Version: f.version, Key: string(append(in.key, 0xff)), Set: packet.Of(box)}
	if port != nil {
		other := box
		box.DstPort, other.SrcPort = box.DstPort.And(port), box.SrcPort.And(port)
		out.Set = packet.Of(box, other)
	}
	return out, in.fault
}

// The protocols that have certain fields.
var (
	tcp       = packet.NewValues(packet.Span{Lo: 6, Hi: 6})
	tcpAndUDP = packet.NewValues(packet.Span{Lo: 6, Hi: 6}, packet.Span{Lo: 17, Hi: 17})
	icmp      = map[packet.Version]packet.Values{packet.IPv4: packet.NewValues(packet.Span{Lo: 1, Hi: 1}), packet.IPv6: packet.NewValues(packet.Span{Lo: 58, Hi: 58})}
)

// imply narrows b to what is looked at beside the field of a component, where that is behind the IP header.
func imply(b *packet.Box, kind byte, checks certificate.Semantics) {
	checked, protocols := false, packet.Values(nil)
	switch kind {
	case 4, 5, 6:
		checked, protocols = checks.PortsCheckProtocol, tcpAndUDP
	case 7, 8:
		checked, protocols = checks.ICMPChecksProtocol, icmp[b.Version]
	case 9:
		checked, protocols = checks.FlagsCheckProtocol, tcp
	default:
		return
	}
	if checked {
		b.Proto = b.Proto.And(protocols)
	}
	if checks.TransportChecksOffset {
		b.Frags &= packet.OffsetZero
	}
}

// reader reads octets. The first fault stays.
type reader struct {
	left  []byte
	whole int    // how many there were
	key   []byte // so far
	fault error
}

func (r *reader) refuse(wrong bool, reason string) {
	if wrong && r.fault == nil {
		r.fault = fmt.Errorf("%s, up to octet %d", reason, r.whole-len(r.left))
	}
}

// take returns the next n octets; zeros where there are fewer, which is a fault.
func (r *reader) take(n int) []byte {
	if r.refuse(n > len(r.left), "cut short"); r.fault != nil {
		return make([]byte, n)
	}
	out := r.left[:n]
	r.left = r.left[n:]
	return out
}

// prefix reads a prefix: RFC 8955 §4.2.2.1, RFC 8956 §3.1.
func (r *reader) prefix(v packet.Version) packet.Addrs {
	end, offset, most := int(r.take(1)[0]), 0, 32
	if v == packet.IPv6 {
		offset, most = int(r.take(1)[0]), 128
	}
	r.refuse(end > most || offset > 0 && offset >= end, "a length or offset that cannot be")
	pattern := r.take(max(0, end-offset+7) / 8)
	if r.fault != nil {
		return packet.Addrs{}
	}
	var value, mask [16]byte // the pattern moved behind the offset
	r.key = append(r.key, byte(offset))
	for i := range 8 * len(pattern) {
		bit, at := pattern[i/8]>>(7-i%8)&1, offset+i
		if at >= end {
			r.refuse(bit != 0, "bits behind the prefix")
			continue
		}
		r.key = append(r.key, bit)
		value[at/8] |= bit << (7 - at%8)
		mask[at/8] |= 0x80 >> (at % 8)
	}
	r.key = append(r.key, 2)
	if v == packet.IPv6 {
		return packet.AddrsLike(netip.AddrFrom16(value), netip.AddrFrom16(mask))
	}
	return packet.AddrsIn(netip.PrefixFrom(netip.AddrFrom4([4]byte(value[:4])), end))
}

// algebra is how the operators of a list are put together.
type algebra[T any] struct {
	none, every T
	and, or     func(T, T) T
	holds       func(op byte, value uint64) T // what one operator is true for
	reserved    byte                          // bits of an operator
}

var (
	numbers   = algebra[packet.Values]{packet.NewValues(), nil, packet.Values.And, packet.Values.Or, numbersOf, 8}
	flags     = algebra[packet.Flags]{packet.FlagsAny(0), packet.Flags{}, packet.Flags.And, packet.Flags.Or, flagsOf, 12}
	fragments = algebra[packet.Frags]{0, packet.AnyFrags, func(a, b packet.Frags) packet.Frags { return a & b },
		func(a, b packet.Frags) packet.Frags { return a | b }, fragmentsOf, 12}
)

// readList reads operators and values up to the last, and returns what the list is true for: AND binds tighter than OR (RFC 8955 §4.2.1).
func readList[T any](r *reader, of algebra[T], widest int, bits uint64) T {
	any, all := of.none, of.none
	for first, end := true, false; !end && r.fault == nil; first = false {
		op := r.take(1)[0]
		width, and := 1<<(op>>4&3), op&0x40 != 0
		value := make([]byte, 8)
		copy(value[8-width:], r.take(width))
		r.key = append(append(r.key, op), value[8-width:]...)
		n := binary.BigEndian.Uint64(value)
		r.refuse(op&of.reserved != 0 || first && and || width > widest || n&^bits != 0, "a reserved bit is set, or a value is too long")
		if !and {
			any, all = of.or(any, all), of.every
		}
		all, end = of.and(all, of.holds(op, n)), op&0x80 != 0
	}
	return of.or(any, all)
}

// numbersOf returns the numbers for which an operator is true (RFC 8955 §4.2.1.1), also above those that the field can hold.
func numbersOf(op byte, n uint64) packet.Values {
	var out []packet.Span
	if op&4 != 0 && n > 0 {
		out = append(out, packet.Span{Hi: uint32(min(n-1, math.MaxUint32))})
	}
	if op&2 != 0 && n < math.MaxUint32 {
		out = append(out, packet.Span{Lo: uint32(n + 1), Hi: math.MaxUint32})
	}
	if op&1 != 0 && n <= math.MaxUint32 {
		out = append(out, packet.Span{Lo: uint32(n), Hi: uint32(n)})
	}
	return packet.NewValues(out...)
}

// flagsOf returns the TCP flag words for which an operator is true (RFC 8955 §4.2.1.2): bit 0 is "match", bit 1 is "not".
func flagsOf(op byte, mask uint64) packet.Flags {
	f := packet.FlagsAny(uint16(mask))
	if op&1 != 0 {
		f = packet.FlagsAll(uint16(mask))
	}
	if op&2 != 0 {
		f = f.Not()
	}
	return f
}

// fragmentsOf returns the fragment states for which an operator is true (RFC 8955 §4.2.2.12): DF 1, IsF 2, FF 4, LF 8.
func fragmentsOf(op byte, mask uint64) (out packet.Frags) {
	for i := range 8 {
		bits := [...]uint64{packet.Whole: 0, packet.First: 4, packet.Middle: 2, packet.Last: 10}[i%4] | uint64(i/4)
		holds := bits&mask != 0
		if op&1 != 0 {
			holds = bits&mask == mask
		}
		if holds != (op&2 != 0) {
			out |= 1 << i
		}
	}
	return out
}
