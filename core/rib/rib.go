package rib

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// SourcePolicy is how the RIB treats one source.
type SourcePolicy struct {
	Name       flowspec.Source
	Preference int // of two sources with one NLRI the higher one's rule is in force; then the lower name's
	// MaxRules is how many rules the source may have; 0: no limit. Rules above it are not taken (the others of the event are), and the Event is answered
	// with *TooMany. Rules that the source has yet to repeat after Up do not count.
	MaxRules int
	// Lenient has rules above MaxRules taken all the same; Config.Excess is told.
	Lenient bool
	Hold    time.Duration // keep the rules that long after Down; 0: withdraw at once
	Quiet   time.Duration // sweep stale rules after that long without an Update instead of at EndOfRIB; 0: at EndOfRIB
	// Return is how long rules from the store wait for their source to repeat them after a restart, whether it comes or not.
	// 0: for ever, which is right for sources that withdraw by name and never say EndOfRIB (the API, a pipe).
	Return time.Duration
	Mass   MassWithdrawal
}

// Store is what the RIB needs of a store. Apply must not block, and what it is given must not be changed; done is called once it is durable,
// in the order of the calls, from any goroutine.
type Store interface {
	Load() ([]flowspec.Rule, error)
	Apply(puts []flowspec.Rule, deletes []flowspec.ID, done func(error))
}

// Config is what a RIB needs.
type Config struct {
	Sources []SourcePolicy
	// Others returns the policy of a source that is not in Sources, and whether it is one that is configured all the same; nil: none is. One that is not has the zero policy.
	Others func(flowspec.Source) (SourcePolicy, bool)
	Store  Store // nil: nothing is kept
	Clock  Clock // nil: the system's
	// Refused is called, from the goroutine in Run, for each rule that was not taken. It must not block.
	Refused func(flowspec.Rule, error)
	// Excess is called, from the goroutine in Run, when a source with Lenient comes to more rules than its MaxRules, once until it is below again. It must not block.
	Excess func(source flowspec.Source, max int)
	// Mass is called, from the goroutine in Run, when a source withdraws so many of the rules that it had that they are held back until a moment, once until none is. It must not block.
	Mass func(source flowspec.Source, withdrawn, had int, until time.Time)
	// Unsaved is called, from the store's goroutine, when a write has failed. The RIB tries again; what is in force does not
	// depend on it. It must not block.
	Unsaved func(error)
}

// TooMany is the answer to an Event that would bring a source above its MaxRules.
type TooMany struct {
	Source flowspec.Source
	Max    int
}

func (e *TooMany) Error() string {
	return fmt.Sprintf("source %q has its %d rules already: withdraw some, or raise max-rules", e.Source, e.Max)
}

// ErrStopped is the answer to events that come after Run has ended.
var ErrStopped = errors.New("the RIB has stopped")

const (
	queueSize = 256  // events that wait before Send blocks
	batchSize = 1024 // events that one snapshot may take up; more would keep readers waiting
)

// RIB is the rules of every source, and the ones in force. The fields of table belong to the goroutine in Run; the others
// are safe for all.
type RIB struct {
	in      chan Event
	stopped chan struct{}
	current atomic.Pointer[Snapshot]
	table   table
	saver   *saver
	clock   Clock

	mu       sync.Mutex // guards the leaf caches below, and nothing else
	watchers map[chan struct{}]bool
	byID     map[flowspec.ID]*flowspec.Rule
	stats    map[flowspec.Source]SourceStats
	waiting  map[flowspec.ID]time.Time // stale rules, and until when
}

// SourceStats is what is known of one source.
type SourceStats struct {
	Rules, InForce, Stale int
	Withdrawn             int       // held back, see MassWithdrawal
	Until                 time.Time // when what is held back goes; zero: nothing is
}

// New loads the store. The rules it finds are in force, and stale until their source repeats them.
func New(cfg Config) (*RIB, error) {
	if cfg.Clock == nil {
		cfg.Clock = systemClock{}
	}
	r := &RIB{
		in: make(chan Event, queueSize), stopped: make(chan struct{}), clock: cfg.Clock,
		watchers: map[chan struct{}]bool{}, byID: map[flowspec.ID]*flowspec.Rule{}, stats: map[flowspec.Source]SourceStats{}, waiting: map[flowspec.ID]time.Time{},
		saver: newSaver(cfg),
	}
	r.table = newTable(cfg)
	if cfg.Store != nil {
		rules, err := cfg.Store.Load()
		if err != nil {
			return nil, fmt.Errorf("load the stored rules: %w", err)
		}
		r.table.load(rules, r.clock.Now())
	}
	r.current.Store(&Snapshot{})
	r.publish()
	// The store has these rules: only what has expired is news for it.
	maps.DeleteFunc(r.table.dirty, func(_ flowspec.ID, rule *flowspec.Rule) bool { return rule != nil })
	return r, nil
}

