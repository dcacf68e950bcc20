package packet

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func udp(dst string, narrow func(*Box)) Box {
	b := Everything(IPv4)
	b.Dst = AddrsIn(netip.MustParsePrefix(dst))
	b.Proto = NewValues(Span{17, 17})
	b.Frags = OffsetZero
	if narrow != nil {
		narrow(&b)
	}
	return b
}

func points(ns ...uint32) Values {
	var spans []Span
	for _, n := range ns {
		spans = append(spans, Span{n, n})
	}
	return NewValues(spans...)
}

// TestPortIsTwoBoxes: `port` in either direction is the union of two boxes, whichever way it is cut, and one box when the other
// port is confined to the same numbers.
func TestPortIsTwoBoxes(t *testing.T) {
	t.Parallel()
	in := points(53, 123)
	out := in.Not(65535)
	either := Of(udp("203.0.113.9/32", func(b *Box) { b.DstPort = in }), udp("203.0.113.9/32", func(b *Box) { b.SrcPort = in }))
	other := Of(udp("203.0.113.9/32", func(b *Box) { b.SrcPort = in }), udp("203.0.113.9/32", func(b *Box) { b.SrcPort, b.DstPort = out, in }))
	if !either.Equal(other) || !other.Equal(either) || len(either.Boxes()) != 2 {
		t.Errorf("%v\nis not\n%v", either, other)
	}
	small := points(53)
	one := Of(udp("203.0.113.9/32", func(b *Box) { b.SrcPort, b.DstPort = small, in }), udp("203.0.113.9/32", func(b *Box) { b.SrcPort, b.DstPort = small, out }))
	if got := one.Boxes(); len(got) != 1 || got[0].DstPort != nil {
		t.Errorf("got %v", one)
	}
}

