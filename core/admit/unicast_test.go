package admit

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

var (
	customer = netip.MustParseAddr("192.0.2.1")
	transit  = netip.MustParseAddr("192.0.2.2")
)

// by is a path from a neighbour of another AS.
func by(from netip.Addr, as uint32) Path {
	return Path{Originator: from, Neighbour: as, External: true, LocalPref: 100, Length: 1, ID: from}
}

func flowTo(tb testing.TB, source flowspec.Source, dst string) flowspec.Rule {
	tb.Helper()
	c := flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}}
	f := flowspec.IPv4
	list := []flowspec.Component{c}
	if p, err := netip.ParsePrefix(dst); err == nil {
		if p.Addr().Is6() {
			f = flowspec.IPv6
		}
		list = append([]flowspec.Component{{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}}}, list...)
	}
	m, err := flowspec.NewMatch(f, flowspec.RD{}, list...)
	if err != nil {
		tb.Fatal(err)
	}
	return flowspec.Rule{Match: m, Source: source, ID: flowspec.NewID(source, m)}
}

// Each clause of RFC 8955 §6, as RFC 9117 has it.
func TestClauses(t *testing.T) {
	t.Parallel()
	type route struct {
		at   string
		from string
		path Path
	}
	ours := Path{Originator: customer, Internal: true, LocalPref: 100}
	reflected := Path{Originator: transit, Internal: true, LocalPref: 100}
	own, all := route{"203.0.113.0/24", "customer", by(customer, 65001)}, route{"0.0.0.0/0", "transit", by(transit, 65002)}
	for name, c := range map[string]struct {
		routes []route
		dst    string
		flow   Path
		clause string // "": admitted
		says   string
	}{
		"its own":                          {[]route{own, all}, "203.0.113.9/32", by(customer, 65001), "", ""},
		"the whole of its own":             {[]route{own, all}, "203.0.113.0/24", by(customer, 65001), "", ""},
		"no destination":                   {[]route{own, all}, "", by(customer, 65001), "validation-a", "§6 a"},
		"no route":                         {[]route{own}, "198.51.100.1/32", by(customer, 65001), "validation-b", "no unicast route to 198.51.100.1/32"},
		"somebody else's":                  {[]route{own, all}, "198.51.100.1/32", by(customer, 65001), "validation-b", "0.0.0.0/0, is from 192.0.2.2 and the rule from 192.0.2.1 (RFC 9117 §4.1 b.1)"},
		"wider than its own":               {[]route{own, all}, "203.0.112.0/23", by(customer, 65001), "validation-b", "b.1"},
		"a part is somebody else's":        {[]route{own, {"203.0.113.128/25", "transit", by(transit, 65002)}}, "203.0.113.0/24", by(customer, 65001), "validation-c", "203.0.113.128/25, a part of 203.0.113.0/24, comes through AS 65002"},
		"a part by the same AS":            {[]route{own, {"203.0.113.128/25", "transit", by(transit, 65001)}}, "203.0.113.0/24", by(customer, 65001), "", ""},
		"another part does not matter":     {[]route{own, {"203.0.113.128/25", "transit", by(transit, 65002)}}, "203.0.113.0/25", by(customer, 65001), "", ""},
		"through another AS":               {[]route{own}, "203.0.113.9/32", by(customer, 65009), "validation-as", "RFC 9117 §4.2"},
		"two-octet speakers":               {[]route{{own.at, own.from, by(customer, 23456)}}, "203.0.113.9/32", by(customer, 23456), "validation-as", ""},
		"the better route is another's":    {[]route{own, {own.at, "transit", Path{Originator: transit, Neighbour: 65002, LocalPref: 200, Length: 9}}}, "203.0.113.9/32", by(customer, 65001), "validation-b", "b.1"},
		"the longer path is not taken":     {[]route{own, {own.at, "transit", Path{Originator: transit, Neighbour: 65002, LocalPref: 100, Length: 2, External: true}}}, "203.0.113.9/32", by(customer, 65001), "", ""},
		"a controller of ours":             {[]route{own, all}, "198.51.100.1/32", ours, "", ""},
		"a controller, and no routes":      {nil, "198.51.100.1/32", ours, "", ""},
		"a controller without destination": {nil, "", ours, "validation-a", ""},
		"a controller, two ASes":           {[]route{own, all}, "0.0.0.0/0", reflected, "validation-c", ""},
		"a reflector's client":             {[]route{{own.at, "rr", Path{Originator: transit, Neighbour: 65001, LocalPref: 100, Length: 1}}}, "203.0.113.9/32", Path{Originator: transit, Neighbour: 65001, LocalPref: 100, Length: 1}, "", ""},
		"a reflector's other client":       {[]route{{own.at, "rr", Path{Originator: transit, Neighbour: 65001, LocalPref: 100, Length: 1}}}, "203.0.113.9/32", Path{Originator: customer, Neighbour: 65001, LocalPref: 100, Length: 1}, "validation-b", "b.1"},
		"of the other IP version":          {[]route{{"::/0", "customer", by(customer, 65001)}}, "203.0.113.9/32", by(customer, 65001), "validation-b", ""},
		"IPv6":                             {[]route{{"2001:db8::/32", "customer", by(customer, 65001)}}, "2001:db8::9/128", by(customer, 65001), "", ""},
	} {
		v := NewValidation()
		for _, r := range c.routes {
			v.Routes("", r.from, nil, []netip.Prefix{netip.MustParsePrefix(r.at)}, r.path)
		}
		got := v.Rule("", flowTo(t, "s", c.dst), c.flow)
		switch {
		case c.clause == "" && got != nil:
			t.Errorf("%s: %v", name, got)
		case c.clause != "" && (got == nil || got.Clause != c.clause || !strings.Contains(got.Detail, c.says)):
			t.Errorf("%s: got %+v, want %s with %q", name, got, c.clause, c.says)
		}
	}
}

