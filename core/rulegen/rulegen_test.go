package rulegen_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rulegen"
)

type generator struct {
	name string
	make func(f flowspec.Family, n int, seed uint64) []flowspec.Rule
}

func generators() []generator {
	all := []generator{{"mix", rulegen.Mix}, {"discards", rulegen.Discards}, {"mitigation", rulegen.Mitigation}, {"customer", rulegen.Customer}}
	for _, k := range rulegen.Kinds {
		all = append(all, generator{string(k), func(f flowspec.Family, n int, seed uint64) []flowspec.Rule { return rulegen.Adversarial(k, f, n, seed) }})
	}
	return all
}

// Every table is what it was before, has as many rules as asked for, each with its ID, and no NLRI twice.
func TestTablesAreReproducible(t *testing.T) {
	t.Parallel()
	for _, g := range generators() {
		for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
			for _, n := range []int{0, 1, 3, 1000} {
				got := g.make(f, n, 7)
				if len(got) != n || !reflect.DeepEqual(got, g.make(f, n, 7)) {
					t.Fatalf("%s %s: %d rules for %d, or other rules for the same seed", g.name, f, len(got), n)
				}
				seen := map[flowspec.ID]bool{}
				for _, r := range got {
					if r.Match.Family() != f || r.ID != flowspec.NewID(r.Source, r.Match) || seen[r.ID] || r.Match.Set().Empty() {
						t.Fatalf("%s %s: %s %s: wrong family, wrong ID, ID twice, or a rule that matches nothing", g.name, f, r.ID, r.Match)
					}
					seen[r.ID] = true
				}
				if n == 1000 && reflect.DeepEqual(got, g.make(f, n, 8)) {
					t.Errorf("%s %s: the seed changes nothing", g.name, f)
				}
			}
		}
	}
}

// The shares are those that the package promises, in both families.
func TestMixHasTheSharesItPromises(t *testing.T) {
	t.Parallel()
	const n = 20_000
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		count := map[string]float64{}
		victims := map[string]bool{}
		for _, r := range rulegen.Mix(f, n, 1) {
			dst, ok := r.Match.Component(flowspec.DstPrefix)
			switch {
			case !ok:
				count["any destination"]++
			case int(dst.Prefix.Len) == dst.Prefix.Addr.BitLen():
				count["host"]++
				victims[dst.Prefix.Addr.String()] = true
			case dst.Prefix.Len == 24 || dst.Prefix.Len == 64:
				count["subnet"]++
			default:
				count["network"]++
			}
			if src, ok := r.Match.Component(flowspec.SrcPort); ok && len(src.Terms) > 1 {
				count["many source ports"]++
			}
			for word, typ := range map[string]flowspec.Type{"source": flowspec.SrcPrefix, "source port": flowspec.SrcPort, "port": flowspec.Port, "fragment": flowspec.Fragment, "icmp": flowspec.ICMPType} {
				if r.Match.Has(typ) {
					count[word]++
				}
			}
			switch a := r.Action; {
			case a.Discard():
				count["discard"]++
			case a.Equal(flowspec.Action{}):
				count["accept"]++
			}
		}
		for word, want := range map[string]float64{"any destination": 0.005, "host": 0.93, "subnet": 0.055, "network": 0.01, "source": 0.065, "source port": 0.45,
			"many source ports": 0.1125, "port": 0.08, "fragment": 0.07, "icmp": 0.05, "discard": 1. / 6, "accept": 1. / 6} {
			if got := count[word] / n; math.Abs(got-want) > 0.004+want/20 {
				t.Errorf("%s: %s is %.4f of the table, want %.4f", f, word, got, want)
			}
		}
		if got := len(victims); got < n/5 || got > n/4 {
			t.Errorf("%s: %d victims of %d rules, want nearly a quarter", f, got, n)
		}
	}
}

// A network rule lies around some victims, and around few of them.
func TestNetworksHoldFewOfTheVictims(t *testing.T) {
	t.Parallel()
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		hosts := map[string]int{}
		covered, networks := 0, 0
		rules := rulegen.Discards(f, 20_000, 3)
		bits := map[flowspec.Family]int{flowspec.IPv4: 16, flowspec.IPv6: 48}[f]
		for _, r := range rules {
			if c, ok := r.Match.Component(flowspec.DstPrefix); ok && int(c.Prefix.Len) == c.Prefix.Addr.BitLen() {
				p, _ := c.Prefix.Addr.Prefix(bits)
				hosts[p.String()]++
			}
		}
		for _, r := range rules {
			if c, ok := r.Match.Component(flowspec.DstPrefix); ok && int(c.Prefix.Len) == bits {
				p, _ := c.Prefix.Addr.Prefix(bits)
				networks++
				covered += hosts[p.String()]
			}
		}
		mean := float64(covered) / float64(networks)
		if mean < 2 || mean > 60 || len(hosts) < 500 {
			t.Errorf("%s: a network rule lies around %.1f host rules on average, hosts lie in %d networks", f, mean, len(hosts))
		}
	}
}

// Mitigation is nearly all discards, and its exceptions name a source.
func TestMitigationMostlyDiscards(t *testing.T) {
	t.Parallel()
	discards, rates := 0, 0
	rules := rulegen.Mitigation(flowspec.IPv4, 10_000, 5)
	for _, r := range rules {
		dst, _ := r.Match.Component(flowspec.DstPrefix)
		switch {
		case r.Action.Discard():
			discards++
		case r.Action.Rate != nil:
			rates++
		case dst.Prefix.Len != 32 || !r.Match.Has(flowspec.SrcPrefix):
			t.Errorf("%s accepts without naming source and victim", r.Match)
		}
	}
	if discards < 9100 || discards > 9400 || rates < 400 || rates > 560 {
		t.Errorf("%d discards and %d rates of %d", discards, rates, len(rules))
	}
}

// No two rules of an adversarial table do the same.
func TestAdversariesDifferInEveryAction(t *testing.T) {
	t.Parallel()
	for _, k := range rulegen.Kinds {
		seen := map[string]bool{}
		for _, r := range rulegen.Adversarial(k, flowspec.IPv4, 1000, 1) {
			seen[r.Action.String()] = true
		}
		if len(seen) != 1000 {
			t.Errorf("%s: %d different actions in 1000 rules", k, len(seen))
		}
	}
}
