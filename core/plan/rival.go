package plan

import "github.com/sluice-gateway/sluice/core/packet"

// contested says whether s, which FlowSpec carries, shares a packet with a carried rule that fares differently: the order of evaluation decides something
// about it. Where FlowSpec carries both, their routes must, for a remedy may have taken away what they shared.
func (d *domain) contested(s *seat) bool {
	s.rival, s.rivalWay = nil, nil
	if d.uniform() {
		return false
	}
	d.near(s.card, func(o *seat) bool {
		if o == s || !o.state.carried() || !differ(o.card, s.card) || !s.collides(o) {
			return true
		}
		s.rival, s.rivalWay = o, o.way()
		return false
	})
	return s.rival != nil
}

// rivalStands says whether the rule that overlaps s and fares differently is still carried as it was.
func (s *seat) rivalStands() bool {
	return !s.rival.gone && s.rival.state.carried() && s.rival.way() == s.rivalWay
}

// meet has those verdicts said anew that new neighbours may change.
func (d *domain) meet() {
	forget := func(s *seat) bool {
		if s.state == asNative && s.rival == nil {
			s.said = nil
		}
		return true
	}
	if d.unmet {
		for _, b := range d.buckets {
			for _, s := range b.seats {
				forget(s)
			}
		}
	}
	for _, s := range d.pending {
		if !s.gone && s.state.carried() {
			d.near(s.card, forget)
		}
	}
	d.pending, d.unmet = nil, false
}

// collides says whether what is sent for s, and for o or the entries of o, share a packet.
func (s *seat) collides(o *seat) bool {
	if o.state == asFilter || !s.native().rewritten && !o.native().rewritten {
		return s.set.Overlaps(o.set)
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

// pieces returns the sets of the routes of s.
func (s *seat) pieces() []packet.Set {
	if w := s.native(); w.rewritten {
		return w.pieces()
	}
	return []packet.Set{s.set}
}
