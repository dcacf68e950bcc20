package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// A BIRD that connects from a prefix has its session kept from being filtered, in both directions, from the moment that it is there. A host in the prefix that is no neighbour may be protected from all of TCP.
func TestNeighbourOfAPrefixIsNotCutOff(t *testing.T) {
	t.Parallel()
	host, dir := rig.Subnet(), t.TempDir()
	us, them, victim := host(1), host(10), host(11)
	prefix, err := us.Prefix(24)
	if err != nil {
		t.Fatal(err)
	}
	g := serve(t, file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: %[1]s
as: 64500
store: %[2]s/sluice.db
listen: {api: "127.0.0.1:0", bgp: ["%[1]s:%[3]d"]}
sources:
  - name: detectors
    bgp: {address: %[4]s, as: 64501, families: [ipv4]}
    validation: off
    allow: {destinations: [any]}
  - {name: api, api: true, allow: {destinations: [any]}}
`, us, dir, rig.SpeakerPort, prefix)))
	add := func(match string) (int, string) {
		t.Helper()
		var answer any
		status, err := g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: "flow route { match { " + match + " } then { discard; } }"}, &answer)
		if err != nil {
			t.Fatal(err)
		}
		return status, fmt.Sprint(answer)
	}
	back := fmt.Sprintf("destination %s/32; protocol =tcp; source-port =%d;", them, rig.SpeakerPort)
	if status, said := add(fmt.Sprintf("source %s; destination %s/32; protocol =tcp;", prefix, us)); status != http.StatusForbidden || !strings.Contains(said, "the BGP sessions of detectors, such as") {
		t.Errorf("what all of them send: %d %s", status, said)
	}
	if status, said := add(fmt.Sprintf("destination %s/32; protocol =tcp;", victim)); status != http.StatusCreated {
		t.Errorf("a victim in the prefix: %d %s", status, said)
	}
	if status, said := add(back); status != http.StatusCreated {
		t.Errorf("before anybody is there: %d %s", status, said)
	}
	rig.StartBIRD(t, 64501, them, us, `flow4 { table f4; import none; export all; };`, fmt.Sprintf(`
protocol static mine { flow4 { table f4; };
	route flow4 { dst %s/32; proto 17; } { bgp_ext_community.add((generic, 0x80060000, 0x0)); };
}`, victim))
	until(t, "the rule of the neighbour", g.state, func() bool { return strings.Contains(fmt.Sprint(g.rules()), "detectors@"+them.String()) })
	until(t, "the word on the rule that was there before", g.state, func() bool {
		return strings.Contains(g.log.String(), "a rule in force filters the gateway's own connection") && strings.Contains(g.log.String(), "the BGP session with detectors@"+them.String())
	})
	if status, said := add(strings.Replace(back, "source-port", "destination-port >=1024; source-port", 1)); status != http.StatusForbidden || !strings.Contains(said, "the BGP session with detectors@"+them.String()+", such as") {
		t.Errorf("what it is sent: %d %s", status, said)
	}
	g.stop()
}
