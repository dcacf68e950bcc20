package profile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Cost is how a platform expands a rule, or an entry of a filter, into slots of its TCAM: the slots of each list added up, and the sums of the components
// multiplied. What has no place in it has no known cost.
type Cost struct {
	Families   []flowspec.Family // rules it holds for; nil: all
	Components map[flowspec.Type]Slots
	Fact       string
}

// For says whether the costs hold for rules of family f.
func (c *Cost) For(f flowspec.Family) bool { return holds(c.Families, f) }

// Slots is what the list of one component takes.
type Slots struct {
	// Each is the slots of one value that the TCAM compares in one go: a number, an aligned block of numbers, a prefix, or bits that must be set or clear.
	Each int
	// Prefixes: a range takes as many values as the aligned blocks that it falls into; else it takes one, whatever its ends are. Of numbers only.
	Prefixes bool
	// Bits are those that the cost is known for, of bitmask components; 0: all.
	Bits uint16
	Fact string
}

type rawCost struct {
	Families   []word               `yaml:"families"`
	Components dict[node[rawSlots]] `yaml:"components"`
	Fact       factRef              `yaml:"fact"`
}

type rawSlots struct {
	Slots  number  `yaml:"slots"`
	Ranges word    `yaml:"ranges"`
	Bits   number  `yaml:"bits"`
	Fact   factRef `yaml:"fact"`
}

// rangeWords say what a range takes.
var rangeWords = []string{"one", "prefixes"}

// cost reads the cost of a stage that takes fams and the components in has; nil where it is not written.
func (l *loader) cost(n node[rawCost], stage string, fams []flowspec.Family, has map[flowspec.Type]Component) *Cost {
	if !n.written() {
		return nil
	}
	path := stage + ".cost"
	out := &Cost{Families: l.within(n.V.Families, fams), Components: map[flowspec.Type]Slots{}, Fact: l.ref(n.at, n.V.Fact, path)}
	for _, e := range n.V.Components {
		t, ok := flowspec.ParseType(e.Key.s)
		if !ok {
			l.bad(e.Key.at, "%q is not a component%s", e.Key.s, didYouMean(e.Key.s, typeWords()))
			continue
		}
		if _, can := has[t]; !can {
			l.bad(e.Key.at, "%s has a cost, but the platform does not take it at all", e.Key.s)
		}
		out.Components[t] = l.slots(e, t, path+"."+e.Key.s)
	}
	if len(out.Components) == 0 {
		l.bad(n.at, "`components` is missing under %s", path)
	}
	return out
}

func (l *loader) slots(e entry[node[rawSlots]], t flowspec.Type, path string) Slots {
	raw := e.Val.V
	if !raw.Slots.set {
		l.bad(e.Key.at, "%s does not say how many slots a value takes: add `slots`", path)
	}
	out := Slots{
		Each: int(l.bound(raw.Slots, 1, 1<<10)), Prefixes: raw.Ranges.s == "prefixes",
		Bits: uint16(l.bound(raw.Bits, 1, float64(t.Max()))), Fact: l.ref(e.Key.at, raw.Fact, path),
	}
	numeric := !isPrefix(t) && !t.Bitmask()
	switch {
	case numeric && !slices.Contains(rangeWords, raw.Ranges.s):
		l.bad(e.Key.at, "%s does not say what a range takes: add `ranges`, one of %s", path, strings.Join(rangeWords, ", "))
	case !numeric && raw.Ranges.s != "":
		l.bad(raw.Ranges.at, "%s has no ranges", path)
	}
	if raw.Bits.set && !t.Bitmask() {
		l.bad(raw.Bits.at, "%s has no bits: it is compared as a number", path)
	}
	if raw.Slots.word == "none" {
		l.bad(raw.Slots.at, "a value takes one slot or more")
	}
	return out
}

// cost adds a line about c.
func (s *sheet) cost(group, name string, c *Cost) {
	if c == nil {
		return
	}
	facts := []string{c.Fact}
	var says []string
	for t := flowspec.DstPrefix; t <= flowspec.FlowLabel; t++ {
		one, ok := c.Components[t]
		if !ok {
			continue
		}
		text := fmt.Sprintf("%s %d", t, one.Each)
		if one.Prefixes {
			text += " a block of a range"
		}
		if one.Bits != 0 && t == flowspec.Fragment {
			text += " (" + fragmentWords(one.Bits) + ")"
		}
		says, facts = append(says, text), append(facts, one.Fact)
	}
	text := strings.Join(says, ", ")
	if c.Families != nil {
		text = familyWords(c.Families) + ": " + text
	}
	s.add(group, name, text, facts...)
}
