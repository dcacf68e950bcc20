package reconcile

import (
	"cmp"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
)

// ReceiptState says how far a rule has come on one device.
type ReceiptState string

// The states of a receipt.
const (
	RulePending  ReceiptState = "pending"  // not yet given to the device
	RuleSent     ReceiptState = "sent"     // given to its BGP session; BGP does not say what a router made of it
	RuleHeld     ReceiptState = "held"     // read back from the device and proven; or given to its BGP session, and the device shows that it accepted all its routes
	RuleCounting ReceiptState = "counting" // held, or sent to a device that shows a counter of each of its routes, and packets were counted that it matches
	RuleRefused  ReceiptState = "refused"  // by the plan, because the platform cannot carry it, or by the device
	RuleLeftOut  ReceiptState = "left-out" // the device does not take rules of its source, by its configuration
	RuleFailed   ReceiptState = "failed"   // it could not be given to the device; tried again
	RuleDrifted  ReceiptState = "drifted"  // it was held, and somebody removed the filter; or it was sent, and the device shows it otherwise or not at all
	RuleFrozen   ReceiptState = "frozen"   // the device is given nothing, by order or because somebody removed our filter
	RuleExpiring ReceiptState = "expiring" // sent or held, and over within a minute
	RuleStale    ReceiptState = "stale"    // sent or held; its source is gone, or has not repeated it yet, and it goes at some time if that stays so
	RuleOverdue  ReceiptState = "overdue"  // it has ended, and the device, which is frozen by order, still does it
)

// Staler is a Rules that knows which rules are kept although their source is gone. *rib.RIB is one.
type Staler interface {
	Stale(id flowspec.ID) (until time.Time, stale bool)
}

// expiringWithin is how near the end of an expiring rule is.
const expiringWithin = time.Minute

// Receipt is how far one rule has come on one device.
type Receipt struct {
	Device string       `json:"device"`
	State  ReceiptState `json:"state"`
	// Since is when it came to that; zero: before the history of the device begins.
	Since    time.Time        `json:"since,omitzero"`
	Count    *Count           `json:"count,omitempty"`    // of a device that counts the rule: what it has matched there
	Standing ReceiptState     `json:"standing,omitempty"` // of an expiring or stale rule: sent or held
	Shown    string           `json:"shown,omitempty"`    // of a rule sent by BGP to a device that may show what it holds: what it says of the rule, or why it says nothing
	Until    time.Time        `json:"until,omitzero"`     // of an expiring or stale rule: when it goes
	Error    string           `json:"error,omitempty"`    // in the router's own words where it has any
	Attempts []device.Attempt `json:"attempts,omitempty"` // that name the rule, oldest first
	Progress *Progress        `json:"progress,omitempty"` // of a rule that is pending: where the call is that is being made to the device; nil: none is
}

// Receipts says how far a rule in force has come on each device, in the order of the configuration.
func (r *Reconciler) Receipts(rule flowspec.Rule) []Receipt {
	out := make([]Receipt, 0, len(r.workers))
	for _, w := range r.workers {
		out = append(out, w.receipt(rule))
	}
	return out
}

// Tally counts the rules of a device's plan by how far they have come there. The error is ErrNoDevice.
func (r *Reconciler) Tally(name string) (map[ReceiptState]int, error) {
	workers, err := r.named(name)
	if err != nil || name == "" {
		return nil, ErrNoDevice
	}
	w := workers[0]
	m, s := w.plans.latest.Load(), w.current()
	out := map[ReceiptState]int{}
	if m == nil || m.plan == nil {
		return out, nil
	}
	for i, r := range m.rules() {
		state, _, _ := w.judge(s, r, m.plan.Verdicts[i])
		out[state]++
	}
	if s.Withheld > 0 {
		out[RulePending] += s.Withheld
	}
	if s.Ended > 0 {
		out[RuleOverdue] = s.Ended
	}
	return out, nil
}

// Given counts the rules that a device has, apart by what is known of that: those that its session was sent, and those that were read back from it. It counts those that are
// about to go or overdue as well. The error is ErrNoDevice.
func (r *Reconciler) Given(name string) (sent, held int, err error) {
	workers, err := r.named(name)
	if err != nil || name == "" {
		return 0, 0, ErrNoDevice
	}
	w := workers[0]
	m, s := w.plans.latest.Load(), w.current()
	if m == nil || m.plan == nil {
		return 0, 0, nil
	}
	for i, r := range m.rules() {
		switch state, standing, _ := w.judge(s, r, m.plan.Verdicts[i]); cmp.Or(standing, state) {
		case RuleSent:
			sent++
		case RuleHeld:
			held++
		}
	}
	return sent, held, nil
}

// Overdue returns a rule that has ended and is still on devices that are frozen by order, with a receipt for each of these; false: no device has one with that ID.
func (r *Reconciler) Overdue(id flowspec.ID) (rule flowspec.Rule, receipts []Receipt, found bool) {
	for _, w := range r.workers {
		ended := w.ended.Load()
		if ended == nil {
			continue
		}
		at := slices.IndexFunc(*ended, func(r flowspec.Rule) bool { return r.ID == id })
		if at < 0 {
			continue
		}
		rule, found = (*ended)[at], true
		receipts = append(receipts, Receipt{Device: w.dev.Name, State: RuleOverdue, Attempts: w.ledger.naming(id), Until: w.thaws()})
	}
	return rule, receipts, found
}

