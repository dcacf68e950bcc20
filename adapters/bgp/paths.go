package bgp

import (
	"cmp"
	"slices"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// paths keeps every path of a neighbour that sends several for one NLRI (RFC 7911), since the RIB has one rule for an NLRI of a source: that of the best path, and when it is withdrawn, that of
// the next.
type paths map[routeKey][]numbered

// numbered is a path with its identifier.
type numbered struct {
	id   uint32
	rule flowspec.Rule
	path admit.Path
	old  bool // to be said again
}

// chosen is what is to be told about one NLRI.
type chosen struct {
	event rib.Event
	path  admit.Path
}

// announce takes a path, in place of the one with its identifier, and returns what changed. The best path is told again when it is said again, which may be all that it is said for.
func (ps paths) announce(id uint32, r flowspec.Rule, p admit.Path) []chosen {
	k := keyOf(r.Match)
	was, _ := ps.best(k)
	ps.drop(k, id)
	list := append(ps[k], numbered{id: id, rule: r, path: p})
	slices.SortFunc(list, func(a, b numbered) int { return cmp.Or(admit.Better(a.path, b.path), cmp.Compare(a.id, b.id)) })
	ps[k] = list
	now, _ := ps.best(k)
	if now.id != id && now.id == was.id {
		return nil
	}
	return []chosen{now.told()}
}

// withdraw takes away the path with an identifier, and returns what changed.
func (ps paths) withdraw(id uint32, m flowspec.Match) []chosen {
	k := keyOf(m)
	was, had := ps.best(k)
	ps.drop(k, id)
	now, has := ps.best(k)
	switch {
	case !had || has && was.id != id:
		return nil
	case !has:
		return []chosen{{event: rib.Event{Kind: rib.Update, Withdraw: []flowspec.Match{m}}}}
	}
	return []chosen{now.told()}
}

// again notes that the neighbour says the paths of a family again; ended drops those that it did not, and returns the rules that are there all the same, by another path.
func (ps paths) again(f flowspec.Family) {
	for k, list := range ps {
		for i := range list {
			list[i].old = list[i].old || k.family == f
		}
	}
}

func (ps paths) ended(f flowspec.Family) (out []chosen) {
	for k, list := range ps {
		if k.family != f {
			continue
		}
		was := list[0]
		list = slices.DeleteFunc(list, func(n numbered) bool { return n.old })
		if len(list) == 0 {
			delete(ps, k) // the RIB sweeps it
			continue
		}
		ps[k] = list
		if list[0].id != was.id {
			out = append(out, list[0].told())
		}
	}
	return out
}

func (ps paths) best(k routeKey) (numbered, bool) {
	if list := ps[k]; len(list) > 0 {
		return list[0], true
	}
	return numbered{}, false
}

func (ps paths) drop(k routeKey, id uint32) {
	list := slices.DeleteFunc(ps[k], func(n numbered) bool { return n.id == id })
	if len(list) == 0 {
		delete(ps, k)
	} else {
		ps[k] = list
	}
}

func (n numbered) told() chosen {
	return chosen{rib.Event{Kind: rib.Update, Announce: []flowspec.Rule{n.rule}}, n.path}
}
