package plan_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// FuzzMake plans whatever decodes, with every shipped profile: never a panic, and never a rule that sluice's own pieces fail to prove.
func FuzzMake(f *testing.F) {
	for _, text := range []string{
		"dst 203.0.113.10/32 proto 17 sport 19,53,111,123,161,389 len >=400 -> discard",
		"dst 203.0.113.80/32 proto 6 dport 80,443 flags all(2)&none(16) -> discard",
		"dst 203.0.113.80/32 port 53,!=80 dport 53,80 frag any(6) -> discard",
		"proto <300 itype 3,8 icode 0-3 dscp 1,3,5 -> discard",
	} {
		f.Add(uint8(flowspec.IPv4), rule(f, text).Match.NLRI())
	}
	f.Add(uint8(flowspec.IPv6), rule(f, "dst 2001:db8::/32 label 5,7 frag any(2) -> discard").Match.NLRI())
	f.Fuzz(func(t *testing.T, family uint8, b []byte) {
		fam := flowspec.Family(family%4 + 1)
		var rules []flowspec.Rule
		for i := 0; len(b) > 0 && i < 6; i++ {
			nlri, rest, err := flowspec.Frame(b)
			if err != nil {
				break
			}
			b = rest
			m, err := flowspec.ParseNLRI(fam, nlri)
			if err != nil {
				continue
			}
			a := flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes, Amount: float32(1000 * (i % 2))}, Continue: i == 3}
			rules = append(rules, flowspec.Rule{ID: flowspec.NewID("fuzz", m), Match: m, Action: a, Source: "fuzz"})
		}
		snap := rib.Of(rules)
		for _, p := range profiles.Embedded().All() {
			out, err := plan.Make(snap, p, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range out.Verdicts {
				for _, r := range v.Reasons {
					if r.Code == "unproven" {
						t.Fatalf("%s: %s\n%s", p.Name, r.Message, describe(snap, out))
					}
				}
			}
		}
	})
}
