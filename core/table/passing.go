package table

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Entries that continue. What happens to a packet is then a list: the outcomes of the entries that match and continue, in order, and the
// outcome that ends it. An entry that continues and does nothing is no part of the list.

// passing returns the entries of t that continue and do something.
func passing(t Table) (out []int) {
	for i := range t {
		if t[i].Continue && t[i].Do != (Outcome{}) {
			out = append(out, i)
		}
	}
	return out
}

// aligned says whether the entries that continue are the same ones on both sides, in the same order, and reach the same packets.
// Then the lists of every packet agree up to the outcome that ends them.
func (c *comparison) aligned(want, got []int) bool {
	if len(want) != len(got) {
		return false
	}
	for n := range want {
		i, y := want[n], got[n]
		m := c.want.table[i].Match
		if c.want.bare[i] != c.got.bare[y] || !m.Equal(c.got.table[y].Match) {
			return false
		}
		if !c.shields(&c.got, y, &c.want, i, m) || !c.shields(&c.want, i, &c.got, y, m) {
			return false
		}
	}
	return true
}

// shields says whether the packets of m that entries of b before n keep from it, entries of a before k keep as well.
func (c *comparison) shields(a *side, k int, b *side, n int, m packet.Set) bool {
	c.sets = c.sets[:0]
	c.earlier(a, k, m)
	c.buffers[2] = b.index.near(m, c.buffers[2])
	for _, t := range c.buffers[2] {
		if t >= n {
			return true
		}
		if both := b.table[t].Match.And(m); !both.Empty() && !c.inside(both, c.sets...) {
			return false
		}
	}
	return true
}

// refinement follows all packets of a set through both tables at once, dividing the set where an entry matches a part of it.
// It is exact for tables with entries that continue, and slow where many entries overlap: every part is followed to
// the end.
type refinement struct {
	want, got Table
	steps     *int
	// fares is told of each part: the entries that it meets on both sides, up to and including the one that ends it.
	// False ends the refinement.
	fares func(part packet.Set, want, got []int) bool
}

// follow takes part through the entries listed in want and got; past are those it has met. False: ended by fares, or out of steps.
func (r *refinement) follow(part packet.Set, want, got, pastWant, pastGot []int) bool {
	rest, met, outside := r.advance(part, r.want, want, pastWant)
	if !outside.Empty() {
		inside := part.And(r.want[rest[0]].Match)
		return r.follow(inside, rest, got, met, pastGot) && r.follow(outside, rest[1:], got, met, pastGot)
	}
	rest, metGot, outside := r.advance(part, r.got, got, pastGot)
	if !outside.Empty() { // want is done with part: nothing is left of its list
		inside := part.And(r.got[rest[0]].Match)
		return r.follow(inside, nil, rest, met, metGot) && r.follow(outside, nil, rest[1:], met, metGot)
	}
	return *r.steps > 0 && r.fares(part, met, metGot)
}

// advance takes part past the entries of t listed in list that match all of it or none of it, and returns those it has met. Where one
// matches a part, it stops there: that one is the first of rest, and outside is what it does not match.
func (r *refinement) advance(part packet.Set, t Table, list, past []int) (rest, met []int, outside packet.Set) {
	met = past[:len(past):len(past)] // an append copies: the other parts keep theirs
	if len(past) > 0 && !t[past[len(past)-1]].Continue {
		return nil, met, packet.Set{}
	}
	for n, i := range list {
		if *r.steps = max(*r.steps-1, 0); *r.steps == 0 {
			return nil, met, packet.Set{}
		}
		if !part.Overlaps(t[i].Match) {
			continue
		}
		if outside, _ := part.SubOn(r.steps, t[i].Match); !outside.Empty() {
			return list[n:], met, outside
		}
		met = append(met, i)
		if !t[i].Continue {
			break
		}
	}
	return nil, met, packet.Set{}
}

// refine calls fares for all parts of the packets that entries listed in want and got match.
func (c *comparison) refine(want, got []int, fares func(part packet.Set, want, got []int) bool) bool {
	r := refinement{want: c.want.table, got: c.got.table, steps: &c.steps, fares: fares}
	indexes := [2]*index{newIndex(r.want, all(r.want)), newIndex(r.got, all(r.got))}
	var done []packet.Set
	for n, passes := range [][]int{want, got} {
		t := [2]Table{r.want, r.got}[n]
		for _, i := range passes {
			left, ok := t[i].Match.SubOn(&c.steps, done...)
			if !ok {
				return false
			}
			if !r.follow(left, indexes[0].near(left, nil), indexes[1].near(left, nil), nil, nil) {
				return false
			}
			done = append(done, t[i].Match)
		}
	}
	return true
}

func all(t Table) []int {
	out := make([]int, len(t))
	for i := range out {
		out[i] = i
	}
	return out
}

// list returns what the entries of t in met do together, in order, without those that do nothing.
func list(t Table, met []int) (does []Outcome) {
	for _, i := range met {
		does = append(does, t[i].Do)
	}
	return doing(does)
}

// doing returns does without the outcomes that do nothing.
func doing(does []Outcome) []Outcome {
	return slices.DeleteFunc(does, func(o Outcome) bool { return o == Outcome{} })
}

// alike says whether two lists do the same, policer names left out.
func alike(a, b []Outcome) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].bare() != b[i].bare() {
			return false
		}
	}
	return true
}
