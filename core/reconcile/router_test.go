package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// router is a device with a store of filters, commits that undo themselves, and faults on demand. It implements device.Adapter.
type router struct {
	mu       sync.Mutex
	now      func() time.Time
	running  []filter.Filter
	before   []filter.Filter // what an unconfirmed commit replaced
	token    string          // of that commit; "": none
	deadline time.Time
	commits  int
	late     time.Duration // how much later than it should it undoes them
	tooLate  int           // confirmations that came when the time was over, and the commit not undone yet
	unsaid   bool          // and its adapter does not say so

	unreachable bool   // every call is a *device.Transient
	refuse      string // Apply is refused with these words
	says        error  // Apply says this, and changes nothing
	lose        bool   // Apply says yes and changes nothing
	crashAfter  bool   // Apply changes, and then the caller dies: it gets an error that no retry of the test may see
	confirmed   bool   // Confirm and Cancel are refused: there is nothing to confirm any more
	slow        func() // called by Apply before it changes anything
	slowRead    func() // called by Read before it looks
	misplaced   string // where sluice-v4 stands otherwise than it should, and how
	detached    bool   // sluice-v4 stands nowhere
	unplaced    bool   // where it stands cannot be read
}

var errCrash = errors.New("the gateway was killed")

// expire undoes a commit whose time is over. Callers hold mu.
func (r *router) expire() {
	if r.token != "" && !r.now().Before(r.deadline.Add(r.late)) {
		r.running, r.token = r.before, ""
	}
}

func (r *router) enter() error {
	r.expire()
	if r.unreachable {
		return &device.Transient{Err: errors.New("no route to host"), Unchanged: true}
	}
	return nil
}

func (r *router) Info(context.Context) (device.Info, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := device.Info{Name: "router"}
	if !r.unsaid {
		i.Late = &r.late
	}
	return i, nil
}

func (r *router) Read(context.Context, device.Target, ...string) (device.State, error) {
	r.mu.Lock()
	slow := r.slowRead
	r.mu.Unlock()
	if slow != nil {
		slow()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.enter(); err != nil {
		return device.State{}, err
	}
	state := device.State{Filters: slices.Clone(r.running), Attached: map[string][]string{"sluice-v4": {"ge-0/0/0.0"}}}
	if r.misplaced != "" {
		state.Attached, state.Misplaced = nil, map[string][]string{"sluice-v4": {r.misplaced}}
	}
	if r.detached {
		state.Attached = nil
	}
	if r.unplaced {
		state.Attached = device.SomewhereAll(state.Filters)
	}
	return state, nil
}

func (r *router) Render(context.Context, device.Target, device.Change) ([]byte, error) {
	return nil, nil
}

func (r *router) Apply(_ context.Context, _ device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	r.mu.Lock()
	slow := r.slow
	r.mu.Unlock()
	if slow != nil {
		slow()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.enter(); err != nil {
		return device.Commit{}, err
	}
	if r.says != nil {
		return device.Commit{}, r.says
	}
	if r.refuse != "" {
		return device.Commit{}, &device.Refused{Words: r.refuse}
	}
	next := slices.Clone(r.running)
	for _, s := range c.Steps {
		next = slices.DeleteFunc(next, func(f filter.Filter) bool { return f.Name == s.Filter.Name })
		if s.Op != device.Remove {
			next = append(next, *s.Filter)
		}
	}
	r.commits++
	r.before, r.token, r.deadline = r.running, fmt.Sprint("commit-", r.commits), r.now().Add(undo)
	if !r.lose {
		r.running = next
	}
	c2 := device.Commit{Token: r.token, Deadline: r.deadline}
	if r.crashAfter {
		return c2, errCrash
	}
	return c2, nil
}

func (r *router) Confirm(_ context.Context, _ device.Target, c device.Commit) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.enter(); err != nil {
		return err
	}
	if c.Token != r.token || r.confirmed {
		return &device.Refused{Words: "no such commit"}
	}
	if !r.now().Before(r.deadline) {
		r.tooLate++
		return nil // it says so, and undoes the commit
	}
	r.token = ""
	return nil
}

func (r *router) Cancel(_ context.Context, _ device.Target, c device.Commit) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.enter(); err != nil {
		return err
	}
	if c.Token == r.token && c.Token != "" {
		r.running, r.token = r.before, ""
	}
	return nil
}

// change does something to the router by another hand.
func (r *router) change(f func(*router)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r)
}

// committed returns how many commits there were.
func (r *router) committed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.commits
}

// waits returns the commit that waits for its confirmation, or "".
func (r *router) waits() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	return r.token
}

// entries returns the names of all entries that run and are confirmed or pending.
func (r *router) entries() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	var out []string
	for _, f := range r.running {
		for _, e := range f.Entries {
			out = append(out, e.Name)
		}
	}
	return out
}

// plainDialect writes filters as the JSON that they are.
type plainDialect struct{}

func (plainDialect) Name() string { return "plain" }

