package packet

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawValues draws numbers of 0..63 as Values, and the same as a table of booleans.
func drawValues(t *rapid.T) (Values, [64]bool) {
	if rapid.IntRange(0, 7).Draw(t, "any") == 0 {
		var all [64]bool
		for i := range all {
			all[i] = true
		}
		return nil, all
	}
	var in [64]bool
	var spans []Span
	for range rapid.IntRange(0, 5).Draw(t, "spans") {
		lo := rapid.Uint32Range(0, 63).Draw(t, "lo")
		hi := rapid.Uint32Range(0, 63).Draw(t, "hi")
		spans = append(spans, Span{lo, hi})
		for n := lo; n <= hi; n++ {
			in[n] = true
		}
	}
	return NewValues(spans...), in
}

func TestValuesAgreeWithNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v, in := drawValues(t)
		w, in2 := drawValues(t)
		same := func(name string, got Values, want func(a, b bool) bool) {
			t.Helper()
			var spans []Span
			n := uint64(0)
			for i := range in {
				if want(in[i], in2[i]) {
					spans = append(spans, Span{uint32(i), uint32(i)})
					n++
				}
				if got.Has(uint32(i)) != want(in[i], in2[i]) {
					t.Fatalf("%s of %v and %v: %v is wrong about %d", name, v, w, got, i)
				}
			}
			if got.Count(63) != n || got.Empty() != (n == 0) {
				t.Fatalf("%s of %v and %v: %v counts %d, has %d", name, v, w, got, got.Count(63), n)
			}
			if got != nil && !slices.Equal(got, NewValues(spans...)) {
				t.Fatalf("%s of %v and %v: %v is not canonical", name, v, w, got)
			}
		}
		same("first", v, func(a, _ bool) bool { return a })
		same("And", v.And(w), func(a, b bool) bool { return a && b })
		same("Or", v.Or(w), func(a, b bool) bool { return a || b })
		same("Sub", v.Sub(w, 63), func(a, b bool) bool { return a && !b })
		same("Not", v.Not(63), func(a, _ bool) bool { return !a })
		if got, want := v.meets(w), !v.And(w).Empty(); got != want {
			t.Fatalf("%v meets %v: %v", v, w, got)
		}
		if v != nil && w != nil {
			if got, want := v.contains(w), slices.Equal(v.And(w), w); got != want {
				t.Fatalf("%v contains %v: %v", v, w, got)
			}
		}
	})
}

func TestValuesAtTheEdges(t *testing.T) {
	t.Parallel()
	const most = 1<<32 - 1
	for _, c := range []struct {
		got  Values
		want string
	}{
		{NewValues(), "none"},
		{NewValues(Span{5, 4}), "none"},
		{NewValues(Span{3, 4}, Span{0, 2}, Span{4, 9}, Span{11, 11}), "0-9,11"},
		{NewValues(Span{most, most}, Span{0, most - 1}), "0-4294967295"},
		{NewValues(Span{0, most}).Not(most), "none"},
		{NewValues(Span{0, 300}).Not(255), "none"},
		{NewValues(Span{300, 400}).Not(255), "any"},
		{Values(nil).Sub(NewValues(Span{7, 7}), 63), "0-6,8-63"},
		{Values(nil).Sub(NewValues(), 63), "0-63"},
		{NewValues(Span{1, 2}).Sub(nil, 63), "none"},
		{NewValues(Span{1, 1}, Span{3, 3}, Span{5, 5}, Span{7, 7}, Span{9, 9}, Span{11, 11}, Span{13, 13}, Span{15, 15}, Span{17, 17}, Span{19, 19}), "1,3,5,7,9,11,13,15,... 2 more"},
	} {
		if got := c.got.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	b := Everything(IPv4)
	b.Proto, b.DstPort = NewValues(Span{0, 255}), NewValues(Span{0, 1 << 20})
	if !Of(b).Equal(Of(Everything(IPv4))) {
		t.Errorf("all numbers of a field are no condition: %v", Of(b))
	}
	if b.DstPort = NewValues(Span{1 << 16, 1 << 20}); !Of(b).Empty() {
		t.Errorf("no port is so large: %v", Of(b))
	}
}
