package session

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Config is one configured neighbour. The zero value of an optional field is a good choice.
type Config struct {
	Name     string // for logs
	LocalAS  uint32
	RouterID netip.Addr // BGP identifier, an IPv4 address
	RemoteAS uint32     // 0: any
	// Remote is the peer's address and the port to dial. A passive peer without one takes connections from anywhere.
	Remote netip.AddrPort
	// Local is the address to dial from, and the one on which the peer's connections must arrive. Zero: any.
	Local    netip.Addr
	Passive  bool // wait for the peer's connection, never dial
	Families []Family
	// HoldTime is our offer, whole seconds, at least 3; 0 means 90 s. NoHold offers 0: no KEEPALIVEs and no expiry, so a vanished peer is
	// noticed only by TCP.
	HoldTime time.Duration
	NoHold   bool
	// Password, where it is not "", signs every TCP segment of the session (RFC 2385). Linux only.
	Password Password
	// Hops, where it is not 0, is how far away the peer is at most, 1 on the same link: packets that come from further away are dropped (RFC 5082). The peer must do its part and send
	// with a TTL of 255. Linux only.
	Hops int
	// Extended offers messages of up to 65535 octets (RFC 8654).
	Extended bool
	// AddPath offers to take several paths for one NLRI of FlowSpec (RFC 7911).
	AddPath bool
	// Restart is our Restart Time, whole seconds, at most 4095: how long the peer is asked to keep what we announced when the session is lost, until we are back and have
	// said End-of-RIB (RFC 4724). 0: graceful restart is not offered.
	Restart time.Duration
	// Restarting says whether this program has started and not yet said all it has, for the R bit; nil: it has not.
	Restarting func() bool
	// Stay has Run close an established session without a NOTIFICATION at the end, where the peer offers graceful restart: so it keeps what we announced.
	Stay bool
	// RetryMin and RetryMax bound the wait before the next attempt: it doubles with each failure, less up to a quarter of jitter
	// (RFC 4271 §10). Default 1 s and 60 s.
	RetryMin, RetryMax time.Duration
	// OpenTimeout bounds the wait for the TCP connection and for each message before the session is established. Default 30 s. (RFC 4271 suggests a
	// hold time of 4 minutes there.)
	OpenTimeout time.Duration
	// Dial makes the TCP connection; nil: a net.Dialer bound to Local.
	Dial func(ctx context.Context) (net.Conn, error)
	Log  *slog.Logger // nil: slog.Default
}

func (c *Config) dial(ctx context.Context) (net.Conn, error) {
	if c.Dial != nil {
		return c.Dial(ctx)
	}
	return c.dialler().DialContext(ctx, "tcp", c.Remote.String())
}

// Handler gives the octets of one peer their meaning. Its methods are called one at a time, from the goroutine of Peer.Run.
type Handler interface {
	// Up says that the session is established. The Session may be used until Down.
	Up(ctx context.Context, s *Session)
	// Update receives the body of an UPDATE message, which is the handler's to keep. A *Notification that it returns ends the session. While
	// it blocks no more is read: that is how a busy gateway slows a peer down.
	Update(ctx context.Context, s *Session, body []byte) error
	// Refresh says that the peer asks for everything of f again.
	Refresh(ctx context.Context, s *Session, f Family)
	// Again says that the peer begins to announce everything of f again, or with end that it has: what it did not repeat in between is withdrawn (RFC 7313 §4).
	Again(ctx context.Context, s *Session, f Family, end bool)
	// Down says that the session ended, and why. Its Send fails already.
	Down(ctx context.Context, s *Session, reason error)
}

// State is a state of RFC 4271 §8.2.2.
type State uint8

// The states.
const (
	Idle        State = iota // not running
	Connect                  // dialling
	Active                   // waiting for the peer or for the next attempt
	OpenSent                 // connected, the peer's OPEN has not come
	OpenConfirm              // OPENs exchanged, the peer's KEEPALIVE has not come
	Established
)

// String returns the name that RFC 4271 uses.
func (s State) String() string {
	return [...]string{"Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"}[s]
}

// Status is a copy of what is known of a peer.
type Status struct {
	State       State
	Since       time.Time   // of the state
	Negotiated  *Negotiated // of the last session that was established
	LocalAddr   string      // of the session
	RemoteAddr  string
	LastError   string // why the last session or attempt ended; "" when none did
	LastErrorAt time.Time
	Established uint64 // sessions established so far
}

// Words says how a peer is: "established", or its state and why it is not.
func (s Status) Words() string {
	switch {
	case s.State == Established:
		return "established"
	case s.LastError != "":
		return fmt.Sprintf("%s: %s", s.State, s.LastError)
	}
	return s.State.String()
}
