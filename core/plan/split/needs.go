package split

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Need says that a rule with one of the types in Of (1 << type), or any rule where Of is 0, must have one of those in OneOf beside it; where Values is set, with no
// other number than these in it.
type Need struct {
	Of, OneOf uint16
	Values    []uint32
}

// particular says whether l asks for anything beside what its components are.
func (l *Limits) particular() bool {
	for t := range l.Of {
		if l.Of[t].MinValue > 0 || l.Of[t].Except != nil {
			return true
		}
	}
	return len(l.Needs) > 0
}

// unmet returns what components lack, or the number in them that the platform would take for something else. Nothing that is done to a rule mends either: it is
// refused.
func (l *Limits) unmet(components []flowspec.Component) *Trouble {
	for i := range components {
		c := &components[i]
		if of := &l.Of[c.Type]; of.MinValue > 0 || of.Except != nil {
			if trouble := of.elsewhere(c.Type, Spans(c)); trouble != nil {
				return trouble
			}
		}
	}
	has := typesOf(components)
	for i := range l.Needs {
		n := &l.Needs[i]
		if n.Of != 0 && has&n.Of == 0 || n.met(components) {
			continue
		}
		of := lowest(has & n.Of)
		if n.Of == 0 {
			of = lowest(n.OneOf)
		}
		return &Trouble{Type: of, Why: NeedsBeside, Types: n.OneOf, Have: i}
	}
	return nil
}

// elsewhere returns the first number in spans that the platform would take for something else.
func (l *Limit) elsewhere(t flowspec.Type, spans []packet.Span) *Trouble {
	for _, s := range spans {
		if s.Lo < l.MinValue {
			return &Trouble{Type: t, Why: TooSmall, Have: int(s.Lo), Max: int(l.MinValue)}
		}
		for _, n := range l.Except {
			if s.Lo <= n && n <= s.Hi {
				return &Trouble{Type: t, Why: Reserved, Have: int(n)}
			}
		}
	}
	return nil
}

func (n *Need) met(components []flowspec.Component) bool {
	for i := range components {
		if n.OneOf&(1<<components[i].Type) != 0 && n.allows(&components[i]) {
			return true
		}
	}
	return false
}

// allows says whether c holds no other number than n.Values.
func (n *Need) allows(c *flowspec.Component) bool {
	if n.Values == nil {
		return true
	}
	for _, s := range Spans(c) {
		if uint64(s.Hi-s.Lo) >= uint64(len(n.Values)) {
			return false
		}
		for v := s.Lo; v <= s.Hi; v++ {
			if !slices.Contains(n.Values, v) {
				return false
			}
		}
	}
	return true
}
