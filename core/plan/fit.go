package plan

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// fitting looks for the fate of one rule of a crowd beneath those above it in its bucket, whose fates are settled and do not change for its sake: where the device would
// evaluate a piece of it before a rule that should come first, the piece is changed, or the rule rejected. So its fate depends on the rules above it, and of
// these on those alone that share a packet with it.
//
// That is enough. Take a packet that the device decides otherwise than asked: a piece of one rule, got, has it and stands in front of all pieces that have it of another, want, the first carried rule
// that has it. Then want stands above got in RFC order, the two fare differently, no carried rule above want has the packet, and no piece in front of that of got has it. So it was an answer to
// the question that was asked when got was fitted, and got would have been changed or rejected. Rules that are fitted later add pieces, and take none away.
type fitting struct {
	d     *domain
	s     *seat
	above []*seat // of the bucket, in order, that are near s; good until the next fitting at the same desk
	desk  *desk
	left  int   // questions that may still be asked
	note  *note // nil: nothing to say
	tried []retried
	// benign is set where pieces of s change places with rules above without harm.
	benign bool
	closed []swap
	trace
	last  *trace     // of the time before: what was made then needs not be made again
	known []question // asked then; those that are not in doubt are not asked again, see recall
	next  int        // of known
}

// swap is a piece of s that stands in front of a piece of a rule above. In closed are those of which others decide every packet of both, whatever becomes of s.
type swap struct {
	of   *seat
	part int
	x    flowspec.Match
}

func (s swap) same(o swap) bool { return s.of == o.of && s.part == o.part && s.x.Equal(o.x) }

// trace is what the fate of a rule rests on, beside the rule.
type trace struct {
	asked   []question
	outside outsiders
	stages  []stage
}

// outsiders is what came out about rejected rules above the bucket.
type outsiders struct {
	asked  int             // about so many
	first  *seat           // that leaves packets to the rule; nil: none does
	probes []packet.Header // packets that were looked at
	doubt  bool            // something happened to a rule of the bucket that has one of them
}

// stage is one remedy for s, or where there was none, and the rule above that it is against, sent in this way.
type stage struct {
	against *seat
	way     *way
	mended  *mended // nil: none helped
	n       int     // of the remedy
}

// retried is a remedy that was tried already against a rule above.
type retried struct {
	above *seat
	n     int
}

// mostQuestions bounds the questions asked to fit one rule. Past it the rule is too entangled.
const mostQuestions = 512

// fit returns the fate of b.seats[at] beneath those above it. With recall, whatever happened to these since it was fitted last was told to it, see stir.
func (d *domain) fit(b *bucket, at int, recall bool, desk *desk) fate {
	s := b.seats[at]
	last := s.trace
	s.trace = nil
	if own := d.p.alone(s.card); own != asNative {
		return fate{state: own} // there is no filter where there are crowds: it is carried in no case
	}
	f := d.fitting(b, at, desk)
	if f.last = last; recall && last != nil {
		f.known = last.asked
	}
	out := f.fate()
	if f.asked != nil || f.stages != nil || f.outside.probes != nil {
		s.trace = &f.trace
	}
	return out
}

// fitting returns what is to be known to fit b.seats[at].
func (d *domain) fitting(b *bucket, at int, desk *desk) fitting {
	f := fitting{d: d, s: b.seats[at], left: mostQuestions, above: desk.above[:0], desk: desk}
	if d.p.steps >= 0 {
		f.left = d.p.steps
	}
	for k := range b.at[:at] {
		if o := b.seats[k]; b.at[k].near(&b.at[at]) && o.own.state != asNothing {
			f.above = append(f.above, o)
		}
	}
	desk.above = f.above
	return f
}

// fate settles s.
func (f *fitting) fate() fate {
	e := f.lostInside()
	if e == nil {
		e = f.lostOutside()
	}
	if e != nil {
		pl := f.beside(e)
		if e.bucket != f.s.bucket {
			pl.note(1).lostTo, pl.note(1).named = e, true
		}
		pl.rejectExposed(1, e.card, &witnessed{want: e.card, got: f.s.card, packets: e.set.And(f.s.set)})
		return pl.fates()[1]
	}
	for !f.spent() {
		o, c := f.inverted()
		switch {
		case f.spent():
		case o == nil:
			return f.carried()
		case !f.mend(o):
			pl := f.beside(o)
			pl.rejectFor(1, c)
			return pl.fates()[1]
		}
	}
	return fate{asRejected, &note{reasons: []Reason{tooEntangled(f.asks())}}}
}

// asks returns how many rules questions were asked about.
func (f *fitting) asks() int {
	of := make(map[*seat]bool)
	for i := range f.asked {
		of[f.asked[i].of] = true
	}
	return len(of) + f.outside.asked
}

func (f *fitting) spent() bool { return f.left < 0 }

// beside returns a plane of o, which stands above, and s.
func (f *fitting) beside(o *seat) *plane {
	pl := newPlane(f.d.p, []*card{o.card, f.s.card})
	pl.state[0], pl.state[1] = o.own.state, asNative
	return pl
}

// lostInside returns the first rejected rule above in the bucket that leaves s packets, see loseExceptions.
func (f *fitting) lostInside() *seat {
	for _, e := range f.above {
		if e.exposes() && f.d.worse(e, f.s) && e.set.Overlaps(f.s.set) && f.ask(question{of: e, a: e.set, b: f.s.set}) {
			return e
		}
		if f.spent() {
			break
		}
	}
	return nil
}

