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
	var room [2]packet.Box
	return packet.Of(m.boxes(room[:0], r.read)...)
}

// Sets returns the packets that each of ms matches.
func (r *Reader) Sets(ms []Match) []packet.Set {
	n := len(ms)
	for i := range ms {
		if ms[i].Has(Port) {
			n++
		}
	}
	out := make([]packet.Set, len(ms))
	row := packet.NewRow(n)
	var room [2]packet.Box
	for i := range ms {
		out[i] = row.Of(ms[i].boxes(room[:0], r.read)...)
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
