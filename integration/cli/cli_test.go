package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// TestMain makes the test binary the shell of a user as well.
func TestMain(m *testing.M) {
	rig.MaybeRelay()
	os.Exit(m.Run())
}

func adapter(t testing.TB, p cli.Platform) *cli.Adapter {
	a := cli.New(lists{}, cli.Options{Platform: p})
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// list returns a state of one list with n entries, the first of which does that.
func list(n int, first filter.Do) device.State {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 66, byte(i >> 8), byte(i)}), 32)
		e := filter.Entry{Name: nameOf(dst), Rule: flowspec.ID(nameOf(dst)[2:]), Match: filter.Match{Dst: &dst}, Do: filter.Do{Discard: i%2 == 0}}
		if i == 0 {
			e.Do = first
		}
		f.Entries = append(f.Entries, e)
	}
	return device.State{Filters: []filter.Filter{f}}
}

var deny, permit = filter.Do{Discard: true}, filter.Do{}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func read(t *testing.T, a *cli.Adapter, d device.Target) device.State {
	t.Helper()
	st, err := a.Read(within(t), d)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return st
}

func differs(a, b device.State) bool {
	return !device.Diff(device.State{Filters: a.Filters}, device.State{Filters: b.Filters}).Empty()
}

func holds(t *testing.T, a *cli.Adapter, d device.Target, want device.State) {
	t.Helper()
	if got := read(t, a, d); differs(got, want) {
		t.Fatalf("the device holds %v, want %v", got.Filters, want.Filters)
	}
}

func becomes(t *testing.T, a *cli.Adapter, d device.Target, want device.State) {
	t.Helper()
	rig.Until(t, "the device to hold what it should", func() (bool, string) {
		got, err := a.Read(within(t), d)
		return err == nil && !differs(got, want), fmt.Sprint(got.Filters, err)
	})
}

// apply waits for whoever has the lock: the daemon may take a moment to notice that a session is gone.
func apply(t *testing.T, a *cli.Adapter, d device.Target, want device.State) (com device.Commit) {
	t.Helper()
	rig.Until(t, "the change to be taken", func() (bool, string) {
		var err error
		com, err = a.Apply(within(t), d, device.Diff(read(t, a, d), want), time.Minute)
		var transient *device.Transient
		if err != nil && (!errors.As(err, &transient) || !transient.Unchanged) {
			t.Fatalf("apply: %v", err)
		}
		return err == nil, fmt.Sprint(err)
	})
	return com
}

func settle(t *testing.T, a *cli.Adapter, d device.Target, want device.State) {
	t.Helper()
	if err := a.Confirm(within(t), d, apply(t, a, d, want)); err != nil {
		t.Fatalf("confirm: %v", err)
	}
	holds(t, a, d, want)
}

// Lists come, change, grow, are put right after another hand, and go; what is not ours stays.
func TestChanges(t *testing.T) {
	t.Parallel()
	term := rig.BootTransactional(t)
	a, d := adapter(t, transactional), term.Target
	term.Type(t, "configure exclusive", "access-list EDGE seq 5 permit any", "commit", "end")
	for _, want := range []device.State{list(3, deny), list(5, deny), list(4, permit), list(300, deny), list(301, permit)} {
		settle(t, a, d, want)
	}
	term.Type(t, "configure exclusive", "no access-list sluice-v4 seq 20 permit 10.66.0.1/32", "commit", "end")
	if !differs(read(t, a, d), list(301, permit)) {
		t.Fatal("another hand removed a line, and that is not seen")
	}
	settle(t, a, d, list(301, permit))
	settle(t, a, d, device.State{})
	if config := term.Type(t, "show configuration running"); !strings.Contains(config, "access-list EDGE seq 5 permit any") || strings.Contains(config, "sluice-") {
		t.Errorf("the operator's list should be there, and nothing of ours:\n%s", config)
	}
}

