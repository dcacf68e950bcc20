package plan

import (
	"reflect"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"github.com/sluice-gateway/sluice/profiles"
)

// What an operator allows beyond FlowSpec decides which remedies are tried, and not what they come to: planners that differ in nothing else share that. Whatever decides how FlowSpec carries a rule
// tells them apart.
func TestRemediesAreSharedByPlatform(t *testing.T) {
	t.Parallel()
	p, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	other, err := profiles.Embedded().Get("arista-eos")
	if err != nil {
		t.Fatal(err)
	}
	snap := rib.Of(rulegen.Mix(flowspec.IPv4, 1500, 5))
	var deck Deck
	first := deck.Planner(p, Options{NoFilter: true})
	deck.Planner(p, Options{}) // which never plans, so that the deck forgets nothing
	if _, err := first.Plan(snap); err != nil {
		t.Fatal(err)
	}
	known := deck.found[first.part]
	before := len(known.all)
	if before == 0 {
		t.Fatal("no remedy was looked for")
	}
	for name, opt := range map[string]Options{
		"as the first":  {NoFilter: true},
		"all remedies":  {NoFilter: true, Remedies: Remedies},
		"one remedy":    {NoFilter: true, Remedies: []string{RemedySubtract}},
		"no remedy":     {NoFilter: true, Remedies: []string{}},
		"filter":        {},
		"before filter": {Placement: filter.Before},
	} {
		pl := deck.Planner(p, opt)
		got, err := pl.Plan(snap)
		if err != nil {
			t.Fatal(err)
		}
		if deck.found[pl.part] != known {
			t.Errorf("%s: nothing is shared", name)
		}
		if want, err := Make(snap, p, opt); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: another plan, %v", name, err)
		}
		switch grew := len(known.all) - before; {
		case grew > 0 && (name == "as the first" || name == "no remedy"):
			t.Errorf("%s: %d remedies were found again", name, grew)
		case grew > 0:
			before += grew
		}
	}
	for name, opt := range map[string]Options{
		"families": {NoFilter: true, Families: []flowspec.Family{flowspec.IPv4}},
		"VPNs":     {NoFilter: true, VPNs: []flowspec.RD{}},
		"sources":  {NoFilter: true, Sources: []flowspec.Source{}},
		"FlowSpec": {NoNative: true},
	} {
		pl := deck.Planner(p, opt)
		if _, err := pl.Plan(snap); err != nil {
			t.Fatal(err)
		}
		if deck.found[pl.part] == known {
			t.Errorf("other %s share what remedies came to", name)
		}
	}
	if pl := deck.Planner(other, Options{NoFilter: true}); pl.part == first.part {
		t.Error("another profile shares what remedies came to")
	}
}

// Who is known to contest a rule is looked for first, and found nowhere but where it does; a rule that is known to be alone is alone on every platform.
func TestRivals(t *testing.T) {
	t.Parallel()
	snap := rib.Of(rulegen.Mix(flowspec.IPv4, 1500, 5))
	var deck Deck
	var last *Planner
	for _, name := range []string{"arista-eos", "asr9k", "generic"} {
		p, err := profiles.Embedded().Get(name)
		if err != nil {
			t.Fatal(err)
		}
		last = deck.Planner(p, Options{NoFilter: true})
		deck.users++ // of which one never plans
		if _, err := last.Plan(snap); err != nil {
			t.Fatal(err)
		}
	}
	d := last.domains[0]
	r := last.rivalry(d)
	alone, rivals := 0, 0
	for at, s := range r.seats {
		var met *seat // whether it is carried or not
		d.near(s.card, 0, func(o *seat) bool {
			if o != s && differ(s.card, o.card) && s.set.Overlaps(o.set) {
				met = o
			}
			return met == nil
		})
		rival, is := r.known(at)
		switch {
		case is && met != nil:
			t.Errorf("%s is known to be alone, and shares packets with %s", s.rule.ID, met.rule.ID)
		case is:
			alone++
		case rival != nil:
			if rivals++; !differ(s.card, rival.card) || !s.set.Overlaps(rival.set) {
				t.Errorf("%s is known to contest %s", rival.rule.ID, s.rule.ID)
			}
		}
	}
	if alone == 0 || rivals == 0 {
		t.Errorf("%d known to be alone, %d contested", alone, rivals)
	}
	one := snap.Rules()
	one[0].Action = flowspec.Action{Continue: true}
	if _, err := last.Plan(rib.Of(one)); err != nil { // other rules than were read
		t.Fatal(err)
	}
	if other := last.rivalry(last.domains[0]); other != nil && other.rivals == r.rivals {
		t.Error("what is known of some rules is taken for others")
	}
}
