package packet

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Addrs is a set of addresses of one IP version. The zero Addrs is every address.
//
// It is a sorted list of ranges. Only the IPv6 patterns of [AddrsLike] are no ranges: a set that needs them
// is a list of disjoint cubes instead.
type Addrs struct{ set *addrSet }

// addrSet is one span, as usual, or what more says.
type addrSet struct {
	version Version
	one     [1]addrSpan
	more    *addrLists
}

// addrLists are the addresses of sets that are not one span.
type addrLists struct {
	spans []addrSpan // sorted, disjoint, not adjacent; unused when there are cubes
	cubes []cube     // disjoint
}

// addrSpan is the inclusive range lo..hi.
type addrSpan struct{ lo, hi u128 }

func (s *addrSet) spans() []addrSpan {
	if s.more == nil {
		return s.one[:]
	}
	return s.more.spans
}

func (s *addrSet) cubes() []cube {
	if s.more == nil {
		return nil
	}
	return s.more.cubes
}

func spansOf(v Version, spans []addrSpan) Addrs {
	if len(spans) == 1 {
		return oneSpan(v, spans[0])
	}
	return Addrs{&addrSet{version: v, more: &addrLists{spans: spans}}}
}

// cubesOf returns the set of cubes, which are disjoint and no prefixes.
func cubesOf(v Version, cubes []cube) Addrs {
	return Addrs{&addrSet{version: v, more: &addrLists{cubes: cubes}}}
}

// nowhere returns the set of no address.
func nowhere(v Version) Addrs { return spansOf(v, nil) }

func oneSpan(v Version, s addrSpan) Addrs {
	if s.lo == (u128{}) && s.hi == top(v) {
		return Addrs{}
	}
	return Addrs{&addrSet{version: v, one: [1]addrSpan{s}}}
}

// AddrsIn returns the addresses of p. A /0 is the zero Addrs. An invalid prefix holds nothing.
func AddrsIn(p netip.Prefix) Addrs {
	if !p.IsValid() {
		return nowhere(0)
	}
	return oneSpan(versionOf(p.Addr()), spanOf(p))
}

// spanOf returns the addresses of p, which is valid.
func spanOf(p netip.Prefix) addrSpan {
	host := low(width(versionOf(p.Addr())) - p.Bits())
	lo := number(p.Addr()).and(host.not())
	return addrSpan{lo, lo.or(host)}
}

// AddrsBetween returns the addresses from lo to hi, both of one IP version; none when lo is above hi.
func AddrsBetween(lo, hi netip.Addr) Addrs {
	v := versionOf(lo)
	s := addrSpan{number(lo), number(hi)}
	if !lo.IsValid() || versionOf(hi) != v || s.hi.less(s.lo) {
		return nowhere(v)
	}
	return oneSpan(v, s)
}

// AddrsLike returns the IPv6 addresses a with a&mask == value&mask: a prefix with an offset (RFC 8956 §3.1).
func AddrsLike(value, mask netip.Addr) Addrs {
	m := number(mask)
	return fromCubes(IPv6, []cube{{number(value).and(m), m}})
}

