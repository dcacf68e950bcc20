package nft_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/nft"
	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// remote is a linux that is reached over SSH.
type remote struct {
	*linux
	host  *rig.Linux
	cable *rig.Cable
}

// newRemote starts one for a user, whose directory it works in.
func newRemote(t testing.TB, u rig.User) *remote {
	t.Helper()
	l := newLinux(t)
	r := &remote{linux: l, host: rig.BootLinux(t, l.ns, u), cable: rig.Lay(t, l.ns, "127.0.0.1:22")}
	l.dir = filepath.Join(r.host.Home, "nft")
	l.target = r.host.Target
	l.target.Address, l.target.Options = r.cable.Address, map[string]string{"directory": l.dir}
	return r
}

// capable gives the user of r a copy of nft that may change the packet filter of the host, as docs/adapters.md says, and nothing else.
func (r *remote) capable(t testing.TB) (program string) {
	t.Helper()
	rig.Program(t, "setcap", "libcap2-bin")
	program = filepath.Join(r.host.Home, "sluice-nft")
	for _, args := range [][]string{
		{"install", "-m", "0750", "-g", fmt.Sprint(rig.UID), rig.Program(t, "nft", "nftables"), program},
		{"setcap", "cap_net_admin+ep", program},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	return program
}

// wrap has the device run a program that is nft but for what the file beside it says: it does not end after the next change before the cable is cut, or is given a script with a fault for the entry of an address.
func (r *remote) wrap(t testing.TB, nft string) (loseAnswer func(context.Context) error) {
	t.Helper()
	program := filepath.Join(r.host.Home, "wrapper")
	text := `#!/bin/sh
case "$*" in
*-f*) sed "s/10\.99\.0\.1/10.99.0.1.5/" >"$0.$$"; ` + nft + ` "$@" <"$0.$$"; status=$?; rm "$0.$$" ;;
*) exec ` + nft + ` "$@" ;;
esac
case "$*" in
-f*) if [ -e "$0.lose" ]; then mv "$0.lose" "$0.lost"; while [ -e "$0.lost" ]; do sleep 0.1; done; fi ;;
esac
exit $status
`
	if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	r.target.Options["program"] = program
	var cutting sync.WaitGroup
	t.Cleanup(cutting.Wait)
	return func(context.Context) error {
		cutting.Go(func() {
			for end := time.Now().Add(rig.Patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				if _, err := os.Stat(program + ".lost"); err == nil {
					r.cable.Cut()
					_ = os.Remove(program + ".lost")
					return
				}
			}
		})
		return os.WriteFile(program+".lose", nil, 0o666)
	}
}

func newAdapter(t testing.TB) *nft.Adapter {
	t.Helper()
	a := nft.New(nftables.Dialect{}, nft.Options{})
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func TestConformanceOverSSH(t *testing.T) {
	t.Parallel()
	for name, u := range map[string]rig.User{
		"a user who may change the packet filter alone": {Name: "sluice"},
		"busybox": {Name: "root", Busybox: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRemote(t, u)
			nft, entries := "nft", 1000
			if u.Name != "root" {
				nft, entries = r.capable(t), 2000 // TestConformance takes ten thousand
			}
			loseAnswer := r.wrap(t, nft)
			refused := adaptertest.Entry(nftables.Dialect{}.Semantics(), 3)
			refused.Name, refused.Rule = "r-00000000000000ff", "00000000000000ff"
			at := netip.MustParsePrefix("10.99.0.1/32")
			refused.Match.Dst = &at
			adaptertest.Run(t, device.Adapter(newAdapter(t)), r.target, adaptertest.Faults{
				Semantics: nftables.Dialect{}.Semantics(), Undo: 4 * time.Second, Entries: entries, Burst: 2_500_000, LoseAnswer: loseAnswer,
				Restart: func(context.Context) (device.Adapter, error) {
					r.cable.Cut()
					return newAdapter(t), nil
				},
				Edit: func(_ context.Context, e adaptertest.Edit, name string) error {
					if e == adaptertest.DropFilter {
						r.nft("delete table ip " + name)
						return nil
					}
					r.dropFirst(name)
					return nil
				},
				Refused: refused, Words: "syntax error",
				Expire: func(context.Context) error { r.quiet(); return nil },
			})
			r.quiet()
			if left := r.files("pending.*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if lock := r.files("lock/*"); len(lock) != 1 || filepath.Base(lock[0]) != "free" {
				t.Errorf("the lock is %v", lock)
			}
		})
	}
}

// Whoever may run nft, by whichever way, is enough: changes are made, confirmed, cancelled and undone.
func TestRoles(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/roles.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		user    rig.User
		options func(*remote) map[string]string
	}{
		"root":       {rig.User{Name: "root"}, func(*remote) map[string]string { return nil }},
		"capability": {rig.User{Name: "sluice", Shell: "/bin/bash"}, func(r *remote) map[string]string { return map[string]string{"program": r.capable(t)} }},
		"sudo": {rig.User{Name: "sluice", Sudoers: "sluice ALL=(root) NOPASSWD: /usr/sbin/nft\n"},
			func(*remote) map[string]string { return map[string]string{"sudo": "true"} }},
		"sudo, in a namespace of its own": {rig.User{Name: "sluice", Sudoers: "sluice ALL=(root) NOPASSWD: /usr/sbin/ip netns exec NETNS nft *\n"},
			func(*remote) map[string]string { return map[string]string{"sudo": "true", "netns": "NETNS"} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inner := newLinux(t)
			c.user.Sudoers = strings.ReplaceAll(c.user.Sudoers, "NETNS", inner.ns)
			r := newRemote(t, c.user)
			if line := strings.TrimSpace(strings.ReplaceAll(c.user.Sudoers, inner.ns, "scrubber")); !strings.Contains(string(page), line) {
				t.Errorf("docs/roles.md does not have %q", line)
			}
			for option, value := range c.options(r) {
				r.target.Options[option] = strings.ReplaceAll(value, "NETNS", inner.ns)
			}
			a := newAdapter(t)
			one, two := state(entry(3)), state(entry(3), entry(4))
			ctx := t.Context()
			com, err := a.Apply(ctx, r.target, device.Diff(device.State{}, one), time.Minute)
			if err == nil {
				err = a.Confirm(ctx, r.target, com)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err = a.Counters(ctx, r.target); err != nil {
				t.Error(err)
			}
			holds := func(what string, want device.State) {
				t.Helper()
				st, err := a.Read(ctx, r.target)
				if err != nil || !device.Diff(device.State{Filters: st.Filters}, want).Empty() {
					t.Errorf("%s: %+v, error %v", what, st.Filters, err)
				}
			}
			if com, err = a.Apply(ctx, r.target, device.Diff(one, two), time.Minute); err == nil {
				holds("before it is cancelled", two)
				err = a.Cancel(ctx, r.target, com)
			}
			if err != nil {
				t.Fatal(err)
			}
			holds("cancelled", one)
			if _, err = a.Apply(ctx, r.target, device.Diff(one, two), time.Second); err != nil {
				t.Fatal(err)
			}
			r.quiet()
			holds("undone", one)
		})
	}
}

// Of what a role lacks, the device's own words say what it is; nothing is changed.
func TestRoleLacks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		user    rig.User
		options map[string]string
		words   string
	}{
		"the right to change the packet filter": {rig.User{Name: "sluice"}, nil, "Operation not permitted"},
		"a line in sudoers":                     {rig.User{Name: "sluice", Sudoers: "root ALL=(ALL) ALL\n"}, map[string]string{"sudo": "true"}, "sudo: a password is required"},
		"a shell":                               {rig.User{Name: "sluice", Shell: "/usr/sbin/nologin"}, nil, "This account is currently not available"},
		"a directory":                           {rig.User{Name: "sluice"}, map[string]string{"directory": "/root/nft"}, "Permission denied"},
		"nft":                                   {rig.User{Name: "root"}, map[string]string{"program": "/usr/sbin/nfft"}, "/usr/sbin/nfft"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRemote(t, c.user)
			for option, value := range c.options {
				r.target.Options[option] = value
			}
			_, err := newAdapter(t).Apply(t.Context(), r.target, device.Diff(device.State{}, state(entry(3))), time.Second)
			var refused *device.Refused
			if err == nil || !strings.Contains(err.Error(), c.words) || errors.As(err, &refused) {
				t.Errorf("got %v, want %q", err, c.words)
			}
			if left := r.files("pending.*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A device that shows another host key than the one it should have is told nothing, and no login is tried.
func TestHostKeyOverSSH(t *testing.T) {
	t.Parallel()
	r, other := newRemote(t, rig.User{Name: "root"}), rig.BootLinux(t, newLinux(t).ns, rig.User{Name: "root"})
	right := r.target.HostKey
	r.target.HostKey = other.Target.HostKey
	_, err := newAdapter(t).Apply(t.Context(), r.target, device.Diff(device.State{}, state(entry(3))), time.Second)
	var transient *device.Transient
	if err == nil || errors.As(err, &transient) || !strings.Contains(err.Error(), "another host key") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(r.dir); err == nil {
		t.Error("somebody logged in")
	}
	r.target.HostKey = right
	if _, err := newAdapter(t).Read(t.Context(), r.target); err != nil {
		t.Error(err)
	}
}
