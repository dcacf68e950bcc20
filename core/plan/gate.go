package plan

import (
	"runtime"
	"slices"
	"sync"
)

// gate lets as many planners of a deck plan whole tables at a time as there are processors. More would only be in each other's way, and all be late.
type gate struct {
	mu      sync.Mutex
	inside  int
	waiting []*waiter // the longest work first, so that no processor is idle at the end
}

// waiter is a planner that waits.
type waiter struct {
	work int // rough measure
	open chan struct{}
}

// enter waits until there is room.
func (g *gate) enter(work int) {
	g.mu.Lock()
	if g.inside < runtime.GOMAXPROCS(0) {
		g.inside++
		g.mu.Unlock()
		return
	}
	w := &waiter{work, make(chan struct{})}
	at := slices.IndexFunc(g.waiting, func(o *waiter) bool { return o.work < work })
	if at < 0 {
		at = len(g.waiting)
	}
	g.waiting = slices.Insert(g.waiting, at, w)
	g.mu.Unlock()
	<-w.open
}

// leave makes room for the next one.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.inside--
		return
	}
	close(g.waiting[0].open)
	g.waiting = g.waiting[1:]
}
