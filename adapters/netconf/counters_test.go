package netconf_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

func settle(t *testing.T, a device.Adapter, d device.Target, want device.State) {
	t.Helper()
	have, err := a.Read(ctx(t), d)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Apply(ctx(t), d, device.Diff(have, want), time.Minute)
	if err == nil {
		err = a.Confirm(ctx(t), d, c)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A Junos router is asked for our filters by name; the terms of one rule share a counter.
func TestJunosCounters(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{Old: true, Junos: true})
	a, d := newAdapter(t).WithCounters(), target(s)
	d.Options = map[string]string{"commit": "junos"}
	if got, err := a.Counters(ctx(t), d); err != nil || len(got) > 0 {
		t.Errorf("without filters: %v, %v", got, err)
	}
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range 3 {
		e := adaptertest.Entry(junos.Dialect{}.Semantics(), i)
		e.Name, e.Counter = fmt.Sprintf("r-00000000000000a1-%d", i+1), "r-00000000000000a1"
		if i == 2 {
			e.Name, e.Counter = "r-00000000000000b2", "r-00000000000000b2"
		}
		f.Entries = append(f.Entries, e)
	}
	settle(t, a, d, device.State{Filters: []filter.Filter{f}})
	s.Count("r-00000000000000a1", 416316713, 274462490908)
	want := map[string]device.Counter{"r-00000000000000a1": {Packets: 416316713, Bytes: 274462490908}, "r-00000000000000b2": {}}
	if got, err := a.Counters(ctx(t), d); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	s.Fail("get-firewall-filter-information", netconftest.Fault{Words: "permission denied"})
	if _, err := a.Counters(ctx(t), d); err == nil || errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("refused: %v", err)
	}
	s.Fail("get-firewall-filter-information", netconftest.Fault{Tag: "operation-not-supported", Words: "syntax error"})
	if _, err := a.Counters(ctx(t), d); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("not known: %v", err)
	}
	if got, err := a.Counters(ctx(t), d); err != nil || !maps.Equal(got, want) {
		t.Errorf("after that: got %v, %v, want %v", got, err, want)
	}
}

// A router of SR OS counts by entry, and the configuration says whose each is.
func TestSROSCounters(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{Config: nokias})
	a := netconf.New(sros.Dialect{}, netconf.Options{}).WithCounters()
	t.Cleanup(func() { _ = a.Close() })
	settle(t, a, target(s), nokiaFilters(2))
	if _, err := a.Counters(ctx(t), target(s)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a router that does not know the question: %v", err)
	}
	var state strings.Builder
	want := map[string]device.Counter{}
	for _, kind := range []string{"ip-filter", "ipv6-filter"} {
		running, err := a.Read(ctx(t), target(s))
		if err != nil {
			t.Fatal(err)
		}
		f := running.Filters[0]
		if kind == "ipv6-filter" {
			f = running.Filters[1]
		}
		fmt.Fprintf(&state, "<%s><filter-name>%s</filter-name>", kind, f.Name)
		for i, id := range entryIDs(s.Running(), kind, f.Name) {
			n := device.Counter{Packets: uint64(i) + 1, Bytes: 100 * (uint64(i) + 1)}
			fmt.Fprintf(&state, "<entry><entry-id>%s</entry-id><statistics><ingress-hit-pkt>%d</ingress-hit-pkt><ingress-hit-byte>%d</ingress-hit-byte><egress-hit-pkt>7</egress-hit-pkt></statistics></entry>", id.number, n.Packets, n.Bytes)
			if id.name != "" {
				sum := want[id.name]
				want[id.name] = device.Counter{Packets: sum.Packets + n.Packets, Bytes: sum.Bytes + n.Bytes}
			}
		}
		fmt.Fprintf(&state, "</%s>", kind)
	}
	if len(want) < 3 {
		t.Fatalf("the router has entries %v only", want)
	}
	if err := s.Report(`<state xmlns="urn:nokia.com:sros:ns:yang:sr:state"><filter>` + state.String() + `</filter></state>`); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Counters(ctx(t), target(s)); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

type entryID struct{ number, name string }

// entryIDs returns the entries of a filter as the router holds them.
func entryIDs(running, kind, of string) (out []entryID) {
	_, rest, _ := strings.Cut(running, "<filter-name>"+of+"</filter-name>")
	rest, _, _ = strings.Cut(rest, "</"+kind+">")
	for _, e := range strings.Split(rest, "<entry>")[1:] {
		between := func(tag string) string {
			_, v, _ := strings.Cut(e, "<"+tag+">")
			v, _, _ = strings.Cut(v, "</"+tag+">")
			return v
		}
		out = append(out, entryID{between("entry-id"), between("description")})
	}
	return out
}

// Where no source says which number counts all packets, nobody is asked.
func TestCountersThatAreNotRead(t *testing.T) {
	t.Parallel()
	a := netconf.New(iosxr.Dialect{}, netconf.Options{}).WithCounters()
	t.Cleanup(func() { _ = a.Close() })
	if _, err := a.Counters(ctx(t), device.Target{Name: "xr", Address: "127.0.0.1:1"}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}
