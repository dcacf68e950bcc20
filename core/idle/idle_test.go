package idle_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/idle"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/store"
)

// devices say of each rule in force what the test tells them.
type devices struct {
	rules *rib.RIB
	say   map[string]reconcile.ActivityState // by a part of the match; idle where it names none
	pause func()                             // between the judgement and what follows from it
}

func (d *devices) Activities(func(flowspec.Source) time.Duration) (rib.Snapshot, []reconcile.Activity) {
	snap := d.rules.Snapshot()
	var out []reconcile.Activity
	for r := range snap.All() {
		a := reconcile.Activity{State: reconcile.Idle, Since: time.Unix(1000, 0)}
		for part, state := range d.say {
			if strings.Contains(r.Match.String(), part) {
				a.State = state
			}
		}
		out = append(out, a)
	}
	if d.pause != nil {
		d.pause()
	}
	return snap, out
}

type bench struct {
	t    *testing.T
	rib  *rib.RIB
	disk *store.Store
	dev  *devices
	log  bytes.Buffer
	then map[flowspec.Source]idle.Then
	*idle.Watch
}

func newBench(t *testing.T) *bench {
	t.Helper()
	disk, err := store.Open(filepath.Join(t.TempDir(), "sluice.db"))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := rib.New(rib.Config{Store: disk, Sources: []rib.SourcePolicy{{Name: "api", Preference: 1}, {Name: "peer"}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- rules.Run(ctx) }()
	go func() { ended <- disk.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, <-ended, disk.Close()); err != nil {
			t.Error(err)
		}
	})
	b := &bench{t: t, rib: rules, disk: disk, dev: &devices{rules: rules}, then: map[flowspec.Source]idle.Then{"api": idle.Expire, "peer": idle.Expire}}
	b.Watch = idle.New(idle.Config{
		Rules: rules, Counted: b.dev, Records: disk, Log: slog.New(slog.NewTextHandler(&b.log, nil)), Now: func() time.Time { return time.Unix(9000, 0) },
		Policy: func(s flowspec.Source) idle.Policy { return idle.Policy{After: time.Hour, Then: b.then[s]} },
	})
	return b
}

// say has a source announce rules, written as their match and what is done.
func (b *bench) say(source flowspec.Source, texts ...string) {
	b.t.Helper()
	var rules []flowspec.Rule
	for _, text := range texts {
		match, then, _ := strings.Cut(text, " -> ")
		read := notation.Read("test", []byte("flow route { match { "+match+" } then { "+then+" } }"), notation.Options{})
		if len(read.Items) != 1 {
			b.t.Fatalf("%s: %v", text, read.Problems)
		}
		r := read.Items[0].Rule
		r.Source, r.ID = source, flowspec.NewID(source, r.Match)
		rules = append(rules, r)
	}
	done := make(chan error, 1)
	if err := b.rib.Send(b.t.Context(), rib.Event{Source: source, Kind: rib.Update, Announce: rules, Done: done}); err != nil {
		b.t.Fatal(err)
	}
	if err := <-done; err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) look() { b.Look(b.t.Context()) }

func (b *bench) wants(inForce, ended int) {
	b.t.Helper()
	list, err := b.disk.Ended()
	if err != nil {
		b.t.Fatal(err)
	}
	if n := b.rib.Snapshot().Len(); n != inForce || len(list) != ended {
		b.t.Fatalf("%d rules in force and %d noted as ended, want %d and %d\n%s", n, len(list), inForce, ended, b.log.String())
	}
}

func TestWhatIsIdleEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dev.say = map[string]reconcile.ActivityState{"203.0.113.2": reconcile.Active, "203.0.113.3": reconcile.Quiet, "203.0.113.4": reconcile.NotKnown}
	b.say("api", "destination 203.0.113.1/32; -> discard;", "destination 203.0.113.2/32; -> discard;", "destination 203.0.113.3/32; -> discard;", "destination 203.0.113.4/32; -> discard;")
	b.look()
	b.wants(3, 1)
	list, _ := b.disk.Ended()
	if r := list[0].Rule.Match.String(); !strings.Contains(r, "203.0.113.1") || !strings.Contains(list[0].Reason, "since "+time.Unix(1000, 0).Format(time.DateTime)) || !list[0].At.Equal(time.Unix(9000, 0)) {
		t.Errorf("noted %s: %+v", r, list[0])
	}
	if n := b.Ended()["api"]; n != 1 {
		t.Errorf("%d ended", n)
	}
	stored, err := b.disk.Load()
	if err != nil || len(stored) != 3 {
		t.Errorf("%d rules on disk, %v", len(stored), err)
	}
	b.say("api", "destination 203.0.113.1/32; -> discard;") // whoever says it again has it again
	b.dev.say["203.0.113.1"] = reconcile.Quiet
	b.look()
	b.wants(4, 1)
}