func TestSetString(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set  Set
		want string
	}{
		{Set{}, "nothing"},
		{Of(Everything(IPv6)), "ipv6"},
		{Of(udp("203.0.113.9/32", func(b *Box) { b.SrcPort = points(19, 53) })), "ipv4 dst 203.0.113.9 proto 17 sport 19,53 frag whole,first"},
		{Of(Box{Version: IPv4, Frags: FragsOf(Whole, true) | FragsOf(Last, false)}), "ipv4 frag whole+df,last-df"},
		{Of(Box{Version: IPv6, Frags: FragsOf(First, false) | FragsOf(Last, false)}), "ipv6 frag first,last"},
		{Of(Everything(IPv6), udp("10.0.0.0/8", nil)), "ipv6; or ipv4 dst 10.0.0.0/8 proto 17 frag whole,first"},
	} {
		if got := c.set.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// grid cuts a box of many source ports, destination ports and lengths into pieces of at most five values a side.
func grid(b Box) (pieces []Box) {
	cut := func(v Values) (out []Values) {
		for len(v) > 5 {
			out, v = append(out, v[:5]), v[5:]
		}
		return append(out, v)
	}
	for _, s := range cut(b.SrcPort) {
		for _, d := range cut(b.DstPort) {
			for _, l := range cut(b.Length) {
				piece := b
				piece.SrcPort, piece.DstPort, piece.Length = s, d, l
				pieces = append(pieces, piece)
			}
		}
	}
	return pieces
}

func many(n, step uint32) Values {
	var spans []Span
	for i := range n {
		spans = append(spans, Span{100 + i*step, 100 + i*step + i%2})
	}
	return NewValues(spans...)
}

// TestSplitIsEqualAndMutantsAreNot cuts one rule into 48 pieces, then loses or narrows each of them.
func TestSplitIsEqualAndMutantsAreNot(t *testing.T) {
	t.Parallel()
	rule := udp("203.0.113.10/32", func(b *Box) { b.DstPort, b.SrcPort, b.Length = many(12, 7), many(20, 11), many(20, 5) })
	whole, pieces := Of(rule), grid(rule)
	if len(pieces) != 3*4*4 {
		t.Fatalf("%d pieces", len(pieces))
	}
	split := apart(pieces)
	if !whole.Equal(split) || !split.Equal(whole) || !whole.Equal(Of(pieces...)) {
		t.Fatal("the split is not equal")
	}
	if !whole.Tiles(split) || !whole.Tiles(apart(pieces[:7]), apart(pieces[7:])) || whole.Tiles(split, apart(pieces[:1])) || whole.Tiles() {
		t.Fatal("counting does not see the split, or sees one where a piece comes twice or there is none")
	}
	for i := range pieces {
		lost := apart(append(append([]Box{}, pieces[:i]...), pieces[i+1:]...))
		narrowed := append([]Box{}, pieces...)
		narrowed[i].Length = narrowed[i].Length[1:]
		widened := append([]Box{}, pieces...)
		widened[i].SrcPort = widened[i].SrcPort.Or(points(7))
		for _, mutant := range []Set{lost, apart(narrowed), apart(widened)} {
			if whole.Equal(mutant) || mutant.Equal(whole) || whole.Tiles(mutant) {
				t.Fatalf("a mutant of piece %d is equal", i)
			}
			h, ok := whole.Sub(mutant).Or(mutant.Sub(whole)).Witness()
			if !ok || whole.Has(h) == mutant.Has(h) {
				t.Fatalf("piece %d: %v is no witness", i, h)
			}
		}
	}
}

// apart is Of without merging, as a table has its entries.
func apart(boxes []Box) (s Set) {
	for i := range boxes {
		s.boxes = append(s.boxes, boxes[i].pack())
	}
	return s
}

// TestCountingAndPeelingAgree compares the two ways to compare unions of disjoint boxes.
func TestCountingAndPeelingAgree(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	known := 0
	rapid.Check(t, func(t *rapid.T) {
		a, _ := s.set(t)
		cut, _ := s.set(t)
		pieces := Set{append(append([]box{}, a.Sub(cut).boxes...), a.And(cut).boxes...)}
		if n := len(pieces.boxes); n > 0 && rapid.Bool().Draw(t, "lose") {
			i := rapid.IntRange(0, n-1).Draw(t, "which")
			pieces.boxes = append(pieces.boxes[:i:i], pieces.boxes[i+1:]...)
		}
		twice := len(pieces.boxes) > 0 && rapid.Bool().Draw(t, "twice")
		if twice {
			pieces.boxes = append(pieces.boxes, pieces.boxes[rapid.IntRange(0, len(pieces.boxes)-1).Draw(t, "again")])
		}
		if len(a.boxes) == 0 || len(pieces.boxes) == 0 {
			return
		}
		equal, ok := a.counts(pieces)
		if ok && twice {
			t.Fatalf("counting knows of boxes that overlap:\n%v", pieces)
		}
		if !ok {
			return
		}
		known++
		if want := a.Contains(pieces) && pieces.Contains(a); equal != want {
			t.Fatalf("counting says %v, peeling %v of\n%v\n%v", equal, want, a, pieces)
		}
	})
	if known == 0 {
		t.Error("counting never knew")
	}
}

// Boxes by the hundred are counted too, and one that is lost, grown or there twice is missed.
func TestCountingManyBoxes(t *testing.T) {
	t.Parallel()
	whole := udp("203.0.113.0/24", func(b *Box) { b.DstPort, b.SrcPort, b.Length = many(30, 7), many(30, 11), many(15, 5) })
	pieces := grid(whole)
	if len(pieces) <= 64 {
		t.Fatalf("only %d pieces", len(pieces))
	}
	a := Of(whole)
	check := func(what string, pieces []Box, want bool) {
		t.Helper()
		if got := a.Tiles(apart(pieces)); got != want {
			t.Errorf("%s: tiles %v, want %v", what, got, want)
		}
		if got := a.Equal(apart(pieces)); got != (want || what == "twice") {
			t.Errorf("%s: equal %v", what, got)
		}
	}
	check("all", pieces, true)
	for i := range pieces {
		check("lost", slices.Delete(slices.Clone(pieces), i, i+1), false)
		if i%16 == 0 {
			check("twice", append(slices.Clone(pieces), pieces[i]), false)
		}
		grown := slices.Clone(pieces)
		grown[i].Length = grown[i].Length.Or(NewValues(Span{60000, 60001}))
		check("grown", grown, false)
	}
}

func TestOutsideGivesUp(t *testing.T) {
	t.Parallel()
	rule := udp("203.0.113.10/32", func(b *Box) { b.DstPort, b.SrcPort, b.Length = many(12, 7), many(20, 11), many(20, 5) })
	pieces := apart(grid(rule))
	for steps, proven := range map[int]bool{0: false, 10: false, 100_000: true} {
		left, ok := Of(rule).Outside(steps, pieces)
		if ok != proven || !left.Empty() {
			t.Errorf("%d steps: %v %v", steps, left, ok)
		}
	}
	budget := 100_000
	if _, ok := Of(rule).OutsideOn(&budget, pieces); !ok || budget >= 100_000 || budget < 50_000 {
		t.Errorf("%d steps left, %v", budget, ok)
	}
	if left, ok := Of(rule).SubOn(&budget, apart(grid(rule)[1:])); !ok || !left.Equal(Of(grid(rule)[0])) {
		t.Errorf("got %v %v", left, ok)
	}
	if _, ok := Of(rule).SubOn(new(int), pieces); ok {
		t.Error("a search without steps ended")
	}
}

// TestOutsideLooksForPacketsThatExist: what is left of a box may begin with packets that cannot exist.
func TestOutsideLooksForPacketsThatExist(t *testing.T) {
	t.Parallel()
	short := udp("203.0.113.10/32", func(b *Box) { b.Length = NewValues(Span{0, 100}) })
	middle := udp("203.0.113.10/32", func(b *Box) { b.Length = NewValues(Span{12, 99}) })
	left, ok := Of(short).Outside(1000, Of(middle))
	if h, can := left.Witness(); !ok || !can || h.Length != 100 {
		t.Errorf("got %v %v", left, ok)
	}
	middle.Length = NewValues(Span{12, 100})
	left, ok = Of(short).Outside(1000, Of(middle))
	if _, can := left.Witness(); !ok || can || left.Empty() {
		t.Errorf("got %v %v", left, ok)
	}
}

// TestWitnessLooksOrdinary pins what an operator sees.
func TestWitnessLooksOrdinary(t *testing.T) {
	t.Parallel()
	v6 := Everything(IPv6)
	icmp := Everything(IPv6)
	icmp.Proto, icmp.Frags = points(58), OffsetZero
	gre := Everything(IPv4)
	gre.Proto, gre.SrcPort = points(47), points(53)
	tcp := udp("203.0.113.80/32", func(b *Box) { b.Proto, b.Flags = points(6), FlagsAll(0x10).And(FlagsAny(2).Not()) })
	for _, c := range []struct {
		set  Set
		want string
	}{
		{Of(Everything(IPv4)), "udp 198.51.100.7:40000 > 203.0.113.9:53 len 512"},
		{Of(v6), "udp [2001:db8:51::7]:40000 > [2001:db8:113::9]:53 len 512"},
		{Of(icmp), "icmp6 2001:db8:51::7 > 2001:db8:113::9 len 104 icmp 128/0"},
		{Of(gre), "proto 47 198.51.100.7:53 > 203.0.113.9:0 len 512"},
		{Of(tcp), "tcp 198.51.100.7:40000 > 203.0.113.80:443 len 60 flags A"},
		{Of(udp("10.9.0.0/16", func(b *Box) { b.SrcPort = points(19, 123) })), "udp 198.51.100.7:123 > 10.9.0.9:40000 len 512"},
		{Of(udp("10.9.0.0/16", func(b *Box) { b.DstPort = points(7777) })), "udp 198.51.100.7:40000 > 10.9.0.9:7777 len 512"},
		{Of(udp("10.9.0.0/16", func(b *Box) { b.Length = NewValues(Span{0, 30}) })), "udp 198.51.100.7:40000 > 10.9.0.9:53 len 28"},
		{Of(udp("10.9.0.0/16", func(b *Box) { b.Length = NewValues(Span{0, 27}) })), "udp 198.51.100.7:40000 > 10.9.0.9:53 len 20"},
		{Of(udp("10.9.0.0/16", func(b *Box) { b.Length = NewValues(Span{0, 19}, Span{24, 24}) })), "udp 198.51.100.7:40000 > 10.9.0.9:53 len 24"},
		{Of(Everything(IPv4)).Sub(Of(udp("0.0.0.0/0", nil))), "tcp 198.51.100.7:40000 > 203.0.113.9:443 len 60 flags S"},
	} {
		if h, ok := c.set.Witness(); !ok || h.String() != c.want {
			t.Errorf("got %v, want %s", h, c.want)
		}
	}
	tooShort := Everything(IPv4)
	tooShort.Length = NewValues(Span{0, 19})
	if h, ok := Of(tooShort).Witness(); ok {
		t.Errorf("%v cannot exist", h)
	}
}

func TestHashAndReach(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	rapid.Check(t, func(t *rapid.T) {
		a, _ := s.set(t)
		again := Of(a.Boxes()...)
		if len(again.boxes) == len(a.boxes) && len(a.boxes) > 0 && sameBoxes(a.boxes, again.boxes) && (a.Hash() != again.Hash() || a.HashAddrs() != again.HashAddrs()) {
			t.Fatalf("the hashes of %v and %v differ", a, again)
		}
		for _, v := range []Version{IPv4, IPv6} {
			r, ok := a.Reach(v)
			inside := Everything(v)
			if !ok {
				if a.Overlaps(Of(inside)) {
					t.Fatalf("%v has packets of %v", a, v)
				}
				continue
			}
			inside.Dst, inside.Src = AddrsBetween(r.DstLo, r.DstHi), AddrsBetween(r.SrcLo, r.SrcHi)
			if !Of(inside).Contains(a.And(Of(Everything(v)))) {
				t.Fatalf("%v reaches further than %v", a, r)
			}
		}
		b, _ := s.set(t)
		if a.BoxInBox(b) && !a.Contains(b) {
			t.Fatalf("%v does not contain %v", a, b)
		}
	})
}

func TestBoxAnd(t *testing.T) {
	t.Parallel()
	a, b := udp("10.0.0.0/8", nil), udp("10.9.0.0/16", func(b *Box) { b.DstPort = points(53) })
	if got := a.And(b).String(); got != "ipv4 dst 10.9.0.0/16 proto 17 dport 53 frag whole,first" {
		t.Errorf("got %s", got)
	}
	if !a.And(Everything(IPv6)).Empty() || !a.And(udp("11.0.0.0/8", nil)).Empty() || a.Empty() {
		t.Error("an empty intersection is not empty")
	}
}

func TestIdentical(t *testing.T) {
	t.Parallel()
	a, b := Of(udp("10.0.0.0/8", nil)), Of(udp("10.0.0.0/8", nil))
	if !a.Identical(b) || !a.Single() || a.Identical(Set{}) || !(Set{}).Identical(Set{}) || a.Identical(Of(udp("10.0.0.0/9", nil))) {
		t.Error("two equal boxes are not identical, or two others are")
	}
}
