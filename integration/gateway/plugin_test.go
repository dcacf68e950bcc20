package gateway_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

// A third party's plugin is a file that the configuration names, with its checksum; the example is one. A file with another checksum is not started.
func TestThirdPartyPlugin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plugin := filepath.Join(dir, "acme")
	if out, err := exec.Command("go", "build", "-o", plugin, "github.com/sluice-gateway/sluice/plugins/example").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(plugin)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	config := func(sum string) string {
		return file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: 192.0.2.1
as: 64512
store: %[1]s/sluice.db
listen: {api: "127.0.0.1:0"}
sources:
  - {name: api, api: true, allow: {destinations: [any]}}
devices:
  - name: box
    profile: junos-mx
    filter:
      adapter: acme
      unverified-device: true
      address: "nowhere:1"
      options: {directory: %[1]s/devices}
plugins:
  - {name: acme, file: %[2]s, sha256: %[3]s}
`, dir, plugin, sum))
	}
	g := serve(t, config(hex.EncodeToString(sum[:])))
	var a api.Answer
	rule := "flow route { match { destination 203.0.113.10/32; protocol =udp; source-port =53; } then { discard; } }"
	if status, err := g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: rule}, &a); status != 201 || err != nil {
		t.Fatal(status, err)
	}
	g.inSync()
	held := func() string {
		var all strings.Builder
		_ = filepath.WalkDir(filepath.Join(dir, "devices"), func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				text, _ := os.ReadFile(path)
				all.Write(text)
			}
			return nil
		})
		return all.String()
	}
	if text := held(); !strings.Contains(text, "203.0.113.10/32") {
		t.Errorf("the device holds\n%s", text)
	}
	if status, err := g.call(t.Context(), "DELETE", "/v1/rules/"+a.Rules[0].ID, nil, nil); status != 204 {
		t.Fatal(status, err)
	}
	g.inSync()
	if text := held(); strings.Contains(text, "203.0.113.10/32") || !strings.Contains(text, "sluice-v4") {
		t.Errorf("after the rule went the device holds\n%s", text)
	}
	g.stop()

	// Not started, and said so; the rest of the gateway goes on.
	sum[0]++
	g = serve(t, config(hex.EncodeToString(sum[:])))
	var d reconcile.Status
	until(t, "the checksum to be refused", func() string { return fmt.Sprintf("%+v\n%s", d, g.state()) }, func() bool {
		_, err := g.call(t.Context(), "GET", "/v1/devices/box", nil, &d)
		return err == nil && d.State == reconcile.Unreachable && strings.Contains(d.Error, "checksum")
	})
	g.stop()
}

// What `sluice adapter new` writes is a plugin with a profile and a configuration, and a gateway delivers to its device, from the first rule to its end.
func TestNewPlugin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "acme")
	in := func(where string, words ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
		cmd.Dir = where
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
	}
	in(dir, binary, "adapter", "new", "acme", "--replace", root)
	in(home, "go", "build", "-o", "acme", ".")
	in(home, binary, "adapter", "lock", "-c", "sluice.yaml")
	b, err := os.ReadFile(filepath.Join(home, "sluice.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("store: ", "listen: {api: \"127.0.0.1:0\"}\nstore: "+home+"/", "profiles: ", "profiles: "+home+"/", "directory: ", "directory: "+home+"/").Replace(string(b))
	g := serve(t, file(t, home, "sluice.yaml", text))
	rule := "flow route { match { destination 203.0.113.10/32; protocol =udp; source-port [ =53 =123 ]; } then { rate-limit 125000; } }"
	if status, err := g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: rule}, nil); status != 201 || err != nil {
		t.Fatal(status, err)
	}
	g.inSync()
	held, err := os.ReadFile(filepath.Join(home, "devices/r1/filters.json"))
	if err != nil || !strings.Contains(string(held), `"dst": "203.0.113.10/32"`) || !strings.Contains(string(held), `"policer": "sluice-`) {
		t.Errorf("the device holds, %v\n%s", err, held)
	}
	g.stop()
}
