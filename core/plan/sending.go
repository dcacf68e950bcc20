package plan

import (
	"cmp"
	"iter"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// moved is a rule of which something else may be sent now, and how it was before the changes at hand.
type moved struct {
	seat     *seat
	was      account
	from, to int   // what was sent of it, in ripple.was
	next     int32 // the next of its bucket, see bucket.moved
}

// account is how many rules FlowSpec carries, how many of them otherwise than they came, and how many the filter does.
type account struct{ natives, rewritten, filtered int32 }

func (a *account) add(b account, times int32) {
	a.natives, a.rewritten, a.filtered = a.natives+times*b.natives, a.rewritten+times*b.rewritten, a.filtered+times*b.filtered
}

// account returns what s adds to that of its bucket.
func (s *seat) account() (out account) {
	switch w := s.sentWay(); {
	case w != nil && w.rewritten:
		out.natives, out.rewritten = 1, 1
	case w != nil:
		out.natives = 1
	case s.state == asFilter && !s.gone:
		out.filtered = 1
	}
	return out
}

// keep notes what is sent of s, before that changes. Where every bucket is settled it notes only that the bucket of s must be arranged.
func (d *domain) keep(s *seat) {
	r, b := d.ripple, s.bucket
	if s.kept || r.bulk && b.moved > 0 {
		return
	}
	if b.moved == 0 {
		r.kept = append(r.kept, b)
	}
	if r.bulk {
		b.moved = 1
		return
	}
	one := moved{seat: s, was: s.account(), from: len(r.was), next: b.moved}
	r.was = s.sending(r.was)
	one.to = len(r.was)
	r.moved = append(r.moved, one)
	b.moved, s.kept = int32(len(r.moved)), true
}

// movedOf yields the moved rules of b.
func (r *ripple) movedOf(b *bucket) iter.Seq[*moved] {
	return func(yield func(*moved) bool) {
		for i := b.moved; i > 0; i = r.moved[i-1].next {
			if !yield(&r.moved[i-1]) {
				return
			}
		}
	}
}

// arrange puts in order what b sends, and keeps account of it.
func (d *domain) arrange(b *bucket) {
	sent, filtered := b.sends(), b.filtered
	if d.ripple.bulk {
		b.account = account{}
		for _, s := range b.seats {
			b.add(s.account(), 1)
		}
		d.lossy.update(b)
	} else {
		for m := range d.ripple.movedOf(b) {
			b.add(m.was, -1)
			b.add(m.seat.account(), 1)
			d.lossy.refresh(m.seat)
		}
	}
	switch {
	case b.rewritten == 0:
		b.laid, b.routes = nil, nil
		d.share(b)
	case d.ripple.bulk || b.laid == nil || !d.relay(b):
		b.lay()
		d.share(b)
	}
	b.stretch.stale()
	d.sends, d.filtered = d.sends+b.sends()-sent, d.filtered+int(b.filtered-filtered)
}

// sends returns how many routes b sends.
func (b *bucket) sends() int {
	if b.rewritten > 0 {
		return len(b.routes)
	}
	return int(b.natives)
}

// lay puts the routes of all rules of b into b.laid.
func (b *bucket) lay() {
	n := 0
	for _, s := range b.seats {
		if w := s.sentWay(); w != nil {
			n += len(w.routes)
		}
	}
	b.laid = make([]sent, 0, n)
	for _, s := range b.seats {
		b.laid = s.lay(b.laid)
	}
	slices.SortStableFunc(b.laid, compareSent)
}

// lay appends the routes of s.
func (s *seat) lay(out []sent) []sent {
	if w := s.sentWay(); w != nil {
		for k := range w.routes {
			out = append(out, sent{&w.routes[k], s, int32(k)})
		}
	}
	return out
}

// relay is lay for the moved rules of b alone: all others are sent as before. It says whether these are so few that it did so.
func (d *domain) relay(b *bucket) bool {
	var fresh []sent
	var one *seat // that moved; nil: several
	n := 0
	for m := range d.ripple.movedOf(b) {
		fresh, one = m.seat.lay(fresh), m.seat
		n++
	}
	if len(fresh) > fewFresh {
		return false
	}
	b.laid = slices.DeleteFunc(b.laid, func(x sent) bool { return x.seat == one || n > 1 && x.seat.kept })
	if len(b.laid)+len(fresh) > cap(b.laid) {
		b.laid = append(make([]sent, 0, len(b.laid)+len(fresh)), b.laid...)
	}
	twice := b.shares
	for _, one := range fresh {
		at, _ := slices.BinarySearchFunc(b.laid, one, compareSent)
		b.laid = slices.Insert(b.laid, at, one)
		twice = twice || at > 0 && b.laid[at-1].equals(one) || at+1 < len(b.laid) && b.laid[at+1].equals(one)
	}
	if b.routes = b.laid; twice {
		d.share(b)
	}
	return true
}

// fewFresh is how many routes are put among those of a bucket one by one.
const fewFresh = 64

// sentWay returns how FlowSpec carries the rule, or nil where it does not.
func (s *seat) sentWay() *way {
	if s.state != asNative || s.gone {
		return nil
	}
	return s.native()
}

func (x sent) equals(y sent) bool { return x.route.Match.Equal(y.route.Match) }

func compareSent(x, y sent) int {
	return cmp.Or(flowspec.Compare(x.route.Match, y.route.Match), flowspec.Compare(x.seat.rule.Match, y.seat.rule.Match))
}

// share leaves to b.routes those of b.laid that are sent: of equal ones the first.
func (d *domain) share(b *bucket) {
	var taken map[*seat][]*seat
	b.routes = b.laid
	last := 0 // of b.laid that is sent
	for i, one := range b.laid {
		if i == 0 || !b.laid[last].equals(one) {
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
	if taken == nil && !b.shares {
		return
	}
	b.shares = taken != nil
	for _, s := range b.seats {
		if now := taken[s]; !slices.Equal(now, s.taken()) {
			d.keep(s)
			s.extra().taken = now
			s.forget()
		}
	}
}

// sending appends the routes that b sends, in the order of the device.
func (b *bucket) sending(out []*device.Route) []*device.Route {
	if b.rewritten > 0 {
		for _, one := range b.routes {
			out = append(out, one.route)
		}
		return out
	}
	for _, s := range b.seats {
		out = s.sending(out)
	}
	return out
}

// sending appends the routes that are sent of s.
func (s *seat) sending(out []*device.Route) []*device.Route {
	w := s.sentWay()
	if w == nil {
		return out
	}
	taken := s.taken()
	for k := range w.routes {
		if taken == nil || taken[k] == nil {
			out = append(out, &w.routes[k])
		}
	}
	return out
}
