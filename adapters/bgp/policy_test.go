package bgp_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

const (
	targetA flowspec.ExtComm = "\x00\x02\xfb\xf4\x00\x00\x00\x64" // 64500:100
	targetB flowspec.ExtComm = "\x00\x02\xfb\xf4\x00\x00\x00\xc8" // 64500:200
	origin  flowspec.ExtComm = "\x00\x03\xfb\xf4\x00\x00\x00\x64"
)

// inVPN is `destination 10.0.0.N/32` behind a route distinguisher.
func inVPN(tb testing.TB, f flowspec.Family, nlri string, rd flowspec.RD) flowspec.Match {
	tb.Helper()
	m, err := match(tb, f, nlri).InVPN(rd)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// Rules of a VPN go to the router with its own route distinguisher and the route targets that its VRF imports, in the families for VPNs, and come from it in these.
func TestRulesOfVPNs(t *testing.T) {
	t.Parallel()
	all := []flowspec.Family{flowspec.IPv4, flowspec.VPNv4, flowspec.VPNv6}
	ours, theirs, other := flowspec.RD{7: 1}, flowspec.RD{7: 101}, flowspec.RD{7: 2}
	p := start(t, options{
		families: all, router: bgptest.Config{Families: all}, noMarks: true,
		policy: device.Policy{VRFs: []device.VRF{{Name: "a", Of: ours, RD: theirs, Targets: []flowspec.ExtComm{targetA}}}},
	})
	p.up(t)
	four, six := inVPN(t, flowspec.IPv4, dst(1), ours), inVPN(t, flowspec.IPv6, "0901300020010db80001", ours)
	p.apply(t,
		device.Step{Op: device.Add, Route: &device.Route{Match: four, Action: discard(), Others: []flowspec.ExtComm{targetB, origin}}},
		device.Step{Op: device.Add, Route: &device.Route{Match: six, Action: limit(1000)}},
		add(t, dst(1), discard()))
	sent4, sent6 := inVPN(t, flowspec.IPv4, dst(1), theirs), inVPN(t, flowspec.IPv6, "0901300020010db80001", theirs)
	table := p.holds(t, dst(1), hex.EncodeToString(sent4.NLRI()), hex.EncodeToString(sent6.NLRI()))
	for i, want := range []struct {
		family flowspec.Family
		others []flowspec.ExtComm
	}{{flowspec.IPv4, nil}, {flowspec.VPNv4, []flowspec.ExtComm{origin, targetA}}, {flowspec.VPNv6, []flowspec.ExtComm{targetA}}} {
		if got := table[i]; got.Match.Family() != want.family || !slices.Equal(got.Others, want.others) {
			t.Errorf("route %d is %v of %v with %v, want %v with %v", i, got.Match, got.Match.Family(), got.Others, want.family, want.others)
		}
	}
	_, err := p.device.Apply(p.ctx, device.Target{}, device.Change{Steps: []device.Step{{Op: device.Add, Route: &device.Route{Match: inVPN(t, flowspec.IPv4, dst(1), other), Action: discard()}}}}, time.Minute)
	var refused *device.Refused
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "no VRF") {
		t.Errorf("a rule of a VPN that the router does not have: %v, want a refusal", err)
	}
	hop := flowspec.Action{Redirect: &flowspec.Redirect{Form: flowspec.NextHopSimpson, Addr: peerID}}
	_, err = p.device.Apply(p.ctx, device.Target{}, device.Change{Steps: []device.Step{{Op: device.Add, Route: &device.Route{Match: inVPN(t, flowspec.IPv4, dst(2), ours), Action: hop}}}}, time.Minute)
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "0x0800") {
		t.Errorf("a next hop in a VPN: %v, want a refusal", err)
	}
	p.apply(t, device.Step{Op: device.Remove, Route: &device.Route{Match: four}})
	p.holds(t, dst(1), hex.EncodeToString(sent6.NLRI()))
}

// What a policy adds is on every route, what it strips is on none, and neither touches actions or our own mark.
func TestPolicyOnCommunities(t *testing.T) {
	t.Parallel()
	with := device.Route{
		Match: match(t, flowspec.IPv4, dst(1)), Action: limit(1000), Communities: []uint32{1, 2, device.NoExport}, LargeCommunities: [][3]uint32{{1, 2, 3}, {4, 5, 6}}, Others: []flowspec.ExtComm{origin, targetB},
	}
	for name, c := range map[string]struct {
		policy device.Policy
		plain  []uint32
		large  [][3]uint32
		others []flowspec.ExtComm
	}{
		"nothing": {device.Policy{}, []uint32{1, 2, ourCommunity, device.NoExport}, with.LargeCommunities, with.Others},
		"add": {device.Policy{Add: device.Marks{Plain: []uint32{2, 3}, Large: [][3]uint32{{7, 8, 9}}, Extended: []flowspec.ExtComm{targetA}}},
			[]uint32{1, 2, 3, ourCommunity, device.NoExport}, [][3]uint32{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, []flowspec.ExtComm{origin, targetB, targetA}},
		"strip": {device.Policy{Strip: device.Marks{Plain: []uint32{1, device.NoExport}, Large: [][3]uint32{{1, 2, 3}}, Extended: []flowspec.ExtComm{targetB}}},
			[]uint32{2, ourCommunity}, [][3]uint32{{4, 5, 6}}, []flowspec.ExtComm{origin}},
		"all": {device.Policy{StripAll: true, Add: device.Marks{Plain: []uint32{1}}}, []uint32{1, ourCommunity, device.NoExport}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, options{policy: c.policy})
			p.up(t)
			p.apply(t, device.Step{Op: device.Add, Route: &with})
			got := p.holds(t, dst(1))[0]
			if !slices.Equal(got.Path.Communities, c.plain) || !slices.Equal(got.Path.LargeCommunities, c.large) || !slices.Equal(got.Others, c.others) {
				t.Errorf("communities %x, %v, %v; want %x, %v, %v", got.Path.Communities, got.Path.LargeCommunities, got.Others, c.plain, c.large, c.others)
			}
			if sent := p.device.Sent(); len(sent) != 1 || !slices.Equal(sent[0].Communities, c.plain) || !slices.Equal(sent[0].LargeCommunities, c.large) || !slices.Equal(sent[0].Others, c.others) {
				t.Errorf("what was sent is told as %+v", sent)
			}
			if !got.Action.Equal(with.Action) {
				t.Errorf("the action is %v, want %v", got.Action, with.Action)
			}
		})
	}
	if !slices.Equal(with.Communities, []uint32{1, 2, device.NoExport}) || !slices.Equal(with.Others, []flowspec.ExtComm{origin, targetB}) {
		t.Errorf("a policy changed the rule itself: %+v", with)
	}
}

