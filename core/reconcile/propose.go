package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/table"
)

// Proposed is a rule that another version of the program, or of a profile or the configuration, would have a device be given otherwise than the earlier one. Where the policy is another one, the forms
// have routes as they leave.
type Proposed struct {
	ID   flowspec.ID   `json:"id"`
	Rule flowspec.Rule `json:"-"`
	Was  device.Form   `json:"-"`
	Is   device.Form   `json:"-"` // what is proposed
}

// ErrNotProposed is the answer to the adoption of what is adopted.
var ErrNotProposed = errors.New("nothing is proposed")

// generation is how an earlier version carried rules to a device.
type generation struct {
	of     string
	forms  map[flowspec.ID]device.Form
	policy *device.Policy // under which routes leave; nil: that of this version
}

// loadForms finds out which devices are given plans of an earlier version, and forgets what no device is given any more.
func (r *Reconciler) loadForms() error {
	if r.cfg.Shadow || r.cfg.Software == "" {
		return nil
	}
	known := map[string]map[flowspec.ID]device.Form{} // by what the plans rest on
	var keep, names []string
	for _, p := range r.planners {
		keep = append(keep, p.scribe.of)
	}
	for _, w := range r.workers {
		names = append(names, w.dev.Name)
		of, found, err := r.cfg.Tokens.Adopted(w.dev.Name)
		if err != nil {
			return err
		}
		policy, err := w.earlierPolicy()
		if err != nil {
			return err
		}
		if found && of == w.plans.scribe.of && policy == nil {
			continue
		}
		forms := known[of]
		if found && forms == nil {
			if forms, err = r.cfg.Tokens.Forms(of); err != nil {
				return err
			}
			known[of] = forms
		}
		if len(forms) == 0 { // a new device, or one that had nothing
			if err := w.adopt(); err != nil {
				return err
			}
			continue
		}
		w.behind.Store(&generation{of, forms, policy})
		keep = append(keep, of)
	}
	return r.cfg.Tokens.KeepForms(keep, names)
}

// adopt has the device be given the plans of this version from now on. Any goroutine.
func (w *worker) adopt() error {
	if err := w.tokens.SaveAdopted(w.dev.Name, w.plans.scribe.of); err != nil {
		return err
	}
	if err := w.tokens.SavePolicy(w.dev.Name, w.dev.Policy); err != nil {
		return err
	}
	w.behind.Store(nil)
	w.wakeUp()
	return nil
}

// proposals returns what m would change of what the device has of an earlier version, in the order of the rules.
func (w *worker) proposals(m *made, old *generation) []Proposed {
	var out []Proposed
	text := filterText(w.dev.Dialect, m.plan)
	for i, r := range m.rules() {
		was, found := old.forms[r.ID]
		is := formOf(r, m.plan.Verdicts[i], text)
		if !found || was.Rule != device.Brief(r) { // it is newer than the earlier version, and nothing is known of how that would have carried it
			if old.policy == nil {
				continue
			}
			was = w.underPolicy(old, r, is)
		}
		if !is.Same(was) || old.policy != nil && w.leavesOtherwise(old, r, is) {
			out = append(out, Proposed{r.ID, r, was, is})
		}
	}
	return out
}

// propose leaves the device as an earlier version had it, where m would change that although the rules did not. It returns false where there is nothing to propose, or no more.
//
// Rules that came since are given to a session all the same, as long as they and the old routes together are proven to filter as m does. Where they are not, or the filter is concerned,
// the device keeps what it has, and what discards and is no longer wanted goes from its session. Where only the policy is another one, everything is delivered, under the old one.
func (w *worker) propose(ctx context.Context, m *made) (wait time.Duration, proposed bool) {
	old := w.behind.Load()
	if old == nil {
		return 0, false
	}
	list := w.proposals(m, old)
	if len(list) == 0 || w.canary {
		if err := w.adopt(); err != nil {
			w.log.Error("cannot note that the new plans are adopted, trying again", "error", err)
			return firstRetry, true
		}
		w.log.Info("the plans of this version are adopted", "canary", w.canary, "changed", len(list))
		return 0, false
	}
	if w.status.Load().Proposed != len(list) {
		w.log.Warn("this version would change what the device has; `sluice device plan --since` shows it, `sluice device adopt` wants it", "rules", len(list))
	}
	w.update(func(s *Status) { s.Proposed = len(list) })
	if !slices.ContainsFunc(list, func(p Proposed) bool { return !p.Is.Same(p.Was) }) {
		return 0, false
	}
	err := w.giveOld(ctx, m, old, list)
	if err != nil {
		return w.failed(m, err), true
	}
	w.retry = retry{}
	w.report(m, Behind, nil)
	return w.dev.Audit, true
}

// giveOld gives the session what it had, and what may be added to that. A filter is read, and left alone.
func (w *worker) giveOld(ctx context.Context, m *made, old *generation, list []Proposed) error {
	if err := w.readOld(ctx, m, old); err != nil || w.dev.Native == nil {
		return err
	}
	if want, ok := w.together(m, old, list); ok {
		if err := w.giveRoutes(ctx, want); err != nil {
			return err
		}
		w.ledger.reached(&w.ledger.routes, m.of)
		return nil
	}
	first := !w.native.given
	want, rules := w.asItWas(m, old)
	if err := w.giveRoutes(ctx, want); err != nil {
		return err
	}
	if first {
		w.ledger.reached(&w.ledger.routes, rib.Of(rules))
	}
	return nil
}

