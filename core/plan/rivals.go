package plan

import (
	"slices"
	"sync/atomic"
)

// rivals is what planners of a deck found out about the rules of a domain: which contests which, see domain.contested. That one rule contests another on one device is where others look first, and no
// more: there it may be rejected. That a rule shares packets with none that fares differently rests on what the rules say alone, and so holds for all planners that have read the same rules.
type rivals struct {
	read   []*reading // of the rules, in order
	places map[*reading]int32
	found  []atomic.Int32 // of each the place of a rival and one more; 0: not known
}

// lone is what found has of a rule that shares packets with none that fares differently.
const lone = -1

// rivalry is the rivals of a domain and its seats, in order.
type rivalry struct {
	*rivals
	seats []*seat
}

// rivalry returns what is known of the rules of dom, of pl, or nil where nobody else plans them.
func (pl *Planner) rivalry(dom *domain) *rivalry {
	d := pl.deck
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.snap != pl.snap || d.rules == nil {
		return nil
	}
	out := &rivalry{seats: make([]*seat, 0, len(d.rules))}
	for b := range dom.order.all() {
		out.seats = append(out.seats, b.seats...)
	}
	at := slices.IndexFunc(d.rivals, func(r *rivals) bool {
		return slices.EqualFunc(r.read, out.seats, func(r *reading, s *seat) bool { return r == s.reading })
	})
	if at < 0 {
		at = len(d.rivals)
		d.rivals = append(d.rivals, newRivals(out.seats))
	}
	out.rivals = d.rivals[at]
	return out
}

func newRivals(seats []*seat) *rivals {
	out := &rivals{read: make([]*reading, len(seats)), places: make(map[*reading]int32, len(seats)), found: make([]atomic.Int32, len(seats))}
	for i, s := range seats {
		out.read[i], out.places[s.reading] = s.reading, int32(i)
	}
	return out
}

// known returns a rule that may contest that at place at, or nil; alone says that there is none.
func (r *rivalry) known(at int) (rival *seat, alone bool) {
	if r == nil {
		return nil, false
	}
	switch n := r.found[at].Load(); n {
	case 0:
		return nil, false
	case lone:
		return nil, true
	default:
		return r.seats[n-1], false
	}
}

// tell tells others which rule contests that at place at. Where it is nil, overlaps says whether some share packets with it and fare differently.
func (r *rivalry) tell(at int, rival *seat, overlaps bool) {
	switch {
	case r == nil:
	case rival != nil:
		if n, ok := r.places[rival.reading]; ok {
			r.found[at].Store(n + 1)
		}
	case !overlaps:
		r.found[at].Store(lone)
	}
}
