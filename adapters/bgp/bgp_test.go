package bgp_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

var (
	ourID  = netip.MustParseAddr("192.0.2.1")
	peerID = netip.MustParseAddr("192.0.2.2")
	both   = []flowspec.Family{flowspec.IPv4, flowspec.IPv6}
)

const ourCommunity = 64500<<16 | 6666

// table is a rib.Input that keeps what it is told.
type table struct {
	mu      sync.Mutex
	rules   map[string]flowspec.Rule // by NLRI in hexadecimal
	events  []rib.Kind
	changed chan struct{}
}

func newTable() *table {
	return &table{rules: map[string]flowspec.Rule{}, changed: make(chan struct{})}
}

func (t *table) Send(_ context.Context, e rib.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range e.Withdraw {
		delete(t.rules, hex.EncodeToString(m.NLRI()))
	}
	for _, r := range e.Announce {
		t.rules[hex.EncodeToString(r.Match.NLRI())] = r
	}
	t.events = append(t.events, e.Kind)
	close(t.changed)
	t.changed = make(chan struct{})
	return nil
}

func (t *table) wait(tb testing.TB, what string, ok func(rules map[string]flowspec.Rule, events []rib.Kind) bool) {
	tb.Helper()
	limit := time.After(20 * time.Second)
	for {
		t.mu.Lock()
		done, changed := ok(t.rules, t.events), t.changed
		state := fmt.Sprint(len(t.rules), " rules, events ", t.events)
		t.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-limit:
			tb.Fatalf("waited for %s, have %s", what, state)
		}
	}
}

// pair is a speaker with one peer, and the emulated router that it talks to.
type pair struct {
	speaker *bgp.Speaker
	router  *bgptest.Router
	device  *bgp.Device
	rules   *table
	ctx     context.Context
}

type options struct {
	remoteAS uint32
	families []flowspec.Family // of the speaker
	router   bgptest.Config
	noMarks  bool
	policy   device.Policy
	alone    bool
	localAS  uint32
	offsets  flowspec.OffsetForm
	restart  time.Duration
}

func start(tb testing.TB, o options) *pair {
	tb.Helper()
	if o.remoteAS == 0 {
		o.remoteAS = 64501
	}
	if o.families == nil {
		o.families = both
	}
	o.router.Name, o.router.AS, o.router.RouterID = "router", o.remoteAS, peerID
	router, err := bgptest.Listen(o.router)
	if err != nil {
		tb.Fatal(err)
	}
	p := &pair{router: router, rules: newTable()}
	cfg := bgp.Config{RouterID: ourID, LocalAS: 64500, Communities: []uint32{ourCommunity - 1, ourCommunity}, Input: p.rules, Log: slog.New(slog.DiscardHandler)}
	if o.noMarks {
		cfg.Communities = nil
	} else {
		o.policy.Community, o.policy.NoExport = ourCommunity, true
	}
	if p.speaker, err = bgp.New(cfg); err != nil {
		tb.Fatal(err)
	}
	err = p.speaker.AddPeer(bgp.PeerConfig{
		Name: "edge1", Address: router.Addr().Addr(), Port: router.Addr().Port(), RemoteAS: o.remoteAS, LocalAS: o.localAS, Families: o.families,
		RetryMin: 10 * time.Millisecond, RetryMax: 100 * time.Millisecond, Source: "edge1", Device: true, Policy: o.policy, Alone: o.alone, OffsetsIn: o.offsets, OffsetsOut: o.offsets, Restart: o.restart,
	})
	if err != nil {
		tb.Fatal(err)
	}
	p.device = p.speaker.Device("edge1")
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.speaker.Run(ctx) })
	wg.Go(func() { _ = router.Run(ctx) })
	tb.Cleanup(func() { cancel(); wg.Wait() })
	var stop context.CancelFunc
	p.ctx, stop = context.WithTimeout(ctx, 20*time.Second)
	tb.Cleanup(stop)
	return p
}

