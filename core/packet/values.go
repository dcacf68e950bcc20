package packet

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Span is the inclusive range Lo..Hi.
type Span struct{ Lo, Hi uint32 }

// Values is a set of numbers: sorted, disjoint, never adjacent, so that two Values hold the same
// numbers exactly when slices.Equal says so. Nil is every number the field can hold; an empty
// non-nil Values is no number at all.
type Values []Span

// NewValues returns the union of spans in canonical form; without spans it is the empty set. A span
// whose Lo is above its Hi holds nothing.
func NewValues(spans ...Span) Values {
	if canonical(spans) { // as the lists of rules usually are
		var row Row
		return row.Values(spans...)
	}
	v := make(Values, 0, len(spans))
	for _, s := range spans {
		if s.Lo <= s.Hi {
			v = append(v, s)
		}
	}
	slices.SortFunc(v, func(a, b Span) int { return cmp.Compare(a.Lo, b.Lo) })
	return v.join()
}

// small are the smallest numbers as spans: a protocol, an ICMP type and most ports of amplifiers take no memory of their own. Nobody changes Values.
var small = func() (v [256]Span) {
	for n := range v {
		v[n] = Span{uint32(n), uint32(n)}
	}
	return v
}()

// canonical says whether spans are sorted, disjoint and not adjacent.
func canonical(spans []Span) bool {
	for i, s := range spans {
		if s.Lo > s.Hi || i > 0 && (spans[i-1].Hi == math.MaxUint32 || s.Lo <= spans[i-1].Hi+1) {
			return false
		}
	}
	return true
}

// join merges sorted spans that touch, in place.
func (v Values) join() Values {
	out := v[:0]
	for _, s := range v {
		if n := len(out); n > 0 && uint64(s.Lo) <= uint64(out[n-1].Hi)+1 {
			out[n-1].Hi = max(out[n-1].Hi, s.Hi)
			continue
		}
		out = append(out, s)
	}
	return out
}

// Any says whether v is every number the field can hold.
func (v Values) Any() bool { return v == nil }

// Empty says whether v holds no number.
func (v Values) Empty() bool { return v != nil && len(v) == 0 }

// Has says whether v holds n. Nil holds every number.
func (v Values) Has(n uint32) bool {
	if v == nil {
		return true
	}
	for _, s := range v {
		if n <= s.Hi {
			return n >= s.Lo
		}
	}
	return false
}

// Count returns how many numbers of 0..max are in v.
func (v Values) Count(max uint32) uint64 {
	if v == nil {
		return uint64(max) + 1
	}
	var n uint64
	for _, s := range v {
		if s.Lo <= max {
			n += uint64(min(s.Hi, max)) - uint64(s.Lo) + 1
		}
	}
	return n
}

// And returns the numbers in both v and w.
func (v Values) And(w Values) Values {
	switch {
	case v == nil || same(v, w):
		return w
	case w == nil:
		return v
	case w.contains(v):
		return v
	case v.contains(w):
		return w
	}
	out := Values{}
	for i, j := 0, 0; i < len(v) && j < len(w); {
		lo, hi := max(v[i].Lo, w[j].Lo), min(v[i].Hi, w[j].Hi)
		if lo <= hi {
			out = append(out, Span{lo, hi})
		}
		if v[i].Hi < w[j].Hi {
			i++
		} else {
			j++
		}
	}
	return out
}

// Or returns the numbers in v or in w.
func (v Values) Or(w Values) Values {
	if v == nil || w == nil {
		return nil
	}
	return NewValues(slices.Concat(v, w)...)
}

// Not returns the numbers of 0..max that are not in v; nil when v holds none of them.
func (v Values) Not(max uint32) Values {
	if v == nil {
		return Values{}
	}
	out := Values{}
	next := uint64(0)
	for _, s := range v {
		if uint64(s.Lo) > next && next <= uint64(max) {
			out = append(out, Span{uint32(next), min(s.Lo-1, max)})
		}
		next = uint64(s.Hi) + 1
	}
	if next <= uint64(max) {
		out = append(out, Span{uint32(next), max})
	}
	return out.within(max)
}

// Sub returns the numbers of 0..max that are in v and not in w.
func (v Values) Sub(w Values, max uint32) Values {
	if w == nil {
		return Values{}
	}
	if v != nil && !v.meets(w) {
		return v
	}
	if v == nil {
		return w.fill(max)
	}
	out := make(Values, 0, len(v)+1)
	for _, s := range v {
		lo, hi := uint64(s.Lo), uint64(min(s.Hi, max))
		for len(w) > 0 && uint64(w[0].Hi) < lo {
			w = w[1:]
		}
		for k := 0; k < len(w) && uint64(w[k].Lo) <= hi && lo <= hi; k++ {
			if uint64(w[k].Lo) > lo {
				out = append(out, Span{uint32(lo), w[k].Lo - 1})
			}
			lo = uint64(w[k].Hi) + 1
		}
		if lo <= hi {
			out = append(out, Span{uint32(lo), uint32(hi)})
		}
	}
	return out
}

// fill is Not with "every number" spelled out, so that an intersection with it keeps nothing above max.
func (v Values) fill(max uint32) Values {
	if n := v.Not(max); n != nil {
		return n
	}
	return Values{{0, max}}
}

// within returns v clipped to 0..max, and nil when that is all of it.
func (v Values) within(max uint32) Values {
	if n := len(v); n > 0 && v[n-1].Hi > max {
		v = v.And(Values{{0, max}})
	}
	if len(v) == 1 && v[0] == (Span{0, max}) {
		return nil
	}
	return v
}

// contains says whether w is a subset of v.
func (v Values) contains(w Values) bool {
	if v == nil {
		return true
	}
	if w == nil {
		return false // a field's full range is always nil inside a box
	}
	i := 0
	for _, s := range w {
		for i < len(v) && v[i].Hi < s.Lo {
			i++
		}
		if i == len(v) || s.Lo < v[i].Lo || s.Hi > v[i].Hi {
			return false
		}
	}
	return true
}

// meets says whether v and w share a number.
func (v Values) meets(w Values) bool {
	if v == nil || w == nil {
		return !v.Empty() && !w.Empty()
	}
	for i, j := 0, 0; i < len(v) && j < len(w); {
		if v[i].Hi < w[j].Lo {
			i++
		} else if w[j].Hi < v[i].Lo {
			j++
		} else {
			return true
		}
	}
	return false
}

// equal says whether v and w are the same set; nil and empty differ.
func (v Values) equal(w Values) bool {
	return (v == nil) == (w == nil) && (same(v, w) || slices.Equal(v, w))
}

// same says whether v and w are one array: true is certain, false is not.
func same(v, w Values) bool {
	return len(v) == len(w) && len(v) > 0 && &v[0] == &w[0]
}

// String prints v as `80,443,1024-65535`; "any" and "none" for the two ends.
func (v Values) String() string {
	if v == nil {
		return "any"
	}
	if len(v) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, s := range v {
		if i > 0 {
			b.WriteByte(',')
		}
		if i == maxShown && len(v) > maxShown+1 {
			fmt.Fprintf(&b, "... %d more", len(v)-i)
			break
		}
		if s.Lo == s.Hi {
			fmt.Fprintf(&b, "%d", s.Lo)
		} else {
			fmt.Fprintf(&b, "%d-%d", s.Lo, s.Hi)
		}
	}
	return b.String()
}

// maxShown is how many members of a list String methods print before they shorten it.
const maxShown = 8
