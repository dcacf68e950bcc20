package main

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// gate stands between BGP peers and the RIB: what a peer may not say never gets in. Files, pipes and the API ask the same policies
// themselves, because they have somebody to tell.
type gate struct {
	next     rib.Input
	policies map[flowspec.Source]admit.Policy
	log      *slog.Logger

	settled chan struct{} // closed when the rules are complete, see settle
	files   chan struct{} // closed when the rule files were read once

	mu      sync.Mutex
	waiting map[flowspec.Source]map[flowspec.Family]bool // BGP sources that have not said End-of-RIB yet, and in which families
	heard   chan struct{}                                // closed when there are none
	quiet   time.Duration                                // the longest that one of them says rules after its End-of-RIB
}

func newGate(next rib.Input, sources []config.Source, log *slog.Logger) *gate {
	g := &gate{
		next: next, policies: map[flowspec.Source]admit.Policy{}, log: log,
		settled: make(chan struct{}), files: make(chan struct{}), heard: make(chan struct{}), waiting: map[flowspec.Source]map[flowspec.Family]bool{},
	}
	for _, s := range sources {
		g.policies[s.Name] = s.Admit
		if s.BGP != nil && !s.BGP.Prefix.IsValid() { // nobody knows who comes from a prefix
			families := map[flowspec.Family]bool{}
			for _, f := range s.BGP.Families {
				families[f] = true
			}
			g.waiting[s.Name] = families
			g.quiet = max(g.quiet, s.Quiet)
		}
	}
	if len(g.waiting) == 0 {
		close(g.heard)
	}
	return g
}

// settleWithin is how long sources have to come back after a start. It is less than what routers keep rules for, see defaultRestart of package config, and what is missing then is
// still in force from the store, for as long as rib.SourcePolicy.Return says.
const settleWithin = time.Minute

// settle closes settled when the rules are complete: those of the store are there from the start, the files were read, and every BGP source has said End-of-RIB in its families,
// or had the time to. Those that say it too early get their quiet time on top.
func (g *gate) settle(ctx context.Context, within time.Duration) error {
	limit, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for _, done := range []<-chan struct{}{g.files, g.heard} {
		select {
		case <-done:
		case <-limit.Done():
		}
	}
	select {
	case <-time.After(g.quiet):
	case <-limit.Done():
	}
	if ctx.Err() != nil {
		return nil
	}
	if missing := g.missing(); len(missing) > 0 {
		g.log.Warn("some sources have not said yet what they have; what they had is in force from the store", "sources", missing, "after", within)
	}
	close(g.settled)
	return nil
}

func (g *gate) filesRead() {
	select {
	case <-g.files:
	default:
		close(g.files)
	}
}

// missing returns the BGP sources that have not said End-of-RIB yet.
func (g *gate) missing() []flowspec.Source {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(maps.Keys(g.waiting))
}

// ended notes that source said all it has of a family.
func (g *gate) ended(source flowspec.Source, f flowspec.Family) {
	g.mu.Lock()
	defer g.mu.Unlock()
	left, waited := g.waiting[source]
	if !waited {
		return
	}
	if delete(left, f); len(left) > 0 {
		return
	}
	if delete(g.waiting, source); len(g.waiting) == 0 {
		close(g.heard)
	}
}

// Send passes on what is admitted. A rule that is not takes its NLRI away: the peer has replaced what it had said before.
func (g *gate) Send(ctx context.Context, e rib.Event) error {
	return g.send(ctx, e, admit.Path{}, func(flowspec.Rule, flowspec.Family) *admit.NotAdmitted { return nil }, func(flowspec.Match) {})
}

// placedFamily is the family in which rules are that a source says in family f; 0 is all.
func (g *gate) placedFamily(source flowspec.Source, f flowspec.Family) flowspec.Family {
	if f == 0 || g.policies[configured(source)].In == nil {
		return f
	}
	return f.InVPN()
}

// send is Send, of rules that came by a path. Besides the policy, judge is asked about each rule as it was placed, and in which family it was said; gone is told which rules are none any more.
func (g *gate) send(ctx context.Context, e rib.Event, p admit.Path, judge func(r flowspec.Rule, said flowspec.Family) *admit.NotAdmitted, gone func(flowspec.Match)) error {
	policy := g.policies[configured(e.Source)]
	if e.Kind == rib.EndOfRIB {
		family := e.Family // as the source said it
		defer g.ended(e.Source, family)
	}
	e.Family = g.placedFamily(e.Source, e.Family)
	if policy.In != nil {
		e.Held = inVPN(e.Held)
	}
	e.Withdraw = g.withdrawn(policy, e)
	for _, m := range e.Withdraw {
		gone(m)
	}
	var admitted []flowspec.Rule
	for _, r := range e.Announce {
		said := r.Match.Family()
		placed, err := policy.Placed(r.Match)
		if err != nil {
			g.log.Warn("rule refused", "source", e.Source, "match", r.Match.String(), "error", err)
			continue // in the VPN there was none of this NLRI
		}
		if policy.In != nil {
			r.Match, r.ID = placed, flowspec.NewID(e.Source, placed)
		}
		err = policy.Check(r, time.Now())
		if why := policy.From.Check(p, r.Communities); err == nil && why != nil {
			err = why
		}
		if err != nil {
			gone(r.Match)
		} else if why := judge(r, said); why != nil {
			err = why
		}
		if err != nil {
			g.log.Warn("rule refused", "source", e.Source, "rule", r.ID, "match", r.Match.String(), "error", err)
			e.Refused = append(e.Refused, r.Match)
			continue
		}
		admitted = append(admitted, r)
	}
	e.Announce = admitted
	return g.next.Send(ctx, e)
}

func inVPN(list []flowspec.Family) (out []flowspec.Family) {
	for _, f := range list {
		out = append(out, f.InVPN())
	}
	return out
}

// withdrawn returns what e withdraws, as it was placed when it was announced.
func (g *gate) withdrawn(policy admit.Policy, e rib.Event) []flowspec.Match {
	if policy.In == nil {
		return e.Withdraw
	}
	var out []flowspec.Match
	for _, m := range e.Withdraw {
		if placed, err := policy.Placed(m); err == nil {
			out = append(out, placed)
		}
	}
	return out
}
