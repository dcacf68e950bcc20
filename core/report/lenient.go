package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/review"
	"github.com/sluice-gateway/sluice/core/table"
)

// Lenient is packets that fare otherwise than asked, never worse, because a rule is not carried.
type Lenient struct {
	Rules   []Ref    `json:"rules"`
	Packets string   `json:"packets"` // in words
	Size    float64  `json:"size"`    // how many headers, as a logarithm to base 2: for comparing, not for counting
	Whole   bool     `json:"whole"`   // all packets of the rule
	AtMost  bool     `json:"at-most"` // these and no others; some of them may fare as asked: that took too long to find out
	Witness *Witness `json:"witness"`

	set    packet.Set
	place  int // of the rule in the table
	packet packet.Header
}

// The budget of finding packets, in steps of some 10 to 50 ns: for one rule, and for all rules of a plan.
const (
	ruleSteps = 20_000
	planSteps = 3_000_000
)

// Lenient returns the packets that fare otherwise because their rules are rejected, largest sets first, and how many more there are.
func (j *Judged) Lenient(in *Input, ix *review.Index, index []int) ([]Lenient, int) {
	left := planSteps
	out := []Lenient{}
	for i := range index {
		if j.Verdicts[index[i]].Carried != plan.Rejected {
			continue
		}
		l := leniency{j: j, in: in, ix: ix, index: index, steps: min(ruleSteps, left)}
		left -= l.steps
		if one, some := l.of(i); some {
			out = append(out, one)
		}
		left += max(l.steps, 0)
	}
	slices.SortStableFunc(out, func(a, b Lenient) int { return cmp.Compare(b.Size, a.Size) })
	more := max(0, len(out)-mostListed)
	out = out[:len(out)-more]
	for k := range out {
		one := &out[k]
		l := leniency{j: j, in: in, ix: ix, index: index}
		one.Packets, one.Size = one.set.String(), math.Round(one.Size*10)/10
		one.Witness = &Witness{Packet: one.packet.String(), Want: l.does(one.place, one.packet, false), Got: l.does(one.place, one.packet, true)}
	}
	return out, more
}

// leniency finds the packets of one rejected rule that fare otherwise.
type leniency struct {
	j     *Judged
	in    *Input
	ix    *review.Index
	index []int
	steps int
}

func (l *leniency) want(i int) table.Outcome { return table.Want(l.in.Rules[l.index[i]].Rule) }

func (l *leniency) goesOn(i int) bool { return l.in.Rules[l.index[i]].Rule.Action.Continue }

func (l *leniency) carried(i int) bool { return l.j.Verdicts[l.index[i]].Carried != plan.Rejected }

// of returns the packets of rule i that fare otherwise, not in words yet; false where there are none.
func (l *leniency) of(i int) (Lenient, bool) {
	want := l.want(i)
	if want == (table.Outcome{}) && len(l.in.Rules[l.index[i]].Rule.Action.Unknown) == 0 {
		return Lenient{}, false // what it asks is nothing, and nobody filters more than that
	}
	out := Lenient{Rules: []Ref{l.in.ref(l.index[i])}, place: i}
	var known bool
	if out.set, known = l.packets(i, want); !known {
		out.set, out.AtMost = l.ix.Set(i), true
	}
	out.Whole = known && out.set.Identical(l.ix.Set(i))
	out.Size = out.set.Size()
	var some bool
	out.packet, some = out.set.Witness()
	return out, some
}

// packets returns the packets that rule i is asked to decide, without those that carried rules below it treat the same.
func (l *leniency) packets(i int, want table.Outcome) (left packet.Set, known bool) {
	left = l.ix.Set(i)
	for k := range l.ix.Above(i) {
		if l.steps--; l.steps <= 0 {
			return left, false
		}
		if !l.goesOn(k) && left.Overlaps(l.ix.Set(k)) {
			if left, known = left.SubOn(&l.steps, l.ix.Set(k)); !known || left.Empty() {
				return left, known
			}
		}
	}
	if want.Policer != "" || l.goesOn(i) {
		return left, true // nothing below can do the same
	}
	undecided := left
	for k := range l.ix.Below(i) {
		if l.steps--; l.steps <= 0 {
			return left, false
		}
		if !l.carried(k) || !undecided.Overlaps(l.ix.Set(k)) {
			continue
		}
		if l.goesOn(k) && l.want(k) == (table.Outcome{}) {
			continue
		}
		if !l.goesOn(k) && l.want(k) == want {
			if left, known = left.SubOn(&l.steps, undecided.And(l.ix.Set(k))); !known {
				return left, false
			}
		}
		if undecided, known = undecided.SubOn(&l.steps, l.ix.Set(k)); !known || undecided.Empty() {
			return left, known
		}
	}
	return left, true
}

// does says what all rules ask for h, a packet of rule i, or what those that are carried do to it.
func (l *leniency) does(i int, h packet.Header, carried bool) string {
	var parts []string
	meet := func(k int) (ends bool) {
		if carried && !l.carried(k) || !l.ix.Set(k).Has(h) {
			return false
		}
		if do := l.want(k); do != (table.Outcome{}) {
			parts = append(parts, do.String())
		}
		return !l.goesOn(k)
	}
	way := func(yield func(int) bool) {
		for k := range l.ix.Above(i) {
			if !yield(k) {
				return
			}
		}
		if !yield(i) {
			return
		}
		l.ix.Below(i)(yield)
	}
	for k := range way {
		if meet(k) {
			break
		}
	}
	if parts == nil {
		return "accept"
	}
	return strings.Join(parts, ", then ")
}
