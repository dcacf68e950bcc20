package nft_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
)

func TestPluginDiesWhileAChangeWaitsOverSSH(t *testing.T) {
	t.Parallel()
	newRemote(t, rig.User{Name: "root"}).pluginDies(t)
}

// many is a state of entries from..to.
func many(from, to int) device.State {
	var list []filter.Entry
	for i := from; i < to; i++ {
		list = append(list, entry(i))
	}
	return state(list...)
}

// Wherever the connection breaks while a change is made, it is undone by itself, the error says that nobody knows what became of it, and the next change is taken. No part of a script is taken for the whole.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	r := newRemote(t, rig.User{Name: "root"})
	before, after := many(0, 200), many(100, 300)
	ctx := t.Context()
	settle := func(have, want device.State) {
		t.Helper()
		a := newAdapter(t)
		com, err := a.Apply(ctx, r.target, device.Diff(have, want), time.Minute)
		if err == nil {
			err = a.Confirm(ctx, r.target, com)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	holds := func() error {
		st, err := newAdapter(t).Read(ctx, r.target)
		if err == nil {
			err = device.Holds(before.Filters, st.Filters, func(want, got filter.Filter) error { return filter.Same(want, got, nftables.Dialect{}.Semantics()) })
		}
		return err
	}
	settle(device.State{}, before)
	began, a := r.cable.Went(), newAdapter(t)
	com, err := a.Apply(ctx, r.target, device.Diff(before, after), time.Minute)
	all := r.cable.Went() - began
	if err == nil {
		err = a.Cancel(ctx, r.target, com)
	}
	if err != nil {
		t.Fatal(err)
	}
	const points = 16
	for i := range int64(points) {
		r.quiet()
		n := all * i / points
		r.cable.CutAfter(n)
		_, err := newAdapter(t).Apply(ctx, r.target, device.Diff(before, after), time.Second)
		r.cable.Mend()
		var transient *device.Transient
		if !errors.As(err, &transient) {
			t.Fatalf("cut after %d octets of %d: got %v, want *device.Transient", n, all, err)
		}
		if pending := r.files("pending.*"); transient.Unchanged && len(pending) > 0 {
			t.Errorf("cut after %d octets of %d: %v says that nothing is changed, and there is %v", n, all, err, pending)
		}
		if transient.Unchanged && n > all/4 { // logged in long since
			t.Errorf("cut after %d octets of %d: a session is lost, and %v says that nothing is changed", n, all, err)
		}
		r.quiet()
		if err := holds(); err != nil {
			t.Fatalf("cut after %d octets of %d: %v", n, all, err)
		}
	}
	settle(before, after)
}

// A connection that goes silent in the midst of a change, and does not end, is taken for dead on the host: the change is undone there. So is the lock given to others.
func TestSilentOverSSH(t *testing.T) {
	t.Parallel()
	r := newRemote(t, rig.User{Name: "root"})
	_ = r.wrap(t, "nft")
	r.target.Timeout = 5 * time.Second
	lose := filepath.Join(r.host.Home, "wrapper.lose")
	if err := os.WriteFile(lose, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := newAdapter(t).Apply(t.Context(), r.target, device.Diff(device.State{}, state(entry(3))), time.Second)
		done <- err
	}()
	lost := filepath.Join(r.host.Home, "wrapper.lost")
	rig.Wait(t, "the change to be loaded", func() bool { _, err := os.Stat(lost); return err == nil })
	r.cable.Freeze()
	if !strings.Contains(r.tables(), "sluice-v4") {
		t.Error("the change was not loaded")
	}
	if err := os.Remove(lost); err != nil {
		t.Fatal(err)
	}
	rig.Wait(t, "the change to be undone", func() bool { return !strings.Contains(r.tables(), "sluice-v4") })
	rig.Wait(t, "the lock to be free", func() bool {
		_, err := os.Stat(filepath.Join(r.dir, "gw%2F1", "lock", "free"))
		return err == nil
	})
	r.cable.Mend()
	err := <-done
	var transient *device.Transient
	if !errors.As(err, &transient) || transient.Unchanged {
		t.Errorf("got %v", err)
	}
}

func (l *linux) tables() string {
	out, err := exec.Command("ip", "netns", "exec", l.ns, "nft", "list", "tables").CombinedOutput()
	if err != nil {
		l.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// toPort is a discard of what goes to a port of 10.99.0.2.
func toPort(name string, proto, port uint32) filter.Entry {
	at := netip.MustParsePrefix("10.99.0.2/32")
	m := filter.Guard(filter.Match{Dst: &at, Proto: packet.Values{{Lo: proto, Hi: proto}}, DstPort: packet.Values{{Lo: port, Hi: port}}}, packet.IPv4, nftables.Dialect{}.Semantics())
	return filter.Entry{Name: name, Rule: flowspec.ID(name[len("r-"):]), Match: m, Do: filter.Do{Discard: true}, Counter: name}
}

// Packets of the wire fare as the filter says that came over the same wire: they are dropped and counted, and pass when nobody confirms. And a filter that discards the session it came by is undone
// by the host, which is within reach again.
func TestPacketsOverSSH(t *testing.T) {
	t.Parallel()
	r := newRemote(t, rig.User{Name: "sluice"})
	r.target.Options["program"] = r.capable(t)
	send := r.neighbour(t)
	r.cable = rig.Lay(t, r.ns+"-n", "10.99.0.2:22")
	r.target.Address = r.cable.Address
	r.nft("table ip theirs { counter passed { }\n chain c { type filter hook input priority 0; udp dport 4444 counter name passed; }; }")
	const rule = "r-00000000000000a1"
	a := newAdapter(t)
	expect := func(what string, dropped, passed int) {
		t.Helper()
		rig.Until(t, what, func() (bool, string) {
			out, err := exec.Command("ip", "netns", "exec", r.ns, "nft", "list", "counters", "table", "ip", "theirs").CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got, err := a.Counters(t.Context(), r.target)
			if err != nil {
				t.Fatal(err)
			}
			return got[rule].Packets == uint64(dropped) && strings.Contains(string(out), fmt.Sprintf("packets %d ", passed)), fmt.Sprintf("%v\n%s", got, out)
		})
	}
	send(4444, 100)
	expect("a packet to pass", 0, 1)
	one := state(toPort(rule, 17, 4444))
	com, err := a.Apply(t.Context(), r.target, device.Diff(device.State{}, one), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	send(4444, 100)
	expect("a packet to be dropped", 1, 1)
	if err := a.Cancel(t.Context(), r.target, com); err != nil {
		t.Fatal(err)
	}
	send(4444, 100)
	expect("a packet to pass again", 0, 2)

	r.target.Timeout = 5 * time.Second
	cut := state(toPort("r-00000000000000b2", 6, 22))
	_, err = a.Apply(t.Context(), r.target, device.Diff(device.State{}, cut), time.Second)
	var transient *device.Transient
	if !errors.As(err, &transient) || transient.Unchanged {
		t.Errorf("a filter that cuts its own session: %v", err)
	}
	rig.Until(t, "the host to be within reach", func() (bool, string) {
		st, err := a.Read(t.Context(), r.target)
		return err == nil && len(st.Filters) == 0, fmt.Sprint(st.Filters, err)
	})
}