// An exception stands between its packets and what is below it: it does not end because nobody needed it.
func TestNothingEndsThatMakesAnotherWider(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules  []string
		remain int
	}{
		"an accept above a discard":              {[]string{"destination 203.0.113.1/32; protocol =udp; -> accept;", "destination 203.0.113.0/24; -> discard;"}, 1},
		"a rate limit above a discard":           {[]string{"destination 203.0.113.1/32; -> rate-limit 9600;", "destination 203.0.113.0/24; -> discard;"}, 1},
		"a wide limit above a narrow one":        {[]string{"destination 203.0.113.1/32; -> rate-limit 9600;", "destination 203.0.113.0/24; -> rate-limit 1200;"}, 1},
		"a discard above an accept":              {[]string{"destination 203.0.113.1/32; -> discard;", "destination 203.0.113.0/24; -> accept;"}, 0},
		"an accept with nothing below":           {[]string{"destination 203.0.113.1/32; -> accept;", "destination 203.0.112.0/24; -> discard;"}, 0},
		"an accept for what nobody can discard":  {[]string{"destination 203.0.113.1/32; protocol =udp; -> accept;", "destination 203.0.113.0/24; protocol =tcp; -> discard;"}, 0},
		"a tight limit above a wide one, in one": {[]string{"destination 203.0.113.1/32; -> rate-limit 1200;", "destination 203.0.113.0/24; -> accept;"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.say("api", c.rules...)
			b.dev.say = map[string]reconcile.ActivityState{"/24": reconcile.Active}
			b.look()
			b.wants(1+c.remain, 1-c.remain)
			if worse := strings.Contains(b.log.String(), "does not end: without it some packet would be treated worse"); worse != (c.remain == 1) {
				t.Errorf("log: %s", b.log.String())
			}
		})
	}
}

// Two exceptions, of which either may go but not both, are judged one after another.
func TestEndsAreJudgedTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.say("api", "destination 203.0.113.1/32; source 192.0.2.0/25; -> accept;", "destination 203.0.113.1/32; source 192.0.2.0/24; -> accept;", "destination 203.0.113.0/24; -> discard;")
	b.dev.say = map[string]reconcile.ActivityState{"203.0.113.0/24": reconcile.Active}
	b.look()
	b.wants(2, 1)
}

func TestWhatWasSaidMeanwhileStays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.say("api", "destination 203.0.113.1/32; -> discard;")
	b.dev.pause = func() { b.say("api", "destination 203.0.113.1/32; -> rate-limit 9600;") }
	b.look()
	b.wants(1, 0)
}

// Where two sources have one NLRI, the other's rule would be in force next, and nobody has judged that.
func TestTwoSourcesWithOneMatch(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.say("api", "destination 203.0.113.1/32; -> accept;")
	b.say("peer", "destination 203.0.113.1/32; -> discard;")
	b.look()
	b.wants(1, 0)
	if r := b.rib.Snapshot().Rules()[0]; r.Source != "api" {
		t.Errorf("in force: %+v", r)
	}
}

func TestWarnsOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.then["api"] = idle.Warn
	b.then["peer"] = idle.Show
	b.say("api", "destination 203.0.113.1/32; -> discard;")
	b.say("peer", "destination 203.0.113.2/32; -> discard;")
	says := func(n int) {
		t.Helper()
		b.look()
		b.wants(2, 0)
		if got := strings.Count(b.log.String(), "rule is idle"); got != n {
			t.Errorf("%d warnings, want %d\n%s", got, n, b.log.String())
		}
	}
	says(1)
	says(1)
	b.dev.say = map[string]reconcile.ActivityState{"203.0.113.1": reconcile.Active}
	says(1)
	b.dev.say = nil
	says(2)
}
