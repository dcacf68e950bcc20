package reconcile

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// window is a session whose router shows what it holds.
type window struct {
	*peer
	changed chan struct{}

	mu    sync.Mutex
	shows map[string]device.Shown // by match
	again int
}

func (p *window) Shown(r *device.Route) device.Shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shows[r.Match.String()]
}

func (p *window) ShownChanged() <-chan struct{} { return p.changed }

func (p *window) SayAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.again++
}

func (p *window) show(match string, s device.Shown) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shows[match] = s
	p.changed <- struct{}{}
}

// What a router shows makes a sent rule held, or drifted, and the device with it; where it shows nothing any more, the rule is sent. Nothing is sent again but by order.
func TestWhatARouterShowsIsInReceipts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := &window{peer: b.withPeer(false), changed: make(chan struct{}, 100), shows: map[string]device.Shown{}}
	b.dev.Native = p
	one, two := discard(t, 1, 53), discard(t, 2, 53)
	b.set(one, two)
	b.start()
	b.wait(InSync)
	b.untilReceipt(one, RuleSent)

	at := time.Unix(1000, 0)
	p.show(one.Match.String(), device.Shown{State: device.ShownHeld, Since: at, Words: "the router"})
	if got := b.untilReceipt(one, RuleHeld); !got.Since.Equal(at) || got.Shown != "the router" || got.Error != "" {
		t.Errorf("%+v", got)
	}
	b.untilReceipt(two, RuleSent)
	p.show(two.Match.String(), device.Shown{State: device.ShownOtherwise, Since: at, Words: "gone"})
	if got := b.untilReceipt(two, RuleDrifted); got.Error != "gone" || !got.Since.Equal(at) {
		t.Errorf("%+v", got)
	}
	b.wait(Drifted)
	if s := b.status(); s.Shown.Held != 1 || s.Shown.Otherwise != 1 || !strings.Contains(s.Error, "gone") {
		t.Errorf("%+v, %+v", s, s.Shown)
	}
	if sent, held, err := b.rec.Given("mx1"); sent != 0 || held != 1 || err != nil {
		t.Errorf("%d sent, %d held, %v", sent, held, err)
	}
	p.mu.Lock()
	again := p.again
	p.mu.Unlock()
	if again != 0 || len(p.lines()) != 2 {
		t.Errorf("it was told again %d times: %q", again, p.lines())
	}
	b.rec.Sync("mx1")
	b.until("all to be said again", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.again == 1 })

	p.show(two.Match.String(), device.Shown{Words: "cut"})
	if got := b.untilReceipt(two, RuleSent); got.Shown != "cut" || got.Error != "" {
		t.Errorf("%+v", got)
	}
	b.wait(InSync)
}