// readOld reads the filter that an earlier version left.
func (w *worker) readOld(ctx context.Context, m *made, old *generation) error {
	if w.dev.Filter == nil || w.filters.known && !w.auditDue() {
		return nil
	}
	state, err := w.read(ctx, Reading)
	if err != nil {
		return err
	}
	if err := w.checkPresence(state); err != nil {
		return err
	}
	w.observe(state)
	var rules []flowspec.Rule
	for _, r := range m.rules() {
		if f, found := old.forms[r.ID]; found && f.Rule == device.Brief(r) && f.Entries > 0 {
			rules = append(rules, r)
		}
	}
	w.ledger.reached(&w.ledger.filters, rib.Of(rules))
	return nil
}

// together returns the routes of m with those of list as they were, if they are proven to do what those of m do, on a device that sorts them as RFC 8955 §5.1 says. A VPN that the device had not, or
// has no more, is not compared: rules of different VPNs never meet, and what the device has of it stays.
func (w *worker) together(m *made, old *generation, list []Proposed) ([]*device.Route, bool) {
	pinned := make(map[flowspec.ID]device.Form, len(list))
	for _, p := range list {
		if p.Is.Same(p.Was) {
			continue
		}
		if p.Was.Filter != "" || p.Is.Filter != "" {
			return nil, false
		}
		pinned[p.ID] = p.Was
	}
	var out []*device.Route
	for i, r := range m.rules() {
		if f, is := pinned[r.ID]; is {
			out = append(out, w.leaving(old, f.RoutesOf(r))...)
			continue
		}
		for _, e := range m.plan.Verdicts[i].Entries {
			if e.Route != nil {
				out = append(out, e.Route)
			}
		}
	}
	sortRoutes(out)
	for i := range out[1:] {
		if out[i].Match.Equal(out[i+1].Match) {
			return nil, false // one NLRI for two rules
		}
	}
	return out, w.sortsByRFC() && sameRoutes(w.inBoth(old, m.plan.Desired.Routes), w.inBoth(old, out))
}

func sortRoutes(list []*device.Route) {
	slices.SortFunc(list, func(a, b *device.Route) int { return flowspec.Compare(a.Match, b.Match) })
}

// sortsByRFC says whether the device is known to sort routes as RFC 8955 §5.1 says, of both IP versions.
func (w *worker) sortsByRFC() bool {
	p, err := w.dev.Profile.With(w.dev.Options.Settings)
	if err != nil || p.Native == nil {
		return false
	}
	return p.Native.Order.Kind == "rfc8955" && (p.Native.OrderV6 == nil || p.Native.OrderV6.Kind == "rfc8955")
}

// sameRoutes proves that two lists of routes, in their order, treat all packets alike, in each VPN.
func sameRoutes(want, got []*device.Route) bool {
	type vpn struct {
		family flowspec.Family
		rd     flowspec.RD
	}
	tables := map[vpn]*[2]table.Table{}
	for side, list := range [2][]*device.Route{want, got} {
		for _, r := range list {
			at := vpn{r.Match.Family(), r.Match.RD()}
			if tables[at] == nil {
				tables[at] = &[2]table.Table{}
			}
			id := r.Match.String()
			do := table.Want(flowspec.Rule{ID: flowspec.ID(id), Match: r.Match, Action: r.Action})
			tables[at][side] = append(tables[at][side], table.Entry{ID: id, Match: r.Match.Set(), Do: do, Continue: r.Action.Continue})
		}
	}
	for _, t := range tables {
		if table.Diff(t[0], t[1]) != nil {
			return false
		}
	}
	return true
}

// asItWas returns the routes that the earlier version gave for rules that are in force as they were, and those of other rules of it that may be exceptions of these.
// A session that was given rules that came since keeps them.
func (w *worker) asItWas(m *made, old *generation) (want []*device.Route, rules []flowspec.Rule) {
	for _, r := range m.rules() {
		f, found := old.forms[r.ID]
		if !found || f.Rule != device.Brief(r) || f.Carried == string(plan.Rejected) {
			continue
		}
		if routes := w.leaving(old, f.RoutesOf(r)); len(routes) > 0 {
			want, rules = append(want, routes...), append(rules, r)
		}
	}
	sortRoutes(want)
	want = slices.CompactFunc(want, func(a, b *device.Route) bool { return a.Match.Equal(b.Match) })
	if w.native.given {
		want = w.native.onlyMilder(append(want, without(m.plan.Desired.Routes, want)...))
	}
	return want, rules
}

// Adopt has a device, or with the name "" all, be given the plans of this version. The error is ErrNoDevice, ErrNotProposed, or one of the disk.
func (r *Reconciler) Adopt(name string) error {
	workers, err := r.named(name)
	if err != nil {
		return err
	}
	any := false
	for _, w := range workers {
		if w.behind.Load() == nil {
			continue
		}
		any = true
		if err := w.adopt(); err != nil {
			return err
		}
		w.log.Info("the plans of this version are adopted by order")
	}
	if !any {
		return fmt.Errorf("%w: %q", ErrNotProposed, name)
	}
	return nil
}

// Proposals returns what this version would change of what a device has, in the order of the rules; none where it has adopted it. The error is ErrNoDevice.
func (r *Reconciler) Proposals(name string) ([]Proposed, error) {
	workers, err := r.named(name)
	if err != nil || name == "" {
		return nil, ErrNoDevice
	}
	w := workers[0]
	m, old := w.plans.latest.Load(), w.behind.Load()
	if m == nil || m.plan == nil || old == nil {
		return nil, nil
	}
	list := w.proposals(m, old)
	if old.policy != nil {
		for i, p := range list {
			list[i].Was, list[i].Is = asItLeaves(old.policy, p.Rule, p.Was), asItLeaves(&w.dev.Policy, p.Rule, p.Is)
		}
	}
	return list, nil
}
