package session

import (
	"context"
	"log/slog"
	"time"
)

// A peer may cause this many lines per window above the level of debugging: one that comes and goes as fast as it can must not fill the disk.
const (
	toldLines  = 20
	toldWindow = 10 * time.Second
)

// told counts what was logged. It belongs to the goroutine of Peer.Run.
type told struct {
	since  time.Time
	lines  int
	untold int
}

// tell logs what happened to the session. Beyond the limit it goes to the debugging level, and the next line says how many there were.
func (p *Peer) tell(ctx context.Context, level slog.Level, message string, args ...any) {
	t, now := &p.told, time.Now()
	if now.Sub(t.since) > toldWindow {
		if t.untold > 0 {
			args = append(args, "not-logged-before", t.untold)
		}
		*t = told{since: now}
	}
	if t.lines == toldLines {
		t.untold++
		level = min(level, slog.LevelDebug)
	} else {
		t.lines++
	}
	p.log.Log(context.WithoutCancel(ctx), level, message, args...)
}
