package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

// ruleSeries is how many rules have series of their own: a table of a hundred thousand rules is not to make as many in whatever reads the metrics.
const ruleSeries = 1000

// hits is what one rule has matched.
type hits struct {
	id flowspec.ID
	reconcile.Count
}

// mostSeries are the rules that have series, those that were hit first: one that has a series keeps it while the rule is there. unlisted is how many more were hit.
func mostSeries(counts map[flowspec.ID]reconcile.Count) (listed []hits, unlisted int) {
	for id, n := range counts {
		if n.Hit() {
			listed = append(listed, hits{id, n})
		}
	}
	slices.SortFunc(listed, func(a, b hits) int { return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.id, b.id)) })
	if len(listed) > ruleSeries {
		listed, unlisted = listed[:ruleSeries], len(listed)-ruleSeries
	}
	return listed, unlisted
}

// byHits puts the rules with the most packets first; those that nobody counts are last, in the order of evaluation.
func byHits(rules []api.Rule) {
	slices.SortStableFunc(rules, func(a, b api.Rule) int {
		var x, y reconcile.Count
		if a.Count != nil {
			x = *a.Count
		}
		if b.Count != nil {
			y = *b.Count
		}
		return cmp.Or(cmp.Compare(y.Packets, x.Packets), cmp.Compare(y.Bytes, x.Bytes))
	})
}

// countText says what a rule has matched.
func countText(n reconcile.Count) string {
	if !n.Hit() {
		return "no packet yet"
	}
	text := fmt.Sprintf("%d packets, %d bytes", n.Packets, n.Bytes)
	if n.Packets == 1 {
		text = fmt.Sprintf("1 packet, %d bytes", n.Bytes)
	}
	return text + fmt.Sprintf(", first seen %s, last %s", n.First.Local().Format(time.DateTime), n.Last.Local().Format(time.DateTime))
}
