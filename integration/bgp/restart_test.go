package bgp_test

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// runUntil runs the speaker and returns what ends it.
func (g *gateway) runUntil() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.speaker.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				g.t.Errorf("the speaker ended: %v", err)
			}
		})
	}
	g.t.Cleanup(stop)
	return stop
}

// A router keeps our rules while we restart, drops at End-of-RIB what is not repeated, and End-of-RIB waits until the rules are complete. When we say that we stop, it drops
// everything at once.
func TestBIRDKeepsRulesWhileWeRestart(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	begin := func(stay bool, settled chan struct{}) (*gateway, func()) {
		g := newGateway(t, host(1), func(c *bgp.Config) { c.Stay, c.Settled = stay, settled })
		g.peer(bgp.PeerConfig{Name: "edge", Address: host(2), LocalAddress: host(1), RemoteAS: 64502, Passive: true, Families: both, Device: true, Restart: 100 * time.Second})
		return g, g.runUntil()
	}
	b := rig.StartBIRD(t, 64502, host(2), host(1), "graceful restart aware;"+imports, "")
	g, stop := begin(true, nil)
	g.give("edge", "0601200a000001")
	g.give("edge", "0601200a000002")
	out := b.Holds("f4", 2, "dst 10.0.0.1/32;", "dst 10.0.0.2/32;", "(65535,7)")
	stop()
	rig.Until(t, "BIRD to wait for us", func() (bool, string) {
		out = b.Ctl("show", "protocols", "all", "sluice")
		return strings.Contains(out, "Neighbor graceful restart active"), out
	})
	b.Holds("f4", 2)

	t.Log("we are back with one of the two, and not sure yet that it is all")
	settled := make(chan struct{})
	g, stop = begin(false, settled)
	g.give("edge", "0601200a000002")
	rig.Until(t, "the session and the rule", func() (bool, string) {
		out = b.Ctl("show", "protocols", "all", "sluice")
		return strings.Contains(out, "Established") && g.speaker.Device("edge").Status().Sent == 1, out
	})
	b.Holds("f4", 2, "dst 10.0.0.1/32;")
	close(settled)
	b.Holds("f4", 1, "dst 10.0.0.2/32;")

	t.Log("we stop for good")
	stop()
	b.Holds("f4", 0)
}

// The rules of a source that asked for it are kept while it restarts, those of one that says goodbye are not.
func TestBIRDRestartsAsASource(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "reflector", Address: host(2), LocalAddress: host(1), RemoteAS: 64502, Passive: true, Families: both, Source: "reflector", Restart: 100 * time.Second})
	g.run()
	more := "protocol static { flow4 { table f4; };\nroute flow4 { dst 10.1.0.0/32; proto 17; } { bgp_ext_community.add((generic, 0x80060000, 0x0)); };\n}\n"
	b := rig.StartBIRD(t, 64502, host(2), host(1), "graceful restart yes; graceful restart time 30;\nflow4 { table f4; import none; export all; };\nflow6 { table f6; import none; export all; };", more)
	ends := func(events []rib.Event) (down []rib.Event) {
		for _, e := range events {
			if e.Kind == rib.Down {
				down = append(down, e)
			}
		}
		return down
	}
	g.saw("the rule", func(e []rib.Event) bool { return kinds(e, rib.EndOfRIB) == 2 })
	b.Stop(syscall.SIGKILL)
	g.saw("that it is gone for a while", func(e []rib.Event) bool {
		d := ends(e)
		return len(d) == 1 && d[0].Hold == 30*time.Second && len(d[0].Held) == 2 && d[0].Held[0] == flowspec.IPv4
	})
	b.Start()
	g.saw("it again", func(e []rib.Event) bool { return kinds(e, rib.EndOfRIB) == 4 && kinds(e, rib.Up) == 2 })
	b.Ctl("disable", "sluice")
	g.saw("that it is gone", func(e []rib.Event) bool { d := ends(e); return len(d) == 2 && d[1].Hold == 0 })
}

// gobgpd knows the N bit: a NOTIFICATION costs no rule, a hard reset all of them.
func TestGoBGPAndHardResets(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	const family = "ipv4-flowspec"
	b := rig.StartGoBGP(t, 64502, host(2), host(1), []string{family}, "[neighbors.graceful-restart.config]\nenabled = true\nrestart-time = 60\nnotification-enabled = true")
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "edge", Address: host(2), Port: rig.GoBGPPort, LocalAddress: host(1), RemoteAS: 64502, Families: []flowspec.Family{flowspec.IPv4}, Device: true, Restart: 100 * time.Second})
	stop := g.runUntil()
	g.give("edge", "0601200a000001")
	b.Holds(family, 1)
	g.speaker.Reset("edge")
	rig.Until(t, "the session again", func() (bool, string) {
		st := g.speaker.Status()[0]
		return st.Session.Established == 2 && st.Out.Sent == 1, st.Session.LastError
	})
	out := b.Holds(family, 1)
	if strings.Contains(b.Out.String(), "hard reset") {
		t.Errorf("a reset is no hard reset:\n%s", out)
	}
	stop()
	b.Holds(family, 0)
}

// BIRD puts marks around what it says again, and reads those that we put around our answer.
func TestEnhancedRefreshWithBIRD(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "edge", Address: host(2), LocalAddress: host(1), RemoteAS: 64502, Passive: true, Families: []flowspec.Family{flowspec.IPv4}, Source: "edge", Device: true})
	g.run()
	more := "protocol static { flow4 { table f4; };\nroute flow4 { dst 10.1.0.0/32; proto 17; } { bgp_ext_community.add((generic, 0x80060000, 0x0)); };\n}\n"
	b := rig.StartBIRD(t, 64502, host(2), host(1), "flow4 { table f4; import all; export where source = RTS_STATIC; };", more)
	g.saw("the rule", func(e []rib.Event) bool { return kinds(e, rib.EndOfRIB) == 1 })
	g.give("edge", "0601200a000001")
	b.Holds("f4", 2, "dst 10.0.0.1/32;")
	b.Ctl("reload", "out", "sluice")
	g.saw("the marks", func(e []rib.Event) bool { return kinds(e, rib.Again) == 1 && kinds(e, rib.EndOfRIB) == 2 })
	b.Ctl("reload", "in", "sluice")
	rig.Until(t, "the answer", func() (bool, string) {
		out := b.Ctl("show", "protocols", "all", "sluice")
		return g.speaker.Status()[0].Out.Announced == 2, out
	})
	b.Holds("f4", 2, "dst 10.0.0.1/32;", "dst 10.1.0.0/32;")
}
