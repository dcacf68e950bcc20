package flowspec

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// NewMatch builds a match from components in any order. rd is used by the VPN families only. Widths of 0 become the
// shortest; list order is kept. The error says which component is wrong and why.
//
// NewMatch is stricter than ParseNLRI: what a receiver must ignore (a host bit beyond the prefix length, the DF bit in
// IPv6, a DSCP above 63) is an error here, because whoever wrote it meant something by it.
func NewMatch(f Family, rd RD, components ...Component) (Match, error) {
	if !f.known() {
		return Match{}, fmt.Errorf("family %d is no FlowSpec family", uint8(f))
	}
	if len(components) == 0 {
		return Match{}, fmt.Errorf("a rule without components would match every packet (RFC 8955 §4.2): name at least one")
	}
	sorted, byType := components, func(a, b Component) int { return int(a.Type) - int(b.Type) }
	if !slices.IsSortedFunc(sorted, byType) {
		sorted = slices.Clone(components)
		slices.SortStableFunc(sorted, byType)
	}
	var room [128]byte // most rules are shorter, and the octets are copied once they are counted
	body := room[:0]
	if f.VPN() {
		body = append(body, rd[:]...)
	}
	for i, c := range sorted {
		if i > 0 && c.Type == sorted[i-1].Type {
			return Match{}, fmt.Errorf("%s: stands twice, and a rule has at most one component of each type (RFC 8955 §4.2)", c.Type)
		}
		var err error
		if body, err = AppendComponent(body, f, &sorted[i]); err != nil {
			return Match{}, err
		}
	}
	if len(body) > maxLength {
		return Match{}, tooLong(len(body))
	}
	nlri := append(appendLength(make([]byte, 0, 2+len(body)), len(body)), body...)
	return Match{fam: f, nlri: nlri}, nil
}

// AppendComponent appends the octets of c in family f to b (RFC 8955 §4.2.2, RFC 8956 §3). It is as strict as NewMatch, and says which component is wrong.
func AppendComponent(b []byte, f Family, c *Component) ([]byte, error) {
	b, err := appendComponent(b, f, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Type, err)
	}
	return b, nil
}

// AppendNLRI appends to b the NLRI of family f that has these components, each as AppendComponent writes it and in type order: rules that have components in
// common are put together of the same octets. rd is used by the VPN families only. It does not look into the octets; ParseNLRI does.
func AppendNLRI(b []byte, f Family, rd RD, components ...[]byte) ([]byte, error) {
	n := 0
	if f.VPN() {
		n = len(rd)
	}
	for _, c := range components {
		n += len(c)
	}
	if n > maxLength {
		return nil, tooLong(n)
	}
	b = appendLength(b, n)
	if f.VPN() {
		b = append(b, rd[:]...)
	}
	for _, c := range components {
		b = append(b, c...)
	}
	return b, nil
}

func tooLong(n int) error {
	return fmt.Errorf("the rule takes %d octets and an NLRI has at most %d (RFC 8955 §4.1): write it as several rules", n, maxLength)
}

func appendComponent(b []byte, f Family, c *Component) ([]byte, error) {
	switch {
	case !c.Type.known():
		return nil, fmt.Errorf("unknown component type (RFC 8955 §4.2.2)")
	case c.Type == FlowLabel && !f.v6():
		return nil, fmt.Errorf("exists in IPv6 only (RFC 8956 §3.7)")
	case c.Type.Prefix():
		if len(c.Terms) > 0 {
			return nil, fmt.Errorf("holds a prefix and no list of values")
		}
		return appendPrefix(b, f, c.Type, c.Prefix)
	case c.Prefix != Prefix{}:
		return nil, fmt.Errorf("holds a list of values and no prefix")
	case len(c.Terms) == 0:
		return nil, fmt.Errorf("no value")
	}
	return appendList(b, f, c)
}

func appendPrefix(b []byte, f Family, t Type, p Prefix) ([]byte, error) {
	if err := p.check(f); err != nil {
		return nil, err
	}
	if !f.v6() {
		a := p.Addr.As4()
		b = append(b, byte(t), p.Len)
		return append(b, a[:(p.Len+7)/8]...), nil
	}
	size := (int(p.Len) - int(p.Offset) + 7) / 8
	b = append(b, byte(t), p.Len, p.Offset)
	return append(b, shiftLeft(p.Addr.As16(), int(p.Offset), size)...), nil
}

