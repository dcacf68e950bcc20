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

// FRRPort is where bgpd of FRR listens, on an address of the test's own.
const FRRPort = BIRDPort

// FRR is a running bgpd, without zebra: it holds rules and filters nothing.
type FRR struct {
	t    testing.TB
	dir  string
	addr netip.Addr
	*Process
}

// StartFRR runs FRR's bgpd at addr with one neighbour at peer. more stands with the neighbour's configuration, a line each.
func StartFRR(t testing.TB, as uint32, addr, peer netip.Addr, more ...string) *FRR {
	t.Helper()
	f := &FRR{t: t, dir: t.TempDir(), addr: addr}
	text := fmt.Sprintf(`hostname frr
log stdout
router bgp %[1]d
 bgp router-id %[2]s
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor %[3]s remote-as 64500
 neighbor %[3]s port %[4]d
 neighbor %[3]s update-source %[2]s
 neighbor %[3]s disable-connected-check
 neighbor %[3]s timers connect 1
`, as, addr, peer, SpeakerPort)
	for _, line := range more {
		text += fmt.Sprintf(" neighbor %s %s\n", peer, line)
	}
	for _, family := range []string{"ipv4", "ipv6"} {
		text += fmt.Sprintf(" address-family %s flowspec\n  neighbor %s activate\n exit-address-family\n", family, peer)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "bgpd.conf"), []byte(text+"exit\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Start()
	return f
}

// Start runs it, again after Stop.
func (f *FRR) Start() {
	f.t.Helper()
	f.Process = Launch(f.t, nil, Program(f.t, "/usr/lib/frr/bgpd", "frr"), "-f", filepath.Join(f.dir, "bgpd.conf"), "-i", filepath.Join(f.dir, "bgpd.pid"),
		"--vty_socket", f.dir, "-P", "0", "-p", fmt.Sprint(FRRPort), "-l", f.addr.String(), "--no_zebra", "--skip_runas")
	Until(f.t, "FRR to answer", func() (bool, string) {
		out := f.Ctl("show version")
		return strings.Contains(out, "FRRouting"), out
	})
}

// Ctl types lines at vtysh.
func (f *FRR) Ctl(lines ...string) string {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Second)
	defer cancel()
	args := []string{"--vty_socket", f.dir, "-d", "bgpd"}
	for _, l := range lines {
		args = append(args, "-c", l)
	}
	out, _ := exec.CommandContext(ctx, Program(f.t, "vtysh", "frr"), args...).CombinedOutput()
	return string(out)
}

// Holds waits until bgpd has exactly n rules of IPv4 and all of want stand in its listing, and returns the listing.
func (f *FRR) Holds(n int, want ...string) string {
	f.t.Helper()
	return f.holds("ipv4", n, want...)
}

// HoldsIPv6 is Holds for rules of IPv6.
func (f *FRR) HoldsIPv6(n int, want ...string) string {
	f.t.Helper()
	return f.holds("ipv6", n, want...)
}

func (f *FRR) holds(family string, n int, want ...string) string {
	f.t.Helper()
	var out string
	Until(f.t, fmt.Sprintf("%d rules of %s with %q", n, family, want), func() (bool, string) {
		out = f.Ctl("show bgp " + family + " flowspec detail")
		found := strings.Count(out, "BGP flowspec entry:") == n
		for _, w := range want {
			found = found && strings.Contains(out, w)
		}
		return found, out
	})
	return out
}
