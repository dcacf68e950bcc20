package plan

import (
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// leavings finds out which rejected rules above a bucket leave packets to one of its rules, as domain.exposed says of one of them. They are asked about in the reverse of RFC order: a destination
// comes before those inside it, and whoever decides packets for the one decides them for the others as well. So what is decided is taken out of what may be left to the rule once, and of most
// rejected rules nothing is there any more.
type leavings struct {
	d      *domain
	to     *seat
	among  packet.Set                 // only these packets of it are asked about
	inside func(*packet.Header) *card // a rule of the bucket above it that decides a packet, or nil
	levels []level                    // each destination lies in the one before
	looked []packet.Header            // packets that were looked at
	asked  int                        // about so many rejected rules
	gone   int32                      // see plane.gone
}

// level is what is left to the rule of packets for a destination.
type level struct {
	prefix netip.Prefix
	rest
}

// rest is packets that nobody decides, and maybe others.
type rest struct {
	left  packet.Set
	taken []packet.Set // to be taken out of left: not before that is worth it
}

// leavingSteps bounds what taking out deciders may cost. Past it they stay in: each rejected rule is asked about in any case.
const leavingSteps = 1000

// first returns the first rejected rule above the bucket that leaves the rule some packets, or nil. Where the bucket is one of a destination, lost has those above it in RFC order.
func (l *leavings) first(lost []*seat) (first *seat) {
	if l.to.bucket.kind == byDst {
		for _, e := range slices.Backward(lost) {
			if l.d.mayLeave(e, l.to) {
				if l.asked++; l.from(e) {
					first = e
				}
			}
		}
		return first
	}
	for e := range l.d.lossy.above(l.to.bucket, &row{[]*seat{l.to}, []glance{l.to.glance}}) {
		if l.d.mayLeave(e, l.to) {
			if l.asked++; l.alone(e) {
				return e
			}
		}
	}
	return nil
}

// from says whether e leaves some packets to the rule.
func (l *leavings) from(e *seat) bool {
	if l.to.bucket.kind != byDst {
		return l.alone(e)
	}
	at := l.level(e.bucket.prefix)
	packets, steps := e.set.And(at.left), exactSteps
	for range mostDeciders {
		h, ok := packets.Witness()
		if !ok {
			return false
		}
		one, decided := l.decider(e, &h)
		if !decided {
			return true
		}
		at.taken = append(at.taken, one)
		if packets, ok = packets.SubOn(&steps, one); !ok {
			break
		}
	}
	return l.alone(e)
}

// alone is from without what is known.
func (l *leavings) alone(e *seat) bool {
	return open(e.set.And(l.among), func(h *packet.Header) (packet.Set, bool) { return l.decider(e, h) })
}

// decider returns the packets of somebody who decides h, a packet of e and of the rule.
func (l *leavings) decider(e *seat, h *packet.Header) (packet.Set, bool) {
	l.looked = append(l.looked, *h)
	return l.d.decider(e, l.to, h, l.inside)
}

// level returns the level of a destination.
func (l *leavings) level(p netip.Prefix) *level {
	n := len(l.levels)
	for n > 0 && !l.levels[n-1].prefix.Overlaps(p) {
		n--
	}
	l.levels = l.levels[:n]
	left := l.among
	if n > 0 {
		last := &l.levels[n-1]
		left = last.now()
		if last.prefix == p {
			return last
		}
	}
	l.levels = append(l.levels, level{p, rest{left: left}})
	return &l.levels[n]
}

// now returns the packets, those of whom was taken out being left out as far as that is known in few steps.
func (r *rest) now() packet.Set {
	if len(r.taken) > 0 {
		steps := leavingSteps
		if less, ok := r.left.SubOn(&steps, r.taken...); ok {
			r.left = less
		}
		r.taken = r.taken[:0]
	}
	return r.left
}

// decidedBy notes that s, whose bucket is above all that are asked about next, decides its packets.
func (r *rest) decidedBy(s *seat) {
	if r != nil && s.bucket.kind == byDst {
		r.taken = append(r.taken, s.set)
	}
}
