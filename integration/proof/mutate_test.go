package proof_test

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/table"
)

// mutation changes one thing in a copy of a table. Some change nothing that matters; false says that it does not apply.
type mutation struct {
	name  string
	apply func(*draw, lines) (lines, bool)
}

// mutations are what goes wrong between a plan and a device.
var mutations = []mutation{
	{"remove a line", func(d *draw, l lines) (lines, bool) {
		i := d.IntN(len(l))
		return slices.Delete(l, i, i+1), true
	}},
	{"swap two lines", func(d *draw, l lines) (lines, bool) {
		i, k := d.IntN(len(l)), d.IntN(len(l))
		l[i], l[k] = l[k], l[i]
		return l, i != k
	}},
	{"swap neighbours", func(d *draw, l lines) (lines, bool) {
		if len(l) < 2 {
			return l, false
		}
		i := d.IntN(len(l) - 1)
		l[i], l[i+1] = l[i+1], l[i]
		return l, true
	}},
	{"split a line", func(d *draw, l lines) (lines, bool) { return d.splitLine(l, false) }},
	{"duplicate a policer", func(d *draw, l lines) (lines, bool) { return d.splitLine(l, true) }},
	{"give a policer to another line", (*draw).giveAway},
	{"flip a bit of an NLRI", (*draw).flipBit},
	{"change a value", (*draw).changeValue},
	{"another action", func(d *draw, l lines) (lines, bool) {
		i := d.IntN(len(l))
		a := d.action()
		l[i].do, l[i].goesOn = table.Want(flowspec.Rule{ID: "new", Action: a}), a.Continue
		return l, true
	}},
	{"repeat a line", func(d *draw, l lines) (lines, bool) {
		return slices.Insert(l, d.IntN(len(l)+1), l[d.IntN(len(l))]), true
	}},
	{"rename a policer", func(d *draw, l lines) (lines, bool) {
		from := l[d.IntN(len(l))].do.Policer
		for i := range l {
			if l[i].do.Policer == from && from != "" {
				l[i].do.Policer = "renamed"
			}
		}
		return l, from != ""
	}},
}

// mutate applies one mutation that applies, in a few tries, and says which.
func (d *draw) mutate(l lines) (lines, string) {
	for range 20 {
		if len(l) == 0 {
			break
		}
		m := pick(d, mutations...)
		if out, ok := m.apply(d, slices.Clone(l)); ok {
			return out, m.name
		}
	}
	return l, "nothing"
}

// splitLine makes two lines of one that has a list. With apart, its policer becomes two.
func (d *draw) splitLine(l lines, apart bool) (lines, bool) {
	i := d.IntN(len(l))
	if apart && l[i].do.Policer == "" {
		return l, false
	}
	all := slices.Collect(l[i].match.All())
	at := d.IntN(len(all))
	groups := groupsOf(all[at].Terms)
	if len(groups) < 2 {
		return l, false
	}
	cut := 1 + d.IntN(len(groups)-1)
	second := l[i]
	for n, part := range [][][]flowspec.Term{groups[:cut], groups[cut:]} {
		all[at].Terms = slices.Concat(part...)
		m, err := flowspec.NewMatch(l[i].match.Family(), flowspec.RD{}, all...)
		if err != nil {
			return l, false
		}
		if n == 0 {
			l[i].match = m
		} else {
			second.match = m
		}
	}
	if apart {
		second.do.Policer += " again"
	}
	return slices.Insert(l, i+1, second), true
}

// groupsOf returns the parts of a list that OR joins.
func groupsOf(terms []flowspec.Term) (out [][]flowspec.Term) {
	for i, t := range terms {
		if i == 0 || !t.And {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], t)
	}
	return out
}

// giveAway makes a line draw from the bucket of another one.
func (d *draw) giveAway(l lines) (lines, bool) {
	i, k := d.IntN(len(l)), d.IntN(len(l))
	if l[i].do.Policer == "" || l[k].do.Policer == "" || l[i].do.Policer == l[k].do.Policer {
		return l, false
	}
	l[i].do.Policer, l[i].do.Rate = l[k].do.Policer, l[k].do.Rate
	return l, true
}

// flipBit turns over one bit of one NLRI, and keeps what can still be read.
func (d *draw) flipBit(l lines) (lines, bool) {
	i := d.IntN(len(l))
	octets := slices.Clone(l[i].match.NLRI())
	at := d.IntN(8 * len(octets))
	octets[at/8] ^= 1 << (at % 8)
	m, err := flowspec.ParseNLRI(l[i].match.Family(), octets)
	if err != nil || m.Equal(l[i].match) {
		return l, false
	}
	l[i].match = m
	return l, true
}

// changeValue moves one number of a list by one, or one prefix by one bit of length.
func (d *draw) changeValue(l lines) (lines, bool) {
	i := d.IntN(len(l))
	all := slices.Collect(l[i].match.All())
	c := &all[d.IntN(len(all))]
	if len(c.Terms) == 0 {
		if c.Prefix.Len <= c.Prefix.Offset+1 {
			return l, false
		}
		c.Prefix.Len--
		a := c.Prefix.Addr.AsSlice()
		a[c.Prefix.Len/8] &^= 0x80 >> (c.Prefix.Len % 8)
		c.Prefix.Addr = addressOf(a)
	} else {
		t := &c.Terms[d.IntN(len(c.Terms))]
		if t.Value++; d.chance(2) && t.Value > 1 {
			t.Value -= 2
		}
		t.Width = 0
	}
	m, err := flowspec.NewMatch(l[i].match.Family(), flowspec.RD{}, all...)
	if err != nil {
		return l, false
	}
	l[i].match = m
	return l, true
}
