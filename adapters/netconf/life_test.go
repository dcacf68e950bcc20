package netconf_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// life is what the filters of a dialect go through on a server: they come and change, a change that nobody confirmed is undone, what another hand did to them is seen and put right, and they go;
// what the operator has stays as it was.
type life struct {
	dialect netconf.Dialect
	config  string                         // the operator's
	states  []device.State                 // one after the other; the last stays until they go
	undone  device.State                   // is applied upon it, and cancelled
	edit    func(config *netconftest.Node) // what another hand does
	touched int                            // the filter of the last state that it changes
}

// lead goes through it all, and returns the server and the adapter.
func (l life) lead(t *testing.T) (*netconftest.Server, *netconf.Adapter) {
	t.Helper()
	s := start(t, netconftest.Options{Config: l.config})
	a := netconf.New(l.dialect, netconf.Options{})
	t.Cleanup(func() { _ = a.Close() })
	before := s.Running()
	have := l.holds(t, a, target(s), device.State{})
	for _, want := range l.states {
		settled(t, a, target(s), have, want)
		have = l.holds(t, a, target(s), want)
	}
	last := l.states[len(l.states)-1]
	com, err := toward(t, a, target(s), have, l.undone)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Cancel(ctx(t), target(s), com); err != nil {
		t.Fatal(err)
	}
	l.holds(t, a, target(s), last)

	s.Edit(l.edit)
	st, err := a.Read(ctx(t), target(s))
	if err != nil || filter.Same(last.Filters[l.touched], st.Filters[l.touched], l.dialect.Semantics()) == nil {
		t.Fatalf("what another hand did is not seen: %v", err)
	}
	settled(t, a, target(s), st, last)
	settled(t, a, target(s), l.holds(t, a, target(s), last), device.State{})
	if got := s.Running(); got != before {
		t.Errorf("the operator's configuration is not what it was:\n%s\nwant\n%s", got, before)
	}
	return s, a
}

// holds fails the test where the server holds something else than want, and returns what it holds.
func (l life) holds(t *testing.T, a *netconf.Adapter, target device.Target, want device.State) device.State {
	t.Helper()
	st, err := a.Read(ctx(t), target)
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Filters) != len(want.Filters) {
		t.Fatalf("the router holds %d filters, want %d", len(st.Filters), len(want.Filters))
	}
	for i, f := range want.Filters {
		if err := filter.Same(f, st.Filters[i], l.dialect.Semantics()); err != nil {
			t.Fatal(err)
		}
	}
	return st
}
