package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// form is a device.Form on disk. A route is stored as a rule that nobody asked for.
type form struct {
	Rule    string            `json:"rule"`
	Carried string            `json:"carried"`
	AsCame  bool              `json:"as-came,omitempty"`
	Routes  []json.RawMessage `json:"routes,omitempty"`
	Filter  string            `json:"filter,omitempty"`
	Entries int               `json:"entries,omitempty"`
}

func encodeForm(f device.Form) ([]byte, error) {
	out := form{Rule: f.Rule, Carried: f.Carried, AsCame: f.AsCame, Filter: f.Filter, Entries: f.Entries}
	for _, r := range f.Routes {
		b, err := encodeRule(flowspec.Rule{Match: r.Match, Action: r.Action, Communities: r.Communities, LargeCommunities: r.LargeCommunities, Others: r.Others})
		if err != nil {
			return nil, err
		}
		out.Routes = append(out.Routes, b)
	}
	return json.Marshal(out)
}

func decodeForm(b []byte) (device.Form, error) {
	var in form
	if err := json.Unmarshal(b, &in); err != nil {
		return device.Form{}, err
	}
	f := device.Form{Rule: in.Rule, Carried: in.Carried, AsCame: in.AsCame, Filter: in.Filter, Entries: in.Entries}
	for _, b := range in.Routes {
		r, err := decodeRule(b)
		if err != nil {
			return f, err
		}
		f.Routes = append(f.Routes, &device.Route{Match: r.Match, Action: r.Action, Communities: r.Communities, LargeCommunities: r.LargeCommunities, Others: r.Others})
	}
	return f, nil
}

// SaveForms notes how the plans that of stands for carry rules, and of which they know nothing any more.
func (s *Store) SaveForms(of string, puts map[flowspec.ID]device.Form, deletes []flowspec.ID) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketForms)
		for _, id := range deletes {
			if err := b.Delete(keyOf(of, id)); err != nil {
				return err
			}
		}
		for id, f := range puts {
			octets, err := encodeForm(f)
			if err == nil {
				err = b.Put(keyOf(of, id), octets)
			}
			if err != nil {
				return fmt.Errorf("rule %s: %w", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store plans: %w", err)
	}
	return nil
}

// Forms returns what SaveForms noted.
func (s *Store) Forms(of string) (map[flowspec.ID]device.Form, error) {
	out := map[flowspec.ID]device.Form{}
	err := s.db.View(func(tx *bbolt.Tx) error {
		prefix := keyOf(of, "")
		c := tx.Bucket(bucketForms).Cursor()
		for k, b := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, b = c.Next() {
			f, err := decodeForm(b)
			if err != nil {
				return fmt.Errorf("rule %s: %w", k[len(prefix):], err)
			}
			out[flowspec.ID(k[len(prefix):])] = f
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read plans: %w", err)
	}
	return out, nil
}

// SaveAdopted notes which plans a device is given.
func (s *Store) SaveAdopted(name, of string) error { return s.put(bucketAdopted, name, of) }

// Adopted returns what SaveAdopted noted; false: nothing was, so the device is new.
func (s *Store) Adopted(name string) (of string, found bool, err error) {
	found, err = s.get(bucketAdopted, name, &of)
	return of, found, err
}

// KeepForms forgets all plans but those, and what other devices than those are given.
func (s *Store) KeepForms(of, devices []string) error {
	err := keepOnly(s.db, bucketForms, of)
	if err == nil {
		err = keepOnly(s.db, bucketAdopted, devices)
	}
	if err == nil {
		err = keepOnly(s.db, bucketPolicies, devices)
	}
	if err != nil {
		return fmt.Errorf("forget plans: %w", err)
	}
	return nil
}

// keepOnly deletes every key of a bucket that is none of names, or does not begin with one and a NUL.
func keepOnly(db *bbolt.DB, bucket []byte, names []string) error {
	return db.Update(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		for k, _ := c.First(); k != nil; {
			name, _, _ := bytes.Cut(k, []byte{0})
			if slices.Contains(names, string(name)) {
				k, _ = c.Next()
				continue
			}
			at := bytes.Clone(k) // Delete moves the cursor
			if err := c.Delete(); err != nil {
				return err
			}
			k, _ = c.Seek(at)
		}
		return nil
	})
}
