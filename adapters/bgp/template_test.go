package bgp

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// crowd keeps the rules of every source.
type crowd struct {
	mu    sync.Mutex
	rules map[flowspec.Source]int
	downs int
}

func (c *crowd) Send(_ context.Context, e rib.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rules[e.Source] += len(e.Announce)
	if e.Kind == rib.Down {
		c.downs++
	}
	return nil
}

// Whoever connects from a prefix becomes a neighbour, a source of its own, as many as may be; one that is gone makes room. Somebody with an entry of its own is none of them.
func TestNeighboursFromAPrefix(t *testing.T) {
	t.Parallel()
	in := &crowd{rules: map[flowspec.Source]int{}}
	var mu sync.Mutex
	var log strings.Builder
	var guests []string
	lines := slog.New(slog.NewTextHandler(locked{&mu, &log}, nil))
	s, err := New(Config{RouterID: netip.MustParseAddr("192.0.2.1"), LocalAS: 64500, Listen: []netip.AddrPort{netip.MustParseAddrPort("127.88.0.1:0")}, Input: in, Log: lines, Guest: func(name string, from, to netip.Addr, there bool) {
		mu.Lock()
		defer mu.Unlock()
		guests = append(guests, fmt.Sprint(name, " ", from, " ", to, " ", there))
	}})
	if err != nil {
		t.Fatal(err)
	}
	families := []flowspec.Family{flowspec.IPv4, flowspec.IPv6}
	for _, pc := range []PeerConfig{
		{Name: "crowd", Source: "crowd", Prefix: netip.MustParsePrefix("127.88.1.0/24"), Limit: 2},
		{Name: "all", Source: "all", Prefix: netip.MustParsePrefix("127.88.0.0/16"), Limit: 1},
		{Name: "own", Source: "own", Address: netip.MustParseAddr("127.88.1.9"), Passive: true},
	} {
		pc.RemoteAS, pc.Families = 64501, families
		if err := s.AddPeer(pc); err != nil {
			t.Fatal(err)
		}
	}
	for _, pc := range []PeerConfig{
		{Name: "a", Source: "a", Prefix: netip.MustParsePrefix("127.88.1.0/24"), Limit: 2},
		{Name: "b", Source: "b", Prefix: netip.MustParsePrefix("127.89.0.0/16")},
		{Name: "c", Prefix: netip.MustParsePrefix("127.89.0.0/16"), Limit: 1, Device: true},
	} {
		if pc.RemoteAS, pc.Families = 64501, families; s.AddPeer(pc) == nil {
			t.Errorf("%s was taken", pc.Name)
		}
	}
	s.patience = 0
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	if err := s.Listen(ctx); err != nil {
		t.Fatal(err)
	}
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	until := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				mu.Lock()
				defer mu.Unlock()
				t.Fatalf("waited for %s in vain; rules %v\n%s", what, in.rules, log.String())
			}
		}
	}
	said := func(source flowspec.Source) bool {
		in.mu.Lock()
		defer in.mu.Unlock()
		return in.rules[source] > 0
	}
	connect := func(from string, id byte) (stop func()) {
		t.Helper()
		rctx, stop := context.WithCancel(ctx)
		r, err := bgptest.Listen(bgptest.Config{Name: from, AS: 64501, RouterID: netip.AddrFrom4([4]byte{198, 51, 100, id}), Address: netip.AddrPortFrom(netip.MustParseAddr(from), 0), Connect: s.Addrs()[0]})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { _ = r.Run(rctx) })
		m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{6, 1, 32, 203, 0, 113, 9})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { // as soon as there is a session
			for rctx.Err() == nil && r.Announce(flowspec.Action{}, session.Path{}, m) != nil {
				time.Sleep(time.Millisecond)
			}
		})
		return stop
	}
	first := connect("127.88.1.1", 1)
	connect("127.88.1.2", 2)
	connect("127.88.1.9", 9)
	connect("127.88.7.7", 7)
	for _, want := range []flowspec.Source{"crowd@127.88.1.1", "crowd@127.88.1.2", "own", "all@127.88.7.7"} {
		until(string(want), func() bool { return said(want) })
	}
	connect("127.88.1.3", 3)
	until("the third to be refused", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return strings.Contains(log.String(), "crowd has its 2 neighbours already: raise limit")
	})
	first()
	until("the third to take the place of the first", func() bool { return said("crowd@127.88.1.3") })
	mu.Lock()
	slices.Sort(guests)
	if want := []string{"all@127.88.7.7 127.88.7.7 127.88.0.1 true", "crowd@127.88.1.1 127.88.1.1 127.88.0.1 false", "crowd@127.88.1.1 127.88.1.1 127.88.0.1 true",
		"crowd@127.88.1.2 127.88.1.2 127.88.0.1 true", "crowd@127.88.1.3 127.88.1.3 127.88.0.1 true"}; !slices.Equal(guests, want) {
		t.Errorf("guests %q, want %q", guests, want)
	}
	mu.Unlock()
	var names []string
	for _, p := range s.Status() {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	if want := fmt.Sprint([]string{"all@127.88.7.7", "crowd@127.88.1.2", "crowd@127.88.1.3", "own"}); fmt.Sprint(names) != want {
		t.Errorf("neighbours %v, want %v", names, want)
	}
}

// locked is a writer for several.
type locked struct {
	mu *sync.Mutex
	to *strings.Builder
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}
