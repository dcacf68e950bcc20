package main

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// course is a validator in a bubble of testing/synctest, with a customer whose rules are compared with the routes of its session and of a transit's.
type course struct {
	t        *testing.T
	v        *validator
	told     told
	log      strings.Builder
	customer admit.Path
}

func newCourse(t *testing.T) *course {
	c := &course{t: t, customer: admit.Path{Originator: netip.MustParseAddr("192.0.2.1"), Neighbour: 65001, External: true, Length: 1}}
	log := slog.New(slog.NewTextHandler(&c.log, nil))
	sources := []config.Source{
		{Name: "customer", Validate: true, Admit: admit.Policy{AnyDestination: true}, BGP: &config.Peer{}},
		{Name: "detector", Admit: admit.Policy{AnyDestination: true}, BGP: &config.Peer{}},
	}
	c.v = newValidator(newGate(&c.told, sources, log), sources, log)
	c.v.neighbour("customer", "", false, 2*time.Minute, []flowspec.Family{flowspec.IPv4})
	c.v.neighbour("transit", "", false, 0, []flowspec.Family{flowspec.IPv4, flowspec.IPv6})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- c.v.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return c
}

func (c *course) rule(host byte) flowspec.Rule {
	m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{6, 1, 32, 203, 0, 113, host})
	if err != nil {
		c.t.Fatal(err)
	}
	return flowspec.Rule{Match: m, Source: "customer", ID: flowspec.NewID("customer", m)}
}

func (c *course) says(e rib.Event) {
	if e.Source == "" {
		e.Source = "customer"
	}
	if err := c.v.Rules(context.Background(), e, c.customer); err != nil {
		c.t.Error(err)
	}
}

func (c *course) routes(peer string, kind rib.Kind, version int, announce string, withdraw ...string) {
	r := bgp.Routes{Peer: peer, Kind: kind, Version: version, Path: c.customer}
	if peer == "transit" {
		r.Path = admit.Path{Originator: netip.MustParseAddr("192.0.2.2"), Neighbour: 65002, External: true, Length: 1}
	}
	if announce != "" {
		r.Announce = []netip.Prefix{netip.MustParsePrefix(announce)}
	}
	for _, w := range withdraw {
		r.Withdraw = append(r.Withdraw, netip.MustParsePrefix(w))
	}
	if err := c.v.Routes(context.Background(), r); err != nil {
		c.t.Error(err)
	}
}

// heard returns what the RIB was told since it was asked last, in short.
func (c *course) heard() (out []string) {
	synctest.Wait()
	c.v.mu.Lock()
	defer c.v.mu.Unlock()
	for _, e := range c.told.events {
		word := map[rib.Kind]string{rib.Update: "update", rib.Up: "up", rib.Down: "down", rib.EndOfRIB: "end"}[e.Kind]
		for _, r := range e.Announce {
			word += " +" + destinationOf(r.Match)
		}
		for _, m := range e.Withdraw {
			word += " -" + destinationOf(m)
		}
		for _, m := range e.Refused {
			word += " !" + destinationOf(m)
		}
		out = append(out, word)
	}
	c.told.events = nil
	return out
}

func destinationOf(m flowspec.Match) string {
	return strings.TrimSuffix(strings.TrimPrefix(m.String(), "destination 203.0.113."), ";")
}

func (c *course) expect(want ...string) {
	c.t.Helper()
	if got := c.heard(); !slices.Equal(got, want) {
		c.t.Fatalf("the RIB was told %q, want %q\n%s", got, want, c.log.String())
	}
}

