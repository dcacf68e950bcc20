package issue

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
)

// The bounds of the search for the steps of a proof. What is not found is left out, and the certificate does not verify.
const (
	proofSteps = 200_000 // one question
	mostCovers = 64      // rules and entries named in one answer
)

// prove writes down what decides packets wherever it is not plain from the entries themselves.
func (w *writer) prove() {
	w.c.Steps = []certificate.Step{}
	if w.c.Rules == nil {
		w.c.Rules = []certificate.Rule{}
	}
	if w.c.Entries == nil {
		w.c.Entries = []certificate.Entry{}
	}
	s := &search{w: w, rules: newIndex(w.rules), entries: newIndex(w.entries)}
	for i := range w.rules {
		if w.rules[i].carried {
			s.above(i)
		} else if w.rules[i].terminal {
			s.losses(i)
		}
	}
	stages := map[stageKey][]int{}
	for y := range w.entries {
		e := &w.entries[y]
		stages[stageKey{e.plane, e.native}] = append(stages[stageKey{e.plane, e.native}], y)
	}
	for _, y := range w.entries { // in the order of the entries, so that equal plans give equal certificates
		key := stageKey{y.plane, y.native}
		s.swaps(stages[key])
		delete(stages, key)
	}
}

type stageKey struct {
	plane  plane
	native bool
}

// search looks for what decides packets.
type search struct {
	w              *writer
	rules, entries *index
}

// alike says whether it makes no difference which of two rules comes first.
func alike(a, b *item) bool {
	return a.does == b.does && a.does != "" && a.terminal == b.terminal || a.idle() || b.idle()
}

// idle says whether a rule neither does anything nor ends evaluation.
func (i *item) idle() bool { return !i.terminal && i.severity == 0 }

// above names the rules above i that decide what its entries leave out.
func (s *search) above(i int) {
	r := &s.w.rules[i]
	steps := proofSteps
	sets := make([]packet.Set, len(r.entries))
	for k, y := range r.entries {
		sets[k] = s.w.entries[y].set
	}
	if left, ok := r.set.SubOn(&steps, sets...); ok && exists(left) {
		s.w.c.Rules[i].Above, _ = s.deciders(left, r, i, -1)
	}
}

// deciders returns rules above the rule limit, and entries before the entry before in the stage of near, that decide packets of base.
func (s *search) deciders(base packet.Set, near *item, limit, before int) (rules, entries []int) {
	rules, entries = []int{}, []int{}
	whole := false // one of them has all of base
	s.rules.near(base, func(l int) bool {
		c := &s.w.rules[l]
		if c.plane != near.plane || !c.carried || !c.terminal || l >= limit || !c.set.Overlaps(base) {
			return true
		}
		if whole = c.set.BoxInBox(base); whole {
			rules = rules[:0]
		}
		rules = append(rules, l)
		return !whole && len(rules) < mostCovers
	})
	if whole || before < 0 {
		return rules, entries
	}
	s.entries.near(base, func(z int) bool {
		e := &s.w.entries[z]
		if e.plane != near.plane || e.native != near.native || !e.terminal || z >= before || !e.set.Overlaps(base) {
			return true
		}
		if whole = e.set.BoxInBox(base); whole {
			rules, entries = rules[:0], entries[:0]
		}
		entries = append(entries, z)
		return !whole && len(entries) < mostCovers
	})
	return rules, entries
}

func exists(s packet.Set) bool {
	_, ok := s.Witness()
	return ok
}

// losses names what decides packets of the rejected rule i before entries of carried rules below it would.
func (s *search) losses(i int) {
	r := &s.w.rules[i]
	var below []int
	s.entries.near(r.set, func(y int) bool {
		e := &s.w.entries[y]
		if e.plane == r.plane && e.owner > i && e.severity >= r.severity && !alike(r, e) && e.set.Overlaps(r.set) {
			below = append(below, y)
		}
		return true
	})
	slices.Sort(below)
	for _, y := range below {
		if base := r.set.And(s.w.entries[y].set); exists(base) {
			rules, entries := s.deciders(base, r, s.w.entries[y].owner, -1)
			s.w.c.Steps = append(s.w.c.Steps, certificate.Step{Rule: i, Entry: y, Rules: rules, Entries: entries})
		}
	}
}

// swaps names what decides packets of entries that stand before entries of a rule above their own. list is one stage in the order of the device.
func (s *search) swaps(list []int) {
	w := s.w
	last := map[int]int{}
	for _, y := range list {
		last[w.entries[y].owner] = y
	}
	rules := slices.Sorted(maps.Keys(last))
	for _, y := range list {
		for len(rules) > 0 && last[rules[0]] < y {
			rules = rules[1:]
		}
		e := &w.entries[y]
		for _, i := range rules {
			if i >= e.owner {
				break
			}
			if last[i] > y && !alike(&w.rules[i], e) && w.rules[i].set.Overlaps(e.set) {
				s.swap(i, y)
			}
		}
	}
}

func (s *search) swap(i, y int) {
	e := &s.w.entries[y]
	var behind packet.Set // what the rule has behind y
	for _, x := range s.w.rules[i].entries {
		if o := &s.w.entries[x]; x > y && o.native == e.native {
			behind = behind.Or(o.set)
		}
	}
	base := behind.And(e.set)
	if !exists(base) {
		return
	}
	rules, entries := s.deciders(base, e, i, y)
	s.w.c.Steps = append(s.w.c.Steps, certificate.Step{Rule: i, Entry: y, Rules: rules, Entries: entries})
}

// index finds the items whose destinations meet those of a set.
type index struct {
	spans  []span
	blocks []netip.Addr // the highest address of each block of spans
}

type span struct {
	lo, hi netip.Addr
	at     int
}

const blockSize = 64

func newIndex(items []item) *index {
	x := &index{}
	for i := range items {
		for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
			if r, ok := items[i].set.Reach(v); ok {
				x.spans = append(x.spans, span{r.DstLo, r.DstHi, i})
			}
		}
	}
	slices.SortStableFunc(x.spans, func(a, b span) int { return a.lo.Compare(b.lo) })
	for i, s := range x.spans {
		if i%blockSize == 0 {
			x.blocks = append(x.blocks, s.hi)
		} else if last := &x.blocks[len(x.blocks)-1]; last.Less(s.hi) {
			*last = s.hi
		}
	}
	return x
}

// near calls visit with every item that may share a packet with set, until it returns false.
func (x *index) near(set packet.Set, visit func(at int) bool) {
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		r, ok := set.Reach(v)
		if !ok {
			continue
		}
		for b := range x.blocks {
			lo, hi := b*blockSize, min((b+1)*blockSize, len(x.spans))
			if r.DstHi.Less(x.spans[lo].lo) {
				break
			}
			if x.blocks[b].Less(r.DstLo) {
				continue
			}
			for _, s := range x.spans[lo:hi] {
				if !s.hi.Less(r.DstLo) && !r.DstHi.Less(s.lo) && !visit(s.at) {
					return
				}
			}
		}
	}
}
