package rib

import (
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// retryAfter is how long the RIB waits before it hands the store again what it could not write.
const retryAfter = time.Second

// saver hands changes to the store and remembers those that it could not write. All but unsaved belongs to the
// goroutine in RIB.Run.
type saver struct {
	store   Store
	report  func(error)
	failed  chan struct{} // capacity 1: something was added to unsaved
	retryAt time.Time     // zero: nothing to retry

	mu      sync.Mutex
	unsaved map[flowspec.ID]bool
}

func newSaver(cfg Config) *saver {
	s := &saver{store: cfg.Store, report: cfg.Unsaved, failed: make(chan struct{}, 1), unsaved: map[flowspec.ID]bool{}}
	if s.report == nil {
		s.report = func(error) {}
	}
	return s
}

func (s *saver) next() time.Time { return s.retryAt }

// save hands over dirty, of which nil means removed, and what is due for another try, as it stands now in current. answers are
// given when all that, and everything before it, is durable.
func (s *saver) save(dirty, current map[flowspec.ID]*flowspec.Rule, answers []answer, now time.Time) {
	if s.store == nil {
		for _, a := range answers {
			a.send(nil)
		}
		return
	}
	if due(s.retryAt, now) {
		s.retry(dirty, current)
	}
	if len(dirty) == 0 && len(answers) == 0 {
		return
	}
	var puts []flowspec.Rule
	var deletes []flowspec.ID
	for id, rule := range dirty {
		if rule == nil {
			deletes = append(deletes, id)
		} else {
			puts = append(puts, *rule)
		}
	}
	s.store.Apply(puts, deletes, func(err error) {
		if err != nil {
			s.remember(dirty)
			s.report(err)
		}
		for _, a := range answers {
			a.send(err)
		}
	})
}

// retry adds what could not be written to dirty, as it stands now.
func (s *saver) retry(dirty, current map[flowspec.ID]*flowspec.Rule) {
	s.retryAt = time.Time{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.unsaved {
		dirty[id] = current[id]
	}
	clear(s.unsaved)
}

// remember notes what could not be written, and wakes the RIB. It runs in the store's goroutine.
func (s *saver) remember(dirty map[flowspec.ID]*flowspec.Rule) {
	s.mu.Lock()
	for id := range dirty {
		s.unsaved[id] = true
	}
	s.mu.Unlock()
	select {
	case s.failed <- struct{}{}:
	default:
	}
}
