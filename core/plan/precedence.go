package plan

import (
	"cmp"
	"math"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// compare orders leaders as far as prefixes that have no address in common tell: those of the others begin or end in each other.
func (l *leader) compare(o *leader) int {
	if l.kind != byDst || o.kind != byDst {
		return int(l.kind) - int(o.kind)
	}
	return cmp.Compare(end(l.prefix), end(o.prefix))
}

// end returns the last address of a prefix, as far as a glance sees it; the invalid one is that of all addresses. A prefix inside another ends with it or before it, and comes first (RFC 8955 §5.1).
func end(p netip.Prefix) uint64 {
	b := bitsOf(p)
	return b.value | ^b.mask
}

func compareBuckets(a, b *bucket) int {
	if order := a.leader.compare(&b.leader); order != 0 {
		return order
	}
	return flowspec.Compare(a.rule.Match, b.rule.Match)
}

func compareSeats(a, b *seat) int { return compareCards(a.card, b.card) }

func compareCards(a, b *card) int { return compareReadings(a.reading, b.reading) }

func compareReadings(a, b *reading) int {
	order := int(a.kind) - int(b.kind)
	if a.kind == byDst && b.kind == byDst {
		order = cmp.Compare(end(a.dst), end(b.dst))
	}
	if order != 0 {
		return order
	}
	return flowspec.Compare(a.rule.Match, b.rule.Match)
}

// begins returns the address at which the destination of s begins, as far as a glance sees it: rules that are lost to one whose destination ends before it are lost to one above s.
func (s *seat) begins() uint64 {
	if s.kind != byDst {
		return math.MaxUint64
	}
	return bitsOf(s.dst).value
}
