package plan

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// way is how one mechanism carries one rule, or why it does not.
type way struct {
	*finding
	routes []device.Route               // FlowSpec
	sets   atomic.Pointer[[]packet.Set] // of pieces that would not share a policer, or of the routes of a rewritten rule; nil: nobody asked, see pieces
	ranks  atomic.Uint64                // see ends
}

// finding is what was found out about a rule and a mechanism. Rules that go as they came share it: nobody changes it once the rule has its way.
type finding struct {
	carried Carried
	exact   bool
	// rewritten is set when some route does not have the rule's own octets, so that the device may order it differently.
	rewritten bool
	// hopes is set when a filter may be able to carry what FlowSpec refuses, and the refusal, which is the last one, has no hint that says more.
	hopes bool
	// policers is set when the refusal of a filter is about a rate that the entries would not share; the sets of the way are theirs.
	policers bool
	least    int              // so many entries the rule needs at least, see Cost; 0: one
	action   *flowspec.Action // as planned; nil: as asked
	refused  []Reason         // why not; empty when it does
	reasons  []Reason
	facts    factSet
	entries  []filter.Entry // filter
	policer  *filter.Policer
	witness  *table.Difference
}

func (w *way) ok() bool { return w != nil && len(w.refused) == 0 }

// refuse makes w a way that is not open.
func (w *way) refuse(r Reason) *way {
	f := *w.finding
	f.refused = append(slices.Clip(f.refused), r)
	w.finding = &f
	return w
}

// pieces returns the sets of the routes of a rewritten rule. Few are ever asked for; a way may be that of several planners.
func (w *way) pieces() []packet.Set {
	if sets := w.sets.Load(); sets != nil {
		return *sets
	}
	sets := make([]packet.Set, len(w.routes))
	for i := range w.routes {
		sets[i] = w.routes[i].Match.Set()
	}
	w.sets.Store(&sets)
	return sets
}

// planned returns what is done with packets of c that go by w.
func (c *card) planned(w *way) flowspec.Action {
	if w.action != nil {
		return *w.action
	}
	return c.rule.Action
}

// findings are those that several rules share.
type findings struct {
	mu  sync.RWMutex
	all map[plainFinding]*finding
}

// plainFinding is a finding of which there is no more to say.
type plainFinding struct {
	carried          Carried
	exact, rewritten bool
	least            int
	facts            factSet
	reasons          *Reason // the first of them: rules that were cut alike share the list
	n                int     // of them
}

// mostFindings bounds the findings that are shared.
const mostFindings = 1 << 12

// kept returns a finding that says what f says, in memory that nothing else will be written to: one for all rules of which there is no more to say.
func (d *drafter) kept(f *finding) *finding {
	if f.action != nil || len(f.refused) > 0 || f.witness != nil {
		return new(*f)
	}
	key := plainFinding{carried: f.carried, exact: f.exact, rewritten: f.rewritten, least: f.least, facts: f.facts, n: len(f.reasons)}
	if key.n > 0 {
		key.reasons = &f.reasons[0]
	}
	if d.lastKept == nil || d.last != key { // many rules in a row are alike
		d.last, d.lastKept = key, d.findings.kept(key, f)
	}
	return d.lastKept
}

// kept returns the finding of key, which is of f.
func (all *findings) kept(key plainFinding, f *finding) *finding {
	all.mu.RLock()
	one := all.all[key]
	all.mu.RUnlock()
	if one != nil {
		return one
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.all == nil || len(all.all) == mostFindings {
		all.all = make(map[plainFinding]*finding)
	}
	if all.all[key] == nil {
		all.all[key] = new(*f)
	}
	return all.all[key]
}
