package bgp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// ingest turns what one peer says into events. Its methods are called from the goroutine of the peer; Status may be called
// from anywhere.
type ingest struct {
	name    string              // of the peer
	address netip.Addr          // of the peer
	own     map[uint32]bool     // our AS numbers, towards all peers
	unicast bool                // it has a unicast family
	source  flowspec.Source     // "": the peer is no source
	form    flowspec.OffsetForm // of IPv6 prefixes with an offset
	cfg     Config
	log     *slog.Logger
	begun   map[flowspec.Family]bool // what the peer is saying again
	paths   paths                    // of families in which it sends several for one NLRI

	mu     sync.Mutex // guards status
	status InStatus
	ring   ring
	quota  quota
}

// InStatus counts what a peer announced since the start.
type InStatus struct {
	Updates   uint64 // UPDATE messages, End-of-RIB among them
	Announced uint64 // rules that went to the RIB
	Withdrawn uint64 // NLRIs withdrawn, by the peer or because their UPDATE was in error (RFC 7606)
	Refused   uint64 // NLRIs and messages refused
	Loops     uint64 // NLRIs on paths that had been here already; they count as withdrawn and are not refusals
	// Last holds the newest refusals, oldest first, at most 64.
	Last []Refusal
}

func newIngest(pc PeerConfig, cfg Config, own map[uint32]bool, log *slog.Logger) *ingest {
	return &ingest{name: pc.Name, own: own, address: pc.Address.Unmap(), unicast: len(pc.Unicast) > 0, source: pc.Source, form: pc.OffsetsIn, cfg: cfg, log: log, begun: map[flowspec.Family]bool{}, paths: paths{}}
}

// Status returns a copy of the counters.
func (in *ingest) Status() InStatus {
	in.mu.Lock()
	defer in.mu.Unlock()
	st := in.status
	st.Last = in.ring.list()
	return st
}

func (in *ingest) count(change func(*InStatus)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	change(&in.status)
}

func (in *ingest) up(ctx context.Context, _ *session.Session) {
	clear(in.begun)
	clear(in.paths)
	in.route(ctx, Routes{Kind: rib.Up})
	in.send(ctx, rib.Event{Kind: rib.Up}, admit.Path{})
}

// again tells the RIB that the source begins to say everything of a family again, or that it has. An end without a beginning is nothing (RFC 7313 §4).
func (in *ingest) again(ctx context.Context, f flowspec.Family, end bool) {
	switch {
	case !end:
		in.begun[f] = true
		in.paths.again(f)
		in.send(ctx, rib.Event{Kind: rib.Again, Family: f}, admit.Path{})
	case in.begun[f]:
		delete(in.begun, f)
		in.tell(ctx, in.paths.ended(f))
		in.send(ctx, rib.Event{Kind: rib.EndOfRIB, Family: f}, admit.Path{})
	}
}

// down tells the RIB that the source is gone. A session that we end because the gateway stops says nothing about the source: its rules
// stay in the store.
//
// A source that asked for it has its rules kept for its Restart Time, but where it ended the session on purpose. Whether it sets the F bit when it is back is not looked at: that
// speaks of forwarding (RFC 4724 §3), and a source of rules may forward nothing; what it does not repeat goes at End-of-RIB.
func (in *ingest) down(ctx context.Context, s *session.Session, reason error) {
	if ctx.Err() != nil {
		return
	}
	e := rib.Event{Kind: rib.Down}
	if families, hold := s.Held(); s.Survives(reason) {
		e.Hold = hold
		for _, f := range families {
			if !f.Unicast() {
				e.Held = append(e.Held, familyIn(f))
			}
		}
	}
	in.send(ctx, e, admit.Path{})
	in.route(ctx, Routes{Kind: rib.Down})
}

func (in *ingest) send(ctx context.Context, e rib.Event, p admit.Path) {
	if in.source == "" {
		return
	}
	e.Source = in.source
	var err error
	if in.cfg.Validator != nil {
		err = in.cfg.Validator.Rules(ctx, e, p)
	} else {
		err = in.cfg.Input.Send(ctx, e)
	}
	if err != nil && ctx.Err() == nil {
		in.log.Error("the RIB did not take an event", "source", in.source, "err", err)
	}
}

