package device

import (
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Freeze is a person's order to change nothing on a device.
type Freeze struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // it ends by itself; zero: it stays until somebody ends it
	Reason string    `json:"reason,omitempty"`
}

// Over says whether the freeze has ended by itself.
func (f Freeze) Over(now time.Time) bool { return !f.Until.IsZero() && !now.Before(f.Until) }

// Kept is what a device had when it was frozen, so that it can be given the same again when its session comes back, also to another life of the gateway.
type Kept struct {
	Routes []*Route        // that its session was given, in order of flowspec.Compare
	Rules  []flowspec.Rule // that its plan carried
}