func (p *pair) up(tb testing.TB) {
	tb.Helper()
	p.rules.wait(tb, "the session", func(_ map[string]flowspec.Rule, e []rib.Kind) bool { return slices.Contains(e, rib.Up) })
	err := p.router.Wait(p.ctx, func([]bgptest.Route) bool { // the state comes first, and then the session to write to
		return slices.ContainsFunc(p.router.Events(), func(e bgptest.Event) bool { return e.Kind == bgptest.Up })
	})
	if err != nil {
		tb.Fatal(err)
	}
	for p.device != nil { // which gets it after the router has
		if _, err := p.device.Read(p.ctx, device.Target{}); err == nil {
			return
		}
		if p.ctx.Err() != nil {
			tb.Fatal("the device has no session")
		}
		runtime.Gosched()
	}
}

func (p *pair) apply(tb testing.TB, steps ...device.Step) {
	tb.Helper()
	c, err := p.device.Apply(p.ctx, device.Target{}, device.Change{Steps: steps}, time.Minute)
	if err != nil {
		tb.Fatal(err)
	}
	if !c.Confirmed {
		tb.Error("a commit that BGP cannot undo must be confirmed")
	}
}

func (p *pair) holds(tb testing.TB, want ...string) []bgptest.Route {
	tb.Helper()
	slices.Sort(want)
	err := p.router.Wait(p.ctx, func(t []bgptest.Route) bool { return slices.Equal(names(t), want) })
	if err != nil {
		tb.Fatalf("the router holds %q, want %q: %v", names(p.router.Table()), want, err)
	}
	return p.router.Table()
}

func names(t []bgptest.Route) []string {
	out := []string{}
	for _, r := range t {
		out = append(out, hex.EncodeToString(r.Match.NLRI()))
	}
	slices.Sort(out)
	return out
}

func match(tb testing.TB, f flowspec.Family, nlri string) flowspec.Match {
	tb.Helper()
	b, err := hex.DecodeString(nlri)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := flowspec.ParseNLRI(f, b)
	if err != nil {
		tb.Fatalf("%s: %v", nlri, err)
	}
	return m
}

// dst is the NLRI of `destination 10.0.0.N/32` in hexadecimal.
func dst(n int) string { return fmt.Sprintf("0601200a00%04x", n) }

func discard() flowspec.Action { return limit(0) }

func limit(amount float32) flowspec.Action {
	return flowspec.Action{Rate: &flowspec.Rate{Amount: amount, Unit: flowspec.Bytes}}
}

func add(tb testing.TB, nlri string, a flowspec.Action) device.Step {
	tb.Helper()
	return device.Step{Op: device.Add, Route: &device.Route{Match: match(tb, flowspec.IPv4, nlri), Action: a}}
}

func remove(tb testing.TB, nlri string) device.Step {
	tb.Helper()
	return device.Step{Op: device.Remove, Route: &device.Route{Match: match(tb, flowspec.IPv4, nlri)}}
}

func TestRuleTravelsOutAndBack(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	p.apply(t, add(t, dst(1), discard()))
	got := p.holds(t, dst(1))[0]
	if !got.Action.Discard() {
		t.Errorf("action %v, want discard", got.Action)
	}
	if want := []uint32{ourCommunity, device.NoExport}; !slices.Equal(got.Path.Communities, want) {
		t.Errorf("communities %x, want %x", got.Path.Communities, want)
	}
	if want := []uint32{64500}; !slices.Equal(got.Path.ASPath, want) {
		t.Errorf("AS_PATH %v, want %v on eBGP", got.Path.ASPath, want)
	}
	st, err := p.device.Read(p.ctx, device.Target{})
	if err != nil || len(st.Routes) != 1 || flowspec.Compare(st.Routes[0].Match, got.Match) != 0 {
		t.Errorf("Read = %v, %v; want the one route that was sent", st.Routes, err)
	}
	if st, err := p.device.Read(p.ctx, device.Target{}, dst(2)); err != nil || len(st.Routes) != 0 {
		t.Errorf("Read of another NLRI = %v, %v; want nothing", st.Routes, err)
	}
	p.apply(t, remove(t, dst(1)))
	p.holds(t)
}

