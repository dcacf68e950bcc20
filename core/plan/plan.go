// Package plan decides how one device carries the rules in force: natively as BGP FlowSpec, in a generated filter, or not at all.
//
// The line is straight. Each rule is looked at alone first (native.go, infilter.go): does it fit as it came; if not, which pieces stand
// for it; and the pieces are proven to match what the rule matches (prove.go). Then the rules are looked at together (settle.go): a router sorts
// FlowSpec rules by their octets, so a piece may stand above a rule that its own rule stood below (sweep.go), and rules that overlap
// and fare differently must be carried by one mechanism, which keeps them in order (overlap.go). What cannot be carried is rejected, and with it
// whatever would then filter more than anybody asked for. Last, the table that the device will hold is compared with the table that
// the carried rules ask for. Work is bounded: rules that overlap in too many ways to prove anything in a set number of steps are
// rejected (overlap.go).
//
// Rules are looked at together by bucket: those that begin with the same component, which nothing that sluice makes of a rule takes away (domain.go). Between
// buckets only two things can happen. A rule that is rejected leaves packets to rules below it (bucket.go). And where a rule needs a filter, or the order of
// the device is not known, all rules that it is tied to are settled as one council (council.go). So a changed rule touches its bucket, and others only where one of
// these two things changes (ripple.go).
//
// Few rules of a bucket are settled with each other, in parts that hang together (part.go): a remedy may change either of two, and of those in conflict the fewest go. After a change only the parts that it
// touches are settled again, and of what is sent only that of rules which fare otherwise is looked at (sending.go). Many rules are a crowd (crowd.go), and settled one after another in
// RFC order: each is fitted beneath those above it, whose fates stand (fit.go). What is remembered of each is which packets were looked at to answer questions about it (question.go), so
// that a changed rule concerns those alone in whose questions one of its packets stands. What remedies came to is remembered with the bucket (recall.go). Whatever is remembered says on which rules it
// rests, and comes out the same when it is asked anew.
//
// Everything here is a pure function of its arguments: no clock, no context, no file. Equal arguments give equal plans.
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
	// Least is how many entries the rule as it was asked needs at least on this platform, however it is cut; 0 where it has none. It is a lower bound: whether so
	// few would do is proven where it equals Entries.
	Least int
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
	// Remedies are what may be done to keep rules in order, of the names in Remedies; nil: DefaultRemedies; an empty list: nothing.
	Remedies []string
	// Measured is the order in which the device was seen to evaluate routes. It serves where the profile says that the order is not known, and must not contradict
	// the profile elsewhere; nil: nothing was measured.
	Measured *MeasuredOrder
	// Instances are the routing instances of the device that a filter may redirect into, by the route target that rules name.
	Instances filter.Instances
	// Families are what the BGP session to the device carries; nil: whatever the profile takes.
	Families []flowspec.Family
	// VPNs are the route distinguishers of the VPNs that the device has; nil: nothing is known of it, and a rule of any VPN is planned.
	VPNs []flowspec.RD
	// Sources are those whose rules the device takes; nil: all. A rule of another one is rejected, and so is a rule below it that would then filter what nobody asked to filter.
	Sources []flowspec.Source
}

// Check returns what is wrong with opt for a device with profile p: a setting that p does not have, a measured order that contradicts it.
func (opt Options) Check(p *profile.Profile) error {
	_, err := newPlatform(p, opt)
	return err
}

// Plan is all verdicts for a device and the state they add up to. It is proven as a whole: a rule whose part of the proof fails is rejected
// with the code "unproven", so what a plan carries is right.
type Plan struct {
	Profile  string
	Verdicts []*Verdict // in the order of snap.Rules(); like the routes of Desired, shared with other plans and never changed
	Desired  device.State
	// Instances are those of the options: whoever writes the filters of Desired needs the names.
	Instances filter.Instances
	Warnings  []Reason // about the device as a whole: knobs to set, commands to type
}

// Make decides how a device with profile p carries the rules of snap. It touches nothing: equal arguments give equal plans, so a plan
// can be shown before it is applied. The error is about opt: a setting that the profile does not have, a measured order that contradicts it.
func Make(snap rib.Snapshot, p *profile.Profile, opt Options) (*Plan, error) {
	return NewPlanner(p, opt).Plan(snap)
}
