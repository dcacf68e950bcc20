// Package admit answers one question: may this source say this rule?
//
// What each source may filter is configured: destination prefixes, components, actions, lifetimes. A [Policy] is that, and [Policy.Check] names the clause that keeps a rule out. Nothing is trimmed to
// fit: a rule is admitted whole or not at all.
//
// RFC 8955 §6 ties a rule to the unicast routes of its destination besides. A gateway between detectors and routers need not have such routes; where neighbours send them, a [Validation] compares the rules of other
// autonomous systems with them, clause by clause, and again with every change.
//
// How many rules a source may have is known exactly only where they are kept, in the RIB.
package admit

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gaissmai/bart"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Policy is what one source may say. The zero Policy admits nothing: it allows no destination.
type Policy struct {
	Destinations   []netip.Prefix  // a rule's destination must be inside one of them
	AnyDestination bool            // any destination, and rules without one
	Protected      []netip.Prefix  // a rule that could match a packet to one of them is not admitted, whatever else is allowed
	Own            *Sessions       // a rule that filters packets of one of them is not admitted, whatever else is allowed; nil: none
	Components     []flowspec.Type // nil: all
	Actions        []string        // of "accept", "discard", "rate-limit", "redirect", "mark", "sample", "continue"; nil: all
	MaxTTL         time.Duration   // 0: no limit; with one, a rule without expiry is not admitted
	VPNs           []VPN           // a rule of a VPN must be of one of them; nil: no rule of a VPN is admitted
	AnyVPN         bool            // rules of any VPN
	From           Origins         // whose rules a BGP neighbour may bring
	In             *flowspec.RD    // the VPN that the rules of no VPN are of, see Placed; nil: none

	index *bart.Lite // of Destinations; nil: they are looked through one by one
}

// VPN is a VPN whose packets a source may filter. One address stands for different hosts in different VPNs, so destinations alone say little there.
type VPN struct {
	Name string
	RD   flowspec.RD
	// Targets are the route targets that the rules of the VPN bear where they come by BGP: a rule with the right route distinguisher and without any of them is not
	// admitted. Nil: they are not looked at.
	Targets []flowspec.ExtComm
}

// NotAdmitted says which clause of a policy keeps a rule out.
type NotAdmitted struct {
	Clause string // "vpn", "destination", "protected", "own-session", "component", "action", "ttl", "origin", "validation-a", "-b", "-c", "-as"
	Detail string // for people: `destination 203.0.113.9/32 is outside what this source may filter: 198.51.100.0/24`
}

func (e *NotAdmitted) Error() string { return "not admitted: " + e.Detail }

// Indexed returns p with an index over Destinations, for policies with many prefixes. What Check says is the same. The
// prefixes must not be changed afterwards.
func (p Policy) Indexed() Policy {
	p.index = new(bart.Lite)
	for _, d := range p.Destinations {
		p.index.Insert(d)
	}
	return p
}

// Placed returns the match of a rule as it is meant where the source speaks of one VPN and its language has no word for that. Check is asked about what it returns.
func (p Policy) Placed(m flowspec.Match) (flowspec.Match, error) {
	if p.In == nil || m.Family().VPN() {
		return m, nil
	}
	return m.InVPN(*p.In)
}

// Check returns a *NotAdmitted, or nil. The number of rules is not its business: the RIB knows it exactly (rib.SourcePolicy.MaxRules).
func (p Policy) Check(r flowspec.Rule, now time.Time) error {
	for _, clause := range []func(flowspec.Rule) *NotAdmitted{
		p.checkVPN, p.checkDestination, p.checkProtected, p.Own.check, p.checkComponents, p.checkActions,
		func(r flowspec.Rule) *NotAdmitted { return p.checkTTL(r, now) },
	} {
		if e := clause(r); e != nil {
			return e
		}
	}
	return nil
}

func (p Policy) checkVPN(r flowspec.Rule) *NotAdmitted {
	if !r.Match.Family().VPN() || p.AnyVPN {
		return nil
	}
	rd := r.Match.RD()
	at := slices.IndexFunc(p.VPNs, func(v VPN) bool { return v.RD == rd })
	if at < 0 {
		return &NotAdmitted{"vpn", "the rule is of a VPN in which this source may not filter; it may in " + p.vpns()}
	}
	v := p.VPNs[at]
	if v.Targets != nil && !slices.ContainsFunc(v.Targets, func(t flowspec.ExtComm) bool { return slices.Contains(r.Others, t) }) {
		return &NotAdmitted{"vpn", fmt.Sprintf("the rule has the route distinguisher of %s and none of its route targets", v.Name)}
	}
	return nil
}

// vpns prints where the source may filter.
func (p Policy) vpns() string {
	if len(p.VPNs) == 0 {
		return "none"
	}
	var names []string
	for _, v := range p.VPNs {
		names = append(names, v.Name)
	}
	return strings.Join(names, ", ")
}

