package main

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// routesWithin is how long, after a start, neighbours have to send their unicast routes. Until then no rule that is compared with them is judged: what is in force from the store stays
// so, and nothing is withdrawn because a route is yet to come. It is less than settleWithin, so that what was judged is part of what routers are told is all.
const routesWithin = 45 * time.Second

// mostWaiting is how many rules may wait to be judged; the sessions of sources that bring more wait with them.
const mostWaiting = 1 << 17

// validator compares the rules of some sources with unicast routes. What it judges goes on through the gate.
type validator struct {
	gate *gate
	log  *slog.Logger

	tables map[flowspec.Source]string // of the sources whose rules are compared
	wake   chan struct{}              // capacity 1: a deadline is new
	begun  chan struct{}              // closed when the first routes are there, or had the time to come

	mu         sync.Mutex // guards what follows, and keeps events in their order
	state      *admit.Validation
	neighbours map[string]*routing
	templates  map[string]*routing // of those that come from a prefix; nobody waits for them
	waiting    []judgement         // until begun
	rules      int                 // in waiting
}

// routing is a neighbour that sends unicast routes.
type routing struct {
	table string
	of    []int         // IP versions
	keep  time.Duration // how long its routes count after its session was lost
	owed  map[int]bool  // IP versions of which it has not said all yet since the start
	stale map[int]bool  // IP versions that it is to say again
	gone  time.Time     // when routes that it has not said again stop to count; zero: there are none
}

// judgement is what a source said, and is yet to be judged.
type judgement struct {
	event rib.Event
	path  admit.Path
}

func newValidator(g *gate, sources []config.Source, log *slog.Logger) *validator {
	v := &validator{gate: g, log: log, tables: map[flowspec.Source]string{}, wake: make(chan struct{}, 1), begun: make(chan struct{}), state: admit.NewValidation(), neighbours: map[string]*routing{}, templates: map[string]*routing{}}
	for _, s := range sources {
		if s.Validate {
			v.tables[s.Name] = s.VRF
		}
	}
	return v
}

// neighbour adds one that sends unicast routes of a table, or all that come from a prefix, before run.
func (v *validator) neighbour(name, table string, prefix bool, keep time.Duration, families []flowspec.Family) {
	r := &routing{table: table, keep: keep, owed: map[int]bool{}, stale: map[int]bool{}}
	for _, f := range families {
		r.of = append(r.of, int(f.Version()))
		r.owed[int(f.Version())] = true
	}
	if prefix {
		v.templates[name] = r
	} else {
		v.neighbours[name] = r
	}
}

// run lets time pass, until ctx ends.
func (v *validator) run(ctx context.Context) error {
	start := time.Now().Add(routesWithin)
	v.mu.Lock()
	v.begin(ctx, false)
	v.mu.Unlock()
	for {
		var timer <-chan time.Time
		if next := v.next(start); !next.IsZero() {
			timer = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-v.wake:
		case <-timer:
			v.expire(ctx, start, time.Now())
		}
	}
}

// next returns when expire has something to do; zero is never.
func (v *validator) next(start time.Time) time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	var at time.Time
	if !v.hasBegun() {
		at = start
	}
	for _, r := range v.neighbours {
		if !r.gone.IsZero() && (at.IsZero() || r.gone.Before(at)) {
			at = r.gone
		}
	}
	return at
}

// expire does what is due: judging begins, and routes of neighbours that did not come back stop to count.
func (v *validator) expire(ctx context.Context, start, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !now.Before(start) {
		v.begin(ctx, true)
	}
	for name, r := range v.neighbours {
		if !r.gone.IsZero() && !now.Before(r.gone) {
			v.log.Warn("unicast routes of a neighbour no longer count: it has not said them again", "peer", name)
			r.gone = time.Time{}
			clear(r.stale)
			v.changed(ctx, v.state.RoutesSwept(r.table, name, 0))
			if _, came := bgp.Template(name); came {
				delete(v.neighbours, name) // it may never be back
			}
		}
	}
}

func (v *validator) hasBegun() bool {
	select {
	case <-v.begun:
		return true
	default:
		return false
	}
}

// begin judges what has waited, once every neighbour has said its routes, or in any case with late. The caller holds mu.
func (v *validator) begin(ctx context.Context, late bool) {
	var owing []string
	for name, r := range v.neighbours {
		if len(r.owed) > 0 {
			owing = append(owing, name)
		}
	}
	if v.hasBegun() || len(owing) > 0 && !late {
		return
	}
	if len(owing) > 0 {
		slices.Sort(owing)
		v.log.Warn("some neighbours have not said their unicast routes yet; rules are judged by those that are there", "peers", owing)
	}
	for _, j := range v.waiting {
		if err := v.judge(ctx, j.event, j.path); err != nil && ctx.Err() == nil {
			v.log.Error("the RIB did not take an event", "source", j.event.Source, "err", err)
		}
	}
	v.waiting, v.rules = nil, 0
	close(v.begun)
}

