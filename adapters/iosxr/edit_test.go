package iosxr_test

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
)

// newDevice returns a router without lists.
func newDevice() dialecttest.Device {
	return &dialecttest.Store{Keys: map[string]string{"access-list": "access-list-name", "sequence": "sequence-number"}}
}

// Between two places that are next to each other there is no room: all get new ones, once.
func TestEditMakesRoom(t *testing.T) {
	t.Parallel()
	f := busy()
	for i := range f.Entries {
		f.Entries[i].Place = uint32(i + 1)
	}
	want := busy()
	want.Entries = slices.Insert(want.Entries, 1, filter.Entry{Name: "new", Do: filter.Do{Discard: true}, Match: filter.Match{Proto: tcp}})
	edit, err := dialect.Edit([]filter.Filter{f}, []filter.Filter{want})
	if err != nil {
		t.Fatal(err)
	}
	d := newDevice()
	first, err := dialect.Edit(nil, []filter.Filter{f})
	if err != nil {
		t.Fatal(err)
	}
	d.Edit(t, first)
	d.Edit(t, edit)
	dialecttest.ReadsBack(t, dialect, want, d.Config())
}
