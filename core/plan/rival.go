package plan

import "github.com/sluice-gateway/sluice/core/packet"

// contested says whether s, which FlowSpec carries, shares a packet with a carried rule that fares differently: the order of evaluation decides something
// about it. Where FlowSpec carries both, their routes must, for a remedy may have taken away what they shared.
func (d *domain) contested(s *seat, room *room) bool {
	s.rival = nil
	if d.uniform() {
		return false
	}
	known, alone := room.rivalry.known(room.at)
	if alone {
		return false
	}
	if known != nil && s.contests(known) {
		s.rival = known
		return true
	}
	overlaps := false // somebody who need not be carried
	d.near(s.card, s.number, func(o *seat) bool {
		switch {
		case s.contests(o):
			s.rival = o
		case room.rivalry != nil && !overlaps:
			overlaps = o != s && differ(o.card, s.card) && s.set.Overlaps(o.set)
		}
		return s.rival == nil
	})
	room.rivalry.tell(room.at, s.rival, overlaps)
	return s.rival != nil
}

// contests says whether o, if it is another rule, is carried and shares a packet with s, which is carried and fares differently.
func (s *seat) contests(o *seat) bool {
	return o != s && o.state.carried() && differ(o.card, s.card) && s.collides(o)
}

// forget has the verdict of s said anew.
func (s *seat) forget() {
	s.said = nil
	s.bucket.stretch.stale()
}

// meet has those verdicts said anew that other neighbours may change.
func (d *domain) meet() {
	if d.unmet {
		for b := range d.order.all() {
			for _, s := range b.seats {
				if s.state == asNative {
					s.forget()
				}
			}
		}
	}
	for _, s := range d.pending {
		d.near(s.card, 0, func(o *seat) bool {
			if o.state == asNative && (o.rival == nil || o.rival == s) {
				o.forget()
			}
			return true
		})
	}
	d.pending, d.unmet = nil, false
}

// collides says whether what is sent for s, and for o or the entries of o, share a packet.
func (s *seat) collides(o *seat) bool {
	if !s.set.Overlaps(o.set) {
		return false
	}
	if o.state == asFilter || !s.mended() && !o.mended() {
		return true // what is sent for each is all that it matches
	}
	for _, x := range s.pieces() {
		for _, y := range o.pieces() {
			if x.Overlaps(y) {
				return true
			}
		}
	}
	return false
}

// mended says whether s goes otherwise than its card says.
func (s *seat) mended() bool { return s.note != nil && s.note.mended != nil }

// pieces returns the sets of the routes of s.
func (s *seat) pieces() []packet.Set {
	if w := s.native(); w.rewritten {
		return w.pieces()
	}
	return []packet.Set{s.set}
}
