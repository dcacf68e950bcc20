package table

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/packet"
	"pgregory.net/rapid"
)

// drawWay draws two tables whose places are known, as those of NLRIs are: both are parts of one list. A match may stand in several places. IDs tell nothing.
func drawWay(t *rapid.T, outcome func(*rapid.T, string) Outcome) Way {
	w := Way{}
	var places [2][]int
	n := rapid.IntRange(1, 8).Draw(t, "places")
	var last packet.Set
	for i := range n {
		e := Entry{ID: rapid.SampledFrom([]string{"a", "b", fmt.Sprint(i)}).Draw(t, "ID"), Match: drawSet(t)}
		if i > 0 && rapid.IntRange(0, 4).Draw(t, "same match") == 0 {
			e.Match = last
		}
		last = e.Match
		fate := rapid.IntRange(0, 3).Draw(t, "fate")
		if fate != 0 {
			e.Do = outcome(t, fmt.Sprint(i))
			w.From, places[0] = append(w.From, e), append(places[0], i)
		}
		if fate < 2 {
			e.Do = outcome(t, fmt.Sprint(i))
		}
		if fate != 3 {
			w.To, places[1] = append(w.To, e), append(places[1], i)
		}
	}
	w.Above = func(i, k int) int { return places[0][i] - places[1][k] }
	return w
}

// drawContents draws two tables of which only the contents are known, the second often like the first.
func drawContents(t *rapid.T, outcome func(*rapid.T, string) Outcome) Way {
	draw := func() (out Table) {
		for i := range rapid.IntRange(0, 6).Draw(t, "entries") {
			out = append(out, Entry{ID: rapid.SampledFrom([]string{"a", fmt.Sprint(i)}).Draw(t, "ID"), Match: drawSet(t), Do: outcome(t, fmt.Sprint(i))})
		}
		return out
	}
	w := Way{From: draw(), To: draw()}
	if rapid.IntRange(0, 3).Draw(t, "related") > 0 {
		w.To = slices.Clone(w.From)
		for range rapid.IntRange(0, 3).Draw(t, "disturbances") {
			if len(w.To) == 0 {
				break
			}
			i := rapid.IntRange(0, len(w.To)-1).Draw(t, "where")
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				w.To = slices.Delete(w.To, i, i+1)
			case 1:
				w.To[i].Do = outcome(t, "x")
			case 2:
				w.To = slices.Insert(w.To, i, w.To[rapid.IntRange(0, len(w.To)-1).Draw(t, "twice")])
			case 3:
				k := rapid.IntRange(0, len(w.To)-1).Draw(t, "with")
				w.To[i], w.To[k] = w.To[k], w.To[i]
			case 4:
				w.To = slices.Insert(w.To, i, Entry{ID: "y", Match: drawSet(t), Do: outcome(t, "y")})
			}
		}
	}
	return w
}

func drawEither(t *rapid.T, outcome func(*rapid.T, string) Outcome) Way {
	if rapid.Bool().Draw(t, "places known") {
		return drawWay(t, outcome)
	}
	return drawContents(t, outcome)
}

// tables returns every table on the way: before the first step, and after each. It stands entry by entry on what the steps say, and fails where they make no sense.
func tables(t failer, w Way, steps []Step) []Table {
	t.Helper()
	lines := w.lines()
	live := make([]*Entry, len(lines))
	at := func(s Step) int {
		return slices.IndexFunc(lines, func(l line) bool {
			return s.Old >= 0 && l.old == s.Old || s.New >= 0 && l.new == s.New
		})
	}
	for n, l := range lines {
		if l.old >= 0 {
			live[n] = &w.From[l.old]
		}
	}
	now := func() (out Table) {
		for _, e := range live {
			if e != nil {
				out = append(out, *e)
			}
		}
		return out
	}
	all := []Table{now()}
	for _, s := range steps {
		n := at(s)
		switch {
		case s.Op == Add && live[n] == nil && s.Old < 0, s.Op == Replace && live[n] != nil && s.Old >= 0:
			live[n] = &w.To[s.New]
		case s.Op == Remove && live[n] != nil && s.New < 0:
			live[n] = nil
		default:
			t.Fatalf("step %+v makes no sense", s)
		}
		all = append(all, now())
	}
	if n := len(steps) / 2; !slices.EqualFunc(w.After(steps, n), all[n], func(a, b Entry) bool { return a.ID == b.ID && a.Do == b.Do }) {
		t.Fatalf("after %d steps: got %v, want %v", n, w.After(steps, n), all[n])
	}
	same := func(a, b Entry) bool {
		return a.Do == b.Do && a.Continue == b.Continue && a.Match.Identical(b.Match)
	}
	if !slices.EqualFunc(all[0], w.From, same) || !slices.EqualFunc(all[len(all)-1], w.To, same) {
		t.Fatalf("the way leads from %v to %v, not from %v to %v", all[0], all[len(all)-1], w.From, w.To)
	}
	return all
}

