package filter_test

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

func TestSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, s := filters().Draw(t, "filter"), semantics.Draw(t, "semantics")
		if err := filter.Same(f, f, s); err != nil {
			t.Fatal(err)
		}
	})
	mark := uint8(8)
	wider := netip.MustParsePrefix("203.0.113.8/31")
	narrower := netip.MustParsePrefix("203.0.113.9/32")
	for want, change := range map[string]func(*filter.Filter){
		"placement before":                     func(f *filter.Filter) { f.Placement = filter.Before },
		"got sluice-v6":                        func(f *filter.Filter) { f.Name = "sluice-v6" },
		"got 1 entries":                        func(f *filter.Filter) { f.Entries = f.Entries[:1] },
		"got entry b":                          func(f *filter.Filter) { f.Entries[0], f.Entries[1] = f.Entries[1], f.Entries[0] },
		`counter "c"`:                          func(f *filter.Filter) { f.Entries[0].Counter = "c" },
		"another action: mark 8, want discard": func(f *filter.Filter) { f.Entries[0].Do = filter.Do{Mark: &mark} },
		" 203.0.113.8:53 len 512, which it should not": func(f *filter.Filter) { f.Entries[0].Match.Dst = &wider },
		"it does not match ": func(f *filter.Filter) {
			f.Entries[0].Match.Dst = &narrower
			f.Entries[0].Match.Proto = packet.Values{{Lo: 17, Hi: 17}}
		},
		"got 0 policers":                                       func(f *filter.Filter) { f.Policers = nil },
		"policer sluice-b is missing":                          func(f *filter.Filter) { f.Policers[0].Name = "sluice-c" },
		"2000 bytes/s, burst 1500 bytes, want 1000 bytes/s":    func(f *filter.Filter) { f.Policers[0].Rate.Amount = 2000 },
		"1000 packets/s, burst 1500 packets, want 1000 bytes/": func(f *filter.Filter) { f.Policers[0].Rate.Unit = flowspec.Packets },
		"burst 3000 bytes, want 1000 bytes/s, burst 1500":      func(f *filter.Filter) { f.Policers[0].Burst = 3000 },
	} {
		got := good()
		change(&got)
		if err := filter.Same(good(), got, filter.Semantics{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant an error with %q", err, want)
		}
	}
}

// Redirects to one next hop are one action, whichever community BGP carried them in.
func TestSameIgnoresHowARedirectTravels(t *testing.T) {
	t.Parallel()
	to := func(r flowspec.Redirect) filter.Filter {
		f := good()
		f.Entries[0].Do = filter.Do{Redirect: &r}
		return f
	}
	addr := netip.MustParseAddr("192.0.2.99")
	simpson := to(flowspec.Redirect{Form: flowspec.NextHopSimpson, Addr: addr})
	if err := filter.Same(simpson, to(flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: addr}), filter.Semantics{}); err != nil {
		t.Error(err)
	}
	for _, other := range []flowspec.Redirect{
		{Form: flowspec.NextHopIETFv4, Addr: addr, Copy: true},
		{Form: flowspec.NextHopIETFv4, Addr: addr.Next()},
		{Form: flowspec.RedirectIPv4, Addr: addr},
	} {
		if err := filter.Same(simpson, to(other), filter.Semantics{}); err == nil {
			t.Errorf("%+v is taken as the same", other)
		}
	}
}
