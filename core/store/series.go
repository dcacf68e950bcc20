package store

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// SaveSeries notes, in one step, what the counters of a device have come to, and of which rules it has none any more.
func (s *Store) SaveSeries(name string, of device.Readings, puts map[flowspec.ID]device.Series, deletes []flowspec.ID) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketSeries)
		for _, id := range deletes {
			if err := b.Delete(keyOf(name, id)); err != nil {
				return err
			}
		}
		for id, one := range puts {
			if err := putJSON(b, keyOf(name, id), one); err != nil {
				return fmt.Errorf("rule %s: %w", id, err)
			}
		}
		return putJSON(b, []byte(name), of)
	})
	if err != nil {
		return fmt.Errorf("store counters of %s: %w", name, err)
	}
	return nil
}

func putJSON(b *bbolt.Bucket, key []byte, v any) error {
	octets, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, octets)
}

// Series returns what SaveSeries noted.
func (s *Store) Series(name string) (of device.Readings, series map[flowspec.ID]device.Series, err error) {
	series = map[flowspec.ID]device.Series{}
	err = s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketSeries)
		if octets := b.Get([]byte(name)); octets != nil {
			if err := json.Unmarshal(octets, &of); err != nil {
				return err
			}
		}
		prefix, c := keyOf(name, ""), b.Cursor()
		for k, octets := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, octets = c.Next() {
			var one device.Series
			if err := json.Unmarshal(octets, &one); err != nil {
				return fmt.Errorf("rule %s: %w", k[len(prefix):], err)
			}
			series[flowspec.ID(k[len(prefix):])] = one
		}
		return nil
	})
	if err != nil {
		return of, nil, fmt.Errorf("read counters of %s: %w", name, err)
	}
	return of, series, nil
}

// KeepSeries forgets what the counters of other devices than those have come to.
func (s *Store) KeepSeries(devices []string) error {
	if err := keepOnly(s.db, bucketSeries, devices); err != nil {
		return fmt.Errorf("forget counters: %w", err)
	}
	return nil
}