func TestInternalSessionCarriesLocalPreference(t *testing.T) {
	t.Parallel()
	p := start(t, options{remoteAS: 64500, noMarks: true})
	p.up(t)
	p.apply(t, add(t, dst(1), discard()))
	got := p.holds(t, dst(1))[0]
	if got.Path.LocalPref != 100 || len(got.Path.ASPath) != 0 || len(got.Path.Communities) != 0 {
		t.Errorf("path %+v, want LOCAL_PREF 100, an empty AS_PATH and no communities", got.Path)
	}
}

func TestOwedBeforeTheSessionIsUp(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.apply(t, add(t, dst(1), discard()), add(t, dst(2), limit(1000)))
	p.holds(t, dst(1), dst(2))
	var kinds []bgptest.Kind
	err := p.router.Wait(p.ctx, func([]bgptest.Route) bool {
		kinds = nil
		for _, e := range p.router.Events() {
			kinds = append(kinds, e.Kind)
		}
		return slices.Contains(kinds, bgptest.EndOfRIB)
	})
	if err != nil {
		t.Fatal(err)
	}
	if first := slices.Index(kinds, bgptest.EndOfRIB); first < 3 {
		t.Errorf("End-of-RIB came before the rules: %v", kinds)
	}
}

func TestEverythingIsSentAgainAfterASessionWasLost(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	p.apply(t, add(t, dst(1), discard()), add(t, dst(2), discard()))
	p.holds(t, dst(1), dst(2))
	p.router.Reset("line card swap")
	p.rules.wait(t, "the loss", func(_ map[string]flowspec.Rule, e []rib.Kind) bool { return slices.Contains(e, rib.Down) })
	if last := p.speaker.Status()[0].Session.LastError; !strings.Contains(last, "administrative reset") || !strings.Contains(last, `"line card swap"`) {
		t.Errorf("the status says %q, want the reason and the text of the NOTIFICATION", last)
	}
	p.apply(t, remove(t, dst(1)), add(t, dst(3), discard()))
	p.holds(t, dst(2), dst(3))
}

// The order is what keeps packets safe on the way: exceptions come before discards and go after them.
func TestMildestFirstThenWithdrawalsSeverestFirst(t *testing.T) {
	t.Parallel()
	p := start(t, options{noMarks: true})
	p.up(t)
	mark := uint8(46)
	p.apply(t,
		add(t, dst(1), discard()), add(t, dst(2), limit(1000)), add(t, dst(3), flowspec.Action{}), add(t, dst(4), flowspec.Action{Mark: &mark}),
		add(t, dst(5), limit(9000)), add(t, dst(6), flowspec.Action{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 1, Local: 1}}))
	p.holds(t, dst(1), dst(2), dst(3), dst(4), dst(5), dst(6))
	p.apply(t, remove(t, dst(3)), remove(t, dst(1)), add(t, dst(7), discard()), remove(t, dst(2)))
	p.holds(t, dst(4), dst(5), dst(6), dst(7))
	var got []string
	for _, e := range p.router.Events() {
		if e.Kind == bgptest.Announced || e.Kind == bgptest.Withdrawn {
			n := e.Route.Match.NLRI()
			got = append(got, fmt.Sprintf("%s %d", e.Kind, n[len(n)-1]))
		}
	}
	want := []string{"announced 3", "announced 4", "announced 6", "announced 2", "announced 5", "announced 1",
		"announced 7", "withdrawn 1", "withdrawn 2", "withdrawn 3"}
	if !slices.Equal(got, want) {
		t.Errorf("order\n%v, want\n%v", got, want)
	}
}

