package device

import "time"

// Shown is what a device says, over a channel of its own, of a route that its BGP session was given.
type Shown struct {
	State Showing
	// Since is when the device said so; zero where State is Unshown.
	Since time.Time
	// Words name the channel, and say why where State is not ShownHeld. "": the device has no such channel.
	Words string
}

// Showing is how what a device shows of a route compares with what it was given.
type Showing int

// What a device may show. Nothing but ShownHeld lets anybody say that it holds the route.
const (
	Unshown        Showing = iota // nothing can be said: there is no channel, it is down, or it is not yet through
	ShownHeld                     // it accepted the route, with the actions that it was given
	ShownOtherwise                // it had the time to, and shows the route with other actions, or not at all
)

// Shower is a native adapter that may be told by the device itself what became of routes.
type Shower interface {
	// Shown compares what the device shows of a route with what it was given for it.
	Shown(*Route) Shown
	// SayAgain gives the session all of its routes again.
	SayAgain()
	// ShownChanged returns a channel of capacity one that is written to after what is shown has changed; nil: nothing is ever shown.
	ShownChanged() <-chan struct{}
}
