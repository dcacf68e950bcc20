// Package bgptest is a router for the demo and for tests: it speaks real BGP over TCP, decodes FlowSpec strictly, has limits of its own like
// the platform it stands for, and shows what it holds in the order in which it would evaluate it. It filters no packets.
//
//	r, err := bgptest.Listen(bgptest.Config{Name: "asr", AS: 64501, RouterID: id, Check: fiveValues})
//	go r.Run(ctx)
//	// give the speaker a peer at r.Addr()
//	err = r.Wait(ctx, func(t []bgptest.Route) bool { return len(t) == 2 })
//
// It announces too: Send writes any octets, the malformed ones that tests need among them.
package bgptest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Config describes a router. Optional fields have good zero values.
type Config struct {
	Name     string
	AS       uint32
	RouterID netip.Addr
	PeerAS   uint32            // 0: any
	Families []flowspec.Family // nil: ipv4 and ipv6
	HoldTime time.Duration
	Extended bool // offer extended messages (RFC 8654)
	// Offsets is how it reads IPv6 prefixes with an offset.
	Offsets flowspec.OffsetForm
	// Address is where it listens; zero: a free port on 127.0.0.1.
	Address netip.AddrPort
	// Connect is where it connects to instead of listening, from the address of Address.
	Connect netip.AddrPort
	// Check refuses what the platform cannot hold. nil: everything that is valid FlowSpec is held.
	Check func(Route) error
	// Resets says what a refusal does: true ends the session with a NOTIFICATION, as some routers do; false keeps the session and leaves the rule out.
	Resets bool
	// Watch is told of everything that happens, one event at a time. It must not block and must not call the router.
	Watch func(Event)
	Log   *slog.Logger // nil: nothing is logged
}

// Route is a rule that the router was told.
type Route struct {
	Match  flowspec.Match
	Action flowspec.Action
	Others []flowspec.ExtComm
	Path   session.Path
}

// String prints the rule as an operator would read it: `destination 203.0.113.9/32; protocol =udp; then discard;`.
func (r Route) String() string {
	return fmt.Sprintf("%v then %v", r.Match, r.Action)
}

// Kind is what happened.
type Kind string

// The kinds of events.
const (
	Up        Kind = "up"
	Announced Kind = "announced"
	Withdrawn Kind = "withdrawn"
	Refused   Kind = "refused"
	EndOfRIB  Kind = "end-of-rib"
	Refresh   Kind = "refresh" // the peer asks for everything again
	Begin     Kind = "begin"   // it announces everything of a family again, from here
	End       Kind = "end"     // to here
	Down      Kind = "down"
)

// Event is one thing that happened to a router.
type Event struct {
	Kind   Kind
	Route  Route           // of Announced and Refused; of Withdrawn the match
	Family flowspec.Family // of EndOfRIB, Refresh, Begin and End
	Err    error           // why, of Refused and Down
}

// Router is an emulated router.
type Router struct {
	cfg      Config
	peer     *session.Peer
	server   session.Server
	listener net.Listener

	mu      sync.Mutex // guards what follows
	session *session.Session
	table   map[key]Route
	events  []Event
	updates int // UPDATE messages with routes
	changed chan struct{}
}

type key struct {
	family flowspec.Family
	nlri   string
}

// Listen returns a router that listens already, unless it is to connect. It speaks once Run is called.
func Listen(cfg Config) (*Router, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Families == nil {
		cfg.Families = []flowspec.Family{flowspec.IPv4, flowspec.IPv6}
	}
	r := &Router{cfg: cfg, table: map[key]Route{}, changed: make(chan struct{}), server: session.Server{Log: cfg.Log}}
	sc := session.Config{
		Name: cfg.Name, LocalAS: cfg.AS, RouterID: cfg.RouterID, RemoteAS: cfg.PeerAS, HoldTime: cfg.HoldTime, Extended: cfg.Extended,
		Remote: cfg.Connect, Local: cfg.Address.Addr(), Passive: !cfg.Connect.IsValid(), Log: cfg.Log, RetryMin: 50 * time.Millisecond, RetryMax: time.Second,
	}
	for _, f := range cfg.Families {
		sc.Families = append(sc.Families, session.Family{AFI: f.AFI(), SAFI: f.SAFI()})
	}
	var err error
	if r.peer, err = session.NewPeer(sc, (*handler)(r)); err != nil {
		return nil, err
	}
	if cfg.Connect.IsValid() {
		return r, nil
	}
	at := "127.0.0.1:0"
	if cfg.Address.IsValid() {
		at = cfg.Address.String()
	}
	if r.listener, err = net.Listen("tcp", at); err != nil {
		return nil, fmt.Errorf("router %s: %w", cfg.Name, err)
	}
	r.server.Add(r.peer)
	return r, nil
}

