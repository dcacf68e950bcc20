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
	MaxRules       int             // rules of this source in force at one time; 0: no limit
	MaxTTL         time.Duration   // 0: no limit; with one, a rule without expiry is not admitted
}
