package rib

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// rig is a running RIB in a bubble of testing/synctest: time stands still until every goroutine waits.
type rig struct {
	tb  testing.TB
	rib *RIB
	end func()
}

func start(tb testing.TB, cfg Config) *rig {
	tb.Helper()
	r, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	return &rig{tb, r, func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("Run: %v", err)
		}
	}}
}

// say sends an event and returns the answer.
func (g *rig) say(e Event) error {
	g.tb.Helper()
	done := make(chan error, 1)
	e.Done = done
	if err := g.rib.Send(context.Background(), e); err != nil {
		g.tb.Fatal(err)
	}
	return <-done
}

func (g *rig) announce(rules ...flowspec.Rule) {
	g.tb.Helper()
	if err := g.say(Event{Source: rules[0].Source, Kind: Update, Announce: rules}); err != nil {
		g.tb.Fatal(err)
	}
}

// text prints rules as `203.0.113.1 100 exabgp`, for comparison.
func text(rules []flowspec.Rule) []string {
	var lines []string
	for _, r := range rules {
		lines = append(lines, fmt.Sprintf("%s %v %s", r.Match, r.Action, r.Source))
	}
	return lines
}

func (g *rig) expect(want ...string) {
	g.tb.Helper()
	synctest.Wait()
	var got []string
	for r := range g.rib.Snapshot().All() {
		c, _ := r.Match.Component(flowspec.DstPrefix)
		got = append(got, fmt.Sprintf("%s %v %s", c.Prefix.Addr, r.Action.Rate.Amount, r.Source))
	}
	if !slices.Equal(got, want) {
		g.tb.Fatalf("in force:\n got %q\nwant %q", got, want)
	}
}

func TestSelection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{Sources: []SourcePolicy{{Name: "b", Preference: 10}, {Name: "a", Preference: 10}, {Name: "c", Preference: 20}}})
		defer g.end()
		g.announce(ruleOf(t, "b", 1, 100, time.Time{}))
		g.expect("203.0.113.1 100 b")
		g.announce(ruleOf(t, "a", 1, 200, time.Time{}))
		g.expect("203.0.113.1 200 a")
		g.announce(ruleOf(t, "c", 1, 300, time.Time{}), ruleOf(t, "c", 2, 1, time.Time{}))
		g.expect("203.0.113.1 300 c", "203.0.113.2 1 c")
		g.announce(ruleOf(t, "a", 1, 250, time.Time{})) // not in force, and kept
		g.say(Event{Source: "c", Kind: Update, Withdraw: []flowspec.Match{nlriOf(t, 1)}})
		g.expect("203.0.113.1 250 a", "203.0.113.2 1 c")
		g.say(Event{Source: "a", Kind: Down})
		g.expect("203.0.113.1 100 b", "203.0.113.2 1 c")
	})
}

func TestLaterRuleOfOneSourceReplaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{})
		defer g.end()
		g.announce(ruleOf(t, "a", 1, 100, time.Time{}), ruleOf(t, "a", 1, 200, time.Time{}))
		g.expect("203.0.113.1 200 a")
		before := g.rib.Snapshot().Version
		g.announce(ruleOf(t, "a", 1, 200, time.Time{}))
		if got := g.rib.Snapshot().Version; got != before {
			t.Errorf("a rule that was repeated made version %d of %d", got, before)
		}
		// Withdraw first, then Announce.
		g.say(Event{Source: "a", Kind: Update, Withdraw: []flowspec.Match{nlriOf(t, 1)}, Announce: []flowspec.Rule{ruleOf(t, "a", 1, 300, time.Time{})}})
		g.expect("203.0.113.1 300 a")
	})
}

func TestExpiryAndTheLoserComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newDisk()
		g := start(t, Config{Store: store})
		defer g.end()
		now := time.Now()
		g.announce(ruleOf(t, "a", 1, 100, now.Add(time.Hour)), ruleOf(t, "a", 2, 100, now.Add(time.Minute)))
		g.announce(ruleOf(t, "b", 2, 7, time.Time{}))
		g.expect("203.0.113.1 100 a", "203.0.113.2 100 a")
		time.Sleep(time.Minute - time.Nanosecond)
		g.expect("203.0.113.1 100 a", "203.0.113.2 100 a")
		time.Sleep(time.Nanosecond)
		g.expect("203.0.113.1 100 a", "203.0.113.2 7 b")
		g.announce(ruleOf(t, "a", 1, 100, now.Add(2*time.Hour))) // lives longer now
		time.Sleep(time.Hour)
		g.expect("203.0.113.1 100 a", "203.0.113.2 7 b")
		time.Sleep(time.Hour)
		g.expect("203.0.113.2 7 b")
		if n := len(store.content()); n != 1 {
			t.Errorf("the store holds %d rules, want 1", n)
		}
		if err := g.say(Event{Source: "b", Kind: Update, Announce: []flowspec.Rule{ruleOf(t, "b", 2, 8, now)}}); err == nil {
			t.Error("a rule that had expired already was taken")
		}
		g.expect()
	})
}

func TestDownHoldsAndEndOfRIBSweeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{Sources: []SourcePolicy{{Name: "held", Hold: 10 * time.Minute}, {Name: "lost"}}})
		defer g.end()
		g.announce(ruleOf(t, "held", 1, 1, time.Time{}), ruleOf(t, "held", 2, 2, time.Time{}), ruleOf(t, "held", 101, 3, time.Time{}))
		g.announce(ruleOf(t, "lost", 3, 4, time.Time{}))
		g.say(Event{Source: "held", Kind: Down})
		g.say(Event{Source: "lost", Kind: Down})
		g.expect("203.0.113.1 1 held", "203.0.113.2 2 held", "2001:db8:6500:: 3 held")
		if got, want := g.rib.Stats()["held"], (SourceStats{Rules: 3, InForce: 3, Stale: 3}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		g.say(Event{Source: "held", Kind: Up})
		g.announce(ruleOf(t, "held", 2, 2, time.Time{}))
		g.say(Event{Source: "held", Kind: EndOfRIB, Family: flowspec.IPv4})
		g.expect("203.0.113.2 2 held", "2001:db8:6500:: 3 held")
		g.say(Event{Source: "held", Kind: EndOfRIB})
		g.expect("203.0.113.2 2 held")
		g.say(Event{Source: "held", Kind: Down})
		time.Sleep(10*time.Minute - time.Nanosecond)
		g.expect("203.0.113.2 2 held")
		time.Sleep(time.Nanosecond)
		g.expect()
	})
}

func TestQuietSourceIsNotSweptAtEndOfRIB(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{Sources: []SourcePolicy{{Name: "exabgp", Hold: time.Hour, Quiet: 10 * time.Second}}})
		defer g.end()
		g.announce(ruleOf(t, "exabgp", 1, 1, time.Time{}), ruleOf(t, "exabgp", 2, 2, time.Time{}))
		g.say(Event{Source: "exabgp", Kind: Down})
		g.say(Event{Source: "exabgp", Kind: Up})
		g.say(Event{Source: "exabgp", Kind: EndOfRIB}) // before its rules
		time.Sleep(8 * time.Second)
		g.announce(ruleOf(t, "exabgp", 2, 2, time.Time{}))
		time.Sleep(9 * time.Second)
		g.expect("203.0.113.1 1 exabgp", "203.0.113.2 2 exabgp")
		time.Sleep(time.Second)
		g.expect("203.0.113.2 2 exabgp")
	})
}

func TestSourceThatNeverEndsItsRIB(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{Sources: []SourcePolicy{{Name: "a", Hold: time.Minute}}})
		defer g.end()
		g.announce(ruleOf(t, "a", 1, 1, time.Time{}), ruleOf(t, "a", 2, 2, time.Time{}))
		g.say(Event{Source: "a", Kind: Down})
		time.Sleep(59 * time.Second)
		g.say(Event{Source: "a", Kind: Up}) // it gets its three minutes from here
		time.Sleep(time.Minute)
		g.announce(ruleOf(t, "a", 2, 2, time.Time{}))
		g.expect("203.0.113.1 1 a", "203.0.113.2 2 a")
		time.Sleep(2 * time.Minute)
		g.expect("203.0.113.2 2 a")
	})
}

// Up never shortens what Down has granted.
func TestUpKeepsALaterDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{Sources: []SourcePolicy{{Name: "a", Hold: 10 * time.Minute}}})
		defer g.end()
		g.announce(ruleOf(t, "a", 1, 1, time.Time{}))
		g.say(Event{Source: "a", Kind: Down})
		g.say(Event{Source: "a", Kind: Up})
		time.Sleep(10*time.Minute - time.Nanosecond)
		g.expect("203.0.113.1 1 a")
		time.Sleep(time.Nanosecond)
		g.expect()
	})
}

