package plan

import (
	"fmt"

	"github.com/sluice-gateway/sluice/core/plan/split"
)

// pieceCount says how many pieces a rule of several long lists needs, where that is not simply the product of its lists: fewer, which overlap, or more than
// are known to be needed. n is the number of pieces.
func pieceCount(n int, r *split.Tally) []Reason {
	fewer := n < r.Grid
	if !fewer && (r.Bound < 2 || n <= r.Bound) {
		return nil
	}
	one := Reason{Code: "piece-count", Severity: Note, Message: fmt.Sprintf("%d pieces", n)}
	if fewer {
		one.Message += fmt.Sprintf(" that overlap, where cutting each list by itself gives %d", r.Grid)
	}
	if n <= r.Bound {
		one.Message += "; no fewer would do"
	} else {
		one.Message += fmt.Sprintf("; at least %d are needed", r.Bound)
	}
	return []Reason{one}
}
