package rib

import (
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// waits are the stale rules that go at some time unless their source repeats them. Rules of sources that withdraw by name wait for nobody.
type waits struct {
	news map[flowspec.ID]time.Time // since they were last published; zero: it waits no more
}

// note says that p is stale until then, or is no more.
func (w *waits) note(p *path) {
	if w.news == nil {
		w.news = map[flowspec.ID]time.Time{}
	}
	if p.stale {
		w.news[p.rule.ID] = p.until
	} else {
		w.news[p.rule.ID] = time.Time{}
	}
}

// gone says that there is no such rule any more.
func (w *waits) gone(p *path) {
	if p.stale {
		w.note(&path{rule: p.rule})
	}
}

// publish brings what others see up to date.
func (w *waits) publish(seen map[flowspec.ID]time.Time) {
	for id, until := range w.news {
		if until.IsZero() {
			delete(seen, id)
		} else {
			seen[id] = until
		}
	}
	w.news = nil
}

// Stale returns until when a rule is kept although its source is gone, or has not repeated it since it came back or since the gateway started; false: it is not kept like that.
func (r *RIB) Stale(id flowspec.ID) (until time.Time, stale bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, stale = r.waiting[id]
	return until, stale
}