// At every moment, every packet fares exactly as at one of the two ends, or milder by a severity than at one of them.
func TestNoPacketFaresWorseOnTheWay(t *testing.T) {
	t.Parallel()
	checks := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawEither(t, drawOutcome)
		steps, first := w.Script(0)
		if first != 0 {
			t.Fatalf("%d removals come first although there is room", first)
		}
		for n, now := range tables(t, w, steps) {
			for _, h := range twinPackets() {
				checks++
				from, to, got := doesOf(w.From, h), doesOf(w.To, h), doesOf(now, h)
				if !slices.Equal(got, from) && !slices.Equal(got, to) && severity(got) >= max(severity(from), severity(to)) {
					t.Fatalf("after step %d of %v, %v fares %v; at the ends %v and %v", n, steps, h, got, from, to)
				}
			}
		}
	})
	t.Logf("%d packets at moments", checks)
}

// The same by proof: Severer compares every table on the way with the worse of the two ends, which is a table of its own: of every pair of entries, what both
// match fares as under the severer one. Treatments of one severity count as one here, since Severer knows more than severities.
func TestSevererFindsNothingOnTheWay(t *testing.T) {
	t.Parallel()
	bySeverity := func(t *rapid.T, _ string) Outcome {
		return rapid.SampledFrom([]Outcome{{}, {Marked: true, Mark: 10}, {Redirect: "192.0.2.99"}, {Discard: true}}).Draw(t, "outcome")
	}
	rapid.Check(t, func(t *rapid.T) {
		w := drawEither(t, bySeverity)
		worse := worseOf(w.From, w.To)
		steps := Script(w.From, w.To)
		if w.Above != nil {
			steps, _ = w.Script(0)
		}
		for n, now := range tables(t, w, steps) {
			if d := Severer(worse, now); d != nil {
				t.Fatalf("after step %d of %v: %v\nfrom %v\nto %v\nnow %v", n, steps, d, w.From, w.To, now)
			}
		}
	})
}

// worseOf returns the table that treats every packet as the severer of a and b does.
func worseOf(a, b Table) (out Table) {
	rest := Entry{Match: packet.Of(packet.Everything(packet.IPv4), packet.Everything(packet.IPv6))}
	for _, x := range append(slices.Clone(a), rest) {
		for _, y := range append(slices.Clone(b), rest) {
			e := Entry{Match: x.Match.And(y.Match), Do: x.Do}
			if y.Do.Severity() > x.Do.Severity() {
				e.Do = y.Do
			}
			out = append(out, e)
		}
	}
	return out
}

