package gateway_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/integration/rig"
)

// page is docs/quickstart.md.
func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/quickstart.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// block returns the fenced block of the page that holds a text.
func block(t *testing.T, holds string) string {
	t.Helper()
	for i, part := range strings.Split(page(t), "```") {
		if i%2 == 1 && strings.Contains(part, holds) {
			_, text, _ := strings.Cut(part, "\n") // behind the language
			return text
		}
	}
	t.Fatalf("docs/quickstart.md has no block with %q", holds)
	return ""
}

// commands returns the command lines of the page that begin so.
func commands(t *testing.T, begin string) [][]string {
	t.Helper()
	var out [][]string
	for _, line := range strings.Split(page(t), "\n") {
		if rest, ok := strings.CutPrefix(line, "$ sluice "); ok && strings.HasPrefix(rest, begin) {
			words, quoted := strings.Split(rest, "'"), []string(nil)
			for i, w := range words {
				if i%2 == 1 {
					quoted = append(quoted, w)
					continue
				}
				quoted = append(quoted, strings.Fields(w)...)
			}
			out = append(out, quoted)
		}
	}
	if len(out) == 0 {
		t.Fatalf("docs/quickstart.md types no `sluice %s`", begin)
	}
	return out
}

// sluice runs a command of the page in dir and returns what it printed.
func (g *gateway) sluice(dir string, args []string) string {
	g.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SLUICE_GATEWAY="+g.base)
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("sluice %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// The quick start does what it says, with its own files and commands. Only the port of the API is moved, so that nothing else can be in its place.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file(t, dir, "attack.exabgp", block(t, "flow route {"))
	config := strings.Replace(block(t, "router-id: 127.0.0.1"), "127.0.0.1:8330", "127.0.0.1:0", 1)
	config = strings.Replace(config, "store: sluice.db", "store: "+filepath.Join(dir, "sluice.db"), 1)
	path := file(t, dir, "sluice.yaml", config)
	bird := rig.ConfiguredBIRD(t, block(t, "protocol bgp sluice"))
	g := serve(t, path)

	for _, c := range commands(t, "validate") {
		if out := g.sluice(dir, c); !strings.Contains(out, "rewritten") || strings.Count(out, "  -> ") != 2 {
			t.Errorf("sluice %q:\n%s", c, out)
		}
	}
	if out := g.sluice(dir, commands(t, "serve -c sluice.yaml --check")[0]); !strings.Contains(out, "sources: 2, devices: 1") {
		t.Errorf("--check: %s", out)
	}

	rig.ConfiguredExaBGP(t, block(t, "route attack"), "exabgp.tcp.port=1790")
	bird.Holds("flows", 2, "sport 19,53,111,123,161;", "sport 389,1900,11211;")
	g.inSync()
	for want, begin := range map[string]string{"edge1": "device list", "rewritten": "device plan edge1", "203.0.113.10/32": "rule list"} {
		if out := g.sluice(dir, commands(t, begin)[0]); !strings.Contains(out, want) {
			t.Errorf("sluice %s does not show %q:\n%s", begin, want, out)
		}
	}
	for _, c := range commands(t, "rule add") {
		if out := g.sluice(dir, c); !strings.Contains(out, "203.0.113.20/32") {
			t.Errorf("sluice %q:\n%s", c, out)
		}
	}
	bird.Holds("flows", 3, "dst 203.0.113.20/32;")
	g.stop()
}
