package bgp

import (
	"net/netip"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// item is one route that is to be written, as it was when the writer took it.
type item struct {
	*owed
	want *want // nil: withdraw
	sent *want // nil: announce for the first time
}

// ends returns what the peer has of the route and what it is to have.
func (it *item) ends() (before, after *device.Route) {
	if it.sent != nil {
		before = it.sent.route
	}
	if it.want != nil {
		after = it.want.route
	}
	return before, after
}

// arranged puts items in the order in which they are written. It is the order of every change, whoever asked for it and whatever was asked meanwhile: the first
// table of a session, a difference, and the end. held is how many routes the peer has, room how many it has room for; 0: any number.
func arranged(items []item, held, room int) (out []item, first int) {
	return device.Arrange(items, (*item).ends, held, room)
}

// turn returns those of the first items that have one turn, and the batches in which they are written; within a batch, order does not matter.
func turn(items []item) (of []item, batches [][]item) {
	when := device.TurnOf(items[0].ends())
	n := 1
	for n < len(items) && device.TurnOf(items[n].ends()) == when {
		n++
	}
	of = items[:n]
	switch {
	case when.Free():
		return of, [][]item{of}
	case when.Late:
		return of, runs(of)
	}
	return of, layers(of)
}

// runs divides items into neighbours that can share UPDATEs.
func runs(items []item) (out [][]item) {
	for len(items) > 0 {
		n := 1
		for n < len(items) && items[n].shares() == items[0].shares() {
			n++
		}
		out, items = append(out, items[:n]), items[n:]
	}
	return out
}

// layers divides announcements, which come in the order of precedence, so that of two that may match one packet and cannot share an UPDATE the upper one is in an earlier
// layer. Within a layer they may be written in any order. Overlap is told by destination. Rules for one destination are neighbours in that order, and those for a part of it come
// right before them (RFC 8955 §5.1), so that a stack holds all that may overlap the next.
func layers(items []item) [][]item {
	type island struct {
		dst   flowspec.Prefix
		layer int
		share share
	}
	var stack []island
	var out [][]item
	for i := range items {
		it := &items[i]
		here := island{dst: destination(it.want.route.Match), share: it.shares()}
		if i > 0 && items[i-1].key.family != it.key.family {
			stack = stack[:0]
		}
		same := true // all that overlaps it in the last layer that has such can share UPDATEs with it
		for len(stack) > 0 && within(stack[len(stack)-1].dst, here.dst) {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if top.layer > here.layer {
				here.layer, same = top.layer, true
			}
			if top.layer == here.layer {
				same = same && top.share == here.share
			}
		}
		if !same {
			here.layer++
		}
		stack = append(stack, here)
		if here.layer == len(out) {
			out = append(out, nil)
		}
		out[here.layer] = append(out[here.layer], *it)
	}
	return out
}

// destination returns the destination prefix of m; the zero Prefix where it has none, or one that does not begin with the first bit.
func destination(m flowspec.Match) flowspec.Prefix {
	c, there := m.Component(flowspec.DstPrefix)
	if !there || c.Prefix.Offset != 0 {
		return flowspec.Prefix{}
	}
	return c.Prefix
}

// within says whether all of p is in q.
func within(p, q flowspec.Prefix) bool {
	if q.Len == 0 {
		return true
	}
	in := netip.PrefixFrom(q.Addr, int(q.Len))
	return p.Len >= q.Len && in.Contains(p.Addr)
}

// share is what routes have in common that go into one UPDATE.
type share struct {
	family flowspec.Family
	attrs  string
}

func (it *item) shares() share {
	k := share{family: it.key.family}
	if it.want != nil {
		k.attrs = it.want.attrs.key
	}
	return k
}
