package packet

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The slow twin of Set. Every field is divided into a few atoms, boxes are drawn as products of unions of atoms, and a set of
// packets is a plain list of booleans, one for each combination of atoms. Whatever Set answers must be what the list answers.

// atom is a part of one field: how a box asks for it, and packets that are in it.
type atom struct {
	narrow func(*Box) // widens nothing: called on a box whose side is empty, it adds the atom
	set    []func(*Header)
}

// field is all atoms of one field; together they are everything the field can hold.
type field struct {
	none  func(*Box) // empties the side
	atoms []atom
}

func numbers(side func(*Box) *Values, set func(*Header, uint32), spans ...Span) field {
	f := field{none: func(b *Box) { *side(b) = NewValues() }}
	for _, s := range spans {
		f.atoms = append(f.atoms, atom{
			narrow: func(b *Box) { *side(b) = side(b).Or(NewValues(s)) },
			set:    []func(*Header){func(h *Header) { set(h, s.Lo) }, func(h *Header) { set(h, s.Hi) }},
		})
	}
	return f
}

func addresses(side func(*Box) *Addrs, set func(*Header, netip.Addr), v Version, sets []Addrs, members ...[]string) field {
	f := field{none: func(b *Box) { *side(b) = nowhere(v) }}
	for i, s := range sets {
		a := atom{narrow: func(b *Box) { *side(b) = side(b).Or(s) }}
		for _, m := range members[i] {
			ip := netip.MustParseAddr(m)
			a.set = append(a.set, func(h *Header) { set(h, ip) })
		}
		f.atoms = append(f.atoms, a)
	}
	return f
}

func prefixes(t testing.TB, texts ...string) (out []Addrs) {
	t.Helper()
	for _, s := range texts {
		out = append(out, AddrsIn(netip.MustParsePrefix(s)))
	}
	return out
}

