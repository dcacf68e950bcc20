package gateway_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/integration/rig"
)

// A customer announces its prefix and rules over one session. A rule for its own addresses is in force, one for somebody else's is not; both change with the unicast routes.
func TestCustomerFiltersItsOwnAddresses(t *testing.T) {
	t.Parallel()
	host, dir := rig.Subnet(), t.TempDir()
	us, them, edge := host(1), host(10), host(20)
	customer := rig.StartBIRD(t, 64501, them, us, `ipv4 { import none; export all; next hop self; };
	flow4 { table f4; import none; export all; };`, `
protocol static mine { ipv4; route 203.0.113.0/24 unreachable; }
protocol static theirs { disabled yes; ipv4; route 198.51.100.0/24 unreachable; }
protocol static myrules { flow4 { table f4; };
	route flow4 { dst 203.0.113.9/32; proto 17; } { bgp_ext_community.add((generic, 0x80060000, 0x0)); };
	route flow4 { dst 198.51.100.9/32; proto 17; } { bgp_ext_community.add((generic, 0x80060000, 0x0)); };
}`)
	rig.StartBIRD(t, 64500, edge, us, `ipv4 { import none; export all; next hop self; };`, `
protocol static mine { ipv4; route 0.0.0.0/0 unreachable; }`)
	g := serve(t, file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: %[1]s
as: 64500
store: %[2]s/sluice.db
listen: {api: "127.0.0.1:0", bgp: ["%[1]s:%[3]d"]}
sources:
  - name: customer
    bgp: {address: %[4]s, local-address: %[1]s, port: %[6]d, as: 64501, families: [ipv4, ipv4-unicast]}
    allow: {destinations: [any]}
devices:
  - name: edge
    profile: bird
    max-routes: unlimited
    bgp: {address: %[5]s, local-address: %[1]s, port: %[6]d, as: 64500, families: [ipv4, ipv4-unicast]}
`, us, dir, rig.SpeakerPort, them, edge, rig.BIRDPort)))
	rules := func(want ...string) {
		t.Helper()
		until(t, fmt.Sprintf("rules for %q", want), g.state, func() bool {
			list := g.rules()
			text := fmt.Sprint(list)
			ok := len(list) == len(want)
			for _, w := range want {
				ok = ok && strings.Contains(text, w)
			}
			return ok
		})
	}
	rules("203.0.113.9/32")
	if !strings.Contains(g.log.String(), "not admitted: the best unicast route to 198.51.100.9/32, 0.0.0.0/0, is from "+edge.String()+" and the rule from "+them.String()+" (RFC 9117 §4.1 b.1)") {
		t.Errorf("the clause is not named:\n%s", g.state())
	}
	out, err := exec.Command(binary, "source", "list", "--gateway", g.base).CombinedOutput()
	if fields := strings.Fields(lineWith(string(out), "customer")); err != nil || len(fields) < 8 || fields[2] != "1" || fields[6] != "1" {
		t.Errorf("one rule, one infeasible: %v\n%s", err, out)
	}
	customer.Ctl("enable", "theirs")
	rules("203.0.113.9/32", "198.51.100.9/32")
	customer.Ctl("disable", "mine")
	rules("198.51.100.9/32")
	customer.Ctl("enable", "mine")
	rules("203.0.113.9/32", "198.51.100.9/32")
	g.stop()
}

// lineWith returns the first line that begins with a word.
func lineWith(text, word string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, word+" ") {
			return line
		}
	}
	return ""
}
