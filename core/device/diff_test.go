package device_test

import (
	"net/netip"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Two forms of a redirect to a next hop mean the same, yet a device may understand only one: a change of form is sent.
func TestDiffSendsAnotherForm(t *testing.T) {
	t.Parallel()
	match, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, flowspec.Component{Type: flowspec.DstPrefix,
		Prefix: flowspec.Prefix{Addr: netip.MustParseAddr("192.0.2.1"), Len: 32}})
	if err != nil {
		t.Fatal(err)
	}
	state := func(form flowspec.RedirectForm) device.State {
		to := &flowspec.Redirect{Form: form, Addr: netip.MustParseAddr("198.51.100.9")}
		return device.State{Routes: []*device.Route{{Match: match, Action: flowspec.Action{Redirect: to}}}}
	}
	if c := device.Diff(state(flowspec.NextHopSimpson), state(flowspec.NextHopSimpson)); !c.Empty() {
		t.Errorf("nothing changed, and there are steps: %+v", c.Steps)
	}
	c := device.Diff(state(flowspec.NextHopSimpson), state(flowspec.NextHopIETFv4))
	if len(c.Steps) != 1 || c.Steps[0].Op != device.Replace || c.Steps[0].Route.Action.Redirect.Form != flowspec.NextHopIETFv4 {
		t.Errorf("steps %+v, want one that replaces the route", c.Steps)
	}
}
