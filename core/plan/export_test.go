package plan

// SetSteps bounds the steps that pl takes to settle one cluster.
func (pl *Planner) SetSteps(n int) { pl.platform.steps = n }
