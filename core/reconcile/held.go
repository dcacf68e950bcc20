package reconcile

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
)

// Planned is the newest plan of a device, with what it was made of.
type Planned struct {
	Profile *profile.Profile // with the settings of the device
	Plan    *plan.Plan
	Rules   []flowspec.Rule // in the order of the verdicts of Plan
	Options plan.Options
}

// Planned returns the newest plan of a device together with the rules that it was made of; false while there is none.
func (r *Reconciler) Planned(name string) (Planned, bool) {
	for _, w := range r.workers {
		if w.dev.Name != name {
			continue
		}
		m := w.plans.latest.Load()
		if m == nil || m.plan == nil {
			return Planned{}, false
		}
		p, err := w.dev.Profile.With(w.dev.Options.Settings)
		return Planned{p, m.plan, m.rules(), w.dev.Options}, err == nil // the plan was made with these settings
	}
	return Planned{}, false
}
