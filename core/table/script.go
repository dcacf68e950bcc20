package table

import "slices"

// Op is the kind of a step of a script.
type Op uint8

// The kinds of steps.
const (
	Add     Op = iota + 1
	Replace    // another outcome in the same place
	Remove
)

var opWords = [...]string{"", "add", "replace", "remove"}

// String returns "add", "replace" or "remove".
func (o Op) String() string { return opWords[min(o, Remove)] }

// Turn is when a step of a script is taken: early ones in ascending severity, then late ones in descending severity.
type Turn struct {
	Late     bool
	Severity Severity
}

// TurnOf returns when a step is taken that makes an entry of severity before one of severity after; Add does not look at before, nor Remove
// at after. A change in place is an addition at its new severity when that is at least the old one, else a removal at its old severity: a change from
// accept to discard waits until every milder exception is there, one from discard to accept takes place when the discard would be removed.
func TurnOf(op Op, before, after Severity) Turn {
	if op == Remove || op == Replace && after < before {
		return Turn{Late: true, Severity: before}
	}
	return Turn{Severity: after}
}

// Free says whether steps of turn t may be taken in any order: what they bring or take away is the same, so that it does not matter which of them decides.
func (t Turn) Free() bool { return t.Severity == Accepts || t.Severity == Discards }

// rank numbers the turns in their order.
func (t Turn) rank() int {
	if t.Late {
		return int(Discards) + 1 + int(Discards-t.Severity)
	}
	return int(t.Severity)
}

// Order puts steps from one live table to another in the order of a script, which every delivery goes by. place compares where two entries stand in
// the order of evaluation, negative for the upper one: early steps as the table afterwards has them, late ones as the table before has them.
//
// Early steps of one severity go from the top down, late ones from the bottom up. Provided that all entries end evaluation, every packet then fares, at
// every moment, exactly as in one of the two tables, decided by the same entry, or milder by a whole severity than in one of them. For while adding, whoever
// decides a packet decided it before; or is new and decides it in the end; or is new and will be overruled by one above it that is still
// missing. That one comes later: had it the same severity it would have come first, so it is severer. While removing, whoever decides a packet decides
// it in the end; or is old and decided it in the beginning; or is old and was overruled by one above it that is gone already. That one went earlier: had it
// the same severity it would have gone last, so it was severer. This holds wherever entries of the two tables stand between each other.
//
// It is about packets one by one: a token bucket may be shared, on the way, by packets that do not share it at either end.
func Order[S any](steps []S, turn func(*S) Turn, place func(a, b *S) int) []S {
	const turns = 2 * (int(Discards) + 1)
	var from [turns + 1]int // where the steps of each turn begin
	for i := range steps {
		from[turn(&steps[i]).rank()+1]++
	}
	for n := range turns {
		from[n+1] += from[n]
	}
	out, next := make([]S, len(steps)), from
	for i := range steps {
		n := turn(&steps[i]).rank()
		out[next[n]] = steps[i]
		next[n]++
	}
	for n := range turns {
		list := out[from[n]:from[n+1]]
		if len(list) < 2 {
			continue
		}
		inPlace := func(a, b S) int { return place(&a, &b) }
		if n > int(Discards) {
			slices.Reverse(list) // mostly they come in order
			inPlace = func(a, b S) int { return place(&b, &a) }
		}
		if !slices.IsSortedFunc(list, inPlace) {
			slices.SortStableFunc(list, inPlace)
		}
	}
	return out
}

// Fit changes a script so that a device that has room for only so many entries can take it, when it holds held in the beginning. What has to go to
// make room for the additions goes before them, severest first: the shortest beginning of the removals that is enough. first is how
// many steps that is; 0: there is room for both tables, and nothing changes. room 0 is room for all.
//
// Where first is not 0, the promise of [Order] does not hold: an exception may be gone before the one that replaces it is there. When even all
// removals do not make enough room, all go first.
func Fit[S any](script []S, op func(*S) Op, turn func(*S) Turn, held, room int) (fitted []S, first int) {
	excess := held - room
	late := len(script)
	for i := range script {
		if op(&script[i]) == Add {
			excess++
		}
		if turn(&script[i]).Late {
			late = min(late, i)
		}
	}
	if room <= 0 || excess <= 0 {
		return script, 0
	}
	end := late
	for ; end < len(script) && excess > 0; end++ {
		if op(&script[end]) == Remove {
			excess--
		}
	}
	if end == late || late == 0 {
		return script, end - late
	}
	return slices.Concat(script[late:end], script[:late], script[end:]), end - late
}
