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
