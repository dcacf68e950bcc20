package session

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// goodbye bounds what a dying connection may take: for the NOTIFICATION to leave and for the peer to close.
const goodbye = time.Second

// conn is one TCP connection with a peer, from OPEN to close. Fields without a note belong to the goroutine of Peer.Run.
type conn struct {
	net.Conn
	outgoing bool
	state    State // OpenSent, OpenConfirm or Established
	agreed   Negotiated
	session  *Session  // once established
	since    time.Time // when that was

	agreedOn chan time.Duration // capacity 1: the hold time, once the peer's OPEN is accepted
	greeted  chan struct{}      // closed when our first KEEPALIVE is written: nothing but OPEN may come before it

	patience atomic.Int64  // nanoseconds that the reader waits for a message; 0: for ever
	most     atomic.Int32  // octets of a message from the peer
	taken    chan struct{} // the reader may go on: its message was handled
	closing  chan struct{} // closed by close
	once     sync.Once

	sending chan struct{}         // capacity 1: holds a token while a message is written. (Not a mutex, on which synctest cannot wait.)
	broken  atomic.Pointer[error] // why nothing can be written any more
}

func newConn(nc net.Conn, outgoing bool, patience time.Duration) *conn {
	c := &conn{Conn: nc, outgoing: outgoing, state: OpenSent, taken: make(chan struct{}), closing: make(chan struct{}), sending: make(chan struct{}, 1), agreedOn: make(chan time.Duration, 1), greeted: make(chan struct{})}
	c.patience.Store(int64(patience))
	c.most.Store(MaxMessage)
	return c
}

// received is a message, or the error that ended a connection.
type received struct {
	conn *conn
	typ  uint8
	body []byte
	err  error
}

// read hands messages to out, one at a time, until the connection ends. The hold timer is its read deadline: it runs only while we
// really wait for the peer, so a gateway that is busy itself does not blame the peer.
func (c *conn) read(out chan<- received) {
	r := bufio.NewReaderSize(c, 1<<16)
	for {
		c.arm()
		typ, body, err := readMessage(r, int(c.most.Load()))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = &Notification{Code: 4, Detail: fmt.Sprintf("nothing from the peer for %v", time.Duration(c.patience.Load()))}
		}
		select {
		case out <- received{c, typ, body, err}:
		case <-c.closing:
			c.drain(r)
			return
		}
		select {
		case <-c.taken:
		case <-c.closing:
			c.drain(r)
			return
		}
	}
}

func (c *conn) arm() {
	select {
	case <-c.closing: // close has set the deadline of drain
		return
	default:
	}
	var deadline time.Time
	if d := time.Duration(c.patience.Load()); d > 0 {
		deadline = time.Now().Add(d)
	}
	_ = c.SetReadDeadline(deadline)
}

// drain reads what is left until the peer closes: closing with unread octets makes the kernel send a reset, and a reset
// can overtake our NOTIFICATION.
func (c *conn) drain(r io.Reader) {
	_ = c.SetReadDeadline(time.Now().Add(goodbye))
	_, _ = io.Copy(io.Discard, r)
	_ = c.Close()
}

// send writes whole messages. A peer that takes nothing for longer than limit loses the connection (RFC 9687); 0 is no limit.
func (c *conn) send(b []byte, limit time.Duration) error {
	c.sending <- struct{}{}
	defer func() { <-c.sending }()
	for len(b) > 0 {
		piece := b[:whole(b)] // the limit is for progress, not for everything
		b = b[len(piece):]
		if err := c.sendPiece(piece, limit); err != nil {
			return err
		}
	}
	return nil
}

// whole is how many octets of b to write at once: whole messages, so that a NOTIFICATION that ends the session does not land inside another one.
func whole(b []byte) int {
	const most = 1 << 16
	n := 0
	for len(b)-n >= HeaderLen {
		length := int(binary.BigEndian.Uint16(b[n+16:]))
		if length < HeaderLen || n+length > min(len(b), most) {
			break
		}
		n += length
	}
	if n == 0 { // octets that are no messages
		return min(len(b), most)
	}
	return n
}