// A change that nobody confirms is undone after a minute by the device itself, one that is cancelled at once.
func TestUndo(t *testing.T) {
	t.Parallel()
	term := rig.BootTransactional(t)
	a, d := adapter(t, transactional), term.Target
	settle(t, a, d, list(3, deny))
	com := apply(t, a, d, list(9, deny))
	if err := a.Cancel(within(t), d, com); err != nil {
		t.Fatal(err)
	}
	holds(t, a, d, list(3, deny))
	com = apply(t, a, d, list(9, deny))
	holds(t, a, d, list(9, deny))
	if _, err := a.Apply(within(t), d, device.Diff(list(9, deny), list(2, deny)), time.Minute); !errors.As(err, new(*device.Transient)) {
		t.Errorf("a change while another waits: got %v", err)
	}
	if wait := time.Until(com.Deadline); wait < 50*time.Second || wait > time.Minute {
		t.Errorf("the deadline is in %s", wait)
	}
	time.Sleep(time.Until(com.Deadline) - time.Second) // nothing tells when a minute of another program is over
	becomes(t, a, d, list(3, deny))
	var transient *device.Transient
	if err := a.Confirm(within(t), d, com); !errors.As(err, &transient) {
		t.Errorf("a change that was undone was confirmed: %v", err)
	}
	settle(t, a, d, list(4, deny))
}

// After a crash only the device knows of the change, and undoes it; the next process goes on.
func TestCrash(t *testing.T) {
	t.Parallel()
	term := rig.BootTransactional(t)
	wire := cut(t, term.Target.Address)
	first, d := adapter(t, transactional), term.Target
	d.Address = wire.address
	settle(t, first, d, list(3, deny))
	com := apply(t, first, d, list(9, deny))
	wire.snap()
	next := adapter(t, transactional)
	becomes(t, next, term.Target, list(3, deny))
	if err := next.Confirm(within(t), term.Target, com); !errors.As(err, new(*device.Transient)) {
		t.Errorf("got %v", err)
	}
	if err := next.Cancel(within(t), term.Target, com); err != nil {
		t.Error(err)
	}
	settle(t, next, term.Target, list(9, deny))
}

// A connection that breaks while lines are typed leaves nothing behind: no line, no lock.
func TestCutWhileTyping(t *testing.T) {
	t.Parallel()
	term := rig.BootTransactional(t)
	wire := cut(t, term.Target.Address)
	a, d := adapter(t, transactional), term.Target
	d.Address = wire.address
	settle(t, a, d, list(3, deny))
	for _, after := range []int64{2_000, 9_000, 30_000} { // octets of the change on the wire
		wire.snapAfter(after)
		_, err := a.Apply(within(t), d, device.Diff(list(3, deny), list(800, permit)), time.Minute)
		var transient *device.Transient
		if !errors.As(err, &transient) || !transient.Unchanged {
			t.Fatalf("cut after %d octets: got %v", after, err)
		}
		holds(t, a, d, list(3, deny))
	}
	settle(t, a, d, list(4, permit))
}

// Somebody else at work is waited for, and not disturbed.
func TestLocked(t *testing.T) {
	t.Parallel()
	term := rig.BootTransactional(t)
	a, d := adapter(t, transactional), term.Target
	other := adapter(t, transactional)
	com := apply(t, other, d, list(2, deny))
	_, err := a.Apply(within(t), d, device.Diff(list(2, deny), list(3, deny)), time.Minute)
	var transient *device.Transient
	if !errors.As(err, &transient) || !transient.Unchanged || !strings.Contains(err.Error(), "locked by other client") {
		t.Errorf("got %v", err)
	}
	if err := other.Confirm(within(t), d, com); err != nil {
		t.Fatal(err)
	}
	settle(t, a, d, list(3, deny))
}