// A source that is lost twice: what was stale already goes first.
func TestTwoDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{Sources: []SourcePolicy{{Name: "a", Hold: 10 * time.Minute}}})
		defer g.end()
		g.announce(ruleOf(t, "a", 1, 1, time.Time{}), ruleOf(t, "a", 2, 2, time.Time{}))
		g.say(Event{Source: "a", Kind: Down})
		time.Sleep(time.Minute)
		g.say(Event{Source: "a", Kind: Up})
		g.announce(ruleOf(t, "a", 2, 2, time.Time{}))
		g.say(Event{Source: "a", Kind: Down})
		time.Sleep(9 * time.Minute)
		g.expect("203.0.113.2 2 a")
		time.Sleep(time.Minute)
		g.expect()
	})
}

func TestSourceThatIsNeverQuiet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{Sources: []SourcePolicy{{Name: "a", Quiet: 10 * time.Minute}}})
		defer g.end()
		g.announce(ruleOf(t, "a", 1, 1, time.Time{}))
		g.say(Event{Source: "a", Kind: Up})
		for range 4 {
			time.Sleep(3 * time.Minute)
			g.announce(ruleOf(t, "a", 2, 2, time.Time{}))
		}
		g.expect("203.0.113.1 1 a", "203.0.113.2 2 a")
		time.Sleep(time.Minute)
		g.expect("203.0.113.2 2 a")
	})
}

func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		store := newDisk(ruleOf(t, "api", 1, 1, time.Time{}), ruleOf(t, "api", 2, 2, now), ruleOf(t, "bgp", 3, 3, time.Time{}), ruleOf(t, "bgp", 4, 4, time.Time{}),
			ruleOf(t, "gone", 5, 5, time.Time{}))
		cfg := Config{Store: store, Sources: []SourcePolicy{{Name: "api"}, {Name: "bgp", Return: 5 * time.Minute}}}
		r, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Snapshot().Len(); got != 4 {
			t.Errorf("%d rules in force before Run, want 4: a start must not withdraw what is right", got)
		}
		if _, found := r.Find(flowspec.NewID("bgp", nlriOf(t, 3))); !found {
			t.Error("a loaded rule is not found")
		}
		g := start(t, cfg)
		defer g.end()
		g.expect("203.0.113.1 1 api", "203.0.113.3 3 bgp", "203.0.113.4 4 bgp", "203.0.113.5 5 gone")
		if n := len(store.content()); n != 4 {
			t.Errorf("the store holds %d rules, want 4: one had expired", n)
		}
		g.announce(ruleOf(t, "bgp", 3, 3, time.Time{}))
		time.Sleep(3 * time.Minute)
		g.expect("203.0.113.1 1 api", "203.0.113.3 3 bgp", "203.0.113.4 4 bgp") // a source that is no longer configured
		time.Sleep(2 * time.Minute)
		g.expect("203.0.113.1 1 api", "203.0.113.3 3 bgp")
		time.Sleep(1000 * time.Hour)
		g.expect("203.0.113.1 1 api", "203.0.113.3 3 bgp")
	})
}

func TestMaxRules(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var refused []string
		g := start(t, Config{Sources: []SourcePolicy{{Name: "a", MaxRules: 2}}, Refused: func(r flowspec.Rule, err error) {
			refused = append(refused, r.Match.String()+" "+err.Error())
		}})
		defer g.end()
		var many *TooMany
		err := g.say(Event{Source: "a", Kind: Update, Announce: []flowspec.Rule{
			ruleOf(t, "a", 1, 1, time.Time{}), ruleOf(t, "a", 2, 2, time.Time{}), ruleOf(t, "a", 3, 3, time.Time{}), ruleOf(t, "a", 1, 9, time.Time{})}})
		if !errors.As(err, &many) || many.Max != 2 {
			t.Errorf("got %v, want *TooMany", err)
		}
		g.expect("203.0.113.1 9 a", "203.0.113.2 2 a")
		if len(refused) != 1 {
			t.Errorf("refused %q, want one rule", refused)
		}
		if err := g.say(Event{Source: "a", Kind: Update, Withdraw: []flowspec.Match{nlriOf(t, 1)}, Announce: []flowspec.Rule{ruleOf(t, "a", 3, 3, time.Time{})}}); err != nil {
			t.Errorf("there was room again: %v", err)
		}
		g.expect("203.0.113.2 2 a", "203.0.113.3 3 a")
		wrong := ruleOf(t, "b", 5, 1, time.Time{})
		if err := g.say(Event{Source: "a", Kind: Update, Announce: []flowspec.Rule{wrong, {}}}); err == nil {
			t.Error("a rule of another source and a rule without match were taken")
		}
		if err := g.say(Event{Source: "a"}); err == nil {
			t.Error("an event without kind was taken")
		}
	})
}

