// Package nft_test holds the adapter for Linux against the kernel, here and behind OpenSSH's sshd: nft in network namespaces of their own. It needs root, and the programs of nftables, iproute2, openssh-server, sudo, libcap2-bin and
// busybox. In CI (the variable CI is set) it fails where it cannot run.
package nft_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/adapters/nft"
	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// TestMain makes the test binary the plugin as well.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == host.RunCommand {
		if err := sdk.ServeNamed(os.Args[2], map[string]func() device.Adapter{
			"nftables": func() device.Adapter { return nft.New(nftables.Dialect{}, nft.Options{}) },
		}); err != nil {
			panic(err)
		}
		return
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil { // they wait most of the time
		panic(err)
	}
	os.Exit(m.Run())
}

// linux is a network namespace with the adapter's files.
type linux struct {
	testing.TB
	ns, dir string
	target  device.Target
}

var namespaces atomic.Uint32

func newLinux(t testing.TB) *linux {
	t.Helper()
	rig.Root(t)
	rig.Program(t, "nft", "nftables")
	l := &linux{TB: t, ns: fmt.Sprintf("sluice-nft-%d-%d", os.Getpid(), namespaces.Add(1)), dir: t.TempDir()}
	ip := rig.Program(t, "ip", "iproute2")
	if out, err := exec.Command(ip, "netns", "add", l.ns).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() {
		for end := time.Now().Add(10 * time.Second); len(l.files("pending.*.watching")) > 0 && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond) // they work in the namespace, and the context of the test is over
		}
		_ = exec.Command(ip, "netns", "del", l.ns).Run()
	})
	l.target = device.Target{Name: "gw/1", Options: map[string]string{"netns": l.ns, "directory": l.dir}}
	return l
}

// nft runs nft by another hand.
func (l *linux) nft(script string) string {
	l.Helper()
	cmd := exec.Command("ip", "netns", "exec", l.ns, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		l.Fatalf("%v\n%s\n%s", err, out, script)
	}
	return string(out)
}

// files returns what stands in the directory of the device, but for its lock.
func (l *linux) files(pattern string) []string {
	out, err := filepath.Glob(filepath.Join(l.dir, "gw%2F1", pattern))
	if err != nil {
		l.Fatal(err)
	}
	return out
}

// quiet waits until no undo process is at work.
func (l *linux) quiet() {
	rig.Wait(l, "the undo processes", func() bool { return len(l.files("pending.*.watching")) == 0 })
}

// wrapper writes a program that is nft but for what the file beside it says: it ends by a signal after the next change, or is given a script with a fault for the entry of an address.
func wrapper(t *testing.T) (program string, loseAnswer func(context.Context) error) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "nft")
	text := `#!/bin/sh
case "$*" in
*-f*) sed "s/10\.99\.0\.1/10.99.0.1.5/" >"$0.$$"; nft "$@" <"$0.$$"; status=$?; rm "$0.$$" ;;
*) exec nft "$@" ;;
esac
case "$*" in
-f*) if [ -e "$0.lose" ]; then rm "$0.lose"; kill -9 $$; fi ;;
esac
exit $status
`
	if err := os.WriteFile(program, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return program, func(context.Context) error { return os.WriteFile(program+".lose", nil, 0o600) }
}

