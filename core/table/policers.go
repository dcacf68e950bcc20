package table

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// sharing is who shares a token bucket with whom: for every packet that both tables police, the two buckets it goes into. Rates
// are only the same where the buckets hold the same packets, that is where the relation of buckets is a bijection.
type sharing struct {
	pairs []bucketPair
	seen  map[[2]string]bool // pairs that found has noted
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

// broken returns two packets that share a bucket on one side and not on the other. With onlyGot, sharing on the got side alone counts. With each not nil, it
// is called for the first two packets of each bucket that is broken, until it returns true.
func (s *sharing) broken(onlyGot bool, each func(bucket string, a, b packet.Header) bool) (a, b packet.Header, yes bool) {
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
				if each == nil || each(fmt.Sprint(n, ends[0]), f.h, h) {
					return f.h, h, true
				}
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

// share notes the buckets of two entries that may decide the same packet of within.
func (c *comparison) share(i, y int, within packet.Set) {
	if y == byDefault || !c.got.table[y].Do.limits() {
		return
	}
	var want []Outcome
	if i != byDefault {
		want = []Outcome{c.want.table[i].Do}
	}
	c.sharing.add(bucketOf(want), c.got.table[y].Do.Policer, func() (packet.Header, bool) { return c.decided(i, y, within) })
}

// bucketOf names the bucket that packets go into; those that are discarded have one of their own, since they take no tokens.
func bucketOf(does []Outcome) string {
	name := ""
	for _, o := range does {
		if o.Discard {
			return "discard"
		}
		if o.limits() {
			name += "policer " + o.Policer + ";"
		}
	}
	return name
}

// twoOfOne returns two packets that share a policer in want alone, where both tables are the same two entries but for that: what a rule with a rate becomes that is cut in two. One entry
// decides each packet on both sides, so nothing is to be looked for; the packets are those that a comparison of any tables finds.
func twoOfOne(want, got Table) (a, b packet.Header, found bool) {
	if len(want) != 2 || len(got) != 2 || want[0].Do.Policer != want[1].Do.Policer || got[0].Do.Policer == got[1].Do.Policer {
		return a, b, false
	}
	var sets [2]packet.Set
	for i := range want {
		w, g := &want[i], &got[i]
		if w.Continue || g.Continue || w.Do.Discard || w.Do.Policer == "" || g.Do.Policer == "" || w.Do.bare() != g.Do.bare() || !w.Match.Identical(g.Match) {
			return a, b, false
		}
		if sets[i] = w.Match; !sets[i].Single() {
			sets[i] = w.Match.And(w.Match).And(g.Match)
		}
	}
	if a, found = sets[0].Witness(); !found {
		return a, b, false
	}
	if b, found = sets[1].Witness(); found && want[0].Match.Has(b) {
		left, known := sets[1].Outside(budget(want, got), want[0].Match, got[0].Match)
		if !known {
			return a, b, false
		}
		b, found = left.Witness()
	}
	return a, b, found
}

// differsInSharing describes two packets that share a bucket on one side only.
func differsInSharing(want, got Table, a, b packet.Header) *Difference {
	d, e := differs(want, got, a), differs(want, got, b)
	d.Other, d.OtherWantEntry, d.OtherGotEntry = &b, e.WantEntry, e.GotEntry
	d.Want = sharingWords(doesOf(want, a), doesOf(want, b))
	d.Got = sharingWords(doesOf(got, a), doesOf(got, b))
	return d
}

// sharingWords says what happens to two packets, and to which policers both go.
func sharingWords(a, b []Outcome) string {
	what := words(a)
	if other := words(b); other != what {
		what += " and " + other
	}
	switch shared := sharedBuckets(a, b); len(shared) {
	case 0:
		return what + ": no policer in common"
	case 1:
		return what + ": both share policer " + shared[0]
	default:
		return what + ": both share policers " + strings.Join(shared, ", ")
	}
}

func doesOf(t Table, h packet.Header) []Outcome {
	_, does := t.Classify(h)
	return does
}

// sharedBuckets returns the policers that two packets both go through.
func sharedBuckets(a, b []Outcome) (names []string) {
	for _, x := range a {
		for _, y := range b {
			if x.limits() && x.Policer == y.Policer && !slices.Contains(names, x.Policer) {
				names = append(names, x.Policer)
			}
		}
	}
	return names
}
