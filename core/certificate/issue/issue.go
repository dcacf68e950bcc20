// Package issue makes certificates of plans: the data that package verify needs, and the steps of the proof that it would have to search for.
//
// Nothing here has to be believed. What is left out or wrong makes a certificate that does not verify.
package issue

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
)

// For returns the certificate of plan made, which is of rules, for a device with profile p and options opt. The error is about a plan that does not
// belong to these arguments.
func For(rules []flowspec.Rule, made *plan.Plan, p *profile.Profile, opt plan.Options) (*certificate.Certificate, error) {
	p, err := p.With(opt.Settings)
	if err != nil {
		return nil, err
	}
	w := &writer{profile: p, c: &certificate.Certificate{Version: certificate.Version, Profile: p.Name, Platform: platformOf(p, opt)},
		at: make(map[flowspec.ID]int, len(rules)), owner: map[string]int{}}
	if len(opt.Settings) > 0 {
		w.c.Settings = maps.Clone(opt.Settings)
	}
	rules = slices.SortedFunc(slices.Values(rules), func(a, b flowspec.Rule) int { return flowspec.Compare(a.Match, b.Match) })
	for i := range rules {
		w.rule(&rules[i])
	}
	for i := range made.Verdicts {
		if err := w.verdict(made.Verdicts[i]); err != nil {
			return nil, err
		}
	}
	routes := slices.SortedFunc(slices.Values(made.Desired.Routes), func(a, b *device.Route) int { return flowspec.Compare(a.Match, b.Match) })
	for _, r := range routes {
		if err := w.route(r); err != nil {
			return nil, err
		}
	}
	for i := range made.Desired.Filters {
		if err := w.filter(&made.Desired.Filters[i]); err != nil {
			return nil, err
		}
	}
	w.measured(opt.Measured)
	w.c.Facts = factsOf(p, made)
	w.prove()
	return w.c, nil
}

// writer fills one certificate.
type writer struct {
	profile *profile.Profile
	c       *certificate.Certificate
	at      map[flowspec.ID]int // place of each rule
	owner   map[string]int      // rule that each route is for, by family and NLRI
	rules   []item              // as in the certificate: those of one plane in the order of RFC 8955
	entries []item              // the same, in each stage
}

// item is what the proof needs to know of a rule or an entry.
type item struct {
	plane    plane
	set      packet.Set
	does     string // equal where the outcomes are; "" for a rate, which is like no other
	severity int
	terminal bool
	judged   bool // a rule with a verdict
	carried  bool
	owner    int    // of an entry
	native   bool   // an entry that is a route
	route    string // the key of that
	entries  []int  // of a rule
}

// plane is the packets that rules of one family and route distinguisher meet.
type plane struct {
	family flowspec.Family
	rd     flowspec.RD
}

func planeOf(m flowspec.Match) plane {
	out := plane{family: m.Family()}
	if out.family.VPN() {
		out.rd = m.RD()
	}
	return out
}

func platformOf(p *profile.Profile, opt plan.Options) certificate.Platform {
	out := certificate.Platform{Pipeline: p.Pipeline, Placement: string(opt.Placement)}
	if out.Placement == "" {
		out.Placement = string(filter.Alone)
	}
	if p.Native != nil {
		out.Order, out.OrderV6 = p.Native.OrderFor(4).Kind, p.Native.OrderFor(6).Kind
	}
	if f := p.Filter; f != nil {
		s := f.Semantics
		out.Filter = &certificate.Semantics{PortsCheckProtocol: s.PortsCheckProtocol, FlagsCheckProtocol: s.FlagsCheckProtocol,
			ICMPChecksProtocol: s.ICMPChecksProtocol, TransportChecksOffset: s.TransportChecksOffset, SharedPolicer: f.SharedPolicer.OK}
	}
	return out
}

// measured gives the routes that have a place in order theirs, in families whose order is not known otherwise.
func (w *writer) measured(order *plan.MeasuredOrder) {
	place := map[string]int{}
	for _, m := range order.Listed() {
		place[routeKey(m)] = len(place) + 1
	}
	for i := range w.entries {
		e := &w.entries[i]
		if e.native && w.profile.Native.OrderFor(uint8(e.plane.family.Version())).Kind == "unknown" {
			w.c.Entries[i].Measured = place[e.route]
		}
	}
}

// factsOf returns what verdicts rest on, and what the proof itself rests on, in the order of the profile.
func factsOf(p *profile.Profile, made *plan.Plan) []certificate.Fact {
	used := map[string]bool{}
	for i := range made.Verdicts {
		for _, id := range made.Verdicts[i].Facts {
			used[id] = true
		}
	}
	for i := range made.Desired.Routes {
		used[p.Native.OrderFor(uint8(made.Desired.Routes[i].Match.Family().Version())).Fact] = true
	}
	if len(made.Desired.Filters) > 0 {
		used[p.Filter.SemanticsFact] = true
	}
	out := []certificate.Fact{}
	for _, id := range p.FactIDs() {
		if f := p.Facts[id]; used[id] {
			out = append(out, certificate.Fact{ID: id, Text: f.Text, Source: f.Source, Basis: string(f.Basis)})
		}
	}
	return out
}

