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
	for i := range rules {
		w.rule(&rules[i])
	}
	for i := range made.Verdicts {
		if err := w.verdict(made.Verdicts[i]); err != nil {
			return nil, err
		}
	}
	for i := range made.Desired.Routes {
		if err := w.route(made.Desired.Routes[i]); err != nil {
			return nil, err
		}
	}
	for i := range made.Desired.Filters {
		if err := w.filter(&made.Desired.Filters[i]); err != nil {
			return nil, err
		}
	}
	w.c.Platform.Measured = w.measured(opt.Measured)
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
	rules   []item
	entries []item
}

// item is what the proof needs to know of a rule or an entry.
type item struct {
	plane    plane
	match    flowspec.Match
	set      packet.Set
	does     string // equal where the outcomes are; "" for a rate, which is like no other
	severity int
	terminal bool
	carried  bool
	owner    int   // of an entry
	native   bool  // an entry that is a route
	entries  []int // of a rule
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

// measured returns the routes of the plan that have a place in order, in order, of families whose order is not known otherwise.
func (w *writer) measured(order *plan.MeasuredOrder) (out []certificate.Route) {
	for _, m := range order.Listed() {
		_, sent := w.owner[routeKey(&device.Route{Match: m})]
		if sent && w.profile.Native.OrderFor(uint8(m.Family().Version())).Kind == "unknown" {
			out = append(out, certificate.Route{Family: m.Family().String(), NLRI: hex.EncodeToString(m.NLRI())})
		}
	}
	return out
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

// communities returns actions as octets.
func communities(a flowspec.Action) (out []string, nextHop string) {
	list, hop := a.Communities()
	out = []string{}
	for _, c := range list {
		out = append(out, hex.EncodeToString([]byte(c)))
	}
	if hop.IsValid() {
		nextHop = hop.String()
	}
	return out, nextHop
}

func (w *writer) rule(r *flowspec.Rule) {
	actions, hop := communities(r.Action)
	w.at[r.ID] = len(w.c.Rules)
	w.c.Rules = append(w.c.Rules, certificate.Rule{ID: string(r.ID), Family: r.Match.Family().String(), NLRI: hex.EncodeToString(r.Match.NLRI()),
		Actions: actions, NextHop: hop})
	w.rules = append(w.rules, item{plane: planeOf(r.Match), match: r.Match, set: r.Match.Set(), does: r.Action.String(),
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
	if !ok || w.c.Rules[i].Carried != "" {
		return fmt.Errorf("the plan has a verdict on rule %s, which is not one of these rules", v.Rule)
	}
	w.c.Rules[i].Carried, w.c.Rules[i].Exact = string(v.Carried), v.Exact
	w.rules[i].carried = v.Carried != plan.Rejected
	for _, e := range v.Entries {
		if e.Route != nil {
			w.owner[routeKey(e.Route)] = i
		}
	}
	return nil
}

func routeKey(r *device.Route) string { return r.Match.Family().String() + string(r.Match.NLRI()) }

func (w *writer) route(r *device.Route) error {
	i, ok := w.owner[routeKey(r)]
	if !ok {
		return fmt.Errorf("the plan has a route %s, which is of no rule", r.Match)
	}
	actions, hop := communities(r.Action)
	w.enter(certificate.Entry{Rule: i, NLRI: hex.EncodeToString(r.Match.NLRI()), Actions: actions, NextHop: hop},
		item{plane: planeOf(r.Match), match: r.Match, set: r.Match.Set(), native: true})
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
	for _, p := range f.Policers {
		unit := "bytes/s"
		if p.Rate.Unit == flowspec.Packets {
			unit = "packets/s"
		}
		w.c.Policers = append(w.c.Policers, certificate.Policer{Name: p.Name, Rate: p.Rate.Amount, Unit: unit})
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
		w.enter(certificate.Entry{Rule: owner, Name: e.Name, Match: matchOf(&e.Match), Do: doOf(e.Do)},
			item{plane: plane{family: family}, set: e.Match.Set(f.Version, w.profile.Filter.Semantics)})
	}
	return nil
}

func matchOf(m *filter.Match) *certificate.Match {
	out := &certificate.Match{Proto: valuesOf(m.Proto), Port: valuesOf(m.Port), DstPort: valuesOf(m.DstPort), SrcPort: valuesOf(m.SrcPort),
		ICMPType: valuesOf(m.ICMPType), ICMPCode: valuesOf(m.ICMPCode), Length: valuesOf(m.Length), DSCP: valuesOf(m.DSCP), Label: valuesOf(m.Label)}
	if m.Dst != nil {
		out.Dst = m.Dst.String()
	}
	if m.Src != nil {
		out.Src = m.Src.String()
	}
	if m.Flags != nil {
		out.Flags = []certificate.Flags{}
	}
	for _, t := range m.Flags {
		out.Flags = append(out.Flags, certificate.Flags{Set: t.Set, Clear: t.Clear})
	}
	for i, word := range certificate.FragmentStates {
		if m.Fragments>>i&1 != 0 {
			out.Fragments = append(out.Fragments, word)
		}
	}
	return out
}

func valuesOf(v packet.Values) certificate.Values {
	if v == nil {
		return nil
	}
	out := make(certificate.Values, len(v))
	for i, s := range v {
		out[i] = [2]uint32{s.Lo, s.Hi}
	}
	return out
}

func doOf(d filter.Do) *certificate.Do {
	out := &certificate.Do{Discard: d.Discard, Policer: d.Policer, Mark: d.Mark, Sample: d.Sample, Continue: d.Continue}
	if r := d.Redirect; r != nil {
		out.Redirect, out.Copy = r.Addr.String(), r.Copy
		if !r.NextHop() {
			list, _ := communities(flowspec.Action{Redirect: r})
			out.Redirect = list[0]
		}
	}
	return out
}

// sorted returns the places of items in the order of evaluation that RFC 8955 gives them; without matches, as they are.
func sorted(items []item, places []int) []int {
	return slices.SortedStableFunc(slices.Values(places), func(a, b int) int { return flowspec.Compare(items[a].match, items[b].match) })
}
