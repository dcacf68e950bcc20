package plan

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Deck is what several planners of one RIB find out about its rules by themselves, found out once: what a rule matches and asks for, which no platform changes, and
// how FlowSpec carries it, which the planners of one platform have in common whatever their operators allow beyond. It is of use where whole tables are planned.
// The zero Deck is empty. It may be used by several goroutines, and what is planned with it is what would be planned without.
type Deck struct {
	mu     sync.Mutex
	snap   rib.Snapshot
	users  int // planners
	asked  int // of them, for snap
	busy   int // of those, with a plan of it
	gate   gate
	rules  []*flowspec.Rule // of snap; nil: nobody asked
	news   []rib.Change     // that bring them all; nil: nobody asked
	read   *pile[*reading]
	piles  map[nativePart]*pile[*card]
	found  map[nativePart]*remedies
	rivals []*rivals
}

// nativePart is what decides how FlowSpec carries a rule.
type nativePart struct {
	profile  *profile.Profile
	settings string
	families string
	vpns     string
	sources  string
	native   bool
	noNative Reason // where there is none
}

// Planner returns a Planner that shares what it finds out, see NewPlanner.
func (d *Deck) Planner(p *profile.Profile, opt Options) *Planner {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.users++
	pl := NewPlanner(p, opt)
	pl.deck = d
	if pl.err == nil {
		pl.part = nativePart{profile: p, settings: fmt.Sprint(opt.Settings), families: fmt.Sprint(opt.Families, opt.Families == nil), vpns: fmt.Sprint(opt.VPNs, opt.VPNs == nil),
			sources: fmt.Sprint(opt.Sources, opt.Sources == nil), native: pl.platform.native != nil}
		if pl.platform.native == nil {
			pl.part.noNative = pl.platform.noNative
		}
	}
	return pl
}

// Make returns what the function Make returns. The deck keeps nothing for the platform: one plan is made after the other. A nil Deck shares nothing.
func (d *Deck) Make(snap rib.Snapshot, p *profile.Profile, opt Options) (*Plan, error) {
	pl := NewPlanner(p, opt)
	pl.deck = d
	return pl.Plan(snap)
}

// leave forgets what is of another snapshot than snap, and what every planner has asked for and none is at work with. asked says whether the planner that leaves did ask.
func (d *Deck) leave(snap rib.Snapshot, asked bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if asked && d.snap == snap {
		d.busy--
	}
	if d.snap != snap || d.users > 0 && d.asked >= d.users && d.busy <= 0 {
		d.turn(rib.Snapshot{})
	}
}

// turn turns to snap, of which nothing is known yet.
func (d *Deck) turn(snap rib.Snapshot) {
	d.snap, d.asked, d.busy, d.rules, d.news, d.read, d.piles, d.found, d.rivals = snap, 0, 0, nil, nil, nil, nil, nil, nil
}

// take takes up snap, unless that is at hand.
func (d *Deck) take(snap rib.Snapshot) {
	if d.snap == snap && d.rules != nil {
		return
	}
	d.turn(snap)
	d.rules = slices.Collect(snap.All())
	d.read, d.piles, d.found = newPile[*reading](d.rules), make(map[nativePart]*pile[*card]), make(map[nativePart]*remedies)
}

// all returns what brings the rules of snap to a planner that has none. It is not the caller's.
func (d *Deck) all(snap rib.Snapshot) []rib.Change {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.take(snap)
	if d.news == nil {
		d.news = make([]rib.Change, len(d.rules))
		for i, r := range d.rules {
			d.news[i] = rib.Change{Match: r.Match, New: r}
		}
	}
	return d.news
}

// of returns the piles of snap: of rules as read, and of cards for a platform, which is kept for others where part says whose it is, with what remedies came to.
func (d *Deck) of(snap rib.Snapshot, part nativePart) (*pile[*reading], *pile[*card], *remedies) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.take(snap)
	if part == (nativePart{}) {
		return d.read, newPile[*card](d.read.rules), nil
	}
	if d.piles[part] == nil {
		d.piles[part], d.found[part] = newPile[*card](d.read.rules), new(remedies)
	}
	d.asked++
	d.busy++
	return d.read, d.piles[part], d.found[part]
}

