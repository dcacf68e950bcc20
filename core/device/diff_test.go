package device_test

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// matches are nested and crossing: exceptions within discards, and rules of another host.
func matches(t testing.TB) []flowspec.Match {
	t.Helper()
	var out []flowspec.Match
	for _, prefix := range []string{"203.0.113.0/24", "203.0.113.8/29", "203.0.113.9/32", "198.51.100.0/24"} {
		p := netip.MustParsePrefix(prefix)
		dst := flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}}
		udp := flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}}
		dns := flowspec.Component{Type: flowspec.SrcPort, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 53}}}
		for _, components := range [][]flowspec.Component{{dst}, {dst, udp}, {dst, udp, dns}} {
			m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, components...)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, m)
		}
	}
	return out
}

func actions() []flowspec.Action {
	mark := uint8(10)
	return []flowspec.Action{
		{},
		{Mark: &mark},
		{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 666}},
		{Rate: &flowspec.Rate{Amount: 125000, Unit: flowspec.Bytes}},
		{Rate: &flowspec.Rate{Unit: flowspec.Bytes}},
	}
}

// packets are one of every kind that the matches tell apart.
func packets() []packet.Header {
	var out []packet.Header
	for _, dst := range []string{"203.0.113.1", "203.0.113.10", "203.0.113.9", "198.51.100.1", "192.0.2.1"} {
		base := packet.Header{Src: netip.MustParseAddr("192.0.2.77"), Dst: netip.MustParseAddr(dst), Length: 500}
		for _, kind := range []struct {
			proto uint8
			port  uint16
		}{{6, 53}, {17, 53}, {17, 123}} {
			h := base
			h.Proto, h.SrcPort, h.DstPort = kind.proto, kind.port, 40000
			out = append(out, h)
		}
	}
	return out
}

func draw(t *rapid.T, label string, all []flowspec.Match) []device.Route {
	var out []device.Route
	for _, m := range all {
		if rapid.Bool().Draw(t, label) {
			out = append(out, device.Route{Match: m, Action: rapid.SampledFrom(actions()).Draw(t, label+" action")})
		}
	}
	slices.SortFunc(out, func(a, b device.Route) int { return flowspec.Compare(a.Match, b.Match) })
	return out
}

// severities says how badly each packet fares under routes.
func severities(routes []device.Route) []table.Severity {
	var rules []flowspec.Rule
	for _, r := range routes {
		rules = append(rules, flowspec.Rule{ID: flowspec.ID(r.Match.String()), Match: r.Match, Action: r.Action})
	}
	want := table.Of(rules)
	var out []table.Severity
	for _, h := range packets() {
		worst := table.Accepts
		_, does := want.Classify(h)
		for _, o := range does {
			worst = max(worst, o.Severity())
		}
		out = append(out, worst)
	}
	return out
}

// apply does one step on a table.
func apply(routes []device.Route, s device.Step) []device.Route {
	out := slices.DeleteFunc(slices.Clone(routes), func(r device.Route) bool { return r.Match.Equal(s.Route.Match) })
	if s.Op != device.Remove {
		out = append(out, *s.Route)
	}
	return out
}

// The steps lead from one table to the other, and on the way no packet fares worse than in the worse of the two.
func TestNoPacketFaresWorseOnTheWay(t *testing.T) {
	t.Parallel()
	all := matches(t)
	rapid.Check(t, func(t *rapid.T) {
		from, to := draw(t, "from", all), draw(t, "to", all)
		before, after := severities(from), severities(to)
		now := from
		for n, step := range device.Diff(device.State{Routes: from}, device.State{Routes: to}).Steps {
			now = apply(now, step)
			for i, s := range severities(now) {
				if s > max(before[i], after[i]) {
					t.Fatalf("after step %d, %s: severity %v; before %v, in the end %v", n+1, packets()[i], s, before[i], after[i])
				}
			}
		}
		slices.SortFunc(now, func(a, b device.Route) int { return flowspec.Compare(a.Match, b.Match) })
		if !slices.EqualFunc(now, to, device.Route.Equal) {
			t.Fatalf("the steps end in %v, want %v", now, to)
		}
	})
}

// What is right already is not touched.
func TestEqualStatesNeedNothing(t *testing.T) {
	t.Parallel()
	all := matches(t)
	rapid.Check(t, func(t *rapid.T) {
		routes := draw(t, "routes", all)
		if c := device.Diff(device.State{Routes: routes}, device.State{Routes: slices.Clone(routes)}); !c.Empty() {
			t.Fatalf("%d steps between equal states", len(c.Steps))
		}
	})
}

// Filters change as wholes and by name; whose rule an entry is does not count, because not every device keeps it.
func TestFilters(t *testing.T) {
	t.Parallel()
	entry := func(name string) filter.Entry {
		return filter.Entry{Name: name, Rule: "0123456789abcdef", Do: filter.Do{Discard: true}}
	}
	a := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Entries: []filter.Entry{entry("r-1")}}
	forgot := a
	forgot.Entries = []filter.Entry{entry("r-1")}
	forgot.Entries[0].Rule = ""
	more := a
	more.Entries = []filter.Entry{entry("r-1"), entry("r-2")}
	v6 := filter.Filter{Name: "sluice-v6", Version: packet.IPv6}
	for name, c := range map[string]struct {
		from, to []filter.Filter
		want     []device.Op
	}{
		"new":     {nil, []filter.Filter{a}, []device.Op{device.Add}},
		"same":    {[]filter.Filter{forgot}, []filter.Filter{a}, nil},
		"changed": {[]filter.Filter{a, v6}, []filter.Filter{more, v6}, []device.Op{device.Replace}},
		"gone":    {[]filter.Filter{a, v6}, []filter.Filter{a}, []device.Op{device.Remove}},
	} {
		var got []device.Op
		for _, s := range device.Diff(device.State{Filters: c.from}, device.State{Filters: c.to}).Steps {
			got = append(got, s.Op)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A secret prints as itself nowhere.
func TestSecrets(t *testing.T) {
	t.Parallel()
	s := device.Secret("hunter2")
	if s.String() != "[secret]" || s.GoString() != "[secret]" {
		t.Error("a secret prints")
	}
	if b, err := s.MarshalJSON(); err != nil || string(b) != `"[secret]"` {
		t.Errorf("a secret marshals as %s, %v", b, err)
	}
}