// thaws returns when the freeze of a device ends by itself, if it does.
func (w *worker) thaws() time.Time {
	if f := w.status.Load().Freeze; f != nil {
		return f.Until
	}
	return time.Time{}
}

// judge returns the state of a rule that v is the verdict of; of one that is about to go or counting also whether it was sent or held, and of the former when it goes.
func (w *worker) judge(s Status, r flowspec.Rule, v *plan.Verdict) (state, given ReceiptState, until time.Time) {
	if v.LeftOut() {
		return RuleLeftOut, "", time.Time{}
	}
	if v.Carried == plan.Rejected && !(s.State == Behind && w.ledger.has(r, plan.Native)) {
		return RuleRefused, "", time.Time{}
	}
	if !w.ledger.has(r, v.Carried) {
		return waiting(s), "", time.Time{}
	}
	if state = standing(s, v); state == RuleSent {
		state = shownReceipt(w.shown(v))
	}
	if state != RuleSent && state != RuleHeld {
		return state, "", time.Time{}
	}
	if !r.Expires.IsZero() && r.Expires.Sub(w.now()) < expiringWithin {
		return RuleExpiring, state, r.Expires
	}
	if w.stale != nil {
		if until, stale := w.stale.Stale(r.ID); stale {
			return RuleStale, state, until
		}
	}
	if n, counted := w.counts.of(r.ID); counted && n.Hit() {
		return RuleCounting, state, time.Time{}
	}
	return state, "", time.Time{}
}

func (w *worker) receipt(r flowspec.Rule) Receipt {
	s := w.current()
	out := Receipt{Device: w.dev.Name, State: RulePending, Since: s.Since, Attempts: w.ledger.naming(r.ID)}
	m := w.plans.latest.Load()
	if m == nil {
		return out
	}
	v := m.verdict(r)
	if v == nil {
		out.Error = s.Error
		if s.WaitsFor != "" {
			out.Error = s.WaitsFor
		}
		if s.State == NoPlan {
			out.State = RuleFailed
		}
		return out
	}
	out.State, out.Standing, out.Until = w.judge(s, r, v)
	if out.State == RuleCounting {
		out.Standing = ""
	}
	if out.State == RulePending && s.State == Behind {
		out.Error = "waits for somebody to adopt the plans of this version: sluice device adopt " + w.dev.Name
		return out
	}
	switch out.State {
	case RuleSent, RuleHeld, RuleCounting, RuleExpiring, RuleStale:
		out.Since = w.ledger.deliveredAt(r.ID)
	default:
		out.Error = s.Error
	}
	if out.State == RulePending && v.Carried == plan.InFilter {
		out.Progress = s.Progress
	}
	if v.Carried != plan.InFilter && v.Carried != plan.Rejected && w.ledger.has(r, v.Carried) {
		out.show(w.shown(v))
	}
	if n, counted := w.counts.of(r.ID); counted && v.Carried != plan.Rejected {
		out.Count = &n
	}
	if v.Carried == plan.Rejected {
		out.Error, out.Attempts = "", nil // it was not in what was tried
		if len(v.Reasons) > 0 {
			out.Error = v.Reasons[0].Message
		}
	}
	return out
}

// verdict returns what the plan says of a rule; nil where it was made without the rule.
func (m *made) verdict(r flowspec.Rule) *plan.Verdict {
	if m.plan == nil {
		return nil
	}
	rules := m.rules()
	at, found := slices.BinarySearchFunc(rules, r.Match, func(a flowspec.Rule, b flowspec.Match) int { return flowspec.Compare(a.Match, b) })
	if !found || rules[at].ID != r.ID || !rules[at].Action.Equal(r.Action) {
		return nil
	}
	return m.plan.Verdicts[at]
}

// has says whether the device was given r as it is now.
func (l *ledger) has(r flowspec.Rule, by plan.Carried) bool {
	l.mu.Lock()
	given := l.routes
	if by == plan.InFilter {
		given = l.filters
	}
	l.mu.Unlock()
	old, found := given.Find(r.Match)
	return found && old.ID == r.ID && old.Action.Equal(r.Action)
}

// standing is the state of a rule that the device was given.
func standing(s Status, v *plan.Verdict) ReceiptState {
	switch {
	case v.Carried == plan.InFilter && s.State == Frozen && s.Freeze == nil:
		return RuleDrifted
	case v.Carried == plan.InFilter:
		return RuleHeld
	case s.Session != "" && s.Session != Established:
		return RuleFailed
	}
	return RuleSent
}

// waiting is the state of a rule that the device was not given.
func waiting(s Status) ReceiptState {
	switch s.State {
	case Frozen:
		return RuleFrozen
	case Refusing:
		return RuleRefused
	case Unreachable, NoPlan:
		return RuleFailed
	}
	return RulePending
}

func (l *ledger) naming(id flowspec.ID) []device.Attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []device.Attempt
	for _, a := range l.attempts {
		if slices.Contains(a.Rules, id) {
			out = append(out, a)
		}
	}
	return out
}

// deliveredAt returns when the device was last given a rule by name; zero where the history does not say.
func (l *ledger) deliveredAt(id flowspec.ID) time.Time {
	for _, a := range slices.Backward(l.naming(id)) {
		if a.Outcome == device.Delivered {
			return a.At
		}
	}
	return time.Time{}
}
