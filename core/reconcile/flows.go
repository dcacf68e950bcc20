package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/plan"
)

// Flows is a second way to a device, over which it is asked what the routes of its BGP session have matched. It writes nothing.
type Flows struct {
	Reader device.CounterReader // nil: it is not asked
	Target device.Target        // with OptionCount
	Every  time.Duration        // how often; 0: never
}

// countsFilters and countsFlows say which counters of the device are read.
func (w *worker) countsFilters() (device.CounterReader, bool) {
	reader, ok := w.dev.Filter.(device.CounterReader)
	return reader, ok && w.dev.Counters > 0
}

func (w *worker) countsFlows() bool {
	return w.dev.Flows.Reader != nil && w.dev.Flows.Every > 0 && w.dev.Native != nil
}

// countEvery returns how often counters are read; 0: never.
func (w *worker) countEvery() time.Duration {
	_, filters := w.countsFilters()
	switch {
	case filters && w.countsFlows():
		return min(w.dev.Counters, w.dev.Flows.Every)
	case w.countsFlows():
		return w.dev.Flows.Every
	case filters:
		return w.dev.Counters
	}
	return 0
}

// readCounters returns what the device has counted, by names of which ruleOf knows whose they are. errors.ErrUnsupported: it counts nothing that can be read.
func (w *worker) readCounters(ctx context.Context) (map[string]device.Counter, error) {
	out, known := map[string]device.Counter{}, false
	if reader, ok := w.countsFilters(); ok {
		got, err := reader.Counters(ctx, w.dev.Target)
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return nil, err
		}
		known = err == nil
		maps.Copy(out, got)
	}
	if w.countsFlows() {
		got, err := w.dev.Flows.Reader.Counters(ctx, w.dev.Flows.Target)
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return nil, fmt.Errorf("of routes: %w", err)
		}
		known = known || err == nil
		maps.Copy(out, w.ofRoutes(got))
	}
	if !known {
		return nil, errors.ErrUnsupported
	}
	return out, nil
}

// ofRoutes returns the counters of the routes of rules that the session was given, all of a rule or none: a part of what a rule matched is not what it matched. They are named by the rule and the octets of the route.
func (w *worker) ofRoutes(counters map[string]device.Counter) map[string]device.Counter {
	m := w.plans.latest.Load()
	if m == nil || m.plan == nil || len(counters) == 0 {
		return nil
	}
	rules, shared := m.rules(), sharedFlows(m.plan)
	out := map[string]device.Counter{}
	for i, v := range m.plan.Verdicts {
		if v.Carried == plan.InFilter || v.Carried == plan.Rejected || !w.ledger.has(rules[i], v.Carried) {
			continue
		}
		mine, whole := map[string]device.Counter{}, len(v.Entries) > 0
		for _, e := range v.Entries {
			if e.Route == nil {
				whole = false
				break
			}
			octets, flow := device.NLRIName(e.Route.Match), device.FlowName(e.Route.Match)
			n, there := counters[octets]
			if !there && shared[flow] == 1 {
				n, there = counters[flow]
			}
			mine["r-"+string(v.Rule)+" "+octets] = n
			whole = whole && there
		}
		if whole {
			maps.Copy(out, mine)
		}
	}
	return out
}

// sharedFlows returns how many routes of a plan have each FlowName: a router that shows texts counts them under one name, which is then nobody's.
func sharedFlows(p *plan.Plan) map[string]int {
	out := map[string]int{}
	for _, v := range p.Verdicts {
		for _, e := range v.Entries {
			if e.Route != nil {
				out[device.FlowName(e.Route.Match)]++
			}
		}
	}
	return out
}

// silentFlows says why nothing follows from a rule that a device has by BGP having no hits.
func (w *worker) silentFlows() string {
	if w.countsFlows() {
		return w.dev.Name + " has it by BGP: its counters show what was matched, and no source says that they miss nothing"
	}
	return w.dev.Name + " has it by BGP, and is not asked for counters"
}
