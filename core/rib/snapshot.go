package rib

import "github.com/sluice-gateway/sluice/core/flowspec"

// Snapshot is the Loc-RIB at one moment: the rules in force, one for each family and NLRI. It is immutable.
type Snapshot struct {
	Version uint64
	rules   []flowspec.Rule
}

// Of returns a snapshot of rules, for pre-flight: of rules with the same family and NLRI the last one stands.
func Of(rules []flowspec.Rule) Snapshot { panic("unbuilt") }

// Rules returns the rules in the order of flowspec.Compare. The caller must not change the slice.
func (s Snapshot) Rules() []flowspec.Rule { return s.rules }
