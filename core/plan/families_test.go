package plan_test

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// What the session does not carry is not planned for it: it goes to the filter where there is one, and is rejected where there is none.
func TestFamiliesOfTheSession(t *testing.T) {
	t.Parallel()
	prof, err := profiles.Embedded().Get("junos-mx")
	if err != nil {
		t.Fatal(err)
	}
	read := notation.Read("test", []byte("flow route { match { destination 2001:db8::1/128; } then { discard; } }\nflow route { match { destination 203.0.113.1/32; } then { discard; } }"), notation.Options{})
	var rules []flowspec.Rule
	for _, item := range read.Items {
		item.Rule.ID = flowspec.NewID(item.Rule.Source, item.Rule.Match)
		rules = append(rules, item.Rule)
	}
	if len(rules) != 2 {
		t.Fatal(read.Problems)
	}
	snap := rib.Of(rules)
	for noFilter, want := range map[bool]plan.Carried{false: plan.InFilter, true: plan.Rejected} {
		p, err := plan.Make(snap, prof, plan.Options{NoFilter: noFilter, Families: []flowspec.Family{flowspec.IPv4}})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Desired.Routes) != 1 || p.Desired.Routes[0].Match.Family() != flowspec.IPv4 {
			t.Errorf("routes %v", p.Desired.Routes)
		}
		for i, v := range p.Verdicts {
			if snap.Rules()[i].Match.Family() != flowspec.IPv6 {
				continue
			}
			if v.Carried != want {
				t.Errorf("without filter %t: the IPv6 rule is carried %s, want %s", noFilter, v.Carried, want)
			}
			if len(v.Reasons) == 0 || !strings.Contains(v.Reasons[0].Message, "the BGP session") {
				t.Errorf("reasons %+v", v.Reasons)
			}
		}
	}
}
