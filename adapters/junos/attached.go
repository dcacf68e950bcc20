package junos

import (
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Attachment is an interface on which a filter of ours is attached for incoming packets.
type Attachment struct {
	Interface string   // ge-0/0/0.0
	Family    string   // inet or inet6
	Filters   []string // all that stand there, in the order of evaluation, ours among them
	Inactive  bool     // a statement around or of the attachment is deactivated: it filters nothing
}

// Attachments reads where our filters stand from the `interfaces` of a configuration, as XML or as text, in the order of the
// interfaces. A configuration group that an interface inherits from is not looked into; ask the device for the inherited configuration.
func (Dialect) Attachments(b []byte) ([]Attachment, error) {
	var all []Attachment
	err := read(b, "interfaces", func(l line) error {
		w := l.words
		if len(w) > 0 && w[0] == "interface" { // XML says interface ge-0/0/0, text says ge-0/0/0
			w = w[1:]
		}
		// ge-0/0/0 unit 0 family inet filter input [filter-name] NAME
		if len(w) < 8 || w[1] != "unit" || w[3] != "family" || w[5] != "filter" || w[6] != "input" && w[6] != "input-list" {
			return nil
		}
		name := w[len(w)-1]
		if len(w) == 9 && w[7] != "filter-name" || len(w) > 9 {
			return nil // precedence and other notes on a filter
		}
		unit := w[0] + "." + w[2]
		i := slices.IndexFunc(all, func(a Attachment) bool { return a.Interface == unit && a.Family == w[4] })
		if i < 0 {
			i = len(all)
			all = append(all, Attachment{Interface: unit, Family: strings.Clone(w[4])})
		}
		all[i].Filters = append(all[i].Filters, strings.Clone(name))
		all[i].Inactive = all[i].Inactive || l.flaw != nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(a Attachment) bool { return !slices.ContainsFunc(a.Filters, marked) }), nil
}

// Stands says whether our filter stands on a as placement p wants it: alone, or before all others.
func (a Attachment) Stands(p filter.Placement) bool {
	if a.Inactive || len(a.Filters) == 0 || !marked(a.Filters[0]) {
		return false
	}
	return p != filter.Alone || len(a.Filters) == 1
}

// how says in words where a filter of ours stands on a; it does not stand as it should.
func (a Attachment) how() string {
	if others := a.Filters[:slices.IndexFunc(a.Filters, marked)]; len(others) > 0 {
		return a.Interface + ", behind " + strings.Join(others, " and ")
	}
	return a.Interface + ", in front of " + strings.Join(a.Filters[1:], " and ") + ", which sees no packet"
}

// Attached returns where our filters stand as placement p wants it ("": anyhow), and where otherwise and how in words; both by filter, sorted. What is deactivated
// stands nowhere.
func (d Dialect) Attached(b []byte, p filter.Placement) (stands, misplaced map[string][]string, err error) {
	all, err := d.Attachments(b)
	if err != nil {
		return nil, nil, err
	}
	stands, misplaced = map[string][]string{}, map[string][]string{}
	for _, a := range all {
		name := a.Filters[slices.IndexFunc(a.Filters, marked)]
		switch {
		case a.Inactive:
		case p == "" || a.Stands(p):
			stands[name] = append(stands[name], a.Interface)
		default:
			misplaced[name] = append(misplaced[name], a.how())
		}
	}
	for _, where := range []map[string][]string{stands, misplaced} {
		for _, list := range where {
			slices.Sort(list)
		}
	}
	return stands, misplaced, nil
}
