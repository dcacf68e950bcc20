package plan

import (
	"fmt"
	"math"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/profile"
)

// planned is what a mechanism makes of a rule's actions.
type planned struct {
	action  flowspec.Action
	changed bool // action is not the rule's own
	exact   bool // the rate, if any, is within 1 % of what was asked
	reasons []Reason
	facts   factSet
	refused *Reason
	who     string // carries it out, or does not
}

// actions says how m carries out a for rules of family f.
func (p *platform) actions(m *mechanism, f flowspec.Family, a flowspec.Action) planned {
	out := planned{action: a, exact: true, who: p.who(m)}
	if len(a.Unknown) > 0 {
		out.refuse(Reason{Code: "unknown-action", Severity: Error, Component: "action",
			Message: fmt.Sprintf("community %s is not understood, or contradicts another one", a.Unknown[0]),
			Hint:    "a device may do anything with it; take it off, or leave one action of each kind"})
		return out
	}
	if a.Rate == nil && a.Redirect == nil && a.Mark == nil && !a.Sample {
		p.can(&out, m.actions.Accept, f, "accept")
	}
	if a.Mark != nil {
		p.can(&out, m.actions.Mark, f, "mark")
	}
	if a.Sample {
		p.can(&out, m.actions.Sample, f, "sample")
	}
	if a.Continue {
		p.can(&out, m.actions.Continue, f, "continue to later rules")
	}
	if a.Discard() {
		p.can(&out, m.actions.Discard, f, "discard")
	} else if a.Rate != nil {
		p.rate(&out, m, *a.Rate)
	}
	if a.Redirect != nil {
		p.redirect(&out, m, f, *a.Redirect)
	}
	p.excluded(&out, m.actions.Exclude)
	return out
}

func (out *planned) refuse(r Reason) {
	if out.refused == nil {
		out.refused = &r
	}
}

// can asks for one capability.
func (p *platform) can(out *planned, c profile.Can, f flowspec.Family, what string) {
	p.facts.add(&out.facts, c.Fact)
	if !c.For(f) {
		out.refuse(Reason{Code: "no-action", Severity: Error, Component: "action",
			Message: fmt.Sprintf("%s does not %s", out.who, what), Source: p.facts.source(c.Fact)})
	}
}

// excluded asks for actions that do not go together.
func (p *platform) excluded(out *planned, list []profile.ActionExclusion) {
	if len(list) == 0 {
		return
	}
	a := out.action
	for _, x := range list {
		if does(&a, x.A) && does(&a, x.B) {
			p.facts.add(&out.facts, x.Fact)
			out.refuse(Reason{Code: "actions-not-together", Severity: Error, Component: "action",
				Message: fmt.Sprintf("%s does not do %s and %s in one rule", p.profile.Name, x.A, x.B), Source: p.facts.source(x.Fact)})
		}
	}
}

// does says whether a has the part that profiles call what.
func does(a *flowspec.Action, what string) bool {
	switch what {
	case "rate":
		return a.Rate != nil && !a.Discard()
	case "mark":
		return a.Mark != nil
	case "sample":
		return a.Sample
	case "discard":
		return a.Discard()
	case "continue":
		return a.Continue
	case "redirect-vrf":
		return a.Redirect != nil && !a.Redirect.NextHop()
	case "redirect-ip":
		return a.Redirect != nil && a.Redirect.NextHop()
	}
	return false
}

