package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"
)

// isTerminal says whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// wantsColor says whether w is to be coloured: it is a terminal, and NO_COLOR (https://no-color.org) is not set.
func wantsColor(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && isTerminal(w)
}

// untilSignal returns a context that the first Ctrl-C or SIGTERM ends, for commands that have something to put away. Only then are these signals
// taken over, and only once: a second one ends the process at once, whatever it is stuck in.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		signal.Stop(signals) // first: a second signal may come at once
		cancel()
	}()
	return ctx, cancel
}

// palette colours words; the zero palette leaves them alone.
type palette bool

const (
	bold   = "1"
	dim    = "2"
	red    = "1;31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (p palette) paint(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// progress shows one line on a terminal while work takes longer than a second, and wipes it at the end. On anything
// but a terminal it does nothing.
type progress struct {
	w     io.Writer
	begin time.Time
	say   atomic.Pointer[string]
	stop  chan struct{}
	once  sync.Once
	done  sync.WaitGroup
}

// startProgress begins to watch. The caller calls end, always.
func startProgress(w io.Writer) *progress {
	p := &progress{w: w, begin: time.Now(), stop: make(chan struct{})}
	if isTerminal(w) {
		p.done.Go(func() {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			p.draw(tick.C)
		})
	}
	return p
}

// set says what is being done now.
func (p *progress) set(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	p.say.Store(&s)
}

// end wipes the line. What is printed to the same terminal comes after it; a second call does nothing.
func (p *progress) end() {
	p.once.Do(func() { close(p.stop) })
	p.done.Wait()
}

// draw draws the line anew at every tick until end is called.
func (p *progress) draw(ticks <-chan time.Time) {
	drawn := false
	for {
		select {
		case <-p.stop:
			if drawn {
				fmt.Fprint(p.w, "\r\x1b[K")
			}
			return
		case now := <-ticks:
			if s := p.say.Load(); s != nil {
				fmt.Fprintf(p.w, "\r\x1b[K%s ... %.0f s", *s, now.Sub(p.begin).Seconds())
				drawn = true
			}
		}
	}
}
