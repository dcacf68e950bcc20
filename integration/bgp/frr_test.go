package bgp_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// FRR holds rules of both families over a session with a password, and asks for all again.
func TestFRRHoldsWhatItIsSent(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "edge", Address: host(2), Port: rig.FRRPort, LocalAddress: host(1), LocalAS: 64500, RemoteAS: 64502, Families: both, Device: true, Password: "hunter2"})
	g.run()
	f := rig.StartFRR(t, 64502, host(2), host(1), "password hunter2")
	g.give("edge", "0601200a000001")
	f.Holds(1, "Destination Address 10.0.0.1/32", "FS:rate 0.000000")
	g.add("edge", rule6(t))
	f.HoldsIPv6(1, "2001:db8::9/128")
	f.Ctl("clear bgp ipv4 flowspec " + host(1).String() + " soft in")
	rig.Until(t, "the answer to a route refresh", func() (bool, string) {
		out := g.speaker.Status()[0].Out
		return out.Announced == 3, f.Ctl("show bgp neighbors")
	})
	f.Holds(1)
	if st := g.speaker.Status()[0].Session; st.Established != 1 {
		t.Errorf("%d sessions, want one", st.Established)
	}
}

// FRR 8.4 agrees on graceful restart and keeps no rule all the same. So what it is owed has to be there again as soon as we are.
func TestFRRGetsEverythingAgain(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	f := rig.StartFRR(t, 64502, host(2), host(1))
	begin := func() (*gateway, func()) {
		g := newGateway(t, host(1), func(c *bgp.Config) { c.Stay = true })
		g.peer(bgp.PeerConfig{Name: "edge", Address: host(2), Port: rig.FRRPort, LocalAddress: host(1), RemoteAS: 64502, Families: both, Device: true, Restart: 100 * time.Second})
		return g, g.runUntil()
	}
	g, stop := begin()
	g.give("edge", "0601200a000001")
	g.give("edge", "0601200a000002")
	f.Holds(2)
	if out := f.Ctl("show bgp neighbors"); !strings.Contains(out, "Graceful Restart Capability: advertised and received") {
		t.Errorf("graceful restart was not agreed on:\n%s", out)
	}
	stop()
	f.Holds(0)
	g, _ = begin()
	g.give("edge", "0601200a000002")
	f.Holds(1, "Destination Address 10.0.0.2/32")
	f.Stop(syscall.SIGKILL)
	f.Start()
	f.Holds(1, "Destination Address 10.0.0.2/32")
}
