package gateway_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/integration/rig"
)

// The example in Python is a plugin as any other: it passes the conformance suite, over certificates of both sides, and is pinned file by file.
func TestPythonPlugin(t *testing.T) {
	t.Parallel()
	rig.Python(t)
	plugin, err := filepath.Abs("../../plugins/example-python/adapter.py")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	target := file(t, dir, "target.yaml", `
name: r1
filter:
  options: {directory: devices}
  password: {env: DEVICE_PASSWORD}
story:
  undo: 2s
  entries: 500
  refused: {entry: redirect, words: cannot redirect}
`)
	cmd := exec.CommandContext(t.Context(), binary, "adapter", "test", plugin, "--target", target)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "DEVICE_PASSWORD=hunter2hunter2")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "went well: this adapter is done") {
		t.Fatalf("%v\n%s", err, out)
	}

	config := file(t, dir, "sluice.yaml", strings.NewReplacer("DIR", dir, "HOME", filepath.Dir(plugin)).Replace(`
router-id: 192.0.2.1
as: 64512
store: DIR/sluice.db
plugins:
  - {name: py, file: HOME/adapter.py, with: [HOME/sluice_plugin.py, HOME/adapter_pb2.py]}
`))
	for _, args := range [][]string{{"adapter", "lock", "-c", config}, {"serve", "-c", config, "--check"}} {
		if out, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}

	// By hand it says what it is.
	out, err = exec.CommandContext(t.Context(), plugin).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "This is a plugin of sluice") {
		t.Errorf("by hand: %v\n%s", err, out)
	}
}
