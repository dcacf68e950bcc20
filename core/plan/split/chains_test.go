package split

import (
	"math/bits"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"pgregory.net/rapid"
)

// The twin of chainedWords knows no spans and no order: it takes every word that there is on a small field, the numbers that it lets through as bits, and looks
// for the cheapest words whose union is the set wanted. Its words are all
// intervals between two numbers that are wanted, without any numbers inside: more than those of chainedWords.

// twinWord is a word, as the numbers that it lets through, and its terms.
type twinWord struct {
	set   uint16
	terms int
}

// twinWords returns the words on 0..top that let no number through that is not in want. Leaving out a number that is wanted makes a word no cheaper.
func twinWords(want uint16, top int, l *Limit) (out []twinWord) {
	for lo := 0; lo <= top; lo++ {
		for hi := lo; hi <= top; hi++ {
			all := uint16(1<<(hi+1) - 1<<lo)
			if want>>lo&1 == 0 || want>>hi&1 == 0 {
				continue
			}
			without := bits.OnesCount16(all &^ want)
			up, down := 0, 0
			if lo > 0 {
				up = 1
			}
			if hi < top {
				down = 1
			}
			terms := up + down + without
			ok := false
			switch {
			case without > 0 && terms > 1:
				ok = l.Ops&Chain != 0
			case without > 0:
				ok = l.Ops&Ne != 0
			case up+down == 2:
				ok = l.Ops&Range != 0
			case up == 1:
				ok = l.Ops&Gt != 0
			case down == 1:
				ok = l.Ops&Lt != 0
			}
			if !ok && without == 0 && l.Ops&Range != 0 { // both ends said, though one is the end of the field
				ok, terms = true, 2
			}
			if lo == hi && without == 0 && l.Ops&Eq != 0 {
				ok, terms = true, 1
			}
			if ok && all&want != 0 && (l.MaxPairs == 0 || terms <= l.MaxPairs) {
				out = append(out, twinWord{all & want, terms})
			}
		}
	}
	return out
}

// twinTerms returns how few terms say want, or -1.
func twinTerms(want uint16, top int, l *Limit) int {
	const far = 1 << 20
	words := twinWords(want, top, l)
	least := make([]int, 1<<(top+1))
	for have := 1; have < len(least); have++ {
		least[have] = far
	}
	// A union only grows, so taking sets in ascending order sees every way to reach one before it is left.
	for have := range least {
		if least[have] == far || uint16(have)&^want != 0 {
			continue
		}
		for _, w := range words {
			if next := uint16(have) | w.set; int(next) != have {
				least[next] = min(least[next], least[have]+w.terms)
			}
		}
	}
	if least[want] == far {
		return -1
	}
	return least[want]
}

// spansOf returns the numbers whose bits are set.
func spansOf(want uint16, top int) (out []packet.Span) {
	for v := 0; v <= top; v++ {
		if want&(1<<v) != 0 {
			out = append(out, packet.Span{Lo: uint32(v), Hi: uint32(v)})
		}
	}
	return tidy(out)
}

// checkChain compares chainedWords with its twin: the same set, as many terms, and every word one that the platform takes.
func checkChain(want uint16, top int, l *Limit) (problem string) {
	ws := new(memory).chainedWords(spansOf(want, top), uint32(top), l, 1<<10)
	terms := twinTerms(want, top, l)
	if ws == nil {
		if terms >= 0 {
			return "cannot be said, and the twin can"
		}
		return ""
	}
	var got uint16
	n := 0
	for _, w := range ws {
		for v := 0; v <= top; v++ {
			in := true
			for _, t := range w.terms {
				in = in && (t.Op&flowspec.LT != 0 && uint64(v) < t.Value || t.Op&flowspec.GT != 0 && uint64(v) > t.Value || t.Op&flowspec.EQ != 0 && uint64(v) == t.Value)
			}
			if in {
				got |= 1 << v
			}
		}
		if op := wording(w.terms); op == 0 || l.Ops&op == 0 {
			return "a word that the platform does not take"
		}
		if l.MaxPairs > 0 && len(w.terms) > l.MaxPairs {
			return "a word that is too long"
		}
		n += len(w.terms)
	}
	switch {
	case got != want:
		return "another set"
	case l.MaxValues == 0 && n != terms:
		return "not the fewest terms"
	case n < terms:
		return "fewer terms than the twin"
	}
	return ""
}

// Every set of the numbers 0 to 7 on every platform that takes points, ranges and !=.
func TestChainedWordsOfEverySmallSet(t *testing.T) {
	t.Parallel()
	for ops := range Ops(64) {
		if ops&(Eq|Range|Ne) != Eq|Range|Ne {
			continue
		}
		for _, pairs := range []int{0, 1, 2, 3} {
			l := &Limit{OK: true, Ops: ops, MaxPairs: pairs}
			for want := uint16(1); want < 0xff; want++ {
				if problem := checkChain(want, 7, l); problem != "" {
					t.Fatalf("%08b with operators %06b, %d pairs: %s: %v", want, ops, pairs, problem, new(memory).chainedWords(spansOf(want, 7), 7, l, 1<<10))
				}
			}
		}
	}
}

// Any set of the numbers 0 to 15.
func TestChainedWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Uint16Range(1, 0xfffe).Draw(t, "want")
		l := &Limit{OK: true, Ops: Ops(rapid.Uint16Range(0, 63).Draw(t, "ops")) | Eq | Range | Ne, MaxPairs: rapid.IntRange(0, 9).Draw(t, "pairs"),
			MaxValues: rapid.IntRange(0, 3).Draw(t, "values")}
		if problem := checkChain(want, 15, l); problem != "" {
			t.Fatalf("%016b, %+v: %s: %v", want, l, problem, new(memory).chainedWords(spansOf(want, 15), 15, l, 1<<10))
		}
	})
}

// What operators write, and in how many terms it is said on a platform that takes everything.
func TestFewestTerms(t *testing.T) {
	t.Parallel()
	span := func(lo, hi uint32) packet.Span { return packet.Span{Lo: lo, Hi: hi} }
	all := Eq | Range | Lt | Gt | Ne | Chain
	for _, c := range []struct {
		name  string
		spans []packet.Span
		terms int
		words int
	}{
		{"not 80", []packet.Span{span(0, 79), span(81, 65535)}, 1, 1},
		{"neither 80 nor 443", []packet.Span{span(0, 79), span(81, 442), span(444, 65535)}, 2, 1},
		{"a range without 15", []packet.Span{span(10, 14), span(16, 20)}, 3, 1},
		{"two ranges far apart", []packet.Span{span(10, 14), span(20, 30)}, 4, 2},
		{"three odd ports", []packet.Span{span(1, 1), span(3, 3), span(5, 5)}, 3, 3},
		{"below 10, and above without 90", []packet.Span{span(0, 9), span(80, 89), span(91, 65535)}, 3, 2},
	} {
		ws := new(memory).chainedWords(c.spans, 65535, &Limit{OK: true, Ops: all}, 256)
		n := 0
		for _, w := range ws {
			n += len(w.terms)
		}
		if n != c.terms || len(ws) != c.words {
			t.Errorf("%s: %v; want %d terms in %d words", c.name, ws, c.terms, c.words)
		}
	}
	// Where the words of a list are counted and not its terms, one long chain is better than many short words.
	if ws := new(memory).chainedWords([]packet.Span{span(1, 1), span(3, 3), span(5, 5)}, 65535, &Limit{OK: true, Ops: all, MaxValues: 1}, 256); len(ws) != 1 {
		t.Errorf("one value a list: %v", ws)
	}
}
