package bgptest_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// atMost refuses more values of a component than a platform takes.
func atMost(n int) func(bgptest.Route) error {
	return func(r bgptest.Route) error {
		for c := range r.Match.All() {
			if len(c.Terms) > n {
				return fmt.Errorf("%v has %d values, the limit is %d", c.Type, len(c.Terms), n)
			}
		}
		return nil
	}
}

func ports(t *testing.T, n int) flowspec.Match {
	t.Helper()
	c := flowspec.Component{Type: flowspec.SrcPort}
	for i := range n {
		c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: uint64(1 + 2*i)})
	}
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Two routers talk to each other: one announces, the other one has limits.
func two(t *testing.T, resets bool) (from, to *bgptest.Router, ctx context.Context) {
	t.Helper()
	to, err := bgptest.Listen(bgptest.Config{Name: "asr", AS: 64501, RouterID: netip.MustParseAddr("192.0.2.2"), Check: atMost(5), Resets: resets})
	if err != nil {
		t.Fatal(err)
	}
	from, err = bgptest.Listen(bgptest.Config{Name: "sender", AS: 64502, RouterID: netip.MustParseAddr("192.0.2.3"), Connect: to.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	var wg sync.WaitGroup
	for _, r := range []*bgptest.Router{from, to} {
		wg.Go(func() { _ = r.Run(ctx) })
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
	for _, r := range []*bgptest.Router{from, to} {
		if err := r.Wait(ctx, func([]bgptest.Route) bool { return saw(r, bgptest.Up) != nil }); err != nil {
			t.Fatal(err)
		}
	}
	return from, to, ctx
}

func saw(r *bgptest.Router, k bgptest.Kind) *bgptest.Event {
	for _, e := range r.Events() {
		if e.Kind == k {
			return &e
		}
	}
	return nil
}

func TestRouterRefusesASixthValue(t *testing.T) {
	t.Parallel()
	from, to, ctx := two(t, false)
	discard := flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
	if err := from.Announce(discard, session.Path{}, ports(t, 6), ports(t, 5), ports(t, 1)); err != nil {
		t.Fatal(err)
	}
	if err := to.Wait(ctx, func(table []bgptest.Route) bool { return len(table) == 2 }); err != nil {
		t.Fatal(err)
	}
	table := to.Table()
	if flowspec.Compare(table[0].Match, table[1].Match) >= 0 || !table[0].Action.Discard() {
		t.Errorf("the table is not in the order of evaluation: %v", table)
	}
	e := saw(to, bgptest.Refused)
	if e == nil || !strings.Contains(e.Err.Error(), "source-port has 6 values, the limit is 5") {
		t.Errorf("refused: %+v", e)
	}
	if err := from.Withdraw(ports(t, 5), ports(t, 1)); err != nil {
		t.Fatal(err)
	}
	if err := to.Wait(ctx, func(table []bgptest.Route) bool { return len(table) == 0 }); err != nil {
		t.Fatal(err)
	}
}

func TestRouterThatResets(t *testing.T) {
	t.Parallel()
	from, to, ctx := two(t, true)
	if err := from.Announce(flowspec.Action{}, session.Path{}, ports(t, 6)); err != nil {
		t.Fatal(err)
	}
	if err := from.Wait(ctx, func([]bgptest.Route) bool { return saw(from, bgptest.Down) != nil }); err != nil {
		t.Fatal(err)
	}
	var n *session.Notification
	if e := saw(from, bgptest.Down); !errors.As(e.Err, &n) || !n.Received || n.Code != 3 || n.Subcode != 10 {
		t.Errorf("the sender was told %v, want 3/10", e.Err)
	}
	if len(to.Table()) != 0 {
		t.Error("a lost session leaves no rules")
	}
}
