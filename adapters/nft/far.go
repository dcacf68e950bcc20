package nft

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

const (
	// silence is after how long a host behind SSH believes that nobody is there any more, although the connection has not ended.
	silence = 20 * time.Second
	// speakEvery is how often it is told that somebody is.
	speakEvery = 3 * time.Second
	// longestRun is how long a run of nft, and killing it, may take there.
	longestRun = patience + 10*time.Second
	// defaultTimeout bounds one exchange when the target does not.
	defaultTimeout = 30 * time.Second
)

// far is a host behind SSH whose lock a process of far.sh there holds for us: as long as words come from here.
type far struct {
	*connection
	details
	line    *line
	me      string // who holds the lock there
	pending []waiting
	timeout time.Duration
	release func() // ends that process, and waits until the lock is free
}

// openFar waits until nobody else works on the host behind t.
func (a *Adapter) openFar(ctx context.Context, t device.Target, d details) (*far, error) {
	device.Report(ctx, device.Connecting)
	l := a.lines.Get(t.Name)
	if err := l.Acquire(ctx, t); err != nil {
		return nil, transient(true, "%v", err)
	}
	h := &far{details: d, line: l, timeout: t.Timeout}
	if h.timeout <= 0 {
		h.timeout = defaultTimeout
	}
	var err error
	dial := func(ctx context.Context, t device.Target) (*connection, error) {
		return a.dial(ctx, t, d.agent, h.timeout)
	}
	if h.connection, err = l.First(ctx, dial, func(c *connection) error {
		device.Report(ctx, device.Locking)
		return h.hold(ctx, c)
	}); err != nil {
		l.Release(a.opt.IdleTimeout)
		return nil, err
	}
	stop := h.release
	h.release = func() {
		stop()
		l.Release(a.opt.IdleTimeout)
	}
	return h, nil
}

// hold has a process there take the lock and keep it.
func (h *far) hold(ctx context.Context, c *connection) error {
	wait := h.timeout
	if end, bounded := ctx.Deadline(); bounded {
		wait = min(wait, time.Until(end))
	}
	wait = wait * 3 / 4 // the rest is for the way
	args := []string{strconv.Itoa(int(wait / (100 * time.Millisecond))), whole(silence), whole(longestRun), whole(patience)}
	call, said, err := c.begin(ctx, h.timeout+longestRun, h.directory, "hold", append(args, h.program...)...)
	if err != nil {
		return err
	}
	if err := said.err(h.program); err != nil {
		if said.status == refused || said.status == killed {
			return transient(false, "undo a change: %v", err)
		}
		return err
	}
	if err := h.understand(string(said.said)); err != nil {
		call.end(h.timeout)
		return err
	}
	h.release = speak(call, h.timeout)
	return nil
}

// understand reads who holds the lock, and a line for each change that waits: its token, and in how many seconds its deadline is.
func (h *far) understand(said string) error {
	h.me, said, _ = strings.Cut(said, "\n")
	h.pending = nil
	for line := range strings.Lines(said) {
		token, left, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(left)
		if err != nil {
			return fmt.Errorf("the device says of a change that waits: %q", line)
		}
		h.pending = append(h.pending, waiting{token: token, deadline: time.Now().Add(time.Duration(n) * time.Second)})
	}
	return nil
}

// speak sends a word now and then, until the function that it returns is called, which ends the call.
func speak(c *call, within time.Duration) (end func()) {
	done := make(chan struct{})
	var speaking sync.WaitGroup
	speaking.Go(func() {
		tick := time.NewTicker(speakEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if _, err := io.WriteString(c.in, "\n"); err != nil {
					return
				}
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		c.end(within) // a write that hangs ends with the connection
		speaking.Wait()
	}
}

func (h *far) close() { h.release() }

func (h *far) waiting() []waiting { return h.pending }

// do calls a function of far.sh. What changes something is not cut off by ctx.
func (h *far) do(ctx context.Context, longest time.Duration, input []byte, function string, args ...string) ([]byte, error) {
	if input != nil || function != "run" {
		ctx = context.WithoutCancel(ctx)
	}
	said, err := h.ask(ctx, h.timeout+longest, input, h.directory, function, args...)
	if err != nil {
		return nil, err
	}
	return said.said, said.err(h.program)
}

func (h *far) nft(ctx context.Context, script []byte, args ...string) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, transient(true, "no time: %v", ctx.Err())
	}
	all := append(append([]string{whole(patience)}, h.program...), args...)
	if script == nil {
		return h.do(ctx, longestRun, nil, "run", all...)
	}
	return h.do(ctx, longestRun, script, "script", append([]string{h.me, strconv.Itoa(len(script))}, all...)...)
}

func (h *far) arm(ctx context.Context, token string, back []byte, undo time.Duration) error {
	args := []string{h.me, token, whole(undo), whole(longestLoad), strconv.Itoa(len(back)), watch}
	_, err := h.do(ctx, 0, back, "arm", append(args, h.program...)...)
	return err
}

func (h *far) made(ctx context.Context, token string, undo time.Duration) (deadline time.Time, err error) {
	left := time.Duration(seconds(undo)+1) * time.Second // the process looks once a second
	_, err = h.do(ctx, 0, nil, "made", h.me, token, whole(left))
	return time.Now().Add(left), err // by our clock, and not before it is over by that of the host
}

func (h *far) confirm(ctx context.Context, token string) error {
	if err := ours(token); err != nil {
		return err
	}
	_, err := h.do(ctx, 0, nil, "confirm", h.me, token)
	return err
}

func (h *far) cancel(ctx context.Context, token string) error {
	if err := ours(token); err != nil {
		return err
	}
	said, err := h.ask(context.WithoutCancel(ctx), h.timeout+longestRun, nil, h.directory, "cancel", append([]string{h.me, token, whole(patience)}, h.program...)...)
	if err != nil {
		return err
	}
	if err := said.err(h.program); said.status == refused {
		return transient(false, "undo a change: %v", err)
	} else if err != nil {
		return err
	}
	return nil
}

func whole(d time.Duration) string { return strconv.Itoa(seconds(d)) }
