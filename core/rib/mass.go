package rib

import (
	"errors"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// MassWithdrawal says which withdrawals of a source are too large to be believed at once: a detector that lost its memory withdraws everything, and so does one that has nothing to
// say any more. The zero MassWithdrawal believes all.
//
// Withdrawals count, and so does what a source leaves out before it says End-of-RIB. What ends because a session was lost, or because its time is over, does not.
type MassWithdrawal struct {
	Percent int           // of the rules of the source: more than that is too large; 0: nothing is
	Within  time.Duration // what is withdrawn in that time counts together
	AtLeast int           // a source with fewer rules is believed
	// Keep is how long the rules stay in force unless somebody accepts the withdrawal, or the source says them again. Then it is believed.
	Keep time.Duration
}

// ErrNothingWithdrawn is the answer to Accept and Keep where no withdrawal waits.
var ErrNothingWithdrawn = errors.New("no withdrawal of this source is held back")

// gone is a rule that was withdrawn a moment ago, and believed.
type gone struct {
	rule *flowspec.Rule
	at   time.Time
}

// recent remembers what a source withdrew within the time that counts together.
type recent struct {
	rules map[nlri]gone
	order []went // those that came back since, or went again, are in it still
}

type went struct {
	id nlri
	at time.Time
}

func (r *recent) add(id nlri, rule *flowspec.Rule, now time.Time) {
	if r.rules == nil {
		r.rules = map[nlri]gone{}
	}
	r.rules[id] = gone{rule, now}
	r.order = append(r.order, went{id, now})
}

// prune forgets what was withdrawn before since.
func (r *recent) prune(since time.Time) {
	for len(r.order) > 0 && !r.order[0].at.After(since) {
		if first := r.order[0]; r.rules[first.id].at.Equal(first.at) {
			delete(r.rules, first.id)
		}
		r.order = r.order[1:]
	}
}

// withdraw takes away rules that s withdrew, each of which is there and none twice, or holds them back where they are too many.
func (t *table) withdraw(s *source, ids []nlri, now time.Time) {
	if !s.tooMany(len(ids), now) {
		for _, id := range ids {
			if s.policy.Mass.Percent > 0 {
				s.recent.add(id, t.slots[id].path(s).rule, now)
			}
			t.remove(id, s)
		}
		return
	}
	had := s.stats.Rules + len(s.recent.rules)
	first, until := s.stats.Withdrawn == 0, s.stats.Until
	if first {
		until = now.Add(s.policy.Mass.Keep)
	}
	for _, id := range ids {
		t.holdBack(s, id, t.slots[id].path(s).rule, until)
	}
	// What went just before was the beginning of the same, and comes back.
	for id, g := range s.recent.rules {
		if !due(g.rule.Expires, now) {
			t.holdBack(s, id, g.rule, until)
		}
	}
	s.recent = recent{}
	s.stats.Until = until
	if first && t.mass != nil {
		t.mass(s.policy.Name, s.stats.Withdrawn, had, until)
	}
}

// tooMany says whether n more withdrawals are too many to be believed. Those that are held back already count, or a source could take away the rest in small pieces.
func (s *source) tooMany(n int, now time.Time) bool {
	limit := s.policy.Mass
	if limit.Percent == 0 || n == 0 {
		return false
	}
	s.recent.prune(now.Add(-limit.Within))
	total := s.stats.Rules + len(s.recent.rules)
	return total >= limit.AtLeast && (s.stats.Withdrawn+len(s.recent.rules)+n)*100 > limit.Percent*total
}

// holdBack keeps a rule that s withdrew in force until a moment, or until it expires by itself. That end is part of the rule, so that a restart of the gateway does not forget it.
func (t *table) holdBack(s *source, id nlri, rule *flowspec.Rule, until time.Time) {
	r := *rule
	r.Expires = earlier(r.Expires, until)
	t.put(id, path{from: s, rule: &r, withdrawn: rule})
}

// heldBack returns the rules of s whose withdrawal is held back, as the source said them.
func (t *table) heldBack(s *source) map[nlri]*flowspec.Rule {
	out := map[nlri]*flowspec.Rule{}
	for id, sl := range t.slots {
		if p := sl.path(s); p != nil && p.withdrawn != nil {
			out[id] = p.withdrawn
		}
	}
	return out
}

// accept believes what s withdrew.
func (t *table) accept(s *source) error {
	if s.stats.Withdrawn == 0 {
		return ErrNothingWithdrawn
	}
	for id := range t.heldBack(s) {
		t.remove(id, s)
	}
	return nil
}

// keep holds back what s withdrew for so long from now.
func (t *table) keep(s *source, long time.Duration, now time.Time) error {
	switch {
	case s.stats.Withdrawn == 0:
		return ErrNothingWithdrawn
	case long <= 0:
		return fmt.Errorf("keep for %v: accept the withdrawal instead", long)
	}
	until := now.Add(long)
	for id, rule := range t.heldBack(s) {
		t.holdBack(s, id, rule, until)
	}
	s.stats.Until = until
	return nil
}
