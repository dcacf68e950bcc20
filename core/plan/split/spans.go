package split

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// tidy returns spans sorted, with those that touch or overlap made one. It works in place.
func tidy(spans []packet.Span) []packet.Span {
	if len(spans) < 2 {
		return spans
	}
	sorted := true
	for i := range spans[1:] {
		sorted = sorted && uint64(spans[i].Hi)+1 < uint64(spans[i+1].Lo)
	}
	if sorted {
		return spans
	}
	slices.SortFunc(spans, func(a, b packet.Span) int {
		switch {
		case a.Lo < b.Lo:
			return -1
		case a.Lo > b.Lo:
			return 1
		}
		return 0
	})
	out := spans[:1]
	for _, s := range spans[1:] {
		last := &out[len(out)-1]
		if uint64(s.Lo) > uint64(last.Hi)+1 {
			out = append(out, s)
			continue
		}
		last.Hi = max(last.Hi, s.Hi)
	}
	return out
}

// both returns the numbers in a and in b, which are tidy.
func both(a, b []packet.Span) []packet.Span {
	return appendBoth(make([]packet.Span, 0, max(len(a), len(b))), a, b)
}

// appendBoth appends the numbers in a and in b, which are tidy, to out.
func appendBoth(out, a, b []packet.Span) []packet.Span {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		if lo, hi := max(a[i].Lo, b[j].Lo), min(a[i].Hi, b[j].Hi); lo <= hi {
			out = append(out, packet.Span{Lo: lo, Hi: hi})
		}
		if a[i].Hi < b[j].Hi {
			i++
		} else {
			j++
		}
	}
	return out
}

// without returns the numbers of 0..top that are not in a, which is tidy.
func without(a []packet.Span, top uint32) []packet.Span {
	out := make([]packet.Span, 0, len(a)+1)
	next := uint64(0)
	for _, s := range a {
		if uint64(s.Lo) > next {
			out = append(out, packet.Span{Lo: uint32(next), Hi: s.Lo - 1})
		}
		next = uint64(s.Hi) + 1
	}
	if next <= uint64(top) {
		out = append(out, packet.Span{Lo: uint32(next), Hi: top})
	}
	return out
}

// outside returns how many spans of a, which is tidy, have a number that is not in b, which is tidy too.
func outside(a, b []packet.Span) int {
	n := 0
	for _, s := range a {
		if in := both([]packet.Span{s}, b); len(in) != 1 || in[0] != s {
			n++
		}
	}
	return n
}

// isAll says whether a is 0..top.
func isAll(a []packet.Span, top uint32) bool {
	return len(a) == 1 && a[0].Lo == 0 && a[0].Hi >= top
}

// chunks cuts list into pieces of at most k (0: one piece).
func chunks[T any](list []T, k int) [][]T {
	if k <= 0 || len(list) <= k {
		return [][]T{list}
	}
	out := make([][]T, 0, (len(list)+k-1)/k)
	for len(list) > k {
		out = append(out, list[:k:k])
		list = list[k:]
	}
	return append(out, list)
}
