package trace

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/table"
)

// Planned is what a device holds, or would hold.
type Planned struct {
	Profile  *profile.Profile // with the settings of the device
	Desired  device.State
	Verdicts []*plan.Verdict
	Measured *plan.MeasuredOrder // of the device; nil: none
}

// The stages of a device, by the words of profiles.
const (
	inFilter   = "filter"
	inFlowSpec = "flowspec"
)

// Device is how one device treats a packet.
type Device struct {
	Name string `json:"name"`
	Pass
	// Otherwise is set where it is not known in which order the device looks at its filter and at FlowSpec, and the packet meets both: the way in
	// the other order.
	Otherwise *Pass  `json:"otherwise"`
	Same      bool   `json:"same"` // it does what the rules ask, in either order
	Lost      []Lost `json:"lost"` // rules that match the packet and are not carried
}

// Pass is the way of a packet through the stages of a device.
type Pass struct {
	Stages []Stage  `json:"stages"`
	Does   []string `json:"does"` // by all stages together; empty: accept
	// Policers that the packet draws from; two packets with one in common share it.
	Policers []string `json:"policers"`

	done []done
}

// Stage is the way of a packet through one filter, or through FlowSpec.
type Stage struct {
	Stage  string `json:"stage"`  // "filter" or "flowspec"
	Filter string `json:"filter"` // name of the filter
	Order  string `json:"order"`  // "sequence", "rfc8955", "measured" (of the entries that match) or "unknown"
	Before bool   `json:"before"` // the operator's own filter is behind it
	Packet string `json:"packet"` // as it comes to this stage: one before may have marked it
	// Undecided: several entries match and do not do the same, in an order that is not known.
	Undecided bool `json:"undecided"`
	Walk
}

// Lost is a rule that matches the packet and is not carried.
type Lost struct {
	Step
	Reasons []plan.Reason `json:"reasons"` // the errors; empty where the rule is not planned yet
}

// On returns how a device treats h. asked is what Asked returned for h and rules.
func (o Options) On(d Planned, name string, rules []flowspec.Rule, asked *Walk, h packet.Header) Device {
	stages := o.stages(d, h)
	out := Device{Name: name, Pass: o.pass(stages, h), Lost: o.lost(d, rules, h)}
	out.Same = sameDone(asked.done, out.done) && !slices.ContainsFunc(out.Stages, undecided)
	if len(stages) > 1 && d.Profile.Pipeline == nil {
		slices.Reverse(stages)
		other := o.pass(stages, h)
		out.Otherwise = &other
		out.Same = out.Same && sameDone(asked.done, other.done) && !slices.ContainsFunc(other.Stages, undecided)
	}
	return out
}

func undecided(s Stage) bool { return s.Undecided }

// stage is one filter, or FlowSpec, with the lines that it looks at.
type stage struct {
	about Stage
	lines []line
}

// stages returns the stages that hold something for packets like h, in the order of the device where that is known.
func (o Options) stages(d Planned, h packet.Header) []stage {
	var out []stage
	if o.RD == "" { // which interfaces are in a VPN, and have our filter, is not known here
		for i := range d.Desired.Filters {
			if f := &d.Desired.Filters[i]; f.Version == h.Version() {
				out = append(out, stage{Stage{Stage: inFilter, Filter: f.Name, Order: "sequence", Before: f.Placement == filter.Before}, filterLines(f, d)})
			}
		}
	}
	if lines := o.routeLines(d, h); len(lines) > 0 {
		order := d.Profile.Native.Order
		if h.Version() == packet.IPv6 && d.Profile.Native.OrderV6 != nil {
			order = *d.Profile.Native.OrderV6
		}
		if order.Kind == "unknown" && asMeasured(lines, h, d.Measured) {
			order.Kind = "measured"
		}
		out = append(out, stage{Stage{Stage: inFlowSpec, Order: order.Kind}, lines})
	}
	slices.SortStableFunc(out, func(a, b stage) int {
		return slices.Index(d.Profile.Pipeline, a.about.Stage) - slices.Index(d.Profile.Pipeline, b.about.Stage)
	})
	return out
}

// asMeasured puts the lines that match h into the order that was measured, and says whether it knows all of them. What does not match has no say.
func asMeasured(lines []line, h packet.Header, order *plan.MeasuredOrder) bool {
	var at []int
	var match []line
	for i := range lines {
		if l := &lines[i]; l.destined(&h) && len(l.misses(&h)) == 0 {
			at, match = append(at, i), append(match, *l)
		}
	}
	for i := range match {
		for k := range match[:i] {
			if _, known := order.Compare(match[i].match, match[k].match); !known {
				return false
			}
		}
	}
	slices.SortFunc(match, func(a, b line) int {
		n, _ := order.Compare(a.match, b.match)
		return n
	})
	for k, i := range at {
		lines[i] = match[k]
	}
	return len(at) > 1
}

// filterLines returns the entries of f. Those of rejected rules are not delivered: a filter that cannot be written is in the plan all the same.
func filterLines(f *filter.Filter, d Planned) []line {
	rejected := map[flowspec.ID]bool{}
	for _, v := range d.Verdicts {
		if v.Carried == plan.Rejected {
			rejected[v.Rule] = true
		}
	}
	does := f.Table(d.Profile.Filter.Semantics)
	out := make([]line, 0, len(f.Entries))
	for i := range f.Entries {
		e := &f.Entries[i]
		if !rejected[e.Rule] {
			out = append(out, line{rule: e.Rule, entry: e, semantics: d.Profile.Filter.Semantics, do: does[i].Do, continues: e.Do.Continue, bucket: e.Do.Policer})
		}
	}
	return out
}

