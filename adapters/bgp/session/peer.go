package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Peer is one neighbour and its state machine.
type Peer struct {
	cfg Config
	h   Handler
	log *slog.Logger

	incoming chan net.Conn // from a Server
	dialled  chan dialled
	received chan received
	orders   chan order     // Reset and Teardown
	hints    chan struct{}  // capacity 1: see Hint
	ended    chan struct{}  // closed when Run takes no connection any more
	wg       sync.WaitGroup // everything that Run started

	mu     sync.Mutex // guards status
	status Status

	// The fields below belong to the goroutine of Run.
	conns    []*conn // at most one in each direction
	dialling context.CancelFunc
	retry    *time.Timer
	failures int       // attempts in a row, after the first of a session that ended
	short    int       // sessions in a row that ended soon
	hinted   time.Time // when Hint was last followed
	due      time.Time // the next attempt
	rest     time.Time // no session before then, see Teardown
	lastLog  string
	told     told
}

type dialled struct {
	conn net.Conn
	err  error
}

// NewPeer returns the peer that cfg describes. It does nothing before Run.
func NewPeer(cfg Config, h Handler) (*Peer, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("peer %s: %w", cfg.Name, err)
	}
	log := cfg.Log
	if log == nil {
		log = slog.Default()
	}
	return &Peer{
		cfg: cfg, h: h, log: log.With("peer", cfg.Name),
		incoming: make(chan net.Conn, 1), dialled: make(chan dialled), received: make(chan received), orders: make(chan order, 1), hints: make(chan struct{}, 1), ended: make(chan struct{}),
		status: Status{Since: time.Now()},
	}, nil
}

// Status returns a copy of what is known now.
func (p *Peer) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// Reset ends the session, if there is one, with n, which is not nil; the next attempt follows as after any failure.
func (p *Peer) Reset(n *Notification) { p.order(order{n: n}) }

// Teardown ends the session, if there is one, with n, so that nothing survives it (RFC 8538 §3), and has no other for as long as rest says.
func (p *Peer) Teardown(n *Notification, rest time.Duration) { p.order(order{n, rest}) }

type order struct {
	n    *Notification
	rest time.Duration // 0: a reset
}

func (p *Peer) order(o order) {
	select {
	case p.orders <- o:
	default: // one is under way
	}
}

// obey does what Reset and Teardown ask for.
func (p *Peer) obey(ctx context.Context, o order) {
	if o.rest > 0 {
		p.rest = time.Now().Add(o.rest)
	}
	for _, c := range p.conns {
		n := o.n
		if o.rest > 0 && c.state == Established {
			n = c.agreed.hard(n)
		}
		p.drop(ctx, c, n)
	}
}

// Run keeps the session up until ctx ends, then closes it: with "administrative shutdown", or without a word, see Config.Stay. Call it once.
func (p *Peer) Run(ctx context.Context) {
	p.retry = time.NewTimer(0)
	p.retry.Stop()
	defer p.retry.Stop()
	p.idle(0)
	for {
		select {
		case <-ctx.Done():
			p.shutdown(ctx)
			return
		case nc := <-p.incoming:
			p.accept(nc)
		case d := <-p.dialled:
			p.connected(ctx, d)
		case <-p.retry.C:
			p.dial(ctx)
		case r := <-p.received:
			p.take(ctx, r)
		case o := <-p.orders:
			p.obey(ctx, o)
		case <-p.hints:
			p.hasten()
		}
	}
}

func (p *Peer) shutdown(ctx context.Context) {
	for len(p.conns) > 0 {
		p.drop(ctx, p.conns[0], p.farewell(p.conns[0]))
	}
	if p.dialling != nil {
		p.dialling()
		if d := <-p.dialled; d.conn != nil {
			_ = d.conn.Close()
		}
	}
	close(p.ended)
	p.sendAway()
	p.wg.Wait()
	p.setState(Idle)
}

