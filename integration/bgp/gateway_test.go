package bgp_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/integration/rig"
)

const (
	ourAS        = 64500
	ourCommunity = ourAS<<16 | 6666
)

var both = []flowspec.Family{flowspec.IPv4, flowspec.IPv6}

// gateway is the smallest thing that can stand between sources and devices: it passes every rule on in the form that each device is to have, and
// withdraws what a lost source announced. The real one is core/rib, core/plan and core/reconcile.
type gateway struct {
	t       *testing.T
	speaker *bgp.Speaker
	forms   map[string]func(flowspec.Rule) []device.Route

	mu     sync.Mutex
	held   map[flowspec.Source]map[string]flowspec.Match
	events []rib.Event
}

func newGateway(t *testing.T, at netip.Addr, change func(*bgp.Config)) *gateway {
	t.Helper()
	g := &gateway{t: t, forms: map[string]func(flowspec.Rule) []device.Route{}, held: map[flowspec.Source]map[string]flowspec.Match{}}
	cfg := bgp.Config{
		RouterID: at, LocalAS: ourAS, Listen: []netip.AddrPort{netip.AddrPortFrom(at, rig.SpeakerPort)}, Communities: []uint32{ourCommunity},
		Input: g, Log: slog.New(slog.NewTextHandler(testLog{t}, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if g.speaker, err = bgp.New(cfg); err != nil {
		t.Fatal(err)
	}
	return g
}

// testLog writes log lines to the test's log.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	fmt.Fprintf(l.t.Output(), "%s", p)
	return len(p), nil
}

func (g *gateway) peer(pc bgp.PeerConfig) {
	g.t.Helper()
	pc.Policy.Community, pc.Policy.NoExport = ourCommunity, true
	pc.RetryMin, pc.RetryMax = 100*time.Millisecond, time.Second
	if err := g.speaker.AddPeer(pc); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.speaker.Run(ctx) }()
	g.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			g.t.Errorf("the speaker ended: %v", err)
		}
	})
}

// Send implements rib.Input.
func (g *gateway) Send(ctx context.Context, e rib.Event) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.events = append(g.events, e)
	held := g.held[e.Source]
	if held == nil {
		held = map[string]flowspec.Match{}
		g.held[e.Source] = held
	}
	gone := e.Withdraw
	if e.Kind == rib.Down {
		for _, m := range held {
			gone = append(gone, m)
		}
	}
	for name, form := range g.forms {
		var c device.Change
		for _, m := range gone {
			for _, r := range form(flowspec.Rule{Match: m}) {
				c.Steps = append(c.Steps, device.Step{Op: device.Remove, Route: &r})
			}
		}
		for _, rule := range e.Announce {
			for _, r := range form(rule) {
				c.Steps = append(c.Steps, device.Step{Op: device.Add, Route: &r})
			}
		}
		if _, err := g.speaker.Device(name).Apply(ctx, device.Target{}, c, 0); err != nil && ctx.Err() == nil {
			g.t.Errorf("apply to %s: %v", name, err)
		}
	}
	for _, m := range gone {
		delete(held, string(m.NLRI()))
	}
	for _, r := range e.Announce {
		held[string(r.Match.NLRI())] = r.Match
	}
	return nil
}

// saw waits for events of a source that ok accepts.
func (g *gateway) saw(what string, ok func([]rib.Event) bool) {
	g.t.Helper()
	rig.Until(g.t, what, func() (bool, string) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return ok(g.events), fmt.Sprint(len(g.events), " events")
	})
}

func kinds(events []rib.Event, k rib.Kind) int {
	n := 0
	for _, e := range events {
		if e.Kind == k {
			n++
		}
	}
	return n
}

// asItCame gives a device the rule itself.
func asItCame(r flowspec.Rule) []device.Route {
	return []device.Route{{Match: r.Match, Action: r.Action, Communities: r.Communities}}
}

// onePort gives a device one route for each port of a rule.
func onePort(r flowspec.Rule) []device.Route {
	c, ok := r.Match.Component(flowspec.SrcPort)
	if !ok {
		return asItCame(r)
	}
	var out []device.Route
	for _, term := range c.Terms {
		var parts []flowspec.Component
		for part := range r.Match.All() {
			if part.Type == flowspec.SrcPort {
				part.Terms = []flowspec.Term{{Op: term.Op, Value: term.Value}}
			}
			parts = append(parts, part)
		}
		m, err := flowspec.NewMatch(r.Match.Family(), flowspec.RD{}, parts...)
		if err != nil {
			panic(err)
		}
		out = append(out, device.Route{Match: m, Action: r.Action, Communities: r.Communities})
	}
	return out
}
