package plan

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// largestDiff bounds the clusters whose tables are compared entry by entry. What is larger rests on the two theorems that the rest of the plan
// establishes: every rule's pieces match what the rule matches, and nothing that matters is out of order, so the tables are equal.
const largestDiff = 48

// largestHunt bounds the clusters in which smaller ones, with pieces that changed places without harm, are hunted for: that they did no harm
// has been proven already, packet by packet (sweep.decided).
const largestHunt = 4096

// proven is the last gate: the tables that the device will hold are compared with the tables that the carried rules ask for, cluster by
// cluster, by package table, which knows nothing of how the plan came to be. It looks at clusters in the filter, and at those where pieces changed places
// without harm. A cluster that fails is rejected whole, and proven is false: settling goes on from there.
func (pl *plane) proven() bool {
	moved := make([]bool, len(pl.cards))
	if len(pl.cards) <= largestHunt {
		for _, i := range pl.benign {
			moved[i] = true
		}
	}
	if !slices.Contains(moved, true) && !slices.Contains(pl.state, asFilter) {
		return true
	}
	good := true
	for _, members := range pl.clusters(largestDiff, func(i int32) bool { return moved[i] || pl.state[i] == asFilter }) {
		if d := pl.compare(members); d != nil {
			good = false
			for _, m := range members {
				pl.reject(m, unproven("the device would treat "+sample(d)))
				pl.show(m, &witnessed{ready: d})
			}
		}
	}
	return good
}

// sample says what a difference is about.
func sample(d *table.Difference) string {
	if d.Unproven {
		return "packets in a way that could not be compared: " + d.Reason
	}
	return fmt.Sprintf("%s otherwise: %s instead of %s", d.Packet, d.Got, d.Want)
}

// compare compares what members (ascending, one mechanism) ask for with what the device will do.
func (pl *plane) compare(members []int32) *table.Difference {
	var want table.Table
	for _, i := range members {
		c := pl.cards[i]
		r := *c.rule
		r.Action = c.planned(pl.way(i))
		want = append(want, table.Entry{ID: string(r.ID), Match: c.set, Do: table.Want(r), Continue: r.Action.Continue})
	}
	if pl.state[members[0]] == asFilter {
		return table.Diff(want, pl.filterOf(members).Table(pl.p.filter.filter.Semantics))
	}
	return table.Diff(want, pl.nativeOf(members))
}

// way returns how card i is carried.
func (pl *plane) way(i int32) *way {
	if pl.state[i] == asFilter {
		return pl.cards[i].inFilter
	}
	return pl.native(i)
}

// filterOf returns the filter with the entries of members alone.
func (pl *plane) filterOf(members []int32) filter.Filter {
	cards := make([]*card, len(members))
	for k, i := range members {
		cards[k] = pl.cards[i]
	}
	return pl.p.filterOf(pl.version(), cards)
}

// filterOf returns the filter with the entries of cards, which are in order.
func (p *platform) filterOf(v packet.Version, cards []*card) filter.Filter {
	f := filter.Filter{Name: filterName(v), Version: v, Placement: p.opt.Placement}
	n := 0
	for _, c := range cards {
		n += len(c.inFilter.entries)
	}
	f.Entries = make([]filter.Entry, 0, n)
	for _, c := range cards {
		w := c.inFilter
		f.Entries = append(f.Entries, w.entries...)
		if w.policer != nil {
			f.Policers = append(f.Policers, *w.policer)
		}
	}
	return f
}

func (pl *plane) version() packet.Version { return pl.cards[0].rule.Match.Family().Version() }

func filterName(v packet.Version) string {
	if v == packet.IPv6 {
		return filter.Mark + "v6"
	}
	return filter.Mark + "v4"
}

// nativeOf returns the table of the routes of members, in the order of the device.
func (pl *plane) nativeOf(members []int32) table.Table {
	var slots []slot
	for _, i := range members {
		routes := pl.native(i).routes
		for k := range routes {
			slots = append(slots, slot{routes[k].Match, i, int32(k)})
		}
	}
	slices.SortStableFunc(slots, before)
	slots = slices.CompactFunc(slots, func(a, b slot) bool { return a.match.Equal(b.match) })
	out := make(table.Table, len(slots))
	for k, s := range slots {
		c := pl.cards[s.owner]
		r := *c.rule
		r.Action = c.planned(pl.native(s.owner))
		out[k] = table.Entry{ID: fmt.Sprintf("%s-%d", r.ID, s.part+1), Match: s.match.Set(), Do: table.Want(r), Continue: r.Action.Continue}
	}
	return out
}
