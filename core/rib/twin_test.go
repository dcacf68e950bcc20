package rib

import (
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// twin is a slow RIB: a list of everything everybody said, searched from end to end.
type twin struct {
	policies []SourcePolicy
	paths    []twinPath
	up       map[flowspec.Source]bool
	quietAt  map[flowspec.Source]time.Time
	refused  int
	gone     []twinGone
	until    map[flowspec.Source]time.Time // when what is held back goes
}

// twinGone is a rule that was withdrawn and believed.
type twinGone struct {
	rule flowspec.Rule
	at   time.Time
}

type twinPath struct {
	rule      flowspec.Rule
	stale     bool
	until     time.Time
	withdrawn *flowspec.Rule // held back: as it was said
}

func newTwin(policies []SourcePolicy) *twin {
	return &twin{policies: policies, up: map[flowspec.Source]bool{}, quietAt: map[flowspec.Source]time.Time{}, until: map[flowspec.Source]time.Time{}}
}

func (w *twin) policy(s flowspec.Source) SourcePolicy {
	for _, p := range w.policies {
		if p.Name == s {
			return p
		}
	}
	return SourcePolicy{Name: s}
}

func (w *twin) keep(f func(twinPath) bool) {
	w.paths = slices.DeleteFunc(w.paths, func(p twinPath) bool { return !f(p) })
}

// count returns how many rules of s count against its limit: all but those that it has yet to repeat.
func (w *twin) count(s flowspec.Source) (n int) {
	for _, p := range w.paths {
		if p.rule.Source == s && p.withdrawn == nil && !(p.stale && w.up[s]) {
			n++
		}
	}
	return n
}

// restart is what a new RIB makes of the stored rules.
func (w *twin) restart(now time.Time) {
	w.gone = nil
	w.up, w.quietAt = map[flowspec.Source]bool{}, map[flowspec.Source]time.Time{}
	for i := range w.paths {
		p := &w.paths[i]
		p.stale, p.until, p.withdrawn = true, time.Time{}, nil
		if d := w.policy(p.rule.Source).Return; d > 0 {
			p.until = now.Add(d)
		}
	}
	w.advance(now)
}

func (w *twin) apply(e Event, now time.Time) {
	policy := w.policy(e.Source)
	switch e.Kind {
	case Update:
		if w.up[e.Source] && policy.Quiet > 0 {
			w.quietAt[e.Source] = now.Add(policy.Quiet)
		}
		w.keep(func(p twinPath) bool {
			return p.rule.Source != e.Source || !slices.ContainsFunc(e.Refused, p.rule.Match.Equal)
		})
		said := func(m flowspec.Match) bool {
			return slices.ContainsFunc(e.Announce, func(r flowspec.Rule) bool { return r.Match.Equal(m) && r.Source == e.Source })
		}
		names := func(p twinPath) bool {
			return p.rule.Source == e.Source && slices.ContainsFunc(e.Withdraw, p.rule.Match.Equal)
		}
		w.withdraw(policy, func(p twinPath) bool { return names(p) && !said(p.rule.Match) }, now)
		w.keep(func(p twinPath) bool { return !names(p) || !said(p.rule.Match) })
		for _, r := range e.Announce {
			w.announce(policy, r, now)
		}
	case Up:
		w.up[e.Source] = true
		if policy.Quiet > 0 {
			w.quietAt[e.Source] = now.Add(policy.Quiet)
		}
		for i := range w.paths {
			if p := &w.paths[i]; p.rule.Source == e.Source && p.withdrawn == nil {
				p.stale = true
				if limit := now.Add(policy.Quiet + 3*time.Minute); p.until.Before(limit) {
					p.until = limit
				}
			}
		}
	case Again:
		if policy.Quiet > 0 {
			w.quietAt[e.Source] = now.Add(policy.Quiet)
		}
		for i := range w.paths {
			if p := &w.paths[i]; p.rule.Source == e.Source && p.rule.Match.Family() == e.Family && p.withdrawn == nil {
				p.stale = true
				if limit := now.Add(policy.Quiet + 3*time.Minute); p.until.Before(limit) {
					p.until = limit
				}
			}
		}
	case Down:
		w.up[e.Source] = false
		delete(w.quietAt, e.Source)
		hold := func(p twinPath) time.Duration {
			d := policy.Hold
			for _, f := range e.Held {
				if f == p.rule.Match.Family() && e.Hold > d {
					d = e.Hold
				}
			}
			return d
		}
		w.keep(func(p twinPath) bool { return p.rule.Source != e.Source || hold(p) > 0 })
		for i := range w.paths {
			if p := &w.paths[i]; p.rule.Source == e.Source && p.withdrawn == nil {
				if !p.stale || p.until.IsZero() {
					p.until = now.Add(hold(*p))
				}
				p.stale = true
			}
		}
	case EndOfRIB:
		if policy.Quiet == 0 {
			w.withdraw(policy, func(p twinPath) bool {
				return p.rule.Source == e.Source && p.stale && (e.Family == 0 || p.rule.Match.Family() == e.Family)
			}, now)
		}
	case Accept:
		w.keep(func(p twinPath) bool { return p.rule.Source != e.Source || p.withdrawn == nil })
	case Keep:
		for i, p := range w.paths {
			if p.rule.Source == e.Source && p.withdrawn != nil {
				w.paths[i] = heldBack(*p.withdrawn, now.Add(e.Hold))
				w.until[e.Source] = now.Add(e.Hold)
			}
		}
	}
}

// withdraw takes away the paths of a source that its words name, or holds them back with all that it withdrew in the time before.
func (w *twin) withdraw(policy SourcePolicy, names func(twinPath) bool, now time.Time) {
	var named, waiting, all int
	for _, p := range w.paths {
		if p.rule.Source != policy.Name {
			continue
		}
		all++
		switch {
		case p.withdrawn != nil:
			waiting++
		case names(p):
			named++
		}
	}
	w.gone = slices.DeleteFunc(w.gone, func(g twinGone) bool {
		return g.rule.Source == policy.Name && !now.Before(g.at.Add(policy.Mass.Within))
	})
	var before []flowspec.Rule
	for _, g := range w.gone {
		if g.rule.Source == policy.Name {
			before = append(before, g.rule)
		}
	}
	total := all + len(before)
	held := policy.Mass.Percent > 0 && named > 0 && total >= policy.Mass.AtLeast &&
		float64(waiting+len(before)+named)/float64(total) > float64(policy.Mass.Percent)/100
	if !held {
		for _, p := range w.paths {
			if policy.Mass.Percent > 0 && p.withdrawn == nil && names(p) {
				w.gone = append(w.gone, twinGone{p.rule, now})
			}
		}
		w.keep(func(p twinPath) bool { return p.withdrawn != nil || !names(p) })
		return
	}
	if waiting == 0 {
		w.until[policy.Name] = now.Add(policy.Mass.Keep)
	}
	for i, p := range w.paths {
		if p.withdrawn == nil && names(p) {
			w.paths[i] = heldBack(p.rule, w.until[policy.Name])
		}
	}
	for _, r := range before {
		if r.Expires.IsZero() || now.Before(r.Expires) {
			w.paths = append(w.paths, heldBack(r, w.until[policy.Name]))
		}
	}
	w.gone = slices.DeleteFunc(w.gone, func(g twinGone) bool { return g.rule.Source == policy.Name })
}

// heldBack is a rule that was withdrawn and stays until a moment.
func heldBack(said flowspec.Rule, until time.Time) twinPath {
	r := said
	if r.Expires.IsZero() || until.Before(r.Expires) {
		r.Expires = until
	}
	return twinPath{rule: r, withdrawn: &said}
}

func (w *twin) announce(policy SourcePolicy, r flowspec.Rule, now time.Time) {
	if r.Source != policy.Name {
		w.refused++
		return
	}
	was := w.paths
	w.paths = nil
	counts := false // the rule has its place already
	for _, p := range was {
		if p.rule.Source == r.Source && p.rule.Match.Equal(r.Match) {
			counts = p.withdrawn == nil && !(p.stale && w.up[r.Source])
			continue
		}
		w.paths = append(w.paths, p)
	}
	switch {
	case !r.Expires.IsZero() && !now.Before(r.Expires):
		w.refused++
		return
	case !counts && policy.MaxRules > 0 && w.count(r.Source) >= policy.MaxRules:
		w.refused++
		w.paths = was
		return
	}
	w.paths = append(w.paths, twinPath{rule: r})
	w.gone = slices.DeleteFunc(w.gone, func(g twinGone) bool { return g.rule.Source == r.Source && g.rule.Match.Equal(r.Match) })
}

// advance lets everything happen whose time has come by now, in the order of time: what a source did not repeat goes when it has been quiet for long enough.
func (w *twin) advance(now time.Time) {
	for {
		var next flowspec.Source
		for s, at := range w.quietAt {
			if !now.Before(at) && (next == "" || at.Before(w.quietAt[next])) {
				next = s
			}
		}
		if next == "" {
			break
		}
		at := w.quietAt[next]
		delete(w.quietAt, next)
		w.keep(func(p twinPath) bool { return !passed(p.rule.Expires, at) && !(p.stale && passed(p.until, at.Add(-1))) })
		w.withdraw(w.policy(next), func(p twinPath) bool { return p.rule.Source == next && p.stale }, at)
	}
	w.keep(func(p twinPath) bool { return !passed(p.rule.Expires, now) && !(p.stale && passed(p.until, now)) })
}

func passed(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

// inForce selects, and sorts by trying every place.
func (w *twin) inForce() []flowspec.Rule {
	var best []flowspec.Rule
	for _, p := range w.paths {
		i := slices.IndexFunc(best, func(r flowspec.Rule) bool { return r.Match.Equal(p.rule.Match) })
		if i < 0 {
			best = append(best, p.rule)
			continue
		}
		mine, theirs := w.policy(p.rule.Source), w.policy(best[i].Source)
		if mine.Preference > theirs.Preference || mine.Preference == theirs.Preference && mine.Name < theirs.Name {
			best[i] = p.rule
		}
	}
	slices.SortStableFunc(best, func(a, b flowspec.Rule) int { return flowspec.Compare(a.Match, b.Match) })
	return best
}

func (w *twin) stats() map[flowspec.Source]SourceStats {
	stats := map[flowspec.Source]SourceStats{}
	for _, p := range w.paths {
		s := stats[p.rule.Source]
		s.Rules++
		if p.stale {
			s.Stale++
		}
		if p.withdrawn != nil {
			s.Withdrawn++
			s.Until = w.until[p.rule.Source]
		}
		stats[p.rule.Source] = s
	}
	for _, r := range w.inForce() {
		s := stats[r.Source]
		s.InForce++
		stats[r.Source] = s
	}
	return stats
}

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(...any)
}

// nlriOf returns match number n of a small universe: destinations in 203.0.113.0/24, or in 2001:db8::/32 from 100 on.
func nlriOf(tb fataler, n int) flowspec.Match {
	tb.Helper()
	f, b := flowspec.IPv4, []byte{6, 1, 32, 203, 0, 113, byte(n)}
	if n >= 100 {
		f, b = flowspec.IPv6, []byte{8, 1, 40, 0, 0x20, 0x01, 0x0d, 0xb8, byte(n)}
	}
	m, err := flowspec.ParseNLRI(f, b)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// ruleOf returns a rule of source s for match n that limits to a rate.
func ruleOf(tb fataler, s flowspec.Source, n int, rate float32, expires time.Time) flowspec.Rule {
	tb.Helper()
	m := nlriOf(tb, n)
	return flowspec.Rule{
		ID: flowspec.NewID(s, m), Match: m, Source: s, Expires: expires,
		Action: flowspec.Action{Rate: &flowspec.Rate{Amount: rate, Unit: flowspec.Bytes}},
	}
}
