package plan

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/profile"
)

// trim is a rule that was cut because the device is full, and what was its fate before.
type trim struct {
	seat *seat
	was  fate
}

// restore takes back what was cut.
func (pl *Planner) restore() {
	for _, t := range pl.cut {
		t.seat.bucket.domain.becomes(t.seat, t.was)
	}
	pl.cut = nil
}

// trim keeps the plan inside what the device holds: it rejects, lowest precedence first, what is over the number of entries. Nothing stands below such rules that
// they could expose.
func (pl *Planner) trim(r *ripple) {
	p := pl.platform
	if p.native != nil {
		pl.trimTo(p.native.native.MaxRules, "rules", asNative)
	}
	if p.filter != nil {
		pl.trimTo(p.filter.filter.MaxEntries, "filter entries", asFilter)
	}
	for _, t := range pl.cut {
		r.stirred = append(r.stirred, t.seat)
	}
}

func (pl *Planner) trimTo(most profile.Number, what string, mechanism state) {
	if most.N <= 0 || most.Soft || pl.count(mechanism) <= most.N {
		return
	}
	p := pl.platform
	why := Reason{Code: "over-budget", Severity: Error,
		Message: fmt.Sprintf("%s holds %d %s, and those in front of this one take them all", p.profile.Name, most.N, what),
		Hint:    "withdraw rules, or merge them", Source: p.facts.source(most.Fact)}
	left := most.N
	for _, d := range pl.domains {
		for b := range d.order.all() {
			for _, s := range b.seats {
				if s.state != mechanism {
					continue
				}
				if left -= s.entries(); left < 0 {
					pl.cutOff(s, why)
				}
			}
		}
	}
}

// cutOff rejects s for want of room.
func (pl *Planner) cutOff(s *seat, why Reason) {
	n := note{}
	if s.note != nil {
		n = *s.note
	}
	n.reasons = append(slices.Clip(n.reasons), why)
	pl.cut = append(pl.cut, trim{s, s.fate})
	s.bucket.domain.becomes(s, fate{asRejected, &n})
}

// count returns how many entries a mechanism would take.
func (pl *Planner) count(mechanism state) (n int) {
	for _, d := range pl.domains {
		for b := range d.order.all() {
			for _, s := range b.seats {
				if s.state == mechanism {
					n += s.entries()
				}
			}
		}
	}
	return n
}

// entries returns how many entries the rule takes.
func (s *seat) entries() int {
	if s.state == asFilter {
		return len(s.inFilter.entries)
	}
	return len(s.native().routes)
}