// destination returns the destination prefix of a rule. An IPv6 pattern that begins later than at bit 0 is none: RFC 8956
// §5 asks for "a destination prefix component with offset 0".
func destination(m flowspec.Match) (netip.Prefix, bool) {
	c, ok := m.Component(flowspec.DstPrefix)
	if !ok || c.Prefix.Offset != 0 {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(c.Prefix.Addr, int(c.Prefix.Len)), true
}

func (p Policy) checkDestination(r flowspec.Rule) *NotAdmitted {
	if p.AnyDestination {
		return nil
	}
	d, ok := destination(r.Match)
	switch {
	case !ok && r.Match.Has(flowspec.DstPrefix):
		return p.outside("a destination pattern with an offset is not inside a prefix; this source may filter")
	case !ok:
		return p.outside("a rule without destination matches packets to everyone; this source may filter")
	case p.covers(d):
		return nil
	}
	return p.outside(fmt.Sprintf("destination %s is outside what this source may filter", d))
}

func (p Policy) outside(what string) *NotAdmitted {
	return &NotAdmitted{"destination", what + ": " + list(p.Destinations)}
}

// list prints prefixes, shortened where they are many.
func list(prefixes []netip.Prefix) string {
	const most = 5
	if len(prefixes) == 0 {
		return "nothing"
	}
	var words []string
	for _, q := range prefixes[:min(most, len(prefixes))] {
		words = append(words, q.String())
	}
	if n := len(prefixes) - most; n > 0 {
		words = append(words, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(words, ", ")
}

// covers says whether all addresses of d are inside one of the allowed prefixes.
func (p Policy) covers(d netip.Prefix) bool {
	if p.index != nil {
		return p.index.LookupPrefix(d)
	}
	return slices.ContainsFunc(p.Destinations, func(q netip.Prefix) bool { return q.Bits() <= d.Bits() && q.Contains(d.Addr()) })
}

func (p Policy) checkProtected(r flowspec.Rule) *NotAdmitted {
	if len(p.Protected) == 0 {
		return nil
	}
	d, ok := destination(r.Match)
	if !ok {
		for _, q := range p.Protected {
			if q.Addr().Is4() == (r.Match.Family().Version() == 4) {
				return &NotAdmitted{"protected", fmt.Sprintf("a rule without destination prefix may match packets to %s, which is protected: name a destination", q)}
			}
		}
		return nil
	}
	for _, q := range p.Protected {
		if q.Overlaps(d) {
			return &NotAdmitted{"protected", fmt.Sprintf("destination %s overlaps %s, which is protected", d, q)}
		}
	}
	return nil
}

func (p Policy) checkComponents(r flowspec.Rule) *NotAdmitted {
	if p.Components == nil {
		return nil
	}
	for c := range r.Match.All() {
		if !slices.Contains(p.Components, c.Type) {
			return &NotAdmitted{"component", fmt.Sprintf("this source may not use the component %s", c.Type)}
		}
	}
	return nil
}

func (p Policy) checkActions(r flowspec.Rule) *NotAdmitted {
	if p.Actions == nil {
		return nil
	}
	if len(r.Action.Unknown) > 0 {
		return &NotAdmitted{"action", fmt.Sprintf("extended community %s is not understood, and this source may only: %s", r.Action.Unknown[0], strings.Join(p.Actions, ", "))}
	}
	for _, word := range words(r.Action) {
		if !slices.Contains(p.Actions, word) {
			return &NotAdmitted{"action", fmt.Sprintf("this source may not %s, only: %s", word, strings.Join(p.Actions, ", "))}
		}
	}
	return nil
}

// words returns the words of Policy.Actions that a asks for.
func words(a flowspec.Action) []string {
	var w []string
	switch {
	case a.Discard():
		w = append(w, "discard")
	case a.Rate != nil:
		w = append(w, "rate-limit")
	}
	if a.Redirect != nil {
		w = append(w, "redirect")
	}
	if a.Mark != nil {
		w = append(w, "mark")
	}
	if a.Sample {
		w = append(w, "sample")
	}
	if a.Continue {
		w = append(w, "continue")
	}
	if len(w) == 0 {
		// Accept is an action of its own: it ends the evaluation, so it shields packets from every rule below (RFC 8955 §7).
		w = append(w, "accept")
	}
	return w
}

func (p Policy) checkTTL(r flowspec.Rule, now time.Time) *NotAdmitted {
	if !r.Expires.IsZero() && !r.Expires.After(now) {
		return &NotAdmitted{"ttl", fmt.Sprintf("the rule expired at %s", r.Expires.UTC().Format(time.RFC3339))}
	}
	if p.MaxTTL == 0 {
		return nil
	}
	if r.Expires.IsZero() {
		return &NotAdmitted{"ttl", fmt.Sprintf("the rule never expires, and rules of this source live %s at most", p.MaxTTL)}
	}
	if ttl := r.Expires.Sub(now); ttl > p.MaxTTL {
		return &NotAdmitted{"ttl", fmt.Sprintf("the rule would live %s, and rules of this source live %s at most", ttl.Round(time.Second), p.MaxTTL)}
	}
	return nil
}
