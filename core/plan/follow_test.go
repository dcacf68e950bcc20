package plan_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"pgregory.net/rapid"
)

// history is a RIB with one source. Its snapshots know what changed between them, which those of rib.Of do not.
type history struct {
	t    fataler
	rib  *rib.RIB
	stop func()
}

func newHistory(t fataler) *history {
	t.Helper()
	r, err := rib.New(rib.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	return &history{t: t, rib: r, stop: func() {
		cancel()
		<-ended
	}}
}

// change withdraws and announces, and returns what is in force then.
func (h *history) change(withdraw []flowspec.Match, announce []flowspec.Rule) rib.Snapshot {
	h.t.Helper()
	done := make(chan error, 1)
	if err := h.rib.Send(context.Background(), rib.Event{Source: "test", Kind: rib.Update, Withdraw: withdraw, Announce: announce, Done: done}); err != nil {
		h.t.Fatal(err)
	}
	if err := <-done; err != nil {
		h.t.Fatal(err)
	}
	return h.rib.Snapshot()
}

// followsAsMake changes a few rules at a time, tells the planner by snapshots or by changes, and compares its plans with plans made anew. What Apply says must
// turn the state that the device had into the one that it shall have.
func followsAsMake(t *rapid.T, draw func(*rapid.T) flowspec.Rule, pl *plan.Planner, make func(rib.Snapshot) *plan.Plan) {
	h := newHistory(t)
	defer h.stop()
	var rules []flowspec.Rule
	last, made := &plan.Plan{}, &plan.Plan{} // by Make, by the planner
	var version uint64
	for range rapid.IntRange(2, 8).Draw(t, "changes") {
		var gone []flowspec.Match
		var come []flowspec.Rule
		for n := rapid.IntRange(0, 4).Draw(t, "add"); n > 0; n-- {
			come = append(come, draw(t))
		}
		for n := rapid.IntRange(0, 2).Draw(t, "drop"); n > 0 && len(rules) > 0; n-- {
			i := rapid.IntRange(0, len(rules)-1).Draw(t, "which")
			gone = append(gone, rules[i].Match)
			rules = slices.Delete(rules, i, i+1)
		}
		if len(rules) > 0 && rapid.Bool().Draw(t, "change") {
			r := rules[rapid.IntRange(0, len(rules)-1).Draw(t, "which")]
			r.Action = drawAction(t)
			come = append(come, r)
		}
		snap := h.change(gone, come)
		rules = slices.Clone(snap.Rules())
		want := make(snap)
		if rapid.Bool().Draw(t, "apply") {
			changes, ok := snap.Since(version)
			if !ok {
				t.Fatal("the history is too short")
			}
			steps, verdicts, err := pl.Apply(changes)
			if err != nil {
				t.Fatal(err)
			}
			leadsTo(t, last, steps, want)
			for _, v := range verdicts {
				i := slices.IndexFunc(want.Verdicts, func(o *plan.Verdict) bool { return o.Rule == v.Rule })
				if i < 0 || !reflect.DeepEqual(v, want.Verdicts[i]) {
					t.Fatalf("Apply says %+v, which Make does not", v)
				}
			}
			for i, v := range want.Verdicts {
				told := slices.ContainsFunc(verdicts, func(o *plan.Verdict) bool { return o.Rule == v.Rule })
				if before := slices.IndexFunc(last.Verdicts, func(o *plan.Verdict) bool { return o.Rule == v.Rule }); !told && (before < 0 ||
					last.Verdicts[before].Carried != v.Carried || !reflect.DeepEqual(last.Verdicts[before].Entries, v.Entries)) {
					t.Fatalf("Apply says nothing of %s", want.Verdicts[i].Rule)
				}
			}
		}
		got, err := pl.Plan(snap)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("planner:\n%s\nMake:\n%s\n%+v\n%+v", describe(snap, got), describe(snap, want), got.Warnings, want.Warnings)
		}
		if !reflect.DeepEqual(made, last) {
			t.Fatal("a plan was changed afterwards")
		}
		last, made, version = want, got, snap.Version
	}
}

