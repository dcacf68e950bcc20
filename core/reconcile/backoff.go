package reconcile

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// firstRetry is how soon what failed is tried again for the first time.
const firstRetry = time.Second

// pace is how soon an attempt is repeated: doubled each time from first to last.
type pace struct{ first, last time.Duration }

// paceOf returns how soon to try again what ended in err. A device whose filter changed in our hands is read again almost at once. One that is there, and is busy or locked by
// somebody, may be free any moment. Anything else is a device that does not answer: the longer it did not, the longer it probably will not.
func paceOf(err error) pace {
	var drifted *device.Drifted
	var transient *device.Transient
	switch {
	case errors.As(err, &drifted):
		return pace{firstRetry / 5, time.Minute}
	case errors.As(err, &transient) && transient.Unchanged:
		return pace{firstRetry, time.Minute}
	}
	return pace{firstRetry, 5 * time.Minute}
}

// after returns the delay before the attempt after n failures, somewhere in its upper half: a fleet that failed together does not come back in step.
func (p pace) after(n int) time.Duration {
	d := p.first << min(n-1, 20)
	if d > p.last || d <= 0 {
		d = p.last
	}
	return d/2 + rand.N(d/2)
}

// retry is when a worker tries again what failed.
type retry struct {
	failures int  // in a row, at this pace
	pace     pace // of the last one
	// notBefore is when a new plan is reason enough to try again: whoever waits for a device that does not answer does not ask it anew with each rule that comes.
	notBefore time.Time
}

// failed notes a failure and returns after how long to try again.
func (r *retry) failed(err error, now time.Time) time.Duration {
	if p := paceOf(err); p != r.pace {
		*r = retry{pace: p}
	}
	r.failures++
	delay := r.pace.after(r.failures)
	r.notBefore = now.Add(min(delay, firstRetry/2+rand.N(firstRetry/2)))
	return delay
}
