package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Password is the key of a TCP MD5 signature (RFC 2385), at most 80 octets. It prints as "[secret]".
type Password string

// String hides the password.
func (Password) String() string { return "[secret]" }

// GoString hides the password.
func (Password) GoString() string { return "[secret]" }

// longestPassword is what the kernel takes (TCP_MD5SIG_MAXKEYLEN).
const longestPassword = 80

// secured says whether connections of the peer need more than TCP gives by itself.
func (c *Config) secured() bool { return c.Password != "" || c.Hops > 0 }

func (c *Config) validateSecurity() error {
	switch {
	case len(c.Password) > longestPassword:
		return fmt.Errorf("the password has %d octets and a TCP MD5 signature takes %d", len(c.Password), longestPassword)
	case c.Password != "" && !c.Remote.Addr().IsValid():
		return errors.New("a password goes with an address: a passive peer that may come from anywhere has none")
	case c.Hops < 0 || c.Hops > 254:
		return fmt.Errorf("TTL security over %d hops: there are 1 to 254 (RFC 5082 §3)", c.Hops)
	}
	return nil
}

// dialler makes connections to the peer. Its packets bear the signature from the first one on, and the highest TTL.
func (c *Config) dialler() *net.Dialer {
	d := new(net.Dialer) // Go sets TCP_NODELAY: octets leave at once
	if c.Local.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.Local, 0))
	}
	if c.secured() {
		d.Control = func(_, _ string, raw syscall.RawConn) error {
			return control(raw, func(fd int) error {
				if err := sign(fd, c.Remote.Addr(), c.Password); err != nil {
					return err
				}
				return guardTTL(fd, c.Hops)
			})
		}
	}
	return d
}

// Signed has a listener take connections from each of some addresses only where their segments are signed with its password: the kernel drops the others (RFC 2385). It is for lc.Listen of TCP. Linux only.
func Signed(lc *net.ListenConfig, passwords map[netip.Addr]Password) {
	lc.SetMultipathTCP(false) // which has no signatures
	lc.Control = func(_, _ string, raw syscall.RawConn) error {
		return control(raw, func(fd int) error {
			for from, password := range passwords {
				if err := sign(fd, from, password); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// Listen opens a listener for the peers that were added before. The kernel drops packets without the signature of a peer that has a password; all packets that
// leave have the highest TTL, since a peer with TTL security takes no other, and whoever it is, it is answered before it is known.
func (s *Server) Listen(ctx context.Context, at netip.AddrPort) (net.Listener, error) {
	s.mu.Lock()
	peers := s.peers
	s.mu.Unlock()
	var lc net.ListenConfig
	lc.SetMultipathTCP(false) // which has no signatures
	lc.Control = func(_, _ string, raw syscall.RawConn) error {
		return control(raw, func(fd int) error {
			for _, p := range peers {
				if err := sign(fd, p.cfg.Remote.Addr(), p.cfg.Password); err != nil {
					return fmt.Errorf("peer %s: %w", p.cfg.Name, err)
				}
				if p.cfg.Hops > 0 {
					if err := highestTTL(fd); err != nil {
						return fmt.Errorf("peer %s: %w", p.cfg.Name, err)
					}
				}
			}
			if s.HighestTTL {
				return highestTTL(fd)
			}
			return nil
		})
	}
	return lc.Listen(ctx, "tcp", at.String())
}

// protect sets on a connection that the peer made what could not be set before it was known whose it is.
func (c *Config) protect(nc net.Conn) error {
	if c.Hops == 0 {
		return nil
	}
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return errors.New("TTL security: this is no TCP connection")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, func(fd int) error { return guardTTL(fd, c.Hops) })
}

func control(raw syscall.RawConn, set func(fd int) error) error {
	var err error
	if outer := raw.Control(func(fd uintptr) { err = set(int(fd)) }); outer != nil {
		return outer
	}
	return err
}
