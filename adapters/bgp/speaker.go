package bgp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/adapters/bgp/bmp"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// NoLLGR keeps others from holding a path for hours or days after its origin was lost (RFC 9494 §4.3): an old discard is an outage that nobody remembers.
const NoLLGR uint32 = 0xffff0007

// Config is what all peers of a Speaker share.
type Config struct {
	RouterID netip.Addr // IPv4; also our cluster id
	LocalAS  uint32
	Listen   []netip.AddrPort // for the connections of peers; none: only we connect
	// Communities mark paths that we send, or sent and that may still be on their way: one that bears any of them is never taken from a source.
	Communities []uint32
	Input       rib.Input // takes what sources say; may be nil without sources
	Validator   Validator // takes it instead, where it is not nil
	// Settled is closed once the rules are complete: the store is loaded, and every source has said what it has or had the time to. No device is told End-of-RIB before, which
	// makes it drop what it kept from the last session (RFC 4724 §4.2). Nil: they are complete.
	Settled <-chan struct{}
	// Stay leaves to neighbours what they were given when Run ends, where graceful restart was agreed on: the sessions are closed without a NOTIFICATION.
	Stay bool
	// Guest, where it is not nil, is told of each peer that comes from a template, by its name and the two ends of its connection, before its session is up; and with false when another one takes its
	// place. A peer whose session was lost is still there. It must not block, nor call the speaker.
	Guest func(name string, from, to netip.Addr, there bool)
	Log   *slog.Logger
}

// PeerConfig is one BGP neighbour: a source of rules, a device that is given rules, or both.
type PeerConfig struct {
	Name    string // of the device, or of the source where it is no device
	Address netip.Addr
	// Prefix, where it is valid, makes of this a template: whoever connects from an address in it, and is no peer of its own, becomes one, at most Limit of them at a time. Its name and its source are
	// those of the template, "@" and the address. A template is no device.
	Prefix       netip.Prefix
	Limit        int
	Port         uint16     // where we connect to; 0: 179
	LocalAddress netip.Addr // our side; zero: any
	RemoteAS     uint32
	LocalAS      uint32 // ours in this session: another AS number than that of Config, which the neighbour does not see; 0: that one
	Passive      bool   // wait for the neighbour to connect
	Families     []flowspec.Family
	Unicast      []flowspec.Family // IPv4 and IPv6: whose unicast routes it is to send, for Config.Validator
	// HoldTime is our offer, whole seconds, at least 3; 0 means 90 s. NoHold offers none.
	HoldTime time.Duration
	NoHold   bool
	Password session.Password // signs the TCP segments of the session (RFC 2385); "": none
	Hops     int              // with TTL security, how far away the neighbour is at most (RFC 5082); 0: anywhere
	AddPath  bool             // offer to take several paths for one NLRI (RFC 7911)
	Extended bool             // offer messages of up to 65535 octets (RFC 8654)
	// Restart is how long the neighbour is asked to keep what it was given when the session is lost, and the longest that we keep what it said; whole seconds, at most 4095. 0:
	// graceful restart is not offered (RFC 4724).
	Restart time.Duration
	// RetryMin and RetryMax bound the wait between attempts to connect; 0: 1 s and 60 s.
	RetryMin, RetryMax time.Duration
	Source             flowspec.Source     // what its rules are called; "": what it announces is counted and dropped
	Device             bool                // it is given rules, through Speaker.Device(Name)
	OffsetsIn          flowspec.OffsetForm // how IPv6 prefixes with an offset are written in what it announces
	OffsetsOut         flowspec.OffsetForm // and in what it is given
	Policy             device.Policy       // of the device: how its routes leave
	Monitor            *bmp.Router         // of the device: what it shows by BMP of what it holds; nil: nothing
	Alone              bool                // the device is sent no two NLRIs in one UPDATE: for routers that drop or reset over a whole message where one rule is not to their liking
}

// Speaker is our side of all BGP sessions.
type Speaker struct {
	cfg    Config
	log    *slog.Logger
	server session.Server
	// patience is how long a peer of a template is left to come back before another one may take its place.
	patience time.Duration

	mu        sync.Mutex      // guards what follows
	own       map[uint32]bool // our AS numbers; not changed any more once Run began
	peers     []*peer
	templates []PeerConfig
	start     func(*peer) // runs a peer that comes while Run is under way
	listeners []net.Listener
	running   bool
}

// New returns a speaker without peers.
func New(cfg Config) (*Speaker, error) {
	if cfg.LocalAS == 0 {
		return nil, errors.New("bgp: the local AS is missing")
	}
	if !cfg.RouterID.Is4() || cfg.RouterID.IsUnspecified() {
		return nil, fmt.Errorf("bgp: router id %v: it must be an IPv4 address other than 0.0.0.0", cfg.RouterID)
	}
	log := cfg.Log
	if log == nil {
		log = slog.Default()
	}
	return &Speaker{cfg: cfg, log: log, server: session.Server{Log: log}, patience: 10 * time.Second, own: map[uint32]bool{cfg.LocalAS: true}}, nil
}

