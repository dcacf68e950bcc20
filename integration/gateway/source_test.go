package gateway_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/integration/rig"
)

// A detector that withdraws all it has, one rule after the other, is not believed: every rule stays, the operator is told what to type, and types it.
func TestDetectorWithdrawsEverything(t *testing.T) {
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
    mass-withdrawal: {within: 1m}
    allow: {destinations: [any]}
`, us, dir, rig.SpeakerPort, exa)))
	detector := rig.StartExaBGP(t, 64500, exa, us)
	const all = 24
	say := func(verb string, n int) {
		detector.Say("%s flow route { match { destination 203.0.113.%d/32; } then { discard; } }", verb, n)
	}
	sluice := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(binary, append(args, "--gateway", g.base)...).CombinedOutput()
		if err != nil {
			t.Fatalf("sluice %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	for n := range all {
		say("announce", n)
	}
	until(t, "the rules", g.state, func() bool { return len(g.rules()) == all })
	for n := range all {
		say("withdraw", n)
	}
	until(t, "all to be withdrawn", g.state, func() bool {
		return strings.Contains(sluice("source", "list"), "exabgp withdrew 24 rules at once")
	})
	if n := len(g.rules()); n != all {
		t.Errorf("%d rules in force, want %d", n, all)
	}
	for _, want := range []string{"level=ERROR", "a source withdraws most of its rules at once", `type="sluice source accept exabgp"`} {
		if !strings.Contains(g.log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, g.state())
		}
	}
	if out := sluice("source", "keep", "exabgp", "--for", "2h"); out != "what exabgp withdrew stays in force for 2h\n" {
		t.Error(out)
	}
	say("announce", 7)
	until(t, "one rule to be meant again", g.state, func() bool {
		return strings.Contains(sluice("source", "list"), "exabgp withdrew 23 rules at once")
	})
	if out := sluice("source", "accept", "exabgp"); out != "exabgp is believed: what it withdrew is gone\n" {
		t.Error(out)
	}
	if n := len(g.rules()); n != 1 {
		t.Errorf("%d rules in force, want 1", n)
	}
	g.stop()
}
