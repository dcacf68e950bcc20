package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

// However many rules are hit, the metrics have a thousand series, and a rule that has one keeps it.
func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	counts := map[flowspec.ID]reconcile.Count{"0000000000000000": {}}
	for i := range ruleSeries {
		counts[flowspec.ID(fmt.Sprintf("%016x", 5000-i))] = reconcile.Count{Packets: uint64(i) + 1, First: time.Unix(int64(i), 0)}
	}
	listed, unlisted := mostSeries(counts)
	if len(listed) != ruleSeries || unlisted != 0 {
		t.Errorf("%d series, %d unlisted", len(listed), unlisted)
	}
	had := map[flowspec.ID]bool{}
	for _, h := range listed {
		had[h.id] = true
	}
	for i := range 50 {
		counts[flowspec.ID(fmt.Sprintf("%016x", 100_000+i))] = reconcile.Count{Packets: 1 << 40, First: time.Unix(1_000_000, 0)}
	}
	listed, unlisted = mostSeries(counts)
	if len(listed) != ruleSeries || unlisted != 50 {
		t.Errorf("%d series, %d unlisted", len(listed), unlisted)
	}
	for _, h := range listed {
		if !had[h.id] {
			t.Errorf("rule %s took the series of another", h.id)
		}
	}
}

func TestByHits(t *testing.T) {
	t.Parallel()
	rules := []api.Rule{{ID: "a"}, {ID: "b", Count: &reconcile.Count{Packets: 1}}, {ID: "c", Count: &reconcile.Count{}}, {ID: "d", Count: &reconcile.Count{Packets: 1, Bytes: 9}}}
	byHits(rules)
	got := ""
	for _, r := range rules {
		got += r.ID
	}
	if got != "dbac" {
		t.Errorf("got %s, want dbac", got)
	}
}
