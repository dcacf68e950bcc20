package admit

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Origins is whose rules a BGP neighbour may bring, where it brings those of others: a route reflector, a route server. The zero Origins takes all. A rule has to fulfil each list that is there.
type Origins struct {
	Originators []netip.Prefix // ORIGINATOR_ID, or else the neighbour itself, is in one of these
	ASes        []uint32       // the left-most AS of the AS_PATH is one of these; 0: the AS_PATH is empty
	Communities []uint32       // the rule bears one of these
}

// Check returns a *NotAdmitted, or nil, for a rule with these communities that came by a path.
func (o Origins) Check(p Path, communities []uint32) *NotAdmitted {
	switch {
	case o.Originators != nil && !slices.ContainsFunc(o.Originators, func(q netip.Prefix) bool { return q.Contains(p.Originator) }):
		return &NotAdmitted{"origin", fmt.Sprintf("it comes from %s, and of this neighbour rules are taken from %s", p.Originator, list(o.Originators))}
	case o.ASes != nil && !slices.Contains(o.ASes, p.Neighbour):
		return &NotAdmitted{"origin", fmt.Sprintf("it comes through %s, and of this neighbour rules are taken from %s", asOf(p), listOf(o.ASes, func(as uint32) string { return fmt.Sprintf("AS %d", as) }))}
	case o.Communities != nil && !slices.ContainsFunc(o.Communities, func(c uint32) bool { return slices.Contains(communities, c) }):
		return &NotAdmitted{"origin", "it bears none of the communities that rules of this neighbour need: " + listOf(o.Communities, func(c uint32) string { return fmt.Sprintf("%d:%d", c>>16, c&0xffff) })}
	}
	return nil
}

func listOf[T any](all []T, word func(T) string) string {
	var words []string
	for _, one := range all {
		words = append(words, word(one))
	}
	return strings.Join(words, ", ")
}
