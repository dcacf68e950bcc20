package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/profiles"
)

// What fails open is what comparing every redirect with every rule behind it finds.
func TestFailsOpen(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	found := 0
	for range 200 {
		var text strings.Builder
		seen := map[string]bool{}
		for range 1 + r.IntN(8) {
			match := []string{"", "destination 10.0.0.0/30; ", "destination 10.0.0.0/31; ", "destination 10.0.0.1/32; ", "destination 10.0.0.2/32; ", "source 10.9.0.0/16; "}[r.IntN(6)] +
				[]string{"protocol =tcp; ", "protocol =udp; ", "protocol =udp; source-port =53; ", "packet-length >=400; "}[r.IntN(4)]
			then := []string{"discard", "accept", "redirect-to-nexthop-ietf 192.0.2.9", "redirect 65000:1", "rate-limit 1250000", "mark 10"}[r.IntN(6)]
			if !seen[match] {
				seen[match] = true
				fmt.Fprintf(&text, "flow route { match { %s} then { %s; } }\n", match, then)
			}
		}
		in, j, ix, index := planned(t, text.String(), "junos-mx", plan.Options{NoFilter: true})
		p, err := profiles.Embedded().Get("junos-mx")
		if err != nil {
			t.Fatal(err)
		}
		got := map[Ref][]Ref{}
		for _, one := range j.FailsOpen(in, ix, index, p) {
			got[one.Ref] = one.Below
			found++
		}
		for i := range in.Rules {
			var want []Ref
			for k := range in.Rules {
				a, b := in.Rules[i].Rule, in.Rules[k].Rule
				if a.Action.Redirect == nil || b.Action.Rate == nil || flowspec.Compare(a.Match, b.Match) >= 0 || j.Verdicts[i].Carried == plan.Rejected || j.Verdicts[k].Carried == plan.Rejected {
					continue
				}
				if !a.Match.Set().And(b.Match.Set()).Empty() {
					want = append(want, in.ref(k))
				}
			}
			have := slices.Clone(got[in.ref(i)])
			byLine := func(a, b Ref) int { return a.Line - b.Line }
			slices.SortFunc(have, byLine)
			slices.SortFunc(want, byLine)
			if !slices.Equal(have, want) {
				t.Fatalf("%s\nrule %v: got %v, want %v", text.String(), in.ref(i), have, want)
			}
		}
		closed, err := p.With(map[string]string{"unresolved": "discard"})
		if err != nil || len(j.FailsOpen(in, ix, index, closed)) > 0 {
			t.Fatalf("with a discard in its place something fails open (%v)", err)
		}
	}
	if found < 50 {
		t.Errorf("%d redirects failed open: the test tries too little", found)
	}
}
