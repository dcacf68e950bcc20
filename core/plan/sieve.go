package plan

import (
	binary "math/bits"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// sieve is rules in RFC order, each with the glance at which it is seen, for questions that no index by prefix answers. It lies in meshes, so that one rule more moves
// few, and most rules that a glance is not near are passed over 64 at a time.
type sieve struct {
	version packet.Version
	meshes  []*mesh
	n       int // rules
}

// largestMesh is where a mesh is cut in two.
const largestMesh = 256

// some is some rules of a mesh: a bit for each.
type some [largestMesh / 64]uint64

func (s *some) put(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *some) add(o *some)    { *s = some{s[0] | o[0], s[1] | o[1], s[2] | o[2], s[3] | o[3]} }
func (s *some) narrow(o *some) { *s = some{s[0] & o[0], s[1] & o[1], s[2] & o[2], s[3] & o[3]} }

// mesh is rules that follow each other, and which of them have what.
type mesh struct {
	row
	stale                bool // the rest is of other rules
	protos               [sketches]some
	severities           [table.Discards + 1]some
	numbers              [outcomes]some // see domain.number
	srcs, dports, sports classes
}

// classes is the rules of a mesh by the bits of a signature.
type classes struct {
	any some // all bits
	of  [64]some
}

func (c *classes) put(i int, signature uint64) {
	if signature == ^uint64(0) {
		c.any.put(i)
		return
	}
	for ; signature != 0; signature &= signature - 1 {
		c.of[binary.TrailingZeros64(signature)].put(i)
	}
}

// narrow takes out of left what shares no bit with signature.
func (c *classes) narrow(left *some, signature uint64) {
	if signature == ^uint64(0) {
		return
	}
	has := c.any
	for ; signature != 0; signature &= signature - 1 {
		has.add(&c.of[binary.TrailingZeros64(signature)])
	}
	left.narrow(&has)
}

// sourceClass returns a bit for the network of the source of g, many networks sharing one, or all bits where g takes in several.
func sourceClass(v packet.Version, g *glance) uint64 {
	network := ^(^uint64(0) >> 24)
	if v == packet.IPv6 {
		network = ^(^uint64(0) >> 48)
	}
	if g.src.mask&network != network {
		return ^uint64(0)
	}
	return 1 << (mix(g.src.value&network) % 64)
}

// enter notes what rule i has.
func (m *mesh) enter(v packet.Version, i int) {
	g := &m.at[i]
	for left := g.protos & (1<<sketches - 1); left != 0; left &= left - 1 {
		m.protos[binary.TrailingZeros8(left)].put(i)
	}
	if m.seats != nil {
		m.severities[m.seats[i].severity].put(i)
		m.numbers[m.seats[i].number].put(i)
	}
	m.srcs.put(i, sourceClass(v, g))
	m.dports.put(i, g.dports)
	m.sports.put(i, g.sports)
}

// renew notes what all rules have, where that changed.
func (m *mesh) renew(v packet.Version) {
	if !m.stale {
		return
	}
	*m = mesh{row: m.row}
	for i := range m.at {
		m.enter(v, i)
	}
}

// sift returns the rules of m that g may be near: all that it is, and few others.
func (m *mesh) sift(v packet.Version, g *glance) (left some) {
	for protos := g.protos & (1<<sketches - 1); protos != 0; protos &= protos - 1 {
		left.add(&m.protos[binary.TrailingZeros8(protos)])
	}
	m.srcs.narrow(&left, sourceClass(v, g))
	m.dports.narrow(&left, g.dports)
	m.sports.narrow(&left, g.sports)
	return left
}

// worse takes out of left the rules that s does not treat worse than they ask, see domain.worse.
func (m *mesh) worse(left *some, s *seat) {
	var mild some
	for k := range s.severity + 1 {
		mild.add(&m.severities[k])
	}
	if s.number > 0 {
		for k, word := range m.numbers[s.number] {
			mild[k] &^= word
		}
	}
	left.narrow(&mild)
}

// place returns the mesh in which s is or belongs, which there is.
func (x *sieve) place(s *seat) int {
	last := len(x.meshes) - 1
	if compareSeats(x.meshes[last].seats[0], s) <= 0 {
		return last
	}
	i, _ := slices.BinarySearchFunc(x.meshes[:last], s, func(m *mesh, s *seat) int { return compareSeats(m.seats[len(m.seats)-1], s) })
	return i
}

// put puts s in, to be seen at g.
func (x *sieve) put(s *seat, g *glance) {
	x.n++
	if len(x.meshes) == 0 {
		x.meshes = []*mesh{{}}
	} else if last := x.meshes[len(x.meshes)-1]; len(last.seats) == largestMesh && compareSeats(last.seats[largestMesh-1], s) < 0 {
		x.meshes = append(x.meshes, &mesh{}) // rules mostly come in order
	}
	i := len(x.meshes) - 1
	if len(x.meshes[i].seats) > 0 {
		i = x.place(s)
	}
	m := x.meshes[i]
	if len(m.seats) == largestMesh {
		half := &mesh{row: row{slices.Clone(m.seats[largestMesh/2:]), slices.Clone(m.at[largestMesh/2:])}, stale: true}
		m.seats, m.at, m.stale = m.seats[:largestMesh/2], m.at[:largestMesh/2], true
		x.meshes = slices.Insert(x.meshes, i+1, half)
		if compareSeats(half.seats[0], s) <= 0 {
			m = half
		}
	}
	at, _ := m.search(s.rule.Match)
	m.seats, m.at = slices.Insert(m.seats, at, s), slices.Insert(m.at, at, *g)
	if at == len(m.seats)-1 && !m.stale {
		m.enter(x.version, at)
		return
	}
	m.stale = true
}

// drop takes s out.
func (x *sieve) drop(s *seat) {
	x.n--
	i := x.place(s)
	m := x.meshes[i]
	m.row.drop(s)
	m.stale = true
	if len(m.seats) == 0 {
		x.meshes = slices.Delete(x.meshes, i, i+1)
	}
}

// see has s seen at g from now on.
func (x *sieve) see(s *seat, g glance) {
	m := x.meshes[x.place(s)]
	i, _ := m.search(s.rule.Match)
	if m.at[i] != g {
		m.at[i], m.stale = g, true
	}
}

// near calls visit with every rule that g is near, in order, until visit returns false; then it does so too.
func (x *sieve) near(g *glance, visit func(*seat) bool) bool {
	for _, m := range x.meshes {
		m.renew(x.version)
		left := m.sift(x.version, g)
		if !m.pick(&left, func(at *glance, _ *seat) bool { return g.near(at) }, visit) {
			return false
		}
	}
	return true
}

// above calls visit with every rule that shares packets with a rule of b which may treat them worse, in order, until visit returns false.
func (x *sieve) above(b *bucket, visit func(*seat) bool) {
	over := func(at *glance, s *seat) bool {
		for j := range b.at {
			if b.seats[j].severity >= s.severity && at.near(&b.at[j]) {
				return true
			}
		}
		return false
	}
	for _, m := range x.meshes {
		m.renew(x.version)
		var left some
		for j := range b.at {
			more := m.sift(x.version, &b.at[j])
			m.worse(&more, b.seats[j])
			left.add(&more)
		}
		if !m.pick(&left, over, visit) {
			return
		}
	}
}

// pick calls visit with the rules of left that are right, until visit returns false; then it does so too.
func (m *mesh) pick(left *some, right func(*glance, *seat) bool, visit func(*seat) bool) bool {
	for k, word := range left {
		for ; word != 0; word &= word - 1 {
			i := k*64 + binary.TrailingZeros64(word)
			if right(&m.at[i], m.seats[i]) && !visit(m.seats[i]) {
				return false
			}
		}
	}
	return true
}

// meshesOf returns meshes of glances alone, in their order.
func meshesOf(v packet.Version, at []glance) (out []*mesh) {
	for piece := range slices.Chunk(at, largestMesh) {
		m := &mesh{row: row{at: piece}, stale: true}
		m.renew(v)
		out = append(out, m)
	}
	return out
}
