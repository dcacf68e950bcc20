package verify

import (
	"fmt"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/verify/octets"
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

// checker is one certificate being checked. Whatever is wrong with it is told to refuse, where the first refusal stays.
type checker struct {
	*certificate.Certificate
	refusal        *Refusal
	steps          int // left
	rules, entries []*clause
	stages         map[stage][]*clause
	proof          map[[2]int]certificate.Step // by rule and entry
}

// stage is where clauses are evaluated one after the other: the rules of a plane, its routes, or its entries of the filter.
type stage struct{ name, plane string }

// clause is a rule, or an entry for one.
type clause struct {
	stage
	octets.Match
	reach    packet.Reach
	does     octets.Outcome
	at       int     // its place in the file: those of one stage stand there in the order of evaluation
	id       string  // of a rule
	owner    *clause // the rule that an entry is for; of a rule: itself
	rejected bool
	entries  []*clause // of a rule
}

func (c *clause) String() string {
	if c.owner == c {
		return fmt.Sprintf("rule %d (%s)", c.at, c.id)
	}
	return fmt.Sprintf("entry %d", c.at)
}

// Check says whether c proves what it claims: nil, or a *Refusal. It is sound: nil is returned only if the claims hold (see the package comment).
func Check(c *certificate.Certificate) error { return check(c, Steps) }

func check(c *certificate.Certificate, steps int) error {
	k := &checker{Certificate: c, steps: steps, stages: map[stage][]*clause{}, proof: map[[2]int]certificate.Step{}}
	for _, s := range c.Steps {
		k.proof[[2]int{s.Rule, s.Entry}] = s
	}
	for _, part := range []func(){k.readRules, k.readEntries, k.covers, k.orders} {
		if part(); k.refusal != nil {
			return k.refusal
		}
	}
	return nil
}

// refuse refuses the certificate if something is wrong, and says whether it is.
func (k *checker) refuse(wrong bool, place any, reason string, args ...any) bool {
	if wrong && k.refusal == nil {
		k.refusal = &Refusal{Place: fmt.Sprint(place), Reason: fmt.Sprintf(reason, args...)}
	}
	return wrong
}

// inside refuses unless every packet of a that can exist is in one of sets.
func (k *checker) inside(a packet.Set, sets []packet.Set, place any, reason string, args ...any) {
	if k.refusal != nil {
		return
	}
	k.steps -= perQuestion
	left, done := a.OutsideOn(&k.steps, sets...)
	if !done || k.steps <= 0 {
		k.refuse(true, place, reason+", or so it seems: the proof is larger than this checker's bound", args...)
	} else if h, ok := left.Witness(); k.refuse(ok, place, reason, args...) {
		k.refusal.Packet = &h
	}
}

// step takes one from the budget, and says whether to go on.
func (k *checker) step() bool {
	k.steps--
	k.refuse(k.steps < 0, "certificate", "the proof is larger than this checker's bound")
	return k.refusal == nil
}
