package reconcile

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Histories remembers across a restart what was tried at each device. *store.Store is one.
type Histories interface {
	SaveHistory(name string, list []device.Attempt) error
	History(name string) ([]device.Attempt, error)
}

// ledger is what a worker has done, for others to read.
type ledger struct {
	mu       sync.Mutex
	attempts []device.Attempt // oldest first
	routes   rib.Snapshot     // whose routes the session was given
	filters  rib.Snapshot     // whose filters the device was seen to hold

	// Of the worker alone.
	told  uint64 // version that attempts tells of
	unset bool   // attempts has something that is not on disk
}

// saveAfter is how long what was tried waits for the disk: a gateway that is killed forgets as much of its history, and nothing else.
const saveAfter = 5 * time.Second

// recall reads the history that an earlier life of the gateway left.
func (w *worker) recall() error {
	list, err := w.tokens.History(w.dev.Name)
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	w.ledger.attempts = list
	return err
}

// record adds to the history how a delivery of m ended that began at some time. One that had nothing to change is not in it.
func (w *worker) record(m *made, err error, began time.Time) {
	l := &w.ledger
	if err == nil && !w.filters.committed.After(began) && (w.dev.Native == nil || l.told == m.of.Version) {
		l.told = m.of.Version
		return
	}
	a := device.Attempt{At: w.now().UTC(), Times: 1, Outcome: outcome(err), Took: w.now().Sub(began)}
	if err != nil {
		a.Words = err.Error()
	}
	a.Name(changedIDs(m.of, l.told))
	if err == nil {
		l.told = m.of.Version
	}
	l.add(a)
}

// changedIDs returns the rules that changed since a version, or all where that is not known.
func changedIDs(now rib.Snapshot, since uint64) []flowspec.ID {
	changes, known := now.Since(since)
	if !known || since == 0 {
		ids := make([]flowspec.ID, 0, now.Len())
		for r := range now.All() {
			ids = append(ids, r.ID)
		}
		return ids
	}
	ids := make([]flowspec.ID, 0, len(changes))
	for _, c := range changes {
		if c.New != nil {
			ids = append(ids, c.New.ID)
		} else {
			ids = append(ids, c.Old.ID)
		}
	}
	return ids
}

func (l *ledger) add(a device.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unset = true
	if n := len(l.attempts); n > 0 && l.attempts[n-1].Alike(a) {
		last := &l.attempts[n-1]
		last.Times, last.Last, last.Took = last.Times+1, a.At, a.Took
		return
	}
	l.attempts = append(l.attempts, a)
	if extra := len(l.attempts) - device.MostRemembered; extra > 0 {
		l.attempts = slices.Delete(l.attempts, 0, extra)
	}
}

func outcome(err error) device.Outcome {
	var refused *device.Refused
	var drifted *device.Drifted
	switch {
	case err == nil:
		return device.Delivered
	case errors.As(err, &drifted) && drifted.Gone:
		return device.WasDrifted
	case errors.As(err, &refused), errors.Is(err, errUnproven):
		return device.WasRefused
	}
	return device.NotReached
}

// save writes the history to disk, if there is anything new in it.
func (w *worker) save() {
	if !w.ledger.unset {
		return
	}
	if err := w.tokens.SaveHistory(w.dev.Name, w.ledger.all()); err != nil {
		w.log.Warn("cannot save the history", "error", err)
		return
	}
	w.ledger.unset = false
}

func (l *ledger) all() []device.Attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.attempts)
}

// reached notes that the session, or the device through its filter adapter, has what the plan of those rules says.
func (l *ledger) reached(what *rib.Snapshot, rules rib.Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*what = rules
}

// History returns what was tried at a device, oldest first, a hundred attempts at most. The error is ErrNoDevice.
func (r *Reconciler) History(name string) ([]device.Attempt, error) {
	workers, err := r.named(name)
	if err != nil || name == "" {
		return nil, ErrNoDevice
	}
	return workers[0].ledger.all(), nil
}
