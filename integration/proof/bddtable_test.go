package proof_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/dalzilio/rudd"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"github.com/sluice-gateway/sluice/core/table"
)

// fate is a list of deeds, and the packets that suffer it.
type fate struct {
	done  []deed
	where rudd.Node
}

// fates folds a table: for every list of deeds the diagram of its packets, among those that can exist.
func (d *diagrams) fates(l lines) []fate {
	ended, going := map[string]*fate{}, []fate{{where: d.possible()}}
	end := func(f fate) {
		key := fmt.Sprint(f.done)
		if known, ok := ended[key]; ok {
			f.where = d.or(f.where, known.where)
		}
		ended[key] = &f
	}
	for _, one := range l {
		m := d.match(one.match)
		for n := range going {
			hit := d.and(going[n].where, m)
			if d.none(hit) {
				continue
			}
			going[n].where = d.minus(going[n].where, hit)
			f := fate{slices.Clone(going[n].done), hit}
			if deed := deedOfOutcome(one.do); !deed.nothing() {
				f.done = append(f.done, deed)
			}
			if one.goesOn {
				going = append(going, f)
			} else {
				end(f)
			}
		}
		going = slices.DeleteFunc(going, func(f fate) bool { return d.none(f.where) })
	}
	for _, f := range going {
		end(f)
	}
	var out []fate
	for _, f := range ended {
		out = append(out, *f)
	}
	return out
}

// differ says in what two folded tables differ, or "".
func (d *diagrams) differ(want, got []fate) string {
	for _, w := range want {
		for _, g := range got {
			if alike(w.done, g.done, 0) {
				continue
			}
			if !d.none(d.and(w.where, g.where)) {
				return fmt.Sprintf("want %v, got %v", w.done, g.done)
			}
		}
	}
	shared := newBuckets()
	for _, w := range want {
		for _, g := range got {
			if severityOf(w.done) == 3 || severityOf(g.done) == 3 || anyLimit(w.done) {
				if !d.none(d.and(w.where, g.where)) && !shared.share(w.done, g.done) {
					return fmt.Sprintf("buckets: want %v, got %v", w.done, g.done)
				}
			}
		}
	}
	return ""
}

func anyLimit(done []deed) bool {
	return slices.ContainsFunc(done, func(d deed) bool { return d.rate.Amount > 0 })
}

// fateOf returns what happens to h.
func (d *diagrams) fateOf(fates []fate, h packet.Header) []deed {
	for _, f := range fates {
		if d.has(f.where, h) {
			return f.done
		}
	}
	return nil
}

// agree puts want, which folds to w, and got to prover and diagrams. It says whether they are equal, or fails.
func (d *draw) agree(b *diagrams, want lines, w []fate, got lines, what string) (equal bool) {
	diff := table.Diff(want.table(), got.table())
	g := b.fates(got)
	reason := b.differ(w, g)
	switch {
	case diff != nil && diff.Unproven:
		d.failf("%s: %s\n%v\n%v", what, diff, want, got)
	case (diff == nil) != (reason == ""):
		d.failf("%s: the prover says %v, the diagrams %q\n%v\n%v", what, diff, reason, want, got)
	case diff != nil && diff.Other == nil:
		if wf, gf := b.fateOf(w, diff.Packet), b.fateOf(g, diff.Packet); alike(wf, gf, 0) {
			d.failf("%s: %s: but want %v and got %v in the diagrams\n%v\n%v", what, diff, wf, gf, want, got)
		}
	}
	return diff == nil
}

// The prover and the diagrams agree about pairs of small tables, of which about half are equal.
func TestDiffAgreesWithDiagrams(t *testing.T) {
	t.Parallel()
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			count := map[bool]int{}
			tables := scaled(250)
			for seed := uint64(1); seed <= uint64(tables); seed++ {
				d := newDraw(t, seed)
				b := newDiagrams(t, f == flowspec.IPv6)
				want := linesOf(d.rules(f, 8))
				w := b.fates(want)
				for range 4 {
					got, what := want, ""
					for n := 1 + d.IntN(2); n > 0; n-- {
						var name string
						got, name = d.mutate(got)
						what += name + "; "
					}
					count[d.agree(b, want, w, got, what)]++
				}
			}
			t.Logf("%d pairs equal, %d different", count[true], count[false])
			if count[true] < tables/4 || count[false] < tables/4 {
				t.Error("nearly all pairs are of one kind: the test sees little")
			}
		})
	}
}

// The same on tables of several hundred rules such as networks have.
func TestDiffAgreesWithDiagramsOnLargerTables(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		name  string
		rules []flowspec.Rule
	}{
		{"mix ipv4", rulegen.Mix(flowspec.IPv4, 400, 1)}, {"mix ipv6", rulegen.Mix(flowspec.IPv6, 200, 1)},
		{"customer ipv4", rulegen.Customer(flowspec.IPv4, 100, 1)}, {"mitigation ipv4", rulegen.Mitigation(flowspec.IPv4, 500, 1)},
		{"nested ipv4", rulegen.Adversarial(rulegen.Nested, flowspec.IPv4, 60, 1)}, {"one victim ipv6", rulegen.Adversarial(rulegen.OneVictim, flowspec.IPv6, 40, 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDraw(t, uint64(i+1))
			b := newDiagrams(t, c.rules[0].Match.Family() == flowspec.IPv6)
			want := linesOf(c.rules)
			w := b.fates(want)
			for range 4 {
				got, what := d.mutate(want)
				equal := d.agree(b, want, w, got, what)
				t.Logf("%s: equal %v", what, equal)
			}
		})
	}
}
