package store

import (
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// allDevices stands for the name of a device where every one is meant. No name that people write holds a NUL.
const allDevices = "\x00"

// key is where something of a device stands; "" means all devices.
func key(name string) []byte {
	if name == "" {
		name = allDevices
	}
	return []byte(name)
}

// SaveFreeze notes, durably, that a device is frozen, or with the name "" that all are.
func (s *Store) SaveFreeze(name string, f device.Freeze) error {
	return s.put(bucketFreezes, string(key(name)), f)
}

// Freezes returns every freeze by name of device; that of all devices under "".
func (s *Store) Freezes() (map[string]device.Freeze, error) {
	out := map[string]device.Freeze{}
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketFreezes).ForEach(func(name, b []byte) error {
			var f device.Freeze
			if err := json.Unmarshal(b, &f); err != nil {
				return fmt.Errorf("freeze of %s: %w", name, err)
			}
			if string(name) == allDevices {
				name = nil
			}
			out[string(name)] = f
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("load freezes: %w", err)
	}
	return out, nil
}

// ClearFreeze forgets what SaveFreeze noted.
func (s *Store) ClearFreeze(name string) error { return s.remove(bucketFreezes, string(key(name))) }

// kept is a device.Kept on disk. A route is stored as a rule that nobody asked for.
type kept struct {
	Routes []json.RawMessage `json:"routes"`
	Rules  []json.RawMessage `json:"rules"`
}

// SaveKept notes what a device had when it was frozen.
func (s *Store) SaveKept(name string, k device.Kept) error {
	var out kept
	for _, r := range k.Routes {
		b, err := encodeRule(flowspec.Rule{Match: r.Match, Action: r.Action, Communities: r.Communities, LargeCommunities: r.LargeCommunities, Others: r.Others})
		if err != nil {
			return fmt.Errorf("store what %s has: %w", name, err)
		}
		out.Routes = append(out.Routes, b)
	}
	for _, r := range k.Rules {
		b, err := encodeRule(r)
		if err != nil {
			return fmt.Errorf("store what %s has: %w", name, err)
		}
		out.Rules = append(out.Rules, b)
	}
	return s.put(bucketKept, name, out)
}

// Kept returns what SaveKept noted, or false.
func (s *Store) Kept(name string) (device.Kept, bool, error) {
	var in kept
	found, err := s.get(bucketKept, name, &in)
	if err != nil || !found {
		return device.Kept{}, false, err
	}
	var out device.Kept
	for _, b := range in.Routes {
		r, err := decodeRule(b)
		if err != nil {
			return device.Kept{}, false, fmt.Errorf("read what %s had: %w", name, err)
		}
		out.Routes = append(out.Routes, &device.Route{Match: r.Match, Action: r.Action, Communities: r.Communities, LargeCommunities: r.LargeCommunities, Others: r.Others})
	}
	for _, b := range in.Rules {
		r, err := decodeRule(b)
		if err != nil {
			return device.Kept{}, false, fmt.Errorf("read what %s had: %w", name, err)
		}
		out.Rules = append(out.Rules, r)
	}
	return out, true, nil
}

// ClearKept forgets what SaveKept noted.
func (s *Store) ClearKept(name string) error { return s.remove(bucketKept, name) }
