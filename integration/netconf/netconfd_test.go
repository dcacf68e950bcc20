package netconf_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var semantics = junos.Dialect{}.Semantics()

// filters returns a state of one filter with n entries, the first two behind one policer of that many bytes/s.
func filters(n int, rate float32) device.State {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Policers: []filter.Policer{{Name: "sluice-p1", Rate: flowspec.Rate{Amount: rate, Unit: flowspec.Bytes}, Burst: 125_000}}}
	for i := range n {
		f.Entries = append(f.Entries, adaptertest.Entry(semantics, i))
	}
	f.Entries[0].Do = filter.Do{Policer: "sluice-p1"}
	f.Entries[1].Do = f.Entries[0].Do
	return device.State{Filters: []filter.Filter{f}}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func read(t *testing.T, a device.Adapter, r *router) device.State {
	t.Helper()
	st, err := a.Read(within(t), r.target)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return st
}

// differs says in what got is not want.
func differs(got, want device.State) error {
	if len(got.Filters) != len(want.Filters) {
		return errors.New("another number of filters")
	}
	for i := range want.Filters {
		if err := filter.Same(want.Filters[i], got.Filters[i], semantics); err != nil {
			return err
		}
	}
	return nil
}

func holds(t *testing.T, a device.Adapter, r *router, want device.State) {
	t.Helper()
	if err := differs(read(t, a, r), want); err != nil {
		t.Fatalf("the router does not hold what it should: %v", err)
	}
}

func becomes(t *testing.T, a device.Adapter, r *router, want device.State) {
	t.Helper()
	wait(t, "the router holds what it should", func() bool {
		st, err := a.Read(within(t), r.target)
		return err == nil && differs(st, want) == nil
	})
}

func apply(t *testing.T, a device.Adapter, r *router, want device.State, undo time.Duration) device.Commit {
	t.Helper()
	com, err := a.Apply(within(t), r.target, device.Diff(read(t, a, r), want), undo)
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	return com
}

func settle(t *testing.T, a device.Adapter, r *router, want device.State) {
	t.Helper()
	com := apply(t, a, r, want, 60*time.Second)
	if err := a.Confirm(within(t), r.target, com); err != nil {
		t.Fatalf("confirm: %v", err)
	}
	holds(t, a, r, want)
}

// lint asks Juniper's models whether they take what the dialect renders. yanglint ends with 7 when they do not, with anything else when the rig is broken.
func lint(t *testing.T, r *router, st device.State) {
	t.Helper()
	yang := models(t)
	for _, f := range st.Filters {
		rendered, err := junos.Dialect{}.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(r.dir, "lint.xml")
		if err := os.WriteFile(file, rendered.Payload, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(within(t), "yanglint", "-t", "config", "-e", "-p", yang,
			filepath.Join(yang, "junos-conf-root@2024-01-01.yang"), filepath.Join(yang, "junos-conf-firewall@2024-01-01.yang"), file).CombinedOutput()
		if err != nil {
			t.Fatalf("yanglint: %v\n%s", err, out)
		}
	}
}

func TestAddChangeWithdraw(t *testing.T) {
	t.Parallel()
	r := boot(t, true)
	a, _ := plugin(t)
	holds(t, a, r, device.State{})
	for _, want := range []device.State{filters(4, 1_250_000), filters(7, 2_500_000), filters(3, 2_500_000), {}} {
		lint(t, r, want)
		settle(t, a, r, want)
	}
}
