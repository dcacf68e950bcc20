package packet

import (
	"math/bits"
	"sync/atomic"
)

// Flags is a set of 12-bit TCP flag words. The zero Flags is every word.
type Flags struct{ words *words }

// words has one bit for each of the 4096 flag words.
type words [64]uint64

// basis holds, for each flag bit, the set of words that have it.
var basis = func() (b [12]words) {
	for bit := range b {
		for w := range 4096 {
			if w>>bit&1 == 1 {
				b[bit][w/64] |= 1 << (w % 64)
			}
		}
	}
	return b
}()

var everyWord = func() (w words) {
	for i := range w {
		w[i] = ^uint64(0)
	}
	return w
}()

// FlagsAll returns the words w with w&mask == mask. A bit above the twelve is never set in a word,
// so a mask with one holds nothing (the data offset nibble of a two-octet TCP flags value, RFC 8955 §4.2.2.9).
func FlagsAll(mask uint16) Flags {
	if mask > 0xfff {
		return Flags{new(words)}
	}
	return remembered(&flagsAll, mask, wordsWithAll)
}

// FlagsAny returns the words w with w&mask != 0.
func FlagsAny(mask uint16) Flags { return remembered(&flagsAny, mask, wordsWithAny) }

// The sets of words that have all, or any, bits of a mask of one octet, as they come up: rules ask for few of them, and half a kilobyte each is a lot for a rule.
var flagsAll, flagsAny [256]atomic.Pointer[words]

// remembered returns what make makes of mask, the one in known where there is one.
func remembered(known *[256]atomic.Pointer[words], mask uint16, make func(uint16) Flags) Flags {
	if int(mask) >= len(known) {
		return make(mask)
	}
	if w := known[mask].Load(); w != nil {
		return Flags{w}
	}
	out := make(mask)
	known[mask].Store(out.words)
	return out
}

func wordsWithAll(mask uint16) Flags {
	all := everyWord
	for bit := range basis {
		if mask>>bit&1 == 1 {
			for i := range all {
				all[i] &= basis[bit][i]
			}
		}
	}
	return flags(&all)
}

func wordsWithAny(mask uint16) Flags {
	var some words
	for bit := range basis {
		if mask>>bit&1 == 1 {
			for i := range some {
				some[i] |= basis[bit][i]
			}
		}
	}
	return flags(&some)
}

// flags returns w as a set, the full one as its only form.
func flags(w *words) Flags {
	if *w == everyWord {
		return Flags{}
	}
	return Flags{w}
}

// And returns the words in f and in g.
func (f Flags) And(g Flags) Flags {
	if f.words == nil || f.words == g.words {
		return g
	}
	if g.words == nil {
		return f
	}
	var w words
	for i := range w {
		w[i] = f.words[i] & g.words[i]
	}
	return flags(&w)
}

// Or returns the words in f or in g.
func (f Flags) Or(g Flags) Flags {
	if f.words == nil || g.words == nil {
		return Flags{}
	}
	var w words
	for i := range w {
		w[i] = f.words[i] | g.words[i]
	}
	return flags(&w)
}

// Not returns the words not in f.
func (f Flags) Not() Flags {
	var w words
	if f.words != nil {
		for i := range w {
			w[i] = ^f.words[i]
		}
	}
	return flags(&w)
}

// Has says whether w is in f. Bits above the twelve do not exist in a word.
func (f Flags) Has(w uint16) bool {
	if w > 0xfff {
		return false
	}
	return f.words == nil || f.words[w/64]>>(w%64)&1 == 1
}

// Matter returns the bits that f depends on: those with which some word is in f, and is not when the bit is turned.
func (f Flags) Matter() (bits uint16) {
	if f.words == nil {
		return 0
	}
	for bit := range basis {
		for i, w := range f.words {
			turned := f.words[i^1<<bit>>6] // a high bit chooses the element
			if bit < 6 {
				turned = w >> (1 << bit)
			}
			if (w^turned)&^basis[bit][i] != 0 {
				bits |= 1 << bit
				break
			}
		}
	}
	return bits
}

// Any says whether f is every word.
func (f Flags) Any() bool { return f.words == nil }

// Empty says whether f holds no word.
func (f Flags) Empty() bool { return f.words != nil && *f.words == words{} }

// Count returns how many of the 4096 words are in f.
func (f Flags) Count() int {
	if f.words == nil {
		return 4096
	}
	n := 0
	for _, w := range f.words {
		n += bits.OnesCount64(w)
	}
	return n
}

// contains says whether g is a subset of f.
func (f Flags) contains(g Flags) bool {
	if f.words == nil || f.words == g.words {
		return true
	}
	if g.words == nil {
		return false
	}
	for i, w := range g.words {
		if w&^f.words[i] != 0 {
			return false
		}
	}
	return true
}

// meets says whether f and g share a word.
func (f Flags) meets(g Flags) bool {
	if f.words == nil {
		return !g.Empty()
	}
	if g.words == nil {
		return !f.Empty()
	}
	for i, w := range g.words {
		if w&f.words[i] != 0 {
			return true
		}
	}
	return false
}

func (f Flags) equal(g Flags) bool {
	if f.words == nil || g.words == nil {
		return f.words == g.words
	}
	return f.words == g.words || *f.words == *g.words
}

// lowest returns the smallest word of a set that has one.
func (f Flags) lowest() uint16 {
	if f.words != nil {
		for i, w := range f.words {
			if w != 0 {
				return uint16(i*64 + bits.TrailingZeros64(w))
			}
		}
	}
	return 0
}

// flagLetters names the flag bits, lowest first, as operators and packet dumps do. NS (RFC 3540) is N; the three reserved
// bits have no letter in common use and are 9, a and b here.
const flagLetters = "FSRPAUECN9ab"

// FlagString prints a flag word as letters, lowest bit first, as in SA.
func FlagString(w uint16) string {
	if w == 0 {
		return "none"
	}
	out := make([]byte, 0, 12)
	for bit := range len(flagLetters) {
		if w>>bit&1 == 1 {
			out = append(out, flagLetters[bit])
		}
	}
	return string(out)
}
