package device_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"pgregory.net/rapid"
)

// host returns a route for one of many addresses.
func host(tb interface {
	Helper()
	Fatal(...any)
}, i int, a flowspec.Action) device.Route {
	tb.Helper()
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, flowspec.Component{Type: flowspec.DstPrefix,
		Prefix: flowspec.Prefix{Addr: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), Len: 32}})
	if err != nil {
		tb.Fatal(err)
	}
	return device.Route{Match: m, Action: a}
}

// The steps lead from one state to the other, and none of them is about a route that stays.
func TestStepsLeadToTheDesiredState(t *testing.T) {
	t.Parallel()
	discard := flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (out []device.Route) {
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
			at := slices.IndexFunc(got, func(r device.Route) bool { return r.Match.Equal(s.Route.Match) })
			switch {
			case s.Op == device.Add && at < 0:
				got = append(got, *s.Route)
			case s.Op == device.Replace && at >= 0 && !got[at].Equal(*s.Route):
				got[at] = *s.Route
			case s.Op == device.Remove && at >= 0:
				got = slices.Delete(got, at, at+1)
			default:
				t.Fatalf("step %+v makes no sense on %v", s, got)
			}
		}
		slices.SortFunc(got, func(a, b device.Route) int { return flowspec.Compare(a.Match, b.Match) })
		if !slices.EqualFunc(got, desired, device.Route.Equal) {
			t.Fatalf("the steps lead to %v, not to %v", got, desired)
		}
	})
}

// BenchmarkDiff compares 10,000 routes with the same and one more.
func BenchmarkDiff(b *testing.B) {
	var routes []device.Route
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
