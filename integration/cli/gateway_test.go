package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/cli/clitest"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// The whole way with each adapter that types: a rule comes in by the command line of sluice, and the emulated device holds it; it goes, and the device holds a filter without entries, to which interfaces may
// refer. No password is printed.
func TestGatewayDelivers(t *testing.T) {
	t.Parallel()
	sluice := filepath.Join(t.TempDir(), "sluice")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", sluice, "github.com/sluice-gateway/sluice/cmd/sluice").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct {
		adapter, profile, name, attach string
		system                         clitest.System
	}{
		{"eos", "arista-eos", "traffic-policy sluice-in", "interface Ethernet1\n   traffic-policy input sluice-in\n", clitest.EOS},
		{"eos-acl", "arista-eos:filter=acl", "ip access-list sluice-v4", "interface Ethernet1\n   ip access-group sluice-v4 in\n", clitest.EOS},
		{"iosxr-cli", "cisco-iosxr", "ipv4 access-list sluice-v4", "interface TenGigE0/0/0/0\n ipv4 access-group sluice-v4 ingress\n", clitest.IOSXR},
		{"junos-cli", "junos-mx:term-order=standard", "filter sluice-v4", "set interfaces ge-0/0/0 unit 0 family inet filter input sluice-v4\n", clitest.Junos},
		{"sros-cli", "nokia-sros", `ip-filter "sluice-v4"`, "/configure router \"Base\" interface \"west\" ingress filter ip \"sluice-v4\"\n", clitest.SROS},
		{"vrp-cli", "huawei-vrp", "traffic policy sluice-in", "#\ninterface GigabitEthernet0/1/0\n traffic-policy sluice-in inbound\n#\n", clitest.VRP},
	} {
		t.Run(c.adapter, func(t *testing.T) {
			t.Parallel()
			s, err := clitest.Start(clitest.Options{System: c.system, Config: c.attach})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			dir := t.TempDir()
			config := filepath.Join(dir, "sluice.yaml")
			err = os.WriteFile(config, fmt.Appendf(nil, `
router-id: 192.0.2.1
as: 64500
store: %[1]s/sluice.db
listen: {api: "127.0.0.1:0"}
sources:
  - name: api
    api: true
    allow: {destinations: [203.0.113.0/24]}
devices:
  - name: edge1
    profile: "%[2]s"
    filter:
      adapter: %[3]s
      unverified-device: true
      address: %[4]s
      username: %[5]s
      password: {env: EDGE_PASSWORD}
      host-key: "%[6]s"
      commit-interval: 100ms
`, dir, c.profile, c.adapter, s.Addr(), s.Username(), s.HostKey()), 0o600)
			if err != nil {
				t.Fatal(err)
			}
			p := rig.Launch(t, []string{"EDGE_PASSWORD=" + s.Password()}, sluice, "serve", "-c", config)
			up := regexp.MustCompile(`msg="sluice is up" api=(\S+)`)
			rig.Until(t, "the gateway", func() (bool, string) { return up.MatchString(p.Out.String()), p.Out.String() })
			run := func(args ...string) string {
				t.Helper()
				out, err := exec.CommandContext(t.Context(), sluice, append(args, "--gateway", "http://"+up.FindStringSubmatch(p.Out.String())[1])...).CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %v\n%s\n%s", args, err, out, rig.Tail(p.Out.String(), 4000))
				}
				return string(out)
			}
			inSync := func(what string, ok func(config string) bool) {
				t.Helper()
				rig.Until(t, what, func() (bool, string) {
					list := run("device", "list")
					return ok(s.Running()) && strings.Contains(list, "in-sync"), s.Running() + list + rig.Tail(p.Out.String(), 4000)
				})
			}
			run("rule", "add", "flow route { match { destination 203.0.113.80/32; protocol =udp; source-port =19; } then { discard; } }")
			inSync("the rule", func(config string) bool { return strings.Contains(config, "203.0.113.80") })
			if show := run("device", "show", "edge1"); strings.Contains(show, "not attached") && !strings.Contains(show, "sluice-v6 is not attached") {
				t.Errorf("the filter is attached, and device show says\n%s", show)
			}
			run("rule", "delete", regexp.MustCompile(`[0-9a-f]{16}`).FindString(run("rule", "list")))
			inSync("no rule", func(config string) bool {
				return !strings.Contains(config, "203.0.113.80") && strings.Contains(config, c.name)
			})
			p.Stop(syscall.SIGTERM)
			if log := p.Out.String(); strings.Contains(log, s.Password()) || strings.Contains(log, "level=ERROR") {
				t.Errorf("the log says\n%s", log)
			}
			if left := s.Sessions(); len(left) > 0 {
				t.Errorf("sessions are left behind: %v", left)
			}
		})
	}
}
