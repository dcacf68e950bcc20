package plan

import (
	binary "math/bits"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// sieve is rules in RFC order, each with the glance at which it is seen, for questions that no index by prefix answers. It lies in meshes, so that one rule more moves
// few, and most rules that a glance is not near are passed over 64 at a time.
type sieve struct {
	version packet.Version
	meshes  []*mesh
	n       int  // rules
	twice   bool // each has a second glance, at which nobody is seen before sieve.see says so
}

// place returns the mesh in which s is or belongs, which there is.
func (x *sieve) place(s *seat) int {
	last := len(x.meshes) - 1
	if compareSeats(x.meshes[last].first(), s) <= 0 {
		return last
	}
	i, _ := slices.BinarySearchFunc(x.meshes[:last], s, func(m *mesh, s *seat) int { return compareSeats(m.last(), s) })
	return i
}

// put puts s in, to be seen at g.
func (x *sieve) put(s *seat, g *glance) {
	x.n++
	if len(x.meshes) == 0 || compareSeats(x.meshes[len(x.meshes)-1].last(), s) < 0 { // rules mostly come in order
		if len(x.meshes) == 0 || len(x.meshes[len(x.meshes)-1].order) == largestMesh {
			m := newMesh(x.twice)
			if len(x.meshes) > 0 { // which will be as large as those before it
				m.reserve()
			}
			x.meshes = append(x.meshes, m)
		}
		last := x.meshes[len(x.meshes)-1]
		last.insert(x.version, len(last.order), s, g)
		return
	}
	i := x.place(s)
	m := x.meshes[i]
	if len(m.order) == largestMesh {
		half := m.cut(x.version)
		x.meshes = slices.Insert(x.meshes, i+1, half)
		if compareSeats(half.first(), s) <= 0 {
			m = half
		}
	}
	m.put(x.version, s, g)
}

// drop takes s out.
func (x *sieve) drop(s *seat) {
	x.n--
	i := x.place(s)
	m := x.meshes[i]
	m.drop(x.version, s)
	if len(m.order) == 0 {
		x.meshes = slices.Delete(x.meshes, i, i+1)
	}
}

// see has s seen at g from now on: by near and around, or by aroundSecond where there are second glances.
func (x *sieve) see(s *seat, g *glance) {
	m := x.meshes[x.place(s)]
	w := &m.view
	if x.twice {
		w = m.second
	}
	w.see(x.version, int(m.order[m.find(s)]), g)
}

// see puts g in the place of the glance in slot i.
func (w *view) see(v packet.Version, i int, g *glance) {
	if w.at[i] != *g {
		w.leave(v, i)
		w.at[i] = *g
		w.enter(v, i)
	}
}

// lose notes that s is lost to a rule whose destination ends at an address; 0: to none of which that is known.
func (x *sieve) lose(s *seat, end uint64) {
	m := x.meshes[x.place(s)]
	m.lose(int(m.order[m.find(s)]), end)
}

// near calls visit with every rule that g is near, in order, until visit returns false; then it does so too.
func (x *sieve) near(g *glance, visit func(*seat) bool) bool {
	for _, m := range x.meshes {
		if !m.near(x.version, &m.view, g, visit) {
			return false
		}
	}
	return true
}

// around calls visit with every rule that g is near, but for those with a number, if it is not 0, in no order, until visit returns false; then it does so too.
func (x *sieve) around(g *glance, but uint8, visit func(*seat) bool) bool {
	for _, m := range x.meshes {
		if !m.around(x.version, &m.view, g, but, visit) {
			return false
		}
	}
	return true
}

// nearNews is around for all numbers, but for rules that are lost to one whose destination ends before the address from.
func (x *sieve) nearNews(g *glance, from uint64, visit func(*seat) bool) bool {
	for _, m := range x.meshes {
		left := m.sift(x.version, g)
		for k, word := range left {
			for ; word != 0; word &= word - 1 {
				if i := k*64 + binary.TrailingZeros64(word); !m.lostBefore(i, from) && g.near(&m.at[i]) && !visit(m.seats[i]) {
					return false
				}
			}
		}
	}
	return true
}

// aroundSecond is around for second glances.
func (x *sieve) aroundSecond(g *glance, visit func(*seat) bool) bool {
	for _, m := range x.meshes {
		if !m.around(x.version, m.second, g, 0, visit) {
			return false
		}
	}
	return true
}

// above calls visit with every rule that shares packets with a rule of r which may treat them worse, in order, until visit returns false.
func (x *sieve) above(r *row, visit func(*seat) bool) {
	one := len(r.at) == 1 // then all that mesh.worse leaves ask for no worse
	for _, m := range x.meshes {
		over := func(i int) bool {
			for j := range r.at {
				if (one || r.seats[j].severity >= m.seats[i].severity) && m.at[i].near(&r.at[j]) {
					return true
				}
			}
			return false
		}
		var left some
		for j := range r.at {
			more := m.sift(x.version, &r.at[j])
			m.worse(&more, r.seats[j])
			left.add(&more)
		}
		if !m.pick(&left, over, visit) {
			return
		}
	}
}

// leaving calls visit with every rule that shares packets with l and with s, which may treat them worse, in order, until visit returns false.
func (x *sieve) leaving(l, s *seat, visit func(*seat) bool) {
	for _, m := range x.meshes {
		left, both := m.sift(x.version, &l.glance), m.sift(x.version, &s.glance)
		left.narrow(&both)
		m.worse(&left, s)
		if !m.pick(&left, func(i int) bool { return l.glance.near(&m.at[i]) && s.glance.near(&m.at[i]) }, visit) {
			return
		}
	}
}
