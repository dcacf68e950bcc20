package sessions

import (
	"context"
	"errors"
	"time"
)

// ErrNoAnswer is the error of Bounded where the limit was over.
var ErrNoAnswer = errors.New("no answer in time")

// Bounded carries out f, which talks to a device, and calls hangUp when it takes longer than limit or ctx ends, which must end f. It returns ctx's error, ErrNoAnswer, or that of f.
func Bounded(ctx context.Context, limit time.Duration, hangUp func(), f func() error) error {
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := context.AfterFunc(timed, hangUp)
	defer stop()
	err := f()
	switch {
	case err == nil && timed.Err() == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case timed.Err() != nil:
		return ErrNoAnswer
	}
	return err
}