// universe is the fields of one IP version.
func universe(t testing.TB, v Version) []field {
	dstSide, srcSide := func(b *Box) *Addrs { return &b.Dst }, func(b *Box) *Addrs { return &b.Src }
	setDst, setSrc := func(h *Header, a netip.Addr) { h.Dst = a }, func(h *Header, a netip.Addr) { h.Src = a }
	flagsField := field{none: func(b *Box) { b.Flags = FlagsAny(0) }}
	for _, part := range []struct {
		f     Flags
		words []uint16
	}{
		{FlagsAll(2).And(FlagsAny(0x10).Not()), []uint16{2, 3, 0xfef}},
		{FlagsAll(0x12), []uint16{0x12, 0xfff}},
		{FlagsAny(2).Not(), []uint16{0, 0x10, 0xffd}},
	} {
		a := atom{narrow: func(b *Box) { b.Flags = b.Flags.Or(part.f) }}
		for _, w := range part.words {
			a.set = append(a.set, func(h *Header) { h.Flags = w })
		}
		flagsField.atoms = append(flagsField.atoms, a)
	}
	fragField := field{none: func(b *Box) { b.Frags = 0 }}
	addFrags := func(f Frags, sets ...func(*Header)) {
		fragField.atoms = append(fragField.atoms, atom{func(b *Box) { b.Frags |= f }, sets})
	}
	state := func(f Fragment, df bool) func(*Header) { return func(h *Header) { h.Fragment, h.DF = f, df } }
	number := func(side func(*Box) *Values, set func(*Header, uint32), spans ...Span) field {
		return numbers(side, set, spans...)
	}
	fields := []field{
		flagsField,
		number(func(b *Box) *Values { return &b.Proto }, func(h *Header, n uint32) { h.Proto = uint8(n) }, Span{0, 5}, Span{6, 6}, Span{7, 255}),
		number(func(b *Box) *Values { return &b.SrcPort }, func(h *Header, n uint32) { h.SrcPort = uint16(n) }, Span{0, 52}, Span{53, 65535}),
		number(func(b *Box) *Values { return &b.DstPort }, func(h *Header, n uint32) { h.DstPort = uint16(n) }, Span{0, 79}, Span{80, 80}, Span{81, 65535}),
		number(func(b *Box) *Values { return &b.ICMPType }, func(h *Header, n uint32) { h.ICMPType = uint8(n) }, Span{0, 7}, Span{8, 255}),
		number(func(b *Box) *Values { return &b.Length }, func(h *Header, n uint32) { h.Length = uint16(n) }, Span{0, 27}, Span{28, 65535}),
	}
	if v == IPv4 {
		addFrags(FragsOf(Whole, false), state(Whole, false))
		addFrags(FragsOf(Whole, true)|FragsOf(First, true), state(Whole, true), state(First, true))
		addFrags(0xcc|FragsOf(First, false), state(First, false), state(Middle, true), state(Last, false))
		return append(fields, fragField,
			addresses(dstSide, setDst, v, []Addrs{AddrsIn(netip.MustParsePrefix("10.0.0.0/8")), AddrsBetween(netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("9.255.255.255")), AddrsBetween(netip.MustParseAddr("11.0.0.0"), netip.MustParseAddr("255.255.255.255"))},
				[]string{"10.0.0.0", "10.255.255.255"}, []string{"0.0.0.0", "9.255.255.255"}, []string{"11.0.0.0", "255.255.255.255"}),
			addresses(srcSide, setSrc, v, prefixes(t, "0.0.0.0/1", "128.0.0.0/1"), []string{"0.0.0.0", "127.255.255.255"}, []string{"128.0.0.0", "255.255.255.255"}),
			number(func(b *Box) *Values { return &b.DSCP }, func(h *Header, n uint32) { h.DSCP = uint8(n) }, Span{0, 0}, Span{1, 63}))
	}
	addFrags(FragsOf(Whole, false), state(Whole, false))
	addFrags(0x0e, state(First, false), state(Middle, false), state(Last, false))
	like := AddrsLike(netip.MustParseAddr("::1234:0:0:0"), netip.MustParseAddr("::ffff:0:0:0"))
	in := AddrsIn(netip.MustParsePrefix("2001:db8::/32"))
	return append(fields, fragField,
		addresses(dstSide, setDst, v, []Addrs{like.And(in), like.Sub(in), in.Sub(like), Addrs{}.Sub(like).Sub(in)},
			[]string{"2001:db8::1234:0:0:0", "2001:db8:ffff:ffff:1234:ffff:ffff:ffff"}, []string{"::1234:0:0:0", "ffff::1234:0:0:0"},
			[]string{"2001:db8::", "2001:db8::1235:0:0:0"}, []string{"::", "2001:db7:ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}),
		addresses(srcSide, setSrc, v, prefixes(t, "::/1", "8000::/1"), []string{"::", "7fff::"}, []string{"8000::", "ffff::"}),
		number(func(b *Box) *Values { return &b.Label }, func(h *Header, n uint32) { h.Label = n }, Span{0, 7}, Span{8, 1<<20 - 1}))
}

// space is both universes, and one packet for each combination of atoms.
type space struct {
	fields map[Version][]field
	base   map[Version]int // index of the first combination
	size   int
}

func newSpace(t testing.TB) *space {
	s := &space{fields: map[Version][]field{}, base: map[Version]int{}}
	for _, v := range []Version{IPv4, IPv6} {
		s.fields[v], s.base[v] = universe(t, v), s.size
		n := 1
		for _, f := range s.fields[v] {
			n *= len(f.atoms)
		}
		s.size += n
	}
	return s
}

// packets calls yield with each combination's index and one packet of it; which one depends on seed.
func (s *space) packets(seed int, yield func(i int, h Header)) {
	for _, v := range []Version{IPv4, IPv6} {
		h := Header{Src: u128{}.addr(v), Dst: u128{}.addr(v)}
		var walk func(fields []field, i, pick int, h Header)
		walk = func(fields []field, i, pick int, h Header) {
			if len(fields) == 0 {
				yield(s.base[v]+i, h)
				return
			}
			for k, a := range fields[0].atoms {
				a.set[pick%len(a.set)](&h)
				walk(fields[1:], i*len(fields[0].atoms)+k, pick*7+k+seed, h)
			}
		}
		walk(s.fields[v], 0, seed, h)
	}
}

// list is a set of combinations.
type list []bool

func (s *space) list(set Set, seed int) list {
	out := make(list, s.size)
	s.packets(seed, func(i int, h Header) { out[i] = set.Has(h) })
	return out
}

// box draws a box, and lists it without asking Set.
func (s *space) box(t *rapid.T) (Box, list) {
	v := rapid.SampledFrom([]Version{IPv4, IPv4, IPv6}).Draw(t, "version")
	b, out := Everything(v), make(list, s.size)
	chosen := make([]int, len(s.fields[v]))
	for i, f := range s.fields[v] {
		all := 1<<len(f.atoms) - 1
		chosen[i] = all
		if rapid.IntRange(0, 2).Draw(t, "narrow") == 0 {
			continue
		}
		chosen[i] = rapid.IntRange(0, all).Draw(t, "atoms")
		f.none(&b)
		for k, a := range f.atoms {
			if chosen[i]>>k&1 == 1 {
				a.narrow(&b)
			}
		}
	}
	n := s.size - s.base[v]
	if v == IPv4 {
		n = s.base[IPv6]
	}
	for i := range n {
		in, rest := true, i
		for k := len(chosen) - 1; k >= 0; k-- {
			size := len(s.fields[v][k].atoms)
			in = in && chosen[k]>>(rest%size)&1 == 1
			rest /= size
		}
		out[s.base[v]+i] = in
	}
	return b, out
}

func (s *space) set(t *rapid.T) (Set, list) {
	out := make(list, s.size)
	var boxes []Box
	for range rapid.IntRange(0, 4).Draw(t, "boxes") {
		b, l := s.box(t)
		boxes = append(boxes, b)
		out = out.with(l, func(a, b bool) bool { return a || b })
	}
	return Of(boxes...), out
}

func (l list) with(m list, f func(a, b bool) bool) list {
	out := make(list, len(l))
	for i := range l {
		out[i] = f(l[i], m[i])
	}
	return out
}

func (l list) empty() bool { return !slices.Contains(l, true) }

func TestSetsAgreeWithLists(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	rapid.Check(t, func(t *rapid.T) {
		a, la := s.set(t)
		b, lb := s.set(t)
		seed := rapid.IntRange(0, 1000).Draw(t, "seed")
		same := func(name string, got Set, want list) {
			t.Helper()
			if !slices.Equal(s.list(got, seed), want) {
				t.Fatalf("%s of\n%v\n%v\nis wrong: %v", name, a, b, got)
			}
			if got.Empty() != want.empty() {
				t.Fatalf("%s: Empty %v", name, got.Empty())
			}
		}
		same("Of", a, la)
		same("And", a.And(b), la.with(lb, func(x, y bool) bool { return x && y }))
		same("Or", a.Or(b), la.with(lb, func(x, y bool) bool { return x || y }))
		minus := la.with(lb, func(x, y bool) bool { return x && !y })
		same("Sub", a.Sub(b), minus)
		same("Not", a.Not(), la.with(la, func(x, _ bool) bool { return !x }))
		if got, want := a.Equal(b), slices.Equal(la, lb); got != want {
			t.Fatalf("%v\nEqual\n%v: %v", a, b, got)
		}
		if got, want := a.Contains(b), lb.with(la, func(x, y bool) bool { return x && !y }).empty(); got != want {
			t.Fatalf("%v\nContains\n%v: %v", a, b, got)
		}
		if got, want := a.Overlaps(b), !la.with(lb, func(x, y bool) bool { return x && y }).empty(); got != want {
			t.Fatalf("%v\nOverlaps\n%v: %v", a, b, got)
		}
		out, ok := a.Outside(1<<20, b)
		if !ok || out.Empty() != minus.empty() || !a.Contains(out) || out.Overlaps(b) {
			t.Fatalf("%v\nOutside\n%v: %v %v", a, b, out, ok)
		}
	})
}

func TestLawsOfSets(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	rapid.Check(t, func(t *rapid.T) {
		a, _ := s.set(t)
		b, _ := s.set(t)
		c, _ := s.set(t)
		for name, pair := range map[string][2]Set{
			"de Morgan":    {a.And(b).Not(), a.Not().Or(b.Not())},
			"double not":   {a.Not().Not(), a},
			"distribution": {a.And(b.Or(c)), a.And(b).Or(a.And(c))},
			"difference":   {a.Sub(b).Sub(c), a.Sub(b.Or(c))},
			"whole":        {a.Sub(b).Or(a.And(b)), a},
			"commutation":  {a.Or(b).Or(c), c.Or(b).Or(a)},
		} {
			if !pair[0].Equal(pair[1]) || !pair[1].Equal(pair[0]) {
				t.Fatalf("%s fails for\n%v\n%v\n%v:\n%v\nand\n%v", name, a, b, c, pair[0], pair[1])
			}
		}
		if again := Of(a.Boxes()...); !again.Equal(a) {
			t.Fatalf("%v came back from its boxes as %v", a, again)
		}
	})
}

// canExist is what docs/semantics.md says of packets that can exist, written without looking at shortest.
func canExist(h Header) bool {
	if h.Version() == IPv4 {
		return h.Length >= 20
	}
	return h.Length >= 40
}

func TestWitnessIsInTheSetAndCanExist(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	rapid.Check(t, func(t *rapid.T) {
		a, la := s.set(t)
		h, ok := a.Witness()
		if ok && (!a.Has(h) || !canExist(h)) {
			t.Fatalf("%v is no witness of %v (in it: %v)", h, a, a.Has(h))
		}
		if again, _ := Of(a.Boxes()...).Witness(); ok && again != h {
			t.Fatalf("%v, and then %v, of %v", h, again, a)
		}
		possible := false
		s.packets(1, func(i int, h Header) { // the largest number of each atom: the longest packets
			for _, f := range s.fields[h.Version()][5].atoms {
				if h.Length > 27 {
					f.set[len(f.set)-1](&h)
				}
			}
			possible = possible || la[i] && canExist(h)
		})
		if possible && !ok {
			t.Fatalf("no witness of %v", a)
		}
		if back, err := ParseHeader(h.String()); ok && (err != nil || back != h) {
			t.Fatalf("%v came back as %v, %v", h, back, err)
		}
	})
}
