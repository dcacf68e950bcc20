package plan

import (
	"sync"

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
	action  *flowspec.Action // as planned, of the first route if there is one; nil where the rule is refused
	refused []Reason         // why not; empty when it does
	reasons []Reason
	facts   factSet
	routes  []device.Route // FlowSpec
	// rewritten is set when some route does not have the rule's own octets, so that the device may order it differently.
	rewritten bool
	sets      []packet.Set   // of the routes of a rewritten rule, unless they come later; or of pieces that do not share a policer
	later     *later         // see pieces
	entries   []filter.Entry // filter
	policer   *filter.Policer
	witness   *table.Difference
	// policers is set when the refusal is about a rate that the pieces would not share; sets holds the pieces.
	policers bool
}

// later are sets that are made when they are asked for: those of most rules never are, once the rule is proven.
type later struct {
	once sync.Once
	sets []packet.Set
}

// pieces returns the sets of the routes of a rewritten rule, read from the octets that are sent.
func (w *way) pieces() []packet.Set {
	if w.later == nil {
		return w.sets
	}
	w.later.once.Do(func() {
		matches := make([]flowspec.Match, len(w.routes))
		for i := range w.routes {
			matches[i] = w.routes[i].Match
		}
		w.later.sets = readSets(matches)
	})
	return w.later.sets
}

// readSets returns the sets of matches, in memory of their own.
func readSets(matches []flowspec.Match) []packet.Set {
	var r flowspec.Reader
	return r.Sets(matches)
}

func (w *way) ok() bool { return w != nil && len(w.refused) == 0 }

// refuse makes w a way that is not open.
func (w *way) refuse(r Reason) *way {
	w.refused = append(w.refused, r)
	return w
}
