package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// Call is what a worker is doing with its device.
type Call string

// The calls.
const (
	Queueing   Call = "queueing"   // until fewer devices are being changed at this moment
	Reading    Call = "reading"    // what the device holds
	Applying   Call = "applying"   // a change
	Verifying  Call = "verifying"  // what the device holds after it, and whether that is what was meant; the device waits for the confirmation meanwhile
	Confirming Call = "confirming" // the change
	Cancelling Call = "cancelling" // it
)

// Progress is where a call to a device is, while it lasts.
type Progress struct {
	Call  Call         `json:"call"`
	Began time.Time    `json:"began"`
	Stage device.Stage `json:"stage,omitempty"` // as its adapter says; "": it has said nothing
	Since time.Time    `json:"since,omitzero"`  // of the stage
	Done  int          `json:"done,omitempty"`  // of All, in that stage: entries, or lines that are typed
	All   int          `json:"all,omitempty"`   // 0: not counted
}

// String says where the call is: "applying: loading 120 of 3000".
func (p Progress) String() string {
	text := string(p.Call)
	if p.Stage != "" {
		text += ": " + string(p.Stage)
	}
	if p.All > 0 {
		text += fmt.Sprintf(" %d of %d", p.Done, p.All)
	}
	return text
}

// How often one call is told of in the log: each stage, as long as they are not too many, and that it goes on, where it goes on for long.
const (
	stageEvery = 100 * time.Millisecond
	stillEvery = 15 * time.Second
)

// call is one call to the device: its reports arrive from any goroutine.
type call struct {
	w      *worker
	mu     sync.Mutex
	p      Progress
	ended  bool
	stage  time.Time // when a stage was last logged
	logged time.Time // when it was last logged that it goes on
}

// at shows that the worker is at a call, until done; what the adapter reports with ctx belongs to it.
func (w *worker) at(ctx context.Context, what Call) (_ context.Context, done func()) {
	now := w.now()
	c := &call{w: w, p: Progress{Call: what, Began: now}, logged: now}
	c.show()
	return device.WithReporter(ctx, c.hear), c.end
}

func (c *call) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.w.progress.Store(nil)
}

// show makes a copy of where the call is visible. Callers hold mu, or nobody else knows of the call yet.
func (c *call) show() {
	p := c.p
	c.w.progress.Store(&p)
}

func (c *call) hear(r device.Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || !r.Valid() {
		return
	}
	now := c.w.now()
	another := c.p.Stage != r.Stage
	if another {
		c.p.Since = now
	}
	c.p.Stage, c.p.Done, c.p.All = r.Stage, r.Done, r.All
	c.show()
	switch {
	case now.Sub(c.logged) >= stillEvery:
		c.logged, c.stage = now, now
		c.log(slog.LevelInfo, "the device takes its time")
	case another && now.Sub(c.stage) >= stageEvery:
		c.stage = now
		c.log(slog.LevelDebug, "at the device")
	}
}

func (c *call) log(level slog.Level, text string) {
	attrs := []any{"call", c.p.Call, "stage", c.p.Stage, "since", c.w.now().Sub(c.p.Began)}
	if c.p.All > 0 {
		attrs = append(attrs, "done", c.p.Done, "all", c.p.All)
	}
	c.w.log.Log(context.Background(), level, text, attrs...)
}
