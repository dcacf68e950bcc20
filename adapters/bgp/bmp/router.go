package bmp

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bmp"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// RouterConfig names one router, and our BGP session with it as it knows it.
type RouterConfig struct {
	Name     string
	From     netip.Addr          // that it connects from
	Local    netip.Addr          // ours in the BGP session; zero: any
	AS       uint32              // ours in the BGP session
	RouterID netip.Addr          // our BGP identifier
	RD       flowspec.RD         // of the VRF of the router that the session is in; zero: in none
	Password session.Password    // signs the TCP segments of the connection (RFC 2385); "": none
	Form     flowspec.OffsetForm // of IPv6 prefixes with an offset, as in what it is sent
	Now      func() time.Time    // nil: time.Now
	Log      *slog.Logger        // nil: slog.Default
	Most     int                 // octets that what it shows may take, about; 0: 128 MiB. A router that shows more loses its connection
}

// Patience is how long a router may take to show what it was sent, before it counts as not there.
const Patience = 10 * time.Second

// dump is how long it may take to show a whole table where it does not say when it has (RFC 7854 §5, End-of-RIB): routers put off what they say at first by some minutes at most.
const dump = 2 * time.Minute

// Router is what one router shows of our session with it.
type Router struct {
	cfg     RouterConfig
	changed chan struct{} // capacity 1
	serving sync.Mutex    // held while a connection is read

	mu    sync.Mutex // guards what follows
	up    bool       // it is connected
	ended time.Time  // when it was last
	why   string     // that ended; "": it never connected
	rib   *adjRIBIn  // of our session; nil: it shows none
	loc   *view      // its Loc-RIB, which is there without a session
}

// adjRIBIn is what a router shows of one BGP session, from Peer Up to Peer Down.
type adjRIBIn struct {
	since time.Time
	port  uint16 // ours; 0: unknown
	views [2]*view
}

// The views of an Adj-RIB-In.
const (
	pre  = 0
	post = 1
)

// view is an Adj-RIB-In in front of the import policy, or behind it, or a Loc-RIB.
type view struct {
	routes map[routeKey]*shown
	spoken map[flowspec.Family]bool // something was said of it, be it that there is nothing
	all    map[flowspec.Family]bool // the whole of it was said
	size   int                      // octets that it takes, about
}

func newView() *view {
	return &view{routes: map[routeKey]*shown{}, spoken: map[flowspec.Family]bool{}, all: map[flowspec.Family]bool{}}
}

type routeKey struct {
	family flowspec.Family
	nlri   string
}

// shown is what was said of the NLRIs of one UPDATE.
type shown struct {
	action flowspec.Action
	fault  error // the attributes cannot be used
	at     time.Time
	size   int // of the attributes
}

// overhead is about what a route takes beside its octets.
const overhead = 256

// New returns a router that has not connected yet.
func New(cfg RouterConfig) *Router {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Most == 0 {
		cfg.Most = 128 << 20
	}
	cfg.Log = cfg.Log.With("device", cfg.Name)
	return &Router{cfg: cfg, changed: make(chan struct{}, 1), loc: newView()}
}

// Changed returns a channel of capacity one that is written to after what is shown has changed.
func (r *Router) Changed() <-chan struct{} { return r.changed }

func (r *Router) tell() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// begin notes that it has connected.
func (r *Router) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.up, r.rib, r.loc = true, nil, newView()
}

// lost forgets what was shown: nobody knows whether it is still so.
func (r *Router) lost(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.up, r.rib, r.loc, r.ended, r.why = false, nil, newView(), r.cfg.Now(), why
	r.tell()
}

