package store

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// SaveRollout notes, durably, how the roll-out to a group of devices stands.
func (s *Store) SaveRollout(group string, r device.Rollout) error {
	return s.put(bucketRollouts, group, r)
}

// Rollout returns what SaveRollout noted; false: nothing was, so the group is new.
func (s *Store) Rollout(group string) (device.Rollout, bool, error) {
	var r device.Rollout
	found, err := s.get(bucketRollouts, group, &r)
	return r, found, err
}

// keyOf is where something about a rule stands that belongs to what name names. No name that people write holds a NUL.
func keyOf(name string, id flowspec.ID) []byte {
	return append(append([]byte(name), 0), id...)
}

// SaveReleased notes, durably and in one step, which rules every device of a group may have from now on, and which no more.
func (s *Store) SaveReleased(group string, puts []flowspec.Rule, deletes []flowspec.ID) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketReleased)
		for _, id := range deletes {
			if err := b.Delete(keyOf(group, id)); err != nil {
				return err
			}
		}
		for _, r := range puts {
			octets, err := encodeRule(r)
			if err == nil {
				err = b.Put(keyOf(group, r.ID), octets)
			}
			if err != nil {
				return fmt.Errorf("rule %s: %w", r.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store what is released to %s: %w", group, err)
	}
	return nil
}

// Released returns the rules that SaveReleased noted.
func (s *Store) Released(group string) ([]flowspec.Rule, error) {
	var rules []flowspec.Rule
	err := s.db.View(func(tx *bbolt.Tx) error {
		prefix := keyOf(group, "")
		c := tx.Bucket(bucketReleased).Cursor()
		for k, b := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, b = c.Next() {
			r, err := decodeRule(json.RawMessage(b))
			if err != nil {
				return fmt.Errorf("rule %s: %w", k[len(prefix):], err)
			}
			rules = append(rules, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what is released to %s: %w", group, err)
	}
	return rules, nil
}

// SaveBegun notes, durably, that a canary is about to be given what the others of its group do not have.
func (s *Store) SaveBegun(name string, b device.Begun) error { return s.put(bucketBegun, name, b) }

// Begun returns what SaveBegun noted of a canary, or false.
func (s *Store) Begun(name string) (device.Begun, bool, error) {
	var b device.Begun
	found, err := s.get(bucketBegun, name, &b)
	return b, found, err
}

// ClearBegun forgets what SaveBegun noted of a canary: all of its group may have what it was given.
func (s *Store) ClearBegun(name string) error { return s.remove(bucketBegun, name) }

// KeepRollouts forgets what was noted of every group, and of every canary, but those.
func (s *Store) KeepRollouts(groups, canaries []string) error {
	err := keepOnly(s.db, bucketRollouts, groups)
	if err == nil {
		err = keepOnly(s.db, bucketReleased, groups)
	}
	if err == nil {
		err = keepOnly(s.db, bucketBegun, canaries)
	}
	if err != nil {
		return fmt.Errorf("forget groups: %w", err)
	}
	return nil
}
