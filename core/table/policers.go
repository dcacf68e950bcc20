package table

import (
	"github.com/sluice-gateway/sluice/core/packet"
)

// sharing is who shares a token bucket with whom: for every packet that both tables police, the two buckets it goes into. Rates
// are only the same where the buckets hold the same packets, that is where the relation of buckets is a bijection.
type sharing struct {
	pairs []bucketPair
	seen  map[[2]string]bool // pairs that need no second look, because find is set and has found
}

// bucketPair is a bucket on each side, and how a packet that goes into both is found, if there is one.
type bucketPair struct {
	want, got string
	find      func() (packet.Header, bool)
}

func (s *sharing) add(want, got string, find func() (packet.Header, bool)) {
	s.pairs = append(s.pairs, bucketPair{want, got, find})
}

// found notes a packet that goes into both buckets.
func (s *sharing) found(want, got string, h packet.Header) {
	if key := [2]string{want, got}; !s.seen[key] {
		if s.seen == nil {
			s.seen = map[[2]string]bool{}
		}
		s.seen[key] = true
		s.add(want, got, func() (packet.Header, bool) { return h, true })
	}
}

// partner is the bucket on the other side that a bucket goes with, and whether there are more.
type partner struct {
	name string
	more bool
}

// broken returns two packets that share a bucket on one side and not on the other. With onlyGot, sharing on the got side alone counts.
func (s *sharing) broken(onlyGot bool) (a, b packet.Header, yes bool) {
	partners := [2]map[string]partner{{}, {}}
	for _, p := range s.pairs {
		for n, ends := range p.ends() {
			q, known := partners[n][ends[0]]
			partners[n][ends[0]] = partner{ends[1], q.more || known && q.name != ends[1]}
		}
	}
	type holder struct {
		other string
		h     packet.Header
	}
	first := [2]map[string]holder{{}, {}}
	for _, p := range s.pairs {
		if !partners[0][p.want].more && !partners[1][p.got].more {
			continue // whether or not a packet goes into both, no third bucket is involved
		}
		if held, ok := first[0][p.want]; ok && held.other == p.got {
			continue // a packet is known
		}
		h, ok := p.find()
		if !ok {
			continue
		}
		for n, ends := range p.ends() {
			f, held := first[n][ends[0]]
			if held && f.other != ends[1] && (n == 1 || !onlyGot) {
				return f.h, h, true
			}
			if !held {
				first[n][ends[0]] = holder{ends[1], h}
			}
		}
	}
	return a, b, false
}

// ends returns the bucket and its partner, as seen from want and as seen from got.
func (p *bucketPair) ends() [2][2]string {
	return [2][2]string{{p.want, p.got}, {p.got, p.want}}
}

// share adds the pairs of buckets of all entries that end evaluation: those of want that police, with those of got that police and overlap.
func (c *comparison) share(s *sharing) {
	for _, i := range c.want.ends {
		if c.want.table[i].Do.Policer == "" {
			continue
		}
		m := c.want.table[i].Match
		c.buffers[0] = c.got.index.near(m, c.buffers[0])
		for _, y := range c.buffers[0] {
			if !c.spend(1) {
				return
			}
			// Outcomes have been proven alike: a packet that i decides is decided by an entry that does the same.
			if c.got.bare[y] != c.want.bare[i] || !m.Overlaps(c.got.table[y].Match) {
				continue
			}
			s.add(c.want.table[i].Do.Policer, c.got.table[y].Do.Policer, func() (packet.Header, bool) { return c.decided(i, y, m) })
		}
	}
}

// differsInSharing describes two packets that share a bucket on one side only.
func differsInSharing(want, got Table, a, b packet.Header) *Difference {
	d, e := differs(want, got, a), differs(want, got, b)
	d.Other, d.OtherWantEntry, d.OtherGotEntry = &b, e.WantEntry, e.GotEntry
	_, wantA := want.Classify(a)
	_, wantB := want.Classify(b)
	together := "both packets share one policer"
	apart := "each packet has a policer of its own"
	d.Want, d.Got = d.Want+": "+together, d.Got+": "+apart
	if !shareBucket(wantA, wantB) {
		d.Want, d.Got = words(wantA)+"; "+words(wantB)+": "+apart, words(doesOf(got, a))+": "+together
	}
	return d
}

func doesOf(t Table, h packet.Header) []Outcome {
	_, does := t.Classify(h)
	return does
}

// shareBucket says whether two packets go into one bucket.
func shareBucket(a, b []Outcome) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Policer != "" && x.Policer == y.Policer {
				return true
			}
		}
	}
	return false
}
