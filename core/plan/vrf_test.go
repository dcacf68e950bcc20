package plan_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
)

// A device carries the rules of the VPNs that it has, and refuses the others: never in the VRF of somebody else, and never in none.
func TestVPNsOfTheDevice(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "asr9k")
	in := func(family flowspec.Family, n byte) flowspec.Rule {
		m, err := flowspec.NewMatch(family, flowspec.RD{7: n}, eq(flowspec.DstPort, 53))
		if err != nil {
			t.Fatal(err)
		}
		return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}, Source: "test"}
	}
	rules := []flowspec.Rule{in(flowspec.IPv4, 0), in(flowspec.VPNv4, 1), in(flowspec.VPNv6, 1), in(flowspec.VPNv4, 2)}
	for name, c := range map[string]struct {
		opt  plan.Options
		want [4]string // the code of what is refused
	}{
		"nothing known":      {plan.Options{}, [4]string{}},
		"one":                {plan.Options{VPNs: []flowspec.RD{{7: 1}}}, [4]string{3: "no-vrf"}},
		"none":               {plan.Options{VPNs: []flowspec.RD{}}, [4]string{"", "no-vrf", "no-vrf", "no-vrf"}},
		"one, IPv4 only":     {plan.Options{VPNs: []flowspec.RD{{7: 1}}, Families: []flowspec.Family{flowspec.VPNv4}}, [4]string{"no-family", "", "no-family", "no-vrf"}},
		"no family for VPNs": {plan.Options{Families: []flowspec.Family{flowspec.IPv4}}, [4]string{"", "no-family", "no-family", "no-family"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var deck plan.Deck // planners of one deck have different VPNs
			other := deck.Planner(p, plan.Options{VPNs: []flowspec.RD{{7: 9}}})
			c.opt.NoFilter = true
			one := deck.Planner(p, c.opt)
			snap := rib.Of(rules)
			if _, err := other.Plan(snap); err != nil {
				t.Fatal(err)
			}
			out, err := one.Plan(snap)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range rules {
				v := out.Verdicts[slices.IndexFunc(out.Verdicts, func(v *plan.Verdict) bool { return v.Rule == r.ID })]
				refused := ""
				if v.Carried == plan.Rejected {
					refused = v.Reasons[0].Code
				}
				if refused != c.want[i] {
					t.Errorf("%v of %v: %q, want %q: %s", r.Match, r.Match.Family(), refused, c.want[i], summary(*v))
				}
			}
			if want := 4 - countStrings(c.want[:]); len(out.Desired.Routes) != want {
				t.Errorf("%d routes, want %d", len(out.Desired.Routes), want)
			}
		})
	}
}

func countStrings(list []string) (n int) {
	for _, s := range list {
		if s != "" {
			n++
		}
	}
	return n
}

// A next hop in the form 0x0800 travels in the next hop of the route, and how one is written there in a VPN is not defined: the route target of a VRF is taken, a next hop
// refused with the fact.
func TestRedirectsInVPNs(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "asr9k")
	in := func(n uint64, to flowspec.Redirect) flowspec.Rule {
		m, err := flowspec.NewMatch(flowspec.VPNv4, flowspec.RD{7: 1}, eq(flowspec.DstPort, n))
		if err != nil {
			t.Fatal(err)
		}
		return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: flowspec.Action{Redirect: &to}, Source: "test"}
	}
	rules := []flowspec.Rule{
		in(1, flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 1}),
		in(2, flowspec.Redirect{Form: flowspec.NextHopSimpson, Addr: netip.MustParseAddr("192.0.2.1")}),
		in(3, flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.1")}),
	}
	_, verdicts := mustPlan(t, rules, p, plan.Options{})
	for i, want := range []plan.Carried{plan.Native, plan.Rejected, plan.Rejected} {
		if v := verdicts[rules[i].ID]; v.Carried != want {
			t.Errorf("%v: %s, want %s", rules[i].Action, summary(v), want)
		}
	}
}
