package reconcile

import (
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
)

// ActivityState says whether a rule matches anything, over all devices that carry it.
type ActivityState string

// The states of activity.
const (
	Active   ActivityState = "active"  // it matched packets, and not too long ago
	Quiet    ActivityState = "quiet"   // it has matched none since it is watched, or for a while, which is not long enough to be idle
	Idle     ActivityState = "idle"    // every device that carries it has counted, and counted nothing, for all of that time
	NotKnown ActivityState = "unknown" // some device that carries it does not say
)

// Activity is whether a rule matches anything.
type Activity struct {
	State ActivityState `json:"state" enum:"active,quiet,idle,unknown" doc:"active: it matched packets not long ago; idle: for the time that the source's idle says, none, on any device; quiet: none, and not for that long yet; unknown: some device does not say"`
	// Since, of an active rule, is when a counter was last read that had grown; of a quiet or idle one since when none has.
	Since time.Time `json:"since,omitzero"`
	Why   string    `json:"why,omitempty" doc:"of unknown: which device does not say, and why"`
}

// Activity says whether one rule matches anything, idle being that it has not for so long.
func (r *Reconciler) Activity(rule flowspec.Rule, after time.Duration) Activity {
	return r.activities([]flowspec.Rule{rule}, func(flowspec.Source) time.Duration { return after })[0]
}

// Activities says of all rules in force whether they match anything, in the order of the snapshot, which it returns as well. after is how long the rules of a source have to match
// nothing to be idle.
func (r *Reconciler) Activities(after func(flowspec.Source) time.Duration) (rib.Snapshot, []Activity) {
	snap := r.cfg.Rules.Snapshot()
	return snap, r.activities(snap.Rules(), after)
}

// activities judges rules, which are in the order of flowspec.Compare.
func (r *Reconciler) activities(rules []flowspec.Rule, after func(flowspec.Source) time.Duration) []Activity {
	sums := make([]quiet, len(rules))
	for _, w := range r.workers {
		w.listen(rules, sums)
	}
	now := r.cfg.Now()
	out := make([]Activity, len(rules))
	for i := range rules {
		out[i] = sums[i].over(after(rules[i].Source), now)
	}
	return out
}

// quiet is what the devices so far say of one rule.
type quiet struct {
	carried bool      // by some device
	last    time.Time // last hit on any
	since   time.Time // since when all of them have counted nothing
	until   time.Time // and until when that is known: the earliest of their last readings
	why     string    // the first that does not say
}

func (q *quiet) over(after time.Duration, now time.Time) Activity {
	switch {
	case !q.last.IsZero() && now.Sub(q.last) < after:
		return Activity{State: Active, Since: q.last}
	case q.why != "":
		return Activity{State: NotKnown, Why: q.why}
	case !q.carried:
		return Activity{State: NotKnown, Why: "no device carries it"}
	case q.until.Sub(q.since) < after:
		return Activity{State: Quiet, Since: q.since}
	}
	return Activity{State: Idle, Since: q.since}
}

// silent notes that a device does not say.
func (q *quiet) silent(why string) {
	q.carried = true
	if q.why == "" {
		q.why = why
	}
}

// listen adds what the device says of rules.
func (w *worker) listen(rules []flowspec.Rule, sums []quiet) {
	m, s := w.plans.latest.Load(), w.current()
	verdicts := m.verdictsOf(rules)
	held := w.ledger.heldFilters()
	deaf := w.deaf()
	c := &w.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range rules {
		r, v, q := &rules[i], verdicts[i], &sums[i]
		if n := c.rules[r.ID]; n.Last.After(q.last) {
			q.last = n.Last
		}
		switch {
		case v == nil:
			q.silent(w.dev.Name + " has no plan with it yet")
		case s.State == Behind:
			q.silent(w.dev.Name + " is given the plans of an earlier version")
		case v.Carried == plan.Rejected, v.Carried != plan.InFilter && len(v.Entries) == 0:
		case v.Carried != plan.InFilter:
			q.silent(w.silentFlows())
		case !holds(held, r):
			q.silent(w.dev.Name + " does not have it yet")
		case deaf != "":
			q.silent(deaf)
		default:
			c.ask(w.dev.Name, r, q)
		}
	}
}

// deaf says why what the device counts is not to be relied on; "": it is.
func (w *worker) deaf() string {
	c := &w.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	name, gap := w.dev.Name, longestGap(w.countEvery())
	switch ago := w.now().Sub(c.totals.Read); {
	case w.dev.Counters <= 0:
		return "the counters of " + name + " are not read (count-every is 0)"
	case c.totals.Read.IsZero() && c.totals.Error != "":
		return "the counters of " + name + " could not be read: " + c.totals.Error
	case c.totals.Read.IsZero():
		return "no counters were read from " + name
	case ago > gap && c.totals.Error != "":
		return fmt.Sprintf("the counters of %s were last read %s ago: %s", name, ago.Round(time.Second), c.totals.Error)
	case !c.fresh:
		return "the counters of " + name + " have not been read since the gateway began"
	case ago > gap || ago < 0:
		return fmt.Sprintf("the counters of %s were last read at %s", name, c.totals.Read.Format(time.DateTime))
	case !c.anyFilter(w.countsFlows()):
		// Some platforms show counters that stand still until something is configured: a device that never counted anything is no witness.
		return name + " has not counted a packet for any rule yet"
	}
	return ""
}

// anyFilter says whether a filter of the device has ever counted anything; with flows, whether one has that is there now, since what was counted in all is of routes too. The caller holds mu.
func (c *counting) anyFilter(flows bool) bool {
	if !flows {
		return c.totals.Packets > 0 || c.totals.Bytes > 0
	}
	for name, n := range c.raw {
		if filter.RuleOf(name) != "" && n != (device.Counter{}) {
			return true
		}
	}
	return false
}

// ask adds since when the counters of a rule have not moved. The caller holds mu.
func (c *counting) ask(name string, r *flowspec.Rule, q *quiet) {
	at, watched := c.watch[r.ID]
	if !watched || at.as != saying(r) {
		q.silent(name + " has not shown a counter of each of its entries yet")
		return
	}
	q.carried = true
	if q.until.IsZero() || c.totals.Read.Before(q.until) {
		q.until = c.totals.Read
	}
	for _, t := range []time.Time{at.since, c.rules[r.ID].Last} {
		if t.After(q.since) {
			q.since = t
		}
	}
}

// holds says whether the filters of a device were made of rules that have r as it is now.
func holds(held rib.Snapshot, r *flowspec.Rule) bool {
	old, found := held.Find(r.Match)
	return found && old.ID == r.ID && old.Action.Equal(r.Action)
}

// verdictsOf returns what the plan says of each of rules, which are in the order of flowspec.Compare; nil where it was made without one.
func (m *made) verdictsOf(rules []flowspec.Rule) []*plan.Verdict {
	out := make([]*plan.Verdict, len(rules))
	if m == nil || m.plan == nil {
		return out
	}
	if len(rules) == 1 {
		out[0] = m.verdict(rules[0])
		return out
	}
	have, at := m.rules(), 0
	for i := range rules {
		for at < len(have) && flowspec.Compare(have[at].Match, rules[i].Match) < 0 {
			at++
		}
		if at < len(have) && have[at].ID == rules[i].ID && have[at].Action.Equal(rules[i].Action) {
			out[i] = m.plan.Verdicts[at]
		}
	}
	return out
}