// take takes one message. done: the router says that it ends. An error ends the connection.
func (r *Router) take(m message) (done bool, err error) {
	switch m.kind {
	case bmp.BMP_MSG_INITIATION:
		words, err := m.words()
		r.cfg.Log.Info("the router shows what it holds by BMP", "router", words)
		return false, err
	case bmp.BMP_MSG_TERMINATION:
		return true, nil
	}
	if m.peer == nil || !r.locRIB(m.peer) && !r.ours(m.peer) {
		return false, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.tell()
	if r.locRIB(m.peer) {
		return false, r.takeLocRIB(m)
	}
	switch m.kind {
	case bmp.BMP_MSG_PEER_UP_NOTIFICATION:
		return false, r.peerUp(m)
	case bmp.BMP_MSG_PEER_DOWN_NOTIFICATION:
		r.rib = nil
	case bmp.BMP_MSG_ROUTE_MONITORING:
		if r.rib == nil {
			return false, errors.New("routes of our session, and no Peer Up before them (RFC 7854 §3.3)")
		}
		v := r.rib.views[pre]
		if m.peer.post {
			v = r.rib.views[post]
		}
		return false, r.monitor(v, m)
	}
	return false, nil
}

// takeLocRIB takes what is said of the Loc-RIB. Whether Peer Up came for it is not looked at, since gobgpd sends none (RFC 9069 §4.4 asks for it). The caller holds mu.
func (r *Router) takeLocRIB(m message) error {
	if m.kind == bmp.BMP_MSG_ROUTE_MONITORING {
		return r.monitor(r.loc, m)
	}
	r.loc = newView()
	return nil
}

// locRIB says whether a message is about the Loc-RIB of the instance that our session is in (RFC 9069 §4.1).
func (r *Router) locRIB(h *header) bool {
	return h.kind == bmp.BMP_PEER_TYPE_LOCAL_RIB && h.rd == r.cfg.RD
}

// ours says whether a message is about the Adj-RIB-In of our session: a global instance peer, or an RD instance peer of its VRF (RFC 7854 §4.2), by address, AS number and BGP identifier.
func (r *Router) ours(h *header) bool {
	kind := uint8(bmp.BMP_PEER_TYPE_GLOBAL)
	if r.cfg.RD != (flowspec.RD{}) {
		kind = bmp.BMP_PEER_TYPE_L3VPN
	}
	local := r.cfg.Local.Unmap().WithZone("")
	return h.kind == kind && h.rd == r.cfg.RD && !h.out && h.as == r.cfg.AS && h.id == r.cfg.RouterID && (!local.IsValid() || h.address == local)
}

// peerUp begins anew: what was shown of a session before this one is no more. The caller holds mu.
func (r *Router) peerUp(m message) error {
	port, err := m.port()
	if err != nil {
		return err
	}
	r.rib = &adjRIBIn{since: r.cfg.Now(), port: port, views: [2]*view{newView(), newView()}}
	return nil
}

// monitor takes what is said of routes. The caller holds mu.
func (r *Router) monitor(v *view, m message) error {
	u, err := m.update()
	if err != nil {
		return err
	}
	if f, ok := u.EndOfRIB(); ok {
		if family, ok := flowspec.FamilyOf(f.AFI, f.SAFI); ok {
			v.spoken[family], v.all[family] = true, true
		}
		return nil
	}
	if u.Unreach != nil {
		if err := r.each(v, u.Unreach.Family, u.Unreach.NLRI, nil); err != nil {
			return err
		}
	}
	if u.Reach == nil {
		return nil
	}
	said, err := r.read(&u, m.peer)
	if err != nil {
		return err
	}
	return r.each(v, u.Reach.Family, u.Reach.NLRI, said)
}

// read decodes what travels with the NLRIs of u. An error ends the connection.
func (r *Router) read(u *session.Update, h *header) (*shown, error) {
	s := &shown{at: r.cfg.Now()}
	hop, err := u.Reach.Hop()
	if err != nil {
		return nil, err
	}
	// As over eBGP, where no attribute is missed that the actions do not need.
	path, err := session.ParsePath(u, session.Negotiated{LocalAS: 1, Open: session.Open{AS: 2, FourOctet: !h.twoOct}})
	if err != nil {
		s.fault = err
		return s, nil
	}
	list := make([]flowspec.ExtComm, 0, len(path.ExtCommunities)+len(path.IPv6Communities))
	for _, c := range slices.Concat(path.ExtCommunities, path.IPv6Communities) {
		list, s.size = append(list, flowspec.ExtComm(c)), s.size+len(c)+16
	}
	s.action, _, s.fault = flowspec.ParseAction(list, hop)
	return s, nil
}

// each notes what is said of NLRIs; nil: that they are gone. One that is malformed is no rule that we sent, so it is read past where its length says where the next one begins.
func (r *Router) each(v *view, f session.Family, b []byte, said *shown) error {
	family, ok := flowspec.FamilyOf(f.AFI, f.SAFI)
	if !ok {
		return nil
	}
	v.spoken[family] = true
	for at := 0; at < len(b); {
		nlri, _, err := flowspec.Frame(b[at:])
		if err != nil {
			return fmt.Errorf("the NLRI at octet %d of %d: %w", at, len(b), err)
		}
		at += len(nlri)
		m, err := flowspec.ParseNLRIAs(family, slices.Clone(nlri), r.cfg.Form)
		if err != nil {
			r.cfg.Log.Debug("a rule that the router shows cannot be read", "error", err)
			continue
		}
		v.note(routeKey{family, string(m.NLRI())}, said)
	}
	if r.size() > r.cfg.Most {
		return fmt.Errorf("the router shows more than %d octets of memory hold", r.cfg.Most)
	}
	return nil
}

// size returns how many octets all takes that is shown, about. The caller holds mu.
func (r *Router) size() int {
	n := r.loc.size
	if r.rib != nil {
		n += r.rib.views[pre].size + r.rib.views[post].size
	}
	return n
}

func (v *view) note(k routeKey, said *shown) {
	if old := v.routes[k]; old != nil {
		v.size -= len(k.nlri) + overhead + old.size
		delete(v.routes, k)
	}
	if said != nil {
		v.size += len(k.nlri) + overhead + said.size
		v.routes[k] = said
	}
}

// Of compares what the router shows of a rule with what it was sent at a time, over the BGP session with our port; 0: whichever.
func (r *Router) Of(m flowspec.Match, want flowspec.Action, sent time.Time, port uint16) device.Shown {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.up && r.why == "":
		return device.Shown{Words: "the router has not connected by BMP"}
	case !r.up:
		return device.Shown{Words: fmt.Sprintf("no BMP session since %s: %s", r.ended.UTC().Format(time.RFC3339), r.why)}
	case r.rib == nil:
		return device.Shown{Words: "BMP shows no BGP session of ours"}
	case port != 0 && r.rib.port != 0 && port != r.rib.port:
		return device.Shown{Words: "BMP shows another BGP session of ours than this one"}
	}
	return r.rib.of(m, want, sent, r.cfg.Now(), r.loc)
}

