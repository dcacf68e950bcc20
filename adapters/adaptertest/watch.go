package adaptertest

import (
	"context"
	"errors"

	"github.com/sluice-gateway/sluice/core/device"
)

func (s *story) watch(t T) {
	watcher, ok := s.adapter.(device.Watcher)
	if !ok {
		return
	}
	want := s.v4(5)
	s.settle(t, state(want))
	ctx, stop := context.WithCancel(s.context(t))
	said, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		ended <- watcher.Watch(ctx, s.target, func() {
			select {
			case said <- struct{}{}:
			default:
			}
		})
	}()
	defer func() { stop(); <-ended }()
	hear := func(what string) bool {
		select {
		case <-said:
			return true
		case err := <-ended:
			ended <- err
			s.noSecrets(t, err)
			var refused *device.Refused
			if !errors.Is(err, errors.ErrUnsupported) && !errors.As(err, &refused) {
				t.Errorf("%s: the watch ended: %v", what, err)
			}
		case <-ctx.Done():
			t.Errorf("%s: nothing is said", what)
		}
		return false
	}
	if !hear("a watch that begins") {
		return
	}
	s.holds(t, state(want))
	select {
	case <-said: // of what was before
	default:
	}
	s.edit(t, DropEntry, want.Name)
	hear("an entry that another hand deleted")
}