// The first table of a session that comes back, and the withdrawal of everything, go in the same order.
func TestOrderAfterASessionWasLostAndWhenAllGoes(t *testing.T) {
	t.Parallel()
	p := start(t, options{noMarks: true})
	p.up(t)
	mark := uint8(46)
	p.apply(t,
		add(t, dst(1), discard()), add(t, dst(2), flowspec.Action{}), add(t, dst(3), limit(1000)), add(t, dst(4), flowspec.Action{Mark: &mark}))
	p.holds(t, dst(1), dst(2), dst(3), dst(4))
	before := len(p.router.Events())
	p.router.Reset("line card swap")
	again := func([]bgptest.Route) bool { // the router holds the old routes until it has seen the loss as well
		return slices.ContainsFunc(p.router.Events()[before:], func(e bgptest.Event) bool { return e.Kind == bgptest.Up })
	}
	if err := p.router.Wait(p.ctx, again); err != nil {
		t.Fatal(err)
	}
	p.holds(t, dst(1), dst(2), dst(3), dst(4))
	p.apply(t, remove(t, dst(2)), remove(t, dst(4)), remove(t, dst(3)), remove(t, dst(1)))
	p.holds(t)
	var got []string
	for _, e := range p.router.Events()[before:] {
		if e.Kind == bgptest.Announced || e.Kind == bgptest.Withdrawn {
			n := e.Route.Match.NLRI()
			got = append(got, fmt.Sprintf("%s %d", e.Kind, n[len(n)-1]))
		}
	}
	want := []string{"announced 2", "announced 4", "announced 3", "announced 1", "withdrawn 1", "withdrawn 3", "withdrawn 4", "withdrawn 2"}
	if !slices.Equal(got, want) {
		t.Errorf("order\n%v, want\n%v", got, want)
	}
}

func TestOnlyWhatDiffersIsSent(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	p.apply(t, add(t, dst(1), discard()), add(t, dst(2), discard()))
	p.holds(t, dst(1), dst(2))
	p.apply(t, add(t, dst(1), discard()), remove(t, dst(9)))
	p.apply(t, add(t, dst(1), limit(500)))
	p.holds(t, dst(1), dst(2))
	out := p.speaker.Status()[0].Out
	if out.Announced != 3 || out.Withdrawn != 0 || out.Owed != 2 || out.Sent != 2 {
		t.Errorf("out %+v, want 3 announcements of 2 routes", *out)
	}
}

func TestRedirectsOfTheOldFormDoNotShareAnUpdate(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	var steps []device.Step
	for i := range 6 {
		hop := netip.AddrFrom4([4]byte{198, 51, 100, byte(i % 2)})
		steps = append(steps, add(t, dst(i), flowspec.Action{Redirect: &flowspec.Redirect{Form: flowspec.NextHopSimpson, Addr: hop}}))
	}
	p.apply(t, steps...)
	for i, r := range p.holds(t, dst(0), dst(1), dst(2), dst(3), dst(4), dst(5)) {
		if want := netip.AddrFrom4([4]byte{198, 51, 100, byte(i % 2)}); r.Action.Redirect == nil || r.Action.Redirect.Addr != want {
			t.Errorf("%v goes to %v, want %v", r.Match, r.Action, want)
		}
	}
	if n := p.router.Updates(); n != 2 {
		t.Errorf("%d UPDATEs for two targets", n)
	}
}

func TestBulkIsPacked(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	const n = 2000
	var steps []device.Step
	for i := range n {
		// the 25 octets of the usual comparison: destination, protocol, three ports, a range of lengths
		steps = append(steps, add(t, fmt.Sprintf("18"+"01200a00%04x"+"038111"+"050135"+"01%02x"+"91076c"+"0a1303e8d505dc", i, 0x7b), discard()))
	}
	p.apply(t, steps...)
	if err := p.router.Wait(p.ctx, func(t []bgptest.Route) bool { return len(t) == n }); err != nil {
		t.Fatal(err)
	}
	if per := n / p.router.Updates(); per < 100 {
		t.Errorf("%d NLRIs per UPDATE, want at least 100", per)
	}
}

func TestRefreshIsAnswered(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	p.apply(t, add(t, dst(1), discard()), add(t, dst(2), discard()))
	p.holds(t, dst(1), dst(2))
	if err := p.router.Refresh(flowspec.IPv4); err != nil {
		t.Fatal(err)
	}
	p.announced(t, 4)
}

// announced waits until the router was given so many routes, those again that it had counted each time.
func (p *pair) announced(t *testing.T, want int) {
	t.Helper()
	err := p.router.Wait(p.ctx, func([]bgptest.Route) bool {
		n := 0
		for _, e := range p.router.Events() {
			if e.Kind == bgptest.Announced {
				n++
			}
		}
		return n == want
	})
	if err != nil {
		t.Fatalf("not announced %d times: %v", want, p.router.Events())
	}
}

