package nftables

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// conditions returns what all of list match.
func (r *reader) conditions(list []statement, around filter.Match) (filter.Match, error) {
	m := around
	for _, s := range list {
		if err := r.condition(&m, s.cond); err != nil {
			return m, fmt.Errorf("%s: %w", s.cond, err)
		}
	}
	return m, nil
}

// layers are the protocols that a field asks for by its name (nft adds that condition itself).
var layers = map[string]uint32{"tcp sport": 6, "tcp dport": 6, "tcp flags": 6, "tcp reserved": 6, "udp sport": 17, "udp dport": 17,
	"icmp type": 1, "icmp code": 1, "icmpv6 type": 58, "icmpv6 code": 58}

func (r *reader) condition(m *filter.Match, c cond) error {
	if n, ok := layers[c.field]; ok {
		narrow(&m.Proto, packet.Values{{Lo: n, Hi: n}})
	}
	if r.v == packet.IPv4 && (c.field == "ip6 flowlabel" || c.field == "ip6 dscp") || r.v == packet.IPv6 && (c.field == "ip dscp" || c.field == "ip frag-off") {
		return errors.New("it is of the other IP version")
	}
	if f, ok := numberFields[c.field]; ok {
		return r.number(f.of(m), f, c)
	}
	switch {
	case c.field == axes[0].field(r.v):
		return r.address(&m.Dst, c)
	case c.field == axes[1].field(r.v):
		return r.address(&m.Src, c)
	case c.field == "ip frag-off":
		return r.fragments(m, c)
	case c.field == bothPorts:
		return r.ports(m, c)
	}
	return r.flags(m, c)
}

// bothPorts is what nft makes of `th sport A th dport B`: one field of four octets.
const bothPorts = "@th,0,32"

func (r *reader) ports(m *filter.Match, c cond) error {
	n, err := wordNumber(nil, c.value.lo, 1<<32-1)
	if err != nil || c.masked || c.not || c.set != "" || c.value.lo != c.value.hi {
		return errors.New("it is not understood")
	}
	narrow(&m.SrcPort, packet.Values{{Lo: n >> 16, Hi: n >> 16}})
	narrow(&m.DstPort, packet.Values{{Lo: n & 0xffff, Hi: n & 0xffff}})
	return nil
}

// narrow leaves in vs what is in by as well.
func narrow(vs *packet.Values, by packet.Values) { *vs = vs.And(by) }

// numberField is a field that is a number: the words its numbers may be shown as, its largest number, and its place in a match.
type numberField struct {
	words map[string]uint32
	max   uint32
	of    func(*filter.Match) *packet.Values
}

// octets is the largest number that fits into the octets of the field: nft shows it as the end of a range that goes on to the largest of the field.
func (f numberField) octets() uint32 {
	most := uint32(0xff)
	for most < f.max {
		most = most<<8 | 0xff
	}
	return most
}

var numberFields = func() map[string]numberField {
	src := func(m *filter.Match) *packet.Values { return &m.SrcPort }
	dst := func(m *filter.Match) *packet.Values { return &m.DstPort }
	typ := func(m *filter.Match) *packet.Values { return &m.ICMPType }
	code := func(m *filter.Match) *packet.Values { return &m.ICMPCode }
	dscp := func(m *filter.Match) *packet.Values { return &m.DSCP }
	return map[string]numberField{
		"meta l4proto": {protocolWords, 255, func(m *filter.Match) *packet.Values { return &m.Proto }},
		"th sport":     {nil, 65535, src}, "tcp sport": {nil, 65535, src}, "udp sport": {nil, 65535, src},
		"th dport": {nil, 65535, dst}, "tcp dport": {nil, 65535, dst}, "udp dport": {nil, 65535, dst},
		"icmp type": {icmpTypeWords, 255, typ}, "icmpv6 type": {icmpv6TypeWords, 255, typ},
		"icmp code": {icmpCodeWords, 255, code}, "icmpv6 code": {icmpv6CodeWords, 255, code},
		"meta length": {nil, 65535, func(m *filter.Match) *packet.Values { return &m.Length }},
		"ip dscp":     {dscpWords, 63, dscp}, "ip6 dscp": {dscpWords, 63, dscp},
		"ip6 flowlabel": {nil, 1<<20 - 1, func(m *filter.Match) *packet.Values { return &m.Label }},
	}
}()

