package profile

import "math"

// whole reads a whole number between lo and hi. Not written and unknown are 0; the word in endless, where one is allowed, is Unlimited.
func (l *loader) whole(n number, lo, hi float64, endless string) float64 {
	switch {
	case !n.set || n.word == "unknown":
		return 0
	case n.word != "" && n.word == endless:
		return Unlimited
	case n.word != "":
		l.bad(n.at, "`%s` has no meaning here: write a number or unknown", n.word)
		return 0
	case n.is != math.Trunc(n.is) || n.is < lo || n.is > hi:
		l.bad(n.at, "%v is out of range: whole numbers from %.0f to %.0f", n.is, lo, hi)
		return 0
	}
	return n.is
}

// bound reads an optional whole number: not written and `none` are 0, no such limit.
func (l *loader) bound(n number, lo, hi float64) float64 {
	if n.word == "unknown" {
		l.bad(n.at, "an unknown limit cannot be kept: write a number, or leave it out")
		return 0
	}
	return max(0, l.whole(n, lo, hi, "none"))
}

// limitFact returns the fact of a limit that may carry one.
func (l *loader) limitFact(n number, path string) string {
	if n.Fact.line != 0 {
		return l.ref(n.at, n.Fact, path)
	}
	return ""
}

// count reads a number that must carry a fact when it is one.
func (l *loader) count(where at, n number, path string) Number {
	if !n.set {
		l.bad(where, "`%s` is missing: a number or unlimited with a fact, or unknown", path)
		return Number{}
	}
	out := Number{N: int(l.whole(n, 1, 1<<31, "unlimited")), Soft: n.soft}
	if n.word == "unknown" {
		out.Fact = l.limitFact(n, path)
		return out
	}
	out.Fact = l.ref(n.at, n.Fact, path)
	return out
}