// Nothing is judged before the routes are there, and nothing is said to be all before it is judged. Then rules come and go with routes.
func TestValidationFollowsRoutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCourse(t)
		c.says(rib.Event{Kind: rib.Up, Source: "detector"})
		c.expect("up") // nobody compares its rules
		c.says(rib.Event{Kind: rib.Up})
		c.says(rib.Event{Kind: rib.Update, Announce: []flowspec.Rule{c.rule(9), c.rule(200)}})
		c.says(rib.Event{Kind: rib.EndOfRIB, Family: flowspec.IPv4})
		c.routes("customer", rib.Update, 0, "203.0.113.0/25")
		c.routes("customer", rib.EndOfRIB, 4, "")
		c.routes("transit", rib.Update, 0, "0.0.0.0/0")
		c.routes("transit", rib.EndOfRIB, 4, "")
		c.expect()
		c.routes("transit", rib.EndOfRIB, 6, "")
		c.expect("up", "update +9/32 !200/32", "end")
		if !strings.Contains(c.log.String(), "0.0.0.0/0, is from 192.0.2.2 and the rule from 192.0.2.1 (RFC 9117 §4.1 b.1)") || c.v.refused("customer") != 1 {
			t.Errorf("%d rules refused:\n%s", c.v.refused("customer"), c.log.String())
		}
		c.routes("customer", rib.Update, 0, "203.0.113.0/24", "203.0.113.0/25")
		c.expect("update +200/32")
		c.routes("transit", rib.Update, 0, "203.0.113.9/32")
		c.expect("update !9/32")
		c.says(rib.Event{Kind: rib.Update, Withdraw: []flowspec.Match{c.rule(9).Match}})
		c.expect("update -9/32")
		c.routes("transit", rib.Update, 0, "", "203.0.113.9/32")
		c.expect() // that rule is nobody's any more

		t.Log("the session is lost: its rules are the RIB's to judge, and its routes count for a while")
		c.says(rib.Event{Kind: rib.Down})
		c.routes("customer", rib.Down, 0, "")
		c.expect("down")
		time.Sleep(time.Minute)
		c.says(rib.Event{Kind: rib.Up})
		c.routes("customer", rib.Up, 0, "")
		c.says(rib.Event{Kind: rib.Update, Announce: []flowspec.Rule{c.rule(9), c.rule(200)}})
		c.expect("up", "update +9/32 +200/32")
		c.routes("customer", rib.Update, 0, "203.0.113.0/25")
		c.expect()
		c.routes("customer", rib.EndOfRIB, 4, "")
		c.expect("update !200/32")

		t.Log("and no longer")
		c.routes("customer", rib.Down, 0, "")
		time.Sleep(2*time.Minute - time.Second)
		c.expect()
		time.Sleep(time.Second)
		c.expect("update !9/32")
	})
}

// A neighbour that never says that it has said all holds nobody up for long.
func TestValidationDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCourse(t)
		c.says(rib.Event{Kind: rib.Update, Announce: []flowspec.Rule{c.rule(9)}})
		c.routes("customer", rib.Update, 0, "203.0.113.0/24")
		time.Sleep(routesWithin - time.Second)
		c.expect()
		time.Sleep(time.Second)
		c.expect("update +9/32")
		c.routes("transit", rib.Update, 0, "203.0.113.0/28")
		c.expect("update !9/32")
	})
}

// A reflector brings the rules of those it may bring rules of. One that is replaced by a rule of somebody else goes.
func TestOriginsOfAReflector(t *testing.T) {
	t.Parallel()
	var told told
	sources := []config.Source{{Name: "customer", Admit: admit.Policy{AnyDestination: true, From: admit.Origins{Originators: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}}, BGP: &config.Peer{}}}
	log := slog.New(slog.DiscardHandler)
	c := &course{t: t, v: newValidator(newGate(&told, sources, log), sources, log)}
	for _, from := range []string{"192.0.2.1", "192.0.2.2"} {
		e := rib.Event{Source: "customer", Kind: rib.Update, Announce: []flowspec.Rule{c.rule(9)}}
		if err := c.v.Rules(t.Context(), e, admit.Path{Originator: netip.MustParseAddr(from)}); err != nil {
			t.Fatal(err)
		}
	}
	if e := told.events; len(e) != 2 || len(e[0].Announce) != 1 || len(e[1].Announce) != 0 || len(e[1].Refused) != 1 {
		t.Errorf("the RIB was told %+v", e)
	}
}