// deal returns the cards of the rules of snap for a platform, with the rules. Planners that ask at the same time make them together. The cards are not the caller's. Until the
// planner leaves, p knows what remedies came to for others.
func (d *Deck) deal(snap rib.Snapshot, p *platform, part nativePart) *pile[*card] {
	read, native, found := d.of(snap, part)
	p.remedies = found
	read.make(func() func(int) *reading {
		var d drafter
		var room rooms[reading]
		return func(i int) *reading {
			one := room.take()
			d.begin(read.rules[i])
			d.read(one, read.rules[i])
			return one
		}
	})
	native.make(func() func(int) *card {
		d := drafter{platform: p}
		return func(i int) *card {
			return d.carried(read.made[i])
		}
	})
	return native
}

// pile is something of each rule of a table, being made by everybody who wants it.
type pile[T any] struct {
	rules []*flowspec.Rule
	made  []T
	next  atomic.Int64  // to be made
	left  atomic.Int64  // not made yet
	done  chan struct{} // closed when all are made
}

// pieceOfPile is how much one goroutine makes at a time.
const pieceOfPile = 512

func newPile[T any](rules []*flowspec.Rule) *pile[T] {
	p := &pile[T]{rules: rules, made: make([]T, len(rules)), done: make(chan struct{})}
	p.left.Store(int64(len(rules)))
	if len(rules) == 0 {
		close(p.done)
	}
	return p
}

// make makes all, on all processors and together with others who do the same. maker returns what makes one, for one goroutine.
func (p *pile[T]) make(maker func() func(int) T) {
	work := func() {
		one := maker()
		for {
			hi := int(p.next.Add(pieceOfPile))
			lo := hi - pieceOfPile
			if hi = min(hi, len(p.made)); lo >= hi {
				return
			}
			for i := lo; i < hi; i++ {
				p.made[i] = one(i)
			}
			if p.left.Add(int64(lo-hi)) == 0 {
				close(p.done)
			}
		}
	}
	select {
	case <-p.done:
		return
	default:
	}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	<-p.done
}

// shared returns the cards of the rules that come with changes from the deck, or false where that would make more cards than are needed.
func (pl *Planner) shared(changes []rib.Change) ([]*card, bool) {
	if pl.deck == nil || len(changes) < pl.snap.Len()/2 {
		return nil, false
	}
	from := pl.deck.deal(pl.snap, pl.platform, pl.part)
	pl.deck.gate.enter(pl.platform.work(from.made))
	pl.inside = true
	var own []card // where the way by a filter is noted on the card
	if pl.platform.filter != nil && pl.part != (nativePart{}) {
		own = make([]card, len(changes))
	}
	out := make([]*card, len(changes))
	at := 0
	for i := range changes {
		r := changes[i].New
		if r == nil {
			continue
		}
		for at < len(from.rules) && from.rules[at] != r && flowspec.Compare(from.rules[at].Match, r.Match) < 0 {
			at++
		}
		if at == len(from.rules) || from.rules[at] != r {
			out[i] = pl.drafter.card(r)
			continue
		}
		out[i] = from.made[at]
		if own != nil {
			own[i] = *out[i]
			out[i] = &own[i]
		}
		at++
	}
	return out, true
}

// work returns a rough measure of how long a plan of cards takes beside looking at each alone.
func (p *platform) work(cards []*card) (n int) {
	for _, c := range cards {
		if !c.native.ok() || c.native.rewritten {
			n++
		}
	}
	if p.filter != nil {
		n *= 4 // whoever needs a filter takes others along
	}
	return n
}

// leave makes room for other planners, and forgets what nobody needs any more now that there is a plan of snap.
func (pl *Planner) leave(snap rib.Snapshot) {
	pl.platform.remedies = nil
	asked := pl.inside && pl.part != (nativePart{})
	if pl.inside {
		pl.deck.gate.leave()
		pl.inside = false
	}
	pl.deck.leave(snap, asked)
}
