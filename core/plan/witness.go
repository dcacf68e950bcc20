package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// witness returns a packet that fares otherwise than asked because s is rejected, or would have if it had been carried.
func (d *domain) witness(s *seat, n note) *table.Difference {
	c := s.card
	s.forgetProbes()
	switch {
	case c.native.witness != nil:
		return c.native.witness
	case c.inFilter != nil && c.inFilter.witness != nil:
		return c.inFilter.witness
	case c.inFilter != nil && c.inFilter.policers:
		return pair(c, c.inFilter.pieces())
	case n.conflict != nil && n.conflict.ready != nil:
		return n.conflict.ready
	case n.conflict != nil:
		want, got := n.conflict.want, n.conflict.got
		first := want
		if flowspec.Compare(got.rule.Match, want.rule.Match) < 0 {
			first = got
		}
		if h, ok := s.open(n.conflict.packets, first); ok {
			return &table.Difference{Packet: h, WantEntry: string(want.rule.ID), GotEntry: string(got.rule.ID),
				Want: want.want.String(), Got: got.want.String()}
		}
	}
	return d.missed(s)
}

// pair returns two packets that should share the policer of c, and would not if its pieces had one each. Two pieces nearly always show it; all of them do.
func pair(c *card, sets []packet.Set) *table.Difference {
	for _, few := range [][]packet.Set{sets[:min(len(sets), 2)], sets} {
		want, got := make(table.Table, len(few)), make(table.Table, len(few))
		for k, s := range few {
			do := *c.want
			want[k] = table.Entry{ID: string(c.rule.ID), Match: s, Do: do}
			do.Policer = fmt.Sprintf("%s-%d", c.rule.ID, k+1)
			got[k] = table.Entry{ID: do.Policer, Match: s, Do: do}
		}
		if d := table.Diff(want, got); d != nil {
			return d
		}
	}
	return nil
}

// missed returns a packet that s asks for and that fares otherwise now.
func (d *domain) missed(s *seat) *table.Difference {
	h, ok := s.open(s.set, s.card)
	if !ok {
		return nil
	}
	out := &table.Difference{Packet: h, WantEntry: string(s.rule.ID), Want: s.want.String(), Got: table.Outcome{}.String()}
	first := d.first(h)
	probes := s.probes()
	probes[len(probes)-1].by = s.last(first)
	if first != nil {
		out.GotEntry, out.Got = string(first.rule.ID), first.want.String()
	}
	if out.Want == out.Got {
		return nil
	}
	return out
}

// probe is a packet that was looked at for the witness of a rule, and the rule at which the search ended. What stands behind it does not matter.
type probe struct {
	packet packet.Header
	by     *card // nil: every rule matters
}

// last returns where the search for the first rule ended, and before it that for one in front of s: at first, or nowhere.
func (s *seat) last(first *seat) *card {
	if first == nil || compareCards(first.card, s.card) < 0 {
		return nil
	}
	return first.card
}

// looks notes that h was looked at for the witness of s, and where the search ended.
func (s *seat) looks(h packet.Header, by *card) {
	s.extra().probes = append(s.extra().probes, probe{h, by})
}

// turns says whether the witness of s may be another one because o is carried now and was not, or the other way round.
func (s *seat) turns(o *seat) bool {
	return slices.ContainsFunc(s.probes(), func(p probe) bool {
		return (p.by == nil || p.by == o.card || o.counts && compareCards(o.card, p.by) < 0) && o.set.Has(p.packet)
	})
}

// open returns a packet of packets that no carried rule in front of c decides. It takes a bounded number of such rules out.
func (s *seat) open(packets packet.Set, c *card) (packet.Header, bool) {
	for range 2 * entangled {
		h, ok := packets.Witness()
		if !ok {
			return h, false
		}
		first := s.bucket.domain.deciding(h, c)
		if first == nil {
			s.looks(h, c)
			return h, true
		}
		s.looks(h, first.card)
		if packets, ok = packets.Outside(exactSteps, first.set); !ok {
			return h, false
		}
	}
	return packet.Header{}, false
}

// deciding returns the carried rule in front of c that decides h, or nil.
func (d *domain) deciding(h packet.Header, c *card) (found *seat) {
	d.matching(h, func(s *seat) bool {
		if flowspec.Compare(s.rule.Match, c.rule.Match) >= 0 {
			return false
		}
		if !s.rule.Action.Continue {
			found = s
		}
		return found == nil
	})
	return found
}

// first returns the first carried rule that matches h, or nil.
func (d *domain) first(h packet.Header) (found *seat) {
	d.matching(h, func(s *seat) bool {
		found = s
		return false
	})
	return found
}

// matching calls visit with the carried rules that match h, in order, until visit returns false.
func (d *domain) matching(h packet.Header, visit func(*seat) bool) {
	g := glanceAt(&h)
	look := func(s *seat) bool { return !s.state.carried() || !s.set.Has(h) || visit(s) }
	for _, b := range d.byDst.Supernets(netip.PrefixFrom(h.Dst, h.Dst.BitLen())) {
		if !b.near(&g, look) {
			return
		}
	}
	d.loose.near(&g, look)
}
