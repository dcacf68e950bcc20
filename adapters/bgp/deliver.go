package bgp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/bmp"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// patience is how long Apply waits for a peer that does not read, where the target names no time.
const patience = 5 * time.Second

// Device is one router that is given rules by BGP: its Adj-RIB-Out, and a device.Adapter for it. It knows its own target;
// of the one that calls carry only Timeout counts.
type Device struct {
	name     string
	families []flowspec.Family
	settled  <-chan struct{}     // nil: they are; see Config.Settled
	complete atomic.Bool         // it was told End-of-RIB since the start
	expected session.Negotiated  // what a session will agree on, as far as the configuration tells
	alone    bool                // no two NLRIs in one UPDATE
	form     flowspec.OffsetForm // of IPv6 prefixes with an offset
	log      *slog.Logger
	state    func() session.Status
	hint     func()        // to the session, see session.Peer.Hint
	monitor  *bmp.Router   // what the router shows of what it holds; nil: nothing
	wake     chan struct{} // capacity 1: many wake-ups are one
	writer   sync.WaitGroup

	marksOf func(device.Policy) []uint32 // communities of ours on every path

	mu      sync.Mutex // guards what follows
	policy  device.Policy
	marks   []uint32       // under policy
	next    *device.Policy // from the next Apply on; nil: policy stays
	session *session.Session
	routes  map[routeKey]*owed
	known   map[string]*attributes // by key
	key     []byte                 // scratch of newWant
	queue   []*owed                // what may differ from what was sent
	asked   []flowspec.Family      // that the peer wants everything of again
	waiting []chan error           // of Apply calls whose routes are in the queue
	started bool                   // Apply was called: the gateway knows what the peer is to have
	marked  bool                   // End-of-RIB was sent in this session
	room    int                    // how many routes the peer holds at one time; 0: any number
	out     OutStatus
}

// OutStatus counts what a device was sent.
type OutStatus struct {
	Owed      int    // routes that it is to have
	Sent      int    // of them, those that this session was given
	Announced uint64 // NLRIs announced since the start
	Withdrawn uint64 // NLRIs withdrawn since the start
	Octets    uint64 // of UPDATE messages
}

func newDevice(pc PeerConfig, cfg Config, log *slog.Logger) *Device {
	d := &Device{name: pc.Name, families: pc.Families, policy: pc.Policy, alone: pc.Alone, form: pc.OffsetsOut, monitor: pc.Monitor, settled: cfg.Settled, hint: func() {}, log: log, wake: make(chan struct{}, 1), routes: map[routeKey]*owed{}, known: map[string]*attributes{}}
	d.expected = session.Negotiated{LocalAS: cmp.Or(pc.LocalAS, cfg.LocalAS), Open: session.Open{AS: pc.RemoteAS, FourOctet: true}}
	d.marksOf = ownMarks(pc)
	d.marks = d.marksOf(d.policy)
	return d
}

// Info implements device.Adapter.
func (d *Device) Info(context.Context) (device.Info, error) {
	return device.Info{Name: "bgp", Version: "1"}, nil
}

// Session says in words how the session is: "established", or what it waits for. A session without a family that routes are owed in is not simply
// established: Apply may have recorded them before it came up, and they cannot go.
func (d *Device) Session() string {
	st := d.state()
	if st.State != session.Established {
		return st.Words()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.families {
		if d.session == nil || d.session.Has(familyOut(f)) {
			continue
		}
		n := 0
		for k, o := range d.routes {
			if k.family == f && o.want != nil {
				n++
			}
		}
		if n > 0 {
			return fmt.Sprintf("established without %v FlowSpec: the neighbour did not offer it, and routes wait for it (%d)", f, n)
		}
	}
	return st.Words()
}

// Sessions returns how many sessions there have been: one that ended and is back was not there all the time.
func (d *Device) Sessions() uint64 { return d.state().Established }

// Status returns a copy of the counters.
func (d *Device) Status() OutStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	st := d.out
	for _, o := range d.routes {
		if o.want != nil {
			st.Owed++
		}
		if o.sent != nil {
			st.Sent++
		}
	}
	return st
}