func (plainDialect) Semantics() filter.Semantics { return filter.Semantics{TailDiscards: true} }

func (plainDialect) Render(f filter.Filter) (filter.Rendered, error) {
	b, err := json.Marshal([]filter.Filter{f})
	return filter.Rendered{Payload: b}, err
}

func (plainDialect) Parse(b []byte) ([]filter.Filter, error) {
	var f []filter.Filter
	err := json.Unmarshal(b, &f)
	return f, err
}

// forgetful is a dialect that loses the last entry of a filter on the way.
type forgetful struct{ plainDialect }

func (forgetful) Render(f filter.Filter) (filter.Rendered, error) {
	if n := len(f.Entries); n > 0 {
		f.Entries = f.Entries[:n-1]
	}
	return plainDialect{}.Render(f)
}

// memory is a Tokens without a disk; it outlives the reconcilers of a test.
type memory struct {
	mu      sync.Mutex
	commits map[string]device.Commit
	held    map[string][]string
	freezes map[string]device.Freeze
	kept    map[string]device.Kept
	history map[string][]device.Attempt

	rollouts map[string]device.Rollout
	released map[string]map[flowspec.ID]flowspec.Rule
	begun    map[string]device.Begun
	forms    map[string]map[flowspec.ID]device.Form
	adopted  map[string]string
	policies map[string]device.Policy
	series   map[string]map[flowspec.ID]device.Series
	readings map[string]device.Readings
}

func newMemory() *memory {
	return &memory{commits: map[string]device.Commit{}, held: map[string][]string{}, freezes: map[string]device.Freeze{}, kept: map[string]device.Kept{}, history: map[string][]device.Attempt{},
		rollouts: map[string]device.Rollout{}, begun: map[string]device.Begun{}, released: map[string]map[flowspec.ID]flowspec.Rule{},
		forms: map[string]map[flowspec.ID]device.Form{}, adopted: map[string]string{}, policies: map[string]device.Policy{},
		series: map[string]map[flowspec.ID]device.Series{}, readings: map[string]device.Readings{}}
}

func (m *memory) SaveCommit(name string, c device.Commit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commits[name] = c
	return nil
}

func (m *memory) Commit(name string) (device.Commit, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, found := m.commits[name]
	return c, found, nil
}

func (m *memory) ClearCommit(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.commits, name)
	return nil
}

func (m *memory) SaveHeld(name string, filters []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held[name] = filters
	return nil
}

func (m *memory) Held(name string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held[name], nil
}

func (m *memory) SaveFreeze(name string, f device.Freeze) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.freezes[name] = f
	return nil
}

func (m *memory) Freezes() (map[string]device.Freeze, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.freezes), nil
}

func (m *memory) ClearFreeze(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.freezes, name)
	return nil
}

func (m *memory) SaveKept(name string, k device.Kept) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[name] = k
	return nil
}

func (m *memory) Kept(name string) (device.Kept, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, found := m.kept[name]
	return k, found, nil
}

func (m *memory) ClearKept(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, name)
	return nil
}

func (m *memory) SaveHistory(name string, list []device.Attempt) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.history[name] = list
	return nil
}

func (m *memory) History(name string) ([]device.Attempt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.history[name], nil
}

func (m *memory) SaveRollout(group string, r device.Rollout) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rollouts[group] = r
	return nil
}

func (m *memory) Rollout(group string) (device.Rollout, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, found := m.rollouts[group]
	return r, found, nil
}

func (m *memory) SaveReleased(group string, puts []flowspec.Rule, deletes []flowspec.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.released[group] == nil {
		m.released[group] = map[flowspec.ID]flowspec.Rule{}
	}
	for _, id := range deletes {
		delete(m.released[group], id)
	}
	for _, r := range puts {
		m.released[group][r.ID] = r
	}
	return nil
}

func (m *memory) Released(group string) ([]flowspec.Rule, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.released[group])), nil
}

func (m *memory) SaveBegun(name string, b device.Begun) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begun[name] = b
	return nil
}

func (m *memory) Begun(name string) (device.Begun, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, found := m.begun[name]
	return b, found, nil
}

func (m *memory) ClearBegun(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.begun, name)
	return nil
}

func (m *memory) KeepRollouts(groups, canaries []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.begun, func(name string, _ device.Begun) bool { return !slices.Contains(canaries, name) })
	maps.DeleteFunc(m.rollouts, func(name string, _ device.Rollout) bool { return !slices.Contains(groups, name) })
	maps.DeleteFunc(m.released, func(name string, _ map[flowspec.ID]flowspec.Rule) bool { return !slices.Contains(groups, name) })
	return nil
}

func (m *memory) SaveForms(of string, puts map[flowspec.ID]device.Form, deletes []flowspec.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.forms[of] == nil {
		m.forms[of] = map[flowspec.ID]device.Form{}
	}
	for _, id := range deletes {
		delete(m.forms[of], id)
	}
	maps.Copy(m.forms[of], puts)
	return nil
}

