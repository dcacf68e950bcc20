package bgp

import (
	"cmp"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// severity says how badly an action treats a packet: accept < mark, sample < redirect < rate < discard (docs/semantics.md). It orders
// what is sent; the planner has proven what it adds up to.
func severity(a flowspec.Action) int {
	switch {
	case a.Discard():
		return 4
	case a.Rate != nil:
		return 3
	case a.Redirect != nil:
		return 2
	case a.Mark != nil || a.Sample:
		return 1
	}
	return 0
}

// item is one route that is to be written, as it was when the writer took it.
type item struct {
	*owed
	want *want // nil: withdraw
	sent *want // nil: announce for the first time
}

// compare orders what is written: announcements, mildest first, then withdrawals, severest first. While it goes on, no packet
// fares worse than in the worse of the tables before and after: a rule that is new decides a packet only when all milder ones are
// there already, and a rule that goes leaves the packet to milder ones.
func (a item) compare(b item) int {
	if (a.want == nil) != (b.want == nil) {
		if a.want != nil {
			return -1
		}
		return 1
	}
	if a.want == nil {
		return b.sent.compare(a.sent)
	}
	return a.want.compare(b.want)
}

// compare orders routes by how badly they treat a packet, mildest first: of two limits the higher one is milder.
func (w *want) compare(o *want) int {
	return cmp.Or(cmp.Compare(w.severity, o.severity), cmp.Compare(o.limit, w.limit))
}
