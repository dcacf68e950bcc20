package bgp

import (
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// up begins to write to a new session: everything that is owed, then End-of-RIB. Called from the peer's goroutine.
func (d *Device) up(s *session.Session) {
	d.mu.Lock()
	d.session, d.marked = s, false
	d.queue, d.asked = d.queue[:0], d.asked[:0]
	for _, o := range d.routes {
		o.sent, o.queued, o.again = nil, false, false
		d.enqueue(o)
	}
	d.kick()
	d.mu.Unlock()
	d.writer.Go(func() { d.write(s) })
}

// down forgets what the lost session was sent. What the peer is owed stays.
func (d *Device) down() {
	d.writer.Wait() // its Send fails since the session ended
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = nil
	d.queue = d.queue[:0]
	for k, o := range d.routes {
		o.sent, o.queued, o.again = nil, false, false
		if o.want == nil {
			delete(d.routes, k)
		}
	}
	d.answer(d.waiting, nil) // Apply promised delivery when the session comes up
	d.waiting = nil
}

// resend makes the writer send everything of a family again (RFC 2918 §4). However often a peer asks, the table is walked once for each time that it reads
// the answer.
func (d *Device) resend(f flowspec.Family) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.asked, f) {
		d.asked = append(d.asked, f)
	}
	d.kick()
}

// write sends what differs, for as long as the session lasts. A peer that reads slowly makes the next difference larger, never a queue longer.
func (d *Device) write(s *session.Session) {
	settled := d.settled
	for {
		select {
		case <-settled:
			settled = nil // once is enough
		case <-d.wake:
		case <-s.Done():
			return
		}
		items, waiting, mark, again := d.take(s)
		messages, items, fault := d.encode(items, format{s.Negotiated, d.alone, d.form})
		messages = framed(messages, again)
		if mark {
			for _, f := range s.Families {
				messages, _ = session.AppendUnreach(messages, f, nil, session.MaxMessage) // without NLRIs it always fits
			}
		}
		err := s.Send(messages)
		if err == nil {
			d.settle(items, len(messages))
			d.complete.CompareAndSwap(false, mark)
		}
		d.answer(waiting, fault)
		if err != nil {
			return // the session is ending; what is owed goes when the next one is up
		}
	}
}

// encode returns the UPDATEs of items, and the items that are in them. One that cannot be encoded is a fault of ours, since record has measured every
// route: it is left out and named, and takes no other with it.
func (d *Device) encode(items []item, agreed format) ([]byte, []item, error) {
	messages, err := encode(nil, items, agreed)
	if err == nil {
		return messages, items, nil
	}
	d.log.Error("cannot encode something that the peer is owed", "err", err)
	good := items[:0]
	for _, it := range items {
		if _, err := encode(nil, []item{it}, agreed); err == nil {
			good = append(good, it)
		}
	}
	messages, again := encode(nil, good, agreed)
	if again != nil {
		return nil, nil, again
	}
	return messages, good, err
}

// take empties the queue, in the order in which it is to be written. mark says that End-of-RIB is due: once the gateway has said what the peer is to have, and knows all of it, since a mark before
// that tells a router to drop what it kept from the last session (RFC 4724 §4.2).
// again are the families that go again as a whole, between marks: not before End-of-RIB was sent (RFC 7313 §4).
func (d *Device) take(s *session.Session) (items []item, waiting []chan error, mark bool, again []session.Family) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.asked) > 0 {
		if s.EnhancedRefresh && d.marked {
			for _, f := range d.asked {
				again = append(again, familyOut(f))
			}
		}
		for _, o := range d.routes {
			if o.want != nil && slices.Contains(d.asked, o.key.family) {
				o.again = true
				d.enqueue(o)
			}
		}
		d.asked = d.asked[:0]
	}
	for _, o := range d.queue {
		again := o.again
		o.queued, o.again = false, false
		it := item{owed: o, want: o.want, sent: o.sent}
		switch {
		case s.Has(familyOut(o.key.family)) && (it.differs() || again && it.want != nil):
			items = append(items, it)
		case it.want == nil && d.routes[o.key] == o:
			delete(d.routes, o.key)
		}
	}
	d.queue = d.queue[:0]
	held := 0
	if d.room > 0 {
		held = d.held()
	}
	items, first := arranged(items, held, d.room)
	if first > 0 {
		d.log.Warn("the router has no room for both tables: routes are withdrawn before others are announced", "first", first, "held", held, "room", d.room)
	}
	waiting, d.waiting = d.waiting, nil
	mark = d.started && !d.marked && d.allSaid()
	d.marked = d.marked || mark
	return items, waiting, mark, again
}

// framed puts the marks of RFC 7313 around messages.
func framed(messages []byte, again []session.Family) []byte {
	if len(again) == 0 {
		return messages
	}
	var out []byte
	for _, f := range again {
		out = append(out, session.AgainMessage(f, false)...)
	}
	out = append(out, messages...)
	for _, f := range again {
		out = append(out, session.AgainMessage(f, true)...)
	}
	return out
}

// allSaid says whether the rules that the gateway has are complete.
func (d *Device) allSaid() bool {
	if d.settled == nil {
		return true
	}
	select {
	case <-d.settled:
		return true
	default:
		return false
	}
}

// settle notes what was sent.
func (d *Device) settle(items []item, octets int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out.Octets += uint64(octets)
	var now int64
	if d.monitor != nil {
		now = time.Now().UnixNano()
	}
	for _, it := range items {
		if it.owed.sent == nil || it.differs() { // one that the router asked for again stays as old as it is
			it.owed.at = now
		}
		it.owed.sent = it.want
		if it.want != nil {
			d.out.Announced++
			continue
		}
		d.out.Withdrawn++
		if it.owed.want == nil && !it.owed.queued { // while it is queued it keeps its place, or another would stand beside it
			delete(d.routes, it.key)
		}
	}
}

func (d *Device) answer(waiting []chan error, err error) {
	for _, ch := range waiting {
		ch <- err
	}
}