// Run owns the rules until ctx ends. Events that were sent and not taken by then are answered with ErrStopped.
func (r *RIB) Run(ctx context.Context) error {
	defer r.stop()
	r.save(nil) // what had expired while the gateway was down
	var timer <-chan time.Time
	var wake time.Time // when timer fires
	for {
		if next := earlier(r.table.next(), r.saver.next()); !next.Equal(wake) || timer == nil {
			wake, timer = next, nil
			if !next.IsZero() {
				timer = r.clock.After(next.Sub(r.clock.Now()))
			}
		}
		var answers []answer
		select {
		case <-ctx.Done():
			return nil
		case e := <-r.in:
			answers = r.take(e)
		case <-timer:
			timer = nil
			r.table.expire(r.clock.Now())
		case <-r.saver.failed:
			r.saver.retryAt = r.clock.Now().Add(retryAfter)
		}
		r.publish()
		r.save(answers)
	}
}

// answer is what is owed to the sender of an event.
type answer struct {
	to  chan<- error
	err error // why it was not taken, or not whole
}

func (a answer) send(err error) {
	if err == nil { // else what was taken of the event is not durable, which is worse
		err = a.err
	}
	select {
	case a.to <- err:
	default: // the sender broke its promise of capacity one and is not there
	}
}

// take applies e and the events that have queued up behind it.
func (r *RIB) take(e Event) []answer {
	var answers []answer
	for n := 1; ; n++ {
		err := r.table.apply(e, r.clock.Now())
		if e.Done != nil {
			answers = append(answers, answer{e.Done, err})
		}
		if n == batchSize {
			return answers
		}
		select {
		case e = <-r.in:
		default:
			return answers
		}
	}
}

// publish makes a snapshot of what has changed in force, and wakes the readers.
func (r *RIB) publish() {
	changes := r.table.changes()
	r.mu.Lock()
	for id, rule := range r.table.dirty {
		if rule == nil {
			delete(r.byID, id)
		} else {
			r.byID[id] = rule
		}
	}
	r.table.waits.publish(r.waiting)
	for _, s := range r.table.sources {
		r.stats[s.policy.Name] = s.stats
	}
	r.mu.Unlock()
	if last := r.current.Load(); len(changes) > 0 || last.Version == 0 {
		next := last.with(changes)
		r.current.Store(&next)
		r.wake()
	}
}

// save hands the store what has changed, and answers the senders when it is durable.
func (r *RIB) save(answers []answer) {
	dirty := r.table.dirty
	r.table.dirty = map[flowspec.ID]*flowspec.Rule{}
	// byID needs no lock here: this goroutine is the only one that writes it.
	r.saver.save(dirty, r.byID, answers, r.clock.Now())
}

func (r *RIB) stop() {
	close(r.stopped)
	r.drain()
}

// drain answers the events that nobody will take any more.
func (r *RIB) drain() {
	for {
		select {
		case e := <-r.in:
			if e.Done != nil {
				answer{e.Done, ErrStopped}.send(nil)
			}
		default:
			return
		}
	}
}

// Send hands in an event. It waits while the RIB has too much to do, until ctx ends.
func (r *RIB) Send(ctx context.Context, e Event) error {
	select {
	case <-r.stopped: // without this a free place in the queue could win
		return ErrStopped
	default:
	}
	select {
	case r.in <- e:
		select {
		case <-r.stopped: // after Run had drained the queue, perhaps
			r.drain()
		default:
		}
		return nil
	case <-r.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Snapshot returns the rules in force.
func (r *RIB) Snapshot() Snapshot { return *r.current.Load() }

// Watch returns a channel of capacity one that is written to after each new snapshot, until stop is called. A reader that
// was busy meanwhile finds one wake-up, and the newest Snapshot.
func (r *RIB) Watch() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers[c] = true
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watchers, c)
	}
}

func (r *RIB) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Find returns a rule of any source, in force or not.
func (r *RIB) Find(id flowspec.ID) (flowspec.Rule, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rule := r.byID[id]; rule != nil {
		return *rule, true
	}
	return flowspec.Rule{}, false
}

// Stats counts rules by source: all of them, those in force, those that wait to be repeated, and those whose withdrawal is held back.
func (r *RIB) Stats() map[flowspec.Source]SourceStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.stats)
}