// Many changes at once are told like few.
func TestApplyOfManyChanges(t *testing.T) {
	t.Parallel()
	p, settings := embedded(t, "asr9k")
	pl := plan.NewPlanner(p, plan.Options{Settings: settings})
	rules := rulegen.Mix(flowspec.IPv4, 600, 1)
	last := &plan.Plan{}
	for _, n := range []int{400, 600, 150, 0, 600} { // rules in force
		var changes []rib.Change
		for i := range rules {
			c := rib.Change{Match: rules[i].Match}
			if i < len(last.Verdicts) {
				c.Old = &rules[i]
			}
			if i < n {
				c.New = &rules[i]
			}
			changes = append(changes, c)
		}
		want, err := plan.Make(rib.Of(rules[:n]), p, plan.Options{Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		steps, _, err := pl.Apply(changes)
		if err != nil {
			t.Fatal(err)
		}
		leadsTo(t, last, steps, want)
		if got, err := pl.Plan(rib.Of(rules[:n])); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("with %d rules the plan is another one than Make's (%v)", n, err)
		}
		last = want
	}
}

// fatalfer is a testing.TB or a *rapid.T.
type fatalfer interface{ Fatalf(string, ...any) }

// leadsTo says that steps turn what the device holds under one plan into what it holds under another, and that there are none without an effect.
func leadsTo(t fatalfer, from *plan.Plan, steps []device.Step, to *plan.Plan) {
	type key struct {
		family flowspec.Family
		nlri   string
	}
	of := func(r *device.Route) key { return key{r.Match.Family(), string(r.Match.NLRI())} }
	has := map[key]*device.Route{}
	for _, r := range from.Desired.Routes {
		has[of(r)] = r
	}
	filters := slices.Clone(from.Desired.Filters)
	for _, s := range steps {
		switch {
		case s.Route != nil && s.Op == device.Remove:
			if _, ok := has[of(s.Route)]; !ok {
				t.Fatalf("a step removes %s, which is not there", s.Route.Match)
			}
			delete(has, of(s.Route))
		case s.Route != nil:
			has[of(s.Route)] = s.Route
		default:
			filters = slices.DeleteFunc(filters, func(f filter.Filter) bool { return f.Name == s.Filter.Name })
			if s.Op != device.Remove {
				filters = append(filters, *s.Filter)
			}
		}
	}
	slices.SortFunc(filters, func(a, b filter.Filter) int { return strings.Compare(a.Name, b.Name) })
	if len(has) != len(to.Desired.Routes) || len(filters)+len(to.Desired.Filters) > 0 && !reflect.DeepEqual(filters, to.Desired.Filters) {
		t.Fatalf("the steps lead to %d routes and %v, not to %d and %v", len(has), filters, len(to.Desired.Routes), to.Desired.Filters)
	}
	for _, r := range to.Desired.Routes {
		if !reflect.DeepEqual(has[of(r)], r) {
			t.Fatalf("the steps lead to %+v, not to %+v", has[of(r)], r)
		}
	}
	if len(steps) > 0 && reflect.DeepEqual(from.Desired, to.Desired) {
		t.Fatalf("steps that change nothing: %+v", steps)
	}
}

// A planner that follows a RIB answers as Make does, whatever changes.
func TestFollows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, settings := embedded(t, pick(t, "profile", soundProfiles...))
		opt := drawOptions(t)
		opt.Settings = settings
		followsAsMake(t, drawRule, plan.NewPlanner(p, opt), func(snap rib.Snapshot) *plan.Plan {
			out, err := plan.Make(snap, p, opt)
			if err != nil {
				t.Fatal(err)
			}
			return out
		})
	})
}

// The same on platforms that do not exist, which hold few rules.
func TestFollowsOnAnyPlatform(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, opt := drawProfile(t), drawOptions(t)
		followsAsMake(t, drawRule, plan.NewPlanner(p, opt), func(snap rib.Snapshot) *plan.Plan {
			out, err := plan.Make(snap, p, opt)
			if err != nil {
				t.Fatal(err)
			}
			return out
		})
	})
}

// Snapshots that share no history are planned anew, also where their versions are the same.
func TestForeignSnapshots(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "asr9k")
	pl := plan.NewPlanner(p, plan.Options{})
	for _, text := range []string{"dst 192.0.2.1/32 -> discard", "dst 192.0.2.2/32 -> discard"} {
		out, err := pl.Plan(snapshot(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Verdicts[0].Rule; got != rule(t, text).ID {
			t.Errorf("planned %s, want %s", got, rule(t, text).ID)
		}
	}
}