// farewell is how the session of c ends when Run does.
func (p *Peer) farewell(c *conn) error {
	switch {
	case c.state != Established:
		return Cease(CeaseShutdown, "sluice is stopping")
	case p.cfg.Stay && c.agreed.Graceful():
		return errStopping
	}
	return c.agreed.hard(Cease(CeaseShutdown, "sluice is stopping"))
}

var errStopping = errors.New("sluice is stopping, and the peer keeps what it has for a while")

// idle arranges the next attempt after wait.
func (p *Peer) idle(wait time.Duration) {
	p.setState(Active)
	if !p.cfg.Passive {
		wait = max(wait, time.Until(p.rest))
		p.due = time.Now().Add(wait)
		p.retry.Reset(wait)
	}
}

// goodFor is how long a session lasts that is no oscillation (RFC 4271 §8.1.1, DampPeerOscillations), and how far apart hints are that count.
const goodFor = 10 * time.Second

// sessionEnded has the first attempt after a session come soon: it stood, so the peer is there, whatever was before it. Sessions in a row that last no longer than goodFor are an oscillation, and
// the wait doubles with each of them.
func (p *Peer) sessionEnded(lasted time.Duration) {
	if lasted > goodFor {
		p.short = 0
	}
	p.failures = p.short
	p.short++
}

// Hint says that what may have ended the last sessions is gone, such as a route that the peer did not stand: the next attempt comes as soon as one after a good session. It is followed once in ten seconds,
// so that a peer that oscillates for another reason is not called more often for it. It never waits.
func (p *Peer) Hint() {
	select {
	case p.hints <- struct{}{}:
	default:
	}
}

// hasten does what Hint asks for.
func (p *Peer) hasten() {
	now := time.Now()
	if p.cfg.Passive || p.dialling != nil || len(p.conns) > 0 || p.due.Sub(now) <= p.cfg.RetryMin || now.Before(p.rest) || !p.hinted.IsZero() && now.Sub(p.hinted) < goodFor {
		return
	}
	p.hinted, p.failures = now, 0
	p.idle(p.backOff())
}

// backOff is the wait after a failure: doubling from RetryMin to RetryMax, less up to a quarter so that two peers do not collide for ever.
func (p *Peer) backOff() time.Duration {
	d := p.cfg.RetryMin
	for range p.failures {
		if d *= 2; d >= p.cfg.RetryMax {
			d = p.cfg.RetryMax
			break
		}
	}
	p.failures++
	return d - rand.N(d/4+1)
}

func (p *Peer) dial(ctx context.Context) {
	if p.dialling != nil || len(p.conns) > 0 {
		return // a connection came in meanwhile; what follows its end arms the timer again
	}
	p.setState(Connect)
	dctx, cancel := context.WithTimeout(ctx, p.cfg.OpenTimeout)
	p.dialling = cancel
	p.wg.Go(func() {
		nc, err := p.cfg.dial(dctx)
		p.dialled <- dialled{nc, err} // Run takes it, in shutdown at the latest
	})
}

func (p *Peer) connected(ctx context.Context, d dialled) {
	p.dialling()
	p.dialling = nil
	if d.err != nil {
		if len(p.conns) == 0 {
			p.failed(ctx, d.err)
			p.idle(p.backOff())
		}
		return
	}
	if p.established() != nil {
		_ = d.conn.Close()
		return
	}
	p.start(d.conn, true)
}

// offer hands over a connection that the peer made. It says false when another one waits already.
func (p *Peer) offer(nc net.Conn) bool {
	select {
	case p.incoming <- nc:
	default:
		return false
	}
	select {
	case <-p.ended: // perhaps after Run had looked
		p.sendAway()
	default:
	}
	return true
}

// sendAway closes the connection that nobody will take any more.
func (p *Peer) sendAway() {
	select {
	case nc := <-p.incoming:
		_ = nc.Close()
	default:
	}
}

// accept takes a connection from the peer. While a session is established a second one is refused (RFC 4271 §6.8), but for a peer that restarts gracefully: the
// first it may have lost without a word, and the OPEN on the second decides (RFC 4724 §4.2).
func (p *Peer) accept(nc net.Conn) {
	if time.Now().Before(p.rest) {
		refuse(nc, Cease(CeaseRejected, ""))
		return
	}
	for _, c := range p.conns {
		if c.state == Established && !c.agreed.Graceful() || c.state != Established && !c.outgoing {
			refuse(nc, Cease(CeaseCollision, ""))
			return
		}
	}
	p.start(nc, false)
}

