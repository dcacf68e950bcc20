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

// GoBGPPort is where gobgpd listens for BGP, on an address of the test's own, and where it is asked.
const (
	GoBGPPort = 1792
	goBGPAPI  = "50051"
)

// GoBGP is a running gobgpd.
type GoBGP struct {
	t    testing.TB
	addr netip.Addr
	*Process
}

// StartGoBGP runs gobgpd at addr with one neighbour at peer, in the address families that it calls families: "ipv4-flowspec", "l3vpn-ipv4-flowspec".
// more stands with the neighbour's configuration; graceful restart is for all families where more enables it.
func StartGoBGP(t testing.TB, as uint32, addr, peer netip.Addr, families []string, more string) *GoBGP {
	t.Helper()
	config := filepath.Join(t.TempDir(), "gobgpd.toml")
	text := fmt.Sprintf(`[global.config]
as = %d
router-id = "%s"
port = %d
local-address-list = ["%s"]
[[neighbors]]
[neighbors.config]
neighbor-address = "%s"
peer-as = 64500
[neighbors.timers.config]
connect-retry = 1
hold-time = 30
keepalive-interval = 10
[neighbors.transport.config]
local-address = "%s"
remote-port = %d
%s
`, as, addr, GoBGPPort, addr, peer, addr, SpeakerPort, more)
	for _, f := range families {
		text += fmt.Sprintf("[[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = %q\n[neighbors.afi-safis.mp-graceful-restart.config]\nenabled = true\n", f)
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &GoBGP{t: t, addr: addr}
	g.Process = Launch(t, nil, Program(t, "gobgpd", "gobgpd"), "-f", config, "--api-hosts", addr.String()+":"+goBGPAPI, "--pprof-disable")
	Until(t, "gobgpd to answer", func() (bool, string) {
		out, err := g.try("neighbor")
		return err == nil, out
	})
	return g
}

func (g *GoBGP) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(g.t.Context(), 10*time.Second)
	defer cancel()
	args = append([]string{"-u", g.addr.String(), "-p", goBGPAPI}, args...)
	out, err := exec.CommandContext(ctx, Program(g.t, "gobgp", "gobgpd"), args...).CombinedOutput()
	return string(out), err
}

// Ctl asks gobgpd, which must not refuse.
func (g *GoBGP) Ctl(args ...string) string {
	g.t.Helper()
	out, err := g.try(args...)
	if err != nil {
		g.t.Fatalf("gobgp %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Shell runs a script in which `gobgp` asks this gobgpd. Each of its commands must be taken.
func (g *GoBGP) Shell(script string) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 30*time.Second)
	defer cancel()
	prelude := fmt.Sprintf("set -e\ngobgp() { %s -u %s -p %s \"$@\"; }\n", Program(g.t, "gobgp", "gobgpd"), g.addr, goBGPAPI)
	if out, err := exec.CommandContext(ctx, "/bin/sh", "-c", prelude+script).CombinedOutput(); err != nil {
		g.t.Fatalf("%s\n%v\n%s", script, err, out)
	}
}

// Holds waits until the table of a family, as `gobgp global rib -a` calls it, has exactly n rules and all of want stand in its listing, and returns the listing.
func (g *GoBGP) Holds(family string, n int, want ...string) string {
	g.t.Helper()
	var out string
	Until(g.t, fmt.Sprintf("%d rules of %s with %q", n, family, want), func() (bool, string) {
		out, _ = g.try("global", "rib", "-a", family)
		found := strings.Count(out, "*>") == n
		for _, w := range want {
			found = found && strings.Contains(out, w)
		}
		return found, out
	})
	return out
}
