package gateway_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/api"
)

// Where a source wants it, the rule that the kernel never counted a packet for ends after its minute, with the reason on record; the one that is hit stays.
func TestIdleRuleEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("an idle rule takes a minute at least")
	}
	t.Parallel()
	router, send := linked(t, "idle")
	dir := t.TempDir()
	g := serve(t, file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: 192.0.2.1
as: 64512
store: %[1]s/sluice.db
listen: {api: "127.0.0.1:0"}
sources:
  - {name: api, api: true, idle: {after: 1m, then: expire}, allow: {destinations: [any]}}
devices:
  - name: gw
    profile: linux-nftables
    filter: {adapter: nftables, options: {netns: %[2]s, directory: %[1]s}, commit-interval: 100ms, count-every: 1s}
`, dir, router)))
	add := func(port string) string {
		t.Helper()
		var a api.Answer
		text := "flow route { match { destination 203.0.113.1/32; protocol =udp; destination-port " + port + "; } then { discard; } }"
		if status, err := g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: text}, &a); status != 201 || err != nil {
			t.Fatal(status, err)
		}
		return a.Rules[0].ID
	}
	quiet, busy := add("=4443"), add("=4444")
	g.inSync()
	cli := func(args ...string) string {
		out, _ := exec.Command(binary, append(args, "--gateway", g.base)...).CombinedOutput()
		return string(out)
	}
	said, next := "", time.NewTicker(time.Second)
	defer next.Stop()
	for end := time.Now().Add(3 * time.Minute); !strings.Contains(said, quiet); said = cli("rule", "ended") {
		if time.Now().After(end) {
			t.Fatalf("the rule is still there\n%s\n%s", cli("rule", "show", quiet), cli("rule", "list"))
		}
		send("4444")
		<-next.C
	}
	if !strings.Contains(said, "no device has counted a packet for it since") || strings.Contains(said, busy) {
		t.Errorf("rule ended says\n%s", said)
	}
	if out := cli("rule", "show", quiet); !strings.Contains(out, "was ended at") {
		t.Errorf("rule show says\n%s", out)
	}
	if out := cli("rule", "list"); !strings.HasPrefix(out, busy) || !strings.HasSuffix(out, "1 rule in force\n") {
		t.Errorf("rule list says\n%s", out)
	}
	g.stop()
}
