package gateway_test

import (
	"fmt"
	"testing"

	"github.com/sluice-gateway/sluice/integration/rig"
)

// An ExaBGP that says how it writes IPv6 prefixes with an offset is heard, and a GoBGP is written to as its profile says.
func TestOffsetsFromExaBGPToGoBGP(t *testing.T) {
	t.Parallel()
	host, dir := rig.Subnet(), t.TempDir()
	us, exa, edge := host(1), host(10), host(21)
	g := serve(t, file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: %[1]s
as: 64500
store: %[2]s/sluice.db
listen: {api: "127.0.0.1:0", bgp: ["%[1]s:%[3]d"]}
sources:
  - name: exabgp
    bgp: {address: %[4]s, local-address: %[1]s, as: 64500, families: [ipv4, ipv6], passive: true, ipv6-offset: whole-prefix}
    on-loss: withdraw
    allow: {destinations: [any]}
devices:
  - name: edge
    profile: gobgp
    max-routes: 100
    bgp: {address: %[5]s, local-address: %[1]s, port: %[6]d, as: 64521, families: [ipv6]}
`, us, dir, rig.SpeakerPort, exa, edge, rig.GoBGPPort)))
	router := rig.StartGoBGP(t, 64521, edge, us, []string{"ipv6-flowspec"}, "")
	detector := rig.StartExaBGP(t, 64500, exa, us)
	const rule = "flow route { match { destination ::1:1234:5678:9800:0/104/60; next-header udp; } then { discard; } }"
	detector.Say("announce " + rule)
	router.Holds("ipv6-flowspec", 1, "[destination: ::1:1234:5678:9800:0/104/60]", "udp", "[discard]")
	detector.Say("withdraw " + rule)
	router.Holds("ipv6-flowspec", 0)
	g.stop()
}