// Whatever happens to routes and rules, in whatever order: a rule stands as it would if it had come last of all, and every change of that was told.
func TestJudgedAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		prefixes := []string{"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.1/32", "10.2.0.0/16", "2001:db8::/32"}
		prefix := func() string { return rapid.SampledFrom(prefixes).Draw(rt, "prefix") }
		peers := map[string]Path{"a": by(customer, 1), "b": by(transit, 2), "c": {Originator: transit, Internal: true, LocalPref: 200}}
		type said struct {
			rule flowspec.Rule
			path Path
			ok   bool // as was told last
		}
		type route struct {
			path  Path
			stale bool
		}
		v, rules, routes := NewValidation(), map[string]*said{}, map[string]map[netip.Prefix]route{}
		for name := range peers {
			routes[name] = map[netip.Prefix]route{}
		}
		told := func(list []Verdict) {
			for _, d := range list {
				s := rules[string(d.Rule.Source)+d.Rule.Match.String()]
				if s == nil || s.ok == (d.Why == nil) {
					rt.Fatalf("told of %v: %v, which is no news", d.Rule.Match, d.Why)
				}
				s.ok = d.Why == nil
			}
		}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			peer := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "peer")
			switch rapid.IntRange(0, 6).Draw(rt, "step") {
			case 0, 1:
				p := peers[peer]
				p.MED = uint32(rapid.IntRange(0, 1).Draw(rt, "med"))
				at := netip.MustParsePrefix(prefix())
				routes[peer][at] = route{path: p}
				told(v.Routes("", peer, nil, []netip.Prefix{at}, p))
			case 2:
				at := netip.MustParsePrefix(prefix())
				delete(routes[peer], at)
				told(v.Routes("", peer, []netip.Prefix{at}, nil, Path{}))
			case 3:
				v.RoutesStale("", peer, 0)
				for at, r := range routes[peer] {
					routes[peer][at] = route{r.path, true}
				}
			case 4:
				version := rapid.SampledFrom([]int{0, 4, 6}).Draw(rt, "version")
				for at, r := range routes[peer] {
					if r.stale && (version == 0 || at.Addr().Is4() == (version == 4)) {
						delete(routes[peer], at)
					}
				}
				told(v.RoutesSwept("", peer, version))
			case 5:
				s := &said{rule: flowTo(t, flowspec.Source(peer), prefix()), path: peers[peer]}
				s.ok = v.Rule("", s.rule, s.path) == nil
				rules[peer+s.rule.Match.String()] = s
			case 6:
				r := flowTo(t, flowspec.Source(peer), prefix())
				delete(rules, peer+r.Match.String())
				v.Forget("", flowspec.Source(peer), r.Match)
			}
			fresh := NewValidation()
			for name, list := range routes {
				for at, r := range list {
					fresh.Routes("", name, nil, []netip.Prefix{at}, r.path)
				}
				if got := v.RouteCount("", name); got != len(list) {
					rt.Fatalf("%s has %d routes, want %d", name, got, len(list))
				}
			}
			for key, s := range rules {
				if want := fresh.Rule("", s.rule, s.path); (want == nil) != s.ok {
					rt.Fatalf("%s was said to be admitted: %v; judged anew: %v", key, s.ok, want)
				}
			}
		}
		for name, n := range v.table("").routes.from {
			uses := 0
			for _, s := range n.shared {
				uses += s.uses
			}
			if want := n.fresh.Size() + n.old.Size(); uses != want {
				rt.Fatalf("neighbour %d: paths are used %d times by %d routes", name, uses, want)
			}
		}
	})
}

// A full table of a million prefixes: what it keeps, and what a route costs while a thousand rules are looked at again.
func BenchmarkFullTable(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		v := NewValidation()
		for n := range 1000 {
			v.Rule("", flowTo(b, "s", fmt.Sprintf("10.%d.%d.1/32", n/256, n%256)), by(customer, 65001))
		}
		for n := range 1_000_000 {
			at := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(1 + n>>16), byte(n >> 8), byte(n), 0}), 24)
			p := by(transit, uint32(n%1000))
			p.Length = n % 7
			v.Routes("", "transit", nil, []netip.Prefix{at}, p)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
		runtime.KeepAlive(v)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/route")
}
