package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
)

// stages sorts the entries as the device does, and establishes (c) and (d).
func (k *checker) stages() error {
	natives, filters := map[string][]*entry{}, map[string][]*entry{}
	for _, e := range k.entries {
		to := natives
		if e.list == nil {
			to = filters
		}
		to[e.plane] = append(to[e.plane], e)
	}
	swaps := make(map[[2]int]*certificate.Swap, len(k.c.Swaps))
	for i := range k.c.Swaps {
		swaps[[2]int{k.c.Swaps[i].Rule, k.c.Swaps[i].Entry}] = &k.c.Swaps[i]
	}
	for _, plane := range k.planes {
		native, filter, order := natives[plane], filters[plane], k.c.Platform.Order
		if strings.Contains(plane, "v6") {
			order = k.c.Platform.OrderV6
		}
		slices.SortFunc(native, func(a, b *entry) int { return compare(a.list, b.list) })
		for i, e := range native {
			if e.pos = i; i > 0 && compare(native[i-1].list, e.list) == 0 {
				return refuse(e.place, "the same NLRI as %s", native[i-1].place)
			}
		}
		for i, e := range filter {
			e.pos = i
		}
		err := cmp.Or(k.sweep(filter, swaps), k.meeting(native, filter, k.apart))
		switch {
		case err != nil:
		case order == "unknown":
			if err = k.placed(native); err == nil {
				err = k.meeting(native, native, k.anyOrder)
			}
		case order == "rfc8955" || len(native) == 0:
			err = k.sweep(native, swaps)
		default:
			err = refuse("platform", "an order of rules that this checker does not know: %q", order)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// alike says whether it makes no difference which of two rules a packet of both meets first.
func alike(a, b *rule) bool {
	return a == b || a.does == b.does && a.does.rate == 0 || a.does.nothing() || b.does.nothing()
}

// placed notes which place the entries in list have in the measured order: 1 for the first, 0 for those that it does not have.
func (k *checker) placed(list []*entry) error {
	type route struct{ plane, components string }
	of := func(n nlri) route { return route{n.plane, fmt.Sprint(n.list)} }
	places := make(map[route]int, len(k.c.Platform.Measured))
	for i, m := range k.c.Platform.Measured {
		n, err := readNLRI(m.Family, m.NLRI)
		if err != nil {
			return refuse("platform", "route %d of the measured order: %v", i, err)
		}
		if places[of(n)] != 0 {
			return refuse("platform", "route %d of the measured order is in it before", i)
		}
		places[of(n)] = i + 1
	}
	for _, e := range list {
		e.measured = places[of(e.nlri)]
	}
	return nil
}

// anyOrder establishes (c) for two entries in whichever order that is not ruled out by the measured one.
func (k *checker) anyOrder(x, y *entry) error {
	if x.pos >= y.pos || alike(x.owner, y.owner) {
		return nil
	}
	first, second := x, y
	if x.owner.rank > y.owner.rank {
		first, second = y, x
	}
	if first.measured != 0 && first.measured < second.measured {
		return nil
	}
	return k.inside(y.place, "it may be evaluated before or after "+x.place+", which does something else to this packet", x.set.And(y.set))
}

// apart establishes (d) for two entries of different stages.
func (k *checker) apart(x, y *entry) error {
	a := x.owner
	if a.does.nothing() || y.owner.does.nothing() || alike(a, y.owner) && !a.does.goesOn && !a.does.sample && !a.does.copies && a.does.rate == 0 {
		return nil
	}
	reason := "a packet meets it and, in another stage of the device, " + x.place
	if err := k.inside(y.place, reason, x.after.And(y.set)); err != nil {
		return err
	}
	return k.inside(y.place, reason, x.set.And(y.after))
}

// sweep establishes (c) in one stage. It goes through the entries in the order of the device and keeps the rules of which entries are still to
// come, by rank: those above the owner of the entry at hand are the i of (c).
func (k *checker) sweep(list []*entry, swaps map[[2]int]*certificate.Swap) error {
	var open []*rule
	last := map[*rule]int{}
	for i, e := range list {
		if _, ok := last[e.owner]; !ok {
			open = append(open, e.owner)
		}
		last[e.owner] = i
	}
	slices.SortFunc(open, func(a, b *rule) int { return cmp.Compare(a.rank, b.rank) })
	at := make(map[*rule]int, len(open)) // places in open
	next, prev := make([]int, len(open)+1), make([]int, len(open)+1)
	for i, r := range open {
		at[r], next[i], prev[i+1] = i+1, i+1, i // place 0 is before the first
	}
	for y, e := range list {
		for i := next[0]; i > 0 && open[i-1].rank < e.owner.rank; i = next[i] {
			if err := k.swapped(open[i-1], e, list, swaps); err != nil {
				return err
			}
		}
		if last[e.owner] == y {
			i := at[e.owner]
			next[prev[i]], prev[next[i]] = next[i], prev[i]
		}
	}
	return nil
}

// swapped establishes (c) for an entry and a rule above its owner, some of whose entries stand behind it in list.
func (k *checker) swapped(r *rule, y *entry, list []*entry, swaps map[[2]int]*certificate.Swap) error {
	if err := k.step(); err != nil || alike(r, y.owner) || !r.set.Overlaps(y.set) {
		return err
	}
	var sets []packet.Set
	if s := swaps[[2]int{r.at, y.at}]; s != nil {
		var err error
		if sets, err = k.above(r.place, s.Rules, r); err != nil {
			return err
		}
		for _, i := range s.Entries {
			if i < 0 || i >= len(k.entries) || k.entries[i].pos >= y.pos || list[k.entries[i].pos] != k.entries[i] || k.entries[i].does.goesOn {
				return refuse(y.place, "entry %d does not stand before it, or does not decide its packets", i)
			}
			sets = append(sets, k.entries[i].set)
		}
	}
	for _, x := range r.entries {
		if x.pos <= y.pos || x.pos >= len(list) || list[x.pos] != x {
			continue // before y, or in another stage
		}
		if err := k.inside(y.place, "the device looks at it before "+r.place+", which should decide this packet", x.set.And(y.set), sets...); err != nil {
			return err
		}
	}
	return nil
}