// check says what is wrong with p as an operand in family f.
func (p Prefix) check(f Family) error {
	switch {
	case !p.Addr.IsValid():
		return fmt.Errorf("no address")
	case p.Addr.Zone() != "":
		return fmt.Errorf("address %s has a zone", p.Addr)
	case p.Addr.Is4() == f.v6():
		return fmt.Errorf("address %s is not of family %s", p.Addr, f)
	case int(p.Len) > p.Addr.BitLen():
		return fmt.Errorf("prefix length %d: %s has %d bits", p.Len, p.Addr, p.Addr.BitLen())
	case !f.v6() && p.Offset != 0:
		return fmt.Errorf("offset %d: only IPv6 prefixes have an offset (RFC 8956 §3.1)", p.Offset)
	case p.Offset >= p.Len && (p.Offset != 0 || p.Len != 0) && f.v6():
		return fmt.Errorf("offset %d must be less than prefix length %d (RFC 8956 §3.1)", p.Offset, p.Len)
	}
	if clean := p.masked(); clean != p.Addr {
		return fmt.Errorf("address %s has bits outside the prefix: write %s", p.Addr, Prefix{clean, p.Offset, p.Len})
	}
	return nil
}

// masked returns the address without the bits outside Offset..Len-1.
func (p Prefix) masked() netip.Addr {
	if p.Addr.Is4() {
		return netip.PrefixFrom(p.Addr, int(p.Len)).Masked().Addr()
	}
	a, mask := p.Addr.As16(), p.mask()
	for i := range a {
		a[i] &= mask[i]
	}
	return netip.AddrFrom16(a)
}

// mask returns the bits Offset..Len-1 of an IPv6 address.
func (p Prefix) mask() [16]byte {
	var m [16]byte
	for bit := int(p.Offset); bit < int(p.Len); bit++ {
		m[bit/8] |= 0x80 >> (bit % 8)
	}
	return m
}

func appendList(b []byte, f Family, c *Component) ([]byte, error) {
	b = append(b, byte(c.Type))
	for i, t := range c.Terms {
		width, err := t.check(f, c.Type, i)
		if err != nil {
			return nil, err
		}
		op := byte(t.Op)
		if t.And {
			op |= andBit
		}
		if i == len(c.Terms)-1 {
			op |= endBit
		}
		var v [8]byte
		binary.BigEndian.PutUint64(v[:], t.Value)
		switch width {
		case 2:
			op |= 0x10
		case 4:
			op |= 0x20
		case 8:
			op |= 0x30
		}
		b = append(b, op)
		b = append(b, v[8-width:]...)
	}
	return b, nil
}

// check says what is wrong with t as term i of a component of type typ, or else how many octets its value takes.
func (t Term) check(f Family, typ Type, i int) (width uint8, err error) {
	switch {
	case t.And && i == 0:
		return 0, fmt.Errorf("value %d: the first value has none before it to be joined to by AND (RFC 8955 §4.2.1)", t.Value)
	case typ.Bitmask() && t.Op > NotAll, t.Op > True:
		return 0, fmt.Errorf("value %d: unknown operator %d (RFC 8955 §4.2.1)", t.Value, t.Op)
	}
	switch limit := uint64(typ.Max()); {
	case typ == DSCP && t.Value > limit:
		return 0, fmt.Errorf("value %d: a DSCP has six bits, 0 to 63 (RFC 8955 §4.2.2.11)", t.Value)
	case typ == Fragment && t.Value > limit:
		return 0, fmt.Errorf("value %#x: there are four fragment bits (RFC 8955 §4.2.2.12)", t.Value)
	case typ == Fragment && t.Value&0x01 != 0 && f.v6():
		return 0, fmt.Errorf("IPv6 has no don't-fragment bit (RFC 8956 §3.6)")
	case typ == TCPFlags && t.Value > 0xffff:
		return 0, fmt.Errorf("value %#x: TCP flags have at most two octets (RFC 8955 §4.2.2.9)", t.Value)
	}
	return t.width(typ)
}

// width returns the octets of the value: those asked for, or the shortest that type allows.
func (t Term) width(typ Type) (uint8, error) {
	least := uint8(1)
	for least < 8 && t.Value>>(8*least) != 0 {
		least *= 2
	}
	switch {
	case t.Width == 0 && typ == FlowLabel:
		return max(least, 4), nil // "Values SHOULD be encoded as 4-octet quantities", RFC 8956 §3.7
	case t.Width == 0:
		return least, nil
	case t.Width != 1 && t.Width != 2 && t.Width != 4 && t.Width != 8:
		return 0, fmt.Errorf("value %d: a value has 1, 2, 4 or 8 octets, not %d (RFC 8955 §4.2.1)", t.Value, t.Width)
	case t.Width < least:
		return 0, fmt.Errorf("value %d does not fit in %d octets", t.Value, t.Width)
	case t.Width > operands6[typ].maxWidth:
		return 0, fmt.Errorf("value %d: a value of %s has at most %d octets, not %d (RFC 8955 §4.2.2)", t.Value, typ, operands6[typ].maxWidth, t.Width)
	}
	return t.Width, nil
}