// Where graceful restart is offered no path may be held for longer than it says, unless the policy of the device strips the mark (RFC 9494 §4.3).
func TestNobodyHoldsPathsForLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		restart time.Duration
		strip   []uint32
		want    []uint32
	}{
		{0, nil, []uint32{ourCommunity, device.NoExport}},
		{time.Minute, nil, []uint32{ourCommunity, device.NoExport, bgp.NoLLGR}},
		{time.Minute, []uint32{bgp.NoLLGR}, []uint32{ourCommunity, device.NoExport}},
	} {
		p := start(t, options{restart: c.restart, policy: device.Policy{Strip: device.Marks{Plain: c.strip}}})
		p.up(t)
		p.apply(t, add(t, dst(1), discard()))
		got := slices.Sorted(slices.Values(p.holds(t, dst(1))[0].Path.Communities))
		if want := slices.Sorted(slices.Values(c.want)); !slices.Equal(got, want) {
			t.Errorf("restart %v, stripped %x: it bears %x, want %x", c.restart, c.strip, got, want)
		}
	}
}

// A router that is to get its rules one by one gets as many UPDATEs as rules, and as withdrawals.
func TestOneNLRIPerUpdate(t *testing.T) {
	t.Parallel()
	for _, alone := range []bool{false, true} {
		p := start(t, options{alone: alone})
		p.up(t)
		var all, none []device.Step
		var want []string
		for n := range 20 {
			all, none, want = append(all, add(t, dst(n), discard())), append(none, remove(t, dst(n))), append(want, dst(n))
		}
		p.apply(t, all...)
		p.holds(t, want...)
		p.apply(t, none...)
		p.holds(t)
		if got := p.router.Updates(); alone != (got == 40) {
			t.Errorf("alone %t: %d UPDATEs", alone, got)
		}
	}
}

// Under another policy routes leave anew, with other communities or another route distinguisher, and at no moment is the router without them; what stands only in the old one goes.
func TestAnotherPolicy(t *testing.T) {
	t.Parallel()
	all := []flowspec.Family{flowspec.IPv4, flowspec.VPNv4}
	ours, one, other := flowspec.RD{7: 1}, flowspec.RD{7: 101}, flowspec.RD{7: 102}
	under := func(rd flowspec.RD, add uint32, strip ...uint32) device.Policy {
		return device.Policy{Add: device.Marks{Plain: []uint32{add}}, Strip: device.Marks{Plain: strip}, VRFs: []device.VRF{{Name: "a", Of: ours, RD: rd, Targets: []flowspec.ExtComm{targetA}}}}
	}
	p := start(t, options{families: all, router: bgptest.Config{Families: all}, noMarks: true, policy: under(one, 7)})
	p.up(t)
	four := inVPN(t, flowspec.IPv4, dst(1), ours)
	everything := []device.Step{add(t, dst(1), discard()), {Op: device.Add, Route: &device.Route{Match: four, Action: discard()}}}
	p.apply(t, append(everything, add(t, dst(2), discard()))...)
	wasIn, isIn := hex.EncodeToString(inVPN(t, flowspec.IPv4, dst(1), one).NLRI()), hex.EncodeToString(inVPN(t, flowspec.IPv4, dst(1), other).NLRI())
	p.holds(t, dst(1), dst(2), wasIn)
	sent := len(p.router.Events())

	p.device.SetPolicy(under(other, 8, device.NoExport))
	p.apply(t, everything...)
	for _, r := range p.holds(t, dst(1), isIn) {
		if !slices.Equal(r.Path.Communities, []uint32{8}) {
			t.Errorf("%v bears %x", r.Match, r.Path.Communities)
		}
	}
	p.apply(t, device.Step{Op: device.Remove, Route: &device.Route{Match: four}})
	p.holds(t, dst(1))
	there := map[string]bool{wasIn: true}
	for _, e := range p.router.Events()[sent:] {
		if e.Kind != bgptest.Announced && e.Kind != bgptest.Withdrawn {
			continue
		}
		id, gone := hex.EncodeToString(e.Route.Match.NLRI()), e.Kind == bgptest.Withdrawn
		if there[id] = !gone; id == dst(1) && gone {
			t.Error("the route whose communities changed was withdrawn")
		}
		if id == wasIn && gone && !there[isIn] {
			t.Error("the route with the old route distinguisher went before the new one was there")
		}
	}
}
