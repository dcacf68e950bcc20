package packet

import (
	"testing"

	"pgregory.net/rapid"
)

func TestFlagsAgreeWithWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type slow = func(w uint16) bool
		draw := func(name string) (Flags, slow) {
			m := rapid.Uint16Range(0, 0x1fff).Draw(t, name)
			if rapid.Bool().Draw(t, "all") {
				return FlagsAll(m), func(w uint16) bool { return w&m == m }
			}
			return FlagsAny(m), func(w uint16) bool { return w&m != 0 }
		}
		f, inF := draw("f")
		g, inG := draw("g")
		if rapid.Bool().Draw(t, "not") {
			g, inG = g.Not(), func(is slow) slow { return func(w uint16) bool { return !is(w) } }(inG)
		}
		both, either, n := f.And(g), f.Or(g), 0
		contains := true
		for w := range uint16(4096) {
			if both.Has(w) != (inF(w) && inG(w)) || either.Has(w) != (inF(w) || inG(w)) {
				t.Fatalf("%v and %v are wrong about %#x", f, g, w)
			}
			if both.Has(w) {
				n++
			}
			contains = contains && (inF(w) || !inG(w))
		}
		if both.Count() != n || both.Empty() != (n == 0) || f.meets(g) != (n > 0) || f.contains(g) != contains {
			t.Fatalf("%v and %v: count %d of %d, meets %v, contains %v", f, g, both.Count(), n, f.meets(g), f.contains(g))
		}
		matter := uint16(0)
		for bit := uint16(1); bit <= 0xfff; bit <<= 1 {
			for w := range uint16(4096) {
				if both.Has(w) != both.Has(w^bit) {
					matter |= bit
				}
			}
		}
		if both.Matter() != matter {
			t.Fatalf("%v depends on %#x, not on %#x", both, matter, both.Matter())
		}
		if !f.Not().Not().equal(f) || f.Or(f.Not()) != (Flags{}) || !f.And(f.Not()).Empty() {
			t.Fatalf("%v: the complement is no complement", f)
		}
	})
}

func TestFlagsString(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f    Flags
		want string
	}{
		{Flags{}, "any"},
		{FlagsAny(0), "none"},
		{FlagsAll(0), "any"},
		{FlagsAll(0x1000), "none"}, // a bit of the data offset, RFC 8955 §4.2.2.9
		{FlagsAll(0x12), "SA"},
		{FlagsAll(0x02).And(FlagsAny(0x10).Not()), "S&!A"},
		{FlagsAny(0xfff).Not(), "!FSRPAUECN9ab"},
		{FlagsAny(0x03), "3072 of 4096 flag words"},
	} {
		if got := c.f.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if FlagsAll(2).Has(0x1002) {
		t.Error("a word has twelve bits")
	}
}
