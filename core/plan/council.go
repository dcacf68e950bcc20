package plan

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// council is rules that must be carried by one mechanism, or whose order the device does not keep, settled together: a connected part of the graph in which rules are
// joined when they share packets and fare differently (see platform.joined), if one of them needs the filter, or the order of the device is not known. The buckets
// settle all other rules: whatever settling one rule asks about others, it asks about rules that are joined to it.
type council struct {
	seats []*seat
}

// councils is those of a domain.
type councils struct {
	all map[*council]bool
	// Since they were last convened:
	dissolved []*seat // members of councils that are no more
	called    []*seat // rules that came or fare otherwise
}

// seeds says whether s makes a council of the rules that it is joined to.
func (d *domain) seeds(s *seat) bool {
	if s.nothing {
		return false
	}
	return s.own.state == asFilter || d.anyOrder()
}

// anyOrder says whether the order of the device is not known.
func (d *domain) anyOrder() bool { return d.limits != nil && d.limits.order.Kind == "unknown" }

// dissolve ends a council.
func (d *domain) dissolve(c *council) {
	if c == nil || !d.council.all[c] {
		return
	}
	delete(d.council.all, c)
	for _, s := range c.seats {
		s.with = nil
		d.council.dissolved = append(d.council.dissolved, s)
	}
}

// convene makes the councils that there must be now, and gives every rule that was called its fate. It returns those that fare otherwise than before.
func (d *domain) convene() (changed []*seat) {
	standing := len(d.council.all) > 0
	called := d.council.called
	for _, s := range called { // a council is dissolved where something happened to a member
		d.dissolve(s.with)
	}
	for _, s := range append(called, d.council.dissolved...) {
		if s.with == nil && d.seeds(s) && !s.gone {
			changed = d.assemble(s, changed)
		}
	}
	if standing {
		for _, s := range called {
			if s.with == nil && !s.gone && d.meetsCouncil(s) {
				changed = d.assemble(s, changed)
			}
		}
	}
	for _, s := range append(called, d.council.dissolved...) {
		if s.with == nil && !s.gone && s.fate != s.own {
			d.becomes(s, s.own)
			changed = append(changed, s)
		}
	}
	d.council.called, d.council.dissolved = nil, nil
	return changed
}

// meetsCouncil says whether s is joined to a rule that is in a council.
func (d *domain) meetsCouncil(s *seat) (found bool) {
	if len(d.council.all) == 0 || s.nothing {
		return false
	}
	d.near(s.card, func(o *seat) bool {
		found = o.with != nil && o != s && d.p.joined(s.card, o.card)
		return !found
	})
	return found
}

// byDestination returns the rules that begin with a destination prefix.
func (d *domain) byDestination() *row {
	out := &row{}
	for b := range d.order.all() {
		if b.kind != byDst {
			break // those by destination come first
		}
		out.seats, out.at = append(out.seats, b.seats...), append(out.at, b.at...)
	}
	return out
}

// without takes the members of c out.
func (r *row) without(c *council) {
	n := 0
	for i, s := range r.seats {
		if s.with != c {
			r.seats[n], r.at[n] = s, r.at[i]
			n++
		}
	}
	r.seats, r.at = r.seats[:n], r.at[:n]
}

// assemble makes the council of whatever s is joined to, and settles it. It appends the members that fare otherwise than before to changed.
func (d *domain) assemble(s *seat, changed []*seat) []*seat {
	c := &council{seats: []*seat{s}}
	s.with = c
	var rest *row // those by destination that are not in it, once there is a rule that any of them may be joined to
	for at := 0; at < len(c.seats); at++ {
		one := c.seats[at]
		join := func(o *seat) bool {
			if o.with == c || !d.p.joined(one.card, o.card) {
				return true
			}
			d.dissolve(o.with)
			o.with = c
			c.seats = append(c.seats, o)
			return true
		}
		if one.lead.kind == byDst {
			d.near(one.card, join)
			continue
		}
		d.nearLoose(one.card, join)
		if rest == nil {
			rest = d.byDestination()
		}
		rest.near(&one.glance, join)
		rest.without(c)
	}
	if len(c.seats) == 1 && s.own.state != asFilter {
		s.with = nil
		return changed
	}
	slices.SortFunc(c.seats, func(x, y *seat) int { return flowspec.Compare(x.rule.Match, y.rule.Match) })
	if d.council.all == nil {
		d.council.all = make(map[*council]bool)
	}
	d.council.all[c] = true
	cards := make([]*card, len(c.seats))
	for i, s := range c.seats {
		cards[i] = s.card
	}
	pl := newPlane(d.p, cards)
	pl.index()
	pl.settle()
	for i, f := range pl.fates() {
		if s := c.seats[i]; s.fate != f {
			d.becomes(s, f)
			changed = append(changed, s)
		}
	}
	return changed
}
