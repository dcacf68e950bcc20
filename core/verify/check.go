package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Steps bounds the work on one certificate: comparisons of some 10 to 50 ns. A hundred thousand rules take 5 to 30 million.
const Steps = 500_000_000

// perQuestion is what one question about packets costs beside its comparisons.
const perQuestion = 20

// Refusal says why a certificate is not verified. It is the only kind of error that Check returns.
type Refusal struct {
	Place  string // "rule 3 (0123456789abcdef)", "entry 7"
	Reason string
	Packet *packet.Header // one that shows it, where there is one
}

func (r *Refusal) Error() string {
	if r.Packet != nil {
		return fmt.Sprintf("%s: %s: %s", r.Place, r.Reason, r.Packet)
	}
	return fmt.Sprintf("%s: %s", r.Place, r.Reason)
}

// rule is a rule as it was asked.
type rule struct {
	*certificate.Rule
	nlri
	at      int
	place   string
	does    outcome
	rank    int // place in the order of RFC 8955, over all planes
	entries []*entry
}

func (r *rule) carried() bool { return r.Carried != "rejected" }

// checker is one certificate being checked.
type checker struct {
	c       *certificate.Certificate
	rules   []*rule
	planes  []string // of the rules
	entries []*entry
	steps   int
}

// Check says whether c proves what it claims: nil, or a *Refusal. It is sound: nil is returned only if the claims hold (see the package comment).
func Check(c *certificate.Certificate) error { return check(c, Steps) }

func check(c *certificate.Certificate, steps int) error {
	k := &checker{c: c, steps: steps}
	for _, part := range []func() error{k.readRules, k.readEntries, k.covers, k.stages, k.losses} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// refuse makes a refusal.
func refuse(place, format string, args ...any) error {
	return &Refusal{Place: place, Reason: fmt.Sprintf(format, args...)}
}

// inside refuses unless every packet of a that can exist is in one of sets.
func (k *checker) inside(place, reason string, a packet.Set, sets ...packet.Set) error {
	k.steps = max(0, k.steps-perQuestion)
	left, done := a.OutsideOn(&k.steps, sets...)
	done = done && k.steps > 0
	if !done {
		return refuse(place, "%s, or so it seems: the proof is larger than this checker's bound", reason)
	}
	if h, ok := left.Witness(); ok {
		return &Refusal{Place: place, Reason: reason, Packet: &h}
	}
	return nil
}

// step takes one from the budget.
func (k *checker) step() error {
	if k.steps--; k.steps < 0 {
		return refuse("certificate", "the proof is larger than this checker's bound")
	}
	return nil
}

// readRules reads and sorts the rules.
func (k *checker) readRules() error {
	for i := range k.c.Rules {
		r := &rule{Rule: &k.c.Rules[i], at: i}
		r.place = fmt.Sprintf("rule %d (%s)", i, r.ID)
		var err error
		if r.nlri, err = readNLRI(r.Family, r.NLRI); err == nil {
			r.does, err = readActions(r.Actions, r.NextHop)
		}
		switch {
		case err != nil:
			return refuse(r.place, "%v", err)
		case !slices.Contains([]string{"native", "rewritten", "filter", "rejected"}, r.Carried):
			return refuse(r.place, "carried %q", r.Carried)
		case r.carried() && r.does.unknown:
			return refuse(r.place, "an action of it is not understood, and it is said to be carried")
		case !r.carried() && r.Exact:
			return refuse(r.place, "a rejected rule is said to be carried exactly")
		}
		k.rules = append(k.rules, r)
	}
	sorted := slices.Clone(k.rules)
	slices.SortFunc(sorted, func(a, b *rule) int { return cmp.Or(strings.Compare(a.plane, b.plane), compare(a.list, b.list)) })
	for i, r := range sorted {
		if i == 0 || r.plane != sorted[i-1].plane {
			k.planes = append(k.planes, r.plane)
		}
		if r.rank = i; i > 0 && r.plane == sorted[i-1].plane && compare(r.list, sorted[i-1].list) == 0 {
			return refuse(r.place, "the same NLRI as %s", sorted[i-1].place)
		}
	}
	return nil
}

// covers establishes (b).
func (k *checker) covers() error {
	for _, r := range k.rules {
		if !r.carried() {
			continue
		}
		var sets []packet.Set
		for i, e := range r.entries {
			sets = append(sets, e.set)
			if !r.does.goesOn {
				continue
			}
			for _, other := range r.entries[:i] {
				if err := k.step(); err != nil {
					return err
				}
				if e.set.Overlaps(other.set) {
					return refuse(e.place, "it shares packets with %s, and %s continues: it would be done twice", other.place, r.place)
				}
			}
		}
		above, err := k.above(r.place, r.Above, r)
		if err != nil {
			return err
		}
		if err := k.inside(r.place, "no entry of it takes this packet, and no rule above it decides it", r.set, append(sets, above...)...); err != nil {
			return err
		}
	}
	return nil
}

// above returns the packets of the rules in list, which must be terminal, carried, and stand above r.
func (k *checker) above(place string, list []int, r *rule) (out []packet.Set, err error) {
	for _, i := range list {
		if i < 0 || i >= len(k.rules) || k.rules[i].plane != r.plane || k.rules[i].rank >= r.rank || k.rules[i].does.goesOn || !k.rules[i].carried() {
			return nil, refuse(place, "rule %d does not stand above %s, or does not decide its packets", i, r.place)
		}
		out = append(out, k.rules[i].set)
	}
	return out, nil
}

// losses establishes what is said of rejected rules.
func (k *checker) losses() error {
	losses := make(map[[2]int]*certificate.Loss, len(k.c.Losses))
	for i := range k.c.Losses {
		losses[[2]int{k.c.Losses[i].Rule, k.c.Losses[i].Below}] = &k.c.Losses[i]
	}
	rejected, carried := map[string][]*entry{}, map[string][]*entry{}
	for i, r := range k.rules {
		one := &entry{nlri: r.nlri, at: i, owner: r}
		if r.carried() {
			carried[r.plane] = append(carried[r.plane], one)
		} else if !r.does.goesOn { // one that continues leaves nothing to others
			rejected[r.plane] = append(rejected[r.plane], one)
		}
	}
	for _, plane := range k.planes {
		err := k.meeting(rejected[plane], carried[plane], func(x, y *entry) error {
			i, j := x.owner, y.owner
			same := i.does
			same.goesOn, same.unknown = j.does.goesOn, false
			if j.rank < i.rank || j.does.severity() < i.does.severity() || same == j.does && same.rate == 0 || j.does.nothing() || !i.set.Overlaps(j.set) {
				return nil
			}
			var sets []packet.Set
			if l := losses[[2]int{x.at, y.at}]; l != nil {
				var err error
				if sets, err = k.above(j.place, l.Rules, j); err != nil {
					return err
				}
			}
			return k.inside(j.place, "it treats this packet worse than "+i.place+", which is rejected, asks", i.set.And(j.set), sets...)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
