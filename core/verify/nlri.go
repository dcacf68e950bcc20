package verify

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
)

// component is one condition of an NLRI, as its octets say it.
type component struct {
	kind         byte
	list         []byte   // operators and values, where it is no prefix
	bits, offset int      // of a prefix
	pattern      [16]byte // of a prefix: bits-offset bits from the left
}

// nlri is a FlowSpec NLRI, taken apart.
type nlri struct {
	plane string // the packets that it can meet: family and route distinguisher
	list  []component
	set   packet.Set
}

// fields are the component types that are lists (RFC 8955 §4.2.2, RFC 8956 §3): the largest number of the field, and the most octets of a value.
var fields = [14]struct {
	max   uint64
	width int
}{3: {255, 8}, 4: {65535, 8}, 5: {65535, 8}, 6: {65535, 8}, 7: {255, 8}, 8: {255, 8}, 9: {65535, 2}, 10: {65535, 8}, 11: {63, 1}, 12: {15, 1}, 13: {1<<20 - 1, 8}}

// readNLRI decodes octets that are well-formed and canonical; nothing else is sent.
func readNLRI(family, text string) (nlri, error) {
	if !slices.Contains([]string{"ipv4", "ipv6", "vpnv4", "vpnv6"}, family) {
		return nlri{}, fmt.Errorf("no family %q", family)
	}
	v6, vpn := strings.HasSuffix(family, "6"), strings.HasPrefix(family, "vpn")
	b, err := hex.DecodeString(text)
	if err != nil || len(b) < 2 {
		return nlri{}, errors.New("no octets in hexadecimal")
	}
	length, head := int(b[0]), 1
	if length >= 240 { // RFC 8955 §4.1
		length, head = int(b[0]&15)<<8|int(b[1]), 2
	}
	if length != len(b)-head || head == 2 && length < 240 {
		return nlri{}, errors.New("the length octets do not fit")
	}
	out, b := nlri{plane: family}, b[head:]
	if vpn {
		if len(b) < 8 {
			return nlri{}, errors.New("no route distinguisher")
		}
		out.plane, b = family+" "+hex.EncodeToString(b[:8]), b[8:]
	}
	w := condition{Box: packet.Everything(packet.IPv4)}
	if v6 {
		w.Box = packet.Everything(packet.IPv6)
	}
	for last := byte(0); len(b) > 0; {
		c, n, err := readComponent(&w, b, v6)
		switch {
		case err != nil:
			return nlri{}, fmt.Errorf("component %d: %w", b[0], err)
		case c.kind <= last:
			return nlri{}, fmt.Errorf("component %d after component %d", c.kind, last)
		}
		out.list, b, last = append(out.list, c), b[n:], c.kind
	}
	if out.list == nil {
		return nlri{}, errors.New("no component")
	}
	// RFC 8955 §4.2.2: a component on ports, TCP flags or ICMP matches only that protocol, at offset zero.
	out.set = w.packets(certificate.Semantics{PortsCheckProtocol: true, FlagsCheckProtocol: true, ICMPChecksProtocol: true, TransportChecksOffset: true})
	return out, nil
}

// readComponent decodes the component that b begins with, and narrows w to it. It returns how many octets that took.
func readComponent(w *condition, b []byte, v6 bool) (c component, n int, err error) {
	c.kind = b[0]
	switch {
	case c.kind == 1 || c.kind == 2:
		addrs, n, err := c.readPrefix(b, v6)
		if c.kind == 1 {
			w.Dst = addrs
		} else {
			w.Src = addrs
		}
		return c, n, err
	case c.kind == 0 || c.kind > 13 || c.kind == 13 && !v6:
		return c, 0, errors.New("unknown")
	}
	terms, n, err := readTerms(c.kind, b[1:], v6)
	if err != nil {
		return c, 0, err
	}
	c.list = b[1 : 1+n]
	w.narrow(c.kind, terms)
	return c, 1 + n, nil
}

