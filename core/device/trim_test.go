package device_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/table"
	"pgregory.net/rapid"
)

// host returns a route for one of many addresses.
func host(tb interface {
	Helper()
	Fatal(...any)
}, i int, a flowspec.Action) *device.Route {
	tb.Helper()
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, flowspec.Component{Type: flowspec.DstPrefix,
		Prefix: flowspec.Prefix{Addr: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), Len: 32}})
	if err != nil {
		tb.Fatal(err)
	}
	return &device.Route{Match: m, Action: a}
}

// The steps lead from one state to the other, and none of them is about a route that stays.
func TestStepsLeadToTheDesiredState(t *testing.T) {
	t.Parallel()
	discard := flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (out []*device.Route) {
			for i := range 8 {
				switch rapid.IntRange(0, 4).Draw(t, name) {
				case 0:
				case 1:
					out = append(out, host(t, i, flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}})) // equal, not the same
				case 2:
					out = append(out, host(t, i, flowspec.Action{}))
				default:
					out = append(out, host(t, i, discard))
				}
			}
			return out
		}
		observed, desired := draw("observed"), draw("desired")
		got := slices.Clone(observed)
		for _, s := range device.Diff(device.State{Routes: observed}, device.State{Routes: desired}).Steps {
			at := slices.IndexFunc(got, func(r *device.Route) bool { return r.Match.Equal(s.Route.Match) })
			switch {
			case s.Op == device.Add && at < 0:
				got = append(got, s.Route)
			case s.Op == device.Replace && at >= 0 && !got[at].Equal(*s.Route):
				got[at] = s.Route
			case s.Op == device.Remove && at >= 0:
				got = slices.Delete(got, at, at+1)
			default:
				t.Fatalf("step %+v makes no sense on %v", s, got)
			}
		}
		slices.SortFunc(got, func(a, b *device.Route) int { return flowspec.Compare(a.Match, b.Match) })
		if !slices.EqualFunc(got, desired, func(a, b *device.Route) bool { return a.Equal(*b) }) {
			t.Fatalf("the steps lead to %v, not to %v", got, desired)
		}
	})
}

// The steps are those of table.Script, which no packet fares worse under, and without room those of table.Fit: whatever order the two lists come in.
func TestStepsGoInTheOrderOfAScript(t *testing.T) {
	t.Parallel()
	mark := func(n uint8) flowspec.Action { return flowspec.Action{Mark: &n} }
	rate := func(n float32) flowspec.Action {
		return flowspec.Action{Rate: &flowspec.Rate{Amount: n, Unit: flowspec.Bytes}}
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (out []*device.Route) {
			for i := range 8 {
				if rapid.Bool().Draw(t, name) {
					out = append(out, host(t, i, rapid.SampledFrom([]flowspec.Action{{}, mark(1), mark(2), rate(9000), rate(1000), rate(0)}).Draw(t, "action")))
				}
			}
			return out
		}
		observed, desired := draw("observed"), draw("desired")
		before := device.State{Routes: rapid.Permutation(observed).Draw(t, "shuffled")}
		after := device.State{Routes: rapid.Permutation(desired).Draw(t, "shuffled")}
		way := table.Way{From: tableOf(observed), To: tableOf(desired)}
		want, _ := way.Script(0)
		change := device.Diff(before, after)
		if change.First != 0 || len(change.Steps) != len(want) {
			t.Fatalf("got %+v, want %v", change, want)
		}
		for i, s := range change.Steps {
			var had, gets *device.Route
			if want[i].Old >= 0 {
				had = observed[want[i].Old]
			}
			if want[i].New >= 0 {
				gets = desired[want[i].New]
			}
			turn := device.TurnOf(had, gets)
			if turn.Free() {
				continue // any of the same turn is as good; the next test sees that none is left out
			}
			if gets == nil {
				gets = had
			}
			if s.Op != want[i].Op || !s.Route.Match.Equal(gets.Match) {
				t.Fatalf("step %d is %v %v, want %v of %v", i, s.Op, s.Route.Match, want[i].Op, gets.Match)
			}
		}
		room := max(len(observed), len(desired), 1)
		held := len(observed)
		tight := device.DiffWithin(before, after, room)
		for i, s := range tight.Steps {
			switch s.Op {
			case device.Add:
				held++
			case device.Remove:
				held--
			}
			if held > room {
				t.Fatalf("after step %d of %+v it holds %d routes and has room for %d", i, tight, held, room)
			}
		}
		if (len(observed)+adds(change) > room) != (tight.First > 0) {
			t.Fatalf("%d steps first: %d held, %d added, room for %d", tight.First, len(observed), adds(change), room)
		}
	})
}

func adds(c device.Change) (n int) {
	for _, s := range c.Steps {
		if s.Op == device.Add {
			n++
		}
	}
	return n
}

// tableOf returns the table of routes, with policers named by NLRI.
func tableOf(routes []*device.Route) table.Table {
	var rules []flowspec.Rule
	for _, r := range routes {
		rules = append(rules, flowspec.Rule{ID: flowspec.ID(r.Match.NLRI()), Match: r.Match, Action: r.Action})
	}
	return table.Of(rules)
}

// BenchmarkDiffUnchanged compares 100,000 routes with themselves.
func BenchmarkDiffUnchanged(b *testing.B) {
	var routes []*device.Route
	for i := range 100_000 {
		routes = append(routes, host(b, i, flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}))
	}
	for b.Loop() {
		if c := device.Diff(device.State{Routes: routes}, device.State{Routes: slices.Clone(routes)}); !c.Empty() {
			b.Fatal(len(c.Steps))
		}
	}
}

// BenchmarkDiff compares 10,000 routes with the same and one more.
func BenchmarkDiff(b *testing.B) {
	var routes []*device.Route
	for i := range 10_001 {
		routes = append(routes, host(b, i, flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}))
	}
	fewer := slices.Delete(slices.Clone(routes), 5000, 5001)
	b.ReportAllocs()
	for b.Loop() {
		if c := device.Diff(device.State{Routes: fewer}, device.State{Routes: routes}); len(c.Steps) != 1 {
			b.Fatalf("%d steps, want 1", len(c.Steps))
		}
	}
}
