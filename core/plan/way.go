package plan

import (
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// way is how one mechanism carries one rule, or why it does not.
type way struct {
	carried Carried
	exact   bool
	action  *flowspec.Action // as planned; nil: as asked
	refused []Reason         // why not; empty when it does
	reasons []Reason
	facts   factSet
	routes  []device.Route // FlowSpec
	// rewritten is set when some route does not have the rule's own octets, so that the device may order it differently.
	rewritten bool
	sets      []packet.Set   // of pieces that would not share a policer, or of the routes of a rewritten rule once somebody asked: see pieces
	entries   []filter.Entry // filter
	policer   *filter.Policer
	witness   *table.Difference
	// policers is set when the refusal is about a rate that the pieces would not share; sets holds the pieces.
	policers bool
}

func (w *way) ok() bool { return w != nil && len(w.refused) == 0 }

// refuse makes w a way that is not open.
func (w *way) refuse(r Reason) *way {
	w.refused = append(w.refused, r)
	return w
}

// pieces returns the sets of the routes of a rewritten rule.
func (w *way) pieces() []packet.Set {
	if w.sets == nil {
		w.sets = make([]packet.Set, len(w.routes))
		for i := range w.routes {
			w.sets[i] = w.routes[i].Match.Set()
		}
	}
	return w.sets
}

// planned returns what is done with packets of c that go by w.
func (c *card) planned(w *way) flowspec.Action {
	if w.action != nil {
		return *w.action
	}
	return c.rule.Action
}
