package rig

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BIRD is a running BIRD.
type BIRD struct {
	t      testing.TB
	socket string
	config string
	*Process
}

// StartBIRD runs BIRD at addr with one neighbour called sluice at peer. body stands in the protocol, more beside it.
func StartBIRD(t testing.TB, as uint32, addr, peer netip.Addr, body, more string) *BIRD {
	t.Helper()
	dir := t.TempDir()
	b := &BIRD{t: t, socket: filepath.Join(dir, "ctl"), config: filepath.Join(dir, "bird.conf")}
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
`, addr, as, peer, body, more, BIRDPort, SpeakerPort)
	if err := os.WriteFile(b.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Start()
	return b
}

// ConfiguredBIRD runs BIRD with a whole configuration of the caller's.
func ConfiguredBIRD(t testing.TB, config string) *BIRD {
	t.Helper()
	dir := t.TempDir()
	b := &BIRD{t: t, socket: filepath.Join(dir, "ctl"), config: filepath.Join(dir, "bird.conf")}
	if err := os.WriteFile(b.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Start()
	return b
}

// Start runs it, again after Stop.
func (b *BIRD) Start() {
	b.t.Helper()
	b.Process = Launch(b.t, nil, Program(b.t, "bird", "bird2"), "-f", "-c", b.config, "-s", b.socket)
	Until(b.t, "BIRD to answer", func() (bool, string) {
		out := b.Ctl("show", "status")
		return strings.Contains(out, "is up and running"), out
	})
}

// Ctl asks BIRD.
func (b *BIRD) Ctl(args ...string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, Program(b.t, "birdc", "bird2"), append([]string{"-s", b.socket}, args...)...).CombinedOutput()
	return string(out)
}

// Routes lists the rules of table as BIRD writes them, one line each, with their communities when all is asked for.
func (b *BIRD) Routes(table string) string { return b.Ctl("show", "route", "table", table, "all") }

// Holds waits until table holds exactly n rules and all of want stand in its listing, and returns the listing.
func (b *BIRD) Holds(table string, n int, want ...string) string {
	b.t.Helper()
	var out string
	Until(b.t, fmt.Sprintf("%d rules in %s with %q", n, table, want), func() (bool, string) {
		out = b.Routes(table)
		found := strings.Count(out, "flow4 {")+strings.Count(out, "flow6 {") == n
		for _, w := range want {
			found = found && strings.Contains(out, w)
		}
		return found, out
	})
	return out
}
