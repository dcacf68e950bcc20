package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// store is one device's directory, locked: the filters in filters.json, and in pending.json what is put back unless it is confirmed.
type store struct {
	dir  string
	lock *os.File
}

// pending is a change that waits for its confirmation.
type pending struct {
	Token    string    `json:"token"`
	Deadline time.Time `json:"deadline"`
	Before   []byte    `json:"before"` // content of filters.json; null: there was no such file
}

// openStore locks the directory, waiting as long as ctx lets it.
func openStore(ctx context.Context, dir string) (*store, error) {
	if ctx.Err() != nil {
		return nil, &device.Transient{Err: ctx.Err(), Unchanged: true}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return &store{dir: dir, lock: f}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, f.Close())
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, &device.Transient{Err: fmt.Errorf("the directory %s is locked: %w", dir, ctx.Err()), Unchanged: true}
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (s *store) close() { _ = s.lock.Close() }

func (s *store) path(name string) string { return filepath.Join(s.dir, name) }

// content returns filters.json, nil when there is none.
func (s *store) content() ([]byte, error) {
	b, err := os.ReadFile(s.path("filters.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

func (s *store) setContent(b []byte) error {
	if b == nil {
		return s.remove("filters.json")
	}
	return s.replace("filters.json", b)
}

// filters returns what the device holds. A file that is not as we write it was edited by another hand.
func (s *store) filters() ([]filter.Filter, error) {
	b, err := s.content()
	if err != nil {
		return nil, err
	}
	out, err := parse(b)
	if err != nil {
		return nil, &device.Drifted{What: fmt.Sprintf("%s does not read: %v", s.path("filters.json"), err)}
	}
	return out, nil
}

func (s *store) pending() (*pending, error) {
	b, err := os.ReadFile(s.path("pending.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var p pending
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, fmt.Errorf("%s: %w", s.path("pending.json"), err)
	}
	return &p, nil
}

func (s *store) setPending(p *pending) error {
	if p == nil {
		return s.remove("pending.json")
	}
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.replace("pending.json", b)
}

// undo puts back what was there before. Killed half way, it is done again.
func (s *store) undo(p *pending) error {
	if err := s.setContent(p.Before); err != nil {
		return err
	}
	return s.setPending(nil)
}

// replace writes a file in one step: others see the old content or the new, also after a power cut. The name of the file on its way is fixed, since the
// directory is locked: what a crash leaves is overwritten by the next.
func (s *store) replace(name string, b []byte) error {
	f, err := os.OpenFile(s.path(name+".new"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return s.sync()
}

func (s *store) remove(name string) error {
	err := os.Remove(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.sync()
}

// sync makes names durable, in their order: after a power cut a change that was confirmed must not be pending again, nor one be there without
// its way back.
func (s *store) sync() error {
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
