package table

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Outcome is what an entry does to a packet. Outcomes are comparable; the zero Outcome is accept.
type Outcome struct {
	Discard  bool
	Policer  string        // identity of the token bucket, "" for none; two entries with one name share it
	Rate     flowspec.Rate // limit of that bucket (AS is zero)
	Redirect string        // where to, in canonical text; "" for nowhere
	Copy     bool
	Mark     uint8
	Marked   bool
	Sample   bool
}

// Severity says how badly a packet fares, for the order of changes (docs/semantics.md).
type Severity uint8

// The severities, ascending.
const (
	Accepts Severity = iota
	Marks            // mark or sample
	Redirects
	Limits
	Discards
)

// Severity returns the severity of o: that of its worst part.
func (o Outcome) Severity() Severity { panic("unbuilt") }

// String prints o in the words of an operator: "discard", "rate-limit 12500000 bytes/s (policer r42)", "accept".
func (o Outcome) String() string { panic("unbuilt") }

// Entry is one line of a table.
type Entry struct {
	ID       string // a rule's ID, an NLRI in hexadecimal or the name of a filter entry
	Match    packet.Set
	Do       Outcome
	Continue bool // later entries are looked at as well
}

// Table is an ordered first-match table. What no entry decides is accepted.
type Table []Entry

// Difference is a packet, or two, that fare differently in two tables.
type Difference struct {
	Packet packet.Header
	// Other is set when the difference is about policers: Packet and Other share a bucket on one side and not on the other.
	Other     *packet.Header
	WantEntry string // ID of the entry that decides on each side; "" is the default
	GotEntry  string
	Want, Got string // what happens to the packet, in words
	// Unproven is set when the comparison gave up within its budget. Nothing else is set then but Reason. It counts as different.
	Unproven bool
	Reason   string
}

// Of returns the table that rules (in any order) ask for: RFC order, one policer for each rate-limited rule, named by its ID.
func Of(rules []flowspec.Rule) Table { panic("unbuilt") }

// Want returns what rule r asks for: its outcome, with a policer named by its ID when it has a rate above 0.
func Want(r flowspec.Rule) Outcome { panic("unbuilt") }

// Classify returns what t does to h: the outcomes of the entries that match, in order, up to and including the first without Continue.
func (t Table) Classify(h packet.Header) (ids []string, does []Outcome) { panic("unbuilt") }

// Diff returns nil when want and got are proven to treat every packet alike, policers compared up to a bijection.
func Diff(want, got Table) *Difference { panic("unbuilt") }

// Severer returns a packet that got treats worse than want asks, or nil.
func Severer(want, got Table) *Difference { panic("unbuilt") }

// Clusters returns groups of indexes of t whose inner order matters: they overlap, directly or through others of the group,
// and would fare differently. Entries alone in their group are left out.
func Clusters(t Table) [][]int { panic("unbuilt") }
