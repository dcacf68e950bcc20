package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// message is one step of the state machine of RFC 4271 §8.2.2 for connection c. An error ends the connection; a *Notification is sent first.
func (p *Peer) message(ctx context.Context, c *conn, typ uint8, body []byte) error {
	if typ == typeNotification {
		return decodeNotification(body)
	}
	switch {
	case c.state == OpenSent && typ == typeOpen:
		return p.opened(ctx, c, body)
	case c.state == OpenConfirm && typ == typeKeepalive:
		p.up(ctx, c)
		return nil
	case c.state == Established:
		return p.speak(ctx, c, typ, body)
	}
	sub := map[State]uint8{OpenSent: 1, OpenConfirm: 2}[c.state] // RFC 6608
	return &Notification{Code: 5, Subcode: sub, Data: []byte{typ}, Detail: fmt.Sprintf("message of type %d", typ)}
}

// opened answers the peer's OPEN with our KEEPALIVE, unless a collision says that the other connection stays.
func (p *Peer) opened(ctx context.Context, c *conn, body []byte) error {
	open, err := decodeOpen(body)
	if err != nil {
		return err
	}
	agreed, err := p.cfg.negotiate(open)
	if err != nil {
		return err
	}
	if lost := p.collision(c, open); lost == c {
		return Cease(CeaseCollision, "")
	} else if lost != nil && lost.state == Established {
		p.drop(ctx, lost, errors.New("the peer is back, and knows nothing of this session any more (RFC 4724 §4.2)"))
	} else if lost != nil {
		p.drop(ctx, lost, Cease(CeaseCollision, ""))
	}
	c.agreed, c.state = agreed, OpenConfirm
	c.most.Store(int32(agreed.MaxMessage()))
	p.setState(OpenConfirm)
	c.wait(agreed.Hold, p.cfg.OpenTimeout)
	c.agreedOn <- agreed.Hold
	return nil
}

// wait sets how long the reader waits for each message from now on. Before the session is established it never waits for ever.
func (c *conn) wait(hold, atMost time.Duration) {
	if atMost > 0 && (hold == 0 || hold > atMost) {
		hold = atMost
	}
	c.patience.Store(int64(hold))
}

// crossing is how long after a session came up a connection from the peer may still be one that it had begun before it knew of the session. Taken for a peer that is back it would end the session that has
// just begun, and who keeps routes over one restart deletes them in a second one that follows at once (RFC 4724 §4.2).
const crossing = 5 * time.Second

// collision returns the connection that has to go, or nil when c is alone (RFC 4271 §6.8). It is decided at the first OPEN, which names the
// peer's identifier, so that both sides choose the same one: the connection made by the side with the higher identifier stays;
// with equal identifiers the higher AS number decides (RFC 6286 §2.3).
func (p *Peer) collision(c *conn, open Open) *conn {
	for _, other := range p.conns {
		if other == c {
			continue
		}
		if other.state == Established && other.agreed.Graceful() && !c.outgoing && time.Since(other.since) >= crossing {
			return other
		}
		if other.state == Established {
			return c
		}
		oursStays := p.cfg.RouterID.Compare(open.ID) > 0 || p.cfg.RouterID == open.ID && p.cfg.LocalAS > open.AS
		if c.outgoing == oursStays {
			return other
		}
		return c
	}
	return nil
}

// up makes the session of c the peer's session.
func (p *Peer) up(ctx context.Context, c *conn) {
	for _, other := range p.conns {
		if other != c {
			p.drop(ctx, other, Cease(CeaseCollision, ""))
		}
	}
	p.retry.Stop()
	if p.dialling != nil {
		p.dialling() // no longer needed
	}
	c.state, c.since = Established, time.Now()
	c.wait(c.agreed.Hold, 0)
	c.session = &Session{Negotiated: c.agreed, conn: c}
	p.setState(Established)
	p.mu.Lock()
	p.status.Negotiated = &c.agreed
	p.status.LocalAddr, p.status.RemoteAddr = c.LocalAddr().String(), c.RemoteAddr().String()
	p.status.Established++
	p.mu.Unlock()
	p.lastLog = ""
	p.tell(ctx, slog.LevelInfo, "session established", "as", c.agreed.AS, "id", c.agreed.ID, "families", c.agreed.Families, "hold", c.agreed.Hold)
	p.h.Up(ctx, c.session)
}

// speak handles a message of an established session.
func (p *Peer) speak(ctx context.Context, c *conn, typ uint8, body []byte) error {
	switch typ {
	case typeKeepalive:
		return nil
	case typeUpdate:
		return p.h.Update(ctx, c.session, body)
	case typeRefresh:
		f := Family{uint16(body[0])<<8 | uint16(body[1]), body[3]}
		switch what := body[2]; {
		case what == refreshAsk:
			p.h.Refresh(ctx, c.session, f)
		case (what == refreshBegin || what == refreshEnd) && c.agreed.EnhancedRefresh && c.agreed.Has(f):
			p.h.Again(ctx, c.session, f, what == refreshEnd)
		} // others are to be ignored (RFC 7313 §5)
		return nil
	}
	return &Notification{Code: 5, Subcode: 3, Data: []byte{typ}, Detail: fmt.Sprintf("message of type %d", typ)}
}
