package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// gate stands between BGP peers and the RIB: what a peer may not say never gets in. Files, pipes and the API ask the same policies
// themselves, because they have somebody to tell.
type gate struct {
	next     rib.Input
	policies map[flowspec.Source]admit.Policy
	log      *slog.Logger
}

func newGate(next rib.Input, sources []config.Source, log *slog.Logger) *gate {
	g := &gate{next: next, policies: map[flowspec.Source]admit.Policy{}, log: log}
	for _, s := range sources {
		g.policies[s.Name] = s.Admit
	}
	return g
}

// Send passes on what is admitted. A rule that is not takes its NLRI away: the peer has replaced what it had said before.
func (g *gate) Send(ctx context.Context, e rib.Event) error {
	policy := g.policies[e.Source]
	if policy.In != nil && e.Family != 0 {
		e.Family = e.Family.InVPN() // the rules of the family are in the VPN
	}
	e.Withdraw = g.withdrawn(policy, e)
	var admitted []flowspec.Rule
	for _, r := range e.Announce {
		placed, err := policy.Placed(r.Match)
		if err != nil {
			g.log.Warn("rule refused", "source", e.Source, "match", r.Match.String(), "error", err)
			continue // in the VPN there was none of this NLRI
		}
		if policy.In != nil {
			r.Match, r.ID = placed, flowspec.NewID(e.Source, placed)
		}
		if err := policy.Check(r, time.Now()); err != nil {
			g.log.Warn("rule refused", "source", e.Source, "rule", r.ID, "match", r.Match.String(), "error", err)
			e.Withdraw = append(e.Withdraw, r.Match)
			continue
		}
		admitted = append(admitted, r)
	}
	e.Announce = admitted
	return g.next.Send(ctx, e)
}

// withdrawn returns what e withdraws, as it was placed when it was announced.
func (g *gate) withdrawn(policy admit.Policy, e rib.Event) []flowspec.Match {
	if policy.In == nil {
		return e.Withdraw
	}
	var out []flowspec.Match
	for _, m := range e.Withdraw {
		if placed, err := policy.Placed(m); err == nil {
			out = append(out, placed)
		}
	}
	return out
}
