package plan_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Rules of one VPN never meet rules of another, and the pieces of a rule keep its route distinguisher.
func TestVPNsDoNotMeet(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "asr9k")
	vpn := func(rd byte, values []uint64, a flowspec.Action) flowspec.Rule {
		dst := flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.MustParseAddr("203.0.113.9"), Len: 32}}
		m, err := flowspec.NewMatch(flowspec.VPNv4, flowspec.RD{7: rd}, dst, eq(flowspec.SrcPort, values...))
		if err != nil {
			t.Fatal(err)
		}
		return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: a, Source: "test"}
	}
	discard := flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
	six := []uint64{1, 3, 5, 7, 9, 11}
	// In one VPN the second list would come between the pieces of the first.
	apart := []flowspec.Rule{vpn(1, six, flowspec.Action{}), vpn(2, []uint64{4, 11}, discard)}
	out, verdicts := mustPlan(t, apart, p, plan.Options{})
	for _, r := range apart {
		if verdicts[r.ID].Carried == plan.Rejected {
			t.Errorf("%s: %s", r.Match, summary(verdicts[r.ID]))
		}
	}
	for _, route := range out.Desired.Routes {
		if rd := route.Match.RD(); rd != apart[0].Match.RD() && rd != apart[1].Match.RD() {
			t.Errorf("%s has the route distinguisher %x", route.Match, rd)
		}
	}
	if !slices.IsSortedFunc(out.Desired.Routes, func(a, b *device.Route) int { return flowspec.Compare(a.Match, b.Match) }) {
		t.Error("the routes are not in order")
	}
	together := []flowspec.Rule{vpn(1, six, flowspec.Action{}), vpn(1, []uint64{4, 11}, discard)}
	plan1, err := plan.Make(rib.Of(together), p, plan.Options{Remedies: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(plan1.Verdicts, func(v *plan.Verdict) bool { return v.Carried == plan.Rejected }) {
		t.Errorf("in one VPN the two conflict:\n%s", describe(rib.Of(together), plan1))
	}
}
