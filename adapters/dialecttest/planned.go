package dialecttest

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// planned: what the planner puts into a filter for the platform, the dialect can write, and it reads back as the same: a plan never promises a filter that is refused
// later, and a device that holds it is left alone.
func (s Suite) planned(t *testing.T) {
	for _, name := range append([]string{s.Profile}, s.Others...) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.plannedFor(t, name)
		})
	}
}

func (s Suite) plannedFor(t *testing.T, name string) {
	p, err := profileOf(name)
	if err != nil {
		t.Fatal(err)
	}
	placements := []filter.Placement{filter.Alone, filter.Before}
	if s.AloneOnly {
		placements = placements[:1]
	}
	var carried atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		rules := s.rulesFor(t)
		opt := plan.Options{NoNative: rapid.IntRange(0, 3).Draw(t, "native") > 0, Placement: rapid.SampledFrom(placements).Draw(t, "placement"), Instances: s.Instances}
		made, err := plan.Make(rib.Of(rules), p, opt)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range made.Desired.Filters {
			r, err := s.Dialect.Render(f)
			if err != nil {
				t.Fatalf("%v\n%v", err, rules)
			}
			carried.Add(int64(len(f.Entries)))
			s.readsBack(t, f, r)
		}
	})
	if carried.Load() == 0 {
		t.Error("no rule was carried by a filter")
	}
	t.Logf("%d entries", carried.Load())
}

func profileOf(name string) (*profile.Profile, error) {
	if !strings.HasSuffix(name, ".yaml") {
		p, _, err := profiles.Embedded().Select(name)
		return p, err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return profile.Load(name, text)
}

// rulesFor draws a few rules, no two with the same match.
func (s Suite) rulesFor(t *rapid.T) []flowspec.Rule {
	var rules []flowspec.Rule
	seen := map[flowspec.ID]bool{}
	for range rapid.IntRange(1, 4).Draw(t, "rules") {
		r := Rule(t)
		if r.Action.Redirect != nil && len(s.Instances) > 0 && rapid.Bool().Draw(t, "instance") {
			r.Action.Redirect = s.instance(t)
		}
		if !seen[r.ID] {
			seen[r.ID] = true
			rules = append(rules, r)
		}
	}
	return rules
}
