package nftables

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Edit returns the script that leads from the filter that a device has to the one that it is to have, in one transaction. It returns nil when there is nothing to do.
//
// The script of Render replaces the table, and with it every counter and every bucket: a device that is changed each second would let each rate through twice. This one
// leaves alone what stays. A changed entry is a chain that is filled again; an entry for another destination is a chain and an element of a map.
//
// It names objects as Render makes them of have. Where another hand was there, or another layout stands there, nft refuses the script as a whole or what is read back differs; then Render's
// script is the way.
func (d Dialect) Edit(have, want filter.Filter) ([]byte, error) {
	if have.Name != want.Name || have.Version != want.Version {
		return nil, fmt.Errorf("filter %s for IPv%d cannot become %s for IPv%d", have.Name, have.Version, want.Name, want.Version)
	}
	after, err := d.build(want)
	if err != nil {
		return nil, err
	}
	before, err := d.build(have)
	if err != nil { // nothing that Render writes
		return []byte(after.t.script()), nil
	}
	e := editor{table: after.t.family + " " + after.t.name}
	e.change(before.t, after.t)
	if e.out.Len() == 0 {
		return nil, nil
	}
	return []byte(e.out.String()), nil
}

// editor writes commands about one table.
type editor struct {
	table string
	out   strings.Builder
}

// say writes a command: a verb and a kind, the table, and what about it.
func (e *editor) say(verb, what string) { e.out.WriteString(verb + " " + e.table + " " + what + "\n") }

// change writes what leads from a to b. New objects come first and old ones go last, so that nothing is named that is not there, or gone while something leads to it.
func (e *editor) change(a, b *table) {
	was, is := indexOf(a), indexOf(b)
	e.declare(was, b)
	limits := map[string]bool{} // that change
	for name, l := range is.limits {
		if had, ok := was.limits[name]; ok && had != l {
			limits[name] = true
		}
	}
	fill := e.empty(was, is, a, b, limits)
	for _, l := range b.limits { // nft takes no other rate for a limit that is there, and says nothing
		if limits[l.name] {
			e.say("delete limit", l.name)
			e.say("add limit", strings.TrimPrefix(l.String(), "limit "))
		}
	}
	for _, c := range fill {
		for _, r := range c.rules {
			e.say("add rule", c.name+" "+r.String())
		}
	}
	for _, m := range b.maps {
		for _, j := range m.elements {
			if was.maps[m.name][j.key] != j.chain {
				e.say("add element", m.name+" { "+j.key+" : jump "+j.chain+" }")
			}
		}
	}
	e.remove(a, is)
}

// index finds the objects of a table by their names.
type index struct {
	counters, sets map[string]bool
	limits         map[string]limit
	maps           map[string]map[string]string // the chain of each key
	chains         map[string]*chain
}

func indexOf(t *table) index {
	out := index{map[string]bool{}, map[string]bool{}, map[string]limit{}, map[string]map[string]string{}, map[string]*chain{}}
	for _, c := range t.counters {
		out.counters[c] = true
	}
	for _, s := range t.sets {
		out.sets[s.name] = true
	}
	for _, l := range t.limits {
		out.limits[l.name] = l
	}
	for _, m := range t.maps {
		keys := make(map[string]string, len(m.elements))
		for _, j := range m.elements {
			keys[j.key] = j.chain
		}
		out.maps[m.name] = keys
	}
	for _, c := range t.chains {
		out.chains[c.name] = c
	}
	return out
}

// declare adds the objects of b that are new, chains and maps empty.
func (e *editor) declare(was index, b *table) {
	for _, c := range b.counters {
		if !was.counters[c] {
			e.say("add counter", c)
		}
	}
	for _, l := range b.limits {
		if _, ok := was.limits[l.name]; !ok {
			e.say("add limit", strings.TrimPrefix(l.String(), "limit "))
		}
	}
	for _, s := range b.sets {
		if !was.sets[s.name] { // the name is the list: what is there is right
			e.say("add set", strings.TrimPrefix(s.String(), "set "))
		}
	}
	for _, m := range b.maps {
		if was.maps[m.name] == nil {
			e.say("add map", m.name+" { type "+m.typ+" : verdict; }")
		}
	}
	for _, c := range b.chains {
		if was.chains[c.name] == nil {
			e.say("add chain", c.name)
		}
	}
}

// empty takes out what stands in the way of b: the rules of chains that change or name one of limits, and elements and rules that go. It returns the chains of b that are to be filled.
func (e *editor) empty(was, is index, a, b *table, limits map[string]bool) (fill []*chain) {
	for _, c := range b.chains {
		had, ok := was.chains[c.name]
		if ok && slices.EqualFunc(had.rules, c.rules, func(x, y rule) bool { return x.String() == y.String() }) && !c.names(limits) {
			continue
		}
		if fill = append(fill, c); ok {
			e.say("flush chain", c.name)
		}
	}
	for _, c := range a.chains {
		if is.chains[c.name] == nil {
			e.say("flush chain", c.name)
		}
	}
	for _, m := range a.maps {
		for _, j := range m.elements {
			if is.maps[m.name][j.key] != j.chain {
				e.say("delete element", m.name+" { "+j.key+" }")
			}
		}
	}
	return fill
}

// names says whether a rule of c names one of limits.
func (c *chain) names(limits map[string]bool) bool {
	for _, r := range c.rules {
		for _, s := range r.statements {
			if s.verb == police && limits[s.name] {
				return true
			}
		}
	}
	return false
}

// remove deletes the objects of a that are not there any more.
func (e *editor) remove(a *table, is index) {
	for _, m := range a.maps {
		if is.maps[m.name] == nil {
			e.say("delete map", m.name)
		}
	}
	for _, c := range a.chains {
		if is.chains[c.name] == nil {
			e.say("delete chain", c.name)
		}
	}
	for _, s := range a.sets {
		if !is.sets[s.name] {
			e.say("delete set", s.name)
		}
	}
	for _, l := range a.limits {
		if _, ok := is.limits[l.name]; !ok {
			e.say("delete limit", l.name)
		}
	}
	for _, c := range a.counters {
		if !is.counters[c] {
			e.say("delete counter", c)
		}
	}
}
