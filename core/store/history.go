package store

import "github.com/sluice-gateway/sluice/core/device"

// SaveHistory notes what was tried at a device.
func (s *Store) SaveHistory(name string, list []device.Attempt) error {
	return s.put(bucketHistory, name, list)
}

// History returns what SaveHistory noted.
func (s *Store) History(name string) ([]device.Attempt, error) {
	var list []device.Attempt
	_, err := s.get(bucketHistory, name, &list)
	return list, err
}
