package store

import (
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/sluice-gateway/sluice/core/device"
)

// SaveCommit notes, durably, that a device has a commit that it will undo unless it is confirmed.
func (s *Store) SaveCommit(name string, c device.Commit) error {
	return s.put(bucketCommits, name, c)
}

// Commit returns the commit in flight on a device, or false.
func (s *Store) Commit(name string) (device.Commit, bool, error) {
	var c device.Commit
	found, err := s.get(bucketCommits, name, &c)
	return c, found, err
}

// ClearCommit forgets the commit of a device: it was confirmed, cancelled, or is past its deadline.
func (s *Store) ClearCommit(name string) error { return s.remove(bucketCommits, name) }

// SaveHeld notes which of our filters a device was seen to hold.
func (s *Store) SaveHeld(name string, filters []string) error {
	return s.put(bucketHeld, name, filters)
}

// Held returns the names that SaveHeld noted.
func (s *Store) Held(name string) ([]string, error) {
	var filters []string
	_, err := s.get(bucketHeld, name, &filters)
	return filters, err
}

func (s *Store) put(bucket []byte, name string, v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		err = s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Put([]byte(name), b) })
	}
	if err != nil {
		return fmt.Errorf("store %s of %s: %w", bucket, name, err)
	}
	return nil
}

func (s *Store) remove(bucket []byte, name string) error {
	err := s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Delete([]byte(name)) })
	if err != nil {
		return fmt.Errorf("forget %s of %s: %w", bucket, name, err)
	}
	return nil
}

func (s *Store) get(bucket []byte, name string, v any) (found bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket).Get([]byte(name))
		found = b != nil
		if !found {
			return nil
		}
		return json.Unmarshal(b, v)
	})
	if err != nil {
		return false, fmt.Errorf("read %s of %s: %w", bucket, name, err)
	}
	return found, nil
}