// Walk finds a packet that fares worse on the way exactly where looking at each packet in each table finds one: on the way as it should be, without room, and when the
// steps come in any order.
func TestWalkAgreesPacketByPacket(t *testing.T) {
	t.Parallel()
	found, clean := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawEither(t, drawOutcome)
		if rapid.IntRange(0, 3).Draw(t, "passes") == 0 {
			for _, table := range []Table{w.From, w.To} {
				for i := range table {
					table[i].Continue = rapid.IntRange(0, 2).Draw(t, "continue") == 0
				}
			}
		}
		var p Passage
		if rapid.Bool().Draw(t, "shuffled") {
			lines := w.lines()
			steps, _ := w.script(lines, 0)
			p = w.walk(lines, rapid.Permutation(steps).Draw(t, "steps"), 0)
		} else {
			p = w.Walk(rapid.IntRange(0, 1).Draw(t, "tight") * max(len(w.From), len(w.To), 1))
		}
		if p.Unproven {
			t.Fatal("a small table is not proven")
		}
		moments := tables(t, w, p.Steps)
		peak := slices.MaxFunc(moments, func(a, b Table) int { return len(a) - len(b) })
		if p.Peak != len(peak) || len(moments[p.PeakAfter]) != p.Peak {
			t.Fatalf("peak %d after %d, want %d", p.Peak, p.PeakAfter, len(peak))
		}
		bad, most := slowWalk(w, moments)
		if p.Bad > len(bad) || (p.Bad > 0) != (len(bad) > 0) {
			t.Fatalf("%d steps are bad, packet by packet %v", p.Bad, bad)
		}
		if p.Worst == nil {
			clean++
			return
		}
		found++
		checkWorse(t, w, moments, p.Worst, most)
	})
	t.Logf("%d ways with a packet that fares worse, %d without", found, clean)
}

// slowWalk returns after which steps some packet fares worse than at both ends, and by how many severities at most.
func slowWalk(w Way, moments []Table) (bad []int, most int) {
	for n, now := range moments {
		any := false
		for _, h := range twinPackets() {
			if by, worse := worseThanBoth(w, now, h); worse {
				any, most = true, max(most, by)
			}
		}
		if any {
			bad = append(bad, n)
		}
	}
	return bad, most
}

func worseThanBoth(w Way, now Table, h packet.Header) (by int, yes bool) {
	from, to, got := doesOf(w.From, h), doesOf(w.To, h), doesOf(now, h)
	return int(severity(got)) - int(max(severity(from), severity(to))), worse(from, got) && worse(to, got)
}

func checkWorse(t *rapid.T, w Way, moments []Table, got *Worse, most int) {
	by, yes := worseThanBoth(w, moments[got.After], got.Packet)
	if !yes || by != most {
		t.Fatalf("%+v: worse by %d (%v), want %d", got, by, yes, most)
	}
	if _, before := worseThanBoth(w, moments[got.After-1], got.Packet); before && by == 0 {
		return // within a severity, another treatment may be another wrong
	}
	for n := got.After; n < got.Until; n++ {
		if _, yes := worseThanBoth(w, moments[n], got.Packet); !yes {
			t.Fatalf("%+v is over after %d", got, n)
		}
	}
	if _, yes := worseThanBoth(w, moments[got.Until], got.Packet); yes {
		t.Fatalf("%+v is not over after %d", got, got.Until)
	}
	for told, table := range map[string]Table{got.From + "|" + got.FromEntry: w.From, got.Now + "|" + got.NowEntry: moments[got.After], got.To + "|" + got.ToEntry: w.To} {
		ids, does := table.Classify(got.Packet)
		if want := words(does) + "|" + decider(table, got.Packet, ids); told != want {
			t.Fatalf("told %q, want %q", told, want)
		}
	}
}

func TestScriptOrder(t *testing.T) {
	t.Parallel()
	mark := func(n uint8) Outcome { return Outcome{Marked: true, Mark: n} }
	table := func(does map[int]Outcome) (out Table) {
		for i := range 10 {
			if do, there := does[i]; there {
				out = append(out, Entry{ID: fmt.Sprint(i), Match: disjoint(10)[i].Match, Do: do})
			}
		}
		return out
	}
	discard := Outcome{Discard: true}
	from := table(map[int]Outcome{0: {}, 1: mark(1), 2: discard, 3: mark(2), 4: discard, 5: limit("p", 10)})
	to := table(map[int]Outcome{4: mark(3), 5: limit("p", 9), 6: discard, 7: limit("q", 10), 8: limit("r", 5), 9: {}})
	want := []Step{
		{Add, -1, 5}, {Replace, 5, 1}, {Add, -1, 3}, {Add, -1, 4}, {Add, -1, 2},
		{Replace, 4, 0}, {Remove, 2, -1}, {Remove, 3, -1}, {Remove, 1, -1}, {Remove, 0, -1},
	}
	if got := Script(from, to); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Script(from, from); len(got) != 0 {
		t.Errorf("got %v of nothing", got)
	}
}

