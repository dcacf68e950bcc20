package plan

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// meeting is the rules that may share packets with one that is rejected, in order, with how many of them were not carried when it was last seen that it exposes
// no more of them. As long as that number stays, so does the answer: rules only ever go.
type meeting struct {
	rules []int32
	gone  int
}

// meeting returns the rules that may share packets with card i.
func (pl *plane) meeting(i int32) *meeting {
	if m := pl.meetings[i]; m != nil {
		return m
	}
	if pl.meetings == nil {
		pl.meetings = make(map[int32]*meeting)
	}
	m := &meeting{gone: -1}
	pl.near(i, false, func(j int32) bool {
		m.rules = append(m.rules, j)
		return true
	})
	slices.Sort(m.rules)
	m.rules = slices.Compact(m.rules)
	pl.meetings[i] = m
	return m
}

// gone returns how many rules of m are not carried.
func (pl *plane) gone(m *meeting) (n int) {
	for _, j := range m.rules {
		if !pl.state[j].carried() {
			n++
		}
	}
	return n
}

// loss is a rule that must go because one above it went, with packets that show it.
type loss struct {
	card    int32
	witness *witnessed
}

// exposed returns the rules that treat packets of i worse than asked, now that i is rejected.
func (pl *plane) exposed(i int32) (out []loss) {
	c, m := pl.cards[i], pl.meeting(i)
	for at, j := range m.rules {
		d := pl.cards[j]
		if j < i || !pl.state[j].carried() || d.severity < c.severity || !pl.differ(i, j) || !pl.meets(i, j) {
			continue
		}
		base := c.set.And(d.set)
		if left := pl.outside(base, pl.decide(base, j, m.rules[:at])); exists(left) {
			out = append(out, loss{j, &witnessed{want: c, got: d, packets: left}})
		}
	}
	return out
}

// decide returns carried rules among those given that decide packets of base, which are of j, but not more than the bound. Rules that go on decide nothing.
func (pl *plane) decide(base packet.Set, j int32, among []int32) (before []packet.Set) {
	for _, k := range among {
		pl.steps += glanceSteps
		if c := pl.cards[k]; pl.state[k].carried() && !c.rule.Action.Continue && pl.at[k].near(&pl.at[j]) && pl.overlap(c.set, base) {
			if before = append(before, c.set); len(before) == entangled {
				break
			}
		}
	}
	return before
}
