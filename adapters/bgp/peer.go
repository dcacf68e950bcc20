package bgp

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// peer is one neighbour: the handler of its session.
type peer struct {
	cfg     PeerConfig
	session *session.Peer
	ingest  *ingest
	device  *Device // nil unless it is given rules
	current atomic.Pointer[session.Session]
	stop    context.CancelFunc // ends its Run
	ours    netip.Addr         // our end, of one that came from a template
	wasUp   bool               // there was a session; belongs to the goroutine of the session
	marks   sync.WaitGroup     // sends End-of-RIB where there is no device to do it
}

func (s *Speaker) newPeer(pc PeerConfig) (*peer, error) {
	p := &peer{cfg: pc}
	var families []session.Family
	for _, f := range pc.Families {
		families = append(families, familyOut(f))
	}
	for _, v := range pc.Unicast {
		families = append(families, map[flowspec.Family]session.Family{flowspec.IPv4: session.UnicastIPv4, flowspec.IPv6: session.UnicastIPv6}[v])
	}
	log := s.log.With("peer", pc.Name)
	p.ingest = newIngest(pc, s.cfg, s.own, log)
	if pc.Device {
		p.device = newDevice(pc, s.cfg, log)
	}
	var err error
	p.session, err = session.NewPeer(session.Config{
		Name: pc.Name, LocalAS: pc.LocalAS, RouterID: s.cfg.RouterID, RemoteAS: pc.RemoteAS,
		Remote: netip.AddrPortFrom(pc.Address, pc.port()), Local: pc.LocalAddress, Passive: pc.Passive,
		Families: families, HoldTime: pc.HoldTime, NoHold: pc.NoHold, RetryMin: pc.RetryMin, RetryMax: pc.RetryMax, Log: s.log,
		Password: pc.Password, Hops: pc.Hops, Extended: pc.Extended, AddPath: pc.AddPath, Restart: pc.Restart, Restarting: p.restarting, Stay: s.cfg.Stay,
	}, p)
	if err != nil {
		return nil, fmt.Errorf("bgp: %w", err)
	}
	if p.device != nil {
		p.device.state, p.device.hint = p.session.Status, p.session.Hint
	}
	return p, nil
}

// restarting says whether the neighbour was not yet told all that there is since the start.
func (p *peer) restarting() bool {
	if p.device != nil {
		return !p.device.complete.Load()
	}
	return !p.wasUp
}

// Up implements session.Handler.
func (p *peer) Up(ctx context.Context, s *session.Session) {
	p.current.Store(s)
	p.wasUp = true
	p.ingest.up(ctx, s)
	if p.device != nil {
		p.device.up(s)
		return
	}
	// RFC 4724 §2: the mark is owed even when there is nothing to send.
	p.marks.Go(func() {
		for _, f := range s.Families {
			mark, err := session.AppendUnreach(nil, f, nil, session.MaxMessage)
			if err == nil {
				_ = s.Send(mark) // a failure ends the session
			}
		}
	})
}

// Update implements session.Handler.
func (p *peer) Update(ctx context.Context, s *session.Session, body []byte) error {
	return p.ingest.update(ctx, s, body)
}

// Refresh implements session.Handler.
func (p *peer) Refresh(_ context.Context, s *session.Session, f session.Family) {
	if fam, ok := flowspec.FamilyOf(f.AFI, f.SAFI); ok && p.device != nil && s.Has(f) {
		p.device.resend(fam)
	}
}

// Again implements session.Handler.
func (p *peer) Again(ctx context.Context, _ *session.Session, f session.Family, end bool) {
	if fam, ok := flowspec.FamilyOf(f.AFI, f.SAFI); ok {
		p.ingest.again(ctx, fam, end)
	} else if f.Unicast() {
		kind := rib.Again
		if end {
			kind = rib.EndOfRIB
		}
		p.ingest.route(ctx, Routes{Kind: kind, Version: version(f)})
	}
}

// Down implements session.Handler.
func (p *peer) Down(ctx context.Context, s *session.Session, reason error) {
	p.current.Store(nil)
	p.marks.Wait()
	if p.device != nil {
		p.device.down()
	}
	p.ingest.down(ctx, s, reason)
}

// refresh asks the peer for everything again.
func (p *peer) refresh() error {
	s := p.current.Load()
	switch {
	case s == nil:
		return fmt.Errorf("refresh %s: there is no session", p.cfg.Name)
	case !s.Refresh:
		return fmt.Errorf("refresh %s: the neighbour did not offer route refresh (RFC 2918); reset the session instead", p.cfg.Name)
	}
	for _, f := range s.Families {
		if err := s.Send(session.RefreshMessage(f)); err != nil {
			return fmt.Errorf("refresh %s: %w", p.cfg.Name, err)
		}
	}
	return nil
}

func familyOut(f flowspec.Family) session.Family {
	return session.Family{AFI: f.AFI(), SAFI: f.SAFI()}
}
