package cli_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/cli/clitest"
	"github.com/sluice-gateway/sluice/adapters/eosacl"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// At a terminal of Junos the counters of our filters are read, and nobody else's, also while a change waits for its confirmation.
func TestJunosCounters(t *testing.T) {
	t.Parallel()
	s := start(t, clitest.Options{System: clitest.Junos, Config: "set firewall family inet filter EDGE-IN term some then count r-00000000000000c3\n"})
	a := cli.New(junos.Dialect{}, cli.Options{})
	t.Cleanup(func() { _ = a.Close() })
	counts := func() map[string]device.Counter {
		t.Helper()
		got, err := a.WithCounters().Counters(t.Context(), target(s))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := counts(); len(got) > 0 {
		t.Errorf("without filters: %v", got)
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
	settle(t, a, target(s), device.State{Filters: []filter.Filter{f}})
	s.Count("r-00000000000000a1", 19016081, 1069200810)
	s.Count("r-00000000000000c3", 7, 7)
	want := map[string]device.Counter{"r-00000000000000a1": {Packets: 19016081, Bytes: 1069200810}, "r-00000000000000b2": {}}
	if got := counts(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.Fail("show firewall", clitest.Fault{Words: "error: permission denied"})
	if _, err := a.WithCounters().Counters(t.Context(), target(s)); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("refused: %v", err)
	}
	if got := counts(); !maps.Equal(got, want) {
		t.Errorf("after that: got %v, want %v", got, want)
	}
}

func TestCountersThatAreNotRead(t *testing.T) {
	t.Parallel()
	if _, err := newXR(t).WithCounters().Counters(t.Context(), device.Target{Name: "xr", Address: "127.0.0.1:1"}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

// FlowSpec routes are asked for at the terminal by a target that says so, and by no other.
func TestRoutesAtATerminal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		system  clitest.System
		dialect cli.Dialect
		listing string
	}{
		"EOS":    {clitest.EOS, eosacl.Dialect{}, "Flow specification rules for VRF default\n  Flow-spec rule: 10.0.0.1/32;*;IP:=17;\n    Status:\n      Installed: yes\n      Counter: 2 packets, 200 bytes\n"},
		"IOS XR": {clitest.IOSXR, iosxr.Dialect{}, "Sun Jul 28 12:07:41.925 UTC\n\nAFI: IPv4\n  Flow           :Dest:10.0.0.1/32,Proto:=17\n    Actions      :x\n    Statistics     (packets/bytes)\n      Matched      :     2/200\n"},
		"Junos":  {clitest.Junos, junos.Dialect{}, "\nFilter: __flowspec_default_inet__\nCounters:\nName   Bytes  Packets\n10.0.0.1,*,proto=17 200 2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, clitest.Options{System: c.system})
			s.Flows(c.listing)
			a, d := cli.New(c.dialect, cli.Options{}).WithCounters(), target(s)
			t.Cleanup(func() { _ = a.Close() })
			if filters, routes := a.Counts(); !routes || filters != (c.system == clitest.Junos) {
				t.Errorf("counts filters: %v, routes: %v", filters, routes)
			}
			d.Options = map[string]string{device.OptionCount: device.CountRoutes}
			got, err := a.Counters(t.Context(), d)
			if want := (device.Counter{Packets: 2, Bytes: 200}); err != nil || len(got) != 1 || got["1/133 destination 10.0.0.1/32; protocol =udp;"] != want {
				t.Errorf("got %v, %v", got, err)
			}
			s.Fail(`^show fi?[lr]`, clitest.Fault{Words: "% Invalid input detected\nerror: no"})
			if got, err := a.Counters(t.Context(), d); err == nil {
				t.Errorf("refused, and got %v", got)
			}
			d.Options = nil
			if got, err := a.Counters(t.Context(), d); c.system != clitest.Junos && !errors.Is(err, errors.ErrUnsupported) || c.system == clitest.Junos && (err != nil || len(got) > 0) {
				t.Errorf("of filters: %v, %v", got, err)
			}
		})
	}
}
