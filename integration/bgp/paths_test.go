package bgp_test

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// BIRD has two paths for one NLRI and sends both (RFC 7911). The better one counts; when it goes, the other does.
func TestSeveralPathsFromBIRD(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "reflector", Address: host(2), LocalAddress: host(1), RemoteAS: ourAS, Passive: true, Families: []flowspec.Family{flowspec.IPv4}, Source: "reflector", AddPath: true})
	g.run()
	const discard, limit = "(generic, 0x80060000, 0x0)", "(generic, 0x80060000, 0x47f42400)"
	static := func(name, pref, action string) string {
		return "protocol static " + name + " { flow4 { table f4; preference " + pref + "; };\nroute flow4 { dst 10.1.0.0/32; proto 17; } { bgp_local_pref = " + pref + "; bgp_ext_community.add(" + action + "); };\n}\n"
	}
	b := rig.StartBIRD(t, ourAS, host(2), host(1), "flow4 { table f4; import none; export all; add paths tx; };", static("severe1", "200", discard)+static("mild1", "150", limit))
	last := func(want string) func([]rib.Event) bool {
		return func(events []rib.Event) bool {
			got := "nothing"
			for _, e := range events {
				for range e.Withdraw {
					got = "nothing"
				}
				for _, r := range e.Announce {
					got = r.Action.String()
				}
			}
			return kinds(events, rib.EndOfRIB) > 0 && strings.Contains(got, want)
		}
	}
	g.saw("the better of the two", last("discard"))
	if n := g.speaker.Status()[0].Session.Negotiated.Paths; len(n) != 1 {
		t.Errorf("families with several paths: %v", n)
	}
	b.Ctl("disable", "severe1")
	g.saw("the other", last("rate-limit"))
	b.Ctl("enable", "severe1")
	g.saw("the better one again", last("discard"))
	b.Ctl("disable", "mild1")
	b.Ctl("disable", "severe1")
	g.saw("none", last("nothing"))
	if in := g.speaker.Status()[0].In; in.Refused != 0 {
		t.Errorf("refused %+v", in.Last)
	}
}
