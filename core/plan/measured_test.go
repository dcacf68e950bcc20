package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"pgregory.net/rapid"
)

// measuredPlatforms have an order that is not known, for one version or for both.
var measuredPlatforms = []string{"junos-mx", "junos-mx:term-order=legacy"}

// drawMeasured draws the order of some of the routes that the device would get, and of some rules: as asked but for a few, or any.
func drawMeasured(t *rapid.T, rules []flowspec.Rule, p *profile.Profile, opt plan.Options) *plan.MeasuredOrder {
	out, err := plan.Make(rib.Of(rules), p, opt)
	if err != nil {
		t.Fatal(err)
	}
	with, err := p.With(opt.Settings)
	if err != nil {
		t.Fatal(err)
	}
	var list []flowspec.Match
	add := func(m flowspec.Match) {
		unknown := with.Native.OrderFor(uint8(m.Family().Version())).Kind == "unknown"
		if unknown && rapid.IntRange(0, 5).Draw(t, "listed") > 0 && !slices.ContainsFunc(list, m.Equal) {
			list = append(list, m)
		}
	}
	for _, r := range rules {
		add(r.Match)
	}
	for _, r := range out.Desired.Routes {
		add(r.Match)
	}
	if rapid.Bool().Draw(t, "as asked") {
		slices.SortFunc(list, flowspec.Compare)
		for n := rapid.IntRange(0, 2).Draw(t, "swaps"); n > 0 && len(list) > 1; n-- {
			i := rapid.IntRange(1, len(list)-1).Draw(t, "swap")
			list[i-1], list[i] = list[i], list[i-1]
		}
	} else if len(list) > 1 {
		list = rapid.Permutation(list).Draw(t, "measured")
	}
	order, err := plan.NewMeasuredOrder(list)
	if err != nil {
		t.Fatal(err)
	}
	return order
}

// keepMeasured puts those routes of d that are in order into that order, in the places where such routes stand.
func keepMeasured(d *router, order *plan.MeasuredOrder) {
	var at []int
	var listed []route
	for i, r := range d.routes {
		if slices.ContainsFunc(order.Listed(), r.match.Equal) {
			at, listed = append(at, i), append(listed, r)
		}
	}
	slices.SortStableFunc(listed, func(a, b route) int {
		n, _ := order.Compare(a.match, b.match)
		return n
	})
	for k, i := range at {
		d.routes[i] = listed[k]
	}
}

// With a measured order, packets fare as asked in every order that agrees with it.
func TestMeasuredOrdersAreSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, settings := embedded(t, pick(t, "profile", measuredPlatforms...))
		opt := drawOptions(t)
		opt.Settings, opt.NoNative = settings, false
		var rules []flowspec.Rule
		for n := rapid.IntRange(2, 7).Draw(t, "rules"); n > 0; n-- {
			rules = append(rules, drawRule(t))
		}
		opt.Measured = drawMeasured(t, rules, p, opt)
		snap := rib.Of(rules)
		out, err := plan.Make(snap, p, opt)
		if err != nil {
			t.Fatal(err)
		}
		with, err := p.With(settings)
		if err != nil {
			t.Fatal(err)
		}
		checkSoundWith(t, snap, out, with, opt.Measured)
	})
}

// A planner that follows changes says what Make says, with a measured order as well.
func TestFollowsMeasured(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, settings := embedded(t, pick(t, "profile", measuredPlatforms...))
		opt := drawOptions(t)
		opt.Settings, opt.NoNative = settings, false
		pool := make([]flowspec.Rule, 7)
		for i := range pool {
			pool[i] = drawRule(t)
		}
		opt.Measured = drawMeasured(t, pool, p, opt)
		from := func(t *rapid.T) flowspec.Rule { return pick(t, "rule", pool...) }
		followsAsMake(t, from, plan.NewPlanner(p, opt), func(snap rib.Snapshot) *plan.Plan {
			out, err := plan.Make(snap, p, opt)
			if err != nil {
				t.Fatal(err)
			}
			return out
		})
	})
}

func TestMeasuredOrder(t *testing.T) {
	t.Parallel()
	p, settings := embedded(t, "junos-mx:term-order=legacy")
	const accept, discard = "dst 203.0.113.9/32 proto 17 -> accept", "dst 203.0.113.0/24 -> discard"
	for _, c := range []struct {
		name   string
		listed []string
		codes  []string // of the discard
	}{
		{"nothing measured", nil, []string{"order-unknown"}},
		{"only one of them", []string{accept}, []string{"order-unknown"}},
		{"as asked", []string{accept, discard}, []string{"measured-order"}},
		{"others between", []string{accept, "dst 192.0.2.1/32 -> discard", discard}, []string{"measured-order"}},
		{"the other way round", []string{discard, accept}, []string{"order-conflict"}},
	} {
		var list []flowspec.Match
		for _, text := range c.listed {
			list = append(list, rule(t, text).Match)
		}
		order, err := plan.NewMeasuredOrder(list)
		if err != nil {
			t.Fatal(err)
		}
		out, err := plan.Make(snapshot(t, accept+"\n"+discard), p, plan.Options{Settings: settings, NoFilter: true, Remedies: []string{}, Measured: order})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range out.Verdicts[1].Reasons {
			if r.Component == "order" {
				got = append(got, r.Code)
			}
		}
		if !slices.Equal(got, c.codes) {
			t.Errorf("%s: %v, want %v", c.name, got, c.codes)
		}
	}
}

func TestMeasuredOrderIsRefused(t *testing.T) {
	t.Parallel()
	one, other := rule(t, "dst 203.0.113.9/32 -> discard").Match, rule(t, "dst 203.0.113.0/24 -> discard").Match
	if _, err := plan.NewMeasuredOrder([]flowspec.Match{one, other, one}); err == nil || !strings.Contains(err.Error(), "number 1 and as number 3") {
		t.Errorf("twice: %v", err)
	}
	order, err := plan.NewMeasuredOrder([]flowspec.Match{other, one})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := embedded(t, "asr9k")
	if err := (plan.Options{Measured: order}).Check(p); err == nil || !strings.Contains(err.Error(), "RFC 8955") {
		t.Errorf("against the profile: %v", err)
	}
	p, settings := embedded(t, "junos-mx:term-order=legacy")
	if err := (plan.Options{Measured: order, Settings: settings}).Check(p); err != nil {
		t.Errorf("where the order is unknown: %v", err)
	}
}
