package plan

import (
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/table"
)

// Carried says by which mechanism a device carries a rule.
type Carried string

// The ways.
const (
	Native    Carried = "native"    // one entry with the rule's own NLRI and actions
	Rewritten Carried = "rewritten" // any other native form
	InFilter  Carried = "filter"
	Rejected  Carried = "rejected"
)

// Severity of a reason.
const (
	Note    = "note"
	Warning = "warning"
	Error   = "error"
)

// Reason is one thing to know about a verdict. Code is stable; docs/reasons.md lists all of them.
type Reason struct {
	Code      string `json:"code"`
	Severity  string `json:"severity"`
	Component string `json:"component"` // word of flowspec.Type, "action", "order", or ""
	Message   string `json:"message"`
	Hint      string `json:"hint"`
	Source    string `json:"source"` // of the profile fact behind it
}

// Entry is one thing that the device will hold for a rule: a route or an entry of a filter.
type Entry struct {
	Route  *device.Route
	Filter *filter.Entry
}

// Cost is what a rule takes up.
type Cost struct {
	Entries int
	TCAM    *int // slots; nil where the profile does not know the expansion
}

// Verdict is how one rule fares on one device.
type Verdict struct {
	Rule    flowspec.ID
	Carried Carried
	Exact   bool // same packets, same sharing of policers, rate within 1 %
	Entries []Entry
	Reasons []Reason
	Witness *table.Difference
	Cost    Cost
	Basis   profile.Basis // the weakest fact it rests on
	Facts   []string      // IDs of the facts that decided it
}

// Options are facts of the device and choices of its operator.
type Options struct {
	Settings  map[string]string // options of the profile: "term-order": "legacy"
	NoNative  bool              // no BGP session: filter only (also `render`)
	NoFilter  bool              // no filter adapter on this device
	Placement filter.Placement  // "" is alone
}

// Plan is all verdicts for a device and the state they add up to.
type Plan struct {
	Profile  string
	Verdicts []Verdict // in the order of snap.Rules()
	Desired  device.State
	Warnings []Reason // about the device as a whole: knobs to set, commands to type
	// Proof says that the table as a whole was proven; nil Difference. A plan that is not proven is not returned.
}

// Make decides how a device with profile p carries the rules of snap. It touches nothing: equal arguments give equal plans, so a plan
// can be shown before it is applied.
func Make(snap rib.Snapshot, p *profile.Profile, opt Options) (*Plan, error) { panic("unbuilt") }

// Planner makes plans for one profile and options, one after the other, and reuses what has not changed. Make is its slow twin.
type Planner struct{ _ int }

// NewPlanner returns a Planner.
func NewPlanner(p *profile.Profile, opt Options) *Planner { panic("unbuilt") }

// Plan returns what Make(snap, p, opt) returns.
func (pl *Planner) Plan(snap rib.Snapshot) (*Plan, error) { panic("unbuilt") }
