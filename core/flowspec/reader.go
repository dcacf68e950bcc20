package flowspec

import (
	"bytes"
	"hash/maphash"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Reader reads matches as sets of packets, as Match.Set does, and remembers what components it has read: the pieces of a rule share most of theirs, and their
// sets then share memory too. It goes by octets and by nothing else, so that what it says of a match is what the octets say. The zero Reader is ready; it serves
// one goroutine, and what it returns does not change when it is used again.
type Reader struct {
	v6    bool
	known []known
	heads [64]uint16 // first of the chain in known for each hash, from 1
	boxes []packet.Box
	ends  []int
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

// Forget makes r forget what it has read: the matches that come share nothing with those that came.
func (r *Reader) Forget() {
	clear(r.known)
	r.known = r.known[:0]
	clear(r.heads[:])
}

// Set returns the packets that m matches.
func (r *Reader) Set(m Match) packet.Set {
	r.boxes = m.boxes(r.boxes[:0], r.read)
	return packet.Of(r.boxes...)
}

// Sets returns the packets that each of ms matches.
func (r *Reader) Sets(ms []Match) []packet.Set {
	r.boxes, r.ends = r.boxes[:0], r.ends[:0]
	for _, m := range ms {
		r.boxes = m.boxes(r.boxes, r.read)
		r.ends = append(r.ends, len(r.boxes))
	}
	out := make([]packet.Set, len(ms))
	row := packet.NewRow(len(r.boxes))
	from := 0
	for i, to := range r.ends {
		out[i] = row.Of(r.boxes[from:to]...)
		from = to
	}
	return out
}

// read is meaningOf for what it does not remember.
func (r *Reader) read(v6 bool, b []byte) meaning {
	if v6 != r.v6 || len(r.known) == mostKnown {
		r.Forget()
		r.v6 = v6
	}
	head := &r.heads[maphash.Bytes(seed, b)%uint64(len(r.heads))]
	for i := *head; i > 0; {
		one := &r.known[i-1]
		if bytes.Equal(one.octets, b) {
			return one.meaning
		}
		i = one.next
	}
	out := meaningOf(v6, b)
	r.known = append(r.known, known{b, out, *head})
	*head = uint16(len(r.known))
	return out
}