// Read returns the Adj-RIB-Out: the routes that this session was sent. BGP has no way to ask what the peer holds. With names only the routes whose
// NLRI in hexadecimal is among them. While the session is down it is a *device.Transient.
func (d *Device) Read(_ context.Context, _ device.Target, names ...string) (device.State, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session == nil {
		return device.State{}, &device.Transient{Err: fmt.Errorf("read %s: no BGP session (%s)", d.name, d.state().Words())}
	}
	var st device.State
	for _, o := range d.routes {
		if o.sent != nil && (len(names) == 0 || slices.Contains(names, fmt.Sprintf("%x", o.key.nlri))) {
			st.Routes = append(st.Routes, o.sent.route)
		}
	}
	slices.SortFunc(st.Routes, func(a, b *device.Route) int { return flowspec.Compare(a.Match, b.Match) })
	return st, nil
}

// Sent returns the Adj-RIB-Out as it left: the routes that this session was sent, in order of flowspec.Compare, each with every community that its UPDATE carried. While the session is down
// there is none.
func (d *Device) Sent() []device.Route {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []device.Route
	for _, o := range d.routes {
		if o.sent != nil {
			r := *o.sent.route
			r.Communities = o.sent.attrs.path.Communities
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b device.Route) int { return flowspec.Compare(a.Match, b.Match) })
	return out
}

// Render returns the UPDATE messages that Apply would send now, one after the other; while the session is down, those
// of a session that has everything on offer.
func (d *Device) Render(_ context.Context, _ device.Target, c device.Change) ([]byte, error) {
	d.mu.Lock()
	agreed := d.expected
	if d.session != nil {
		agreed = d.session.Negotiated
	}
	var items []item
	for _, st := range c.Steps {
		if st.Route == nil {
			continue
		}
		r, err := d.policy.Of(st.Route)
		switch {
		case err != nil && st.Op == device.Remove:
			continue // it never left
		case err != nil:
			d.mu.Unlock()
			return nil, err
		}
		o := d.routes[keyOf(r.Match)]
		if o == nil {
			o = &owed{key: keyOf(r.Match)}
		}
		it := item{owed: o, sent: o.sent}
		if st.Op != device.Remove {
			it.want = d.newWant(r)
		}
		if it.differs() {
			items = append(items, it)
		}
	}
	items, _ = arranged(items, d.held(), c.Room)
	d.mu.Unlock()
	return encode(nil, items, format{agreed, d.alone, d.form})
}

// differs says whether there is anything to write.
func (it item) differs() bool {
	if it.want == nil || it.sent == nil {
		return it.want != it.sent
	}
	return it.want.attrs.key != it.sent.attrs.key
}

// Apply records the routes that the peer is owed, and returns once the octets are written to its connection: they were sent, which is not to say
// that the router holds them. While there is no session it returns at once, and the routes are delivered when it comes up; Session says
// what it waits for. undo is not used: BGP has no undo timer, so the commit is confirmed.
//
// The order of writing is that of a script ([device.Arrange]) from what the peer was sent to what it is owed when the writer comes to it, whatever the order
// of the steps; the same when a session comes up, and when everything goes. The room of the last change holds for all of it.
//
// A route that cannot go, for its family or its size, is a *device.Refused after all others went. A peer that does not read is
// a *device.Transient; what it is owed stays owed.
func (d *Device) Apply(ctx context.Context, t device.Target, c device.Change, _ time.Duration) (device.Commit, error) {
	done := device.Commit{Confirmed: true}
	written, refused, err := d.record(c)
	if err != nil {
		return device.Commit{}, err
	}
	if written != nil {
		wait := time.NewTimer(cmp.Or(t.Timeout, patience))
		defer wait.Stop()
		select {
		case err := <-written:
			if err != nil {
				return device.Commit{}, &device.Refused{Words: err.Error()}
			}
		case <-wait.C:
			return device.Commit{}, &device.Transient{Err: fmt.Errorf("%s does not read what it is sent", d.name)}
		case <-ctx.Done():
			return device.Commit{}, ctx.Err()
		}
	}
	if refused != nil {
		return device.Commit{}, &device.Refused{Words: refused.Error()}
	}
	return done, nil
}