// Rules implements bgp.Validator.
func (v *validator) Rules(ctx context.Context, e rib.Event, p admit.Path) error {
	if _, compared := v.tables[configured(e.Source)]; !compared {
		return v.gate.send(ctx, e, p, func(flowspec.Rule, flowspec.Family) *admit.NotAdmitted { return nil }, func(flowspec.Match) {})
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.hasBegun() && v.rules >= mostWaiting {
		v.mu.Unlock()
		select {
		case <-v.begun:
		case <-ctx.Done():
		}
		v.mu.Lock()
	}
	if !v.hasBegun() {
		v.waiting = append(v.waiting, judgement{e, p})
		v.rules += 1 + len(e.Announce) + len(e.Withdraw)
		return nil
	}
	return v.judge(ctx, e, p)
}

// judge passes on what a source says, less the rules that unicast routes speak against. The caller holds mu.
func (v *validator) judge(ctx context.Context, e rib.Event, p admit.Path) error {
	table := v.tables[configured(e.Source)]
	switch e.Kind {
	case rib.Down:
		v.state.Lost(table, e.Source)
	case rib.Again:
		v.state.Again(table, e.Source, v.gate.placedFamily(e.Source, e.Family))
	case rib.EndOfRIB:
		v.state.Ended(table, e.Source, v.gate.placedFamily(e.Source, e.Family))
	}
	return v.gate.send(ctx, e, p, func(r flowspec.Rule, said flowspec.Family) *admit.NotAdmitted {
		if said.VPN() {
			return nil // RFC 8955 §8: rules of VPNs are taken from where they come
		}
		return v.state.Rule(table, r, p)
	}, func(m flowspec.Match) { v.state.Forget(table, e.Source, m) })
}

// Routes implements bgp.Validator.
func (v *validator) Routes(ctx context.Context, e bgp.Routes) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.routing(e.Peer)
	if r == nil {
		return nil
	}
	switch e.Kind {
	case rib.Update:
		v.changed(ctx, v.state.Routes(r.table, e.Peer, e.Withdraw, e.Announce, e.Path))
	case rib.Down:
		v.state.RoutesStale(r.table, e.Peer, 0)
		v.outdated(r, 0, r.keep)
	case rib.Up:
		if len(r.stale) > 0 {
			v.outdated(r, 0, repeatWithin)
		}
	case rib.Again:
		v.state.RoutesStale(r.table, e.Peer, e.Version)
		v.outdated(r, e.Version, repeatWithin)
	case rib.EndOfRIB:
		delete(r.owed, e.Version)
		if delete(r.stale, e.Version); len(r.stale) == 0 {
			r.gone = time.Time{}
		}
		v.changed(ctx, v.state.RoutesSwept(r.table, e.Peer, e.Version))
		v.begin(ctx, false)
	}
	return nil
}

// routing returns what is known of a neighbour, or nil where it is to send no routes. The caller holds mu.
func (v *validator) routing(peer string) *routing {
	if r := v.neighbours[peer]; r != nil {
		return r
	}
	template, ok := bgp.Template(peer)
	if !ok || v.templates[template] == nil {
		return nil
	}
	t := v.templates[template]
	r := &routing{table: t.table, of: t.of, keep: t.keep, owed: map[int]bool{}, stale: map[int]bool{}}
	v.neighbours[peer] = r
	return r
}

// outdated notes that a neighbour has routes to say again, within a time. The caller holds mu.
func (v *validator) outdated(r *routing, version int, within time.Duration) {
	for _, n := range r.of {
		if version == 0 || version == n {
			r.stale[n] = true
		}
	}
	r.gone = time.Now().Add(within)
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// changed tells the RIB which rules fare otherwise because routes changed. The caller holds mu.
func (v *validator) changed(ctx context.Context, verdicts []admit.Verdict) {
	if !v.hasBegun() {
		return // nothing was told of it yet
	}
	events := map[flowspec.Source]*rib.Event{}
	for _, d := range verdicts {
		e := events[d.Rule.Source]
		if e == nil {
			e = &rib.Event{Source: d.Rule.Source, Kind: rib.Update}
			events[d.Rule.Source] = e
		}
		if d.Why == nil {
			v.log.Info("rule admitted: unicast routes changed", "source", d.Rule.Source, "rule", d.Rule.ID, "match", d.Rule.Match.String())
			e.Announce = append(e.Announce, d.Rule)
		} else {
			v.log.Warn("rule refused: unicast routes changed", "source", d.Rule.Source, "rule", d.Rule.ID, "match", d.Rule.Match.String(), "error", d.Why)
			e.Refused = append(e.Refused, d.Rule.Match)
		}
	}
	for _, e := range events {
		if err := v.gate.next.Send(ctx, *e); err != nil && ctx.Err() == nil {
			v.log.Error("the RIB did not take an event", "source", e.Source, "err", err)
		}
	}
}

// refused counts the rules of a source that unicast routes speak against.
func (v *validator) refused(s flowspec.Source) int {
	table, compared := v.tables[configured(s)]
	if !compared {
		return 0
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.state.Refused(table, s)
}

// routes counts the unicast routes of a neighbour; false: it sends none.
func (v *validator) routes(peer string) (int, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.neighbours[peer]
	if r == nil {
		return 0, false
	}
	return v.state.RouteCount(r.table, peer), true
}