// redirect chooses the form in which a redirect travels. Forms of next hops mean the same, and are rewritten into one another; a route
// target is its form (two octets of AS and four are different targets).
func (p *platform) redirect(out *planned, m *mechanism, f flowspec.Family, r flowspec.Redirect) {
	if r.Copy {
		p.can(out, m.actions.Copy, f, "copy packets to a next hop: the original would go there as well")
	}
	if !r.NextHop() {
		c := m.actions.Redirects[r.Form]
		p.can(out, c, f, "redirect to this form of route target")
		if _, named := p.opt.Instances[r]; c.Instance && !named {
			out.refuse(Reason{Code: "no-instance", Severity: Error, Component: "action",
				Message: fmt.Sprintf("a filter redirects into a routing instance, and which one of the device imports %s is not said", r.Target()),
				Hint:    fmt.Sprintf("say it: --instance %s=NAME, or `instances` of the device's filter", r.Target()), Source: p.facts.source(c.Fact)})
		}
		return
	}
	if r.Addr.Is4() != (f.Version() == packet.IPv4) {
		out.refuse(Reason{Code: "redirect-family", Severity: Error, Component: "action",
			Message: fmt.Sprintf("the next hop %s is not of the rule's IP version", r.Addr),
			Hint:    "no platform is known to redirect into the other IP version: use a next hop of the same version"})
		return
	}
	forms := []flowspec.RedirectForm{r.Form, flowspec.NextHopIETFv4, flowspec.NextHopSimpson}
	if r.Addr.Is6() {
		forms[1] = flowspec.NextHopIETFv6
	}
	for _, form := range forms {
		c := m.actions.Redirects[form]
		if !c.For(f) || form == flowspec.NextHopSimpson && f.VPN() {
			continue
		}
		p.facts.add(&out.facts, c.Fact)
		if form != r.Form {
			before := out.action.Redirect.Form
			r.Form = form
			out.action.Redirect, out.changed = &r, true
			if m.filter == nil {
				out.reasons = append(out.reasons, Reason{Code: "redirect-form", Severity: Note, Component: "action",
					Message: fmt.Sprintf("redirect to %s: %s instead of %s", r.Addr, formNames[form], formNames[before]), Source: p.facts.source(c.Fact)})
			}
		}
		return
	}
	if c := m.actions.Redirects[flowspec.NextHopSimpson]; f.VPN() && c.For(f) {
		// The draft puts the target into the next hop of MP_REACH_NLRI, which has a route distinguisher in other VPN families (RFC 4364 §4.3.2), and says nothing of FlowSpec's.
		out.refuse(Reason{Code: "no-action", Severity: Error, Component: "action",
			Message: fmt.Sprintf("%s takes a next hop as %s, and how that is written in a VPN is not defined", out.who, formNames[flowspec.NextHopSimpson]),
			Hint:    "redirect to the route target of a VRF", Source: p.facts.source(c.Fact)})
		return
	}
	p.can(out, m.actions.Redirects[r.Form], f, fmt.Sprintf("redirect to a next hop (%s)", formNames[r.Form]))
}

var formNames = map[flowspec.RedirectForm]string{
	flowspec.NextHopSimpson: "community 0x0800 and the next hop of the route",
	flowspec.NextHopIETFv4:  "community 0x010c",
	flowspec.NextHopIETFv6:  "community 0x000c",
}

// unitFactor returns how many units of u one byte/s or packet/s is.
func unitFactor(u string) float64 {
	switch u {
	case "bits/s":
		return 8
	case "kbits/s":
		return 8.0 / 1000
	}
	return 1 // bytes/s, packets/s
}

// near is how far float32 can be off: a rate came through one, with 24 bits of mantissa.
const near = 1e-7

// inSteps says whether rate, which is amount times factor, is a multiple of step. Where the factor is a power of two the product is exact, and so
// is the answer. Elsewhere (1000 bits are 125 bytes) the multiple may not be a float32, and the nearest float32 stands for it.
func inSteps(rate, step, factor float64, amount float32) bool {
	off := math.Mod(rate, step)
	off = min(off, step-off)
	if factor == 1 || factor == 8 {
		return off == 0
	}
	ulp := float64(math.Nextafter32(amount, math.MaxFloat32)) - float64(amount)
	return off <= ulp/2*factor+rate*1e-14
}

