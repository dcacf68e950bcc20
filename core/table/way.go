package table

import "slices"

// Way is the way from one live table to another, step by step.
type Way struct {
	From, To Table
	// Above compares the places of entry i of From and entry k of To in the order in which the device evaluates: negative where i stands above, 0
	// where both have one place, so that the one replaces the other. It agrees with the order within both tables, as the order of NLRIs does. nil: places are told from
	// the contents. Entries with the same match that stand in the same order are one place; of what stands between those, the entries of From stand above.
	Above func(i, k int) int
}

// Step is one change of a live table.
type Step struct {
	Op  Op
	Old int // index in Way.From of the entry that is removed or replaced; -1 where there is none
	New int // index in Way.To of the entry that is added or that replaces; -1 where there is none
}

// Script returns the steps from one live table to another in the order in which no packet fares worse on the way than in the worse of the two; see [Order].
// Entries are known by what they match and where they stand, not by ID.
func Script(from, to Table) []Step {
	steps, _ := Way{From: from, To: to}.Script(0)
	return steps
}

// Script returns the steps of w in the order of [Order], and with room above 0 fitted into that many entries; first is how many removals come first
// for lack of room, see [Fit].
func (w Way) Script(room int) (steps []Step, first int) { return w.script(w.lines(), room) }

func (w Way) script(lines []line, room int) (steps []Step, first int) {
	for _, l := range lines {
		switch {
		case l.old < 0:
			steps = append(steps, Step{Add, l.old, l.new})
		case l.new < 0:
			steps = append(steps, Step{Remove, l.old, l.new})
		case w.changes(l):
			steps = append(steps, Step{Replace, l.old, l.new})
		}
	}
	steps = Order(steps, w.turn, func(a, b *Step) int {
		if a.New >= 0 && b.New >= 0 {
			return a.New - b.New
		}
		return a.Old - b.Old // one of them is a removal, so both are late
	})
	return Fit(steps, func(s *Step) Op { return s.Op }, w.turn, len(w.From), room)
}

// changes says whether another entry stands on l afterwards than before: one that does something else.
func (w Way) changes(l line) bool {
	a, b := &w.From[l.old], &w.To[l.new]
	return a.Do != b.Do || a.Continue != b.Continue
}

func (w Way) turn(s *Step) Turn {
	var before, after Severity
	if s.Old >= 0 {
		before = w.From[s.Old].Do.Severity()
	}
	if s.New >= 0 {
		after = w.To[s.New].Do.Severity()
	}
	return TurnOf(s.Op, before, after)
}

// line is one place of a device that goes the way: what stands there before and after.
type line struct{ old, new int } // indexes in From and To; -1: nothing

// lines returns every place of both tables, in the order of evaluation.
func (w Way) lines() []line {
	above := w.Above
	if above == nil {
		above = w.contents()
	}
	lines := make([]line, 0, max(len(w.From), len(w.To)))
	i, k := 0, 0
	for i < len(w.From) || k < len(w.To) {
		c := -1
		switch {
		case i == len(w.From):
			c = 1
		case k < len(w.To):
			c = above(i, k)
		}
		switch {
		case c < 0:
			lines, i = append(lines, line{i, -1}), i+1
		case c > 0:
			lines, k = append(lines, line{-1, k}), k+1
		default:
			lines, i, k = append(lines, line{i, k}), i+1, k+1
		}
	}
	return lines
}

// contents compares places by what stands there. Entries that are one place are a longest list that both tables have in one order.
func (w Way) contents() func(i, k int) int {
	pairs := w.pairs()
	twin := make([]int, len(w.From)) // in To, or -1
	for i := range twin {
		twin[i] = -1
	}
	back := make([]int, len(w.To))
	for k := range back {
		back[k] = -1
	}
	for _, p := range pairs {
		twin[p.old], back[p.new] = p.new, p.old
	}
	return func(i, k int) int {
		switch {
		case twin[i] < 0:
			return -1
		case back[k] < 0:
			return 1
		}
		return twin[i] - k // 0: the cursor of each has come to the pair
	}
}

// pairs returns entries with one match on both sides, both ascending. Where several entries have one match, those with the same ID go together first, then
// those that do the same.
func (w Way) pairs() []line {
	from, to, start := 0, 0, 0
	end, tail := len(w.From), len(w.To)
	same := func(i, k int) bool {
		a, b := &w.From[i], &w.To[k]
		return a.ID == b.ID && a.Do == b.Do && a.Continue == b.Continue && a.Match.Identical(b.Match)
	}
	var out []line
	for from < end && to < tail && same(from, to) {
		out = append(out, line{from, to})
		from, to = from+1, to+1
	}
	for end > from && tail > to && same(end-1, tail-1) {
		end, tail = end-1, tail-1
	}
	start = len(out)
	out = append(out, w.matched(from, end, to, tail)...)
	out = append(out[:start], ascending(out[start:])...)
	for i, k := end, tail; i < len(w.From); i, k = i+1, k+1 {
		out = append(out, line{i, k})
	}
	return out
}

// matched pairs entries of From[i:end] and To[k:tail], in the order of To.
func (w Way) matched(i, end, k, tail int) []line {
	there := map[uint64][]int{}
	for ; i < end; i++ {
		h := w.From[i].Match.Hash()
		there[h] = append(there[h], i)
	}
	twin := make([]int, len(w.To))
	alike := []func(a, b *Entry) bool{
		func(a, b *Entry) bool { return a.ID == b.ID },
		func(a, b *Entry) bool { return a.Do == b.Do && a.Continue == b.Continue },
		func(*Entry, *Entry) bool { return true },
	}
	for _, is := range alike {
		for n := k; n < tail; n++ {
			e := &w.To[n]
			h := e.Match.Hash()
			if twin[n] > 0 {
				continue
			}
			at := slices.IndexFunc(there[h], func(i int) bool { return is(&w.From[i], e) && w.From[i].Match.Identical(e.Match) })
			if at >= 0 {
				twin[n] = there[h][at] + 1
				there[h] = slices.Delete(there[h], at, at+1)
			}
		}
	}
	var out []line
	for n := k; n < tail; n++ {
		if twin[n] > 0 {
			out = append(out, line{twin[n] - 1, n})
		}
	}
	return out
}

// ascending returns a longest part of pairs, which ascend by new, in which old ascends as well.
func ascending(pairs []line) []line {
	ends := make([]int, 0, len(pairs)) // by length less one: the pair that ends a list of that length, lowest old first
	before := make([]int, len(pairs))  // the pair before each in the longest list that it ends
	for n, p := range pairs {
		at, _ := slices.BinarySearchFunc(ends, p.old, func(e, old int) int { return pairs[e].old - old })
		before[n] = -1
		if at > 0 {
			before[n] = ends[at-1]
		}
		if at == len(ends) {
			ends = append(ends, n)
		} else {
			ends[at] = n
		}
	}
	if len(ends) == 0 {
		return nil
	}
	out := make([]line, len(ends))
	for at, n := len(ends)-1, ends[len(ends)-1]; at >= 0; at, n = at-1, before[n] {
		out[at] = pairs[n]
	}
	return out
}