func versionOf(a netip.Addr) Version {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

// Any says whether a is every address.
func (a Addrs) Any() bool { return a.set == nil }

// Empty says whether a holds no address.
func (a Addrs) Empty() bool {
	return a.set != nil && len(a.set.spans()) == 0 && len(a.set.cubes()) == 0
}

// Has says whether ip is in a.
func (a Addrs) Has(ip netip.Addr) bool {
	if a.set == nil {
		return true
	}
	return versionOf(ip) == a.set.version && a.set.has(number(ip))
}

func (s *addrSet) has(n u128) bool {
	for _, c := range s.cubes() {
		if n.and(c.mask) == c.value {
			return true
		}
	}
	if s.cubes() != nil {
		return false
	}
	for _, sp := range s.spans() {
		if !sp.hi.less(n) {
			return !n.less(sp.lo)
		}
	}
	return false
}

// And returns the addresses in both a and b. Sets of different IP versions share none.
func (a Addrs) And(b Addrs) Addrs {
	switch {
	case a.set == nil || a.set == b.set:
		return b
	case b.set == nil:
		return a
	case a.set.version != b.set.version:
		return nowhere(a.set.version)
	case a.set.cubes() != nil || b.set.cubes() != nil:
		return andCubes(a, b)
	}
	var out []addrSpan
	x, y := a.set.spans(), b.set.spans()
	for i, j := 0, 0; i < len(x) && j < len(y); {
		s := addrSpan{x[i].lo, x[i].hi}
		if s.lo.less(y[j].lo) {
			s.lo = y[j].lo
		}
		if y[j].hi.less(s.hi) {
			s.hi = y[j].hi
		}
		if !s.hi.less(s.lo) {
			out = append(out, s)
		}
		if x[i].hi.less(y[j].hi) {
			i++
		} else {
			j++
		}
	}
	return spansOf(a.set.version, out)
}

// Or returns the addresses in a or in b, which are of one IP version.
func (a Addrs) Or(b Addrs) Addrs {
	switch {
	case a.set == nil || b.set == nil:
		return Addrs{}
	case a.Empty():
		return b
	case b.Empty() || a.set.version != b.set.version:
		return a
	case a.set.cubes() != nil || b.set.cubes() != nil:
		return fromCubes(IPv6, slices.Concat(a.set.asCubes(), b.Sub(a).asCubes()))
	}
	return spansOf(a.set.version, joinSpans(slices.Concat(a.set.spans(), b.set.spans())))
}

// joinSpans sorts spans and merges those that touch, in place.
func joinSpans(spans []addrSpan) []addrSpan {
	slices.SortFunc(spans, func(x, y addrSpan) int { return x.lo.cmp(y.lo) })
	out := spans[:0]
	for _, s := range spans {
		n := len(out)
		if n > 0 && (!out[n-1].hi.less(s.lo) || out[n-1].hi.next() == s.lo) {
			if out[n-1].hi.less(s.hi) {
				out[n-1].hi = s.hi
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// Sub returns the addresses in a and not in b.
func (a Addrs) Sub(b Addrs) Addrs {
	switch {
	case b.set == nil:
		return nowhere(0)
	case b.Empty() || a.set != nil && !a.meets(b):
		return a
	case a.set != nil && a.set.cubes() != nil || b.set.cubes() != nil:
		return subCubes(a, b)
	}
	return a.And(spansOf(b.set.version, b.set.gaps()))
}

// gaps returns the spans between and around those of s.
func (s *addrSet) gaps() []addrSpan {
	var out []addrSpan
	var from u128
	for _, sp := range s.spans() {
		if from.less(sp.lo) {
			out = append(out, addrSpan{from, sp.lo.prev()})
		}
		if sp.hi == top(s.version) {
			return out
		}
		from = sp.hi.next()
	}
	return append(out, addrSpan{from, top(s.version)})
}

// contains says whether b is a subset of a. A full b is the zero Addrs, as everywhere inside a box.
func (a Addrs) contains(b Addrs) bool {
	switch {
	case a.set == nil || a.set == b.set:
		return true
	case b.set == nil:
		return false
	case b.Empty():
		return true
	case a.set.version != b.set.version:
		return false
	case a.set.cubes() != nil || b.set.cubes() != nil:
		return containsCubes(a.set, b.set)
	}
	x, i := a.set.spans(), 0
	for _, s := range b.set.spans() {
		for i < len(x) && x[i].hi.less(s.lo) {
			i++
		}
		if i == len(x) || s.lo.less(x[i].lo) || x[i].hi.less(s.hi) {
			return false
		}
	}
	return true
}

// meets says whether a and b share an address.
func (a Addrs) meets(b Addrs) bool {
	switch {
	case a.set == nil:
		return !b.Empty()
	case b.set == nil:
		return !a.Empty()
	case a.set.version != b.set.version:
		return false
	case a.set.cubes() != nil || b.set.cubes() != nil:
		return meetCubes(a.set, b.set)
	}
	x, y := a.set.spans(), b.set.spans()
	for i, j := 0, 0; i < len(x) && j < len(y); {
		if x[i].hi.less(y[j].lo) {
			i++
		} else if y[j].hi.less(x[i].lo) {
			j++
		} else {
			return true
		}
	}
	return false
}

func (a Addrs) equal(b Addrs) bool {
	switch {
	case a.set == b.set:
		return true
	case a.set == nil || b.set == nil:
		return false
	case a.set.cubes() != nil || b.set.cubes() != nil:
		return a.contains(b) && b.contains(a)
	}
	return a.Empty() && b.Empty() || a.set.version == b.set.version && slices.Equal(a.set.spans(), b.set.spans())
}

// Hull returns the lowest and the highest address of a that has version v; false when it is empty. A set of patterns
// lies between the two, with gaps.
func (a Addrs) Hull(v Version) (lo, hi netip.Addr, ok bool) {
	if a.set == nil {
		return u128{}.addr(v), top(v).addr(v), true
	}
	if a.Empty() || a.set.version != v {
		return lo, hi, false
	}
	if a.set.cubes() == nil {
		return a.set.spans()[0].lo.addr(v), a.set.spans()[len(a.set.spans())-1].hi.addr(v), true
	}
	least, most := top(v), u128{}
	for _, c := range a.set.cubes() {
		if c.value.less(least) {
			least = c.value
		}
		if h := c.value.or(c.mask.not()); most.less(h) {
			most = h
		}
	}
	return least.addr(v), most.addr(v), true
}

// String prints a as prefixes, ranges and patterns: `203.0.113.0/24,198.51.100.7-198.51.100.9`.
func (a Addrs) String() string {
	if a.set == nil {
		return "any"
	}
	if a.Empty() {
		return "none"
	}
	v := a.set.version
	var parts []string
	for _, c := range a.set.cubes() {
		parts = append(parts, fmt.Sprintf("%s like %s", c.value.addr(v), c.mask.addr(v)))
	}
	for _, s := range a.set.spans() {
		parts = append(parts, s.text(v))
	}
	if n := len(parts); n > maxShown+1 {
		parts = append(parts[:maxShown], fmt.Sprintf("... %d more", n-maxShown))
	}
	return strings.Join(parts, ",")
}

func (s addrSpan) text(v Version) string {
	if s.lo == s.hi {
		return s.lo.addr(v).String()
	}
	if n := s.hi.sub(s.lo); n.and(n.next()) == (u128{}) && s.lo.and(n) == (u128{}) {
		return netip.PrefixFrom(s.lo.addr(v), width(v)-n.len()).String()
	}
	return s.lo.addr(v).String() + "-" + s.hi.addr(v).String()
}

// Prefixes returns the fewest prefixes that make up a, which is of version v, in ascending order; false when they are more than most, or when a is a
// set of patterns.
func (a Addrs) Prefixes(v Version, most int) ([]netip.Prefix, bool) {
	if a.set == nil {
		return []netip.Prefix{netip.PrefixFrom(u128{}.addr(v), 0)}, most > 0
	}
	if a.set.cubes() != nil {
		return nil, false
	}
	var out []netip.Prefix
	for _, s := range a.set.spans() {
		for lo := s.lo; ; {
			if len(out) == most {
				return nil, false
			}
			size := min(lo.trailingZeros(), width(v)) // of the host part: the largest aligned block that ends within s
			for size > 0 && s.hi.less(lo.or(low(size))) {
				size--
			}
			out = append(out, netip.PrefixFrom(lo.addr(v), width(v)-size))
			last := lo.or(low(size))
			if last == s.hi {
				break
			}
			lo = last.next()
		}
	}
	return out, true
}
