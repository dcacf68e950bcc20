package plan

import (
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// question is one about packets of s that are also packets of another rule: who of the rules above decides them? The answer rests on the packets that were looked at: as long as
// nothing happens to a rule that has one of them, it stands.
type question struct {
	of *seat // the other rule, which brought it up
	// Nil where carried rules above s are asked for; else those above the rule of are, and routes that stand in front of x, which is of s as sent in way.
	x      *device.Route
	way    *way
	a, b   packet.Set
	probes []packet.Header // packets that were looked at
	answer
	all   bool // any packet of both counts
	doubt bool // something happened to a rule that has a probe
}

// answer is that nobody decides some packet, and whether a piece of s was among those who decide others.
type answer struct{ open, lent bool }

// mostDeciders bounds the rules that are taken out of what one question is about. Past it the answer is that somebody is left.
const mostDeciders = 32

// ask says whether nobody decides some packet that q is about.
func (f *fitting) ask(q question) bool {
	f.left--
	if !f.recall(&q) {
		f.answer(&q)
	}
	f.asked = append(f.asked, q)
	return q.open
}

// recall answers q as the last time, if it was asked then and nothing happened since to a rule that has a packet which was looked at. It says whether it did.
func (f *fitting) recall(q *question) bool {
	for range f.known {
		if f.next >= len(f.known) {
			f.next = 0
		}
		old := &f.known[f.next]
		f.next++ // they mostly come in the same order
		if old.of == q.of && old.x == q.x && old.way == q.way && !old.doubt && !old.all && old.a.Identical(q.a) && old.b.Identical(q.b) {
			q.probes, q.answer = old.probes, old.answer
			old.of = nil // the packets are those of one question
			return true
		}
	}
	return false
}

// answer answers q.
func (f *fitting) answer(q *question) {
	q.probes, q.answer, q.doubt = q.probes[:0], answer{}, false
	q.open = open(q.a.And(q.b), func(h *packet.Header) (packet.Set, bool) {
		q.probes = append(q.probes, *h)
		return f.decider(q, h)
	})
}

// open says whether base has a packet that nobody decides; decider returns the packets of somebody who decides one, if there are any. It looks at one packet after another, and takes
// whoever decides it out of what is left: few are needed where many decide something. What is left is kept as long as that takes few steps, and looked for anew after that. Where it takes too
// long, the answer is yes.
func open(base packet.Set, decider func(*packet.Header) (packet.Set, bool)) bool {
	var room [mostDeciders]packet.Set
	deciders, steps := room[:0], exactSteps
	left, all := base, true
	for {
		h, ok := left.Witness()
		if !ok {
			return false
		}
		one, decided := decider(&h)
		if !decided || len(deciders) == mostDeciders {
			return true
		}
		deciders = append(deciders, one)
		if all {
			var less packet.Set
			if less, all = left.SubOn(&steps, one); all {
				left = less
				continue
			}
		}
		known := false
		if left, known = base.Outside(exactSteps, deciders...); !known {
			return true
		}
	}
}

// decider returns the packets of somebody who decides h, a packet that q is about.
func (f *fitting) decider(q *question, h *packet.Header) (packet.Set, bool) {
	before := true // whoever follows stands above the rule of q, or that does not matter
	for _, o := range f.above {
		if o == q.of && q.x != nil {
			before = false // but an entry of it may stand in front
		}
		if !o.decides() || !o.set.Has(*h) {
			continue
		}
		if before {
			return o.set, true
		}
		if s, ok := f.inFront(q, o, o.ownWay(), h); ok {
			return s, true
		}
	}
	if q.x == nil {
		return packet.Set{}, false
	}
	s, ok := f.inFront(q, f.s, q.way, h)
	q.lent = q.lent || ok
	return s, ok
}

// inFront returns the packets of a route of o, sent in way w, that has h and stands in front of that of q.
func (f *fitting) inFront(q *question, o *seat, w *way, h *packet.Header) (packet.Set, bool) {
	for k := range w.routes {
		if s := o.setOf(w, k); s.Has(*h) && flowspec.Compare(w.routes[k].Match, q.x.Match) < 0 {
			return s, true
		}
	}
	return packet.Set{}, false
}

// stands asks again what is in doubt of b.seats[at], and says whether the answers are as before.
func (d *domain) stands(b *bucket, at int, desk *desk) bool {
	f := d.fitting(b, at, desk)
	asked, was := f.s.trace.asked, &f.s.trace.outside
	if was.doubt {
		if f.lostOutside() != was.first {
			return false
		}
		*was = f.outside
	}
	for i := range asked {
		if q := &asked[i]; q.doubt {
			was := q.answer
			if f.answer(q); q.answer != was {
				return false
			}
		}
	}
	return true
}
