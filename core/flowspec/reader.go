package flowspec

import (
	"bytes"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Reader reads matches as sets of packets, as Match.Set does, and remembers what components it has read: the pieces of a rule share most of theirs. It goes by
// octets and by nothing else, so that what it says of a match is what the octets say. The zero Reader is ready; it serves one goroutine.
type Reader struct {
	v6   bool
	of   [FlowLabel + 1]lists // by component type
	row  packet.Row
	sets []packet.Set
}

// lists are the components of one type that were read.
type lists struct {
	known []known
	last  int // of known, that came up last
}

// known is a component that was read.
type known struct {
	octets  []byte
	meaning meaning
}

// mostKnown bounds what is remembered of one type.
const mostKnown = 64

// Sets returns the packets that each of ms matches. The sets are good until r is used again.
func (r *Reader) Sets(ms []Match) []packet.Set {
	r.forget()
	r.row.Reset()
	r.sets = slices.Grow(r.sets[:0], len(ms))
	var room [2]packet.Box
	for i := range ms {
		if v6 := ms[i].fam.v6(); v6 != r.v6 {
			r.forget()
			r.v6 = v6
		}
		r.sets = append(r.sets, r.row.Of(ms[i].boxes(room[:0], &r.row, r)...))
	}
	return r.sets
}

// forget makes r forget the components that it has read.
func (r *Reader) forget() {
	for t := range r.of {
		r.of[t].forget()
	}
}

func (l *lists) forget() {
	clear(l.known)
	l.known, l.last = l.known[:0], 0
}

// read reads the component that b begins with, and returns how many octets it has and what it says. It looks first for the list that came up last, and then for the one
// that came after that: the pieces of a grid take turns.
func (r *Reader) read(b []byte) (int, *meaning) {
	l := &r.of[b[0]]
	for range l.known {
		if one := &l.known[l.last]; bytes.HasPrefix(b, one.octets) { // a component ends itself, so that it cannot go on in b
			return len(one.octets), &one.meaning
		}
		if l.last++; l.last == len(l.known) {
			l.last = 0
		}
	}
	if len(l.known) == mostKnown {
		l.forget()
	}
	n := size(r.v6, b)
	l.last = len(l.known)
	l.known = append(l.known, known{b[:n], meaningOf(&r.row, r.v6, b[:n])})
	return n, &l.known[l.last].meaning
}
