package plan

import "github.com/sluice-gateway/sluice/core/rib"

// SetSteps bounds the steps that pl takes to settle one cluster.
func (pl *Planner) SetSteps(n int) { pl.platform.steps = n }

// Patch is Plan where it patches the last plan, and nil where it would plan anew.
func (pl *Planner) Patch(snap rib.Snapshot) *Plan { return pl.patch(snap) }
