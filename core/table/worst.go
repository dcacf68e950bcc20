package table

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Passage is what [Way.Walk] found on the way from one table to another.
type Passage struct {
	Steps []Step
	First int // of them, removals that come first for lack of room
	Peak  int // most entries at one time
	// PeakAfter is after how many steps that is first the case; 0: in the beginning.
	PeakAfter int
	Bad       int    // steps that make some packet fare worse than at both ends
	Worst     *Worse // the worst of those; nil: there is none, or it was not proven
	// Unproven says that the walk gave up within its budget, and that there may be worse than Worst.
	Unproven bool
}

// Worse is a packet that fares worse on the way than at both ends.
type Worse struct {
	After  int // how many steps
	Until  int // after how many steps it no longer does
	Packet packet.Header
	// From, Now and To say what happens to it, FromEntry, NowEntry and ToEntry are the IDs of who decides it; "" is the default.
	From, Now, To                string
	FromEntry, NowEntry, ToEntry string
	by                           int // severities above the worse of the ends
}

// Walk takes the steps of w, within room (see [Way.Script]), and looks at every table on the way for packets that are treated worse than in the table before and
// worse than in the table after, as [Severer] means it, sharing of buckets aside. Only what a step touches is looked at, exactly; the work is bounded.
func (w Way) Walk(room int) Passage {
	lines := w.lines()
	steps, first := w.script(lines, room)
	return w.walk(lines, steps, first)
}

// After returns the table on the way after so many of steps.
func (w Way) After(steps []Step, n int) (out Table) {
	k := newWalk(w, w.lines())
	for i := range steps[:n] {
		k.step(&steps[i])
	}
	for at := range k.lines {
		if e := k.entry(at, onTheWay); e != nil {
			out = append(out, *e)
		}
	}
	return out
}

func (w Way) walk(lines []line, steps []Step, first int) Passage {
	k := newWalk(w, lines)
	p := Passage{Steps: steps, First: first, Peak: len(w.From)}
	held := len(w.From)
	for n := range steps {
		at := k.step(&steps[n])
		switch steps[n].Op {
		case Add:
			held++
		case Remove:
			held--
		}
		if held > p.Peak {
			p.Peak, p.PeakAfter = held, n+1
		}
		worst, ok := k.look(at, steps[n].Op)
		if !ok {
			p.Unproven = true
			break
		}
		if worst == nil {
			continue
		}
		p.Bad++
		if p.Worst == nil || worst.by > p.Worst.by {
			worst.After = n + 1
			p.Worst = worst
		}
	}
	if p.Worst != nil {
		p.Worst.Until = k.until(p.Worst, steps)
	}
	return p
}

// walk is a device on its way.
type walk struct {
	Way
	lines     []line
	places    Table // the match of each line
	index     *index
	atOld     []int  // the line of each entry of From
	atNew     []int  // and of To
	live      []bool // by line: something stands there
	renewed   []bool // and it is what stands there in the end
	unchanged []bool // by line: the same stands there before and after
	passes    bool   // some entry continues
	found     []int
	steps     int // left; see budget
}

func newWalk(w Way, lines []line) *walk {
	k := &walk{
		Way: w, lines: lines, places: make(Table, len(lines)), atOld: make([]int, len(w.From)), atNew: make([]int, len(w.To)),
		live: make([]bool, len(lines)), renewed: make([]bool, len(lines)), unchanged: make([]bool, len(lines)), steps: budget(w.From, w.To),
	}
	for n, l := range lines {
		if l.new >= 0 {
			k.places[n].Match, k.atNew[l.new] = w.To[l.new].Match, n
		}
		if l.old >= 0 {
			k.places[n].Match, k.atOld[l.old] = w.From[l.old].Match, n
		}
	}
	for n, l := range lines {
		k.unchanged[n] = l.old >= 0 && l.new >= 0 && !w.changes(l)
	}
	continues := func(e Entry) bool { return e.Continue }
	k.passes = slices.ContainsFunc(w.From, continues) || slices.ContainsFunc(w.To, continues)
	k.index = newIndex(k.places, all(k.places))
	k.begin()
	return k
}

// begin puts the device where it was before the first step.
func (k *walk) begin() {
	for n, l := range k.lines {
		k.live[n], k.renewed[n] = l.old >= 0, false
	}
}

