package main

import (
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/profiles"
)

// Another `communities:`, `community:` or `no-export:` in the configuration reaches the routers one after the other, like any plan of another version: the canary at the start, its group after the soak, and a router in no group when a
// person says so. No router is without its rule on the way.
func TestCommunitiesAreStaged(t *testing.T) {
	t.Parallel()
	cfg := config.Config{AtOnce: 16, Software: "v1", Store: filepath.Join(t.TempDir(), "s.db"),
		Groups: []config.Group{{Name: "edge", Devices: []string{"edge1", "edge2"}, Canary: []string{"edge1"}, Watch: time.Second, Soak: 4 * time.Second}}}
	routers := routersOf(t, &cfg, []string{"edge1", "edge2", "lone"}, bgptest.Config{})
	life := func(community uint32, noExport bool) (func(string, ...string) (int, string, string), func()) {
		t.Helper()
		this := cfg
		this.Devices = slices.Clone(cfg.Devices)
		for i := range this.Devices {
			this.Devices[i].Policy = device.Policy{Add: device.Marks{Plain: []uint32{64512<<16 | community}}, Community: 64512<<16 | 10*community, NoExport: noExport}
		}
		return stoppable(t, &this)
	}
	bears := func(r *bgptest.Router, community uint32) {
		t.Helper()
		within, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := r.Wait(within, func(table []bgptest.Route) bool {
			want := []uint32{64512<<16 | community, 64512<<16 | 10*community}
			if community == 7 {
				want = append(want, device.NoExport)
			}
			return len(table) == 1 && slices.Equal(table[0].Path.Communities, want)
		}); err != nil {
			t.Fatalf("%v: it holds %v", err, r.Table())
		}
	}
	sluice, stop := life(7, true)
	says(t, sluice, exitDone, "flow route", "rule", "add", fits)
	for _, r := range routers {
		bears(r, 7)
	}
	const native = "flow route { match { destination 203.0.113.10/32; protocol =udp; source-port =53; } then { discard; community [ 64512:7 64512:70 65535:65281 ]; } }\n" +
		"  1/133 0c0120cb00710a038111068135 8006000000000000 c=fc000007 c=fc000046 c=ffffff01\n"
	says(t, sluice, exitDone, native, "device", "show", "lone", "--native")
	stop()

	sluice, stop = life(8, false)
	defer stop()
	bears(routers[0], 8)
	says(t, sluice, exitDone, "edge: soaking", "rollout", "show")
	bears(routers[1], 7)
	bears(routers[2], 7)
	says(t, sluice, exitDone, "lone\n", "plan", "--since")
	says(t, sluice, exitDone, "+   flow route { match { destination 203.0.113.10/32; protocol =udp; source-port =53; } then { discard; community [ 64512:8 64512:80 ]; } }", "device", "plan", "lone", "--since")
	says(t, sluice, exitDone, "communities added: no-export, 64512:70, 64512:7", "device", "show", "lone")
	bears(routers[1], 8)
	says(t, sluice, exitDone, "edge: done", "rollout", "show")
	bears(routers[2], 7)
	sent := len(routers[2].Events())
	says(t, sluice, exitDone, "lone is given the plans of this version", "device", "adopt", "lone")
	bears(routers[2], 8)
	says(t, sluice, exitDone, "communities added: 64512:80, 64512:8", "device", "show", "lone")
	for _, e := range routers[2].Events()[sent:] {
		if e.Kind != bgptest.Announced {
			t.Errorf("lone was told %+v", e)
		}
	}
}

// Paths under the mark of an earlier configuration are ours for as long as a device may have them: one that a reflector sends back is no source.
func TestEarlierMarksAreOurs(t *testing.T) {
	t.Parallel()
	cfg := &config.Config{
		RouterID: netip.MustParseAddr("192.0.2.1"), AS: 64512, Community: 64512<<16 | 8, ListenAPI: "127.0.0.1:0", Store: filepath.Join(t.TempDir(), "s.db"), AtOnce: 1,
	}
	routersOf(t, cfg, []string{"edge1", "edge2", "edge3"}, bgptest.Config{})
	g, err := newGateway(t.Context(), cfg, profiles.Embedded(), slog.New(slog.DiscardHandler), strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.run(ctx, nil) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for name, c := range map[string]uint32{"edge1": 7, "edge2": cfg.Community, "edge3": 0} {
		if err := g.store.SavePolicy(name, device.Policy{Community: c}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := g.communities(); err != nil || !slices.Equal(got, []uint32{cfg.Community, 7}) {
		t.Errorf("got %v, error %v", got, err)
	}
}
