package packet

// cube is the addresses a with a&mask == value; value has no bit outside mask. Only IPv6 needs cubes.
type cube struct{ value, mask u128 }

// fromCubes returns the union of disjoint cubes: every address when that is what they add up to, ranges when every cube is a prefix.
func fromCubes(v Version, cubes []cube) Addrs {
	if len(cubes) == 0 {
		return nowhere(v)
	}
	var sum u128 // of the sizes, modulo 2^128
	for _, c := range cubes {
		sum = sum.add(c.size())
	}
	if sum == (u128{}) {
		return Addrs{}
	}
	spans := make([]addrSpan, 0, len(cubes))
	for _, c := range cubes {
		host := c.mask.not()
		if host.and(host.next()) != (u128{}) {
			return cubesOf(v, cubes)
		}
		spans = append(spans, addrSpan{c.value, c.value.or(host)})
	}
	return spansOf(v, joinSpans(spans))
}

// cubed says whether a is a list of cubes.
func (a Addrs) cubed() bool { return a.set != nil && a.set.cubes() != nil }

// asCubes returns the set as disjoint cubes.
func (a Addrs) asCubes() []cube {
	if a.set == nil {
		return []cube{{}}
	}
	return a.set.asCubes()
}

func (s *addrSet) asCubes() []cube {
	if s.cubes() != nil {
		return s.cubes()
	}
	var out []cube
	for _, sp := range s.spans() {
		out = sp.cover(s.version, out)
	}
	return out
}

// cover appends the prefixes that make up s: at each step the largest aligned block that fits.
func (s addrSpan) cover(v Version, out []cube) []cube {
	for lo := s.lo; ; {
		n := min(lo.trailingZeros(), width(v))
		for n > 0 && s.hi.less(lo.or(low(n))) {
			n--
		}
		host := low(n)
		out = append(out, cube{lo, host.not()})
		if lo = lo.or(host); lo == s.hi {
			return out
		}
		lo = lo.next()
	}
}

// size returns the number of addresses in c modulo 2^128: zero stands for all of them.
func (c cube) size() u128 {
	if c.mask == (u128{}) {
		return u128{}
	}
	return bit(c.mask.not().ones())
}

// and returns the addresses in both c and d; false when there are none.
func (c cube) and(d cube) (cube, bool) {
	if c.value.xor(d.value).and(c.mask).and(d.mask) != (u128{}) {
		return cube{}, false
	}
	return cube{c.value.or(d.value), c.mask.or(d.mask)}, true
}

// contains says whether d is inside c.
func (c cube) contains(d cube) bool {
	return c.mask.and(d.mask) == c.mask && d.value.and(c.mask) == c.value
}

// sub appends the addresses of c that are not in d: one cube for each bit that d fixes and c leaves open.
func (c cube) sub(d cube, out []cube) []cube {
	if _, meet := c.and(d); !meet {
		return append(out, c)
	}
	for open := d.mask.and(c.mask.not()); open != (u128{}); {
		b := bit(open.len() - 1)
		open = open.and(b.not())
		c.mask = c.mask.or(b)
		out = append(out, cube{c.value.or(d.value.xor(b).and(b)), c.mask})
		c.value = c.value.or(d.value.and(b))
	}
	return out
}

func andCubes(a, b Addrs) Addrs {
	var out []cube
	for _, c := range a.set.asCubes() {
		for _, d := range b.set.asCubes() {
			if e, ok := c.and(d); ok {
				out = append(out, e)
			}
		}
	}
	return fromCubes(IPv6, out)
}

func subCubes(a, b Addrs) Addrs {
	left := a.asCubes()
	for _, d := range b.asCubes() {
		var next []cube
		for _, c := range left {
			next = c.sub(d, next)
		}
		left = next
	}
	return fromCubes(IPv6, left)
}

func meetCubes(a, b *addrSet) bool {
	if a.cubes() == nil {
		a, b = b, a
	}
	for _, c := range a.cubes() {
		if b.cubes() == nil {
			for _, sp := range b.spans() {
				if c.meetsSpan(sp) {
					return true
				}
			}
		}
		for _, d := range b.cubes() {
			if _, ok := c.and(d); ok {
				return true
			}
		}
	}
	return false
}

// meetsSpan says whether some address of c is in s: whether the smallest one not below s.lo is not above s.hi.
func (c cube) meetsSpan(s addrSpan) bool {
	n, ok := c.from(s.lo)
	return ok && !s.hi.less(n)
}

// from returns the smallest address of c that is not below n.
func (c cube) from(n u128) (u128, bool) {
	least := n.and(c.mask.not()).or(c.value) // n with the bits that c fixes
	diff := least.xor(n)
	if diff == (u128{}) {
		return n, true
	}
	b := diff.len() - 1 // the highest bit where c and n differ; above it they agree
	below := low(b)
	if n.less(least) {
		return least.and(below.not()).or(c.value.and(below)), true
	}
	// c has 0 where n has 1: carry into the lowest open zero bit of n above.
	open := c.mask.not().and(n.not()).and(low(b + 1).not())
	if open == (u128{}) {
		return u128{}, false
	}
	up := open.trailingZeros()
	return least.or(bit(up)).and(low(up).not()).or(c.value.and(low(up))), true
}

func containsCubes(a, b *addrSet) bool {
	if len(a.cubes()) == 1 && len(b.cubes()) == 1 {
		return a.cubes()[0].contains(b.cubes()[0])
	}
	return subCubes(Addrs{b}, Addrs{a}).Empty()
}
