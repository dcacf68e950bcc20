package plan_test

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"github.com/sluice-gateway/sluice/profiles"
)

// What is planned for several platforms together is native on each of them, as it is and in the order in which each evaluates it: nothing has to be written otherwise, nothing is refused.
func TestPlannedTogetherIsNativeOnEach(t *testing.T) {
	t.Parallel()
	lib := profiles.Embedded()
	for _, members := range []string{
		"cisco-asr9k+junos-mx+arista-eos", "cisco-asr9k+junos-mx:term-order=standard", "nokia-sros+huawei-vrp", "junos-mx:term-order=legacy+cisco-asr9k", "frr+bird+gobgp+exabgp", "extreme-slx+cisco-iosxe", "generic+cisco-ncs5500:etcam=true+cisco-asr9k",
	} {
		t.Run(members, func(t *testing.T) {
			t.Parallel()
			p, settings, err := lib.Select(members)
			if err != nil {
				t.Fatal(err)
			}
			carried := 0
			for _, family := range p.Native.Families {
				if family.VPN() {
					continue
				}
				for seed, rules := range [][]flowspec.Rule{rulegen.Mix(family, 150, 7), rulegen.Mitigation(family, 150, 8), rulegen.Customer(family, 40, 9)} {
					made, err := plan.Make(rib.Of(rules), p, plan.Options{Settings: settings, NoFilter: true})
					if err != nil {
						t.Fatal(err)
					}
					var sent []flowspec.Rule
					for _, r := range made.Desired.Routes {
						sent = append(sent, flowspec.Rule{ID: flowspec.NewID("t", r.Match), Source: "t", Match: r.Match, Action: r.Action})
					}
					carried += len(sent)
					for _, member := range strings.Split(members, "+") {
						one, with, err := lib.Select(member)
						if err != nil {
							t.Fatal(err)
						}
						snap := rib.Of(sent)
						alone, err := plan.Make(snap, one, plan.Options{Settings: with, NoFilter: true, Remedies: []string{}})
						if err != nil {
							t.Fatal(err)
						}
						for i, v := range alone.Verdicts {
							if v.Carried != plan.Native {
								t.Errorf("%s, rules %d: %s is %s on %s alone: %+v", family, seed, snap.Rules()[i].Match, v.Carried, member, v.Reasons)
							}
						}
					}
				}
			}
			if carried == 0 {
				t.Error("nothing was carried: that shows nothing")
			}
		})
	}
}
