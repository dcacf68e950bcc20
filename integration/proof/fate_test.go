package proof_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/table"
)

// deed is what one entry does to a packet.
type deed struct {
	word     string // everything but the rate; "" is accept
	severity int
	rate     flowspec.Rate // Amount 0: no limit
	bucket   string        // whose tokens it takes
	mark     int           // the DSCP it sets, or -1
	samples  bool
}

func (d deed) String() string {
	if d.rate.Amount == 0 {
		return cmp.Or(d.word, "accept")
	}
	return strings.TrimSpace(fmt.Sprintf("%s rate %v from bucket %s", d.word, d.rate.Amount, d.bucket))
}

func (d deed) limits() bool { return d.rate.Amount > 0 }

func (d deed) nothing() bool { return d.word == "" && d.rate.Amount == 0 }

// deedOf is what action a does, its tokens from bucket.
func deedOf(a flowspec.Action, bucket string) deed {
	var o table.Outcome
	if a.Mark != nil {
		o.Marked, o.Mark = true, *a.Mark
	}
	if a.Redirect != nil {
		o.Redirect, o.Copy = fmt.Sprintf("target:%d:%d", a.Redirect.Global, a.Redirect.Local), a.Redirect.Copy
		if a.Redirect.NextHop() {
			o.Redirect = a.Redirect.Addr.String()
		}
	}
	o.Sample = a.Sample
	if a.Rate != nil {
		if o.Discard = a.Rate.Amount == 0; !o.Discard {
			o.Policer, o.Rate = bucket, flowspec.Rate{Amount: a.Rate.Amount, Unit: a.Rate.Unit}
		}
	}
	return deedOfOutcome(o)
}

func deedOfOutcome(o table.Outcome) (d deed) {
	d.mark, d.samples = -1, o.Sample
	if o.Marked {
		d.mark = int(o.Mark)
	}
	var parts []string
	add := func(severity int, word string) {
		parts = append(parts, word)
		d.severity = max(d.severity, severity)
	}
	if o.Marked {
		add(1, fmt.Sprint("mark ", o.Mark))
	}
	if o.Sample {
		add(1, "sample")
	}
	if o.Redirect != "" {
		add(2, fmt.Sprint("redirect ", o.Redirect, o.Copy))
	}
	if o.Discard {
		add(4, "discard")
	}
	d.word = strings.Join(parts, " ")
	if o.Policer != "" || o.Rate.Amount > 0 {
		d.rate, d.bucket, d.severity = o.Rate, o.Policer, max(d.severity, 3)
	}
	return d
}

// step is an entry of a table as the evaluator walks it.
type step struct {
	matcher
	deed   deed
	goesOn bool
}

// treat returns what steps do to p, each deed in order. It says whether the packet is gone.
func treat(steps []step, p *probe, done []deed) (all []deed, gone bool) {
	for i := range steps {
		s := &steps[i]
		if !s.matches(p) {
			continue
		}
		if !s.deed.nothing() {
			done = append(done, s.deed)
		}
		if !s.goesOn {
			return done, s.deed.severity == 4
		}
	}
	return done, false
}

func severityOf(done []deed) (worst int) {
	for _, d := range done {
		worst = max(worst, d.severity)
	}
	return worst
}

// buckets notes which bucket of one side stands for which of the other. Rates are the same only where that is one to one.
type buckets struct{ forth, back map[string]string }

func newBuckets() *buckets { return &buckets{map[string]string{}, map[string]string{}} }

// pair says whether a packet may draw from a on one side and from b on the other, after all packets before.
func (b *buckets) pair(x, y string) bool {
	f, known := b.forth[x]
	g, knownBack := b.back[y]
	if known && f != y || knownBack && g != x {
		return false
	}
	b.forth[x], b.back[y] = y, x
	return true
}

// alike says whether two lists of deeds are the same but for the names of buckets, rates off by no more than tolerance upwards.
func alike(want, got []deed, tolerance float64) bool {
	return slices.EqualFunc(want, got, func(w, g deed) bool {
		low, high := float64(w.rate.Amount), float64(w.rate.Amount)*(1+tolerance)
		r := float64(g.rate.Amount)
		return w.word == g.word && (w.rate.Unit == g.rate.Unit || w.rate.Amount == 0 && g.rate.Amount == 0) && r >= low && r <= high
	})
}

// share says whether the buckets of two lists that are alike may stand for each other.
func (b *buckets) share(want, got []deed) bool {
	for i := range want {
		if want[i].rate.Amount > 0 && !b.pair(want[i].bucket, got[i].bucket) {
			return false
		}
	}
	return true
}
