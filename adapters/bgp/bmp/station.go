package bmp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
)

// Station accepts the connections of routers.
type Station struct {
	listen []netip.AddrPort
	log    *slog.Logger

	mu        sync.Mutex // guards what follows
	routers   map[netip.Addr]*Router
	current   map[*Router]net.Conn
	listeners []net.Listener
	told      time.Time // when a stranger was logged last
	untold    int       // strangers since
}

// NewStation returns a station that listens at some addresses. log nil: slog.Default.
func NewStation(listen []netip.AddrPort, log *slog.Logger) *Station {
	if log == nil {
		log = slog.Default()
	}
	return &Station{listen: listen, log: log, routers: map[netip.Addr]*Router{}, current: map[*Router]net.Conn{}}
}

// Add takes a router into the station. All of them are added before Run. Two cannot connect from one address: BMP says nothing that tells them apart.
func (s *Station) Add(r *Router) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := r.cfg.From.Unmap()
	if other := s.routers[from]; other != nil {
		return fmt.Errorf("bmp: %s and %s both connect from %s", other.cfg.Name, r.cfg.Name, from)
	}
	s.routers[from] = r
	return nil
}

// keepAlive finds out that a router is gone which says nothing: BMP has no messages for it.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}

// Listen opens the listeners, so that Addrs knows their ports. Run does it otherwise.
func (s *Station) Listen(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listeners) > 0 {
		return nil
	}
	lc, passwords := net.ListenConfig{KeepAliveConfig: keepAlive}, map[netip.Addr]session.Password{}
	for from, r := range s.routers {
		if r.cfg.Password != "" {
			passwords[from] = r.cfg.Password
		}
	}
	if len(passwords) > 0 {
		session.Signed(&lc, passwords)
	}
	for _, at := range s.listen {
		ln, err := lc.Listen(ctx, "tcp", at.String())
		if err != nil {
			for _, open := range s.listeners {
				_ = open.Close()
			}
			s.listeners = nil
			return fmt.Errorf("listen for BMP: %w", err)
		}
		s.listeners = append(s.listeners, ln)
	}
	return nil
}

// Addrs returns the addresses that the station listens on.
func (s *Station) Addrs() []net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []net.Addr
	for _, ln := range s.listeners {
		out = append(out, ln.Addr())
	}
	return out
}

// Run serves routers until ctx ends, and closes what it opened. Call it once.
func (s *Station) Run(ctx context.Context) error {
	if err := s.Listen(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	listeners := s.listeners
	s.mu.Unlock()
	var all sync.WaitGroup
	defer all.Wait()
	for _, ln := range listeners {
		all.Go(func() {
			stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
			defer stop()
			s.accept(ctx, ln, &all)
		})
	}
	<-ctx.Done()
	return nil
}

func (s *Station) accept(ctx context.Context, ln net.Listener, all *sync.WaitGroup) {
	for {
		nc, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = nc.Close()
			}
			return
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of file descriptors, say: it passes
			s.log.Error("cannot accept", "listener", ln.Addr(), "err", err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		r := s.owner(nc)
		if r == nil {
			s.stranger(nc)
			_ = nc.Close()
			continue
		}
		all.Go(func() { s.serve(ctx, r, nc) })
	}
}

// owner returns the router that connects from the address of nc; nil: nobody that is known.
func (s *Station) owner(nc net.Conn) *Router {
	tcp, ok := nc.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from := tcp.AddrPort().Addr().Unmap()
	if r := s.routers[from]; r != nil {
		return r
	}
	return s.routers[from.WithZone("")]
}

// stranger logs a connection that is refused, one in a second at most: whoever scans the port must not fill the disk.
func (s *Station) stranger(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.told) < time.Second {
		s.untold++
		return
	}
	s.log.Warn("BMP connection refused: no device has bmp with this address", "from", nc.RemoteAddr(), "not-logged-before", s.untold)
	s.told, s.untold = time.Now(), 0
}

// serve reads what a router says until the connection ends. One that connects again has lost the connection before, and takes its place.
func (s *Station) serve(ctx context.Context, r *Router, nc net.Conn) {
	s.mu.Lock()
	if old := s.current[r]; old != nil {
		_ = old.Close()
	}
	s.current[r] = nc
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer stop()
	defer nc.Close()

	r.serving.Lock() // the one before is through
	defer r.serving.Unlock()
	r.begin()
	err := r.hear(nc)
	s.mu.Lock()
	if s.current[r] == nc {
		delete(s.current, r)
	}
	s.mu.Unlock()
	why := end(err)
	r.lost(why)
	if ctx.Err() == nil {
		r.cfg.Log.Warn("BMP session ended", "reason", why)
	}
}

// hear takes messages until the router ends, nil, or something is wrong.
func (r *Router) hear(nc io.Reader) error {
	in := bufio.NewReaderSize(nc, 1<<16)
	for {
		m, err := read(in)
		if err != nil {
			return err
		}
		done, err := r.take(m)
		if err != nil {
			return fmt.Errorf("message of type %d: %w", m.kind, err)
		}
		if done {
			return nil
		}
	}
}
