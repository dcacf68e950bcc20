package rib

import (
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// table is the Adj-RIB-In of all sources, by NLRI, and what is new in it since it was last asked. It belongs to the
// goroutine in RIB.Run.
type table struct {
	sources  map[flowspec.Source]*source
	slots    map[nlri]*slot
	expiries expiries
	refused  func(flowspec.Rule, error)
	others   func(flowspec.Source) (SourcePolicy, bool)
	excess   func(flowspec.Source, int) // nil: nobody asks
	mass     func(source flowspec.Source, withdrawn, had int, until time.Time)

	before map[nlri]*flowspec.Rule        // NLRIs touched since changes was called, and what was in force
	dirty  map[flowspec.ID]*flowspec.Rule // rules touched since they were last handed to the store; nil: removed
	waits  waits
}

// nlri is the identity of a rule.
type nlri struct {
	family flowspec.Family
	octets string
}

func identity(m flowspec.Match) nlri { return nlri{m.Family(), string(m.NLRI())} }

// source is what is known of one source. Zero times are never.
type source struct {
	policy  SourcePolicy
	stats   SourceStats
	up      bool
	quietAt time.Time // when it will have been quiet for long enough
	sweepAt time.Time // earliest deadline of its stale rules
	over    bool      // Excess was told
	recent  recent    // withdrawn a moment ago
}

// slot holds the rules with one NLRI, the one in force first.
type slot struct{ paths []path }

// path is one rule of one source.
type path struct {
	from  *source
	rule  *flowspec.Rule // never changed
	stale bool
	until time.Time // when a stale rule goes; zero: not by time
	ends  *expiry   // nil: the rule does not expire
	// withdrawn is the rule as the source said it before it withdrew it, where that is held back; rule has its end then. Such a path is never stale.
	withdrawn *flowspec.Rule
}

func (s *slot) best() *flowspec.Rule {
	if s == nil || len(s.paths) == 0 {
		return nil
	}
	return s.paths[0].rule
}

func (s *slot) of(from *source) int {
	return slices.IndexFunc(s.paths, func(p path) bool { return p.from == from })
}

// path returns the rule of a source, or nil.
func (s *slot) path(from *source) *path {
	if s != nil {
		if i := s.of(from); i >= 0 {
			return &s.paths[i]
		}
	}
	return nil
}

// counts says whether p counts against MaxRules. What a source that says everything again has not repeated yet does not, nor does what it withdrew: it is on its way out, and must not
// keep out what takes its place.
func (s *source) counts(p *path) bool { return p != nil && p.withdrawn == nil && !(s.up && p.stale) }

// counted returns how many rules count.
func (s *source) counted() int {
	n := s.stats.Rules - s.stats.Withdrawn
	if s.up {
		n -= s.stats.Stale
	}
	return n
}

// preferred orders the paths of a slot: higher preference, then lower name.
func preferred(a, b path) int {
	return cmp.Or(cmp.Compare(b.from.policy.Preference, a.from.policy.Preference), cmp.Compare(a.from.policy.Name, b.from.policy.Name))
}

func newTable(cfg Config) table {
	t := table{
		sources: map[flowspec.Source]*source{}, slots: map[nlri]*slot{}, refused: cfg.Refused, others: cfg.Others, excess: cfg.Excess, mass: cfg.Mass,
		before: map[nlri]*flowspec.Rule{}, dirty: map[flowspec.ID]*flowspec.Rule{},
	}
	if t.others == nil {
		t.others = func(flowspec.Source) (SourcePolicy, bool) { return SourcePolicy{}, false }
	}
	if t.refused == nil {
		t.refused = func(flowspec.Rule, error) {}
	}
	for _, p := range cfg.Sources {
		t.sources[p.Name] = &source{policy: p}
	}
	return t
}

func (t *table) source(name flowspec.Source) *source {
	s := t.sources[name]
	if s == nil {
		policy, _ := t.others(name)
		policy.Name = name
		s = &source{policy: policy}
		t.sources[name] = s
	}
	return s
}

// load takes the rules of the store, all stale.
func (t *table) load(rules []flowspec.Rule, now time.Time) {
	for _, r := range rules {
		if due(r.Expires, now) {
			t.dirty[r.ID] = nil
			continue
		}
		s := t.sources[r.Source]
		if _, known := t.others(r.Source); s == nil && known {
			s = t.source(r.Source)
		}
		if s == nil {
			// A source that is no longer configured: nobody could ever withdraw its rules, so they go when a renamed one has had
			// its time to repeat them.
			s = t.source(r.Source)
			s.policy.Return = staleTime
		}
		p := path{from: s, rule: &r, stale: true}
		if s.policy.Return > 0 {
			p.until = now.Add(s.policy.Return)
			s.sweepAt = p.until
		}
		t.put(identity(r.Match), p)
	}
}

// apply does what e says. The error is for its sender.
func (t *table) apply(e Event, now time.Time) error {
	s := t.source(e.Source)
	switch e.Kind {
	case Update:
		return t.update(s, e, now)
	case Up:
		t.up(s, now)
	case Down:
		t.down(s, e, now)
	case Again:
		t.again(s, e.Family, now)
	case EndOfRIB:
		if s.policy.Quiet == 0 {
			t.leftOut(s, e.Family, now)
		}
	case Accept:
		return t.accept(s)
	case Keep:
		return t.keep(s, e.Hold, now)
	case Expire:
		return t.over(s, e.Announce)
	default:
		return fmt.Errorf("unknown kind of event %d", e.Kind)
	}
	return nil
}

func (t *table) update(s *source, e Event, now time.Time) error {
	if s.up && s.policy.Quiet > 0 {
		s.quietAt = now.Add(s.policy.Quiet)
	}
	asked := e.Done != nil
	for _, m := range e.Refused {
		t.remove(identity(m), s)
	}
	gone, replaced := t.withdrawn(s, e)
	t.withdraw(s, gone, now)
	for _, id := range replaced {
		t.remove(id, s) // what takes its place may not be taken
	}
	var first error
	for i := range e.Announce {
		rule := e.Announce[i] // the caller's slice stays the caller's
		if err := t.announce(s, &rule, now, asked); err != nil {
			t.refused(rule, err)
			first = cmp.Or(first, err)
		}
	}
	return first
}

// withdrawn returns the NLRIs of rules that e withdraws, each once, apart from those that it announces in the same breath. What is held back was withdrawn before.
func (t *table) withdrawn(s *source, e Event) (gone, replaced []nlri) {
	if len(e.Withdraw) == 0 {
		return nil, nil
	}
	said, seen := map[nlri]bool{}, map[nlri]bool{}
	for _, r := range e.Announce {
		if r.Match.Valid() && r.Source == s.policy.Name {
			said[identity(r.Match)] = true
		}
	}
	for _, m := range e.Withdraw {
		id := identity(m)
		switch p := t.slots[id].path(s); {
		case seen[id]:
		case said[id]:
			replaced = append(replaced, id)
		case p == nil && e.Done != nil:
			t.dirty[flowspec.NewID(s.policy.Name, m)] = nil // see announce
		case p != nil && p.withdrawn == nil:
			gone = append(gone, id)
		}
		seen[id] = true
	}
	return gone, replaced
}

// announce takes a rule of s. A rule that brings nothing new is not written again, unless somebody asked to be told when it is durable: the
// write that brought it may still fail.
func (t *table) announce(s *source, rule *flowspec.Rule, now time.Time, asked bool) error {
	switch {
	case !rule.Match.Valid():
		return errors.New("the rule has no match")
	case rule.Source != s.policy.Name:
		return fmt.Errorf("the rule is from source %q and was announced by %q", rule.Source, s.policy.Name)
	}
	if rule.ID == "" {
		rule.ID = flowspec.NewID(rule.Source, rule.Match)
	}
	id := identity(rule.Match)
	if due(rule.Expires, now) {
		// It takes the place of the rule that was there, and ends at once.
		t.remove(id, s)
		return fmt.Errorf("the rule expired at %s", rule.Expires.UTC().Format(time.RFC3339))
	}
	old := t.slots[id].path(s)
	if limit := s.policy.MaxRules; limit > 0 {
		switch over := !s.counts(old) && s.counted() >= limit; {
		case over && !s.policy.Lenient:
			return &TooMany{s.policy.Name, limit}
		case over && !s.over && t.excess != nil:
			t.excess(s.policy.Name, limit)
			s.over = true
		case s.counted() < limit:
			s.over = false
		}
	}
	delete(s.recent.rules, id)
	if old != nil && old.withdrawn == nil && same(old.rule, rule) {
		t.freshen(old)
		if asked {
			t.dirty[rule.ID] = old.rule
		}
		return nil
	}
	t.put(id, path{from: s, rule: rule})
	return nil
}

// same says whether b brings nothing that a does not have. Unlike Action.Equal it compares how an action is written, too: that is sent on.
func same(a, b *flowspec.Rule) bool {
	return a.ID == b.ID && sameAction(a.Action, b.Action) && a.Expires.Equal(b.Expires) && a.Note == b.Note &&
		slices.Equal(a.Communities, b.Communities) && slices.Equal(a.LargeCommunities, b.LargeCommunities) && slices.Equal(a.Others, b.Others)
}

func sameAction(a, b flowspec.Action) bool {
	ca, ha := a.Communities()
	cb, hb := b.Communities()
	return ha == hb && slices.Equal(ca, cb)
}

// put makes p the rule of its source for an NLRI, in place of the one that was there.
func (t *table) put(id nlri, p path) {
	sl := t.touch(id)
	if i := sl.of(p.from); i >= 0 {
		t.drop(sl, i)
	}
	if !p.rule.Expires.IsZero() {
		p.ends = &expiry{at: p.rule.Expires, id: id, from: p.from}
		heap.Push(&t.expiries, p.ends)
	}
	at, _ := slices.BinarySearchFunc(sl.paths, p, preferred)
	sl.paths = slices.Insert(sl.paths, at, p)
	p.from.stats.Rules++
	if p.stale {
		p.from.stats.Stale++
		t.waits.note(&p)
	}
	if p.withdrawn != nil {
		p.from.stats.Withdrawn++
	}
	t.dirty[p.rule.ID] = p.rule
	t.recount(sl, at)
}

// remove takes away the rule of s for an NLRI. It returns false when there is none.
func (t *table) remove(id nlri, s *source) bool {
	sl := t.slots[id]
	if sl == nil {
		return false
	}
	i := sl.of(s)
	if i < 0 {
		return false
	}
	t.touch(id)
	t.dirty[sl.paths[i].rule.ID] = nil
	t.drop(sl, i)
	if len(sl.paths) == 0 {
		delete(t.slots, id)
	}
	return true
}

// touch returns the slot of an NLRI, noting what was in force.
func (t *table) touch(id nlri) *slot {
	sl := t.slots[id]
	if _, noted := t.before[id]; !noted {
		t.before[id] = sl.best()
	}
	if sl == nil {
		sl = &slot{}
		t.slots[id] = sl
	}
	return sl
}

// drop takes path i out of a slot.
func (t *table) drop(sl *slot, i int) {
	p := sl.paths[i]
	if p.ends != nil {
		heap.Remove(&t.expiries, p.ends.place)
	}
	p.from.stats.Rules--
	if p.stale {
		p.from.stats.Stale--
	}
	t.waits.gone(&p)
	if p.withdrawn != nil {
		if p.from.stats.Withdrawn--; p.from.stats.Withdrawn == 0 {
			p.from.stats.Until = time.Time{}
		}
	}
	if i == 0 {
		p.from.stats.InForce--
	}
	sl.paths = slices.Delete(sl.paths, i, i+1)
	if i == 0 && len(sl.paths) > 0 {
		sl.paths[0].from.stats.InForce++
	}
}

// recount counts the rules in force after a path was inserted at a place.
func (t *table) recount(sl *slot, at int) {
	if at > 0 {
		return
	}
	sl.paths[0].from.stats.InForce++
	if len(sl.paths) > 1 {
		sl.paths[1].from.stats.InForce--
	}
}

func (t *table) freshen(p *path) {
	if p.stale {
		p.from.stats.Stale--
	}
	t.waits.gone(p)
	p.stale, p.until = false, time.Time{}
}

// changes returns what has changed in force since the last call, sorted.
func (t *table) changes() []Change {
	var list []Change
	for id, old := range t.before {
		now := t.slots[id].best()
		switch {
		case old == now:
		case now != nil:
			list = append(list, Change{now.Match, old, now})
		default:
			list = append(list, Change{old.Match, old, nil})
		}
	}
	clear(t.before)
	slices.SortFunc(list, func(a, b Change) int { return flowspec.Compare(a.Match, b.Match) })
	return list
}
