package admit

import (
	"cmp"
	"fmt"
	"net/netip"

	"github.com/gaissmai/bart"
)

// Path is what validation asks of a BGP path, of a rule or of a unicast route.
type Path struct {
	Originator netip.Addr // ORIGINATOR_ID, or else the address of the neighbour that it came from (RFC 8955 §6)
	Neighbour  uint32     // the left-most AS of its AS_PATH, the one that was added last to an AS_SEQUENCE; 0: there is none
	Internal   bool       // its AS_PATH is empty, or holds nothing but AS_CONFED_SEQUENCEs (RFC 9117 §4.1, b.2)
	External   bool       // it came from a neighbour of another AS

	// What the choice of the best path goes by (RFC 4271 §9.1.2.2).
	LocalPref uint32
	Length    int // of AS_PATH
	Origin    uint8
	MED       uint32
	ID        netip.Addr // BGP identifier of the neighbour
}

// Better orders paths of one prefix, or one NLRI, as RFC 4271 §9.1.2.2 does: negative where a is chosen. What an IGP would say is not known here.
func Better(a, b Path) int {
	med := 0
	if a.Neighbour == b.Neighbour { // of different neighbours they cannot be compared
		med = cmp.Compare(a.MED, b.MED)
	}
	external := 0
	if a.External != b.External {
		external = 1
		if a.External {
			external = -1
		}
	}
	return cmp.Or(cmp.Compare(b.LocalPref, a.LocalPref), cmp.Compare(a.Length, b.Length), cmp.Compare(a.Origin, b.Origin), med, external,
		a.ID.Compare(b.ID), a.Originator.Compare(b.Originator))
}

// asTrans stands for any AS number of four octets where a speaker knows two (RFC 6793 §9).
const asTrans = 23456

// sameNeighbour says whether two paths came in through one neighbouring AS. Of AS_TRANS nobody can tell.
func sameNeighbour(a, b Path) bool { return a.Neighbour == b.Neighbour && a.Neighbour != asTrans }

// unicast is the unicast routes of one table, of each neighbour apart: the best of a prefix is found when it is asked for. A full table is a million prefixes, and few different paths, as
// far as these are of interest.
type unicast struct{ from []*neighbour }

// neighbour is what one neighbour announced.
type neighbour struct {
	name   string
	fresh  *bart.Table[*shared]
	old    *bart.Table[*shared] // of a session that was lost, not said again yet; no prefix is in both
	shared map[Path]*shared
}

// shared is one path of many prefixes.
type shared struct {
	Path
	uses int
}

func (u *unicast) neighbour(name string) *neighbour {
	for _, n := range u.from {
		if n.name == name {
			return n
		}
	}
	n := &neighbour{name: name, fresh: new(bart.Table[*shared]), old: new(bart.Table[*shared]), shared: map[Path]*shared{}}
	u.from = append(u.from, n)
	return n
}

// announce takes a route. It says whether that is news.
func (n *neighbour) announce(at netip.Prefix, p Path) bool {
	s := n.shared[p]
	if s == nil {
		s = &shared{Path: p}
		n.shared[p] = s
	}
	s.uses++ // first, so that a route that is said again does not lose its path
	was, there := n.fresh.Get(at)
	if !there {
		was, there = n.old.Get(at)
	}
	n.withdraw(at)
	n.fresh.Insert(at, s)
	return !there || was != s
}

// withdraw takes a route away. It says whether there was one.
func (n *neighbour) withdraw(at netip.Prefix) bool {
	for _, t := range []*bart.Table[*shared]{n.fresh, n.old} {
		if s, there := t.Get(at); there {
			t.Delete(at)
			n.release(s)
			return true
		}
	}
	return false
}

func (n *neighbour) release(s *shared) {
	if s.uses--; s.uses == 0 {
		delete(n.shared, s.Path)
	}
}

// lost makes everything of one IP version old, or with 0 of both.
func (n *neighbour) lost(version int) {
	kept := new(bart.Table[*shared])
	for at, s := range n.fresh.All() {
		if of(at, version) {
			n.old.Insert(at, s)
		} else {
			kept.Insert(at, s)
		}
	}
	n.fresh = kept
}

// of says whether a prefix is of an IP version; with 0 it always is.
func of(at netip.Prefix, version int) bool { return version == 0 || at.Addr().Is4() == (version == 4) }

// sweep takes away what is old, of one IP version, or with 0 of both.
func (n *neighbour) sweep(version int) {
	kept := new(bart.Table[*shared])
	for at, s := range n.old.All() {
		if of(at, version) {
			n.release(s)
		} else {
			kept.Insert(at, s)
		}
	}
	n.old = kept
}

// best returns the best route to the longest prefix that covers all of d.
func (u *unicast) best(d netip.Prefix) (at netip.Prefix, p Path, ok bool) {
	for _, n := range u.from {
		for _, t := range []*bart.Table[*shared]{n.fresh, n.old} {
			q, s, found := t.LookupPrefixLPM(d)
			if found && (!ok || q.Bits() > at.Bits() || q.Bits() == at.Bits() && Better(s.Path, p) < 0) {
				at, p, ok = q, s.Path, true
			}
		}
	}
	return at, p, ok
}

// elsewhere returns a route to a part of d that came in through another AS than p.
func (u *unicast) elsewhere(d netip.Prefix, p Path) (netip.Prefix, Path, bool) {
	for _, n := range u.from {
		for _, t := range []*bart.Table[*shared]{n.fresh, n.old} {
			for q, s := range t.Subnets(d) {
				if q.Bits() > d.Bits() && !sameNeighbour(s.Path, p) {
					return q, s.Path, true
				}
			}
		}
	}
	return netip.Prefix{}, Path{}, false
}

// check says which clause of RFC 8955 §6, as RFC 9117 §4 changes it, a rule for d that came by a path does not fulfil; d is invalid where the rule has no destination prefix.
func (u *unicast) check(d netip.Prefix, flow Path) *NotAdmitted {
	refuse := func(clause, format string, args ...any) *NotAdmitted {
		return &NotAdmitted{"validation-" + clause, fmt.Sprintf(format, args...)}
	}
	if !d.IsValid() {
		return refuse("a", "it has no destination prefix to compare with unicast routes (RFC 8955 §6 a)")
	}
	at, best, ok := u.best(d)
	if !flow.Internal { // else b.2 holds
		if !ok {
			return refuse("b", "there is no unicast route to %s (RFC 8955 §6 b)", d)
		}
		if flow.Originator != best.Originator {
			return refuse("b", "the best unicast route to %s, %s, is from %s and the rule from %s (RFC 9117 §4.1 b.1)", d, at, best.Originator, flow.Originator)
		}
	}
	if !ok {
		return nil // nothing for c and d to compare with
	}
	if q, other, found := u.elsewhere(d, best); found {
		return refuse("c", "the unicast route to %s, a part of %s, comes through %s, and the one to %s through %s (RFC 8955 §6 c)", q, d, asOf(other), at, asOf(best))
	}
	if flow.External && (!sameNeighbour(flow, best) || flow.Neighbour == 0) {
		return refuse("as", "the rule comes through %s, and the best unicast route to %s, %s, through %s (RFC 9117 §4.2)", asOf(flow), d, at, asOf(best))
	}
	return nil
}

func asOf(p Path) string {
	if p.Neighbour == 0 {
		return "no other AS"
	}
	return fmt.Sprintf("AS %d", p.Neighbour)
}
