package reconcile

import (
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/plan"
)

// State is how far a device is.
type State string

// The states of a device.
const (
	Pending     State = "pending"     // something is to be done, or is being done
	InSync      State = "in-sync"     // it was given, and where it can be read holds, all that the plan says
	Unreachable State = "unreachable" // it does not answer; tried again with growing delays
	Refusing    State = "refused"     // it refused the change; waits for another plan, or for sync
	Frozen      State = "frozen"      // by order; or somebody removed our filter or its attachment: waits for sync
	Shadow      State = "shadow"      // the gateway only looks: the notes say what it would do
	Waiting     State = "waiting"     // it has all that its group may have; something new is with the canaries, or was stopped there
	Behind      State = "proposed"    // it has what an earlier version gave it; this one would change that, and somebody has to want it
	Drifted     State = "drifted"     // it was given all, and shows that it does not hold some of its routes, or holds them with other actions
	NoPlan      State = "no-plan"     // the rules could not be planned; it keeps what it holds
)

// Status is what is known of one device.
type Status struct {
	Name     string         `json:"name"`
	Profile  string         `json:"profile"`
	State    State          `json:"state"`
	Since    time.Time      `json:"since"`
	Version  uint64         `json:"version"`           // of the Loc-RIB that the device was last brought to
	Error    string         `json:"error,omitempty"`   // in the device's own words where it has any
	Session  string         `json:"session,omitempty"` // of BGP
	Routes   int            `json:"routes"`            // native entries given
	Entries  int            `json:"entries"`           // filter entries held
	Shown    *Shown         `json:"shown,omitempty"`   // by the device itself, of its routes; nil: there is no channel for it
	Watched  *Watched       `json:"watched,omitempty"` // whether it says by itself that its filters changed; nil: nobody can hear it
	Attached []string       `json:"attached,omitempty"`
	Notes    []string       `json:"notes,omitempty"`
	Sends    []string       `json:"sends,omitempty"` // how its routes leave, beside what is planned
	Retry    time.Time      `json:"retry,omitzero"`
	Progress *Progress      `json:"progress,omitempty"` // of the call that is being made to it; nil: none is
	Freeze   *Hold          `json:"freeze,omitempty"`   // a person's order to change nothing; nil: none
	Overdue  []Named        `json:"overdue,omitempty"`  // rules that ended while it was frozen: it goes on doing what nobody asks for any more; a hundred at most
	Ended    int            `json:"overdue-rules"`      // how many there are
	Commit   time.Duration  `json:"commit-time"`        // how long the last filter change took, in nanoseconds
	Summary  map[string]int `json:"summary"`            // rules by the way they are carried; "left-out": of sources that the device does not take

	Group    string `json:"group,omitempty"`    // that it is in
	Canary   bool   `json:"canary,omitempty"`   // it gets what is new first
	Withheld int    `json:"withheld,omitempty"` // rules that wait for the canaries of its group
	WaitsFor string `json:"waits-for,omitempty"`
	Proposed int    `json:"proposed,omitempty"` // rules that this version would have it be given otherwise than the earlier one

	made uint64 // version of the plan that it was last brought to
}

// Established is what a Sessioner says while its session is up.
const Established = "established"

// Sessioner is an adapter that knows the state of the session behind it, in words.
type Sessioner interface{ Session() string }

// Sender is a native adapter that knows what its session was sent, with every community.
type Sender interface{ Sent() []device.Route }

// summarize counts verdicts by carrier.
func summarize(p *plan.Plan) map[string]int {
	sum := map[string]int{"rules": 0, string(plan.Native): 0, string(plan.Rewritten): 0, string(plan.InFilter): 0, string(plan.Rejected): 0, string(RuleLeftOut): 0}
	if p == nil {
		return sum
	}
	sum["rules"] = len(p.Verdicts)
	for _, v := range p.Verdicts {
		if v.LeftOut() {
			sum[string(RuleLeftOut)]++
			continue
		}
		sum[string(v.Carried)]++
	}
	return sum
}

func (w *worker) report(m *made, s State, err error) {
	w.update(func(st *Status) {
		if st.State != s {
			st.State, st.Since = s, w.now()
		}
		st.Error, st.Retry = "", time.Time{}
		if err != nil {
			st.Error = err.Error()
		}
		if s == InSync {
			st.Version, st.made = m.live, m.version
		}
		st.Routes, st.Entries, st.Attached, st.Notes = len(w.native.routes), w.filters.entries(), w.filters.attached(), w.filters.notes
		if w.native.note != "" {
			st.Notes = append(slices.Clip(st.Notes), w.native.note)
		}
		st.Commit = w.filters.took
		if s != Behind {
			st.Proposed = 0
		}
	})
	if w.rollout != nil {
		w.rollout.wakeUp()
	}
}

// halted says whether the roll-out to the group was stopped before the device was given what was released.
func (w *worker) halted() bool {
	return w.rollout != nil && !w.canary && w.rollout.halts(w.native.version)
}

// current returns a copy of the status; from any goroutine.
func (w *worker) current() Status {
	s := *w.status.Load()
	s.Progress = w.progress.Load()
	if m := w.plans.latest.Load(); m != nil {
		s.Summary = m.summary
		if (s.State == InSync || s.State == Shadow) && s.made != m.version {
			s.State = Pending // the worker is not through with it yet
		}
	}
	s.Watched = w.hearing.state.Load()
	if w.rollout != nil {
		w.rollout.onto(&s, w.canary)
	}
	if n, ok := w.dev.Native.(Sessioner); ok {
		s.Session = n.Session()
		if s.State == InSync && s.Session != Established {
			s.State, s.Error = Unreachable, "no BGP session: "+s.Session
			if strings.HasPrefix(s.Session, Established) { // and something about it is not as it should be
				s.Error = s.Session
			}
		}
	}
	if s.State == InSync && s.Shown != nil && s.Shown.Otherwise > 0 {
		s.State, s.Since, s.Error = Drifted, s.Shown.Since, s.Shown.Words
	}
	return s
}

func (w *worker) update(change func(*Status)) {
	next := *w.status.Load()
	change(&next)
	w.status.Store(&next)
}
