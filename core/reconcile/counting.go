package reconcile

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// countAgain is how long a device whose adapter reads no counters is left alone with the question.
const countAgain = 10 * time.Minute

// countWithin bounds one reading of counters: deliveries wait for it.
const countWithin = 10 * time.Second

// Count is what one rule has matched: on one device all its entries together, or on all devices.
type Count struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"` // 0 where the device counts packets alone
	// First and Last are when counters were read that had grown, for the first time and for the last; zero: never. The hits themselves were before, by up to the time between two readings.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
}

// Hit says whether anything was counted.
func (c Count) Hit() bool { return c.Packets > 0 || c.Bytes > 0 }

// plus adds what another device has counted for the same rule.
func (c Count) plus(o Count) Count {
	c.Packets += o.Packets
	c.Bytes += o.Bytes
	if c.First.IsZero() || !o.First.IsZero() && o.First.Before(c.First) {
		c.First = o.First
	}
	if o.Last.After(c.Last) {
		c.Last = o.Last
	}
	return c
}

// Totals is what a device has counted for our rules since the gateway first read them, rules that are gone included: it never falls.
type Totals struct {
	Device         string
	Packets, Bytes uint64
	Read           time.Time // when counters were last read; zero: never
	Error          string    // why not, where they could not be
}

// counting is what the counters of a device come to. It is written by its worker, and read by others.
type counting struct {
	mu     sync.Mutex
	raw    map[string]device.Counter // as the device last had them, by names that ruleOf reads
	rules  map[flowspec.ID]Count
	totals Totals
	watch  map[flowspec.ID]watch // of rules whose counters are all there
	dirty  map[flowspec.ID]bool  // rules of which something is new since the last save
	saved  time.Time             // when that was
	fresh  bool                  // they were read in this life of the gateway

	version uint64 // of the Loc-RIB at the last reading; of the worker alone
}

// count reads the counters of the device, and returns after how long to do so again; 0: never.
func (w *worker) count(ctx context.Context) time.Duration {
	every := w.countEvery()
	if every <= 0 {
		return 0
	}
	if _, frozen := w.freezes.of(w.dev.Name, w.now()); frozen || w.retry.failures > 0 {
		return every // nobody touches it, or it does not answer
	}
	within, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	raw, err := w.readCounters(within)
	switch {
	case ctx.Err() != nil:
		return 0
	case errors.Is(err, errors.ErrUnsupported):
		return countAgain
	case err != nil:
		w.counts.failed(err) // whether the device can be reached is the business of deliveries
		return every
	}
	now := w.now()
	w.counts.add(raw, now, w.whole(raw), longestGap(every))
	if now.Sub(w.counts.saved) >= saveSeriesEvery {
		w.saveSeries()
	}
	return every
}

// ruleOf returns the rule that a counter is of, by its name: that of an entry of a filter, or the same with the octets of a route behind it. "": of none.
func ruleOf(name string) flowspec.ID {
	name, _, _ = strings.Cut(name, " ")
	return filter.RuleOf(name)
}

func (c *counting) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals.Error = err.Error()
}

// add takes what was read at a time. A counter that fell began anew, because somebody cleared it or the device made it again: all that it has is new then. What it had counted
// before stays counted. A rule whose counters are gone is forgotten; where it comes back, it begins at zero. whole says which rules have all their counters in raw; gap is the longest
// time between two readings that counts as none.
func (c *counting) add(raw map[string]device.Counter, at time.Time, whole map[flowspec.ID]said, gap time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rules, fell := make(map[flowspec.ID]Count, len(raw)), false
	for name, now := range raw {
		id := ruleOf(name)
		if id == "" {
			continue
		}
		sum, there := rules[id]
		if !there {
			sum = c.rules[id]
		}
		old := c.raw[name]
		if now.Packets < old.Packets || now.Bytes < old.Bytes {
			old, fell = device.Counter{}, true
		}
		if now != old {
			c.news(id)
			sum.Packets += now.Packets - old.Packets
			sum.Bytes += now.Bytes - old.Bytes
			c.totals.Packets += now.Packets - old.Packets
			c.totals.Bytes += now.Bytes - old.Bytes
			if sum.First.IsZero() {
				sum.First = at
			}
			sum.Last = at
		}
		rules[id] = sum
	}
	for id := range c.rules {
		if _, there := rules[id]; !there {
			c.news(id)
		}
	}
	unbroken := !fell && !c.totals.Read.IsZero() && at.Sub(c.totals.Read) <= gap && !at.Before(c.totals.Read)
	c.follow(whole, unbroken, at)
	c.raw, c.rules = maps.Clone(raw), rules
	c.totals.Read, c.totals.Error, c.fresh = at, "", true
}

// of returns what a rule has matched on the device, and whether the device counts it.
func (c *counting) of(id flowspec.ID) (Count, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, there := c.rules[id]
	return n, there
}

// Counts returns what each rule has matched, on all devices that count it together. A rule that no device counts is not in it.
func (r *Reconciler) Counts() map[flowspec.ID]Count {
	out := map[flowspec.ID]Count{}
	for _, w := range r.workers {
		w.counts.mu.Lock()
		for id, n := range w.counts.rules {
			out[id] = out[id].plus(n)
		}
		w.counts.mu.Unlock()
	}
	return out
}

// Totals returns what each device with counters has counted, in the order of the configuration.
func (r *Reconciler) Totals() []Totals {
	var out []Totals
	for _, w := range r.workers {
		w.counts.mu.Lock()
		t := w.counts.totals
		w.counts.mu.Unlock()
		if t.Device = w.dev.Name; !t.Read.IsZero() || t.Error != "" {
			out = append(out, t)
		}
	}
	return out
}