// clause returns a match and an action as octets.
func clause(m flowspec.Match, a flowspec.Action) certificate.Clause {
	out := certificate.Clause{NLRI: hex.EncodeToString(m.NLRI()), Actions: []string{}}
	list, hop := a.Communities()
	for _, c := range list {
		out.Actions = append(out.Actions, hex.EncodeToString([]byte(c)))
	}
	if hop.IsValid() {
		out.NextHop = hop.String()
	}
	return out
}

func (w *writer) rule(r *flowspec.Rule) {
	w.at[r.ID] = len(w.c.Rules)
	w.c.Rules = append(w.c.Rules, certificate.Rule{ID: string(r.ID), Family: r.Match.Family().String(), Clause: clause(r.Match, r.Action), Rejected: true})
	w.rules = append(w.rules, item{plane: planeOf(r.Match), set: r.Match.Set(), does: r.Action.String(),
		severity: severity(r.Action), terminal: !r.Action.Continue})
	if r.Action.Rate != nil && !r.Action.Discard() {
		w.rules[len(w.rules)-1].does = ""
	}
}

func severity(a flowspec.Action) int {
	switch {
	case a.Discard():
		return 4
	case a.Rate != nil:
		return 3
	case a.Redirect != nil:
		return 2
	case a.Mark != nil || a.Sample:
		return 1
	}
	return 0
}

// verdict writes what is claimed of a rule, and notes whose the routes are.
func (w *writer) verdict(v *plan.Verdict) error {
	i, ok := w.at[v.Rule]
	if !ok || w.rules[i].judged {
		return fmt.Errorf("the plan has a verdict on rule %s, which is not one of these rules", v.Rule)
	}
	w.c.Rules[i].Rejected, w.c.Rules[i].Exact = v.Carried == plan.Rejected, v.Exact
	w.rules[i].judged, w.rules[i].carried = true, v.Carried != plan.Rejected
	for _, e := range v.Entries {
		if e.Route != nil {
			w.owner[routeKey(e.Route.Match)] = i
		}
	}
	return nil
}

func routeKey(m flowspec.Match) string { return m.Family().String() + string(m.NLRI()) }

func (w *writer) route(r *device.Route) error {
	key := routeKey(r.Match)
	i, ok := w.owner[key]
	if !ok {
		return fmt.Errorf("the plan has a route %s, which is of no rule", r.Match)
	}
	w.enter(certificate.Entry{Rule: i, Stage: certificate.FlowSpec, Clause: clause(r.Match, r.Action)},
		item{plane: planeOf(r.Match), set: r.Match.Set(), native: true, route: key})
	return nil
}

// enter adds an entry.
func (w *writer) enter(e certificate.Entry, it item) {
	r := &w.rules[e.Rule]
	it.owner, it.terminal, it.does, it.severity = e.Rule, r.terminal, r.does, r.severity
	r.entries = append(r.entries, len(w.entries))
	w.c.Entries, w.entries = append(w.c.Entries, e), append(w.entries, it)
}

func (w *writer) filter(f *filter.Filter) error {
	rates := make(map[string]flowspec.Rate, len(f.Policers))
	for _, p := range f.Policers {
		rates[p.Name] = p.Rate
	}
	family := flowspec.IPv4
	if f.Version == packet.IPv6 {
		family = flowspec.IPv6
	}
	for i := range f.Entries {
		e := &f.Entries[i]
		owner, ok := w.at[e.Rule]
		if !ok {
			return fmt.Errorf("the plan has an entry %s for rule %s, which is not one of these rules", e.Name, e.Rule)
		}
		m, err := matchOf(&e.Match, family)
		if err != nil {
			return fmt.Errorf("entry %s: %w", e.Name, err)
		}
		w.enter(certificate.Entry{Rule: owner, Stage: certificate.Filter, Clause: clause(m, actionOf(e.Do, rates)), Name: e.Name, Policer: e.Do.Policer},
			item{plane: plane{family: family}, set: e.Match.Set(f.Version, w.profile.Filter.Semantics)})
	}
	return nil
}

// actionOf returns the action that asks for what an entry does.
func actionOf(d filter.Do, rates map[string]flowspec.Rate) flowspec.Action {
	out := flowspec.Action{Redirect: d.Redirect, Mark: d.Mark, Sample: d.Sample, Continue: d.Continue}
	if r, ok := rates[d.Policer]; ok {
		out.Rate = &r
	}
	if d.Discard {
		out.Rate = &flowspec.Rate{Unit: flowspec.Bytes}
	}
	return out
}
