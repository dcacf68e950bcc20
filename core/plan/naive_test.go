package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/table"
	"pgregory.net/rapid"
)

// naive splits every rule by itself, sorts the pieces, and looks neither at order nor at rates: what a script would do. ok is false
// when a rule cannot be split at all.
func naive(t *rapid.T, rules []flowspec.Rule, l *split.Limits) (got table.Table, nlris []string, ok bool) {
	type piece struct {
		match flowspec.Match
		do    table.Outcome
	}
	var pieces []piece
	for _, r := range rules {
		parts, trouble := split.Parts(r.Match.Family(), slices.Collect(r.Match.All()), l, false)
		if trouble != nil {
			return nil, nil, false
		}
		for i, part := range parts.Parts {
			m, err := flowspec.NewMatch(r.Match.Family(), flowspec.RD{}, part...)
			if err != nil {
				t.Fatal(err)
			}
			do := table.Want(r)
			if do.Policer != "" && len(parts.Parts) > 1 {
				do.Policer = fmt.Sprintf("%s-%d", do.Policer, i)
			}
			pieces = append(pieces, piece{m, do})
		}
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return flowspec.Compare(a.match, b.match) })
	for _, p := range pieces {
		got = append(got, table.Entry{ID: p.match.String(), Match: p.match.Set(), Do: p.do})
		nlris = append(nlris, string(p.match.NLRI()))
	}
	return got, nlris, true
}

// drawListRule draws a rule for one host with a long list of ports: those are split, and meet each other.
func drawListRule(t *rapid.T) flowspec.Rule {
	dst := flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: smallAddress(flowspec.IPv4, 0), Len: 32}}
	list := eq(pick(t, "which", flowspec.SrcPort, flowspec.DstPort, flowspec.Port),
		rapid.SliceOfNDistinct(rapid.SampledFrom(smallPorts), 2, len(smallPorts), rapid.ID).Draw(t, "ports")...)
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, dst, list)
	if err != nil {
		t.Fatal(err)
	}
	a := drawAction(t)
	a.Continue = false
	return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: a, Source: "test"}
}

// Where naive splitting treats some packet otherwise, the plan is another one; and naive splitting does go wrong.
func TestNaiveSplittingIsCaught(t *testing.T) {
	t.Parallel()
	l := &split.Limits{MaxParts: 256}
	for typ := flowspec.DstPrefix; typ <= flowspec.Fragment; typ++ {
		l.Of[typ] = split.Limit{OK: typ != flowspec.Port, Ops: split.Eq | split.Range | split.Lt | split.Gt | split.Any | split.All, MaxValues: 5}
	}
	p, _ := embedded(t, "asr9k")
	wrong, tried := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var rules []flowspec.Rule
		for n := rapid.IntRange(2, 6).Draw(t, "rules"); n > 0; n-- {
			rules = append(rules, drawListRule(t))
		}
		snap := rib.Of(rules)
		got, nlris, ok := naive(t, snap.Rules(), l)
		if !ok {
			return
		}
		tried++
		if table.Diff(table.Of(snap.Rules()), got) == nil {
			return
		}
		wrong++
		out, err := plan.Make(snap, p, plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(out.Verdicts, func(v *plan.Verdict) bool { return v.Carried == plan.Rejected }) {
			return
		}
		var planned []string
		for _, r := range out.Desired.Routes {
			planned = append(planned, string(r.Match.NLRI()))
		}
		if slices.Equal(planned, slices.Compact(nlris)) {
			t.Fatalf("the plan is the naive one, and wrong:\n%s", describe(snap, out))
		}
	})
	if wrong == 0 {
		t.Errorf("naive splitting went wrong in none of %d tables: the test sees nothing", tried)
	}
}