// Confirm implements device.Adapter. Nothing is ever pending.
func (d *Device) Confirm(context.Context, device.Target, device.Commit) error { return nil }

// Cancel implements device.Adapter. Nothing is ever pending: to take routes back, apply a change that removes them.
func (d *Device) Cancel(context.Context, device.Target, device.Commit) error { return nil }

// record puts the steps of c into the Adj-RIB-Out. written is nil when there is no session to wait for. refused names routes that cannot be sent.
func (d *Device) record(c device.Change) (written <-chan error, refused, err error) {
	for i, st := range c.Steps {
		switch {
		case st.Filter != nil || st.Route == nil:
			return nil, nil, fmt.Errorf("apply to %s: BGP carries routes, not filters", d.name)
		case !st.Route.Match.Valid():
			return nil, nil, fmt.Errorf("apply to %s: step %d has a route without a match", d.name, i)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room = c.Room
	if d.next != nil {
		d.turnTo(*d.next)
	}
	var reasons []error
	for _, st := range c.Steps {
		r, err := d.policy.Of(st.Route)
		if err != nil { // nothing leaves, so nothing was sent either
			if st.Op != device.Remove {
				reasons = append(reasons, err)
			}
			continue
		}
		var w *want // nothing, where it is removed
		if st.Op != device.Remove {
			w = d.newWant(r)
			if err := d.sendable(w); err != nil {
				reasons = append(reasons, err)
				w = nil // and what stood under this NLRI before is not wanted any more
			}
		}
		d.owe(keyOf(r.Match), w)
	}
	first := !d.started
	d.started = true
	if d.session == nil && slices.ContainsFunc(c.Steps, func(st device.Step) bool { return st.Op != device.Add }) {
		d.hint() // it may have been over what is gone now that the session ended
	}
	if d.session != nil && (len(d.queue) > 0 || first) {
		ch := make(chan error, 1)
		d.waiting = append(d.waiting, ch)
		d.kick()
		written = ch
	}
	return written, errors.Join(reasons...), nil
}

// held returns how many routes the peer was sent. The caller holds mu.
func (d *Device) held() (n int) {
	for _, o := range d.routes {
		if o.sent != nil {
			n++
		}
	}
	return n
}

// owe notes what the peer is to have under a key. The caller holds mu.
func (d *Device) owe(k routeKey, w *want) {
	o := d.routes[k]
	if o == nil {
		if w == nil {
			return
		}
		o = &owed{key: k}
		d.routes[k] = o
	}
	o.want = w
	d.enqueue(o)
}

func (d *Device) enqueue(o *owed) {
	if !o.queued {
		o.queued = true
		d.queue = append(d.queue, o)
	}
}

func (d *Device) kick() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// sendable says why a route cannot go to this peer. The caller holds mu.
func (d *Device) sendable(w *want) error {
	m := w.route.Match
	if !slices.Contains(d.families, m.Family()) {
		return fmt.Errorf("%v FlowSpec is not configured for this neighbour: %v", m.Family(), m)
	}
	if d.session != nil && !d.session.Has(familyOut(m.Family())) {
		return fmt.Errorf("the neighbour did not offer %v FlowSpec: %v", m.Family(), m)
	}
	if m.Family().VPN() && len(w.attrs.nextHop) > 0 {
		return fmt.Errorf("a redirect of the form 0x0800 has its target in the next hop, and how that is written in the VPN families is not defined: %v", m)
	}
	nlri, err := m.NLRIAs(d.form)
	if err != nil {
		return fmt.Errorf("%w: %v", err, m)
	}
	if len(nlri)+len(w.attrs.key) < session.MaxMessage/2 {
		return nil
	}
	// Measured in the longest form, eBGP with AS_PATH and AS4_PATH, so that the answer does not depend on the session.
	agreed := session.Negotiated{LocalAS: 1<<32 - 1, Extended: d.session != nil && d.session.Extended}
	if _, err := appendReach(nil, familyOut(m.Family()), w, [][]byte{nlri}, agreed); err != nil {
		return fmt.Errorf("%w of %d octets: NLRI of %d octets", err, agreed.MaxMessage(), len(nlri))
	}
	return nil
}
