package bgp_test

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// What a router asked for again stands between the marks of RFC 7313: all of the family, and nothing of the other.
func TestRefreshStandsBetweenMarks(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	p.apply(t, add(t, dst(1), discard()), add(t, dst(2), discard()))
	p.holds(t, dst(1), dst(2))
	kinds := func() (out []bgptest.Kind) {
		for _, e := range p.router.Events() {
			out = append(out, e.Kind)
		}
		return out
	}
	first := []bgptest.Kind{bgptest.Up, bgptest.Announced, bgptest.Announced, bgptest.EndOfRIB, bgptest.EndOfRIB}
	if err := p.router.Wait(p.ctx, func([]bgptest.Route) bool { return len(kinds()) == len(first) }); err != nil {
		t.Fatal(kinds())
	}
	for _, f := range both {
		if err := p.router.Refresh(f); err != nil {
			t.Fatal(err)
		}
		ends := func() bool { return slices.Contains(kinds()[len(first):], bgptest.End) }
		if err := p.router.Wait(p.ctx, func([]bgptest.Route) bool { return ends() }); err != nil {
			t.Fatal(kinds())
		}
		again := []bgptest.Kind{bgptest.Begin, bgptest.Announced, bgptest.Announced, bgptest.End}
		if f == flowspec.IPv6 {
			again = []bgptest.Kind{bgptest.Begin, bgptest.End}
		}
		first = append(first, again...)
		if got := kinds(); !slices.Equal(got, first) {
			t.Fatalf("got %v, want %v", got, first)
		}
		if e := p.router.Events(); e[len(e)-1].Family != f {
			t.Errorf("the mark is of %v, want %v", e[len(e)-1].Family, f)
		}
	}
}

// The marks of a source reach the RIB; an end that nothing began is nothing.
func TestSourceSaysEverythingAgain(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	four, six := session.Family{AFI: 1, SAFI: 133}, session.Family{AFI: 2, SAFI: 133}
	for _, m := range [][]byte{
		session.AgainMessage(four, true), session.AgainMessage(four, false), session.AgainMessage(six, true), session.AgainMessage(four, true), session.AgainMessage(four, true),
		session.AgainMessage(session.Family{AFI: 1, SAFI: 1}, false), session.RefreshMessage(four),
	} {
		if err := p.router.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.router.Announce(discard(), session.Path{}, match(t, flowspec.IPv4, dst(1))); err != nil {
		t.Fatal(err)
	}
	p.rules.wait(t, "the rule behind the marks", func(rules map[string]flowspec.Rule, _ []rib.Kind) bool { return len(rules) == 1 })
	p.rules.mu.Lock()
	defer p.rules.mu.Unlock()
	if want := []rib.Kind{rib.Up, rib.Again, rib.EndOfRIB, rib.Update}; !slices.Equal(p.rules.events, want) {
		t.Errorf("events %v, want %v", p.rules.events, want)
	}
}
