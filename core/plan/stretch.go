package plan

import (
	"iter"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
)

// stretch is buckets that follow each other in RFC order, with what plans say of them: a plan is put together from stretches, of which a change makes few anew.
type stretch struct {
	buckets  []*bucket
	fresh    bool // what follows is as things stand
	verdicts []*Verdict
	routes   []*device.Route // in the order of the device
	has      counts          // of routes
}

// longestStretch is where a stretch is cut in two.
const longestStretch = 256

// stretches is all buckets of a domain in RFC order.
type stretches []*stretch

// all yields the buckets in RFC order. Meanwhile none comes or goes.
func (list stretches) all() iter.Seq[*bucket] {
	return func(yield func(*bucket) bool) {
		for _, st := range list {
			for _, b := range st.buckets {
				if !yield(b) {
					return
				}
			}
		}
	}
}

// place returns the stretch in which b is or belongs, which there is.
func (list stretches) place(b *bucket) int {
	last := len(list) - 1
	if compareBuckets(list[last].buckets[0], b) <= 0 {
		return last // buckets mostly come in order
	}
	i, found := slices.BinarySearchFunc(list[:last], b, func(st *stretch, b *bucket) int { return compareBuckets(st.buckets[0], b) })
	if !found && i > 0 {
		i--
	}
	return i
}

// search returns the place of b in st, or where it belongs.
func (st *stretch) search(b *bucket) int {
	n := len(st.buckets)
	if compareBuckets(st.buckets[n-1], b) < 0 {
		return n // buckets mostly come in order
	}
	at, _ := slices.BinarySearchFunc(st.buckets, b, compareBuckets)
	return at
}

// put gives b its place.
func (list *stretches) put(b *bucket) {
	i, at := -1, longestStretch
	if len(*list) > 0 {
		i = list.place(b)
		at = (*list)[i].search(b)
	}
	if at == longestStretch { // behind a full one
		*list = slices.Insert(*list, i+1, &stretch{buckets: []*bucket{b}})
		b.stretch = (*list)[i+1]
		return
	}
	st := (*list)[i]
	st.buckets = slices.Insert(st.buckets, at, b)
	b.stretch = st
	st.stale()
	if len(st.buckets) > longestStretch {
		*list = slices.Insert(*list, i+1, st.cut())
	}
}

// cut takes the second half of st off.
func (st *stretch) cut() *stretch {
	half := len(st.buckets) / 2
	rest := &stretch{buckets: slices.Clone(st.buckets[half:])}
	st.buckets = slices.Clip(st.buckets[:half])
	for _, b := range rest.buckets {
		b.stretch = rest
	}
	return rest
}

// drop takes b out.
func (list *stretches) drop(b *bucket) {
	i := list.place(b)
	st := (*list)[i]
	at := st.search(b)
	st.buckets = slices.Delete(st.buckets, at, at+1)
	b.stretch = nil
	st.stale()
	if len(st.buckets) == 0 {
		*list = slices.Delete(*list, i, i+1)
	}
}

// stale notes that something in st is another thing now.
func (st *stretch) stale() {
	if st != nil {
		st.fresh = false
	}
}

// say makes anew what is not as things stand, on all processors where that is much. It looks into and adds to known, unless that is nil.
func (d *domain) say(known *rivalry) {
	stale := slices.DeleteFunc(slices.Clone(d.order), func(st *stretch) bool { return st.fresh })
	rooms := make([]room, len(stale))
	if known != nil {
		at := 0
		for i, left := 0, stale; len(left) > 0; i++ {
			if st := d.order[i]; st == left[0] {
				rooms[len(stale)-len(left)] = room{rivalry: known, at: at}
				left = left[1:]
			}
			for _, b := range d.order[i].buckets {
				at += len(b.seats)
			}
		}
	}
	spread(len(stale), 1, func() func(int) { return func(i int) { stale[i].say(d, rooms[i]) } })
}

// say makes anew what is not as things stand, in room.
func (st *stretch) say(d *domain, room room) {
	rules, routes := 0, 0
	for _, b := range st.buckets {
		rules, routes = rules+len(b.seats), routes+b.sends()
		for _, s := range b.seats {
			if s.said == nil {
				room.to++
			}
		}
	}
	st.verdicts, st.routes = slices.Grow(st.verdicts[:0], rules), slices.Grow(st.routes[:0], routes)
	for _, b := range st.buckets {
		st.routes = b.sending(st.routes)
		for _, s := range b.seats {
			st.verdicts = append(st.verdicts, d.verdict(s, &room))
			room.at++
		}
	}
	st.has, st.fresh = tally(st.routes), true
}
