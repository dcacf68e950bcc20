package plan

import (
	binary "math/bits"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// largestMesh is where a mesh is cut in two.
const largestMesh = 256

// some is some rules of a mesh: a bit for each.
type some [largestMesh / 64]uint64

func (s *some) put(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *some) drop(i int)     { s[i/64] &^= 1 << (i % 64) }
func (s *some) add(o *some)    { *s = some{s[0] | o[0], s[1] | o[1], s[2] | o[2], s[3] | o[3]} }
func (s *some) narrow(o *some) { *s = some{s[0] & o[0], s[1] & o[1], s[2] & o[2], s[3] & o[3]} }

// mesh is rules that follow each other in RFC order, and which of them have what. Each has a slot, which it keeps while others come and go.
type mesh struct {
	seats      []*seat // nil where nobody has the slot
	order      []uint8 // slots in RFC order
	rank       [largestMesh]uint8
	used       some
	severities [table.Discards + 1]some
	numbers    [outcomes]some // see domain.number
	view
	second *view                // nil: none
	lost   *[largestMesh]uint64 // see sieve.lose; nil: nothing
}

// view is the glances of a mesh by slot, and which of them have what.
type view struct {
	at                         []glance
	protos                     [sketches]some
	dsts, srcs, dports, sports classes
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

func (c *classes) drop(i int, signature uint64) {
	if signature == ^uint64(0) {
		c.any.drop(i)
		return
	}
	for ; signature != 0; signature &= signature - 1 {
		c.of[binary.TrailingZeros64(signature)].drop(i)
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

// networkClass returns a bit for the network of addresses, many networks sharing one, or all bits where they are of several.
func networkClass(v packet.Version, addresses bits) uint64 {
	network := ^(^uint64(0) >> 24)
	if v == packet.IPv6 {
		network = ^(^uint64(0) >> 48)
	}
	if addresses.mask&network != network {
		return ^uint64(0)
	}
	return 1 << (mix(addresses.value&network) % 64)
}

// enter notes what the glance in slot i has.
func (w *view) enter(v packet.Version, i int) {
	g := &w.at[i]
	for left := g.protos & (1<<sketches - 1); left != 0; left &= left - 1 {
		w.protos[binary.TrailingZeros8(left)].put(i)
	}
	w.dsts.put(i, networkClass(v, g.dst))
	w.srcs.put(i, networkClass(v, g.src))
	w.dports.put(i, g.dports)
	w.sports.put(i, g.sports)
}

// leave forgets what the glance in slot i has.
func (w *view) leave(v packet.Version, i int) {
	g := &w.at[i]
	for k := range w.protos {
		w.protos[k].drop(i)
	}
	w.dsts.drop(i, networkClass(v, g.dst))
	w.srcs.drop(i, networkClass(v, g.src))
	w.dports.drop(i, g.dports)
	w.sports.drop(i, g.sports)
}

// put puts g in slot i, which nobody has.
func (w *view) put(v packet.Version, i int, g *glance) {
	if i == len(w.at) {
		w.at = append(w.at, glance{})
	}
	w.at[i] = *g
	w.enter(v, i)
}

// sift returns the slots of those that g may be near: all that it is, and few others.
func (w *view) sift(v packet.Version, g *glance) (left some) {
	for protos := g.protos & (1<<sketches - 1); protos != 0; protos &= protos - 1 {
		left.add(&w.protos[binary.TrailingZeros8(protos)])
	}
	w.dsts.narrow(&left, networkClass(v, g.dst))
	if left == (some{}) {
		return left
	}
	w.srcs.narrow(&left, networkClass(v, g.src))
	w.dports.narrow(&left, g.dports)
	w.sports.narrow(&left, g.sports)
	return left
}

// find returns the place of s in m.order, or where it belongs.
func (m *mesh) find(s *seat) int {
	if m.last() != nil && compareSeats(m.last(), s) < 0 {
		return len(m.order) // rules mostly come in order
	}
	at, _ := slices.BinarySearchFunc(m.order, s, func(slot uint8, s *seat) int { return compareSeats(m.seats[slot], s) })
	return at
}

// first returns the first rule of m, and last the last; nil where there is none.
func (m *mesh) first() *seat { return m.place(0) }
func (m *mesh) last() *seat  { return m.place(len(m.order) - 1) }

func (m *mesh) place(at int) *seat {
	if at < 0 || at >= len(m.order) {
		return nil
	}
	return m.seats[m.order[at]]
}

// put puts s in, to be seen at g, and at nothing a second time. There is room.
func (m *mesh) put(v packet.Version, s *seat, g *glance) {
	m.insert(v, m.find(s), s, g)
}

// insert is put at place at, where s belongs.
func (m *mesh) insert(v packet.Version, at int, s *seat, g *glance) {
	i := m.free()
	if i == len(m.seats) {
		m.seats = append(m.seats, nil)
	}
	m.seats[i] = s
	m.used.put(i)
	m.severities[s.severity].put(i)
	m.numbers[s.number].put(i)
	m.view.put(v, i, g)
	if m.second != nil {
		m.second.put(v, i, &glance{})
	}
	if m.lost != nil {
		m.lost[i] = 0
	}
	m.order = slices.Insert(m.order, at, uint8(i))
	m.sort(at)
}

// free returns a slot that nobody has.
func (m *mesh) free() int {
	for k, word := range m.used {
		if word != ^uint64(0) {
			return k*64 + binary.TrailingZeros64(^word)
		}
	}
	panic("plan: a mesh is full")
}

// drop takes s out.
func (m *mesh) drop(v packet.Version, s *seat) {
	at := m.find(s)
	i := int(m.order[at])
	m.leave(v, i)
	if m.second != nil {
		m.second.leave(v, i)
	}
	m.severities[s.severity].drop(i)
	m.numbers[s.number].drop(i)
	m.used.drop(i)
	m.seats[i] = nil
	m.order = slices.Delete(m.order, at, at+1)
	m.sort(at)
}

// sort notes the places of the slots from place at on.
func (m *mesh) sort(at int) {
	for k, i := range m.order[at:] {
		m.rank[i] = uint8(at + k)
	}
}

// cut takes the second half of m off.
func (m *mesh) cut(v packet.Version) *mesh {
	old, half := *m, newMesh(m.second != nil)
	*m = *newMesh(m.second != nil)
	for k, i := range old.order {
		to := m
		if k >= len(old.order)/2 {
			to = half
		}
		to.put(v, old.seats[i], &old.at[i])
		if to.second != nil {
			to.second.see(v, len(to.order)-1, &old.second.at[i])
		}
		if old.lost != nil {
			to.lose(len(to.order)-1, old.lost[i])
		}
	}
	return half
}

func newMesh(twice bool) *mesh {
	m := &mesh{}
	if twice {
		m.second = &view{}
	}
	return m
}

// reserve makes room for as many rules as a mesh can have.
func (m *mesh) reserve() {
	m.seats, m.order = slices.Grow(m.seats, largestMesh), slices.Grow(m.order, largestMesh)
	m.at = slices.Grow(m.at, largestMesh)
	if m.second != nil {
		m.second.at = slices.Grow(m.second.at, largestMesh)
	}
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

func (m *mesh) lose(i int, end uint64) {
	if m.lost == nil {
		if end == 0 {
			return
		}
		m.lost = new([largestMesh]uint64)
	}
	m.lost[i] = end
}

func (m *mesh) lostBefore(i int, from uint64) bool {
	return m.lost != nil && m.lost[i] != 0 && m.lost[i] < from
}

func (m *mesh) near(v packet.Version, w *view, g *glance, visit func(*seat) bool) bool {
	left := w.sift(v, g)
	return m.pick(&left, func(i int) bool { return g.near(&w.at[i]) }, visit)
}

// pick calls visit with the rules of left that are right, in order, until visit returns false; then it does so too.
func (m *mesh) pick(left *some, right func(slot int) bool, visit func(*seat) bool) bool {
	var ranks some
	for k, word := range left {
		for ; word != 0; word &= word - 1 {
			if i := k*64 + binary.TrailingZeros64(word); right(i) {
				ranks.put(int(m.rank[i]))
			}
		}
	}
	for k, word := range ranks {
		for ; word != 0; word &= word - 1 {
			if !visit(m.place(k*64 + binary.TrailingZeros64(word))) {
				return false
			}
		}
	}
	return true
}

// around calls visit with the rules that g is near in w, a view of m, but for those with a number, if it is not 0, in no order, until visit returns false; then it does so too.
func (m *mesh) around(v packet.Version, w *view, g *glance, but uint8, visit func(*seat) bool) bool {
	left := w.sift(v, g)
	if but > 0 {
		for k, word := range m.numbers[but] {
			left[k] &^= word
		}
	}
	for k, word := range left {
		for ; word != 0; word &= word - 1 {
			if i := k*64 + binary.TrailingZeros64(word); g.near(&w.at[i]) && !visit(m.seats[i]) {
				return false
			}
		}
	}
	return true
}

// meshesOf returns meshes of glances alone, in their order.
func meshesOf(v packet.Version, at []glance) (out []*mesh) {
	for piece := range slices.Chunk(at, largestMesh) {
		m := &mesh{view: view{at: piece}}
		for i := range m.at {
			m.enter(v, i)
		}
		out = append(out, m)
	}
	return out
}
