package rib

import (
	"context"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// SourcePolicy is how the RIB treats one source.
type SourcePolicy struct {
	Name       flowspec.Source
	Preference int           // of two sources with one NLRI the higher one's rule is in force; then the lower name's
	MaxRules   int           // 0: no limit. Rules above it are not taken (the others of the event are), and the Event is answered with *TooMany
	Hold       time.Duration // keep the rules that long after Down; 0: withdraw at once
	Quiet      time.Duration // sweep stale rules after that long without an Update instead of at EndOfRIB; 0: at EndOfRIB
}

// Store is what the RIB needs of a store. Apply must not block; done is called once it is durable, in the order of the calls.
type Store interface {
	Load() ([]flowspec.Rule, error)
	Apply(puts []flowspec.Rule, deletes []flowspec.ID, done func(error))
}

// Clock is time that a test can move. The zero Config uses the system's.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// Config is what a RIB needs.
type Config struct {
	Sources []SourcePolicy
	Store   Store // nil: nothing is kept
	Clock   Clock // nil: the system's
	// Refused is called, from the goroutine in Run, for each rule that was not taken.
	Refused func(flowspec.Rule, error)
}

// TooMany is the answer to an Event that would bring a source above its MaxRules.
type TooMany struct {
	Source flowspec.Source
	Max    int
}

func (e *TooMany) Error() string { panic("unbuilt") }

// RIB is the rules of every source, and the ones in force.
type RIB struct{ _ int }

// New loads the store. The rules it finds are in force, and stale until their source repeats them.
func New(cfg Config) (*RIB, error) { panic("unbuilt") }

// Run owns the rules until ctx ends.
func (r *RIB) Run(ctx context.Context) error { panic("unbuilt") }

// Send hands in an event.
func (r *RIB) Send(ctx context.Context, e Event) error { panic("unbuilt") }

// Snapshot returns the rules in force.
func (r *RIB) Snapshot() Snapshot { panic("unbuilt") }

// Watch returns a channel of capacity one that is written to after each new snapshot, until stop is called.
func (r *RIB) Watch() (changed <-chan struct{}, stop func()) { panic("unbuilt") }

// Find returns a rule of any source, in force or not.
func (r *RIB) Find(id flowspec.ID) (flowspec.Rule, bool) { panic("unbuilt") }

// Stats counts rules by source.
func (r *RIB) Stats() map[flowspec.Source]SourceStats { panic("unbuilt") }

// SourceStats is what is known of one source.
type SourceStats struct{ Rules, InForce, Stale int }
