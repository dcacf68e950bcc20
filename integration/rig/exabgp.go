package rig

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// listen writes down what ExaBGP says. Its pipe does not block, which cat takes for an error.
const listen = `#!/usr/bin/python3
import os, select
out = open(%q, 'ab', 0)
while True:
    select.select([0], [], [])
    try:
        text = os.read(0, 65536)
    except BlockingIOError:
        continue
    if not text:
        break
    out.write(text)
`

// ExaBGP is a running ExaBGP whose API lines come from us, and which writes down what it receives.
type ExaBGP struct {
	t     testing.TB
	conf  string
	feed  string
	sink  string
	lines *os.File
	*Process
}

// StartExaBGP runs ExaBGP at addr with us as its neighbour.
func StartExaBGP(t testing.TB, as uint32, addr, peer netip.Addr) *ExaBGP {
	t.Helper()
	dir := t.TempDir()
	e := &ExaBGP{t: t, conf: filepath.Join(dir, "exabgp.conf"), feed: filepath.Join(dir, "feed"), sink: filepath.Join(dir, "sink")}
	script := filepath.Join(dir, "listen")
	if err := os.WriteFile(script, fmt.Appendf(nil, listen, e.sink), 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`process feed { run %s %s; encoder json; }
process sink { run %s; encoder json; }
neighbor %s {
	router-id %s; local-address %s; local-as %d; peer-as 64500; hold-time 30;
	connect %d;
	family { ipv4 flow; ipv6 flow; }
	api feed { processes [ feed ]; }
	api sink { processes [ sink ]; receive { parsed; update; } }
}
`, Program(t, "cat", "coreutils"), e.feed, script, peer, addr, addr, as, SpeakerPort)
	if err := os.WriteFile(e.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e.Start()
	return e
}

// Heard is what ExaBGP received, as its JSON lines.
func (e *ExaBGP) Heard() string {
	b, _ := os.ReadFile(e.sink)
	return string(b)
}

func (e *ExaBGP) Start() {
	e.t.Helper()
	// A feed of its own for each start: the reader of a killed ExaBGP lives on until its feed is closed.
	if e.lines != nil {
		_ = e.lines.Close()
	}
	_ = os.Remove(e.feed)
	e.lines = openFeed(e.t, e.feed)
	e.Process = Launch(e.t, []string{"exabgp.api.cli=false", "exabgp.daemon.user=" + user(), "exabgp.tcp.bind=", "exabgp.api.ack=false", "exabgp.log.level=INFO"},
		Program(e.t, "exabgp", "exabgp"), e.conf)
}

// openFeed makes a FIFO. It is open for reading too, so that opening does not wait for the other side and closing it does not end the other side.
func openFeed(t testing.TB, path string) *os.File {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// Feed makes a FIFO at path and returns what writes a line into it.
func Feed(t testing.TB, path string) (say func(format string, args ...any)) {
	t.Helper()
	f := openFeed(t, path)
	return func(format string, args ...any) {
		t.Helper()
		if _, err := fmt.Fprintf(f, format+"\n", args...); err != nil {
			t.Fatal(err)
		}
	}
}

// user is who runs the test: ExaBGP started by root changes to nobody, who cannot read the feed.
func user() string {
	if os.Geteuid() == 0 {
		return "root"
	}
	return os.Getenv("USER")
}

// Say sends one API line.
func (e *ExaBGP) Say(format string, args ...any) {
	e.t.Helper()
	if _, err := io.WriteString(e.lines, fmt.Sprintf(format, args...)+"\n"); err != nil {
		e.t.Fatal(err)
	}
}

// ConfiguredExaBGP runs ExaBGP with a whole configuration of the caller's. env is NAME=value pairs, ExaBGP's own settings among them.
func ConfiguredExaBGP(t testing.TB, config string, env ...string) *Process {
	t.Helper()
	path := filepath.Join(t.TempDir(), "exabgp.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	env = append([]string{"exabgp.api.cli=false", "exabgp.daemon.user=" + user(), "exabgp.tcp.bind=", "exabgp.log.level=INFO"}, env...)
	return Launch(t, env, Program(t, "exabgp", "exabgp"), path)
}
