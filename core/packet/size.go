package packet

import "math"

// Size returns about how many headers a has, as a logarithm to base 2: 0 is one, 32 is what one address of IPv4 can send at one address. It is for putting sets
// in order, largest first. Headers in two boxes count twice. The size of an empty set is minus infinity.
func (a Set) Size() float64 {
	sum := math.Inf(-1)
	for i := range a.boxes {
		n := a.boxes[i].size()
		hi, lo := max(sum, n), min(sum, n)
		if sum = hi; !math.IsInf(lo, -1) {
			sum += math.Log2(1 + math.Exp2(lo-hi))
		}
	}
	return sum
}

// size returns the logarithm of how many headers b has.
func (b *box) size() (sum float64) {
	for d := range sides {
		if d == dst || d == src {
			sum += b.addrs[d-dst].size(b.version)
			continue
		}
		if d == label && b.version == IPv4 {
			continue // there is none
		}
		n, _ := b.count(d)
		sum += math.Log2(float64(n))
	}
	return sum
}

// size returns the logarithm of how many addresses a has. Patterns that overlap count twice.
func (a Addrs) size(v Version) float64 {
	bits := 32
	if v == IPv6 {
		bits = 128
	}
	if a.set == nil {
		return float64(bits)
	}
	total := 0.0
	for _, s := range a.set.spans() {
		n := s.hi.sub(s.lo)
		total += float64(n.hi)*math.Exp2(64) + float64(n.lo) + 1
	}
	for _, c := range a.set.cubes() {
		total += math.Exp2(float64(bits - c.mask.ones()))
	}
	return math.Log2(total)
}
