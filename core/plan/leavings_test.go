package plan

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"github.com/sluice-gateway/sluice/profiles"
)

// Rejected rules leave a rule what they leave it when each of them is asked about by itself, and one leaves each rule below what it leaves it by itself.
func TestLeavings(t *testing.T) {
	t.Parallel()
	p, settings, err := profiles.Embedded().Select("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s/%d", f, seed), func(t *testing.T) {
				t.Parallel()
				rules := slices.Concat(rulegen.Adversarial(rulegen.Nested, f, 250, seed), rulegen.Adversarial(rulegen.Anyone, f, 20, seed), rulegen.Mix(f, 200, seed))
				pl := NewPlanner(p, Options{Settings: settings, NoFilter: true})
				if _, err := pl.Plan(rib.Of(rules)); err != nil {
					t.Fatal(err)
				}
				asked, left, some, none := 0, 0, 0, 0
				for _, d := range pl.domains {
					for b := range d.order.all() {
						for _, s := range b.seats {
							n, found := checkFirst(t, d, s)
							if asked += n; found {
								left++
							}
							if s.exposes() {
								yes, no := checkBelow(t, d, s)
								some, none = some+yes, none+no
							}
						}
					}
				}
				if asked < 2000 || left < 50 || some < 20 || none < 500 {
					t.Errorf("asked %d times, %d were left packets; below %d were, %d were not", asked, left, some, none)
				}
			})
		}
	}
}

// checkFirst looks for the first rejected rule that leaves packets to s. It returns how many were asked about, and whether there is one.
func checkFirst(t *testing.T, d *domain, s *seat) (asked int, found bool) {
	t.Helper()
	b := s.bucket
	var lost []*seat
	if b.kind == byDst {
		lost = d.lossy.inside(b)
	}
	var want *seat
	for e := range d.lossy.above(b, &b.row) {
		if want == nil && d.mayLeave(e, s) && d.exposed(e, s, e.set.And(s.set), insideNow(s)) {
			want = e
		}
	}
	l := leavings{d: d, to: s, among: s.set, inside: insideNow(s)}
	if got := l.first(lost); got != want {
		t.Errorf("%s: left packets by %v, one by one by %v", s.rule.Match, got, want)
	}
	return l.asked, want != nil
}

// checkBelow goes through the rules below e, a rejected one, and returns how many of them are left packets and how many are not.
func checkBelow(t *testing.T, d *domain, e *seat) (some, none int) {
	t.Helper()
	rest := rest{left: e.set}
	d.below(e, 0, func(s *seat) {
		want := d.exposes(e, s, nil)
		if got := d.exposes(e, s, &rest); got != want {
			t.Errorf("%s leaves packets to %s: %v, by itself %v", e.rule.Match, s.rule.Match, got, want)
		}
		if want {
			some++
		} else {
			none++
		}
	})
	return some, none
}
