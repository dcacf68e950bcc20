package reconcile

import (
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/plan"
)

// lookAfter is how long after a change what a device shows of its routes is counted: changes come in crowds. lookAgain is how long after that, while it does not show all of them.
const (
	lookAfter = 500 * time.Millisecond
	lookAgain = 5 * time.Second
)

// Shown counts the routes of a device by what the device itself shows of them.
type Shown struct {
	Held      int       `json:"held"`            // accepted, with the actions that they were given
	Otherwise int       `json:"otherwise"`       // not held, or with other actions
	Unshown   int       `json:"unshown"`         // of which it says nothing
	Since     time.Time `json:"since,omitzero"`  // when Otherwise last became more than none
	Words     string    `json:"words,omitempty"` // of the first route that is not held: why
}

// shownChanged returns what is written to when the device shows something else; nil: it never shows anything.
func (w *worker) shownChanged() <-chan struct{} {
	if s, ok := w.dev.Native.(device.Shower); ok && !w.shadows {
		return s.ShownChanged()
	}
	return nil
}

// shown is what the device shows of all routes of a verdict together: held where all are, else what it shows of the worst.
func (w *worker) shown(v *plan.Verdict) device.Shown {
	var out device.Shown
	s, ok := w.dev.Native.(device.Shower)
	if !ok {
		return out
	}
	first := true
	for _, e := range v.Entries {
		if e.Route == nil {
			continue
		}
		switch now := s.Shown(e.Route); {
		case first:
			out, first = now, false
		case now.State == device.ShownOtherwise && out.State != device.ShownOtherwise:
			out = now
		case now.State == device.Unshown && out.State == device.ShownHeld:
			out = now
		case now.State == out.State && now.Since.After(out.Since):
			out.Since = now.Since
		}
	}
	return out
}

// shownReceipt is the state of a rule that was sent, by what the device shows.
func shownReceipt(s device.Shown) ReceiptState {
	switch s.State {
	case device.ShownHeld:
		return RuleHeld
	case device.ShownOtherwise:
		return RuleDrifted
	}
	return RuleSent
}

// show writes down what the device shows of the rule.
func (r *Receipt) show(s device.Shown) {
	r.Shown = s.Words
	if s.State == device.Unshown {
		return
	}
	r.Since = s.Since
	if s.State == device.ShownOtherwise {
		r.Error = s.Words
	}
}

// look counts what the device shows of its routes, and says so where that became worse or better. It returns after how long to look again; 0: when something changes. Nothing is sent for it: what
// the router does not take a second time it has not taken by somebody's will, and a router that lost a rule by accident gets it with `sluice device sync`.
func (w *worker) look() time.Duration {
	s := w.dev.Native.(device.Shower)
	w.native.catchUp()
	var now Shown
	for _, r := range w.native.routes {
		switch said := s.Shown(r); said.State {
		case device.ShownHeld:
			now.Held++
		case device.ShownOtherwise:
			if now.Otherwise++; now.Otherwise == 1 {
				now.Words = fmt.Sprintf("%v: %s", r.Match, said.Words)
			}
		default:
			if now.Unshown++; now.Unshown == 1 && now.Otherwise == 0 {
				now.Words = said.Words
			}
		}
	}
	before := w.status.Load().Shown
	switch had := before != nil && before.Otherwise > 0; {
	case now.Otherwise > 0 && had:
		now.Since = before.Since
	case now.Otherwise > 0:
		now.Since = w.now()
		w.log.Error("drifted: the device shows that it does not hold what it was sent", "routes", now.Otherwise, "of", len(w.native.routes), "first", now.Words)
	case had:
		w.log.Info("the device shows nothing any more that it does not hold", "held", now.Held, "unshown", now.Unshown)
	}
	w.update(func(st *Status) { st.Shown = &now })
	if now.Held < len(w.native.routes) {
		return lookAgain
	}
	return 0
}
