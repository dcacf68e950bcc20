package table

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// position is a line of a live table that may be there before a change, after it, or both, with different outcomes.
type position struct {
	entry         Entry
	before, after *Outcome
}

// TestNoPacketFaresWorseOnTheWay runs random scripts change by change: at every moment, every packet fares no worse, severity by severity, than in the worse of
// the two ends.
func TestNoPacketFaresWorseOnTheWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		positions := drawPositions(t)
		from, to := tableOf(positions, false), tableOf(positions, true)
		live := make([]*Outcome, len(positions))
		for i := range positions {
			live[i] = positions[i].before
		}
		for step, change := range changes(positions) {
			live[change] = positions[change].after
			now := liveTable(positions, live)
			for _, h := range twinPackets() {
				ends := max(severity(doesOf(from, h)), severity(doesOf(to, h)))
				if got := severity(doesOf(now, h)); got > ends {
					t.Fatalf("after step %d, %v fares %v; at the ends at worst %v\nfrom %v\nto %v\nnow %v", step, h, got, ends, from, to, now)
				}
			}
		}
		if d := Diff(to, liveTable(positions, live)); d != nil {
			t.Fatalf("the script does not end at its end: %v", d)
		}
	})
}

func drawPositions(t *rapid.T) []position {
	out := make([]position, rapid.IntRange(1, 7).Draw(t, "positions"))
	for i := range out {
		name := fmt.Sprintf("r%d", i)
		out[i].entry = Entry{ID: name, Match: drawSet(t)}
		a, b := drawOutcome(t, name), drawOutcome(t, name)
		switch rapid.IntRange(0, 3).Draw(t, "fate") {
		case 0:
			out[i].after = &b
		case 1:
			out[i].before = &a
		case 2:
			out[i].before, out[i].after = &a, &b
		case 3:
			out[i].before, out[i].after = &a, &a
		}
	}
	return out
}

// changes returns the positions that change, in the order that Script and Replace say.
func changes(positions []position) (order []int) {
	var adds, removes []Severity
	var added, removed []int
	for i, p := range positions {
		switch {
		case p.before == nil:
			adds, added = append(adds, p.after.Severity()), append(added, i)
		case p.after == nil:
			removes, removed = append(removes, p.before.Severity()), append(removed, i)
		case *p.before != *p.after:
			if add, at := Replace(p.before.Severity(), p.after.Severity()); add {
				adds, added = append(adds, at), append(added, i)
			} else {
				removes, removed = append(removes, at), append(removed, i)
			}
		}
	}
	for _, op := range Script(adds, removes) {
		if op.Add {
			order = append(order, added[op.Index])
		} else {
			order = append(order, removed[op.Index])
		}
	}
	return order
}

func tableOf(positions []position, after bool) Table {
	live := make([]*Outcome, len(positions))
	for i, p := range positions {
		live[i] = p.before
		if after {
			live[i] = p.after
		}
	}
	return liveTable(positions, live)
}

func liveTable(positions []position, live []*Outcome) (t Table) {
	for i, p := range positions {
		if live[i] != nil {
			e := p.entry
			e.Do = *live[i]
			t = append(t, e)
		}
	}
	return t
}

func TestScriptOrder(t *testing.T) {
	t.Parallel()
	got := Script([]Severity{Discards, Accepts, Limits, Accepts}, []Severity{Accepts, Discards, Marks, Discards})
	want := []Op{{true, 1}, {true, 3}, {true, 2}, {true, 0}, {false, 1}, {false, 3}, {false, 2}, {false, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Script(nil, nil); len(got) != 0 {
		t.Errorf("got %v of nothing", got)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before, after Severity
		add           bool
		at            Severity
	}{
		{Accepts, Discards, true, Discards},
		{Discards, Accepts, false, Discards},
		{Limits, Limits, true, Limits},
		{Redirects, Marks, false, Redirects},
	} {
		if add, at := Replace(c.before, c.after); add != c.add || at != c.at {
			t.Errorf("%v to %v: got %v at %v, want %v at %v", c.before, c.after, add, at, c.add, c.at)
		}
	}
}
