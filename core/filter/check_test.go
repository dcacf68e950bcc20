package filter_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

func equalAddrs(a, b netip.Addr) bool      { return a == b }
func equalPrefixes(a, b netip.Prefix) bool { return a == b }

// good is a filter without a fault; each case spoils it.
func good() filter.Filter {
	dst := netip.MustParsePrefix("203.0.113.9/32")
	return filter.Filter{
		Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Entries: []filter.Entry{
			{Name: "a", Match: filter.Match{Dst: &dst}, Do: filter.Do{Discard: true}},
			{Name: "b", Match: filter.Match{Proto: packet.Values{{Lo: 17, Hi: 17}}}, Do: filter.Do{Policer: "sluice-b"}},
		},
		Policers: []filter.Policer{{Name: "sluice-b", Rate: flowspec.Rate{Amount: 1000, Unit: flowspec.Bytes}, Burst: 1500}},
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	if err := good().Check(); err != nil {
		t.Fatalf("the good filter: %v", err)
	}
	host := netip.MustParsePrefix("203.0.113.9/24")
	v6 := netip.MustParsePrefix("2001:db8::/32")
	mark := uint8(64)
	for want, spoil := range map[string]func(*filter.Filter){
		`filter "v4": its name must begin with "sluice-"`:                    func(f *filter.Filter) { f.Name = "v4" },
		`filter "sluice-": its name must begin`:                              func(f *filter.Filter) { f.Name = "sluice-" },
		"IP version 5, want 4 or 6":                                          func(f *filter.Filter) { f.Version = 5 },
		`placement "", want "alone" or "before"`:                             func(f *filter.Filter) { f.Placement = "" },
		"entry 1 has no name":                                                func(f *filter.Filter) { f.Entries[0].Name = "" },
		"two entries are named a":                                            func(f *filter.Filter) { f.Entries[1].Name = "a" },
		"entry b: policer sluice-c is not one of the filter's":               func(f *filter.Filter) { f.Entries[1].Do.Policer = "sluice-c" },
		"policer sluice-b is used by no entry":                               func(f *filter.Filter) { f.Entries[1].Do.Policer = "" },
		`policer "b": its name must begin with "sluice-"`:                    func(f *filter.Filter) { f.Policers[0].Name = "b" },
		"two policers are named sluice-b":                                    func(f *filter.Filter) { f.Policers = append(f.Policers, f.Policers[0]) },
		"rate 0, want a number above 0":                                      func(f *filter.Filter) { f.Policers[0].Rate.Amount = 0 },
		"counts neither bytes nor packets":                                   func(f *filter.Filter) { f.Policers[0].Rate.Unit = 0 },
		"burst 0 would let nothing through":                                  func(f *filter.Filter) { f.Policers[0].Burst = 0 },
		"entry a: mark 64":                                                   func(f *filter.Filter) { f.Entries[0].Do.Mark = &mark },
		"entry b: it would end evaluation without discarding, and so bypass": func(f *filter.Filter) { f.Placement = filter.Before },
		"destination 203.0.113.9/24 has bits behind its length":              func(f *filter.Filter) { f.Entries[0].Match.Dst = &host },
		"source 2001:db8::/32 is not of IP version 4":                        func(f *filter.Filter) { f.Entries[0].Match.Src = &v6 },
		"source is no valid prefix":                                          func(f *filter.Filter) { f.Entries[0].Match.Src = &netip.Prefix{} },
		"dscp: 64-64 is no range of 0 to 63":                                 func(f *filter.Filter) { f.Entries[0].Match.DSCP = packet.Values{{Lo: 64, Hi: 64}} },
		"port: 6-7 should stand before, or be joined with, 4-5":              func(f *filter.Filter) { f.Entries[0].Match.Port = packet.Values{{Lo: 4, Hi: 5}, {Lo: 6, Hi: 7}} },
		"IPv4 has no flow label":                                             func(f *filter.Filter) { f.Entries[0].Match.Label = packet.Values{{Lo: 1, Hi: 1}} },
		"TCP flags 0x1000 and not 0x0000: there are 12 flag bits":            func(f *filter.Filter) { f.Entries[0].Match.Flags = []filter.FlagTerm{{Set: 0x1000}} },
	} {
		f := good()
		spoil(&f)
		if err := f.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant an error with %q", err, want)
		}
	}
}
