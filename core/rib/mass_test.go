package rib

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// A detector with ten rules loses its memory: it withdraws them one by one, and none goes. What was believed of it at first comes back.
func TestMassWithdrawal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newDisk()
		var told []string
		cfg := Config{
			Sources: []SourcePolicy{{Name: "detector", Mass: MassWithdrawal{Percent: 50, Within: 10 * time.Second, AtLeast: 10, Keep: 10 * time.Minute}}, {Name: "api"}}, Store: store,
			Mass: func(s flowspec.Source, withdrawn, had int, until time.Time) {
				told = append(told, fmt.Sprintf("%s %d of %d until %v from now", s, withdrawn, had, time.Until(until)))
			},
		}
		g := start(t, cfg)
		var all []flowspec.Rule
		var want []string
		for n := range 10 {
			all = append(all, ruleOf(t, "detector", n, 100, time.Time{}))
			want = append(want, fmt.Sprintf("203.0.113.%d 100 detector", n))
		}
		withdraw := func(n int) { g.say(Event{Source: "detector", Kind: Update, Withdraw: []flowspec.Match{nlriOf(t, n)}}) }
		g.announce(all...)

		t.Log("one now and then is believed")
		for n := range 6 {
			withdraw(n)
			time.Sleep(10 * time.Second)
		}
		g.expect(want[6:]...)
		g.announce(all...)
		for n := range 5 {
			withdraw(n)
		}
		g.expect(want[5:]...)
		withdraw(5)
		g.expect(want...)
		if len(told) != 1 || told[0] != "detector 6 of 10 until 10m0s from now" {
			t.Errorf("told %q", told)
		}
		for n := 6; n < 10; n++ {
			withdraw(n)
		}
		g.expect(want...)
		if st := g.rib.Stats()["detector"]; st.Withdrawn != 10 || len(told) != 1 || time.Until(st.Until) != 10*time.Minute {
			t.Errorf("%+v, told %q", st, told)
		}

		t.Log("what the source says again is no longer withdrawn, and what somebody accepts goes")
		g.announce(all[0])
		if err := g.say(Event{Source: "detector", Kind: Accept}); err != nil {
			t.Error(err)
		}
		g.expect(want[0])
		if err := g.say(Event{Source: "detector", Kind: Accept}); !errors.Is(err, ErrNothingWithdrawn) {
			t.Errorf("accepted nothing: %v", err)
		}

		t.Log("what nobody accepts goes when its time is over, also across a restart, and later where somebody wants it kept")
		time.Sleep(time.Minute)
		g.announce(all...)
		g.say(Event{Source: "detector", Kind: Up})
		g.announce(all[0])
		g.say(Event{Source: "detector", Kind: EndOfRIB})
		g.expect(want...)
		if err := g.say(Event{Source: "detector", Kind: Keep, Hold: time.Hour}); err != nil {
			t.Error(err)
		}
		g.end()
		g = start(t, cfg)
		time.Sleep(time.Hour - time.Second)
		g.expect(want...)
		time.Sleep(time.Second)
		g.expect(want[0])
		g.end()
	})
}

// The loss of a session is none: on-loss says what becomes of the rules then. Nor is a source believed less that has few rules.
func TestNoMassWithdrawal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{Sources: []SourcePolicy{{Name: "a", Mass: MassWithdrawal{Percent: 50, Within: time.Minute, AtLeast: 3, Keep: time.Hour}}}})
		defer g.end()
		rules := []flowspec.Rule{ruleOf(t, "a", 1, 1, time.Time{}), ruleOf(t, "a", 2, 1, time.Time{}), ruleOf(t, "a", 3, 1, time.Time{})}
		g.announce(rules[:2]...)
		g.say(Event{Source: "a", Kind: Update, Withdraw: []flowspec.Match{nlriOf(t, 1), nlriOf(t, 2)}})
		g.expect()
		time.Sleep(time.Minute)
		g.announce(rules...)
		g.say(Event{Source: "a", Kind: Update, Withdraw: []flowspec.Match{nlriOf(t, 1), nlriOf(t, 2), nlriOf(t, 3)}, Announce: rules})
		if st := g.rib.Stats()["a"]; st.Withdrawn != 0 || st.Rules != 3 {
			t.Errorf("replaced in one breath: %+v", st)
		}
		g.say(Event{Source: "a", Kind: Update, Withdraw: []flowspec.Match{nlriOf(t, 1), nlriOf(t, 2)}})
		g.expect("203.0.113.1 1 a", "203.0.113.2 1 a", "203.0.113.3 1 a")
		g.say(Event{Source: "a", Kind: Down})
		g.expect()
		if st := g.rib.Stats()["a"]; st != (SourceStats{}) {
			t.Errorf("%+v", st)
		}
	})
}
