package sros_test

import (
	"bytes"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// An entry that is written twice now is one more.
func TestAnEntryWrittenTwiceIsASmallEdit(t *testing.T) {
	t.Parallel()
	d := newDevice()
	once, twice := busy(), busy()
	once.Entries[1].Match.SrcPort, twice.Entries[1].Match.SrcPort = dns, packet.Values{{Lo: 0, Hi: 123}}
	for _, step := range []struct {
		have, want filter.Filter
		operations int
	}{{once, twice, 2}, {twice, once, 2}} {
		add, err := dialect.Edit(nil, []filter.Filter{step.have})
		if err != nil {
			t.Fatal(err)
		}
		d.Edit(t, add)
		have, err := dialect.Parse(d.Config())
		if err != nil {
			t.Fatal(err)
		}
		edit, err := dialect.Edit(have, []filter.Filter{step.want})
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(edit, []byte("nc:operation=")); n != step.operations {
			t.Errorf("%d operations, want %d: %s", n, step.operations, edit)
		}
		d.Edit(t, edit)
		dialecttest.ReadsBack(t, dialect, step.want, d.Config())
	}
}

// Two filters may name one policer, as long as they mean the same one.
func TestEditOfFiltersWithOnePolicer(t *testing.T) {
	t.Parallel()
	limited := func(name string, v packet.Version, rate float32) filter.Filter {
		return filter.Filter{Name: name, Version: v, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Do: filter.Do{Policer: "sluice-p"}}},
			Policers: []filter.Policer{{Name: "sluice-p", Rate: flowspec.Rate{Amount: rate, Unit: flowspec.Bytes}, Burst: 15000}}}
	}
	both := []filter.Filter{limited("sluice-v4", packet.IPv4, 1250), limited("sluice-v6", packet.IPv6, 1250)}
	d := newDevice()
	for _, step := range [][2][]filter.Filter{{nil, both}, {both, both[1:]}, {both[1:], nil}} {
		edit, err := dialect.Edit(step[0], step[1])
		if err != nil {
			t.Fatal(err)
		}
		d.Edit(t, edit)
		if want := min(len(step[1]), 1); d.Policers() != want {
			t.Errorf("the device holds %d policers, want %d", d.Policers(), want)
		}
	}
	_, err := dialect.Edit(nil, []filter.Filter{both[0], limited("sluice-v6", packet.IPv6, 2500)})
	if err == nil || err.Error() != "filter sluice-v6: policer sluice-p is another one in another filter" {
		t.Errorf("got %v", err)
	}
}

// newDevice returns a router without filters.
func newDevice() dialecttest.Device {
	return &dialecttest.Store{
		Keys:   map[string]string{"ip-filter": "filter-name", "ipv6-filter": "filter-name", "entry": "entry-id", "policer": "policer-name"},
		Limits: "policer-name",
	}
}