// AddPeer adds a neighbour. All of them are added before Run.
func (s *Speaker) AddPeer(pc PeerConfig) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return fmt.Errorf("bgp peer %s: the speaker runs already; peers are added before", pc.Name)
	}
	for _, p := range s.peers {
		if p.cfg.Name == pc.Name {
			return fmt.Errorf("bgp peer %s: there are two of that name", pc.Name)
		}
		if pc.Address.IsValid() && p.cfg.Address == pc.Address && p.cfg.LocalAddress == pc.LocalAddress && p.cfg.port() == pc.port() {
			return fmt.Errorf("bgp peer %s has the addresses of %s: one session carries both directions, so name it as source and as device at once", pc.Name, p.cfg.Name)
		}
	}
	if len(s.listeners) > 0 && (pc.Password != "" || pc.Hops > 0) {
		return fmt.Errorf("bgp peer %s: the listeners are open already, and know nothing of its password or its TTL", pc.Name)
	}
	if pc.RemoteAS == 0 {
		return fmt.Errorf("bgp peer %s: the neighbour's AS is missing", pc.Name)
	}
	if pc.Source != "" && s.cfg.Input == nil && s.cfg.Validator == nil {
		return fmt.Errorf("bgp peer %s is a source and the speaker has no input to give its rules to", pc.Name)
	}
	if pc.LocalAS == 0 {
		pc.LocalAS = s.cfg.LocalAS
	}
	s.own[pc.LocalAS] = true
	if pc.Prefix.IsValid() {
		return s.addTemplate(pc)
	}
	p, err := s.newPeer(pc)
	if err != nil {
		return err
	}
	s.peers = append(s.peers, p)
	s.server.Add(p.session)
	return nil
}

func (pc PeerConfig) port() uint16 {
	if pc.Port == 0 {
		return 179
	}
	return pc.Port
}

// Listen opens the listeners, so that Addrs knows their ports. Run does it otherwise. Peers are added before: the listeners know their passwords.
func (s *Speaker) Listen(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listeners) > 0 {
		return nil
	}
	for _, at := range s.cfg.Listen {
		ln, err := s.server.Listen(ctx, at)
		if err != nil {
			for _, open := range s.listeners {
				_ = open.Close()
			}
			s.listeners = nil
			return fmt.Errorf("listen for BGP: %w", err)
		}
		s.listeners = append(s.listeners, ln)
	}
	return nil
}

// Addrs returns the addresses that the speaker listens on.
func (s *Speaker) Addrs() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []netip.AddrPort
	for _, ln := range s.listeners {
		if tcp, ok := ln.Addr().(*net.TCPAddr); ok {
			out = append(out, tcp.AddrPort())
		}
	}
	return out
}

// Run keeps all sessions up until ctx ends, then closes them. Call it once.
func (s *Speaker) Run(ctx context.Context) error {
	if err := s.Listen(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	start := func(p *peer) {
		pctx, stop := context.WithCancel(ctx)
		p.stop = stop
		g.Go(func() error {
			defer stop()
			p.session.Run(pctx)
			return nil
		})
	}
	s.mu.Lock()
	s.running, s.start = true, start
	peers, listeners := s.peers, s.listeners
	s.mu.Unlock()
	for _, ln := range listeners {
		g.Go(func() error { return s.server.Serve(ctx, ln) })
	}
	for _, p := range peers {
		start(p)
	}
	return g.Wait()
}

// Device returns the adapter of the device with that name, or nil when no peer of that name is one.
func (s *Speaker) Device(name string) *Device {
	if p := s.find(name); p != nil {
		return p.device
	}
	return nil
}

// Refresh asks a peer to announce everything again (RFC 2918), after what is admitted from it has changed.
func (s *Speaker) Refresh(name string) error {
	p := s.find(name)
	if p == nil {
		return fmt.Errorf("refresh %s: there is no such BGP peer", name)
	}
	return p.refresh()
}

// Reset ends the session of a peer with "administrative reset"; it comes up again by itself. It says false for an unknown peer.
func (s *Speaker) Reset(name string) bool {
	p := s.find(name)
	if p == nil {
		return false
	}
	p.session.Reset(session.Cease(session.CeaseReset, ""))
	return true
}

// Teardown ends the session of the peer that is source with "maximum number of prefixes reached", and takes no other for as long as rest says. It never waits. It says false where no
// peer is that source.
func (s *Speaker) Teardown(source flowspec.Source, rest time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		if p.cfg.Source == source && source != "" {
			p.session.Teardown(session.Cease(session.CeaseMaximum, ""), rest)
			return true
		}
	}
	return false
}

func (s *Speaker) find(name string) *peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		if p.cfg.Name == name {
			return p
		}
	}
	return nil
}

// PeerStatus is a copy of what is known of one peer.
type PeerStatus struct {
	Name     string
	Address  netip.Addr
	RemoteAS uint32
	Source   flowspec.Source
	Session  session.Status
	In       InStatus   // zero unless it is a source
	Out      *OutStatus // nil unless it is a device
}

// Status returns a copy of what is known of every peer, in the order in which they were added.
func (s *Speaker) Status() []PeerStatus {
	s.mu.Lock()
	peers := s.peers
	s.mu.Unlock()
	out := make([]PeerStatus, 0, len(peers))
	for _, p := range peers {
		st := PeerStatus{Name: p.cfg.Name, Address: p.cfg.Address, RemoteAS: p.cfg.RemoteAS, Source: p.cfg.Source, Session: p.session.Status(), In: p.ingest.Status()}
		if p.device != nil {
			o := p.device.Status()
			st.Out = &o
		}
		out = append(out, st)
	}
	return out
}