// A source that says everything again has room for it, and what it had before goes at its end.
func TestMaxRulesOfASourceThatChangedItsMind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{Sources: []SourcePolicy{{Name: "file", MaxRules: 2}}})
		defer g.end()
		say := func(want string, rules ...flowspec.Rule) {
			t.Helper()
			got := ""
			if err := g.say(Event{Source: "file", Kind: Update, Announce: rules}); err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, want) || want == "" && got != "" {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		rule := func(n int) flowspec.Rule { return ruleOf(t, "file", n, 1, time.Time{}) }
		say("", rule(1), rule(2))
		if err := g.say(Event{Source: "file", Kind: Up}); err != nil {
			t.Fatal(err)
		}
		say("", rule(3), rule(4))
		say("has its 2 rules already", rule(1)) // it would be the third
		if err := g.say(Event{Source: "file", Kind: EndOfRIB}); err != nil {
			t.Fatal(err)
		}
		g.expect("203.0.113.3 1 file", "203.0.113.4 1 file")
	})
}

func TestStoreFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newDisk()
		g := start(t, Config{Store: store})
		defer g.end()
		store.failNext(1)
		rule := ruleOf(t, "a", 1, 1, time.Time{})
		if err := g.say(Event{Source: "a", Kind: Update, Announce: []flowspec.Rule{rule}}); !errors.Is(err, errDisk) {
			t.Errorf("got %v, want %v", err, errDisk)
		}
		g.announce(rule) // the same again, and somebody is told that it is durable
		if len(store.content()) != 1 {
			t.Error("a rule was acknowledged that the store does not hold")
		}
		store.failNext(1)
		withdraw := Event{Source: "a", Kind: Update, Withdraw: []flowspec.Match{rule.Match}}
		if err := g.say(withdraw); !errors.Is(err, errDisk) {
			t.Errorf("got %v, want %v", err, errDisk)
		}
		if err := g.say(withdraw); err != nil || len(store.content()) != 0 {
			t.Errorf("a withdrawal was acknowledged that the store has not seen (%v)", err)
		}
	})
}

func TestStoreFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newDisk()
		reports := 0
		g := start(t, Config{Store: store, Unsaved: func(error) { reports++ }})
		defer g.end()
		g.announce(ruleOf(t, "a", 1, 1, time.Time{}))
		store.failNext(2)
		if err := g.say(Event{Source: "a", Kind: Update, Withdraw: []flowspec.Match{nlriOf(t, 1)}, Announce: []flowspec.Rule{ruleOf(t, "a", 2, 2, time.Time{})}}); !errors.Is(err, errDisk) {
			t.Errorf("got %v, want %v", err, errDisk)
		}
		g.expect("203.0.113.2 2 a") // in force all the same
		// Whoever asks again must not be told that it is durable while it is not.
		if err := g.say(Event{Source: "a", Kind: Update, Announce: []flowspec.Rule{ruleOf(t, "a", 2, 2, time.Time{})}}); !errors.Is(err, errDisk) {
			t.Errorf("got %v, want %v", err, errDisk)
		}
		time.Sleep(2 * retryAfter)
		synctest.Wait()
		content := store.content()
		if _, kept := content[flowspec.NewID("a", nlriOf(t, 2))]; !kept || len(content) != 1 || reports != 2 {
			t.Errorf("the store holds %v after %d reports", content, reports)
		}
		writes := store.written()
		g.announce(ruleOf(t, "a", 2, 2, time.Time{}))
		if err := g.say(Event{Source: "a", Kind: Update, Withdraw: []flowspec.Match{nlriOf(t, 9)}}); err != nil || store.written() != writes+2 {
			t.Errorf("asked to be told: got %v and %d writes, want 2", err, store.written()-writes)
		}
	})
}

func TestWatchWakesOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{})
		defer g.end()
		changed, stop := g.rib.Watch()
		for n := range 5 {
			g.announce(ruleOf(t, "a", n, 1, time.Time{}))
		}
		<-changed
		select {
		case <-changed:
			t.Error("five changes were more than one wake-up")
		default:
		}
		if got := g.rib.Snapshot().Len(); got != 5 {
			t.Errorf("got %d rules, want the newest snapshot with 5", got)
		}
		g.announce(ruleOf(t, "a", 0, 1, time.Time{})) // nothing new
		stop()
		g.announce(ruleOf(t, "a", 7, 1, time.Time{}))
		select {
		case <-changed:
			t.Error("woken without a change, or after stop")
		default:
		}
	})
}

func TestStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := start(t, Config{})
		g.announce(ruleOf(t, "a", 1, 1, time.Time{}))
		g.end()
		if err := g.rib.Send(context.Background(), Event{Source: "a", Kind: Up}); !errors.Is(err, ErrStopped) {
			t.Errorf("Send after Run: got %v, want %v", err, ErrStopped)
		}
		if got := g.rib.Snapshot().Len(); got != 1 {
			t.Errorf("got %d rules after Run, want 1", got)
		}
		idle, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for err == nil {
			err = idle.Send(ctx, Event{Source: "a", Kind: Up})
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send to a RIB that does not run: got %v", err)
		}
	})
}

// However Send and the end of Run meet, whoever asked for an answer gets one.
func TestEveryEventIsAnswered(t *testing.T) {
	t.Parallel()
	for range 200 {
		r, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		go cancel()
		for n := range 5 {
			done := make(chan error, 1)
			e := Event{Source: "a", Kind: Update, Announce: []flowspec.Rule{ruleOf(t, "a", n, 1, time.Time{})}, Done: done}
			if err := r.Send(context.Background(), e); err != nil {
				break
			}
			select {
			case <-done:
			case <-time.After(10 * time.Second):
				t.Fatal("no answer")
			}
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}

// A lenient source has its rules taken whatever their number; that they are too many is said once, until they are fewer again.
func TestLenientSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told []int
		g := start(t, Config{
			Sources: []SourcePolicy{{Name: "a", MaxRules: 2, Lenient: true}}, Refused: func(r flowspec.Rule, err error) { t.Errorf("refused: %v", err) },
			Excess: func(s flowspec.Source, max int) { told = append(told, max) },
		})
		defer g.end()
		say := func(withdraw []int, announce ...int) {
			t.Helper()
			e := Event{Source: "a", Kind: Update}
			for _, n := range withdraw {
				e.Withdraw = append(e.Withdraw, nlriOf(t, n))
			}
			for _, n := range announce {
				e.Announce = append(e.Announce, ruleOf(t, "a", n, 1, time.Time{}))
			}
			if err := g.say(e); err != nil {
				t.Error(err)
			}
		}
		for i, c := range []struct {
			withdraw, announce []int
			told               int
		}{{nil, []int{1, 2}, 0}, {nil, []int{1}, 0}, {nil, []int{3, 4}, 1}, {nil, []int{5}, 1}, {[]int{2, 3, 4, 5}, []int{6}, 1}, {nil, []int{7}, 2}} {
			if say(c.withdraw, c.announce...); len(told) != c.told {
				t.Errorf("step %d: told %d times, want %d", i, len(told), c.told)
			}
		}
		g.expect("203.0.113.1 1 a", "203.0.113.6 1 a", "203.0.113.7 1 a")
	})
}

// A source that says a family again loses what it does not repeat, in that family alone; one that never ends loses it when its time is over.
func TestSaysAgain(t *testing.T) {
	t.Parallel()
	for _, ends := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			g := start(t, Config{Sources: []SourcePolicy{{Name: "a"}}})
			defer g.end()
			say := func(e Event) {
				t.Helper()
				e.Source = "a"
				if err := g.say(e); err != nil {
					t.Error(err)
				}
			}
			one, two := ruleOf(t, "a", 1, 1, time.Time{}), ruleOf(t, "a", 2, 1, time.Time{})
			say(Event{Kind: Up})
			say(Event{Kind: Update, Announce: []flowspec.Rule{one, two}})
			say(Event{Kind: EndOfRIB})
			say(Event{Kind: Again, Family: flowspec.IPv6})
			say(Event{Kind: EndOfRIB, Family: flowspec.IPv6})
			g.expect("203.0.113.1 1 a", "203.0.113.2 1 a")
			say(Event{Kind: Again, Family: flowspec.IPv4})
			say(Event{Kind: Update, Announce: []flowspec.Rule{two}})
			g.expect("203.0.113.1 1 a", "203.0.113.2 1 a")
			if ends {
				say(Event{Kind: EndOfRIB, Family: flowspec.IPv4})
			} else {
				time.Sleep(staleTime - time.Second)
				g.expect("203.0.113.1 1 a", "203.0.113.2 1 a")
				time.Sleep(2 * time.Second)
			}
			g.expect("203.0.113.2 1 a")
		})
	}
}