// step takes a step and returns the line that it is about.
func (k *walk) step(s *Step) int {
	at := 0
	if s.Old >= 0 {
		at = k.atOld[s.Old]
	} else {
		at = k.atNew[s.New]
	}
	k.live[at] = s.New >= 0
	k.renewed[at] = k.live[at]
	return at
}

// stage is one of the three tables that a packet is followed through.
type stage uint8

const (
	inFrom stage = iota
	inTo
	onTheWay
)

// entry returns what stands on a line at a stage, or nil.
func (k *walk) entry(at int, in stage) *Entry {
	l := k.lines[at]
	switch {
	case in == onTheWay && !k.live[at]:
		return nil
	case in == inTo || in == onTheWay && k.renewed[at]:
		if l.new < 0 {
			return nil
		}
		return &k.To[l.new]
	case l.old < 0:
		return nil
	}
	return &k.From[l.old]
}

// fate is what happens to packets: the outcomes of the entries that match, up to and including the one that ends evaluation, and the last of those entries.
type fate struct {
	does []Outcome
	by   string // ID of the entry that ends it, or ""
	at   []int  // lines of the entries that match
}

// parts divides set by what happens to its packets at a stage and calls f for each part. lines are those that may match a packet of set. It returns false
// where f does, or when steps are used up.
func (k *walk) parts(set packet.Set, lines []int, in stage, sofar fate, f func(packet.Set, fate) bool) bool {
	for n, at := range lines {
		e := k.entry(at, in)
		if e == nil {
			continue
		}
		if k.steps = max(k.steps-1, 0); k.steps == 0 {
			return false
		}
		if !set.Overlaps(e.Match) {
			continue
		}
		inside := set.And(e.Match)
		next := fate{append(sofar.does[:len(sofar.does):len(sofar.does)], e.Do), "", append(sofar.at[:len(sofar.at):len(sofar.at)], at)}
		if e.Continue {
			if !k.parts(inside, lines[n+1:], in, next, f) {
				return false
			}
		} else {
			next.by = e.ID
			if !f(inside, next) {
				return false
			}
		}
		var ok bool
		if set, ok = set.SubOn(&k.steps, e.Match); !ok {
			k.steps = 0
			return false
		}
		if set.Empty() {
			return true
		}
	}
	return f(set, sofar)
}

// look returns the packet that fares worst after a step on line at, of those that the step touched and that fare worse than at both ends. ok is false when steps were used up.
func (k *walk) look(at int, op Op) (worst *Worse, ok bool) {
	m := k.places[at].Match
	var near []int
	k.found = k.index.near(m, k.found)
	for _, n := range k.found {
		if k.places[n].Match.Overlaps(m) {
			near = append(near, n)
		}
	}
	if k.passes {
		ok = k.parts(m, near, onTheWay, fate{}, func(part packet.Set, does fate) bool {
			if severity(does.does) == Accepts || op != Remove && !slices.Contains(does.at, at) {
				return true // as good as it gets, or as it was before the step
			}
			return k.worse(part, near, inFrom, does, nil, func(part packet.Set, before fate) bool {
				return k.worse(part, near, inTo, does, worst.above(), func(part packet.Set, after fate) bool {
					worst = worst.or(part, before, does, after)
					return true
				})
			})
		})
		return worst, ok
	}
	if op != Remove {
		worst, ok = k.decidedBy(at, m, near, nil)
		return worst, ok
	}
	gone := [2]Severity{inFrom: Discards, inTo: Discards} // the mildest of what does not stand on its line now, of those lines passed
	for _, y := range near {
		if k.steps = max(k.steps-1, 0); k.steps == 0 {
			return worst, false
		}
		if y > at && k.live[y] {
			does := k.entry(y, onTheWay).Do.Severity()
			if mildest := gone[k.home(y)]; does != Accepts && (mildest < does || mildest == does && does != Discards) {
				if worst, ok = k.decidedBy(y, m, near, worst); !ok {
					return worst, false
				}
			}
		}
		for _, in := range []stage{inFrom, inTo} {
			if e := k.entry(y, in); e != nil && !k.stands(y, in) {
				gone[in] = min(gone[in], e.Do.Severity())
			}
		}
	}
	return worst, true
}

// home returns a table that what stands on a line now is of.
func (k *walk) home(at int) stage {
	if k.stands(at, inTo) {
		return inTo
	}
	return inFrom
}

