// Package rulegen makes tables of rules for tests and benchmarks: the same table for the same arguments, always.
//
// Figures about tables mean nothing without the table, so each kind of table is written down here once. [Mix] is what a network with
// many customers has in force on a bad day, with actions drawn at random, which is harsher than any real table; [Discards] is the same
// rules all discarding, as most detectors send them; [Mitigation] is between the two. [Customer] is few destinations with many
// rules each, discards with exceptions. [Adversarial] tables are what somebody would send to make a prover stall.
//
// Every table comes in both families with the same breadth: where IPv4 has hosts, /24s and /16s, IPv6 has hosts, /64s and /48s. No two rules of a
// table have one NLRI. Rules come in the order they were drawn, which is not the order of RFC 8955 §5.1.
package rulegen

import (
	"fmt"
	"math/rand/v2"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Source is where generated rules say they came from.
const Source flowspec.Source = "rulegen"

// Mix returns n rules for n/4 victims: 93 % for one address, 5.5 % for the /24 around one, 1 % for the /16 and 0.5 % for any destination, which then
// name a source; 6 % of the others name one too. 45 % are amplification by UDP source port (a quarter of those name 2 to 15 ports),
// 20 % TCP destination ports and flags, 10 % UDP ranges, 8 % `port`, 7 % fragments, 5 % ICMP, the rest one protocol. Actions
// are drawn evenly from accept, discard, rate, mark, redirect and both of these: a table in which nearly every overlap matters.
// Family f is IPv4 or IPv6.
func Mix(f flowspec.Family, n int, seed uint64) []flowspec.Rule {
	return mixed(f, n, seed, false, (*draw).anyAction)
}

// Discards returns the rules of Mix, all of them discarding: every overlap is benign.
func Discards(f flowspec.Family, n int, seed uint64) []flowspec.Rule {
	return mixed(f, n, seed, false, func(*draw, shape) flowspec.Action { return discard() })
}

// Mitigation returns rules with the matches of Mix and the actions a detector sends while it mitigates: 92 % discard, 5 % limit the traffic of
// one address, 3 % accept what one source sends to one address. Rules for networks and for everybody discard.
func Mitigation(f flowspec.Family, n int, seed uint64) []flowspec.Rule {
	return mixed(f, n, seed, true, (*draw).mitigationAction)
}

// mixed draws n different rules with the matches of Mix. With excepts, what accepts always names a source.
func mixed(f flowspec.Family, n int, seed uint64, excepts bool, action func(*draw, shape) flowspec.Action) []flowspec.Rule {
	d := newDraw(f, seed, max(1, n/4))
	return d.distinct(n, func(int) ([]flowspec.Component, flowspec.Action) {
		s := d.shape()
		a := action(d, s)
		exception := s == host && a.Equal(flowspec.Action{}) && excepts
		return append(d.prefixes(s, exception || d.Float64() < 0.06), d.traffic()...), a
	})
}

// draw is one stream of random choices for one table.
type draw struct {
	*rand.Rand
	family  flowspec.Family
	victims int
	places  uint64 // where the victims of this table are
}

func newDraw(f flowspec.Family, seed uint64, victims int) *draw {
	if f != flowspec.IPv4 && f != flowspec.IPv6 {
		panic(fmt.Sprintf("rulegen: no tables of family %s", f))
	}
	return &draw{Rand: rand.New(rand.NewPCG(seed, 8955)), family: f, victims: victims, places: seed}
}

// distinct calls next, with the number of the rule, until it has n rules of different NLRIs.
func (d *draw) distinct(n int, next func(int) ([]flowspec.Component, flowspec.Action)) []flowspec.Rule {
	seen := make(map[string]bool, n)
	out := make([]flowspec.Rule, 0, n)
	for tries := 0; len(out) < n; tries++ {
		if tries > 100*n+1000 {
			panic(fmt.Sprintf("rulegen: %d different rules are not to be had, only %d", n, len(out)))
		}
		components, action := next(len(out))
		m, err := flowspec.NewMatch(d.family, flowspec.RD{}, components...)
		if err != nil {
			panic("rulegen: " + err.Error()) // a fault of this package: it takes no matches from outside
		}
		if key := string(m.NLRI()); !seen[key] {
			seen[key] = true
			out = append(out, flowspec.Rule{ID: flowspec.NewID(Source, m), Match: m, Action: action, Source: Source})
		}
	}
	return out
}
