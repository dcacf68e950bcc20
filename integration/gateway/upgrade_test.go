package gateway_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sluice-gateway/sluice/core/api"
)

// adapters returns what the API says of adapters.
func (g *gateway) adapters() []api.Adapter {
	g.t.Helper()
	var list struct{ Adapters []api.Adapter }
	if _, err := g.call(g.t.Context(), "GET", "/v1/adapters", nil, &list); err != nil {
		g.t.Fatal(err)
	}
	return list.Adapters
}

// A plugin whose file was replaced and pinned anew is upgraded by SIGHUP, the new process first; one that was replaced and not pinned goes on as it is.
// Its devices are in sync all the while, and so are those of another plugin, which is not touched.
func TestPluginUpgrade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plugin := filepath.Join(dir, "acme")
	build := func(flags ...string) {
		t.Helper()
		args := append(append([]string{"build", "-o", plugin + ".new"}, flags...), "github.com/sluice-gateway/sluice/plugins/example")
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if err := os.Rename(plugin+".new", plugin); err != nil {
			t.Fatal(err)
		}
	}
	build()
	other := filepath.Join(dir, "other")
	if err := os.Link(plugin, other); err != nil {
		t.Fatal(err)
	}
	device := "  - {name: %s, profile: junos-mx, filter: {adapter: %s, unverified-device: true, address: \"nowhere:1\", options: {directory: %s/devices}, commit-interval: 100ms}}\n"
	config := file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: 192.0.2.1
as: 64512
store: %[1]s/sluice.db
listen: {api: "127.0.0.1:0"}
sources:
  - {name: api, api: true, allow: {destinations: [any]}}
plugins:
  - {name: acme, file: %[2]s}
  - {name: other, file: %[3]s}
devices:
`, dir, plugin, other)+fmt.Sprintf(device, "box", "acme", dir)+fmt.Sprintf(device, "case", "other", dir))
	lock := func() {
		t.Helper()
		if out, err := exec.Command(binary, "adapter", "lock", "-c", config).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	lock()
	g := serve(t, config)
	n := 0
	rule := func() {
		t.Helper()
		n++
		text := fmt.Sprintf("flow route { match { destination 203.0.113.%d/32; } then { discard; } }", n)
		if status, err := g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: text}, nil); status != 201 || err != nil {
			t.Fatal(status, err)
		}
		g.inSync()
	}
	rule()
	before := g.adapters()

	build("-ldflags", "-X main.release=2") // another file
	hup := func(want string) {
		t.Helper()
		if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, want, g.state, func() bool { return strings.Contains(g.log.String(), want) })
	}
	hup("is not the file that was pinned")
	rule()
	if now := g.adapters(); now[0].PID != before[0].PID {
		t.Errorf("a file that nobody pinned is running: %+v", now)
	}
	lock()
	hup("the plugin was upgraded")
	rule()
	if strings.Contains(g.log.String(), "is another one") {
		t.Errorf("the configuration did not change:\n%s", g.log)
	}
	now := g.adapters()
	if now[0].PID == before[0].PID || now[0].SHA256 == before[0].SHA256 || now[0].Restarts != 0 || now[0].State != "running" {
		t.Errorf("after the upgrade: %+v, before: %+v", now[0], before[0])
	}
	if now[1].PID != before[1].PID || now[1].Restarts != 0 {
		t.Errorf("the other plugin: %+v, before: %+v", now[1], before[1])
	}

	// What a restart alone takes is said, and so is that the file is not right any more.
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(bytes.Clone(text), fmt.Sprintf(device, "crate", "acme", dir)...), 0o600); err != nil {
		t.Fatal(err)
	}
	hup(`a restart takes it" differs="[device crate is new]"`)
	if err := os.WriteFile(config, append(bytes.Clone(text), "nonsense: 1\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	hup("everything stays as it is")
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	rule()

	// It dies again and again: its device is not served, and why is shown; the other goes on.
	if err := os.WriteFile(plugin+".new", []byte("#!/bin/sh\necho the licence has expired >&2\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(plugin+".new", plugin); err != nil {
		t.Fatal(err)
	}
	lock()
	hup("stays as it is, since the new one does not start")
	if err := syscall.Kill(now[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "it is stopped", g.state, func() bool { return g.adapters()[0].State == "stopped" })
	if a := g.adapters()[0]; !strings.Contains(a.LastError, "is not the file that was pinned") || a.Next == nil {
		t.Errorf("it is stopped: %+v", a)
	}
	out, err := exec.Command(binary, "adapter", "status", "--gateway", g.base).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "or by `sluice adapter start acme`") {
		t.Errorf("%v\n%s", err, out)
	}
	if a := g.adapters()[1]; a.PID != before[1].PID || a.State != "running" {
		t.Errorf("the other plugin: %+v", a)
	}
	build()
	build("-ldflags", "-X main.release=2")
	if out, err := exec.Command(binary, "adapter", "start", "acme", "--gateway", g.base).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	rule()
	g.stop()
}