// rate rounds a limit up to what the device counts in: never below what was asked, since a lower limit filters more.
func (p *platform) rate(out *planned, m *mechanism, r flowspec.Rate) {
	limit, unit := &m.actions.RateBytes, "bytes/s"
	if r.Unit == flowspec.Packets {
		limit, unit = &m.actions.RatePackets, "packets/s"
	}
	p.facts.add(&out.facts, limit.Fact)
	if !limit.OK {
		out.refuse(Reason{Code: "no-action", Severity: Error, Component: "action",
			Message: fmt.Sprintf("%s does not limit rates in %s", out.who, unit), Source: p.facts.source(limit.Fact)})
		return
	}
	factor := unitFactor(limit.Unit)
	asked := float64(r.Amount) * factor
	got := asked
	if limit.RefuseBelow && got < limit.Floor*(1-1e-9) { // a float32 below is further off
		p.addFact(out, limit.FloorFact)
		out.refuse(Reason{Code: "rate-too-small", Severity: Error, Component: "action",
			Message: fmt.Sprintf("%s is below %s, and below that %s limits nothing: it discards all packets of the rule", rateText(float64(r.Amount), unit),
				rateText(limit.Floor, limit.Unit), p.profile.Name),
			Hint:   fmt.Sprintf("ask for %s or more, or discard, if that is meant", rateText(limit.Floor/factor, unit)),
			Source: p.facts.source(or(limit.FloorFact, limit.Fact))})
		return
	}
	if limit.Floor > 0 && got < limit.Floor*(1-near) {
		got = limit.Floor
		p.addFact(out, limit.FloorFact)
		out.reasons = append(out.reasons, Reason{Code: "rate-floor", Severity: Warning, Component: "action",
			Message: fmt.Sprintf("%s is the smallest rate of %s: %s became %s", rateText(limit.Floor, limit.Unit), p.profile.Name,
				rateText(float64(r.Amount), unit), rateText(got/factor, unit)),
			Hint:   "discard instead, if that is meant; nothing is discarded that was only to be limited",
			Source: p.facts.source(or(limit.FloorFact, limit.Fact))})
	}
	if limit.Step > 0 {
		if !inSteps(got, limit.Step, factor, r.Amount) {
			got = math.Ceil(got/limit.Step) * limit.Step
			p.addFact(out, limit.StepFact)
			out.reasons = append(out.reasons, Reason{Code: "rate-rounded", Severity: Note, Component: "action",
				Message: fmt.Sprintf("%s counts in steps of %s: %s became %s", p.profile.Name, rateText(limit.Step, limit.Unit),
					rateText(float64(r.Amount), unit), rateText(got/factor, unit)),
				Source: p.facts.source(or(limit.StepFact, limit.Fact))})
		}
	}
	if limit.Ceiling > 0 && got > limit.Ceiling*(1+near) {
		p.addFact(out, limit.CeilingFact)
		out.refuse(Reason{Code: "rate-ceiling", Severity: Error, Component: "action",
			Message: fmt.Sprintf("%s is above %s, the largest rate of %s", rateText(float64(r.Amount), unit), rateText(limit.Ceiling, limit.Unit), p.profile.Name),
			Hint:    "a limit this high may as well be left out", Source: p.facts.source(or(limit.CeilingFact, limit.Fact))})
		return
	}
	out.exact = got <= asked*1.01
	if got != asked {
		r.Amount = up(got / factor)
		out.action.Rate, out.changed = &r, true
	}
	warned, ok := p.unsures.Load(limit)
	if !ok {
		one := &planned{}
		p.unsure(one, limit)
		warned, _ = p.unsures.LoadOrStore(limit, one)
	}
	one := warned.(*planned)
	for k := range out.facts {
		out.facts[k] |= one.facts[k]
	}
	out.reasons = joinReasons(out.reasons, one.reasons)
}

// unsure warns of what is not known about rates.
func (p *platform) unsure(out *planned, limit *profile.RateLimit) {
	if limit.Step == 0 {
		p.addFact(out, limit.StepFact)
		out.reasons = append(out.reasons, Reason{Code: "assumed-step", Severity: Warning, Component: "action",
			Message: fmt.Sprintf("in which steps %s counts rates is not known: it may round this one", p.profile.Name),
			Source:  p.facts.source(or(limit.StepFact, limit.Fact))})
	}
	if limit.Floor == 0 {
		p.addFact(out, limit.FloorFact)
		out.reasons = append(out.reasons, Reason{Code: "assumed-floor", Severity: Warning, Component: "action",
			Message: fmt.Sprintf("the smallest rate that %s honours is not known", p.profile.Name),
			Source:  p.facts.source(or(limit.FloorFact, limit.Fact))})
	}
}

// addFact adds a fact where there is one beside the capability's own.
func (p *platform) addFact(out *planned, id string) {
	if id != "" {
		p.facts.add(&out.facts, id)
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// up returns the float32 that is not below x, but for what a float32 cannot hold.
func up(x float64) float32 {
	f := float32(x)
	if float64(f) < x*(1-near) {
		f = math.Nextafter32(f, math.MaxFloat32)
	}
	return f
}

// rateText prints a rate so that before and after can be told apart.
func rateText(x float64, unit string) string {
	return fmt.Sprintf("%s %s", trimFloat(x), unit)
}

func trimFloat(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.7g", x)
}