func (m *memory) Forms(of string) (map[flowspec.ID]device.Form, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.forms[of]), nil
}

func (m *memory) SaveAdopted(name, of string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.adopted[name] = of
	return nil
}

func (m *memory) Adopted(name string) (string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of, found := m.adopted[name]
	return of, found, nil
}

func (m *memory) SavePolicy(name string, p device.Policy) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.policies[name] = p
	return nil
}

func (m *memory) Policy(name string) (device.Policy, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, found := m.policies[name]
	return p, found, nil
}

func (m *memory) KeepForms(of, devices []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.forms, func(name string, _ map[flowspec.ID]device.Form) bool { return !slices.Contains(of, name) })
	maps.DeleteFunc(m.adopted, func(name, _ string) bool { return !slices.Contains(devices, name) })
	return nil
}

func (m *memory) SaveSeries(name string, of device.Readings, puts map[flowspec.ID]device.Series, deletes []flowspec.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.series[name] == nil {
		m.series[name] = map[flowspec.ID]device.Series{}
	}
	maps.Copy(m.series[name], puts)
	for _, id := range deletes {
		delete(m.series[name], id)
	}
	m.readings[name] = of
	return nil
}

func (m *memory) Series(name string) (device.Readings, map[flowspec.ID]device.Series, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.readings[name], maps.Clone(m.series[name]), nil
}

func (m *memory) KeepSeries(devices []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.series, func(name string, _ map[flowspec.ID]device.Series) bool { return !slices.Contains(devices, name) })
	maps.DeleteFunc(m.readings, func(name string, _ device.Readings) bool { return !slices.Contains(devices, name) })
	return nil
}

// rules is a Loc-RIB that a test sets; with a RIB behind it, one that knows what changed.
type rules struct {
	live  *rib.RIB
	mu    sync.Mutex
	snap  rib.Snapshot
	wakes []chan struct{}
}

// goLive puts a RIB behind r, which runs until the test ends.
func (r *rules) goLive(t *testing.T) {
	t.Helper()
	live, err := rib.New(rib.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- live.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	r.live = live
}

// become makes the rules of the RIB those of s.
func (r *rules) become(s rib.Snapshot) {
	done := make(chan error, 1)
	e := rib.Event{Source: "test", Kind: rib.Update, Announce: s.Rules(), Done: done}
	for old := range r.live.Snapshot().All() {
		if _, found := s.Find(old.Match); !found {
			e.Withdraw = append(e.Withdraw, old.Match)
		}
	}
	if err := errors.Join(r.live.Send(context.Background(), e), <-done); err != nil {
		panic(err)
	}
}

func (r *rules) Snapshot() rib.Snapshot {
	if r.live != nil {
		return r.live.Snapshot()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.snap
}

func (r *rules) Watch() (<-chan struct{}, func()) {
	if r.live != nil {
		return r.live.Watch()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(chan struct{}, 1)
	r.wakes = append(r.wakes, c)
	return c, func() {}
}

func (r *rules) set(s rib.Snapshot) {
	if r.live != nil {
		r.become(s)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Version = r.snap.Version + 1
	r.snap = s
	for _, c := range r.wakes {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// peer is a BGP session that writes down what it is told.
type peer struct {
	mu   sync.Mutex
	log  []string
	told int // calls of Apply
	held map[string]device.Route
	fail error // what Apply says after it took all steps
}

// told is how a peer names a route.
func told(m flowspec.Match) string {
	if !m.Family().VPN() {
		return m.String()
	}
	return fmt.Sprintf("%x %v", m.RD(), m)
}

func newPeer() *peer { return &peer{held: map[string]device.Route{}} }

func (p *peer) Info(context.Context) (device.Info, error) { return device.Info{Name: "peer"}, nil }

func (p *peer) Read(context.Context, device.Target, ...string) (device.State, error) {
	return device.State{}, errors.New("not read")
}

func (p *peer) Render(context.Context, device.Target, device.Change) ([]byte, error) { return nil, nil }

func (p *peer) Apply(_ context.Context, _ device.Target, c device.Change, _ time.Duration) (device.Commit, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told++
	for _, s := range c.Steps {
		text := told(s.Route.Match)
		if s.Op == device.Remove {
			p.log = append(p.log, "withdraw "+text)
			delete(p.held, text)
			continue
		}
		p.log = append(p.log, "announce "+text+" "+s.Route.Action.String())
		p.held[text] = *s.Route
	}
	return device.Commit{Confirmed: true}, p.fail
}

func (p *peer) Confirm(context.Context, device.Target, device.Commit) error { return nil }
func (p *peer) Cancel(context.Context, device.Target, device.Commit) error  { return nil }

func (p *peer) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

// asked returns how often Apply was called.
func (p *peer) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told
}

// holds returns the matches of the routes that the peer has, sorted.
func (p *peer) holds() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.held))
}

func (p *peer) failWith(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}
