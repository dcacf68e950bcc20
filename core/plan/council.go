package plan

import "slices"

// council is rules that must be carried by one mechanism, or whose order the device does not keep, settled together: a connected part of the graph in which rules are
// joined when they share packets and fare differently (see platform.joined), if one of them needs the filter, or the order of the device is not known. The buckets
// settle all other rules: whatever settling one rule asks about others, it asks about rules that are joined to it.
type council struct {
	seats []*seat
	tree  []edge // what is known of who is joined to whom, until it is settled
	fates []fate // of the seats, until these have them
}

// councils is those of a domain.
type councils struct {
	all map[*council]bool
	// Since they were last convened:
	dissolved []*seat // members of councils that are no more
	called    []*seat // rules that came or fare otherwise
	field     *field  // nil: not needed so far
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

// convene makes the councils that there must be now, and gives every rule that was called its fate. It appends those that fare otherwise than before to changed.
func (d *domain) convene(changed []*seat) []*seat {
	standing := len(d.council.all) > 0
	called := d.council.called
	var made []*council
	for _, s := range called { // a council is dissolved where something happened to a member
		d.dissolve(s.with)
	}
	all := append(called, d.council.dissolved...)
	for _, s := range all {
		if s.with == nil && d.seeds(s) && !s.gone {
			made = d.assemble(s, made)
		}
	}
	if standing {
		for _, s := range called {
			if s.with == nil && !s.gone && d.meetsCouncil(s) {
				made = d.assemble(s, made)
			}
		}
	}
	if len(made) > 0 {
		spread(len(made), 1, func() func(int) { return func(i int) { made[i].settle(d.p) } })
	}
	for _, c := range made {
		changed = d.decided(c, changed)
	}
	if len(d.council.dissolved) > 0 { // more of them may be by now
		all = append(called, d.council.dissolved...)
	}
	for _, s := range all {
		if s.with == nil && !s.gone && s.fate != s.own {
			d.becomes(s, s.own)
			changed = append(changed, s)
		}
	}
	d.council.called, d.council.dissolved, d.council.field = emptied(called), nil, nil
	return changed
}

// meetsCouncil says whether s is joined to a rule that is in a council.
func (d *domain) meetsCouncil(s *seat) (found bool) {
	if len(d.council.all) == 0 || s.nothing {
		return false
	}
	d.near(s.card, 0, func(o *seat) bool {
		found = o.with != nil && o != s && d.p.joined(s.card, o.card)
		return !found
	})
	return found
}

// field is all rules of a domain in order, for questions about what hangs together where many rules may.
type field struct {
	seats []*seat
	walk  *walk
	rank  []int32 // of the seats in their councils
}

func (d *domain) newField() *field {
	f := &field{}
	var cards []*card
	for b := range d.order.all() {
		for _, s := range b.seats {
			f.seats, cards = append(f.seats, s), append(cards, s.card)
		}
	}
	f.rank = make([]int32, len(cards))
	f.walk = newPlane(d.p, cards).walk(func(int32) bool { return true })
	return f
}

// around returns the rules that s hangs together with, and by which neighbours.
func (f *field) around(s *seat) ([]*seat, []edge) {
	i, _ := slices.BinarySearchFunc(f.seats, s, compareSeats)
	before := len(f.walk.pl.tree)
	members := f.walk.from(int32(i), len(f.seats))
	out := make([]*seat, len(members))
	for k, i := range members {
		out[k], f.rank[i] = f.seats[i], int32(k)
	}
	tree := slices.Clone(f.walk.pl.tree[before:])
	for k, e := range tree {
		tree[k] = edge{f.rank[e.a], f.rank[e.b]}
	}
	return out, tree
}

// hanging returns s and the rules that it is joined to, those that these are joined to, and so on, in order. They go from neighbour to neighbour as long as all begin with
// a destination prefix: others have neighbours all over. It also returns what is known of who is joined to whom.
func (d *domain) hanging(s *seat) ([]*seat, []edge) {
	out, in := []*seat{s}, map[*seat]bool{s: true}
	if d.uniform() && !d.p.twice(s.card) {
		return out, nil
	}
	loose := s.kind != byDst
	for at := 0; at < len(out) && !loose; at++ {
		one := out[at]
		d.near(one.card, 0, func(o *seat) bool {
			if !in[o] && d.p.joined(one.card, o.card) {
				out, in[o] = append(out, o), true
				loose = loose || o.kind != byDst
			}
			return !loose
		})
	}
	if !loose {
		slices.SortFunc(out, compareSeats)
		return out, nil
	}
	if d.council.field == nil {
		d.council.field = d.newField()
	}
	return d.council.field.around(s)
}

// assemble appends the council of whatever s is joined to to made, if there must be one.
func (d *domain) assemble(s *seat, made []*council) []*council {
	c := &council{}
	if c.seats, c.tree = d.hanging(s); len(c.seats) == 1 && s.own.state != asFilter {
		return made
	}
	for _, s := range c.seats {
		d.dissolve(s.with)
		s.with = c
	}
	if d.council.all == nil {
		d.council.all = make(map[*council]bool)
	}
	d.council.all[c] = true
	return append(made, c)
}

// settle finds out how the members of c fare, which depends on nobody else.
func (c *council) settle(p *platform) {
	cards := make([]*card, len(c.seats))
	for i, s := range c.seats {
		cards[i] = s.card
	}
	pl := newPlane(p, cards)
	pl.tree = c.tree
	pl.settle()
	c.fates, c.tree = pl.fates(), nil
}

// decided gives the members of c, which was settled, their fates, unless it was dissolved meanwhile. It appends those that fare otherwise than before to changed.
func (d *domain) decided(c *council, changed []*seat) []*seat {
	if d.council.all[c] {
		for i, f := range c.fates {
			if s := c.seats[i]; s.fate != f {
				d.becomes(s, f)
				changed = append(changed, s)
			}
		}
	}
	c.fates = nil
	return changed
}
