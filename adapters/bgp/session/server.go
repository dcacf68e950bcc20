package session

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
)

// ErrStranger is why a connection from nobody that is known is refused.
var ErrStranger = errors.New("no peer is configured with these addresses")

// Server accepts connections for all peers and hands each to the one whose addresses fit.
type Server struct {
	Log *slog.Logger // nil: slog.Default
	// Newcomer, where it is not nil, is asked for a peer when nobody that was added has the addresses of a connection. It starts the peer, and adds it.
	Newcomer func(from, to netip.Addr) (*Peer, error)
	// HighestTTL has packets leave as a peer with TTL security wants them, for those that Newcomer makes.
	HighestTTL bool

	mu     sync.Mutex // guards what follows
	peers  []*Peer
	told   time.Time // when a refusal was logged last
	untold int       // refusals since
}

// Add makes connections from p's address p's.
func (s *Server) Add(p *Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers = append(s.peers, p)
}

// Remove takes back Add.
func (s *Server) Remove(p *Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers = slices.DeleteFunc(slices.Clone(s.peers), func(o *Peer) bool { return o == p })
}

// Serve accepts on ln until ctx ends, and closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	for {
		nc, err := ln.Accept()
		if ctx.Err() != nil {
			if nc != nil {
				_ = nc.Close()
			}
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("listen for BGP on %s: %w", ln.Addr(), err)
		}
		if err != nil { // out of file descriptors, say: it passes
			s.log().Error("cannot accept", "listener", ln.Addr(), "err", err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		if err := s.hand(nc); err != nil {
			s.tell(nc, err)
			refuse(nc, Cease(CeaseRejected, ""))
		}
	}
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.Default()
	}
	return s.Log
}

// tell logs a refusal, one in a second at most: whoever scans the port must not fill the disk.
func (s *Server) tell(nc net.Conn, reason error) {
	s.mu.Lock()
	now := time.Now()
	if now.Sub(s.told) < time.Second {
		s.untold++
		s.mu.Unlock()
		return
	}
	untold := s.untold
	s.told, s.untold = now, 0
	s.mu.Unlock()
	s.log().Warn("connection refused", "from", nc.RemoteAddr(), "to", nc.LocalAddr(), "reason", reason, "not-logged-before", untold)
}

// hand finds the peer that nc belongs to.
func (s *Server) hand(nc net.Conn) error {
	from, to := addrOf(nc.RemoteAddr()), addrOf(nc.LocalAddr())
	s.mu.Lock()
	var found []*Peer
	for _, p := range s.peers {
		if p.wants(from, to) {
			found = append(found, p)
		}
	}
	s.mu.Unlock()
	switch {
	case len(found) == 0 && s.Newcomer != nil:
		p, err := s.Newcomer(from, to)
		if err != nil {
			return err
		}
		found = append(found, p)
	case len(found) == 0:
		return ErrStranger
	case len(found) > 1:
		return fmt.Errorf("peers %s and %s both have these addresses: give each its local address", found[0].cfg.Name, found[1].cfg.Name)
	}
	if err := found[0].cfg.protect(nc); err != nil {
		return err
	}
	if !found[0].offer(nc) {
		return errors.New("another connection of this peer waits already")
	}
	return nil
}

// wants says whether a connection between these addresses is for p.
func (p *Peer) wants(from, to netip.Addr) bool {
	return is(p.cfg.Remote.Addr(), from) && is(p.cfg.Local, to)
}

// is says whether seen is the configured address. Neighbours on different links can have one link-local address: where the configuration names the link, it
// counts.
func is(configured, seen netip.Addr) bool {
	configured = configured.Unmap()
	return !configured.IsValid() || configured == seen || configured == seen.WithZone("")
}

func addrOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
