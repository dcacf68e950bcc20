// Package store keeps what must survive a crash: the rules that somebody was told are accepted, and the commits that a
// device will undo unless they are confirmed.
//
// A Store is one bbolt file, used by one gateway at a time. Writes are grouped: while one transaction is on its way to the
// disk, everything that arrives waits for the next one, so a burst of ten thousand rules costs a few transactions and a
// lone rule costs one. A write is acknowledged after the transaction that holds it is on disk, never before.
//
//	s, err := store.Open("sluice.db")
//	go s.Run(ctx)
//	s.Apply(puts, nil, func(err error) { ... durable ... })
package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// layout is the version of what the buckets hold. A file with another one is refused: guessing would lose rules.
const layout = "1"

var (
	bucketMeta    = []byte("meta")
	bucketRules   = []byte("rules")   // rule ID -> rule
	bucketCommits = []byte("commits") // device name -> commit in flight
	bucketHeld    = []byte("held")    // device name -> names of the filters it was seen to hold
	bucketFreezes = []byte("freezes") // device name -> a person's order to change nothing
	bucketKept    = []byte("kept")    // device name -> what it had when it was frozen
	bucketHistory = []byte("history") // device name -> what was tried there

	bucketRollouts = []byte("rollouts") // group name -> how its roll-out stands
	bucketReleased = []byte("released") // group name, NUL, rule ID -> rule that all of the group may have
	bucketBegun    = []byte("begun")    // name of a canary -> that it may have been given what its group does not have
	bucketForms    = []byte("forms")    // plans of one version, NUL, rule ID -> how they carry the rule
	bucketAdopted  = []byte("adopted")  // device name -> the plans that it is given
	bucketPolicies = []byte("policies") // device name -> how its routes leave
	bucketSeries   = []byte("series")   // device name -> when its counters were read; device name, NUL, rule ID -> what those of the rule have come to
	bucketEnded    = []byte("ended")    // number -> rule that the gateway ended by itself

	keyLayout = []byte("layout")
)

// ErrInUse means that another gateway has the file open.
var ErrInUse = errors.New("the store is in use by another gateway")

// ErrClosed is the answer to writes that come after Run has ended.
var ErrClosed = errors.New("the store is closed")

// Store is a bbolt file. Reads may come from any goroutine; the writer is the goroutine in Run.
type Store struct {
	db   *bbolt.DB
	wake chan struct{} // capacity 1

	mu      sync.Mutex // guards pending and closed
	pending []write
	closed  bool
}

// write is one batch and who waits for it.
type write struct {
	puts    []flowspec.Rule
	deletes []flowspec.ID
	done    func(error)
}

// Open opens or creates the file. It fails with ErrInUse when another process has it.
func Open(path string) (*Store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: %w", path, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := db.Update(prepare); err != nil {
		db.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &Store{db: db, wake: make(chan struct{}, 1)}, nil
}

// prepare creates the buckets and checks the layout.
func prepare(tx *bbolt.Tx) error {
	for _, name := range [][]byte{bucketMeta, bucketRules, bucketCommits, bucketHeld, bucketFreezes, bucketKept, bucketHistory, bucketRollouts, bucketReleased, bucketBegun, bucketForms, bucketAdopted, bucketPolicies, bucketSeries, bucketEnded} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	switch found := meta.Get(keyLayout); {
	case found == nil:
		return meta.Put(keyLayout, []byte(layout))
	case string(found) != layout:
		return fmt.Errorf("the file has layout %q and this version reads %q: use the version that wrote it", found, layout)
	}
	return nil
}

// Close closes the file. Run must have ended.
func (s *Store) Close() error { return s.db.Close() }

// Load returns every stored rule. A rule that cannot be read is an error: to go on without it would open what it filters.
func (s *Store) Load() ([]flowspec.Rule, error) {
	var rules []flowspec.Rule
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRules).ForEach(func(id, b []byte) error {
			r, err := decodeRule(b)
			if err != nil {
				return fmt.Errorf("rule %s: %w", id, err)
			}
			if string(r.ID) != string(id) {
				return fmt.Errorf("rule %s: holds the rule with ID %s", id, r.ID)
			}
			rules = append(rules, r)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("load rules: %w", err)
	}
	return rules, nil
}

// Apply stores puts and removes deletes in one step, some time soon. done is called once, from the goroutine in Run: with nil when all of it is on
// disk. It returns at once.
func (s *Store) Apply(puts []flowspec.Rule, deletes []flowspec.ID, done func(error)) {
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.pending = append(s.pending, write{puts, deletes, done})
	}
	s.mu.Unlock()
	if closed {
		done(ErrClosed)
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run writes until ctx ends; then it writes what had arrived by then and refuses the rest.
func (s *Store) Run(ctx context.Context) error {
	for {
		select {
		case <-s.wake:
			s.flush()
		case <-ctx.Done():
			s.mu.Lock()
			s.closed = true
			s.mu.Unlock()
			s.flush()
			return nil
		}
	}
}

// flush writes everything pending in one transaction and answers everybody.
func (s *Store) flush() {
	s.mu.Lock()
	batch := s.pending
	s.pending = nil
	s.mu.Unlock()
	if len(batch) == 0 {
		return
	}

	err := s.db.Update(func(tx *bbolt.Tx) error {
		rules := tx.Bucket(bucketRules)
		for _, w := range batch {
			if err := w.into(rules); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("store: %w", err)
	}
	for _, w := range batch {
		w.done(err)
	}
}

func (w write) into(rules *bbolt.Bucket) error {
	for _, id := range w.deletes {
		if err := rules.Delete([]byte(id)); err != nil {
			return err
		}
	}
	for _, r := range w.puts {
		b, err := encodeRule(r)
		if err != nil {
			return fmt.Errorf("rule %s: %w", r.ID, err)
		}
		if err := rules.Put([]byte(r.ID), b); err != nil {
			return err
		}
	}
	return nil
}
