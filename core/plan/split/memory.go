package split

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

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

// memory is where a rule is cut.
type memory struct {
	sides   room[side]
	fields  room[field]
	spans   room[packet.Span]
	words   room[word]
	terms   room[flowspec.Term]
	lists   room[[]flowspec.Term]
	numbers room[int32]
}

func (m *memory) reset() {
	m.sides.reset()
	m.fields.reset()
	m.spans.reset()
	m.words.reset()
	m.terms.reset()
	m.lists.reset()
	m.numbers.reset()
}
