package plan

// SetSteps bounds the steps that pl takes to settle one cluster.
func (pl *Planner) SetSteps(n int) { pl.platform.steps = n }

// SetParty sets how many rules of a bucket pl settles with each other; where there are more, one after another.
func (pl *Planner) SetParty(n int) { pl.platform.party = n }

// Now returns the plan of the rules at hand.
func (pl *Planner) Now() *Plan { return pl.now() }
