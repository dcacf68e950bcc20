// Package idle says of rules that have matched nothing for a while that they do, and ends them where their source's policy wants that.
//
// Whether a rule is idle is for [reconcile.Activity] to say: every device that carries it was read, again and again, for all of that time, and no counter moved. A rule of which one device
// says nothing is never idle. It is never ended either where its end would have packets treated worse: an exception that nobody needed today is what stands between its packets and the
// discard below it.
//
// What was ended is noted on disk with its reason before it goes. A source that says such a rule again has it again, and the time begins anew.
package idle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/store"
	"github.com/sluice-gateway/sluice/core/table"
)

// Then is what happens to a rule that is idle.
type Then string

// What may happen to idle rules.
const (
	Show   Then = "show"   // its state says so, and nothing else happens
	Warn   Then = "warn"   // it is logged as well, once until it matches something
	Expire Then = "expire" // it ends
)

// Policy is what a source says about its idle rules.
type Policy struct {
	After time.Duration // so long without a hit is idle
	Then  Then
}

// Counted knows whether rules match anything. *reconcile.Reconciler is one.
type Counted interface {
	Activities(after func(flowspec.Source) time.Duration) (rib.Snapshot, []reconcile.Activity)
}

// Records keeps what was ended. *store.Store is one.
type Records interface {
	SaveEnded(e store.Ended) (number uint64, err error)
	DropEnded(number uint64) error
}

// Config is what a Watch needs.
type Config struct {
	Rules   rib.Input
	Counted Counted
	Records Records
	Policy  func(flowspec.Source) Policy
	Every   time.Duration // how often to look; 0: never
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

// Watch looks for idle rules.
type Watch struct {
	cfg    Config
	warned map[flowspec.ID]bool // of the goroutine in Run

	mu    sync.Mutex // guards ended
	ended map[flowspec.Source]uint64
}

// New returns a Watch over the rules of cfg.
func New(cfg Config) *Watch {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Watch{cfg: cfg, warned: map[flowspec.ID]bool{}, ended: map[flowspec.Source]uint64{}}
}

// mostAtOnce is how many rules are ended in one look: each is compared with all others.
const mostAtOnce = 64

// Run looks until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	if w.cfg.Every <= 0 {
		<-ctx.Done()
		return nil
	}
	ticks := time.NewTicker(w.cfg.Every)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			w.Look(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// Ended returns how many idle rules were ended since the gateway began, by source.
func (w *Watch) Ended() map[flowspec.Source]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[flowspec.Source]uint64, len(w.ended))
	for s, n := range w.ended {
		out[s] = n
	}
	return out
}

// Look does once what there is to do. Run calls it, and so do tests; it is not for several goroutines.
func (w *Watch) Look(ctx context.Context) {
	snap, activities := w.cfg.Counted.Activities(func(s flowspec.Source) time.Duration { return w.cfg.Policy(s).After })
	rules := snap.Rules()
	standing := rules // without what this look ended
	idle, ended := map[flowspec.ID]bool{}, 0
	for i := range rules {
		p := w.cfg.Policy(rules[i].Source)
		if activities[i].State != reconcile.Idle || p.Then == Show {
			continue
		}
		why := "no device has counted a packet for it since " + activities[i].Since.Format(time.DateTime)
		if p.Then == Expire && ended < mostAtOnce {
			without, stays := less(standing, i-ended, rules[i])
			if stays == "" {
				stays = w.end(ctx, rules[i], fmt.Sprintf("%s, and idle rules of source %s end after %s", why, rules[i].Source, p.After))
			}
			if stays == "" {
				standing, ended = without, ended+1
				continue
			}
			why += "; it does not end: " + stays
		}
		idle[rules[i].ID] = true
		if ctx.Err() == nil && !w.warned[rules[i].ID] {
			w.cfg.Log.Warn("rule is idle", "rule", rules[i].ID, "source", rules[i].Source, "match", rules[i].Match.String(), "reason", why)
		}
	}
	w.warned = idle
}

// end notes that a rule is over, and ends it. It returns why it stays; "": it is gone.
func (w *Watch) end(ctx context.Context, r flowspec.Rule, why string) (stays string) {
	number, err := w.cfg.Records.SaveEnded(store.Ended{Rule: r, At: w.cfg.Now(), Reason: why})
	if err != nil {
		return "its end cannot be noted: " + err.Error()
	}
	done := make(chan error, 1)
	err = w.cfg.Rules.Send(ctx, rib.Event{Source: r.Source, Kind: rib.Expire, Announce: []flowspec.Rule{r}, Done: done})
	if err == nil {
		select {
		case err = <-done:
		case <-ctx.Done():
			return ctx.Err().Error() // and it may be gone: the note stays
		}
	}
	if errors.Is(err, rib.ErrStays) || errors.Is(err, rib.ErrStopped) {
		return errors.Join(err, w.cfg.Records.DropEnded(number)).Error()
	}
	if err != nil {
		w.cfg.Log.Error("an idle rule has ended, and that is not on disk yet", "rule", r.ID, "error", err)
	}
	w.mu.Lock()
	w.ended[r.Source]++
	w.mu.Unlock()
	w.cfg.Log.Warn("idle rule ended", "rule", r.ID, "source", r.Source, "match", r.Match.String(), "reason", why)
	return ""
}

// less returns rules without the one at a place, and why that would treat some packet worse; "": it would not.
func less(rules []flowspec.Rule, at int, r flowspec.Rule) (without []flowspec.Rule, worse string) {
	without = append(append(make([]flowspec.Rule, 0, len(rules)), rules[:at]...), rules[at+1:]...)
	if table.SeverityOf(r.Action) == table.Discards && !r.Action.Continue {
		return without, "" // nothing is worse
	}
	set := r.Match.Set()
	var others []flowspec.Rule
	for _, o := range without {
		if o.Match.Family() == r.Match.Family() && o.Match.RD() == r.Match.RD() && !o.Match.Set().And(set).Empty() {
			others = append(others, o)
		}
	}
	d := table.Severer(table.Of(append([]flowspec.Rule{r}, others...)), table.Of(others))
	switch {
	case d == nil:
		return without, ""
	case d.Unproven:
		return without, "it is not proven that no packet would be treated worse without it: " + d.Reason
	}
	return without, "without it some packet would be treated worse: " + d.String()
}
