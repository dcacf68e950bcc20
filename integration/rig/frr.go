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

// FRR is a running bgpd of FRRouting, without the rest of it: it receives FlowSpec and installs nothing.
type FRR struct {
	t   testing.TB
	dir string
	*Process
}

// StartFRR runs bgpd at addr with one neighbour at peer, which has to connect.
func StartFRR(t testing.TB, as uint32, addr, peer netip.Addr) *FRR {
	t.Helper()
	f := &FRR{t: t, dir: t.TempDir()}
	config := filepath.Join(f.dir, "bgpd.conf")
	text := fmt.Sprintf(`router bgp %[1]d
 bgp router-id %[2]s
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor %[3]s remote-as 64500
 neighbor %[3]s passive
 neighbor %[3]s ebgp-multihop
 neighbor %[3]s update-source %[2]s
 address-family ipv4 flowspec
  neighbor %[3]s activate
 exit-address-family
`, as, addr, peer)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Process = Launch(t, nil, Program(t, "/usr/lib/frr/bgpd", "frr"), "-S", "-Z", "-n", "-f", config, "-i", filepath.Join(f.dir, "pid"), "--vty_socket", f.dir,
		"-P", "0", "-p", fmt.Sprint(BIRDPort), "-l", addr.String(), "--log", "stdout")
	Until(t, "bgpd to answer", func() (bool, string) {
		out := f.Ctl("show version")
		return strings.Contains(out, "FRRouting"), out
	})
	return f
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

// Holds waits until bgpd has exactly n rules of IPv4.
func (f *FRR) Holds(n int) {
	f.t.Helper()
	Until(f.t, fmt.Sprintf("FRR to hold %d rules", n), func() (bool, string) {
		out := f.Ctl("show bgp ipv4 flowspec detail")
		return strings.Count(out, "BGP flowspec entry:") == n, out
	})
}