// number narrows a list of numbers.
func (r *reader) number(to *packet.Values, f numberField, c cond) error {
	if c.masked {
		return errors.New("a mask over it is not understood")
	}
	vs, err := r.values(c, func(s string) (uint32, error) { return wordNumber(f.words, s, f.octets()) })
	if err != nil {
		return err
	}
	if vs = vs.And(packet.Values{{Lo: 0, Hi: f.max}}); c.not {
		vs = vs.Not(f.max) // nil where nothing was left out
	}
	narrow(to, vs)
	return nil
}

// values returns what c compares with, a value, a range or the elements of a set. It is never nil.
func (r *reader) values(c cond, number func(string) (uint32, error)) (packet.Values, error) {
	elements := []element{c.value}
	if c.set != "" {
		s := r.sets[c.set]
		if s == nil {
			return nil, fmt.Errorf("set %s is not there", c.set)
		}
		r.take("set", c.set)
		elements = s.elements
	}
	spans := make([]packet.Span, 0, len(elements))
	for _, e := range elements {
		lo, err := number(e.lo)
		hi, err2 := number(e.hi)
		if err := errors.Join(err, err2); err != nil {
			return nil, err
		}
		if lo > hi {
			return nil, fmt.Errorf("the range %s runs backwards", e)
		}
		spans = append(spans, packet.Span{Lo: lo, Hi: hi})
	}
	return packet.NewValues(spans...), nil
}

func (r *reader) address(to **netip.Prefix, c cond) error {
	if c.not || c.masked || c.set != "" || c.value.lo != c.value.hi {
		return errors.New("sluice asks for one prefix")
	}
	if *to != nil {
		return errors.New("a second prefix; sluice writes one for each rule")
	}
	text := c.value.lo
	p, err := netip.ParsePrefix(text)
	if a, err2 := netip.ParseAddr(text); err2 == nil {
		p, err = netip.PrefixFrom(a.WithZone(""), a.BitLen()), nil
	}
	if err != nil || p != p.Masked() || p.Addr().BitLen() != lowest(r.v).BitLen() || p.Addr().Is4In6() {
		return fmt.Errorf("want a prefix of IPv%d without bits behind its length", r.v)
	}
	*to = &p
	return nil
}

// fragments reads a condition on the DF and MF bits and the fragment offset. It must treat all packets of one state alike.
func (r *reader) fragments(m *filter.Match, c cond) error {
	key := c.String()
	f, known := r.frags[key]
	if !known {
		var err error
		if f, err = r.states(c); err != nil {
			return err
		}
		r.frags[key] = f
	} else if c.set != "" {
		r.take("set", c.set)
	}
	if m.Fragments == 0 {
		m.Fragments = packet.AnyFrags
	}
	if m.Fragments &= f; m.Fragments == 0 {
		return errors.New("no packet has the fragment offset and flags asked for")
	}
	return nil
}

// states returns the states whose values of the fragment word c holds for.
func (r *reader) states(c cond) (packet.Frags, error) {
	number := func(s string) (uint32, error) { return wordNumber(nil, s, 0xffff) }
	mask := uint32(0xffff)
	var err error
	if c.masked {
		if mask, err = number(c.mask); err != nil {
			return 0, err
		}
	}
	if mask > 0x7fff {
		return 0, errors.New("it looks at the reserved bit")
	}
	vs, err := r.values(c, number)
	if err != nil {
		return 0, err
	}
	var f packet.Frags
	for i, s := range fragmentWords {
		first := vs.Has(s.Lo&mask) != c.not
		for n := s.Lo; n <= s.Hi; n++ {
			if vs.Has(n&mask) != c.not != first {
				return 0, errors.New("it tells fragment offsets apart")
			}
		}
		if first {
			f |= 1 << i
		}
	}
	return f, nil
}
