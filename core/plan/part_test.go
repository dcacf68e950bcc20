package plan

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"github.com/sluice-gateway/sluice/profiles"
)

// Rules of a bucket that are settled in parts fare as they do when all of them are settled with each other.
func TestPartsFareAsTheWhole(t *testing.T) {
	t.Parallel()
	p, settings, err := profiles.Embedded().Select("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	tables := [][]flowspec.Rule{rulegen.Mix(flowspec.IPv4, 2000, 1), rulegen.Mix(flowspec.IPv6, 2000, 2)}
	for seed := range uint64(30) {
		tables = append(tables, rulegen.Adversarial(rulegen.OneVictim, flowspec.IPv4, 12, seed), rulegen.Adversarial(rulegen.Lists, flowspec.IPv4, 12, seed))
	}
	parts := 0
	for _, rules := range tables {
		pl := NewPlanner(p, Options{Settings: settings, NoFilter: true})
		if _, err := pl.Plan(rib.Of(rules)); err != nil {
			t.Fatal(err)
		}
		for _, d := range pl.domains {
			for b := range d.order.all() {
				if d.plain(&b.row) {
					continue
				}
				if first := d.part(b, 0); len(first.seats) < len(b.seats) {
					parts++
				}
				for i, whole := range d.together(b, &b.row, slices.Collect(d.exposures(b, &b.row))) {
					if s := b.seats[i]; !whole.same(s.own) {
						t.Errorf("%s: %v %+v in its part, %v %+v in the whole", s.rule.Match, s.own.state, s.own.note, whole.state, whole.note)
					}
				}
			}
		}
	}
	if parts < 20 {
		t.Errorf("only %d buckets had parts", parts)
	}
}