// readPrefix decodes a prefix: RFC 8955 §4.2.2.1, RFC 8956 §3.1.
func (c *component) readPrefix(b []byte, v6 bool) (packet.Addrs, int, error) {
	head, most := 2, 32
	if v6 {
		head, most = 3, 128
	}
	if len(b) < head {
		return packet.Addrs{}, 0, errors.New("cut short")
	}
	c.bits = int(b[1])
	if v6 {
		c.offset = int(b[2])
	}
	size := (c.bits - c.offset + 7) / 8
	if c.bits > most || c.offset > 0 && c.offset >= c.bits || len(b) < head+size {
		return packet.Addrs{}, 0, errors.New("a length or offset that cannot be")
	}
	copy(c.pattern[:], b[head:head+size])
	if c.common(c.bits-c.offset) != netip.AddrFrom16(c.pattern) {
		return packet.Addrs{}, 0, errors.New("bits behind the prefix")
	}
	if !v6 {
		return packet.AddrsIn(netip.PrefixFrom(netip.AddrFrom4([4]byte(c.pattern[:4])), c.bits)), head + size, nil
	}
	var value, mask [16]byte // the pattern moved behind the offset
	for i := c.offset; i < c.bits; i++ {
		from := i - c.offset
		mask[i/8] |= 0x80 >> (i % 8)
		value[i/8] |= c.pattern[from/8] >> (7 - from%8) & 1 << (7 - i%8)
	}
	if c.offset == 0 {
		return packet.AddrsIn(netip.PrefixFrom(netip.AddrFrom16(value), c.bits)), head + size, nil
	}
	return packet.AddrsLike(netip.AddrFrom16(value), netip.AddrFrom16(mask)), head + size, nil
}

// common returns the first n bits of the pattern.
func (c *component) common(n int) netip.Addr {
	return netip.PrefixFrom(netip.AddrFrom16(c.pattern), n).Masked().Addr()
}

// term is one operator and its value.
type term struct {
	op    byte // without end, AND and length
	and   bool
	value uint64
}

// readTerms decodes the list that b begins with (RFC 8955 §4.2.1), and returns how many octets it has.
func readTerms(kind byte, b []byte, v6 bool) (out []term, n int, err error) {
	bitmask := kind == 9 || kind == 12
	for end := false; !end; {
		if n >= len(b) {
			return nil, 0, errors.New("the list does not end")
		}
		op, width := b[n], 1<<(b[n]>>4&3)
		if n+1+width > len(b) || width > fields[kind].width {
			return nil, 0, errors.New("a value that is cut short or too long")
		}
		var value [8]byte
		copy(value[8-width:], b[n+1:])
		t := term{op: op & 7, and: op&0x40 != 0, value: binary.BigEndian.Uint64(value[:])}
		if op&8 != 0 || bitmask && op&4 != 0 || n == 0 && t.and ||
			(kind == 11 || kind == 12) && t.value > fields[kind].max || kind == 12 && v6 && t.value&1 != 0 {
			return nil, 0, errors.New("a reserved bit is set")
		}
		out, n, end = append(out, t), n+1+width, op&0x80 != 0
	}
	return out, n, nil
}

// compare orders NLRIs of one plane as RFC 8955 §5.1 and RFC 8956 §4 do: negative where a is evaluated first.
func compare(a, b []component) int {
	for i := range min(len(a), len(b)) {
		x, y := &a[i], &b[i]
		order := cmp.Compare(x.kind, y.kind) // the lower type
		switch {
		case order != 0:
		case x.kind <= 2: // the lower offset; then of overlapping prefixes the longer, else the lower
			n := min(x.bits, y.bits) - x.offset
			order = cmp.Or(cmp.Compare(x.offset, y.offset), x.common(n).Compare(y.common(n)), cmp.Compare(y.bits, x.bits))
		default: // the lower octets; if one list begins the other, the longer
			n := min(len(x.list), len(y.list))
			order = cmp.Or(bytes.Compare(x.list[:n], y.list[:n]), cmp.Compare(len(y.list), len(x.list)))
		}
		if order != 0 {
			return order
		}
	}
	return cmp.Compare(len(b), len(a)) // the one with more components
}