// lostOutside returns the first rejected rule above the bucket that leaves s packets.
func (f *fitting) lostOutside() (first *seat) {
	if f.d.uniform() {
		return nil
	}
	l := leavings{d: f.d, to: f.s, among: f.s.set, inside: func(h *packet.Header) *card {
		for _, o := range f.above {
			if o.decides() && o.set.Has(*h) {
				return o.card
			}
		}
		return nil
	}}
	first = l.first(f.desk.inside())
	f.outside = outsiders{asked: l.asked, first: first, probes: l.looked}
	return first
}

// way returns how s is sent, as things stand.
func (f *fitting) way() *way { return fate{note: f.note}.way(f.s.card) }

// ownWay returns how FlowSpec carries s as settled with the rules of its bucket.
func (s *seat) ownWay() *way { return s.own.way(s.card) }

// way returns how FlowSpec carries c, with this fate.
func (f fate) way(c *card) *way {
	if f.note != nil && f.note.mended != nil {
		return f.note.mended.way
	}
	return c.native
}

// setOf returns the packets of route k of w, a way of c.
func (c *card) setOf(w *way, k int) packet.Set {
	if w.rewritten {
		return w.pieces()[k]
	}
	return c.set
}

// inverted returns the first rule above with which s conflicts, or nil.
func (f *fitting) inverted() (*seat, conflict) {
	w := f.way()
	benign := false
	for _, o := range f.above {
		if o.own.state != asNative || !w.rewritten && !o.ownWay().rewritten || !differ(o.card, f.s.card) {
			continue
		}
		its := o.ownWay()
		if (f.s.rule.Action.Continue || o.rule.Action.Continue) && collide(w.routes, its.routes) {
			f.asked = append(f.asked, question{of: o})
			return o, conflict{want: 0, got: 1, tangled: true}
		}
		if !inverts(w, its) {
			continue
		}
		for x := range w.routes {
			for y := range its.routes {
				mine, other := f.s.setOf(w, x), o.setOf(its, y)
				if flowspec.Compare(w.routes[x].Match, its.routes[y].Match) >= 0 || !mine.Overlaps(other) {
					continue
				}
				benign = true
				one := swap{o, y, w.routes[x].Match}
				if slices.ContainsFunc(f.closed, one.same) {
					continue
				}
				if f.ask(question{of: o, x: &w.routes[x], way: w, a: mine, b: other}) {
					return o, conflict{want: 0, got: 1}
				}
				if f.spent() {
					return nil, conflict{}
				}
				if !f.asked[len(f.asked)-1].lent {
					f.closed = append(f.closed, one)
				}
			}
		}
	}
	f.benign = benign
	return nil, conflict{}
}

// collide says whether a route of a is one of b.
func collide(a, b []device.Route) bool {
	return slices.ContainsFunc(a, func(x device.Route) bool {
		return slices.ContainsFunc(b, func(y device.Route) bool { return x.Match.Equal(y.Match) })
	})
}

// inverts says whether some route of a stands before one of b.
func inverts(a, b *way) bool {
	if len(a.routes) == 0 || len(b.routes) == 0 {
		return false // others decide all its packets
	}
	first, _ := a.ends()
	_, last := b.ends()
	return flowspec.Compare(first.Match, last.Match) < 0
}

// ends returns the first and the last of the routes in the order of the device. It remembers which; a way may be that of several planners.
func (w *way) ends() (first, last *device.Route) {
	const known = 1 << 32
	ranks := w.ranks.Load()
	if ranks == 0 {
		from, to := 0, 0
		for k := range w.routes {
			if flowspec.Compare(w.routes[k].Match, w.routes[from].Match) < 0 {
				from = k
			}
			if flowspec.Compare(w.routes[k].Match, w.routes[to].Match) > 0 {
				to = k
			}
		}
		ranks = known | uint64(from)<<16 | uint64(to)
		w.ranks.Store(ranks)
	}
	return &w.routes[uint16(ranks>>16)], &w.routes[uint16(ranks)]
}

// mend applies to s the first remedy for its conflict with o, which stands above, that changes s alone. It says whether there is one.
func (f *fitting) mend(o *seat) bool {
	made, ok := f.made(o)
	pl := f.beside(o)
	if o.own.note != nil {
		pl.note(0).mended = o.own.note.mended
	}
	if f.note != nil {
		pl.note(1).mended = f.note.mended
	}
	one := stage{against: o, way: o.ownWay()}
	for n, t := range (conflict{want: 0, got: 1}).tries() {
		key := retried{o, n}
		if t.card == 0 || slices.Contains(f.tried, key) || !pl.offers(t.name) {
			continue
		}
		f.tried = append(f.tried, key)
		if ok && made.mended != nil && made.n == n {
			one = made
			break
		}
		if !ok && pl.remedy(t) {
			one.mended, one.n = pl.notes[1].mended, n
			break
		}
	}
	f.stages = append(f.stages, one)
	if one.mended == nil {
		return false
	}
	f.note = &note{mended: one.mended}
	return true
}

// made returns what the last fitting came to at this stage, if all was as it is now.
func (f *fitting) made(o *seat) (stage, bool) {
	at := len(f.stages)
	if f.last == nil || len(f.last.stages) <= at {
		return stage{}, false
	}
	for k, one := range f.stages {
		if one != f.last.stages[k] {
			return stage{}, false
		}
	}
	one := f.last.stages[at]
	return one, one.against == o && one.way == o.ownWay()
}

// carried returns the fate of s, which is carried by FlowSpec.
func (f *fitting) carried() fate {
	out := fate{state: asNative, note: f.note}
	if f.benign {
		if out.note == nil {
			out.note = &note{}
		}
		out.note.reasons = append(out.note.reasons, f.d.p.benign(f.d.limits))
	}
	return out
}
