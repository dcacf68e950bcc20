package plan

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/table"
)

// filling gives seats to all rules of a table, for a planner that has none: bucket by bucket, because rules come in RFC order.
type filling struct {
	r       *ripple
	d       *domain
	numbers map[*table.Outcome]numbered // of d: most rules that ask for one thing say so in the same memory
	seats   rooms[seat]
	rows    rooms[*seat]
	glances rooms[glance]
}

// numbered is how many rules ask for something, and its number, see domain.number.
type numbered struct {
	number uint8
	rules  int
}

// rooms is memory for things to come, which neighbours share: it stays as long as one of them.
type rooms[T any] struct{ free []T }

// take returns memory for one.
func (r *rooms[T]) take() *T { return &r.some(1)[0] }

// some returns memory for n that follow each other.
func (r *rooms[T]) some(n int) []T {
	if n >= mostTogether {
		return make([]T, n)
	}
	if len(r.free) < n {
		r.free = make([]T, mostTogether)
	}
	out := r.free[:n:n]
	r.free = r.free[n:]
	return out
}

// isTable says whether changes bring rules in RFC order, each once.
func isTable(changes []rib.Change) bool {
	for i := range changes {
		if changes[i].New == nil || i > 0 && flowspec.Compare(changes[i-1].Match, changes[i].Match) >= 0 {
			return false
		}
	}
	return true
}

// fill takes over changes that are a table, whose cards are given.
func (r *ripple) fill(changes []rib.Change, cards []*card) {
	f := filling{r: r}
	for lo := 0; lo < len(changes); {
		if m := changes[lo].Match; f.d == nil || !f.d.holds(m) {
			f.count()
			f.turn(m)
		}
		lead := cards[lo].lead()
		hi := lo + 1
		for hi < len(changes) && f.d.holds(changes[hi].Match) && cards[hi].lead() == lead {
			hi++
		}
		f.bucket(cards[lo:hi])
		lo = hi
	}
	f.count()
	r.pl.size += len(changes)
}

// turn turns to the domain of m.
func (f *filling) turn(m flowspec.Match) {
	pl := f.r.pl
	if f.d = pl.domainOf(m); f.d == nil {
		f.d = pl.newDomain(m)
		f.d.ripple = f.r
	}
	f.numbers = make(map[*table.Outcome]numbered)
}

// mostTogether is how many things of neighbours share one piece of memory, which stays as long as one of them.
const mostTogether = 16

// bucket gives seats to cards, which have one leader.
func (f *filling) bucket(cards []*card) {
	d := f.d
	b := d.newBucket(cards[0])
	f.r.touch(d, b)
	b.seats, b.at = f.rows.some(len(cards))[:0], f.glances.some(len(cards))[:0]
	for _, c := range cards {
		s := f.seats.take()
		*s = seat{card: c, bucket: b, number: f.number(c), waits: true}
		d.enter(len(b.seats), s)
	}
}

// number returns the number of what c asks for, and counts it.
func (f *filling) number(c *card) uint8 {
	if differ(c, c) {
		f.d.count(c, 1)
		return 0
	}
	n, ok := f.numbers[c.want]
	if !ok {
		n.number = f.d.number(c)
	}
	n.rules++
	f.numbers[c.want] = n
	return n.number
}

// count adds what was counted to the account of the domain.
func (f *filling) count() {
	for want, n := range f.numbers {
		f.d.wants[*want] += n.rules
	}
}