// of is Of, where the router shows our session. A rule is held where it came over our session and is in the table that decides: the Loc-RIB where that is shown, and else the Adj-RIB-In behind the
// import policy.
func (a *adjRIBIn) of(m flowspec.Match, want flowspec.Action, sent, now time.Time, loc *view) device.Shown {
	f, k := m.Family(), routeKey{m.Family(), string(m.NLRI())}
	came := a.views[pre]
	if !came.spoken[f] {
		came = a.views[post]
	}
	decides, name, lacks := a.views[post], "post-policy", "its import policy does not take it"
	if loc.spoken[f] {
		decides, name, lacks = loc, "Loc-RIB", "its import policy does not take it, or it prefers another rule with this NLRI"
	}
	if !came.spoken[f] {
		return device.Shown{Words: fmt.Sprintf("BMP shows no %v FlowSpec of our session", f)}
	}
	late := now.Sub(later(sent, a.since)) >= Patience
	arrived, got := came.routes[k], decides.routes[k]
	switch {
	case arrived == nil:
		through := came.all[f] || now.Sub(a.since) >= dump
		return otherwise(late && through, later(a.since, sent), "BMP: the router does not hold it")
	case !decides.spoken[f]:
		return device.Shown{Words: "BMP shows that the router received it, and nothing post-policy: whether its import policy takes it is not known"}
	case got == nil: // what is through in front of the policy is through behind it
		return otherwise(late, later(arrived.at, sent), "BMP: the router received it, and "+lacks)
	}
	for _, s := range []*shown{arrived, got} {
		if s.fault != nil || !s.action.Equal(want) {
			return otherwise(late, later(s.at, sent), "BMP, "+name+": the router holds it with other actions: "+s.words())
		}
	}
	return device.Shown{State: device.ShownHeld, Since: later(got.at, arrived.at), Words: "BMP, " + name}
}

// otherwise is what can be said of a route that is not as it was sent: nothing, before the router had the time.
func otherwise(late bool, since time.Time, words string) device.Shown {
	if !late {
		return device.Shown{Words: "BMP does not show it yet"}
	}
	return device.Shown{State: device.ShownOtherwise, Since: since, Words: words}
}

func (s *shown) words() string {
	if s.fault != nil {
		return s.fault.Error()
	}
	return s.action.String()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