// routeLines returns the routes that are about packets like h, in the order of RFC 8955 §5.1. Each route has a policer of its own.
func (o Options) routeLines(d Planned, h packet.Header) []line {
	if d.Profile.Native == nil {
		return nil
	}
	owner := make(map[string]flowspec.ID, len(d.Desired.Routes))
	for _, v := range d.Verdicts {
		for _, e := range v.Entries {
			if e.Route != nil {
				owner[string(e.Route.Match.NLRI())] = v.Rule
			}
		}
	}
	var out []line
	for _, r := range d.Desired.Routes {
		if !o.concerns(r.Match, h) {
			continue
		}
		id := owner[string(r.Match.NLRI())]
		out = append(out, line{rule: id, match: r.Match, route: r, continues: r.Action.Continue, bucket: fmt.Sprintf("route %x", r.Match.NLRI()),
			do: table.Want(flowspec.Rule{ID: id, Action: r.Action})})
	}
	slices.SortStableFunc(out, func(a, b line) int { return flowspec.Compare(a.match, b.match) })
	return out
}

// pass sends h through stages. Only a discard keeps it from the next one; the next one sees the DSCP that this one set.
func (o Options) pass(stages []stage, h packet.Header) Pass {
	p := Pass{Stages: []Stage{}, Does: []string{}, Policers: []string{}}
	for i := range stages {
		s := stages[i].about
		s.Packet = h.String()
		s.Walk = o.walk(stages[i].lines, h)
		s.Undecided = s.Order == "unknown" && differing(&stages[i], h)
		p.Stages = append(p.Stages, s)
		p.done, p.Policers = append(p.done, s.done...), append(p.Policers, s.Policers...)
		if slices.ContainsFunc(s.done, func(d done) bool { return d.do.Discard }) {
			break
		}
		for _, d := range s.done {
			if d.do.Marked {
				h.DSCP = d.do.Mark
			}
		}
	}
	for _, d := range p.done {
		p.Does = append(p.Does, o.words(d))
	}
	return p
}

// differing says whether lines of s that match h do not all do the same.
func differing(s *stage, h packet.Header) bool {
	var first *line
	for i := range s.lines {
		l := &s.lines[i]
		if !l.destined(&h) || len(l.misses(&h)) > 0 {
			continue
		}
		if first == nil {
			first = l
		} else if l.do != first.do || l.continues != first.continues {
			return true
		}
	}
	return false
}

// lost returns the rules that match h and that d does not carry.
func (o Options) lost(d Planned, rules []flowspec.Rule, h packet.Header) []Lost {
	verdicts := make(map[flowspec.ID]*plan.Verdict, len(d.Verdicts))
	for _, v := range d.Verdicts {
		verdicts[v.Rule] = v
	}
	out := []Lost{}
	at := -1
	for i := range rules {
		r := &rules[i]
		if !o.concerns(r.Match, h) {
			continue
		}
		at++
		v := verdicts[r.ID]
		if v != nil && v.Carried != plan.Rejected {
			continue
		}
		l := ruleLine(r)
		if !l.destined(&h) || len(l.misses(&h)) > 0 {
			continue
		}
		one := Lost{Step: o.step(&l, at, []Miss{}), Reasons: []plan.Reason{}}
		if v != nil {
			one.Reasons = slices.DeleteFunc(slices.Clone(v.Reasons), func(r plan.Reason) bool { return r.Severity != plan.Error })
		}
		out = append(out, one)
	}
	return out
}

// deed is one thing that is done to a packet.
type deed struct {
	what   string
	rule   flowspec.ID // of a policer
	amount float32
}

// deeds returns what list does, each thing once: to mark twice alike, or to pass a policer of one rule in two entries, is to do it once. To sample twice
// is not.
func deeds(list []done) (out []deed) {
	add := func(d deed) {
		if d.what == "sample" || !slices.ContainsFunc(out, d.same) {
			out = append(out, d)
		}
	}
	for _, d := range list {
		if d.odd != "" {
			add(deed{what: "odd " + string(d.odd)})
		}
		if d.do.Discard {
			add(deed{what: "discard"})
		}
		if d.do.Policer != "" {
			add(deed{what: fmt.Sprint("rate ", d.do.Rate.Unit), rule: d.rule, amount: d.do.Rate.Amount})
		}
		if d.do.Redirect != "" {
			add(deed{what: fmt.Sprint("redirect ", d.do.Redirect, d.do.Copy)})
		}
		if d.do.Marked {
			add(deed{what: fmt.Sprint("mark ", d.do.Mark)})
		}
		if d.do.Sample {
			add(deed{what: "sample"})
		}
	}
	return out
}

// same says whether d and e are the same, rates within 1 %: what a verdict calls exact.
func (d deed) same(e deed) bool {
	lo, hi := min(d.amount, e.amount), max(d.amount, e.amount)
	return d.what == e.what && d.rule == e.rule && hi <= lo*1.01
}

// sameDone says whether two lists do the same to a packet.
func sameDone(want, got []done) bool { return slices.EqualFunc(deeds(want), deeds(got), deed.same) }