// Where two entries have one match, their places tell them apart.
func TestScriptOfTwins(t *testing.T) {
	t.Parallel()
	m := disjoint(2)
	upper, lower := Entry{ID: "upper", Match: m[0].Match, Do: Outcome{Discard: true}}, Entry{ID: "lower", Match: m[0].Match}
	other := Entry{ID: "other", Match: m[1].Match}
	for _, c := range []struct {
		name     string
		from, to Table
		want     []Step
	}{
		{"the first owner goes, and the second comes back", Table{upper, other, lower}, Table{other, lower}, []Step{{Remove, 0, -1}}},
		{"another owner comes first", Table{other, lower}, Table{upper, other, lower}, []Step{{Add, -1, 0}}},
		{"they change places", Table{upper, other, lower}, Table{lower, other, upper}, []Step{{Add, -1, 0}, {Add, -1, 1}, {Remove, 2, -1}, {Remove, 1, -1}}},
		{"one of two that are the same goes", Table{lower, lower}, Table{lower}, []Step{{Remove, 1, -1}}},
		{"the name is another", Table{{ID: "x", Match: m[0].Match}}, Table{lower}, nil},
	} {
		got := Script(c.from, c.to)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestTurnOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		op            Op
		before, after Severity
		want          Turn
	}{
		{Add, Discards, Accepts, Turn{false, Accepts}},
		{Remove, Limits, Discards, Turn{true, Limits}},
		{Replace, Accepts, Discards, Turn{false, Discards}},
		{Replace, Discards, Accepts, Turn{true, Discards}},
		{Replace, Limits, Limits, Turn{false, Limits}},
		{Replace, Redirects, Marks, Turn{true, Redirects}},
	} {
		if got := TurnOf(c.op, c.before, c.after); got != c.want {
			t.Errorf("%v from %v to %v: got %v, want %v", c.op, c.before, c.after, got, c.want)
		}
	}
}

// Within room, the device never holds more than that many entries, and no more is removed early than must be.
func TestFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawEither(t, drawOutcome)
		full := max(len(w.From), len(w.To))
		room := full + rapid.IntRange(0, 3).Draw(t, "headroom")
		roomy, _ := w.Script(0)
		steps, first := w.Script(room)
		moments := tables(t, w, steps)
		for n, now := range moments {
			if len(now) > room {
				t.Fatalf("after step %d there are %d entries, room for %d: %v", n, len(now), room, steps)
			}
		}
		adds := 0
		for _, s := range roomy {
			if s.Op == Add {
				adds++
			}
		}
		if fits := len(w.From)+adds <= room; fits != (first == 0) && room > 0 {
			t.Fatalf("%d removals first, %d held, %d added, room for %d", first, len(w.From), adds, room)
		}
		if first > 0 && (steps[first-1].Op != Remove || len(moments[first-1])+adds <= room) {
			t.Fatalf("%d steps first are more than must be: %v", first, steps)
		}
	})
}

// changed returns a table and one that lacks a hundredth of it and has as many others.
func changed(all Table) (from, to Table) {
	n := 0
	from = slices.DeleteFunc(slices.Clone(all), func(Entry) bool { n++; return n%101 == 0 })
	to = slices.DeleteFunc(slices.Clone(all), func(Entry) bool { n++; return n%101 == 50 })
	return from, to
}

func BenchmarkScript(b *testing.B) {
	bothVersions(b, "100000", 100_000, func(b *testing.B, all Table) {
		from, to := changed(all)
		for b.Loop() {
			if steps := Script(from, to); len(steps) < 1000 {
				b.Fatal(len(steps))
			}
		}
	})
}

// BenchmarkWalk looks at every table on such a way.
func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		bothVersions(b, fmt.Sprint(n), n, func(b *testing.B, all Table) {
			from, to := changed(all)
			for b.Loop() {
				if p := (Way{From: from, To: to}).Walk(0); p.Unproven || p.Worst != nil {
					b.Fatalf("unproven %v, worst %+v", p.Unproven, p.Worst)
				}
			}
		})
	}
}
