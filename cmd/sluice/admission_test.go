package main

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// told is a rib.Input that keeps what it is told.
type told struct{ events []rib.Event }

func (l *told) Send(_ context.Context, e rib.Event) error {
	l.events = append(l.events, e)
	return nil
}

// The rules are complete when the files were read and every BGP source has said End-of-RIB in each of its families, with its quiet time behind it; and after a minute in
// any case.
func TestSettling(t *testing.T) {
	t.Parallel()
	peer := func(f ...flowspec.Family) *config.Peer { return &config.Peer{Families: f} }
	two := []config.Source{{Name: "a", BGP: peer(flowspec.IPv4, flowspec.IPv6)}, {Name: "b", BGP: peer(flowspec.IPv4)}, {Name: "api", API: true}}
	quiet := []config.Source{{Name: "a", BGP: peer(flowspec.IPv4), Quiet: 20 * time.Second}}
	end := func(s flowspec.Source, f flowspec.Family) rib.Event {
		return rib.Event{Source: s, Kind: rib.EndOfRIB, Family: f}
	}
	for name, c := range map[string]struct {
		sources []config.Source
		files   bool
		events  []rib.Event
		want    time.Duration // after the start
	}{
		"nothing to wait for":         {nil, true, nil, 0},
		"no files":                    {nil, false, nil, settleWithin},
		"all said":                    {two, true, []rib.Event{end("a", flowspec.IPv6), end("b", flowspec.IPv4), end("a", flowspec.IPv4)}, 0},
		"said twice":                  {two, true, []rib.Event{end("a", flowspec.IPv4), end("a", flowspec.IPv4), end("b", flowspec.IPv4), end("b", flowspec.IPv4)}, settleWithin},
		"one family missing":          {two, true, []rib.Event{end("a", flowspec.IPv4), end("b", flowspec.IPv4)}, settleWithin},
		"one source missing":          {two, true, []rib.Event{end("a", flowspec.IPv4), end("a", flowspec.IPv6)}, settleWithin},
		"others do not count":         {two, true, []rib.Event{end("c", flowspec.IPv4), {Source: "b", Kind: rib.Up}}, settleWithin},
		"quiet for a while":           {quiet, true, []rib.Event{end("a", flowspec.IPv4)}, 20 * time.Second},
		"quiet, and nothing was said": {quiet, true, nil, settleWithin},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate(&told{}, c.sources, slog.New(slog.DiscardHandler))
				start := time.Now()
				go func() { _ = g.settle(t.Context(), settleWithin) }()
				if c.files {
					g.filesRead()
					g.filesRead() // again on SIGHUP
				}
				for _, e := range c.events {
					if err := g.Send(t.Context(), e); err != nil {
						t.Error(err)
					}
				}
				<-g.settled
				if took := time.Since(start); took != c.want {
					t.Errorf("settled after %v, want %v", took, c.want)
				}
			})
		})
	}
}

// The rules of a source that speaks of one VPN come, stay, end and go there.
func TestGatePlacesInAVPN(t *testing.T) {
	t.Parallel()
	rd := flowspec.RD{7: 1}
	m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{3, 3, 0x81, 17})
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.InVPN(rd)
	if err != nil {
		t.Fatal(err)
	}
	l := &told{}
	g := newGate(l, []config.Source{{Name: "a", Admit: admit.Policy{AnyDestination: true, In: &rd, VPNs: []admit.VPN{{Name: "red", RD: rd}}}}}, slog.New(slog.DiscardHandler))
	for _, e := range []rib.Event{
		{Kind: rib.Update, Announce: []flowspec.Rule{{Source: "a", Match: m, ID: flowspec.NewID("a", m)}}},
		{Kind: rib.Update, Withdraw: []flowspec.Match{m}},
		{Kind: rib.EndOfRIB, Family: flowspec.IPv4},
		{Kind: rib.Down, Hold: time.Minute, Held: []flowspec.Family{flowspec.IPv4}},
	} {
		e.Source = "a"
		if err := g.Send(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if r := l.events[0].Announce; len(r) != 1 || !r[0].Match.Equal(want) || r[0].ID != flowspec.NewID("a", want) {
		t.Errorf("announced %+v", r)
	}
	if w := l.events[1].Withdraw; len(w) != 1 || !w[0].Equal(want) {
		t.Errorf("withdrawn %v", w)
	}
	if l.events[2].Family != flowspec.VPNv4 || !slices.Equal(l.events[3].Held, []flowspec.Family{flowspec.VPNv4}) {
		t.Errorf("ended %v, held %v", l.events[2].Family, l.events[3].Held)
	}
}
