package rib

import (
	"errors"
	"maps"
	"sync"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// disk is a Store in memory. It writes at once, or fails as often as told.
type disk struct {
	mu     sync.Mutex
	rules  map[flowspec.ID]flowspec.Rule
	fail   int // writes that will fail
	writes int
}

var errDisk = errors.New("no space left on device")

func newDisk(rules ...flowspec.Rule) *disk {
	d := &disk{rules: map[flowspec.ID]flowspec.Rule{}}
	for _, r := range rules {
		d.rules[r.ID] = r
	}
	return d
}

func (d *disk) Load() ([]flowspec.Rule, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []flowspec.Rule
	for _, r := range d.rules {
		all = append(all, r)
	}
	return all, nil
}

func (d *disk) Apply(puts []flowspec.Rule, deletes []flowspec.ID, done func(error)) {
	done(d.write(puts, deletes))
}

func (d *disk) write(puts []flowspec.Rule, deletes []flowspec.ID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes++
	if d.fail > 0 {
		d.fail--
		return errDisk
	}
	for _, r := range puts {
		d.rules[r.ID] = r
	}
	for _, id := range deletes {
		delete(d.rules, id)
	}
	return nil
}

func (d *disk) content() map[flowspec.ID]flowspec.Rule {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.rules)
}

// failNext makes the next n writes fail.
func (d *disk) failNext(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = n
}

func (d *disk) written() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.writes
}
