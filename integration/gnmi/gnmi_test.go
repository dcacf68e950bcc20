package gnmi_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/gnmi"
	"github.com/sluice-gateway/sluice/adapters/openconfig"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
	"github.com/sluice-gateway/sluice/plugins/sdk/sdktest"
)

// operators is what stands on the router besides ours. No test may change it.
const operators = `{"openconfig-acl:acl":{"acl-sets":{"acl-set":[{"name":"EDGE-IN","type":"openconfig-acl:ACL_IPV4","config":{"name":"EDGE-IN","type":"openconfig-acl:ACL_IPV4"},
"acl-entries":{"acl-entry":[{"sequence-id":1,"config":{"sequence-id":1},"actions":{"config":{"forwarding-action":"openconfig-acl:REJECT","log-action":"openconfig-acl:LOG_SYSLOG"}}}]}}]}}}`

var semantics = openconfig.Dialect{}.Semantics()

func newAdapter(t testing.TB) *gnmi.Adapter {
	a := gnmi.New(openconfig.Dialect{}, gnmi.Options{})
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func confirming(r *router) { r.confirms = true }

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, confirmed := range []bool{false, true} {
		name := map[bool]string{false: "immediate", true: "confirmed"}[confirmed]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, func(r *router) { r.confirms = confirmed }, speaking(t))
			r.target.Options["commit"] = name
			r.load(t, operators)
			before := r.config(t)
			outer := t
			refused := adaptertest.PlainEntry(semantics, 3)
			refused.Name = "r-refused"
			adaptertest.Run(t, sdktest.Loopback(t, newAdapter(t)), r.target, adaptertest.Faults{
				Semantics: semantics, Plain: true, NoUndo: !confirmed, Entries: 100, // ten thousand: see below
				Restart: func(context.Context) (device.Adapter, error) {
					r.with(r.lose)
					return sdktest.Loopback(outer, newAdapter(outer)), nil
				},
				Edit: func(_ context.Context, e adaptertest.Edit, name string) error {
					r.with(func() {
						if e == adaptertest.DropFilter {
							r.dropSet(name)
							return
						}
						r.dropEntry(name)
					})
					return nil
				},
				LoseAnswer: func(context.Context) error { r.with(func() { r.loseAfter = true }); return nil },
				Refused:    refused, Words: "too clever for the TCAM",
				Expire: func(context.Context) error { r.with(func() { r.undo(r.waiting) }); return nil },
				Stages: []device.Stage{device.Reading, device.Committing, device.Checking},
			})
			if after := r.config(t); after != before {
				t.Errorf("the operator's configuration is not what it was:\n%s\nwant\n%s", after, before)
			}
		})
	}
}

// state is one IPv4 filter of n entries.
func state(n int) device.State {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		f.Entries = append(f.Entries, adaptertest.PlainEntry(semantics, i))
	}
	return device.State{Filters: []filter.Filter{f}}
}

// Ten thousand entries are more than gRPC takes in a message by itself. yanglint finds no fault in what the router then holds.
func TestTenThousandEntries(t *testing.T) {
	t.Parallel()
	r := start(t, func(r *router) { r.lax = true })
	r.load(t, operators)
	a := newAdapter(t)
	if _, err := a.Apply(t.Context(), r.target, device.Diff(device.State{}, state(10_000)), 0); err != nil {
		t.Fatal(err) // it was read back
	}
	if r.biggest < 4<<20 {
		t.Errorf("the biggest answer had %d octets: that is no test of the limit", r.biggest)
	}
	lint(t, emit(t, r.root))
}

// BenchmarkTransport loads a filter, and changes one entry of it. The target does not look for faults between leaves, which takes ygot minutes.
func BenchmarkTransport(b *testing.B) {
	r := start(b, func(r *router) { r.lax = true })
	rig.Bench(b, rig.Transport{Adapter: newAdapter(b), Target: r.target, State: state, Server: func() (d time.Duration) {
		r.with(func() { d = r.worked })
		return d
	}})
}

// BenchmarkIdle has a hundred devices that are watched and hold nothing, all of them the same target: what a connection and a stream take in memory, of both ends together.
func BenchmarkIdle(b *testing.B) {
	const devices = 100
	r := start(b, speaking(b))
	for b.Loop() {
		a := newAdapter(b)
		before := rig.Heap()
		ctx, cancel := context.WithCancel(b.Context())
		watching := sync.WaitGroup{}
		begun := make(chan struct{}, devices)
		for i := range devices {
			t := r.target
			t.Name = fmt.Sprint("r", i)
			if _, err := a.Read(ctx, t); err != nil {
				b.Fatal(err)
			}
			watching.Go(func() { _ = a.Watch(ctx, t, func() { begun <- struct{}{} }) })
			<-begun
		}
		b.ReportMetric(float64(rig.Heap()-before)/1000/devices, "kB-a-device")
		cancel()
		watching.Wait()
		_ = a.Close()
	}
}

// One entry more among many, one less and one changed are those entries, and no others. Where there is no number left in between, or another hand was there, the set is replaced whole.
func TestSmallEdits(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.load(t, operators)
	a := newAdapter(t)
	have := deliver(t, a, r, 300)
	change := func(what string, want device.State, deleted, replaced int, path string) {
		t.Helper()
		if _, err := a.Apply(t.Context(), r.target, device.Diff(have, want), 0); err != nil {
			t.Fatal(what, err)
		}
		last := r.sets[len(r.sets)-1]
		if len(last.GetDelete()) != deleted || len(last.GetReplace()) != replaced || !strings.Contains(last.String(), path) {
			t.Errorf("%s: %d deleted and %d replaced, want %d and %d at %s: %.2000s", what, len(last.GetDelete()), len(last.GetReplace()), deleted, replaced, path, last)
		}
		var err error
		if have, err = a.Read(t.Context(), r.target); err != nil {
			t.Fatal(what, err)
		}
		lint(t, r.config(t))
	}
	with := func(edit func([]filter.Entry) []filter.Entry) device.State {
		out := state(300)
		out.Filters[0].Entries = edit(out.Filters[0].Entries)
		return out
	}
	more := adaptertest.PlainEntry(semantics, 1000)
	change("one more", with(func(e []filter.Entry) []filter.Entry { return slices.Insert(e, 100, more) }), 0, 1, `"10050"`)
	change("one less", state(300), 1, 0, `"10050"`)
	change("one changed", with(func(e []filter.Entry) []filter.Entry { e[7].Do.Discard = !e[7].Do.Discard; return e }), 0, 1, `"800"`)
	change("the last to the front", with(func(e []filter.Entry) []filter.Entry {
		e[7].Do.Discard = !e[7].Do.Discard
		return slices.Concat(e[299:], e[:299])
	}), 1, 1, `"50"`)
	between := func(n int) device.State { // many between two neighbours
		return with(func(e []filter.Entry) []filter.Entry {
			for i := range n {
				e = slices.Insert(e, 1, adaptertest.PlainEntry(semantics, 2000+i))
			}
			return e
		})
	}
	change("room for 99", between(99), 1, 101, `"199"`)
	change("no room", between(101), 0, 1, "acl-set")
}

// lint has the models judge a configuration.
func lint(t *testing.T, config string) {
	t.Helper()
	if ok, out := rig.Yanglint(t, "json", []byte(config), rig.OpenConfigACL(t)...); !ok {
		t.Error(out)
	}
}
