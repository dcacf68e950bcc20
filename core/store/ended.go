package store

import (
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// MostEnded is how many rules that the gateway ended by itself are remembered.
const MostEnded = 1000

// Ended is a rule that the gateway ended by itself.
type Ended struct {
	Rule   flowspec.Rule
	At     time.Time
	Reason string
}

type ended struct {
	Rule   json.RawMessage `json:"rule"`
	At     time.Time       `json:"at"`
	Reason string          `json:"reason"`
}

// SaveEnded adds a rule to those that the gateway ended, and forgets the oldest beyond MostEnded. It returns the number of the note.
func (s *Store) SaveEnded(e Ended) (number uint64, err error) {
	err = s.db.Update(func(tx *bbolt.Tx) error {
		octets, err := encodeRule(e.Rule)
		if err != nil {
			return err
		}
		b := tx.Bucket(bucketEnded)
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		number = n
		if err := putJSON(b, fmt.Appendf(nil, "%020d", n), ended{octets, e.At, e.Reason}); err != nil {
			return err
		}
		if n > MostEnded {
			return b.Delete(fmt.Appendf(nil, "%020d", n-MostEnded))
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("note the end of rule %s: %w", e.Rule.ID, err)
	}
	return number, nil
}

// DropEnded takes back the note with that number: the rule did not end.
func (s *Store) DropEnded(number uint64) error {
	return s.remove(bucketEnded, fmt.Sprintf("%020d", number))
}

// Ended returns what SaveEnded noted, oldest first.
func (s *Store) Ended() ([]Ended, error) {
	var list []Ended
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketEnded).ForEach(func(_, octets []byte) error {
			var in ended
			if err := json.Unmarshal(octets, &in); err != nil {
				return err
			}
			r, err := decodeRule(in.Rule)
			list = append(list, Ended{r, in.At, in.Reason})
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read which rules were ended: %w", err)
	}
	return list, nil
}