func (c *conn) sendPiece(b []byte, limit time.Duration) error {
	if broken := c.broken.Load(); broken != nil {
		return *broken
	}
	var deadline time.Time
	if limit > 0 {
		deadline = time.Now().Add(limit)
	}
	_ = c.SetWriteDeadline(deadline)
	select {
	case <-c.closing: // checked after setting the deadline, which close may have set before
		return net.ErrClosed
	default:
	}
	_, err := c.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("the peer has read nothing for %v (RFC 9687): %w", limit, err)
	}
	if err != nil {
		c.broken.CompareAndSwap(nil, &err)
		_ = c.Close() // the reader notices and the session ends
	}
	return err
}

// close ends the connection, with a NOTIFICATION unless n is nil or the octets of another message are stuck before it. The
// reader closes the socket when the peer did or after a moment.
func (c *conn) close(n *Notification) {
	c.once.Do(func() {
		close(c.closing)
		_ = c.SetWriteDeadline(time.Now().Add(goodbye)) // frees a writer that is stuck
		c.sending <- struct{}{}
		defer func() { <-c.sending }()
		if n != nil && !n.Received && c.broken.Load() == nil {
			_ = c.SetWriteDeadline(time.Now().Add(goodbye))
			_, _ = c.Write(n.encode())
		}
		closed := net.ErrClosed
		c.broken.CompareAndSwap(nil, &closed)
		if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
			_ = c.SetReadDeadline(time.Now().Add(goodbye))
			return
		}
		_ = c.Close()
	})
}

// stuck is why writing failed, or nil.
func (c *conn) stuck() error {
	if broken := c.broken.Load(); broken != nil {
		return *broken
	}
	return nil
}

// greet sends our OPEN, once the peer's was accepted a KEEPALIVE, and then one every third of the hold time until the connection closes (RFC 4271
// §4.4, §10). It is a goroutine of its own because a write may block, and one for all of these because their order matters: a peer that
// gets an UPDATE before the KEEPALIVE ends the session.
func (c *conn) greet(open []byte, limit time.Duration) {
	if c.send(open, limit) != nil {
		return
	}
	var hold time.Duration
	select {
	case hold = <-c.agreedOn:
	case <-c.closing:
		return
	}
	if c.send(message(typeKeepalive, nil), limit) != nil {
		return
	}
	close(c.greeted)
	if hold == 0 {
		return
	}
	t := time.NewTicker(hold / 3)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			if c.send(message(typeKeepalive, nil), sendLimit(hold)) != nil {
				return
			}
		case <-c.closing:
			return
		}
	}
}

// sendLimit is the send hold time: RFC 9687 §4 suggests the larger of 8 minutes and twice the hold time. A stuck peer must not
// hide that long from the operator, so it is twice the hold time here, and 8 minutes without one.
func sendLimit(hold time.Duration) time.Duration {
	if hold == 0 {
		return 8 * time.Minute
	}
	return 2 * hold
}

// Session is an established session. Its methods may be called from any goroutine.
type Session struct {
	Negotiated
	conn *conn
}

// Send writes one or more whole messages. It blocks while the peer does not read, and fails once the session is down. Calls do not
// interleave their octets.
func (s *Session) Send(messages []byte) error {
	select {
	case <-s.conn.greeted:
	case <-s.conn.closing:
		return net.ErrClosed
	}
	return s.conn.send(messages, sendLimit(s.Hold))
}

// LocalPort returns our TCP port; 0 where the connection has none.
func (s *Session) LocalPort() uint16 {
	if tcp, ok := s.conn.LocalAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Port()
	}
	return 0
}

// Done is closed when the session ends.
func (s *Session) Done() <-chan struct{} { return s.conn.closing }
