package flowspec

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A Reader that has read anything before reads each match as if it were the first.
func TestReaderReadsAsSetDoes(t *testing.T) {
	t.Parallel()
	var r Reader
	property(t, func(t *rapid.T) {
		var ms []Match
		for range rapid.IntRange(1, 6).Draw(t, "matches") {
			f := rapid.SampledFrom(allFamilies).Draw(t, "family")
			m, err := ParseNLRI(f, octets(t, f, rapid.IntRange(1, 4).Draw(t, "most components")))
			if err != nil {
				t.Fatal(err)
			}
			ms = append(ms, m)
		}
		sets := r.Sets(ms)
		if len(sets) != len(ms) {
			t.Fatalf("%d sets of %d matches", len(sets), len(ms))
		}
		for i, m := range ms {
			if want := m.Set(); !sets[i].Identical(want) {
				t.Fatalf("%s among others read as %v, want %v", m, sets[i], want)
			}
		}
	})
}

// Components that are appended, and put together again, are the match they came from.
func TestAppendComponents(t *testing.T) {
	t.Parallel()
	var cs []Component
	var terms []Term
	property(t, func(t *rapid.T) {
		f := rapid.SampledFrom(allFamilies).Draw(t, "family")
		m, err := ParseNLRI(f, octets(t, f, 5))
		if err != nil {
			t.Fatal(err)
		}
		cs, terms = m.AppendComponents(cs[:0], terms[:0])
		same := func(a, b Component) bool {
			return a.Type == b.Type && a.Prefix == b.Prefix && slices.Equal(a.Terms, b.Terms)
		}
		if want := slices.Collect(m.All()); !slices.EqualFunc(cs, want, same) {
			t.Fatalf("%s: got %v, want %v", m, cs, want)
		}
		var parts [][]byte
		for i := range cs {
			b, err := AppendComponent(nil, f, &cs[i])
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, b)
		}
		nlri, err := AppendNLRI([]byte("front"), f, m.RD(), parts...)
		if err != nil || string(nlri) != "front"+string(m.NLRI()) {
			t.Fatalf("%s: %x put together as %x (%v)", m, m.NLRI(), nlri, err)
		}
		other, err := ParseNLRI(f, octets(t, f, 5))
		if err != nil {
			t.Fatal(err)
		}
		first, others := cs[0], slices.Collect(other.All())[0]
		if got := m.SameStart(other); got != same(first, others) {
			t.Fatalf("%s and %s begin with the same component: %v", m, other, got)
		}
	})
}

// More lists of one type than a Reader remembers are read right too, whatever their order.
func TestReaderOfManyLists(t *testing.T) {
	t.Parallel()
	var ms []Match
	for i := range uint64(3 * mostKnown) {
		m, err := NewMatch(IPv4, RD{}, Component{Type: Protocol, Terms: []Term{{Op: EQ, Value: i % 5}}},
			Component{Type: DstPort, Terms: []Term{{Op: EQ, Value: 1000 + i*7%(2*mostKnown)}, {Op: EQ, Value: i % 3}}})
		if err != nil {
			t.Fatal(err)
		}
		ms = append(ms, m)
	}
	var r Reader
	for range 2 {
		for i, got := range r.Sets(ms) {
			if want := ms[i].Set(); !got.Identical(want) {
				t.Fatalf("%s read as %v, want %v", ms[i], got, want)
			}
		}
	}
}
