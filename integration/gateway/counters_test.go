package gateway_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// linked makes two network namespaces with a link between them, and returns the one that is 203.0.113.1, and what sends a datagram of 100 octets to a port of it from the other.
func linked(t *testing.T, name string) (router string, send func(port string)) {
	t.Helper()
	rig.Root(t)
	rig.Program(t, "nft", "nftables")
	ip := rig.Program(t, "ip", "iproute2")
	sh := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	router, host := fmt.Sprintf("sluice-%s-r%d", name, os.Getpid()), fmt.Sprintf("sluice-%s-h%d", name, os.Getpid())
	for _, ns := range []string{router, host} {
		sh(ip, "netns", "add", ns)
		t.Cleanup(func() { _ = exec.Command(ip, "netns", "del", ns).Run() })
	}
	sh(ip, "-n", router, "link", "add", "east", "type", "veth", "peer", "name", "west", "netns", host)
	sh(ip, "-n", router, "address", "add", "203.0.113.1/24", "dev", "east")
	sh(ip, "-n", router, "link", "set", "east", "up")
	sh(ip, "-n", host, "address", "add", "203.0.113.2/24", "dev", "west")
	sh(ip, "-n", host, "link", "set", "west", "up")
	return router, func(port string) {
		t.Helper()
		sh(ip, "netns", "exec", host, "bash", "-c", "printf %100s x > /dev/udp/203.0.113.1/"+port)
	}
}

// counting runs a gateway that delivers to the kernel of a namespace and reads its counters every second, and returns what adds a rule for a UDP port. source is what its API source says besides.
func counting(t *testing.T, router, source string) (g *gateway, add func(port string) (id string)) {
	t.Helper()
	dir := t.TempDir()
	g = serve(t, file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: 192.0.2.1
as: 64512
store: %[1]s/sluice.db
listen: {api: "127.0.0.1:0"}
sources:
  - {name: api, api: true, %[3]sallow: {destinations: [any]}}
devices:
  - name: gw
    profile: linux-nftables
    filter: {adapter: nftables, options: {netns: %[2]s, directory: %[1]s}, commit-interval: 100ms, count-every: 1s}
`, dir, router, source)))
	return g, func(port string) string {
		t.Helper()
		var a api.Answer
		text := "flow route { match { destination 203.0.113.1/32; protocol =udp; destination-port " + port + "; } then { discard; } }"
		if status, err := g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: text}, &a); status != 201 || err != nil {
			t.Fatal(status, err)
		}
		return a.Rules[0].ID
	}
}

// From a packet on the wire to a number in front of a person: the kernel counts it, and the rule's receipt, its line in the list and its series in the metrics say so.
func TestCountersEndToEnd(t *testing.T) {
	router, send := linked(t, "count")
	g, add := counting(t, router, "")
	quiet, busy := add("=4443"), add("[ =4444 =5555 ]")
	g.inSync()
	cli := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(binary, append(args, "--gateway", g.base)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	watch := exec.Command(binary, "rule", "watch", busy, "--gateway", g.base)
	watched := &rig.Log{}
	watch.Stdout, watch.Stderr = watched, watched
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = watch.Process.Kill(); _ = watch.Wait() })
	until(t, "the watch to say that it is held", watched.String, func() bool { return strings.Contains(watched.String(), busy+"  gw  held") })
	for _, port := range []string{"4444", "5555", "5555"} {
		send(port)
	}

	var rule struct {
		api.Rule
		Receipts []reconcile.Receipt
	}
	until(t, "the kernel's count", func() string { return fmt.Sprintf("%+v", rule.Receipts) }, func() bool {
		_, err := g.call(t.Context(), "GET", "/v1/rules/"+busy, nil, &rule)
		return err == nil && rule.Count != nil && rule.Count.Packets == 3
	})
	if r := rule.Receipts[0]; r.State != reconcile.RuleCounting || r.Count.Bytes != 3*(100+28) || r.Count.First.IsZero() {
		t.Errorf("receipt %+v, count %+v", r, r.Count)
	}
	until(t, "the watch to say that it counts", watched.String, func() bool { return strings.Contains(watched.String(), busy+"  gw  counting: ") })
	if out := cli("rule", "show", busy); !strings.Contains(out, "counting") || !strings.Contains(out, "3 packets, 384 bytes, first seen") {
		t.Errorf("rule show says\n%s", out)
	}
	if out := cli("rule", "show", busy); !strings.Contains(out, "active: last hit seen") {
		t.Errorf("rule show says\n%s", out)
	}
	if out := cli("rule", "show", quiet); !strings.Contains(out, "quiet: no hit since") {
		t.Errorf("rule show says\n%s", out)
	}
	if out := cli("rule", "list", "--idle"); out != "0 rules idle\n" {
		t.Errorf("rule list --idle says\n%s", out)
	}
	if out := cli("rule", "ended"); out != "none was ended\n" {
		t.Errorf("rule ended says\n%s", out)
	}
	out := cli("rule", "list", "--sort=hits")
	if !strings.HasPrefix(out, busy) || strings.Index(out, busy) > strings.Index(out, quiet) || !strings.Contains(out, "3 packets, 384 bytes") || !strings.Contains(out, "no packet yet") {
		t.Errorf("rule list --sort=hits says\n%s", out)
	}
	metrics := g.metrics(
		fmt.Sprintf(`sluice_rule_packets_total{rule="%s",source="api"} 3`, busy), fmt.Sprintf(`sluice_rule_bytes_total{rule="%s",source="api"} 384`, busy),
		`sluice_device_matched_packets_total{device="gw"} 3`, "sluice_rules_hit_unlisted 0",
		`sluice_source_activity_rules{activity="active",source="api"} 1`, `sluice_source_activity_rules{activity="quiet",source="api"} 1`,
	)
	if strings.Contains(metrics, quiet) {
		t.Error("a rule that was never hit has a series")
	}
	if status, err := g.call(t.Context(), "DELETE", "/v1/rules/"+busy, nil, nil); status != 204 {
		t.Fatal(status, err)
	}
	if err := watch.Wait(); err != nil || !strings.Contains(watched.String(), busy+"  no such rule, or not any more") {
		t.Errorf("the watch ended: %v\n%s", err, watched)
	}
	g.stop()
}
