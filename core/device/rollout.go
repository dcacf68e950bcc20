package device

import "time"

// Stop is the end of a roll-out for now: what the canaries have and the other devices of their group do not is kept from those until a person resumes it.
type Stop struct {
	At     time.Time `json:"at"`
	Why    string    `json:"why"`              // in the router's own words where it has any
	Device string    `json:"device,omitempty"` // where it showed; "": a person stopped it
}

// Rollout is what is remembered, across a restart, of the roll-out to a group of devices, beside the rules that were released to all of it.
type Rollout struct {
	Stop *Stop `json:"stop,omitempty"` // nil: it goes on
}

// Begun is an attempt to give a canary what the other devices of its group do not have. It is remembered from before the first octet is sent until all of the group may have that.
type Begun struct {
	At time.Time `json:"at"`
}
