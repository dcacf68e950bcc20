package verify

import (
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/verify/octets"
)

// covers establishes (b).
func (k *checker) covers() {
	for _, r := range k.rules {
		if r.rejected {
			continue
		}
		sets := k.earlier(r, k.rules, k.Rules[r.at].Above)
		for i, e := range r.entries {
			sets = append(sets, e.Set)
			for _, o := range r.entries[:i] {
				k.refuse(r.does.GoesOn && k.step() && e.Set.Overlaps(o.Set), e, "it shares packets with %s, and %s continues: it would be done twice", o, r)
			}
		}
		k.inside(r.Set, sets, r, "no entry of it takes this packet, and no rule above it decides it")
	}
}

// earlier returns the packets of those of all that list names, which must stand before c in its stage, be carried, and end evaluation.
func (k *checker) earlier(c *clause, all []*clause, list []int) (out []packet.Set) {
	for _, i := range list {
		decides := i >= 0 && i < c.at && all[i].stage == c.stage && !all[i].rejected && !all[i].does.GoesOn
		if k.refuse(!decides, c, "number %d of its kind does not stand before it, or does not decide its packets", i) {
			return nil
		}
		out = append(out, all[i].Set)
	}
	return out
}

// orders establishes (c), (d), and what is said of rejected rules, plane by plane.
func (k *checker) orders() {
	for _, first := range k.rules {
		rules := k.stages[first.stage]
		if rules[0] != first {
			continue
		}
		routes, filter := k.stages[stage{certificate.FlowSpec, first.Plane}], k.stages[stage{certificate.Filter, first.Plane}]
		order := k.Platform.Order
		if first.Version == packet.IPv6 {
			order = k.Platform.OrderV6
		}
		if order == "unknown" {
			k.meeting(routes, routes, k.anyOrder)
		} else {
			k.refuse(order != "rfc8955" && len(routes) > 0, "platform", "an order of rules that this checker does not know: %q", order)
			k.inversions(routes)
		}
		k.inversions(filter)
		k.meeting(routes, filter, k.apart)
		lost := slices.DeleteFunc(slices.Clone(rules), func(r *clause) bool { return !r.rejected || r.does.GoesOn })
		k.meeting(lost, slices.Concat(routes, filter), k.worse)
	}
}

// alike says whether it makes no difference which of two rules a packet of both meets first. No rate is like another: they have different buckets.
func alike(a, b octets.Outcome) bool { return a == b && a.Rate == 0 || a.Nothing() || b.Nothing() }

// inversions establishes (c) in a stage: it sorts the entries, which stand in the order of the device, by their rules, and looks at every two that change places.
func (k *checker) inversions(list []*clause) {
	list = slices.Clone(list)
	for n := range list {
		for p := n; p > 0 && list[p-1].owner.at > list[p].owner.at && k.step(); p-- {
			k.swapped(list[p], list[p-1])
			list[p-1], list[p] = list[p], list[p-1]
		}
	}
}

// swapped establishes (c) for an entry y that stands before x, whose rule stands above the one of y.
func (k *checker) swapped(x, y *clause) {
	if alike(x.does, y.does) || !x.Set.Overlaps(y.Set) {
		return
	}
	step := k.proof[[2]int{x.owner.at, y.at}]
	sets := append(k.earlier(x.owner, k.rules, step.Rules), k.earlier(y, k.entries, step.Entries)...)
	k.inside(x.Set.And(y.Set), sets, y, "the device looks at it before %s of %s, which should decide this packet", x, x.owner)
}

// anyOrder establishes (c) for two entries that may stand in either order, unless the one whose rule stands above was seen to come first.
func (k *checker) anyOrder(x, y *clause) {
	seen, later := k.Entries[x.at].Measured, k.Entries[y.at].Measured
	if x.owner.at < y.owner.at && !alike(x.does, y.does) && !(seen > 0 && seen < later) {
		k.inside(x.Set.And(y.Set), nil, y, "it may be evaluated before or after %s, which does something else to this packet", x)
	}
}

// apart establishes (d) for two entries of different stages.
func (k *checker) apart(x, y *clause) {
	once := !x.does.GoesOn && !x.does.Sample && !x.does.Copies // done twice it is done once
	if x.does.Nothing() || y.does.Nothing() || alike(x.does, y.does) && once {
		return
	}
	const reason = "a packet meets it and, in another stage of the device, %s"
	k.inside(x.after().And(y.Set), nil, y, reason, x)
	k.inside(x.Set.And(y.after()), nil, y, reason, x)
}

// after returns what packets may be when they leave an entry: as they came, or with the DSCP that it sets.
func (c *clause) after() packet.Set {
	if !c.does.Marks {
		return c.Set
	}
	dscp := uint32(c.does.Mark)
	boxes := c.Set.Boxes()
	for i := range boxes {
		boxes[i].DSCP = packet.NewValues(packet.Span{Lo: dscp, Hi: dscp})
	}
	return c.Set.Or(packet.Of(boxes...))
}

// worse establishes what is said of a rejected rule, for an entry of a rule below it.
func (k *checker) worse(lost, y *clause) {
	if y.owner.at < lost.at || y.does.Severity() < lost.does.Severity() || y.does.Nothing() || !lost.Set.Overlaps(y.Set) {
		return
	}
	asked, does := lost.does, y.does
	asked.Unknown, does.GoesOn = false, false
	if alike(asked, does) {
		return
	}
	sets := k.earlier(y.owner, k.rules, k.proof[[2]int{lost.at, y.at}].Rules)
	k.inside(lost.Set.And(y.Set), sets, y.owner, "it treats this packet worse than %s, which is rejected, asks", lost)
}

// meeting calls visit with every x of a and y of b that may share a packet: whose destinations meet, or whose sources do where fewer of those are open.
func (k *checker) meeting(a, b []*clause, visit func(x, y *clause)) {
	if len(a) == 0 || len(b) == 0 {
		return
	}
	open := 0 // destinations that are, less sources
	for _, c := range slices.Concat(a, b) {
		if c.reach.DstLo.IsUnspecified() {
			open++
		}
		if c.reach.SrcLo.IsUnspecified() {
			open--
		}
	}
	type side struct {
		*clause
		lo, hi netip.Addr
		list   int
	}
	var all []side
	for n, list := range [2][]*clause{a, b} {
		for _, c := range list {
			s := side{c, c.reach.DstLo, c.reach.DstHi, n}
			if open > 0 {
				s.lo, s.hi = c.reach.SrcLo, c.reach.SrcHi
			}
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(x, y side) int { return x.lo.Compare(y.lo) })
	var active [2][]side
	for _, s := range all {
		others := slices.DeleteFunc(active[1-s.list], func(o side) bool { return o.hi.Less(s.lo) })
		for _, o := range others {
			x, y := s, o
			if s.list == 1 {
				x, y = o, s
			}
			if !k.step() {
				return
			}
			visit(x.clause, y.clause)
		}
		active[1-s.list], active[s.list] = others, append(active[s.list], s)
	}
}
