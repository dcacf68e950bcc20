package gateway_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// Rules about one VPN go to real routers in the families for VPNs, each router with its own route distinguisher and route targets: those of a detector that knows nothing of
// VPNs, those of the API, which name theirs, and those that another gobgpd announces.
func TestRulesOfVPNs(t *testing.T) {
	t.Parallel()
	host, dir := rig.Subnet(), t.TempDir()
	us, exa, pe, other, far := host(1), host(10), host(21), host(22), host(30)
	config := file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: %[1]s
as: 64500
store: %[2]s/sluice.db
listen: {api: "127.0.0.1:0", bgp: ["%[1]s:%[3]d"]}
vrfs:
  - {name: red, rd: "64500:1", route-targets: {import: ["64500:1"], export: ["64500:901"]}}
  - {name: blue, rd: "64500:2", route-targets: {import: ["64500:2"]}}
sources:
  - name: exabgp
    vrf: red
    bgp: {address: %[4]s, local-address: %[1]s, as: 64500, families: [ipv4, ipv6], passive: true}
    resync: quiet 5s
    on-loss: withdraw
    allow: {destinations: [203.0.113.0/24, "2001:db8::/32"]}
  - name: api
    api: true
    allow: {destinations: [203.0.113.0/24], vrfs: [blue]}
  - name: far
    bgp: {address: %[7]s, local-address: %[1]s, port: %[8]d, as: 64530, families: [vpnv4]}
    allow: {destinations: [any], vrfs: [red]}
devices:
  - name: pe
    profile: junos-mx
    max-routes: unlimited
    bgp: {address: %[5]s, local-address: %[1]s, port: %[8]d, as: 64521, families: [ipv4, vpnv4, vpnv6]}
    vrfs:
      - {name: red, rd: "%[5]s:7", route-targets: {import: ["64521:7", "64521:8"]}}
      - {name: blue}
    communities: {add: ["64500:77", "64500:7:7"], strip: [no-export]}
  - name: other
    profile: junos-mx
    max-routes: unlimited
    bgp: {address: %[6]s, local-address: %[1]s, port: %[8]d, as: 64522, families: [ipv4, vpnv4]}
    vrfs: [{name: blue}]
`, us, dir, rig.SpeakerPort, exa, pe, other, far, rig.GoBGPPort))
	const four, vpn4, vpn6 = "ipv4-flowspec", "ipv4-l3vpn-flowspec", "ipv6-l3vpn-flowspec"
	routers := map[string]*rig.GoBGP{
		"pe":    rig.StartGoBGP(t, 64521, pe, us, []string{"ipv4-flowspec", "l3vpn-ipv4-flowspec", "l3vpn-ipv6-flowspec"}, ""),
		"other": rig.StartGoBGP(t, 64522, other, us, []string{"ipv4-flowspec", "l3vpn-ipv4-flowspec"}, ""),
		"far":   rig.StartGoBGP(t, 64530, far, us, []string{"l3vpn-ipv4-flowspec"}, ""),
	}
	g := serve(t, config)
	detector := rig.StartExaBGP(t, 64500, exa, us)

	detector.Say("announce flow route { match { destination 203.0.113.10/32; protocol udp; } then { discard; } }")
	detector.Say("announce flow route { match { destination 2001:db8::9/128; next-header tcp; } then { discard; } }")
	out := routers["pe"].Holds(vpn4, 1, fmt.Sprintf("[rd: %s:7]", pe), "[destination: 203.0.113.10/32]", "[discard], [64521:7], [64521:8]", "64500:77", "64500:7:7", "64500:6666")
	if strings.Contains(strings.ToLower(out), "no-export") {
		t.Errorf("NO_EXPORT is there, and is stripped:\n%s", out)
	}
	routers["pe"].Holds(vpn6, 1, fmt.Sprintf("[rd: %s:7]", pe), "[destination: 2001:db8::9/128/0]")
	routers["pe"].Holds(four, 0)

	// A rule of the API names its VPN, which both routers have, under one name.
	add := func(rd string) int {
		t.Helper()
		rule := fmt.Sprintf("flow route { rd %s; match { destination 203.0.113.11/32; protocol tcp; } then { rate-limit 125000; } }", rd)
		status, err := g.call(t.Context(), http.MethodPost, "/v1/rules", map[string]string{"rule": rule}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	if status := add("64500:2"); status != http.StatusCreated {
		t.Fatalf("status %d", status)
	}
	routers["pe"].Holds(vpn4, 2, "[rd: 64500:2]", "[64500:2]", "[rate: 125000")
	if out := routers["other"].Holds(vpn4, 1, "[rd: 64500:2]", "[64500:2]"); !strings.Contains(strings.ToLower(out), "no-export") {
		t.Errorf("NO_EXPORT is missing:\n%s", out)
	}
	if status := add("64500:1"); status != http.StatusForbidden {
		t.Errorf("a VPN that the API may not filter in: status %d", status)
	}

	// A neighbour says a rule of red, with a route target that its routers export, and one with the route target of somebody else.
	routers["far"].Ctl("global", "rib", "add", "-a", vpn4, "rd", "64500:1", "match", "destination", "198.51.100.1/32", "then", "discard", "rt", "64500:901")
	routers["far"].Ctl("global", "rib", "add", "-a", vpn4, "rd", "64500:1", "match", "destination", "198.51.100.2/32", "then", "discard", "rt", "64500:2")
	out = routers["pe"].Holds(vpn4, 3, "[destination: 198.51.100.1/32]")
	if strings.Contains(out, "64500:901") || strings.Contains(out, "198.51.100.2") {
		t.Errorf("a foreign route target went along:\n%s", out)
	}
	until(t, "the refusal", g.state, func() bool { return strings.Contains(g.log.String(), "none of its route targets") })

	// What the router is sent is said, and why the other one lacks the rules of red.
	var st reconcile.Status
	var report api.DeviceReport
	for path, into := range map[string]any{"/v1/devices/pe": &st, "/v1/devices/other/plan": &report} {
		if status, err := g.call(t.Context(), http.MethodGet, path, nil, into); err != nil || status != http.StatusOK {
			t.Fatal(path, status, err)
		}
	}
	want := []string{"communities added: no-llgr, 64500:6666, 64500:77, 64500:7:7", "communities stripped: no-export",
		fmt.Sprintf("VRF red, rules with rd 64500:1: sent with rd %s:7, route targets 64521:7, 64521:8", pe), "VRF blue, rules with rd 64500:2: sent with rd 64500:2, route targets 64500:2"}
	if !slices.Equal(st.Sends, want) {
		t.Errorf("pe: %q, want %q", st.Sends, want)
	}
	if report.Summary.Rejected != 3 || report.Summary.Native != 1 || !slices.ContainsFunc(report.Rules, func(r api.RuleReport) bool { return len(r.Reasons) > 0 && r.Reasons[0].Code == "no-vrf" }) {
		t.Errorf("other: %+v", report.Summary)
	}

	detector.Say("withdraw flow route { match { destination 203.0.113.10/32; protocol udp; } then { discard; } }")
	routers["pe"].Holds(vpn4, 2)
	g.stop()
}

// A source that says more rules than it may loses its session, and its rules, for a while, and comes back.
func TestSourceWithTooManyRules(t *testing.T) {
	t.Parallel()
	host, dir := rig.Subnet(), t.TempDir()
	us, exa := host(1), host(10)
	g := serve(t, file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: %[1]s
as: 64500
store: %[2]s/sluice.db
listen: {api: "127.0.0.1:0", bgp: ["%[1]s:%[3]d"]}
sources:
  - name: exabgp
    bgp: {address: %[4]s, local-address: %[1]s, as: 64500, families: [ipv4, ipv6], passive: true}
    on-loss: withdraw
    allow: {destinations: [any], max-rules: 2, on-excess: teardown 3s}
`, us, dir, rig.SpeakerPort, exa)))
	detector := rig.StartExaBGP(t, 64500, exa, us)
	say := func(verb string, n int) {
		detector.Say("%s flow route { match { destination 203.0.113.%d/32; } then { discard; } }", verb, n)
	}
	say("announce", 1)
	say("announce", 2)
	until(t, "two rules", g.state, func() bool { return len(g.rules()) == 2 })
	say("announce", 3)
	until(t, "the end of the session", g.state, func() bool {
		return strings.Contains(g.log.String(), "session ended: the source has more rules than max-rules") && len(g.rules()) == 0
	})
	if !strings.Contains(g.log.String(), "6/1 (cease: maximum number of prefixes reached)") {
		t.Errorf("the reason is missing:\n%s", g.state())
	}
	say("withdraw", 3)
	until(t, "it to be back", g.state, func() bool {
		return len(g.rules()) == 2 && strings.Count(g.log.String(), `msg="session established"`) >= 2
	})
	g.stop()
}
