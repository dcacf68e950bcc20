package proof_test

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// precedes compares two matches of one family as RFC 8955 §5.1 (RFC 8956 §4) has it: negative when a comes first.
func precedes(a, b flowspec.Match) int {
	x, y := slices.Collect(a.All()), slices.Collect(b.All())
	for i := 0; i < len(x) && i < len(y); i++ {
		if c := cmp.Compare(x[i].Type, y[i].Type); c != 0 {
			return c
		}
		if c := componentPrecedes(x[i], y[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(y), len(x)) // the one that still has components comes first
}

func componentPrecedes(a, b flowspec.Component) int {
	if a.Type > flowspec.SrcPrefix {
		x, y := listOctets(a), listOctets(b)
		n := min(len(x), len(y))
		return cmp.Or(bytes.Compare(x[:n], y[:n]), cmp.Compare(len(y), len(x)))
	}
	p, q := a.Prefix, b.Prefix
	if c := cmp.Compare(p.Offset, q.Offset); c != 0 {
		return c
	}
	common := bitsBetween(int(p.Offset), int(min(p.Len, q.Len)))
	x, y := words(p.Addr), words(q.Addr)
	for i := range common {
		if c := cmp.Compare(x[i]&common[i], y[i]&common[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(q.Len, p.Len) // the more specific one comes first
}

// listOctets writes a list as it stands in an NLRI, the operators with the end-of-list bit.
func listOctets(c flowspec.Component) (out []byte) {
	for i, t := range c.Terms {
		op := byte(t.Op)
		if t.And {
			op |= 0x40
		}
		if i == len(c.Terms)-1 {
			op |= 0x80
		}
		op |= map[uint8]byte{1: 0, 2: 0x10, 4: 0x20, 8: 0x30}[t.Width]
		out = append(out, op)
		for n := int(t.Width) - 1; n >= 0; n-- {
			out = append(out, byte(t.Value>>(8*n)))
		}
	}
	return out
}