// decidedBy looks at the packets of m that the entry on line y decides now, where all entries end evaluation. That entry is of From or of To, perhaps of both. So a
// packet that fares otherwise in that table is decided there by an entry above, which does not stand on its line now: there are few of those, and where steps go in the order of
// a script none is milder.
func (k *walk) decidedBy(y int, m packet.Set, near []int, worst *Worse) (*Worse, bool) {
	in := k.home(y)
	other := inFrom + inTo - in
	e := k.entry(y, onTheWay)
	does := fate{does: []Outcome{e.Do}, by: e.ID}
	for _, x := range near {
		if k.steps = max(k.steps-1, 0); k.steps == 0 {
			return worst, false
		}
		if x >= y {
			break
		}
		o := k.entry(x, in)
		if o == nil || k.stands(x, in) || !worse([]Outcome{o.Do}, does.does) || !o.Match.Overlaps(e.Match) {
			continue
		}
		cell := m.And(e.Match).And(o.Match)
		var above []packet.Set
		for _, n := range near {
			if n < y && k.live[n] || n < x && k.entry(n, in) != nil {
				above = append(above, k.places[n].Match)
			}
		}
		if k.steps = max(k.steps-len(above), 0); k.steps == 0 {
			return worst, false
		}
		cell, ok := cell.SubOn(&k.steps, above...)
		if !ok {
			return worst, false
		}
		there := fate{does: []Outcome{o.Do}, by: o.ID}
		ok = k.worse(cell, near, other, does, worst.above(), func(part packet.Set, elsewhere fate) bool {
			if in == inTo {
				worst = worst.or(part, elsewhere, does, there)
			} else {
				worst = worst.or(part, there, does, elsewhere)
			}
			return true
		})
		if !ok {
			return worst, false
		}
	}
	return worst, true
}

// stands says whether what stands on a line now is what stands there in From, or in To.
func (k *walk) stands(at int, in stage) bool {
	l := k.lines[at]
	if in == inTo {
		return k.live[at] && l.new >= 0 && (k.renewed[at] || k.unchanged[at])
	}
	return k.live[at] && l.old >= 0 && (!k.renewed[at] || k.unchanged[at])
}

// above returns by how many severities a packet has to fare worse to count beside w.
func (w *Worse) above() *int {
	if w == nil {
		return nil
	}
	return &w.by
}

// or returns w, or a packet of part where it fares worse than that.
func (w *Worse) or(part packet.Set, before, does, after fate) *Worse {
	by := int(severity(does.does)) - int(max(severity(before.does), severity(after.does)))
	if w != nil && by <= w.by {
		return w
	}
	h, can := part.Witness()
	if !can {
		return w
	}
	return &Worse{Packet: h, From: words(before.does), Now: words(does.does), To: words(after.does), FromEntry: before.by, NowEntry: does.by, ToEntry: after.by, by: by}
}

// worse calls f for the parts of set whose packets would be treated worse if does happened to them than they are at a stage; with above not nil, only
// where that is by more severities.
func (k *walk) worse(set packet.Set, near []int, in stage, does fate, above *int, f func(packet.Set, fate) bool) bool {
	return set.Empty() || k.parts(set, near, in, fate{}, func(part packet.Set, there fate) bool {
		if above != nil && int(severity(does.does))-int(severity(there.does)) <= *above {
			return true
		}
		return !worse(there.does, does.does) || f(part, there)
	})
}

// until returns after how many steps the packet of w no longer fares worse than at both ends.
func (k *walk) until(w *Worse, steps []Step) int {
	h := w.Packet
	var near []int
	for _, n := range k.index.near(packet.Of(h.Box()), nil) {
		if k.places[n].Match.Has(h) {
			near = append(near, n)
		}
	}
	before, after := k.does(near, inFrom), k.does(near, inTo)
	k.begin()
	for n := range steps {
		at := k.step(&steps[n])
		if n+1 > w.After && k.places[at].Match.Has(h) {
			if now := k.does(near, onTheWay); !worse(before, now) || !worse(after, now) {
				return n + 1
			}
		}
	}
	return len(steps)
}

// does returns what happens at a stage to a packet that exactly the entries on lines match.
func (k *walk) does(lines []int, in stage) (out []Outcome) {
	for _, at := range lines {
		if e := k.entry(at, in); e != nil {
			out = append(out, e.Do)
			if !e.Continue {
				break
			}
		}
	}
	return out
}
