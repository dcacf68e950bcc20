package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/profiles"
)

// Routers reset their session over a rule that nobody knew to be bad. It resets that of the canary, and never that of another: these go on with what they have. That is so however
// quick they are, and although the group is to do without canaries that are away. When it is withdrawn, the canary is back, the stop is
// over, and the next rule reaches everybody.
func TestBadRuleStaysWithTheCanary(t *testing.T) {
	t.Parallel()
	cfg := &config.Config{AtOnce: 16, Groups: []config.Group{{Name: "edge", Devices: []string{"edge1", "edge2", "edge3"}, Canary: []string{"edge1"}, Watch: 2 * time.Second, Soak: time.Minute, Unmanned: true}}}
	routers := routersOf(t, cfg, cfg.Groups[0].Devices, bgptest.Config{Resets: true, Check: func(r bgptest.Route) error {
		if strings.Contains(r.Match.String(), "source-port =666;") {
			return errors.New("no")
		}
		return nil
	}})
	sluice := gatewayOf(t, cfg)
	rule := func(port int) string {
		return fmt.Sprintf("flow route { match { destination 203.0.113.10/32; protocol =udp; source-port =%d; } then { discard; } }", port)
	}
	hold := func(n int, of ...*bgptest.Router) {
		t.Helper()
		within, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for _, r := range of {
			if err := r.Wait(within, func(table []bgptest.Route) bool { return len(table) == n }); err != nil {
				t.Fatalf("%v: it holds %v", err, r.Table())
			}
		}
	}
	for _, name := range cfg.Groups[0].Devices {
		says(t, sluice, exitDone, "BGP session: established", "device", "show", name)
	}
	says(t, sluice, exitDone, "flow route", "rule", "add", rule(53))
	hold(1, routers...)

	status, out, errOut := sluice("", "rule", "add", rule(666))
	if status != exitDone {
		t.Fatal(out, errOut)
	}
	id, _, _ := strings.Cut(out, " ")
	for end := time.Now().Add(10 * time.Second); ; {
		_, out, _ := sluice("", "rollout", "show")
		if strings.Contains(out, "edge: stopped: edge1 lost its BGP session right after") {
			break
		}
		if time.Now().After(end) {
			t.Fatal(out)
		}
	}
	says(t, sluice, exitDone, "withheld: "+id, "rollout", "show")
	hold(1, routers[1:]...)
	says(t, sluice, exitDone, "withdrawn", "rule", "delete", id)
	began := time.Now()
	hold(1, routers[0])
	says(t, sluice, exitDone, "edge: done", "rollout", "show")
	t.Logf("the canary was back %v after the rule went", time.Since(began))
	says(t, sluice, exitDone, "flow route", "rule", "add", rule(123))
	hold(2, routers...)
	for i, r := range routers[1:] {
		if n := r.Status().Established; n != 1 {
			t.Errorf("edge%d had %d sessions: the rule reached it", i+2, n)
		}
	}
	refused := slices.ContainsFunc(routers[0].Events(), func(e bgptest.Event) bool { return strings.Contains(e.Route.Match.String(), "666") })
	if s := routers[0].Status(); !refused && s.LastError == "" {
		t.Errorf("the rule never reached the canary: %+v", s)
	}
}

// routersOf runs BGP speakers of these names that are like a given one until the test ends, and makes them the devices of cfg.
func routersOf(t *testing.T, cfg *config.Config, names []string, like bgptest.Config) (routers []*bgptest.Router) {
	t.Helper()
	prof, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var tasks errgroup.Group
	t.Cleanup(func() {
		cancel()
		if err := tasks.Wait(); err != nil {
			t.Error(err)
		}
	})
	for i, name := range names {
		like.Name, like.AS, like.RouterID = name, 64513, netip.AddrFrom4([4]byte{192, 0, 2, byte(21 + i)})
		r, err := bgptest.Listen(like)
		if err != nil {
			t.Fatal(err)
		}
		routers = append(routers, r)
		tasks.Go(func() error { return r.Run(ctx) })
		cfg.Devices = append(cfg.Devices, config.Device{Name: name, Profile: prof, BGP: &config.Peer{
			Address: r.Addr().Addr(), Port: r.Addr().Port(), AS: 64513, Families: []flowspec.Family{flowspec.IPv4}, HoldTime: 90 * time.Second,
		}})
	}
	return routers
}
