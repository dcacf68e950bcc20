package nft_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/sluice-gateway/sluice/integration/rig"
)

// The whole way to a Linux behind SSH: its host key is trusted once, a rule goes there and counts what it matches, the gateway is killed and starts again, a rule that would cut the connection is refused, and the rule
// goes. No key is printed.
func TestGatewayOverSSH(t *testing.T) {
	t.Parallel()
	r := newRemote(t, rig.User{Name: "sluice"})
	send := r.neighbour(t)
	r.cable = rig.Lay(t, r.ns+"-n", "10.99.0.2:22")
	dir := t.TempDir()
	sluice, config, known := filepath.Join(dir, "sluice"), filepath.Join(dir, "sluice.yaml"), filepath.Join(dir, "known_hosts")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", sluice, "github.com/sluice-gateway/sluice/cmd/sluice").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	err := os.WriteFile(config, fmt.Appendf(nil, `
router-id: 192.0.2.1
as: 64500
store: %[1]s/sluice.db
listen: {api: "127.0.0.1:0"}
sources:
  - {name: api, api: true, allow: {destinations: [any]}}
devices:
  - name: scrubber
    profile: linux-nftables
    filter:
      adapter: nftables
      address: %[2]s
      username: sluice
      private-key: {env: SCRUBBER_KEY}
      known-hosts: %[3]s
      options: {program: %[4]s, directory: %[5]s}
      count-every: 1s
`, dir, r.cable.Address, known, r.capable(t), r.dir), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	shown, _ := exec.CommandContext(t.Context(), sluice, "device", "trust", "-c", config, "scrubber").CombinedOutput() // status 1: no key is trusted yet
	fingerprint := regexp.MustCompile(`SHA256:\S+`).Find(shown)
	if out, err := exec.CommandContext(t.Context(), sluice, "device", "trust", "-c", config, "scrubber", "--fingerprint", string(fingerprint)).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, shown, out)
	}
	var p *rig.Process
	up := regexp.MustCompile(`msg="sluice is up" api=(\S+)`)
	serve := func() {
		p = rig.Launch(t, []string{"SCRUBBER_KEY=" + string(r.target.PrivateKey)}, sluice, "serve", "-c", config)
		rig.Until(t, "the gateway", func() (bool, string) { return up.MatchString(p.Out.String()), p.Out.String() })
	}
	run := func(status int, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), sluice, append(args, "--gateway", "http://"+up.FindStringSubmatch(p.Out.String())[1])...)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != status {
			t.Fatalf("%v: status %d, want %d\n%s\n%s", args, got, status, out, rig.Tail(p.Out.String(), 4000))
		}
		return string(out)
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		rig.Until(t, what, func() (bool, string) {
			return ok(), run(0, "device", "list") + run(0, "rule", "list") + rig.Tail(p.Out.String(), 4000)
		})
	}
	holds := func() bool { return strings.Contains(r.listed(), "udp dport 4444") }
	inSync := func() bool { return strings.Contains(run(0, "device", "list"), "in-sync") }
	serve()
	run(0, "rule", "add", "flow route { match { destination 10.99.0.2/32; protocol =udp; destination-port =4444; } then { discard; } }")
	until("the rule", func() bool { return inSync() && holds() })
	send(4444, 100)
	until("the count", func() bool { return strings.Contains(run(0, "rule", "list", "--sort=hits"), "1 packet") })
	p.Stop(syscall.SIGKILL)
	first := p.Out.String()
	serve()
	until("the rule after a restart", func() bool { return inSync() && holds() })
	if out := run(1, "rule", "add", "flow route { match { destination 127.0.0.1/32; protocol =tcp; } then { discard; } }"); !strings.Contains(out, "the connection for filters to scrubber") {
		t.Errorf("a rule that cuts the connection: %s", out)
	}
	run(0, "rule", "delete", regexp.MustCompile(`[0-9a-f]{16}`).FindString(run(0, "rule", "list")))
	until("no rule", func() bool { return inSync() && !holds() })
	p.Stop(syscall.SIGTERM)
	key := strings.Split(string(r.target.PrivateKey), "\n")[2]
	if log := first + p.Out.String(); strings.Contains(log, key) || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log says\n%s", log)
	}
}

// listed returns all tables of the host.
func (l *linux) listed() string {
	out, err := exec.Command("ip", "netns", "exec", l.ns, "nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		l.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
