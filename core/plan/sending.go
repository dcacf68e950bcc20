package plan

import (
	"cmp"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// arrange puts in order what b sends, and keeps account of it.
func (d *domain) arrange(b *bucket) {
	d.sends, d.filtered = d.sends-b.sends, d.filtered-b.filtered
	b.arrange()
	b.stretch.stale()
	d.sends, d.filtered = d.sends+b.sends, d.filtered+b.filtered
	d.lossy.update(b)
}

// arrange puts the routes of b in the order of the device, and notes which of them another rule sends.
func (b *bucket) arrange() {
	simple := true
	b.sends, b.filtered = 0, 0
	for _, s := range b.seats {
		switch s.state {
		case asNative:
			b.sends++
			simple = simple && !s.native().rewritten
		case asFilter:
			b.filtered++
		}
	}
	if simple {
		b.laid, b.routes = nil, nil
		for _, s := range b.seats {
			s.laid = nil
			s.takes(nil)
		}
		return
	}
	b.lay()
	b.share()
	b.sends = len(b.routes)
}

// lay puts the routes of all rules of b into b.laid. Those of rules that are sent as before stand where they stood.
func (b *bucket) lay() {
	var fresh []sent
	for _, s := range b.seats {
		w := s.sentWay()
		if b.laid != nil && s.laid == w {
			continue
		}
		if s.laid = w; w == nil {
			continue
		}
		for k := range w.routes {
			fresh = append(fresh, sent{&w.routes[k], s, int32(k)})
		}
	}
	slices.SortStableFunc(fresh, compareSent)
	out := make([]sent, 0, len(b.laid)+len(fresh))
	for _, one := range b.laid {
		if w := one.seat.sentWay(); one.seat.gone || w == nil || int(one.part) >= len(w.routes) || &w.routes[one.part] != one.route {
			continue
		}
		for len(fresh) > 0 && compareSent(fresh[0], one) < 0 {
			out, fresh = append(out, fresh[0]), fresh[1:]
		}
		out = append(out, one)
	}
	b.laid = append(out, fresh...)
}

// sentWay returns how FlowSpec carries the rule, or nil where it does not.
func (s *seat) sentWay() *way {
	if s.state != asNative {
		return nil
	}
	return s.native()
}

func compareSent(x, y sent) int {
	return cmp.Or(flowspec.Compare(x.route.Match, y.route.Match), flowspec.Compare(x.seat.rule.Match, y.seat.rule.Match))
}

// share leaves to b.routes those of b.laid that are sent: of equal ones the first.
func (b *bucket) share() {
	var taken map[*seat][]*seat
	b.routes = b.laid[:0:0]
	last := 0 // of b.laid that is sent
	for i, one := range b.laid {
		if i == 0 || !b.laid[last].route.Match.Equal(one.route.Match) {
			last = i
			if taken != nil {
				b.routes = append(b.routes, one)
			}
			continue
		}
		if taken == nil {
			taken, b.routes = make(map[*seat][]*seat), slices.Clone(b.laid[:i])
		}
		if taken[one.seat] == nil {
			taken[one.seat] = make([]*seat, len(one.seat.native().routes))
		}
		taken[one.seat][one.part] = b.laid[last].seat
	}
	if taken == nil {
		b.routes = b.laid
	}
	for _, s := range b.seats {
		if now := taken[s]; !slices.Equal(now, s.taken()) {
			s.takes(now)
		}
	}
}

// takes notes which routes of s others send.
func (s *seat) takes(taken []*seat) {
	if s.taken() != nil || taken != nil {
		s.extra().taken = taken
		s.forget()
	}
}

// sending appends the routes that b sends, in the order of the device.
func (b *bucket) sending(out []*device.Route) []*device.Route {
	if b.routes != nil {
		for _, one := range b.routes {
			out = append(out, one.route)
		}
		return out
	}
	for _, s := range b.seats {
		if s.state == asNative {
			out = append(out, &s.native().routes[0])
		}
	}
	return out
}
