package packet

import "net/netip"

// Row makes sets, and what they are made of, side by side in few arrays that it can use again. The zero Row is ready, and what it makes first is as if it were made
// without a Row. It serves one goroutine.
type Row struct {
	boxes room[box]
	rare  room[[4]Values]
	spans room[Span]
	addrs room[addrSet]
}

// Reset takes back everything that r made: whoever still has a set of r must not use it any more.
func (r *Row) Reset() {
	r.boxes.reset()
	r.rare.reset()
	r.spans.reset()
	r.addrs.reset()
}

// Of is as the function Of, in the memory of r.
func (r *Row) Of(boxes ...Box) Set {
	if len(boxes) == 0 {
		return Set{}
	}
	all := r.boxes.take(len(boxes))
	for i := range boxes {
		all = all[:len(all)+1]
		if p := &all[len(all)-1]; !boxes[i].packInto(p, r) {
			all = all[:len(all)-1]
		}
	}
	return Set{tidy(all)}
}

// Values is as NewValues, in the memory of r.
func (r *Row) Values(spans ...Span) Values {
	switch {
	case len(spans) == 0:
		return Values{} // not nil, which is every number
	case !canonical(spans):
		return NewValues(spans...)
	}
	if len(spans) == 1 && spans[0].Lo == spans[0].Hi && spans[0].Lo < uint32(len(small)) {
		n := spans[0].Lo
		return small[n : n+1 : n+1]
	}
	return append(Values(r.spans.take(len(spans))), spans...)
}

// AddrsIn is as the function AddrsIn, in the memory of r.
func (r *Row) AddrsIn(p netip.Prefix) Addrs {
	if !p.IsValid() || p.Bits() == 0 {
		return AddrsIn(p)
	}
	s := r.addrs.take(1)[:1]
	s[0] = addrSet{version: versionOf(p.Addr()), one: [1]addrSpan{spanOf(p)}}
	return Addrs{&s[0]}
}

// room hands out lists of one array. What does not fit in it is made for itself, and the array is larger after the next reset: so a room that is used once
// makes each list by itself and no larger than it must be, and one that is used again soon makes none.
type room[T any] struct {
	all, free []T
	lacked    int // elements that did not fit
}

// take returns an empty list with room for n.
func (r *room[T]) take(n int) []T {
	if n > len(r.free) {
		r.lacked += n
		return make([]T, 0, n)
	}
	out := r.free[:0:n]
	r.free = r.free[n:]
	return out
}

// reset takes back all lists.
func (r *room[T]) reset() {
	if r.lacked > 0 {
		r.all, r.lacked = make([]T, 2*(len(r.all)+r.lacked)), 0
	}
	r.free = r.all
}
