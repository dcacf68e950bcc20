package session

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A router that says that its neighbour was shut down or taken away is a matter for people; one that resets a session, or falls over, comes back by itself.
func TestShutDownOverThereIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason error
		level  string
	}{
		"shut down":               {&Notification{Code: 6, Subcode: CeaseShutdown, Received: true}, "ERROR"},
		"taken away":              {&Notification{Code: 6, Subcode: CeaseDeconfigured, Received: true}, "ERROR"},
		"taken away, hard":        {&Notification{Code: 6, Subcode: CeaseHardReset, Data: []byte{6, CeaseDeconfigured}, Received: true}, "ERROR"},
		"shut down by us":         {Cease(CeaseShutdown, ""), "WARN"},
		"reset":                   {&Notification{Code: 6, Subcode: CeaseReset, Received: true}, "WARN"},
		"reset, hard":             {&Notification{Code: 6, Subcode: CeaseHardReset, Data: []byte{6, CeaseReset}, Received: true}, "WARN"},
		"a fault in what we sent": {&Notification{Code: 3, Subcode: 3, Received: true}, "WARN"},
		"the connection":          {errors.New("the peer closed the connection"), "WARN"},
	} {
		var log bytes.Buffer
		p, err := NewPeer(Config{Name: "edge1", LocalAS: 1, RouterID: lowID, Passive: true, Families: []Family{flow4}, Log: slog.New(slog.NewTextHandler(&log, nil))}, &recorder{})
		if err != nil {
			t.Fatal(err)
		}
		p.setState(Established)
		p.failed(t.Context(), c.reason)
		if !strings.Contains(log.String(), "level="+c.level) || !strings.Contains(log.String(), "session down") {
			t.Errorf("%s: want a line of level %s: %s", name, c.level, log.String())
		}
	}
}

// A peer whose sessions come and go without end is told of, and does not fill the disk.
func TestFlappingPeerDoesNotFloodTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		cfg := Config{Name: "flapping", LocalAS: 1, RouterID: lowID, Passive: true, Families: []Family{flow4}, Log: slog.New(slog.NewTextHandler(&log, nil))}
		p, err := NewPeer(cfg, &recorder{})
		if err != nil {
			t.Fatal(err)
		}
		flap := func() {
			p.setState(Established)
			p.failed(t.Context(), errors.New("the peer closed the connection"))
		}
		for range 1000 {
			flap()
		}
		if n := strings.Count(log.String(), "session down"); n != toldLines {
			t.Errorf("%d lines, want %d", n, toldLines)
		}
		time.Sleep(toldWindow + time.Second)
		flap()
		if !strings.Contains(log.String(), "not-logged-before=980") {
			t.Errorf("the log does not say how many were left out:\n%s", log.String())
		}
	})
}
