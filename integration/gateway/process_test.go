// Package gateway_test runs the sluice binary as its users do, and kills it.
package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	rig.MaybePace() // this very program is the pacer in front of netconfd as well
	dir, err := os.MkdirTemp("", "sluice-gateway-")
	if err == nil {
		binary = filepath.Join(dir, "sluice")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", binary, "github.com/sluice-gateway/sluice/cmd/sluice").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build sluice:", err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// gateway is one `sluice serve`.
type gateway struct {
	t    testing.TB
	cmd  *exec.Cmd
	base string
	log  *rig.Log
	done chan struct{}
}

var apiAddress = regexp.MustCompile(`msg="sluice is up" api=(\S+)`)

// serve starts a gateway and waits until it listens.
func serve(t testing.TB, config string, env ...string) *gateway {
	t.Helper()
	g := &gateway{t: t, log: &rig.Log{}, done: make(chan struct{})}
	g.cmd = exec.Command(binary, "serve", "-c", config)
	g.cmd.Stdout, g.cmd.Stderr = g.log, g.log
	g.cmd.Env = append(os.Environ(), env...)
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = g.cmd.Wait() // how it ended is for each test to judge
		close(g.done)
	}()
	t.Cleanup(g.kill)
	until(t, "the gateway", g.state, func() bool {
		if m := apiAddress.FindStringSubmatch(g.log.String()); m != nil {
			g.base = "http://" + m[1]
		}
		return g.base != "" || g.ended()
	})
	if g.base == "" {
		t.Fatalf("sluice serve ended:\n%s", g.log)
	}
	return g
}

func (g *gateway) ended() bool {
	select {
	case <-g.done:
		return true
	default:
		return false
	}
}

// kill is kill -9.
func (g *gateway) kill() {
	_ = g.cmd.Process.Kill() // it may be gone already
	<-g.done
}

// stop asks it to end and checks that it does so in good order.
func (g *gateway) stop() {
	g.t.Helper()
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		g.t.Fatal(err)
	}
	select {
	case <-g.done:
	case <-time.After(20 * time.Second):
		g.t.Fatalf("it does not end:\n%s", g.log)
	}
	if status := g.cmd.ProcessState.ExitCode(); status != 0 {
		g.t.Fatalf("it ended with status %d:\n%s", status, g.log)
	}
}

// state is what is shown when a wait was in vain.
func (g *gateway) state() string { return rig.Tail(g.log.String(), 4000) }

// until waits for a condition, for a minute at most.
func until(t testing.TB, what string, show func() string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("waited for %s in vain:\n%s", what, show())
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// call speaks to the API. The error is that of the connection.
func (g *gateway) call(ctx context.Context, method, path string, body, result any) (status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, method, g.base+path, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, err
	}
	if result != nil {
		err = json.Unmarshal(answer, result)
	}
	return resp.StatusCode, err
}

// rules returns the rules in force, by ID.
func (g *gateway) rules() map[string]api.Rule {
	g.t.Helper()
	var list struct{ Rules []api.Rule }
	if _, err := g.call(g.t.Context(), "GET", "/v1/rules", nil, &list); err != nil {
		g.t.Fatal(err)
	}
	out := map[string]api.Rule{}
	for _, r := range list.Rules {
		out[r.ID] = r
	}
	return out
}

// inSync waits until every device was brought to the newest rules.
func (g *gateway) inSync() {
	g.t.Helper()
	var devices struct{ Devices []reconcile.Status }
	until(g.t, "devices in sync", func() string { return fmt.Sprintf("%+v\n%s", devices, g.state()) }, func() bool {
		var list struct{ Version uint64 }
		if _, err := g.call(g.t.Context(), "GET", "/v1/rules", nil, &list); err != nil {
			g.t.Fatal(err)
		}
		if _, err := g.call(g.t.Context(), "GET", "/v1/devices", nil, &devices); err != nil {
			g.t.Fatal(err)
		}
		for _, d := range devices.Devices {
			if d.State != reconcile.InSync || d.Version != list.Version || d.Session != "" && d.Session != "established" {
				return false
			}
		}
		return len(devices.Devices) > 0
	})
}

// file writes a file of the test and returns its path.
func file(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(strings.TrimPrefix(content, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// metrics checks that what Prometheus is told has these lines, and returns all of it.
func (g *gateway) metrics(lines ...string) string {
	g.t.Helper()
	resp, err := http.Get(g.base + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, line := range lines {
		if !strings.Contains(string(text), line+"\n") {
			g.t.Errorf("the metrics lack %s", line)
		}
	}
	return string(text)
}
