package bgp_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. ExaBGP needs a second or two to start on a busy machine.
const patience = 60 * time.Second

// subnet is a /24 of loopback addresses that no other test uses, so that all can run at once with the same ports.
func subnet() func(host byte) netip.Addr {
	a, b := byte(64+rand.N(128)), byte(rand.N(256))
	return func(host byte) netip.Addr { return netip.AddrFrom4([4]byte{127, a, b, host}) }
}

const (
	speakerPort = 1791
	birdPort    = 1790
)

func program(t *testing.T, name, pkg string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/usr/local/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: apt-get install %s", name, pkg)
	return ""
}

// log collects what a program prints.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// process is a program that the test started, alone in its process group.
type process struct {
	cmd  *exec.Cmd
	out  *log
	done chan struct{}
}

func launch(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), out: &log{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(name), tail(p.out.String(), 4000))
		}
	})
	return p
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// stop ends the program and everything it started.
func (p *process) stop(sig syscall.Signal) {
	_ = syscall.Kill(-p.cmd.Process.Pid, sig)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// until asks ok again and again until it says yes.
func until(t *testing.T, what string, ok func() (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		done, state := ok()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited for %s, have:\n%s", what, state)
		}
	}
}

// bird is a running BIRD.
type bird struct {
	t      *testing.T
	socket string
	config string
	*process
}

// startBIRD runs BIRD at addr with one neighbour called sluice at peer. body stands in the protocol, more beside it.
func startBIRD(t *testing.T, as uint32, addr, peer netip.Addr, body, more string) *bird {
	t.Helper()
	dir := t.TempDir()
	b := &bird{t: t, socket: filepath.Join(dir, "ctl"), config: filepath.Join(dir, "bird.conf")}
	text := fmt.Sprintf(`log stderr all;
router id %[1]s;
flow4 table f4;
flow6 table f6;
protocol device {}
%[5]s
protocol bgp sluice {
	local %[1]s port %[6]d as %[2]d;
	neighbor %[3]s port %[7]d as 64500;
	multihop; strict bind yes;
	connect delay time 1; connect retry time 1; error wait time 1,2;
	%[4]s
}
`, addr, as, peer, body, more, birdPort, speakerPort)
	if err := os.WriteFile(b.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.start()
	return b
}

func (b *bird) start() {
	b.t.Helper()
	b.process = launch(b.t, nil, program(b.t, "bird", "bird2"), "-f", "-c", b.config, "-s", b.socket)
	until(b.t, "BIRD to answer", func() (bool, string) {
		out := b.ctl("show", "status")
		return strings.Contains(out, "is up and running"), out
	})
}

// ctl asks BIRD.
func (b *bird) ctl(args ...string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, program(b.t, "birdc", "bird2"), append([]string{"-s", b.socket}, args...)...).CombinedOutput()
	return string(out)
}

// routes lists the rules of table as BIRD writes them, one line each, with their communities when all is asked for.
func (b *bird) routes(table string) string { return b.ctl("show", "route", "table", table, "all") }

// holds waits until table holds exactly n rules and all of want stand in its listing, and returns the listing.
func (b *bird) holds(table string, n int, want ...string) string {
	b.t.Helper()
	var out string
	until(b.t, fmt.Sprintf("%d rules in %s with %q", n, table, want), func() (bool, string) {
		out = b.routes(table)
		found := strings.Count(out, "flow4 {")+strings.Count(out, "flow6 {") == n
		for _, w := range want {
			found = found && strings.Contains(out, w)
		}
		return found, out
	})
	return out
}

// listen writes down what ExaBGP says. Its pipe does not block, which cat takes for an error.
const listen = `#!/usr/bin/python3
import os, select
out = open(%q, 'ab', 0)
while True:
    select.select([0], [], [])
    try:
        text = os.read(0, 65536)
    except BlockingIOError:
        continue
    if not text:
        break
    out.write(text)
`

// exabgp is a running ExaBGP whose API lines come from us, and which writes down what it receives.
type exabgp struct {
	t     *testing.T
	conf  string
	feed  string
	sink  string
	lines *os.File
	*process
}

// startExaBGP runs ExaBGP at addr with us as its neighbour.
func startExaBGP(t *testing.T, as uint32, addr, peer netip.Addr) *exabgp {
	t.Helper()
	dir := t.TempDir()
	e := &exabgp{t: t, conf: filepath.Join(dir, "exabgp.conf"), feed: filepath.Join(dir, "feed"), sink: filepath.Join(dir, "sink")}
	script := filepath.Join(dir, "listen")
	if err := os.WriteFile(script, fmt.Appendf(nil, listen, e.sink), 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`process feed { run %s %s; encoder json; }
process sink { run %s; encoder json; }
neighbor %s {
	router-id %s; local-address %s; local-as %d; peer-as 64500; hold-time 30;
	connect %d;
	family { ipv4 flow; ipv6 flow; }
	api feed { processes [ feed ]; }
	api sink { processes [ sink ]; receive { parsed; update; } }
}
`, program(t, "cat", "coreutils"), e.feed, script, peer, addr, addr, as, speakerPort)
	if err := os.WriteFile(e.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e.start()
	return e
}

// heard is what ExaBGP received, as its JSON lines.
func (e *exabgp) heard() string {
	b, _ := os.ReadFile(e.sink)
	return string(b)
}

func (e *exabgp) start() {
	e.t.Helper()
	// A feed of its own for each start: the reader of a killed ExaBGP lives on until its feed is closed.
	if e.lines != nil {
		_ = e.lines.Close()
	}
	_ = os.Remove(e.feed)
	if err := syscall.Mkfifo(e.feed, 0o600); err != nil {
		e.t.Fatal(err)
	}
	e.process = launch(e.t, []string{"exabgp.api.cli=false", "exabgp.daemon.user=" + user(), "exabgp.tcp.bind=", "exabgp.api.ack=false", "exabgp.log.level=INFO"},
		program(e.t, "exabgp", "exabgp"), e.conf)
	// Open for reading too, so that opening does not wait for the other side and closing it does not end the other side.
	f, err := os.OpenFile(e.feed, os.O_RDWR, 0)
	if err != nil {
		e.t.Fatal(err)
	}
	e.lines = f
	e.t.Cleanup(func() { _ = f.Close() })
}

// user is who runs the test: ExaBGP started by root changes to nobody, who cannot read the feed.
func user() string {
	if os.Geteuid() == 0 {
		return "root"
	}
	return os.Getenv("USER")
}

// say sends one API line.
func (e *exabgp) say(format string, args ...any) {
	e.t.Helper()
	if _, err := io.WriteString(e.lines, fmt.Sprintf(format, args...)+"\n"); err != nil {
		e.t.Fatal(err)
	}
}
