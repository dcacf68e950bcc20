package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// A rule that a neighbour was sent by BGP is counted over a second channel, NETCONF: the router's number is in the rule's receipt, in its line of the list and in its series.
func TestCountersOfRoutes(t *testing.T) {
	host, dir := rig.Subnet(), t.TempDir()
	us, edge := host(1), host(21)
	rig.StartGoBGP(t, 64521, edge, us, []string{"ipv4-flowspec", "ipv6-flowspec"}, "")
	router := rig.BootWith(t, true, rig.FlowSpecModelOfOurs(t), "sluice-flowspec-oper")
	key := file(t, dir, "key", string(router.Target.PrivateKey))
	g := serve(t, file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: %[1]s
as: 64500
store: %[2]s/sluice.db
listen: {api: "127.0.0.1:0", bgp: ["%[1]s:%[3]d"]}
sources:
  - {name: api, api: true, allow: {destinations: [any]}}
devices:
  - name: edge
    profile: cisco-asr9k
    max-routes: unlimited
    bgp: {address: %[4]s, local-address: %[1]s, port: %[5]d, as: 64521, families: [ipv4, ipv6]}
    counters: {adapter: iosxr, address: "%[6]s", username: root, private-key: {file: %[7]s}, host-key: "%[8]s", count-every: 1s}
`, us, dir, rig.SpeakerPort, edge, rig.GoBGPPort, router.Target.Address, key, router.Target.HostKey)))

	add := func(rule string) string {
		t.Helper()
		var a api.Answer
		if status, err := g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: rule}, &a); status != 201 || err != nil {
			t.Fatal(status, err)
		}
		return a.Rules[0].ID
	}
	const busyText = "flow route { match { destination 203.0.113.1/32; protocol =udp; source-port [ =53 =123 ]; } then { discard; } }"
	quiet, busy := add("flow route { match { destination 203.0.113.2/32; } then { discard; } }"), add(busyText)
	var got struct {
		api.Rule
		Receipts []reconcile.Receipt
	}
	state := func(id string, want reconcile.ReceiptState) {
		t.Helper()
		until(t, string(want), func() string { return fmt.Sprintf("%+v\n%s", got, g.log) }, func() bool {
			got.Rule, got.Receipts = api.Rule{}, nil
			status, err := g.call(t.Context(), http.MethodGet, "/v1/rules/"+id, nil, &got)
			return status == 200 && err == nil && len(got.Receipts) == 1 && got.Receipts[0].State == want
		})
	}
	state(busy, reconcile.RuleSent)

	busyRule, problems := notation.ReadLine(busyText, notation.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	count(t, router, busyRule.Rule.Match, 7, 700)
	state(busy, reconcile.RuleCounting)
	if n := got.Receipts[0].Count; n == nil || n.Packets != 7 || n.Bytes != 700 {
		t.Errorf("receipt %+v, count %+v", got.Receipts[0], n)
	}
	count(t, router, busyRule.Rule.Match, 9, 900)
	until(t, "two packets more", g.log.String, func() bool {
		_, err := g.call(t.Context(), http.MethodGet, "/v1/rules/"+busy, nil, &got)
		return err == nil && got.Count != nil && got.Count.Packets == 9
	})
	state(quiet, reconcile.RuleSent)
	out, err := exec.Command(binary, "rule", "list", "--sort=hits", "--gateway", g.base).CombinedOutput()
	if text := string(out); err != nil || !strings.HasPrefix(text, busy) || !strings.Contains(text, "9 packets, 900 bytes") {
		t.Errorf("rule list --sort=hits says %v\n%s", err, text)
	}
	metrics, err := http.Get(g.base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer metrics.Body.Close()
	text, err := io.ReadAll(metrics.Body)
	if err != nil || !strings.Contains(string(text), fmt.Sprintf("sluice_rule_packets_total{rule=%q,source=\"api\"} 9\n", busy)) {
		t.Error("the metrics lack the series of the rule", err)
	}
	g.stop()
}

// count has the router show what a route has matched.
func count(t *testing.T, r *rig.Router, m flowspec.Match, packets, bytes int) {
	t.Helper()
	other := r.Another(t)
	for _, rpc := range []string{
		fmt.Sprintf(`<edit-config><target><candidate/></target><config><flow-spec xmlns="http://cisco.com/ns/yang/Cisco-IOS-XR-flowspec-oper"><vrfs><vrf><vrf-name>default</vrf-name><afs><af><af-name>IPv4</af-name>`+
			`<nlris><nlri><nlri-bytes>0x%X</nlri-bytes><flow-statistics><classified><packets>%d</packets><bytes>%d</bytes></classified></flow-statistics></nlri></nlris>`+
			`</af></afs></vrf></vrfs></flow-spec></config></edit-config>`, m.NLRI()[1:], packets, bytes),
		"<commit/>",
	} {
		if reply := other.Do(t, rpc); !strings.Contains(reply, "<ok/>") {
			t.Fatal(reply)
		}
	}
}
