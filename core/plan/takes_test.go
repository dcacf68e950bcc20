package plan_test

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
)

// A device carries the rules of the sources that it takes, by BGP or by a filter, and of another one none. What a rule of another source exempts stays exempt: the discard below it is rejected.
func TestSourcesOfTheDevice(t *testing.T) {
	t.Parallel()
	rule := func(source flowspec.Source, drop bool, parts ...flowspec.Component) flowspec.Rule {
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, parts...)
		if err != nil {
			t.Fatal(err)
		}
		r := flowspec.Rule{ID: flowspec.NewID(source, m), Match: m, Source: source}
		if drop {
			r.Action = flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
		}
		return r
	}
	rules := []flowspec.Rule{
		rule("a", true, eq(flowspec.DstPort, 53)),
		rule("b", true, eq(flowspec.DstPort, 123)),
		rule("many@192.0.2.7", true, eq(flowspec.DstPort, 389)),
		rule("b", false, eq(flowspec.Protocol, 17), eq(flowspec.DstPort, 1900)), // an exception of the next
		rule("a", true, eq(flowspec.DstPort, 1900)),
	}
	const out, lost = "source-not-taken", "exception-lost"
	for name, c := range map[string]struct {
		profile string
		opt     plan.Options
		want    []string
	}{
		"all":           {"generic", plan.Options{NoFilter: true}, []string{"", "", "", "", ""}},
		"one":           {"generic", plan.Options{NoFilter: true, Sources: []flowspec.Source{"a"}}, []string{"", out, out, out, lost}},
		"the other":     {"generic", plan.Options{NoFilter: true, Sources: []flowspec.Source{"b"}}, []string{out, "", out, "", out}},
		"a prefix":      {"generic", plan.Options{NoFilter: true, Sources: []flowspec.Source{"many", "b"}}, []string{out, "", "", "", out}},
		"filter alone":  {"junos-mx", plan.Options{NoNative: true, Sources: []flowspec.Source{"a"}}, []string{"", out, out, out, lost}},
		"both":          {"junos-mx", plan.Options{Sources: []flowspec.Source{"a"}}, []string{"", out, out, out, lost}},
		"nobody knows":  {"generic", plan.Options{NoFilter: true, Sources: []flowspec.Source{"c"}}, []string{out, out, out, out, out}},
		"one neighbour": {"generic", plan.Options{NoFilter: true, Sources: []flowspec.Source{"many@192.0.2.7"}}, []string{out, out, "", out, out}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := embedded(t, c.profile)
			var deck plan.Deck // planners of one deck take the rules of different sources
			everything := c.opt
			everything.Sources = nil
			other, one := deck.Planner(p, everything), deck.Planner(p, c.opt)
			snap := rib.Of(rules)
			if _, err := other.Plan(snap); err != nil {
				t.Fatal(err)
			}
			made, err := one.Plan(snap)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range rules {
				v := made.Verdicts[slices.IndexFunc(made.Verdicts, func(v *plan.Verdict) bool { return v.Rule == r.ID })]
				refused := ""
				if v.Carried == plan.Rejected {
					refused = v.Reasons[0].Code
					if slices.ContainsFunc(v.Reasons, func(r plan.Reason) bool { return r.Code == lost }) {
						refused = lost
					}
				}
				if refused != c.want[i] || v.LeftOut() != (c.want[i] == out) {
					t.Errorf("%v of %s: %q, want %q: %s", r.Match, r.Source, refused, c.want[i], summary(*v))
				}
			}

			// Another source says the same: what the device takes changes, and nothing else does.
			swapped := slices.Clone(rules)
			for i := range swapped {
				swapped[i].Source = map[flowspec.Source]flowspec.Source{"a": "b", "b": "a"}[rules[i].Source]
			}
			again, err := one.Plan(rib.Of(swapped))
			if err != nil {
				t.Fatal(err)
			}
			slow, err := plan.Make(rib.Of(swapped), p, c.opt)
			if err != nil {
				t.Fatal(err)
			}
			for i := range slow.Verdicts {
				if got, want := summary(*again.Verdicts[i]), summary(*slow.Verdicts[i]); got != want {
					t.Errorf("with other sources: %s, want %s", got, want)
				}
			}
		})
	}
}
