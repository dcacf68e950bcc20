package reconcile

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Serieses remembers across a restart what counters have come to. *store.Store is one.
type Serieses interface {
	SaveSeries(name string, of device.Readings, puts map[flowspec.ID]device.Series, deletes []flowspec.ID) error
	Series(name string) (of device.Readings, series map[flowspec.ID]device.Series, err error)
	KeepSeries(devices []string) error
}

// saveSeriesEvery is how often what counters have come to is written to disk: a gateway that is killed forgets as much of it.
const saveSeriesEvery = 30 * time.Second

// watch is since when the counters of a rule were read one time after another, none of them missing, with nothing in between that could have hidden a packet.
type watch struct {
	since time.Time
	as    string // what the rule said, see saying
}

// said is what a rule says at a reading, see saying, and whether its source has said it since the one before: a rule that went and came back is as young as one that was never there.
type said struct {
	as    string
	again bool
}

// longestGap is how far apart two readings of counters may be that are to follow each other: a device that was away for longer may have begun anew at zero, where it was before.
func longestGap(every time.Duration) time.Duration { return max(3*every, time.Minute) }

// follow notes which rules have all their counters. Where something broke the readings, or where a rule says something else than before, its watch begins now. One counter that fell breaks the
// readings of all: whatever cleared it may have cleared others, that were at zero and are so again. The caller holds mu.
func (c *counting) follow(whole map[flowspec.ID]said, unbroken bool, at time.Time) {
	now := make(map[flowspec.ID]watch, len(whole))
	for id, rule := range whole {
		w, there := c.watch[id]
		if !there || rule.again || w.as != rule.as || !unbroken {
			w = watch{at, rule.as}
			c.news(id)
		}
		now[id] = w
	}
	for id := range c.watch {
		if _, there := now[id]; !there {
			c.news(id)
		}
	}
	c.watch = now
}

// news notes that the series of a rule is another than on disk. The caller holds mu.
func (c *counting) news(id flowspec.ID) {
	if c.dirty == nil {
		c.dirty = map[flowspec.ID]bool{}
	}
	c.dirty[id] = true
}

// whole returns what is said by the rules that the device holds as they are in force and whose entries all have a counter in raw: by the name of the entry, or of the counter that
// those of a rule share.
func (w *worker) whole(raw map[string]device.Counter) map[flowspec.ID]said {
	young, all := w.young()
	m := w.plans.latest.Load()
	if m == nil || m.plan == nil {
		return nil
	}
	counted := map[flowspec.ID]bool{}
	for _, f := range m.plan.Desired.Filters {
		for i := range f.Entries {
			e := &f.Entries[i]
			if e.Rule == "" {
				continue
			}
			all, seen := counted[e.Rule]
			counted[e.Rule] = (all || !seen) && hasCounter(raw, e)
		}
	}
	held := w.ledger.heldFilters()
	out := make(map[flowspec.ID]said, len(counted))
	for r := range m.of.All() {
		if !counted[r.ID] {
			continue
		}
		if holds(held, r) {
			out[r.ID] = said{saying(r), all || young[r.ID]}
		}
	}
	return out
}

// young returns the rules that came into force since the last reading, or again, or otherwise; all: nobody knows which.
func (w *worker) young() (rules map[flowspec.ID]bool, all bool) {
	now := w.rules.Snapshot()
	changes, known := now.Since(w.counts.version)
	w.counts.version = now.Version
	rules = make(map[flowspec.ID]bool, len(changes))
	for _, c := range changes {
		if c.New != nil {
			rules[c.New.ID] = true
		}
	}
	return rules, !known
}

func hasCounter(raw map[string]device.Counter, e *filter.Entry) bool {
	if _, there := raw[e.Name]; there {
		return true
	}
	_, there := raw[e.Counter]
	return there && e.Counter != ""
}

// heldFilters returns the rules whose filters the device was seen to hold.
func (l *ledger) heldFilters() rib.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.filters
}

// saying stands for what a rule says beside its match: it is another where its source says the rule again with another action, end or note.
func saying(r *flowspec.Rule) string {
	h := fnv.New64a()
	communities, extended := r.Action.Communities()
	fmt.Fprintf(h, "%v %v %d %q", communities, extended, r.Expires.UnixNano(), r.Note)
	return fmt.Sprintf("%016x", h.Sum64())
}

// recallSeries reads what counters had come to in an earlier life of the gateway.
func (w *worker) recallSeries() error {
	if w.countEvery() <= 0 {
		return nil
	}
	of, series, err := w.tokens.Series(w.dev.Name)
	if err != nil {
		return err
	}
	c := &w.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw, c.rules, c.watch = map[string]device.Counter{}, map[flowspec.ID]Count{}, map[flowspec.ID]watch{}
	c.totals.Read, c.totals.Packets, c.totals.Bytes = of.Read, of.Packets, of.Bytes
	for id, s := range series {
		c.rules[id] = Count{s.Packets, s.Bytes, s.First, s.Last}
		for name, n := range s.Raw {
			c.raw[name] = n
		}
		if !s.Watched.IsZero() {
			c.watch[id] = watch{s.Watched, s.As}
		}
	}
	return nil
}

// saveSeries writes to disk what is new of the series.
func (w *worker) saveSeries() {
	c := &w.counts
	c.mu.Lock()
	puts, deletes := map[flowspec.ID]device.Series{}, []flowspec.ID(nil)
	for id := range c.dirty {
		n, there := c.rules[id]
		if !there {
			deletes = append(deletes, id)
			continue
		}
		at := c.watch[id]
		puts[id] = device.Series{Packets: n.Packets, Bytes: n.Bytes, First: n.First, Last: n.Last, Raw: map[string]device.Counter{}, Watched: at.since, As: at.as}
	}
	for name, n := range c.raw {
		if one, there := puts[ruleOf(name)]; there {
			one.Raw[name] = n
		}
	}
	of := device.Readings{Read: c.totals.Read, Packets: c.totals.Packets, Bytes: c.totals.Bytes}
	dirty := c.dirty
	c.dirty, c.saved = nil, w.now()
	c.mu.Unlock()
	if of.Read.IsZero() {
		return
	}
	if err := w.tokens.SaveSeries(w.dev.Name, of, puts, deletes); err != nil {
		w.log.Warn("cannot save what counters have come to", "error", err)
		c.mu.Lock()
		for id := range dirty {
			c.news(id)
		}
		c.mu.Unlock()
	}
}

// keepSeries forgets the counters of devices that are gone from the configuration.
func (r *Reconciler) keepSeries() error {
	var names []string
	for _, w := range r.workers {
		names = append(names, w.dev.Name)
	}
	return r.cfg.Tokens.KeepSeries(names)
}
