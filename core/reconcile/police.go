package reconcile

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
)

// Policed is a native adapter whose routes leave under a policy.
type Policed interface {
	// SetPolicy holds from the next Apply on, whose steps are then all that the device is to have.
	SetPolicy(p device.Policy)
}

// sends says in words how routes leave under p.
func (d *Device) sends(p device.Policy) []string {
	if d.Sends == nil {
		return nil
	}
	return d.Sends(p)
}

// policy returns the policy under which the routes of the device leave.
func (w *worker) policy() *device.Policy {
	if old := w.behind.Load(); old != nil && old.policy != nil {
		return old.policy
	}
	return &w.dev.Policy
}

// police tells the session of another policy, right before it is given everything again.
func (w *worker) police() {
	p, ok := w.dev.Native.(Policed)
	now := w.policy()
	if !ok || now == w.native.policy {
		return
	}
	p.SetPolicy(*now)
	w.native.policy, w.native.unsure = now, w.native.given
	w.update(func(s *Status) { s.Sends = w.dev.sends(*now) })
}

// earlierPolicy returns the policy under which the routes of the device left in an earlier life of the gateway, where it was another one; else nil. One of which nothing is known is taken for this one.
func (w *worker) earlierPolicy() (*device.Policy, error) {
	if _, ok := w.dev.Native.(Policed); !ok {
		return nil, nil
	}
	p, found, err := w.tokens.Policy(w.dev.Name)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, w.tokens.SavePolicy(w.dev.Name, w.dev.Policy)
	case p.Same(&w.dev.Policy):
		return nil, nil
	}
	return &p, nil
}

// leaving returns those of routes that could leave under the policy of old, over the session as it is.
func (w *worker) leaving(old *generation, routes []*device.Route) (out []*device.Route) {
	for _, r := range routes {
		if f := w.dev.Options.Families; (f == nil || slices.Contains(f, r.Match.Family())) && old.has(r) {
			out = append(out, r)
		}
	}
	return out
}

// has says whether routes of the VPN of r left under the policy of the earlier version. One without VPNs had none, and would not know whose route targets to put on them.
func (g *generation) has(r *device.Route) bool {
	return g.policy == nil || !r.Match.Family().VPN() || g.policy.VRFs != nil && g.policy.Has(r.Match.RD())
}

// inBoth returns those of routes that are of a VPN which the device has in the earlier version and in this one, or of none.
func (w *worker) inBoth(old *generation, routes []*device.Route) (out []*device.Route) {
	for _, r := range w.leaving(old, routes) {
		if old.policy == nil || !r.Match.Family().VPN() || w.dev.Policy.Has(r.Match.RD()) {
			out = append(out, r)
		}
	}
	return out
}

// underPolicy returns the form of a rule that came since, and that this version carries as is says: under the policy of old it is the same, or nothing, where its VPN is new.
func (w *worker) underPolicy(old *generation, r flowspec.Rule, is device.Form) device.Form {
	if routes := is.RoutesOf(r); len(w.leaving(old, routes)) < len(routes) {
		return device.Form{Rule: is.Rule, Carried: string(plan.Rejected)}
	}
	return is
}

// leavesOtherwise says whether the routes of f leave otherwise under the policy of old than under that of this version.
func (w *worker) leavesOtherwise(old *generation, r flowspec.Rule, f device.Form) bool {
	return !asItLeaves(old.policy, r, f).Same(asItLeaves(&w.dev.Policy, r, f))
}

// asItLeaves returns f with the routes that leave under p.
func asItLeaves(p *device.Policy, r flowspec.Rule, f device.Form) device.Form {
	var routes []*device.Route
	for _, route := range f.RoutesOf(r) {
		out, err := p.Of(route)
		if err != nil {
			continue
		}
		marked := *out
		marked.Communities = slices.Concat(out.Communities, p.OnAll())
		routes = append(routes, &marked)
	}
	f.AsCame, f.Routes = false, routes
	return f
}

// reportGiven says that the device was given what m says; under the policy of an earlier version, where somebody has to want the other one.
func (w *worker) reportGiven(m *made) {
	if w.behind.Load() != nil {
		w.report(m, Behind, nil)
		w.update(func(s *Status) { s.Version, s.made = m.live, m.version })
	} else {
		w.report(m, InSync, nil)
	}
}