// What a router shows that it lost is given to it again, and no more than what it is owed.
func TestAllIsSaidAgain(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	p.apply(t, add(t, dst(1), discard()), add(t, dst(2), discard()), add(t, dst(3), discard()))
	p.apply(t, remove(t, dst(3)))
	p.holds(t, dst(1), dst(2))
	p.device.SayAgain()
	p.announced(t, 5)
	p.holds(t, dst(1), dst(2))
}

func TestWeCanAskForEverythingAgain(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	if err := p.speaker.Refresh("nobody"); err == nil {
		t.Error("a refresh of nobody succeeds")
	}
	p.up(t)
	if err := p.speaker.Refresh("edge1"); err != nil {
		t.Fatal(err)
	}
	err := p.router.Wait(p.ctx, func([]bgptest.Route) bool {
		n := 0
		for _, e := range p.router.Events() {
			if e.Kind == bgptest.Refresh {
				n++
			}
		}
		return n == len(both)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFamilyThatTheNeighbourDidNotOffer(t *testing.T) {
	t.Parallel()
	p := start(t, options{router: bgptest.Config{Families: []flowspec.Family{flowspec.IPv4}}})
	p.up(t)
	v6 := device.Step{Op: device.Add, Route: &device.Route{Match: match(t, flowspec.IPv6, "050110002001"), Action: discard()}}
	_, err := p.device.Apply(p.ctx, device.Target{}, device.Change{Steps: []device.Step{v6, add(t, dst(1), discard())}}, 0)
	var refused *device.Refused
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "did not offer ipv6") {
		t.Errorf("err %v, want a refusal that names the family", err)
	}
	p.holds(t, dst(1))
}

func TestRouteThatFitsInNoMessage(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	var ports []flowspec.Term
	for i := range 1350 {
		ports = append(ports, flowspec.Term{Op: flowspec.EQ, Value: uint64(1000 + 2*i)})
	}
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, flowspec.Component{Type: flowspec.DstPort, Terms: ports})
	if err != nil {
		t.Fatal(err)
	}
	big := device.Step{Op: device.Add, Route: &device.Route{Match: m, Action: discard()}}
	_, err = p.device.Apply(p.ctx, device.Target{}, device.Change{Steps: []device.Step{big, add(t, dst(1), discard())}}, 0)
	var refused *device.Refused
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "4096 octets") {
		t.Errorf("err %v, want a refusal that names the limit", err)
	}
	p.holds(t, dst(1))
}

func TestFiltersAreNotForBGP(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	_, err := p.device.Apply(p.ctx, device.Target{}, device.Change{Steps: []device.Step{{Op: device.Add}}}, 0)
	if err == nil || !strings.Contains(err.Error(), "not filters") {
		t.Errorf("err %v", err)
	}
}

func TestReadWithoutSessionIsTransient(t *testing.T) {
	t.Parallel()
	speaker, err := bgp.New(bgp.Config{RouterID: ourID, LocalAS: 64500, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := speaker.AddPeer(bgp.PeerConfig{Name: "edge1", Address: peerID, RemoteAS: 1, Families: both, Device: true}); err != nil {
		t.Fatal(err)
	}
	_, err = speaker.Device("edge1").Read(t.Context(), device.Target{})
	var transient *device.Transient
	if !errors.As(err, &transient) {
		t.Errorf("err %v, want *device.Transient", err)
	}
}

func TestNaNRateIsRefusedAndWithdrawsWhatWasThere(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	m := match(t, flowspec.IPv4, dst(1))
	if err := p.router.Announce(discard(), session.Path{}, m); err != nil {
		t.Fatal(err)
	}
	p.rules.wait(t, "the rule", func(r map[string]flowspec.Rule, _ []rib.Kind) bool { return len(r) == 1 })
	if err := p.router.Announce(limit(float32(math.NaN())), session.Path{}, m); err != nil {
		t.Fatal(err)
	}
	p.rules.wait(t, "its withdrawal", func(r map[string]flowspec.Rule, _ []rib.Kind) bool { return len(r) == 0 })
	if in := p.speaker.Status()[0].In; len(in.Last) != 1 || !strings.Contains(in.Last[0].Reason, "number") {
		t.Errorf("refusals %+v, want one that says the rate is not a number", in.Last)
	}
}
