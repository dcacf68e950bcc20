package admit

import (
	"net/netip"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Policy is what one source may say. The zero Policy admits nothing: it allows no destination.
type Policy struct {
	Destinations   []netip.Prefix  // a rule's destination must be inside one of them
	AnyDestination bool            // any destination, and rules without one
	Components     []flowspec.Type // nil: all
	Actions        []string        // of "accept", "discard", "rate-limit", "redirect", "mark", "sample", "continue"; nil: all
	MaxTTL         time.Duration   // 0: no limit; with one, a rule without expiry is not admitted
}

// NotAdmitted says which clause of a policy keeps a rule out.
type NotAdmitted struct {
	Clause string // "destination", "component", "action", "ttl"
	Detail string // for people: `destination 203.0.113.9/32 is outside what this source may filter: 198.51.100.0/24`
}

func (e *NotAdmitted) Error() string { return "not admitted: " + e.Detail }

// Check returns a *NotAdmitted, or nil. The number of rules is not its business: the RIB knows it exactly (rib.SourcePolicy.MaxRules).
func (p Policy) Check(r flowspec.Rule, now time.Time) error { panic("unbuilt") }
