package filter

import (
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Same says in what got differs from want on a platform with semantics s: in name, version, placement, in an entry's packets, action,
// rule or counter, in a policer's rate or burst, or in the order. It returns nil when nothing differs. Entries are compared one by one,
// so two filters that do the same in different ways do differ; table.Diff judges those.
//
// It is what a dialect is held to: Same(f, parse(render(f)), s) is nil.
func Same(want, got Filter, s Semantics) error {
	if want.Name != got.Name || want.Version != got.Version || want.Placement != got.Placement {
		return fmt.Errorf("filter %s for IPv%d, placement %s: got %s for IPv%d, placement %s", want.Name, want.Version, want.Placement, got.Name, got.Version, got.Placement)
	}
	if len(want.Entries) != len(got.Entries) {
		return fmt.Errorf("filter %s: got %d entries, want %d", want.Name, len(got.Entries), len(want.Entries))
	}
	for i, e := range want.Entries {
		if err := sameEntry(e, got.Entries[i], want, s); err != nil {
			return fmt.Errorf("filter %s, entry %s: %w", want.Name, e.Name, err)
		}
	}
	return samePolicers(want, got)
}

func sameEntry(want, got Entry, f Filter, s Semantics) error {
	switch {
	case want.Name != got.Name:
		return fmt.Errorf("got entry %s in its place", got.Name)
	case want.Counter != got.Counter:
		return fmt.Errorf("counter %q, want %q", got.Counter, want.Counter)
	case !want.Do.equal(got.Do):
		return fmt.Errorf("another action: %s, want %s", got.Do, want.Do)
	}
	w, g := want.Match.Set(f.Version, s), got.Match.Set(f.Version, s)
	if w.Equal(g) {
		return nil
	}
	if h, ok := g.Sub(w).Witness(); ok {
		return fmt.Errorf("it matches %s, which it should not", h)
	}
	if h, ok := w.Sub(g).Witness(); ok {
		return fmt.Errorf("it does not match %s, which it should", h)
	}
	return errors.New("it matches other packets")
}

// samePolicers compares policers by name; their order means nothing.
func samePolicers(want, got Filter) error {
	if len(want.Policers) != len(got.Policers) {
		return fmt.Errorf("filter %s: got %d policers, want %d", want.Name, len(got.Policers), len(want.Policers))
	}
	byName := make(map[string]Policer, len(got.Policers))
	for _, p := range got.Policers {
		byName[p.Name] = p
	}
	for _, w := range want.Policers {
		g, ok := byName[w.Name]
		if !ok {
			return fmt.Errorf("filter %s: policer %s is missing", want.Name, w.Name)
		}
		if g.Rate.Amount != w.Rate.Amount || g.Rate.Unit != w.Rate.Unit || g.Burst != w.Burst {
			return fmt.Errorf("filter %s, policer %s: %s, want %s", want.Name, w.Name, g, w)
		}
	}
	return nil
}

// equal compares actions. Redirects to one next hop are the same however BGP carried them.
func (d Do) equal(e Do) bool {
	return d.Discard == e.Discard && d.Policer == e.Policer && d.Sample == e.Sample && d.Continue == e.Continue &&
		equalMark(d.Mark, e.Mark) && equalRedirect(d.Redirect, e.Redirect)
}

func equalMark(a, b *uint8) bool { return a == b || a != nil && b != nil && *a == *b }

func equalRedirect(a, b *flowspec.Redirect) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.NextHop() && b.NextHop() {
		return a.Addr == b.Addr && a.Copy == b.Copy
	}
	return *a == *b
}
