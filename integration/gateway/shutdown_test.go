package gateway_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// lone is the configuration of a gateway without devices, at a port of its own. pipe is one of its sources.
func lone(t *testing.T) (config, address, pipe string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pipe = filepath.Join(dir, "rules.fifo")
	return file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: 192.0.2.1
as: 64512
store: %s/sluice.db
listen: {api: "%s"}
sources:
  - name: api
    api: true
    allow: {destinations: [203.0.113.0/24]}
  - name: pipe
    pipe: %s
    allow: {destinations: [203.0.113.0/24]}
`, dir, address, pipe)), address, pipe
}

func oneRule(n int) string {
	return fmt.Sprintf("flow route { match { destination 203.0.113.%d/32; } then { discard; } }", n)
}

// A watch does not keep the gateway from ending, and goes on when the gateway is back.
func TestWatchSurvivesARestart(t *testing.T) {
	t.Parallel()
	config, address, _ := lone(t)
	g := serve(t, config)
	var out rig.Log
	watch := exec.Command(binary, "rule", "watch", "--gateway", "http://"+address)
	watch.Stdout, watch.Stderr = &out, &out
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = watch.Process.Kill(); _ = watch.Wait() })
	add := func(g *gateway, n int) {
		t.Helper()
		var a api.Answer
		if status, err := g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: oneRule(n)}, &a); status != 201 || err != nil {
			t.Fatal(status, err)
		}
		until(t, "the watch to show a rule", out.String, func() bool { return strings.Contains(out.String(), fmt.Sprintf("203.0.113.%d/32", n)) })
	}
	add(g, 1)
	add(g, 2)
	began := time.Now()
	g.stop()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %v to end while somebody watched", took)
	}
	g = serve(t, config)
	add(g, 3)
	if n := strings.Count(out.String(), "203.0.113.1/32"); n != 1 {
		t.Errorf("a rule that was there all the time is shown %d times:\n%s", n, out.String())
	}
	g.stop()
}

// A gateway that waits for something at its end is ended by a second signal.
func TestSecondSignalEnds(t *testing.T) {
	t.Parallel()
	config, address, _ := lone(t)
	g := serve(t, config)
	c, err := net.Dial("tcp", address) // a client that never finishes what it says
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "POST /v1/rules HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") { // it is being listened to
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := c.Write([]byte("{")); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		if err := g.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if signal == syscall.SIGTERM {
			until(t, "it to stop listening", g.state, func() bool {
				c, err := net.Dial("tcp", address)
				if err == nil {
					c.Close()
				}
				return err != nil
			})
		}
	}
	select {
	case <-g.done:
	case <-time.After(3 * time.Second):
		t.Fatalf("the second signal does not end it:\n%s", g.log)
	}
	if status, ok := g.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Errorf("it ended with %v", g.cmd.ProcessState)
	}
}

// A line that is too long is refused like any other, and a writer in full flow does not turn the end of the gateway into a failure.
func TestPipe(t *testing.T) {
	t.Parallel()
	config, _, pipe := lone(t)
	g := serve(t, config)
	until(t, "the pipe", g.state, func() bool { _, err := os.Stat(pipe); return err == nil })
	w, err := os.OpenFile(pipe, os.O_RDWR, 0) // both, so that a write never fails when the gateway is gone
	if err != nil {
		t.Fatal(err)
	}
	say := func(n int) { fmt.Fprintf(w, "announce %s\n", oneRule(n)) }
	fmt.Fprintf(w, "announce flow route { match { destination %s203.0.113.9/32; } then { discard; } }\n", strings.Repeat(" ", 100<<10))
	say(1)
	until(t, "the rule", g.state, func() bool { return len(g.rules()) == 1 })
	if !strings.Contains(g.log.String(), "line") {
		t.Errorf("nothing is said of the long line:\n%s", g.log)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 100000 {
			if g.ended() {
				return
			}
			say(n % 200)
		}
	}()
	until(t, "more rules", g.state, func() bool { return len(g.rules()) > 50 })
	g.stop()
	w.Close()
	<-done
}