// Addr is where the router listens; zero when it connects.
func (r *Router) Addr() netip.AddrPort {
	if r.listener == nil {
		return netip.AddrPort{}
	}
	return r.listener.Addr().(*net.TCPAddr).AddrPort()
}

// Run speaks until ctx ends.
func (r *Router) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if r.listener != nil {
		g.Go(func() error { return r.server.Serve(ctx, r.listener) })
	}
	g.Go(func() error {
		r.peer.Run(ctx)
		return nil
	})
	return g.Wait()
}

// Table returns the rules it holds, in the order in which it evaluates them (RFC 8955 §5.1).
func (r *Router) Table() []Route {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Route, 0, len(r.table))
	for _, route := range r.table {
		out = append(out, route)
	}
	slices.SortFunc(out, func(a, b Route) int { return flowspec.Compare(a.Match, b.Match) })
	return out
}

// Events returns what happened so far.
func (r *Router) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Updates returns how many UPDATE messages with routes came so far.
func (r *Router) Updates() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.updates
}

// Status tells of the session.
func (r *Router) Status() session.Status { return r.peer.Status() }

// Wait returns when ok says so of the table, or with the error of ctx. ok is asked again after each change.
func (r *Router) Wait(ctx context.Context, ok func(table []Route) bool) error {
	for {
		r.mu.Lock()
		changed := r.changed
		r.mu.Unlock()
		if ok(r.Table()) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("router %s holds %d rules: %w", r.cfg.Name, len(r.Table()), context.Cause(ctx))
		}
	}
}

// Send writes octets to the peer, whatever they are.
func (r *Router) Send(octets []byte) error {
	r.mu.Lock()
	s := r.session
	r.mu.Unlock()
	if s == nil {
		return errors.New("no session")
	}
	return s.Send(octets)
}

// Announce sends rules that share one path. The attributes of the path beside the action are those of p.
func (r *Router) Announce(a flowspec.Action, p session.Path, matches ...flowspec.Match) error {
	r.mu.Lock()
	s := r.session
	r.mu.Unlock()
	if s == nil {
		return errors.New("no session")
	}
	ext, hop := a.Communities()
	for _, c := range ext {
		if len(c) == 8 {
			p.ExtCommunities = append(p.ExtCommunities, string(c))
		} else {
			p.IPv6Communities = append(p.IPv6Communities, string(c))
		}
	}
	attrs, err := p.Attributes(s.Negotiated)
	if err != nil {
		return err
	}
	f, nlris := collect(matches)
	octets, err := session.AppendReach(nil, f, hop.AsSlice(), attrs, nlris, session.MaxMessage)
	if err != nil {
		return err
	}
	return s.Send(octets)
}

// Withdraw sends withdrawals.
func (r *Router) Withdraw(matches ...flowspec.Match) error {
	f, nlris := collect(matches)
	octets, err := session.AppendUnreach(nil, f, nlris, session.MaxMessage)
	if err != nil {
		return err
	}
	return r.Send(octets)
}

// EndOfRIB sends the mark of f.
func (r *Router) EndOfRIB(f flowspec.Family) error {
	octets, err := session.AppendUnreach(nil, session.Family{AFI: f.AFI(), SAFI: f.SAFI()}, nil, session.MaxMessage)
	if err != nil {
		return err
	}
	return r.Send(octets)
}

// Refresh asks the peer for everything of f again (RFC 2918).
func (r *Router) Refresh(f flowspec.Family) error {
	return r.Send(session.RefreshMessage(session.Family{AFI: f.AFI(), SAFI: f.SAFI()}))
}

// Reset ends the session with an administrative reset that says text (RFC 9003). It comes up again.
func (r *Router) Reset(text string) { r.peer.Reset(session.Cease(session.CeaseReset, text)) }

func collect(matches []flowspec.Match) (session.Family, [][]byte) {
	var nlris [][]byte
	for _, m := range matches {
		nlris = append(nlris, m.NLRI())
	}
	f := matches[0].Family()
	return session.Family{AFI: f.AFI(), SAFI: f.SAFI()}, nlris
}
