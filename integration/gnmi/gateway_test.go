package gnmi_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/integration/rig"
)

// gateway is a gateway that delivers to routers.
type gateway struct {
	process      *rig.Process
	sluice, base string // the program, and where its API is
}

// serve runs a gateway with a source of that form.
func serve(t testing.TB, source string, routers ...*router) gateway {
	t.Helper()
	dir := t.TempDir()
	sluice := filepath.Join(dir, "sluice")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", sluice, "github.com/sluice-gateway/sluice/cmd/sluice").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	config := fmt.Appendf(nil, `
router-id: 192.0.2.1
as: 64500
store: %[1]s/sluice.db
profiles: %[1]s/profiles
listen: {api: "127.0.0.1:0"}
sources:
  - name: rules
    %[2]s
    allow: {destinations: [203.0.113.0/24]}
devices:
`, dir, source)
	for i, r := range routers {
		config = fmt.Appendf(config, `
  - name: leaf%[1]d
    profile: openconfig-only
    filter:
      adapter: openconfig
      unverified-device: true
      address: %[2]s
      username: %[3]s
      password: {env: LEAF_PASSWORD}
      commit-interval: 100ms
      timeout: 2m
      options: {ca-file: %[4]s, server-name: %[5]s, commit: confirmed}
`, i+1, r.target.Address, username, r.pki.ca, serverName)
	}
	profile, err := os.ReadFile("../../adapters/openconfig/testdata/profile.yaml")
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "profiles"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "profiles", "openconfig-only.yaml"), profile, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "sluice.yaml"), config, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := rig.Launch(t, []string{"LEAF_PASSWORD=" + password}, sluice, "serve", "-c", filepath.Join(dir, "sluice.yaml"))
	up := regexp.MustCompile(`msg="sluice is up" api=(\S+)`)
	rig.Until(t, "the gateway", func() (bool, string) { return up.MatchString(p.Out.String()), p.Out.String() })
	return gateway{p, sluice, "http://" + up.FindStringSubmatch(p.Out.String())[1]}
}

// BenchmarkMemory is what a gateway, and the one process of its adapter, take in memory for devices that hold a thousand entries each.
func BenchmarkMemory(b *testing.B) {
	const entries = 1000
	file := filepath.Join(b.TempDir(), "rules.exabgp")
	var rules strings.Builder
	for i := range entries {
		fmt.Fprintf(&rules, "flow route { match { destination 203.0.113.%d/32; protocol =udp; source-port =%d; } then { discard; } }\n", i%250, 1000+i)
	}
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 5} {
		b.Run(fmt.Sprintf("devices=%d", n), func(b *testing.B) {
			for b.Loop() {
				var routers []*router
				for range n {
					routers = append(routers, start(b, confirming, func(r *router) { r.lax = true }))
				}
				g := serve(b, "file: "+file, routers...)
				for _, r := range routers {
					for held := 0; held < entries; time.Sleep(100 * time.Millisecond) {
						r.with(func() {
							held = 0
							for _, s := range setsOf(r.root) {
								if s.AclEntries != nil && r.waiting == nil {
									held += len(s.AclEntries.AclEntry)
								}
							}
						})
					}
				}
				for i, name := range []string{"gateway-MB", "adapter-MB"} {
					b.ReportMetric(rig.Resident(b, g.process.PID(), i), name)
				}
			}
		})
	}
}

// The whole way: a rule comes in by the command line, and the router holds it; it goes, and the router holds an empty set, to which interfaces may refer.
func TestGatewayDelivers(t *testing.T) {
	t.Parallel()
	r := start(t, confirming, speaking(t))
	r.load(t, operators)
	g := serve(t, "api: true", r)
	p, sluice, base := g.process, g.sluice, g.base
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), sluice, append(args, "--gateway", base)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s\n%s", args, err, out, rig.Tail(p.Out.String(), 4000))
		}
		return string(out)
	}
	holds := func(what string, ok func(config string) bool) {
		t.Helper()
		rig.Until(t, what, func() (bool, string) {
			waiting := false
			r.with(func() { waiting = r.waiting != nil })
			config := r.config(t)
			return ok(config) && !waiting, config + rig.Tail(p.Out.String(), 4000)
		})
	}
	const rule = "flow route { match { destination 203.0.113.80/32; protocol =udp; source-port =19; } then { discard; } }"
	run("rule", "add", rule)
	holds("the rule", func(config string) bool { return strings.Contains(config, `"203.0.113.80/32"`) })
	lint(t, r.config(t))
	rig.Until(t, "the device in sync", func() (bool, string) {
		out := run("device", "list")
		return strings.Contains(out, "in-sync"), out
	})
	rig.Until(t, "the router to be heard", func() (bool, string) {
		out := run("device", "show", "leaf1")
		return strings.Contains(out, "it tells of changes to its filters since"), out
	})

	// Another hand: without a word from the router it would be found by the audit, minutes later.
	r.with(func() { r.dropEntry("sluice-v4") })
	holds("the rule again", func(config string) bool { return strings.Contains(config, `"203.0.113.80/32"`) })
	id := regexp.MustCompile(`[0-9a-f]{16}`).FindString(run("rule", "list"))
	run("rule", "delete", id)
	holds("no rule", func(config string) bool {
		return !strings.Contains(config, "203.0.113.80") && strings.Contains(config, `"sluice-v4"`) && strings.Contains(config, `"EDGE-IN"`)
	})
	p.Stop(syscall.SIGTERM)
	if log := p.Out.String(); strings.Contains(log, password) || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log says\n%s", log)
	}
}
