package device

import (
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Outcome is how an attempt to change a device ended.
type Outcome string

// The outcomes.
const (
	Delivered      Outcome = "delivered" // sent, and where the device can be read, read back and proven
	WasRefused     Outcome = "refused"   // by the device, or by the proof of what it showed
	WasDrifted     Outcome = "drifted"   // somebody had removed what we delivered
	NotReached     Outcome = "failed"    // it did not answer, or something was in the way; tried again
	mostNamed              = 20          // rules that an attempt names
	MostRemembered         = 100         // attempts that a history holds
)

// Attempt is one time that a device was to be changed, as its history tells it. Several that ended alike, one right after the other, are one.
type Attempt struct {
	At      time.Time     `json:"at"`              // when it ended; of several, the first
	Last    time.Time     `json:"last,omitzero"`   // of several, the last
	Times   int           `json:"times"`           // how many
	Outcome Outcome       `json:"outcome"`         //
	Words   string        `json:"words,omitempty"` // of the device, where it has any
	Took    time.Duration `json:"took"`            // nanoseconds; of several, the last
	// Rules are those that it added, changed or took away, twenty at most; More is how many it does not name.
	Rules []flowspec.ID `json:"rules,omitempty"`
	More  int           `json:"more,omitempty"`
}

// Name has a name the rules of ids.
func (a *Attempt) Name(ids []flowspec.ID) {
	n := min(len(ids), mostNamed)
	a.Rules, a.More = slices.Clone(ids[:n]), len(ids)-n
}

// Alike says whether b, which came right after a, is the same again.
func (a Attempt) Alike(b Attempt) bool {
	if a.Outcome != b.Outcome || a.Words != b.Words || a.More != b.More || len(a.Rules) != len(b.Rules) || a.Outcome == Delivered {
		return false
	}
	for i := range a.Rules {
		if a.Rules[i] != b.Rules[i] {
			return false
		}
	}
	return true
}