// refuse says why and closes. It never waits: the message fits into an empty socket buffer.
func refuse(nc net.Conn, n *Notification) {
	_ = nc.SetDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = nc.Write(n.encode())
	_ = nc.Close()
}

// start begins the exchange of OPENs on a new connection.
func (p *Peer) start(nc net.Conn, outgoing bool) {
	open, err := p.cfg.encodeOpen()
	if err != nil {
		p.log.Error("cannot write an OPEN", "err", err)
		_ = nc.Close() // the reader notices
	}
	c := newConn(nc, outgoing, p.cfg.OpenTimeout)
	if p.established() == nil {
		p.setState(OpenSent)
	}
	p.conns = append(p.conns, c)
	p.wg.Go(func() { c.read(p.received) })
	p.wg.Go(func() { c.greet(open, p.cfg.OpenTimeout) })
}

// established returns the connection of the session, or nil.
func (p *Peer) established() *conn {
	for _, c := range p.conns {
		if c.state == Established {
			return c
		}
	}
	return nil
}

// take handles one message and lets the reader go on.
func (p *Peer) take(ctx context.Context, r received) {
	c := r.conn
	select {
	case <-c.closing: // dropped while the message was on its way
		return
	default:
	}
	err := r.err
	if err == nil {
		err = p.message(ctx, c, r.typ, r.body)
	}
	if err != nil {
		p.drop(ctx, c, err)
		return
	}
	select {
	case c.taken <- struct{}{}:
	case <-c.closing:
	}
}

// drop ends one connection. When it was the last, the next attempt is arranged.
func (p *Peer) drop(ctx context.Context, c *conn, reason error) {
	var n *Notification
	switch {
	case errors.As(reason, &n):
	case errors.Is(reason, io.EOF):
		reason = errors.New("the peer closed the connection")
	}
	if stuck := c.stuck(); stuck != nil && n == nil {
		reason = stuck
	}
	c.close(n)
	for i := range p.conns {
		if p.conns[i] == c {
			p.conns = append(p.conns[:i:i], p.conns[i+1:]...)
			break
		}
	}
	wasUp := c.state == Established
	if wasUp {
		p.h.Down(ctx, c.session, reason)
	}
	if len(p.conns) > 0 {
		if wasUp {
			p.failed(ctx, reason)
		} else {
			p.log.Debug("connection closed", "reason", reason)
		}
		return
	}
	p.failed(ctx, reason)
	if wasUp {
		p.sessionEnded(time.Since(p.Status().Since))
	}
	switch {
	case ctx.Err() != nil:
	case p.dialling != nil:
		p.setState(Connect)
	default:
		p.idle(p.backOff())
	}
}

// failed notes why an attempt or a session ended, and logs it unless it is the same as last time or our own wish.
func (p *Peer) failed(ctx context.Context, reason error) {
	p.mu.Lock()
	up := p.status.State == Established
	p.status.LastError, p.status.LastErrorAt = reason.Error(), time.Now()
	p.mu.Unlock()
	again := !up && p.lastLog == reason.Error()
	p.lastLog = reason.Error()
	var said *Notification
	switch {
	case ctx.Err() != nil:
		p.tell(ctx, slog.LevelInfo, "session closed", "reason", reason)
	case up && errors.As(reason, &said) && said.shutByPeer():
		p.tell(ctx, slog.LevelError, "session down: somebody shut it down or took it away over there, or the router stops", "reason", reason)
	case up:
		p.tell(ctx, slog.LevelWarn, "session down", "reason", reason)
	case again:
		p.log.Debug("no session", "reason", reason)
	default:
		p.tell(ctx, slog.LevelInfo, "no session", "reason", reason)
	}
}

func (p *Peer) setState(s State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.State != s {
		p.status.State, p.status.Since = s, time.Now()
	}
}
