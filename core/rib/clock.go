package rib

import "time"

// Clock is time that a test can move. The zero Config uses the system's.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// earlier returns the earlier of two moments, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// due says whether the moment at has come; zero never comes.
func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }
