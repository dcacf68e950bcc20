package device

import (
	"context"
	"slices"
)

// Stage is what an adapter is at while it carries out a call.
type Stage string

// The stages. A call may pass through some of them, and through one more than once.
const (
	Connecting Stage = "connecting" // it opens a session, or waits for the one that another call is using
	Locking    Stage = "locking"    // it waits until nobody else changes the device
	Reading    Stage = "reading"    // it reads what the device holds
	Loading    Stage = "loading"    // it hands the change to the device, where that is not in force yet
	Validating Stage = "validating" // the change is looked at, by the adapter or by the device, before it is made
	Committing Stage = "committing" // the device makes the change
	Checking   Stage = "checking"   // it reads back whether the device does what it was told
)

// Stages are all of them, in the order in which a change usually passes through them.
var Stages = []Stage{Connecting, Locking, Reading, Loading, Validating, Committing, Checking}

// Progress is where a call is. It is for people, and decides nothing. There are words of a list in it and numbers, so that no secret can be.
type Progress struct {
	Stage Stage
	// Done of All are through, in this stage: entries of filters, or lines where the device is told by lines. All is 0 where they are not counted.
	Done, All int
}

// Valid says whether p says something that makes sense.
func (p Progress) Valid() bool {
	return slices.Contains(Stages, p.Stage) && p.Done >= 0 && p.Done <= p.All
}

type reporterKey struct{}

// WithReporter returns a context with which an adapter's Report reaches hear. hear may be called from any goroutine, as often as the adapter likes, until the call has returned; it must not
// wait for anything.
func WithReporter(ctx context.Context, hear func(Progress)) context.Context {
	return context.WithValue(ctx, reporterKey{}, hear)
}

// Report says where the call with that context is, to whoever wants to know. An adapter that reports needs nothing else: it costs next to nothing where nobody listens, and what goes
// across the boundary of a plugin is bounded in rate there.
func Report(ctx context.Context, s Stage) { ReportCount(ctx, s, 0, 0) }

// ReportCount is Report, of a stage in which something is counted: done of all are through.
func ReportCount(ctx context.Context, s Stage, done, all int) {
	if hear, ok := ctx.Value(reporterKey{}).(func(Progress)); ok {
		hear(Progress{Stage: s, Done: done, All: all})
	}
}