func TestConformance(t *testing.T) {
	l := newLinux(t)
	program, loseAnswer := wrapper(t)
	start := func() device.Adapter { return nft.New(nftables.Dialect{}, nft.Options{Program: program}) }
	refused := adaptertest.Entry(nftables.Dialect{}.Semantics(), 3)
	refused.Name, refused.Rule = "r-00000000000000ff", "00000000000000ff"
	at := netip.MustParsePrefix("10.99.0.1/32")
	refused.Match.Dst = &at
	adaptertest.Run(t, start(), l.target, adaptertest.Faults{
		Semantics: nftables.Dialect{}.Semantics(), Undo: time.Second, Burst: 2_500_000, LoseAnswer: loseAnswer,
		Restart: func(context.Context) (device.Adapter, error) { return start(), nil },
		Edit: func(_ context.Context, e adaptertest.Edit, name string) error {
			if e == adaptertest.DropFilter {
				l.nft("delete table ip " + name)
				return nil
			}
			l.dropFirst(name)
			return nil
		},
		Refused: refused, Words: "syntax error",
		Expire: func(context.Context) error { l.quiet(); return nil },
		Stages: []device.Stage{device.Validating, device.Locking, device.Reading, device.Validating, device.Committing, device.Checking},
	})
	l.quiet()
	if left := l.files("pending.*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// dropFirst deletes the first rule of an entry.
func (l *linux) dropFirst(name string) {
	l.Helper()
	out, err := exec.Command("ip", "netns", "exec", l.ns, "nft", "-a", "list", "table", "ip", name).CombinedOutput()
	if err != nil {
		l.Fatalf("%v\n%s", err, out)
	}
	chain := ""
	for line := range strings.Lines(string(out)) {
		w := strings.Fields(line)
		if len(w) > 1 && w[0] == "chain" {
			chain = w[1]
		}
		if strings.Contains(line, `comment "r-`) {
			l.nft(fmt.Sprintf("delete rule ip %s %s handle %s", name, chain, w[len(w)-1]))
			return
		}
	}
	l.Fatalf("no entry in\n%s", out)
}

// state is one IPv4 filter of some entries.
func state(entries ...filter.Entry) device.State {
	return device.State{Filters: []filter.Filter{{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: entries}}}
}

func entry(i int) filter.Entry { return adaptertest.Entry(nftables.Dialect{}.Semantics(), i) }

// The plugin's process is killed while a change waits: what undoes it lives on. Tables of others are not touched by any of it.
func TestPluginDiesWhileAChangeWaits(t *testing.T) {
	newLinux(t).pluginDies(t)
}

func (l *linux) pluginDies(t *testing.T) {
	l.nft("table inet theirs { chain c { type filter hook input priority 0; accept; }; }")
	h, err := host.New(host.Options{MinPause: time.Millisecond}, host.Plugin{Name: "nftables"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	a, err := h.Adapter("nftables")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Apply(ctx, l.target, device.Diff(device.State{}, state(entry(3))), time.Second); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	l.quiet()
	st, err := newAdapter(t).Read(t.Context(), l.target)
	if err != nil || len(st.Filters) != 0 {
		t.Errorf("after the deadline: %+v, error %v", st.Filters, err)
	}
	out, err := exec.Command("ip", "netns", "exec", l.ns, "nft", "list", "ruleset").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "table inet theirs") || strings.Contains(string(out), "sluice") {
		t.Errorf("error %v\n%s", err, out)
	}
}

// The undo process itself was killed: the next call does its work.
func TestUndoProcessDies(t *testing.T) {
	l := newLinux(t)
	a := nft.New(nftables.Dialect{}, nft.Options{})
	com, err := a.Apply(t.Context(), l.target, device.Diff(device.State{}, state(entry(3))), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	killWith(t, com.Token)
	file := filepath.Join(l.dir, "gw%2F1", "pending."+com.Token)
	past := time.Now().Add(-time.Minute)
	if err := errors.Join(os.Chtimes(file, past, past), os.Remove(file+".watching")); err != nil {
		t.Fatal(err)
	}
	st, err := a.Read(t.Context(), l.target)
	if err != nil || len(st.Filters) != 0 {
		t.Errorf("after the deadline: %+v, error %v", st.Filters, err)
	}
}

// killWith kills the processes with a word in their command line, and waits until they are gone.
func killWith(t *testing.T, word string) {
	t.Helper()
	find := func() []int {
		var pids []int
		lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, f := range lines {
			b, _ := os.ReadFile(f) // a process that has gone has none
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil && strings.Contains(string(b), word) {
				pids = append(pids, pid)
			}
		}
		return pids
	}
	pids := find()
	if len(pids) == 0 {
		t.Fatal("there is no undo process")
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	rig.Wait(t, "the undo process to be gone", func() bool { return len(find()) == 0 })
}

// BenchmarkTransport loads a filter, and changes one entry of it.
func BenchmarkTransport(b *testing.B) {
	l := newLinux(b)
	rig.Bench(b, rig.Transport{Adapter: nft.New(nftables.Dialect{}, nft.Options{}), Target: l.target, State: func(n int) device.State {
		list := make([]filter.Entry, n)
		for i := range list {
			list[i] = entry(i)
			list[i].Do = filter.Do{Discard: true}
		}
		return state(list...)
	}})
}

// With the gateway dead, the line of docs/operations.md takes the filter away, and nothing else; it stays away, and the next life of the gateway sees that it is gone.
func TestBreakGlass(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	const line = "delete table ip sluice-v4"
	if !strings.Contains(string(page), "`nft "+line+"`") {
		t.Fatalf("docs/operations.md does not say nft %s", line)
	}
	l := newLinux(t)
	l.nft("table inet theirs { chain c { type filter hook input priority 0; accept; }; }")
	a := nft.New(nftables.Dialect{}, nft.Options{})
	want := state(entry(3))
	com, err := a.Apply(t.Context(), l.target, device.Diff(device.State{}, want), time.Minute)
	if err == nil {
		err = a.Confirm(t.Context(), l.target, com)
	}
	if err != nil {
		t.Fatal(err)
	}
	l.quiet()
	l.nft(line)
	out, err := exec.Command("ip", "netns", "exec", l.ns, "nft", "list", "ruleset").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "table inet theirs") || strings.Contains(string(out), "sluice") {
		t.Errorf("error %v\n%s", err, out)
	}
	st, err := a.Read(t.Context(), l.target)
	if err != nil || len(st.Filters) != 0 {
		t.Errorf("read %+v, error %v", st.Filters, err)
	}
	var drifted *device.Drifted
	if _, err := a.Apply(t.Context(), l.target, device.Diff(want, state(entry(3), entry(4))), time.Minute); !errors.As(err, &drifted) || !drifted.Gone {
		t.Errorf("a change of what is gone: %v", err)
	}
}