// update takes one UPDATE message. A *session.Notification that it returns ends the session.
func (in *ingest) update(ctx context.Context, s *session.Session, body []byte) error {
	in.count(func(st *InStatus) { st.Updates++ })
	u, err := session.ParseUpdate(body)
	if err != nil {
		in.refuse(Refusal{Octets: body, Reason: err.Error()})
		return err
	}
	if f, ok := u.EndOfRIB(); ok {
		if fam, ok := flowspec.FamilyOf(f.AFI, f.SAFI); ok && s.Has(f) {
			in.send(ctx, rib.Event{Kind: rib.EndOfRIB, Family: fam}, admit.Path{})
		} else if f.Unicast() && s.Has(f) {
			in.route(ctx, Routes{Kind: rib.EndOfRIB, Version: version(f)})
		}
		return nil
	}
	path, pathErr := session.ParsePath(&u, s.Negotiated)
	if reset(pathErr) {
		in.refuse(Refusal{Octets: body, Reason: pathErr.Error()})
		return pathErr
	}
	routes, err := in.routes(s, &u)
	e := rib.Event{Kind: rib.Update}
	var several []chosen
	if err == nil {
		several, err = in.read(s, &u, path, pathErr, &e)
	}
	if err != nil {
		in.refuse(Refusal{Octets: body, Reason: err.Error()})
		return err
	}
	if routes = in.judged(s, routes, path, pathErr); len(routes.Announce)+len(routes.Withdraw) > 0 {
		in.route(ctx, routes)
	}
	in.tell(ctx, append(several, chosen{e, in.pathOf(s, path)}))
	return nil
}

// tell counts and hands on what the peer says.
func (in *ingest) tell(ctx context.Context, list []chosen) {
	for _, c := range list {
		if len(c.event.Announce)+len(c.event.Withdraw) == 0 {
			continue
		}
		in.count(func(st *InStatus) {
			st.Announced += uint64(len(c.event.Announce))
			st.Withdrawn += uint64(len(c.event.Withdraw))
		})
		in.send(ctx, c.event, c.path)
	}
}

// read fills e with what u says about rules, and returns what it says of NLRIs that may have several paths. Errors end the session.
func (in *ingest) read(s *session.Session, u *session.Update, path session.Path, pathErr error, e *rib.Event) (several []chosen, err error) {
	withdraw := func(list []named) {
		for _, n := range list {
			if n.numbered {
				several = append(several, in.paths.withdraw(n.id, n.match)...)
			} else {
				e.Withdraw = append(e.Withdraw, n.match)
			}
		}
	}
	if u.Unreach != nil && !u.Unreach.Family.Unicast() {
		gone, err := in.matches(s, u.Unreach.Family, u.Unreach.NLRI)
		if err != nil {
			return nil, err
		}
		withdraw(gone)
	}
	if u.Reach == nil || u.Reach.Family.Unicast() {
		return several, nil
	}
	nextHop, err := u.Reach.Hop()
	if err != nil {
		return nil, err
	}
	here, err := in.matches(s, u.Reach.Family, u.Reach.NLRI)
	if err != nil {
		return nil, err
	}
	if why := in.loop(path); why != "" {
		// A reflector that sends our own rules back is nothing to refuse, and not worth a line for each.
		in.count(func(st *InStatus) { st.Loops += uint64(len(here)) })
		in.log.Debug("a path that was here before", "source", in.source, "reason", why, "rules", len(here))
		withdraw(here)
		return several, nil
	}
	rule, err := in.template(path, nextHop)
	if err = errors.Join(pathErr, err); err != nil {
		// Treat as withdraw (RFC 7606 §2): what the peer said of these NLRIs before is not true any more, and what it says now cannot be used.
		withdraw(here)
		in.refuse(Refusal{Family: familyIn(u.Reach.Family), Octets: u.Reach.NLRI, Count: len(here), Reason: err.Error()})
		return several, nil
	}
	for _, n := range here {
		r := rule
		r.Match, r.ID = n.match, flowspec.NewID(in.source, n.match)
		if n.numbered {
			several = append(several, in.paths.announce(n.id, r, in.pathOf(s, path))...)
		} else {
			e.Announce = append(e.Announce, r)
		}
	}
	return several, nil
}

