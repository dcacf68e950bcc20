package flowspec

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Reader reads matches as sets of packets, as Match.Set does, and remembers what components it has read: the pieces of a rule share most of theirs. It goes by
// octets and by nothing else, so that what it says of a match is what the octets say. The zero Reader is ready; it serves one goroutine.
type Reader struct {
	v6    bool
	known []known
	heads [64]uint16 // first of the chain in known for each hash, from 1
	row   packet.Row
	sets  []packet.Set
}

// known is a component that was read.
type known struct {
	octets  []byte
	meaning meaning
	next    uint16 // of the chain, from 1
}

// mostKnown bounds what is remembered.
const mostKnown = 1024

var seed = maphash.MakeSeed()

// forget makes r forget the components that it has read.
func (r *Reader) forget() {
	clear(r.known)
	r.known = r.known[:0]
	clear(r.heads[:])
}

// Sets returns the packets that each of ms matches. The sets are good until r is used again.
func (r *Reader) Sets(ms []Match) []packet.Set {
	r.forget()
	r.row.Reset()
	r.sets = slices.Grow(r.sets[:0], len(ms))
	var room [2]packet.Box
	for i := range ms {
		r.sets = append(r.sets, r.row.Of(ms[i].boxes(room[:0], &r.row, r)...))
	}
	return r.sets
}

// read is meaningOf for what it does not remember.
func (r *Reader) read(v6 bool, b []byte) *meaning {
	if v6 != r.v6 || len(r.known) == mostKnown {
		r.forget()
		r.v6 = v6
	}
	head := &r.heads[maphash.Bytes(seed, b)%uint64(len(r.heads))]
	for i := *head; i > 0; {
		one := &r.known[i-1]
		if bytes.Equal(one.octets, b) {
			return &one.meaning
		}
		i = one.next
	}
	r.known = append(r.known, known{b, meaningOf(&r.row, v6, b), *head})
	*head = uint16(len(r.known))
	return &r.known[*head-1].meaning
}
