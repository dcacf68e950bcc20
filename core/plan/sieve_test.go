package plan

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"pgregory.net/rapid"
)

// A sieve finds what looking at every rule finds, in the same order, whatever came and went.
func TestSieve(t *testing.T) {
	t.Parallel()
	p, err := newPlatform(&profile.Profile{Name: "test"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		rules := rulegen.Mix(f, 1500, 1)
		d := newDomain(p, rules[0].Match)
		var seats []*seat
		for _, c := range cardsOf(p, rules) {
			c.glance = glanceOf(c.reading, slices.Collect(c.rule.Match.All()))
			b, at, _ := d.find(c.rule.Match)
			if b == nil {
				b = d.newBucket(c)
			}
			seats = append(seats, d.put(b, at, c))
		}
		rapid.Check(t, func(t *rapid.T) {
			x := sieve{version: f.Version()}
			in := map[*seat]*glance{}
			for range rapid.IntRange(1, 8).Draw(t, "rounds") {
				from, step := rapid.IntRange(0, len(seats)-1).Draw(t, "from"), rapid.IntRange(1, 5).Draw(t, "step")
				for i := from; i < len(seats) && i < from+step*300; i += step {
					s := seats[i]
					switch {
					case in[s] == nil:
						in[s] = &s.glance
						x.put(s, in[s])
					case rapid.Bool().Draw(t, "moves"):
						in[s] = &seats[(i+7)%len(seats)].glance
						x.see(s, in[s])
					default:
						delete(in, s)
						x.drop(s)
					}
				}
				for k := range 20 {
					of := seats[(from+k*step+7)%len(seats)]
					var near, around, above, wantNear, wantAround, wantAbove []*seat
					x.near(&of.glance, func(s *seat) bool {
						near = append(near, s)
						return true
					})
					x.around(&of.glance, of.number, func(s *seat) bool {
						around = append(around, s)
						return true
					})
					x.above(&of.bucket.row, func(s *seat) bool {
						above = append(above, s)
						return true
					})
					for _, s := range seats {
						if in[s] == nil {
							continue
						}
						if of.glance.near(in[s]) {
							if wantNear = append(wantNear, s); of.number == 0 || s.number != of.number {
								wantAround = append(wantAround, s)
							}
						}
						if slices.ContainsFunc(of.bucket.seats, func(o *seat) bool { return d.worse(s, o) && o.glance.near(in[s]) }) {
							wantAbove = append(wantAbove, s)
						}
					}
					slices.SortFunc(wantNear, compareSeats)
					slices.SortFunc(around, compareSeats)
					slices.SortFunc(wantAround, compareSeats)
					slices.SortFunc(wantAbove, compareSeats)
					above = slices.DeleteFunc(above, func(s *seat) bool { return !slices.Contains(wantAbove, s) }) // those that no rule differs from may be there
					if !slices.Equal(near, wantNear) || !slices.Equal(around, wantAround) || !slices.Equal(above, wantAbove) || x.n != len(in) {
						t.Fatalf("%d of %d rules near, %d of %d above, %d of %d in it", len(near), len(wantNear), len(above), len(wantAbove), x.n, len(in))
					}
				}
			}
		})
	}
}