// Of vtysh and of the daemon's own command line: a line that is not known is a refusal in their words, and a device that stands still is given up in time.
func TestRefusalAndSilence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		boot     func(testing.TB) *rig.Terminal
		platform cli.Platform
	}{
		"vtysh": {rig.BootVtysh, vtysh}, "transactional": {rig.BootTransactional, transactional},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term := c.boot(t)
			a := cli.New(lists{spoilt: true}, cli.Options{Platform: c.platform})
			t.Cleanup(func() { _ = a.Close() })
			_, err := a.Apply(within(t), term.Target, device.Diff(device.State{}, list(2, deny)), time.Minute)
			var refused *device.Refused
			if !errors.As(err, &refused) || !strings.Contains(refused.Words, "Unknown command: access-list sluice-v4 seq 7 deny 10.66.0.0/99") {
				t.Fatalf("got %v, want the words of FRR", err)
			}
			if name == "transactional" {
				holds(t, a, term.Target, device.State{})
			}
			d := term.Target
			d.Timeout = 2 * time.Second
			read(t, a, d)
			term.Daemon.Signal(syscall.SIGSTOP)
			begin := time.Now()
			_, err = a.Read(within(t), d)
			term.Daemon.Signal(syscall.SIGCONT)
			if !errors.As(err, new(*device.Transient)) || time.Since(begin) > 20*time.Second {
				t.Errorf("got %v after %s", err, time.Since(begin))
			}
			becomes(t, a, term.Target, read(t, a, term.Target))
		})
	}
}

// vtysh behind sshd: a listing of thousands of lines comes whole, over a login with a key and a host that is known; an impostor gets nothing.
func TestVtysh(t *testing.T) {
	t.Parallel()
	term := rig.BootVtysh(t)
	want := list(2_000, deny)
	typed, err := lists{}.lines(want.Filters[0])
	if err != nil {
		t.Fatal(err)
	}
	term.Load(t, typed)
	d := term.Target
	holds(t, adapter(t, vtysh), d, want)

	_, port, _ := net.SplitHostPort(d.Address)
	known := func(key string) string {
		k, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, []byte(knownhosts.Line([]string{"[127.0.0.1]:" + port}, k)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	d.HostKey, d.KnownHosts = "", known(term.Target.HostKey)
	holds(t, adapter(t, vtysh), d, want)
	other := rig.BootVtysh(t)
	d.KnownHosts = known(other.Target.HostKey)
	if _, err := adapter(t, vtysh).Read(within(t), d); err == nil || errors.As(err, new(*device.Transient)) || !strings.Contains(err.Error(), "key mismatch") {
		t.Errorf("another host key: got %v", err)
	}
	d = term.Target
	d.PrivateKey = other.Target.PrivateKey
	if _, err := adapter(t, vtysh).Read(within(t), d); err == nil || errors.As(err, new(*device.Transient)) || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("another user's key: got %v", err)
	}
}

// wire is a way to a device that can break.
type wire struct {
	address string

	mu    sync.Mutex
	conns []net.Conn
	left  int64 // octets to the device before everything breaks; 0: any number
}

// cut returns a wire to address.
func cut(t *testing.T, address string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{address: l.Addr().String()}
	t.Cleanup(func() {
		_ = l.Close()
		w.snap()
	})
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", address)
			if err != nil {
				_ = near.Close()
				continue
			}
			w.mu.Lock()
			w.conns = append(w.conns, near, far)
			w.mu.Unlock()
			go func() { _, _ = io.Copy(near, far) }()
			go func() { _, _ = io.Copy(counted{far, w}, near) }()
		}
	}()
	return w
}

type counted struct {
	net.Conn
	wire *wire
}

func (c counted) Write(b []byte) (int, error) {
	c.wire.mu.Lock()
	breaks := c.wire.left > 0 && c.wire.left <= int64(len(b))
	if c.wire.left > 0 {
		c.wire.left -= min(c.wire.left, int64(len(b)))
	}
	c.wire.mu.Unlock()
	if breaks {
		c.wire.snap()
		return 0, io.ErrClosedPipe
	}
	return c.Conn.Write(b)
}

// snapAfter breaks the wire when that many octets have gone to the device.
func (w *wire) snapAfter(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left = n
}

// snap breaks every connection that is there.
func (w *wire) snap() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// BenchmarkTransport loads a list, and changes one entry of it, at FRR's transaction-based command line.
func BenchmarkTransport(b *testing.B) {
	term := rig.BootTransactional(b)
	term.Target.Timeout = 5 * time.Minute
	rig.Bench(b, rig.Transport{Adapter: adapter(b, transactional), Target: term.Target, Entries: 2000, State: func(n int) device.State { return list(n, deny) }})
}