// named is an NLRI, and which of its paths is meant where it may have several.
type named struct {
	match    flowspec.Match
	id       uint32
	numbered bool
}

// pathID is the length of a path identifier in front of an NLRI (RFC 7911 §3).
const pathID = 4

// matches takes the NLRIs of one attribute apart. One that is malformed is refused and the others stand: its length still says where the next one begins,
// so the whole field can be walked, as RFC 7606 §3 (j) asks for. It names no rule that we could hold, so there is nothing to
// withdraw. When a length runs past the end, nobody knows what the field meant, and the session ends.
func (in *ingest) matches(s *session.Session, f session.Family, b []byte) ([]named, error) {
	if !s.Has(f) {
		in.refuse(Refusal{Octets: b, Reason: fmt.Sprintf("family %v was not agreed on", f)})
		return nil, nil
	}
	family := familyIn(f)
	var out []named
	for at := 0; at < len(b); {
		n := named{numbered: s.Numbered(f)}
		if n.numbered {
			if len(b)-at < pathID {
				return nil, &session.Notification{Code: 3, Subcode: 9, Detail: fmt.Sprintf("the path identifier at octet %d of %d is cut off", at, len(b))}
			}
			n.id = binary.BigEndian.Uint32(b[at:])
			at += pathID
		}
		nlri, _, err := flowspec.Frame(b[at:])
		if err != nil {
			return nil, &session.Notification{Code: 3, Subcode: 9, Detail: fmt.Sprintf("the NLRI at octet %d of %d: %v", at, len(b), err)}
		}
		if n.match, err = flowspec.ParseNLRIAs(family, slices.Clone(nlri), in.form); err != nil {
			in.refuse(Refusal{Family: family, Octets: nlri, Count: 1, Offset: at, Reason: err.Error()})
		} else {
			out = append(out, n)
		}
		at += len(nlri)
	}
	return out, nil
}

func familyIn(f session.Family) flowspec.Family {
	family, _ := flowspec.FamilyOf(f.AFI, f.SAFI)
	return family
}

// template is the rule that the attributes make of any NLRI. The error says why the path cannot be used.
func (in *ingest) template(p session.Path, nextHop netip.Addr) (flowspec.Rule, error) {
	ext := make([]flowspec.ExtComm, 0, len(p.ExtCommunities)+len(p.IPv6Communities))
	for _, c := range p.ExtCommunities {
		ext = append(ext, flowspec.ExtComm(c))
	}
	for _, c := range p.IPv6Communities {
		ext = append(ext, flowspec.ExtComm(c))
	}
	action, others, err := flowspec.ParseAction(ext, nextHop)
	if err != nil {
		return flowspec.Rule{}, err
	}
	return flowspec.Rule{Action: action, Communities: p.Communities, LargeCommunities: p.LargeCommunities, Others: others, Source: in.source}, nil
}

// loop says why a path has been here already, or "". A path that we sent must never come back as a source: the gateway would keep itself alive.
func (in *ingest) loop(p session.Path) string {
	switch {
	case slices.ContainsFunc(p.ASPath, func(as uint32) bool { return in.own[as] }):
		return fmt.Sprintf("an AS of ours is in the AS_PATH %v (RFC 4271 §9)", p.ASPath)
	case p.OriginatorID == in.cfg.RouterID:
		return fmt.Sprintf("ORIGINATOR_ID is our router id %v (RFC 4456 §8)", in.cfg.RouterID)
	case slices.Contains(p.ClusterList, in.cfg.RouterID):
		return fmt.Sprintf("our cluster id %v is in the CLUSTER_LIST (RFC 4456 §8)", in.cfg.RouterID)
	}
	for _, c := range p.Communities {
		if slices.Contains(in.cfg.Communities, c) {
			return fmt.Sprintf("the path bears our own community %d:%d", c>>16, c&0xffff)
		}
	}
	return ""
}
