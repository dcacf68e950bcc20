// Package rig starts the real programs that sluice is tested against: ExaBGP, BIRD, FRR and gobgpd as BGP peers, netconfd behind OpenSSH as a router with NETCONF, and FRR behind OpenSSH as one with a command line. Each
// test has programs of its own, on loopback addresses or ports of its own, in a directory of its own, and they end with the test. Nothing is skipped but what needs root, and that not in CI: where a
// program is missing the test fails and names the Debian package.
package rig

import (
	"context"
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

// Patience bounds every wait. ExaBGP needs a second or two to start on a busy machine.
const Patience = 60 * time.Second

// Subnet is a /24 of loopback addresses that no other test uses, so that all can run at once with the same ports.
func Subnet() func(host byte) netip.Addr {
	a, b := byte(64+rand.N(128)), byte(rand.N(256))
	return func(host byte) netip.Addr { return netip.AddrFrom4([4]byte{127, a, b, host}) }
}

const (
	SpeakerPort = 1791
	BIRDPort    = 1790
)

func Program(t testing.TB, name, pkg string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/usr/local/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed: apt-get install %s", name, pkg)
	return ""
}

// Log collects what a program prints.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Process is a program that the test started, alone in its process group.
type Process struct {
	cmd  *exec.Cmd
	Out  *Log
	done chan struct{}
}

func Launch(t testing.TB, env []string, name string, args ...string) *Process {
	t.Helper()
	p := &Process{cmd: exec.Command(name, args...), Out: &Log{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.Out, p.Out
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.Stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(name), Tail(p.Out.String(), 4000))
		}
	})
	return p
}

func Tail(s string, n int) string { return s[max(0, len(s)-n):] }

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends the program and everything it started a signal.
func (p *Process) Signal(sig syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, sig) }

// Stop ends the program and everything it started.
func (p *Process) Stop(sig syscall.Signal) {
	_ = syscall.Kill(-p.cmd.Process.Pid, sig)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// Until asks ok again and again until it says yes.
func Until(t testing.TB, what string, ok func() (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
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
