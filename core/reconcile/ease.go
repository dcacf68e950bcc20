package reconcile

import (
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/table"
)

// alike says whether a and b are the same to a device: they may differ in expiry and note, and in source, unless bySource says that some device does not take rules of all.
func alike(a, b *flowspec.Rule, bySource bool) bool {
	return a == b || a != nil && b != nil && (!bySource || a.Source == b.Source) && a.Action.Equal(b.Action) && slices.Equal(a.Communities, b.Communities) &&
		slices.Equal(a.LargeCommunities, b.LargeCommunities) && slices.Equal(a.Others, b.Others)
}

// ease says what of the way from base to live may be gone although the rest of it has to wait: what does not concern devices, and what only takes filtering away. The
// rest is withheld.
//
// No packet fares worse meanwhile than under base. Whatever discards may go, since nothing is worse. A rule that treats packets more mildly may stand above a
// severer one as its exception: it goes only where no rule of base that is as severe may meet the same packets.
func ease(base, live rib.Snapshot, bySource bool) (free, withheld []rib.Change) {
	var doubtful []rib.Change
	for _, c := range base.Changes(live) {
		switch {
		case alike(c.Old, c.New, bySource):
			free = append(free, c)
		case c.Old == nil:
			withheld = append(withheld, c)
		case c.New != nil && bySource && c.Old.Source != c.New.Source:
			withheld = append(withheld, c) // to a device it may be new
		case c.New != nil && (table.SeverityOf(c.New.Action) > table.Accepts || c.New.Action.Continue && !c.Old.Action.Continue):
			withheld = append(withheld, c)
		case table.SeverityOf(c.Old.Action) == table.Discards:
			free = append(free, c)
		case c.New != nil: // from some treatment to none
			free = append(free, c)
		default:
			doubtful = append(doubtful, c)
		}
	}
	if len(doubtful) == 0 {
		return free, withheld
	}
	above := harshest(base, doubtful)
	for _, c := range doubtful {
		at, severity := reachOf(c.Match), table.SeverityOf(c.Old.Action)
		if slices.ContainsFunc(above, func(h harsh) bool { return h.severity >= severity && h.rule != c.Old && h.meets(at) }) {
			withheld = append(withheld, c)
		} else {
			free = append(free, c)
		}
	}
	sortChanges(withheld)
	sortChanges(free)
	return free, withheld
}

func sortChanges(list []rib.Change) {
	slices.SortFunc(list, func(a, b rib.Change) int { return flowspec.Compare(a.Match, b.Match) })
}

// reach is where the packets go that a rule may match: what can be asked quickly.
type reach struct {
	family flowspec.Family
	to     netip.Prefix // invalid: anywhere
}

func reachOf(m flowspec.Match) reach {
	r := reach{family: m.Family()}
	if c, has := m.Component(flowspec.DstPrefix); has && c.Prefix.Offset == 0 {
		r.to = netip.PrefixFrom(c.Prefix.Addr, int(c.Prefix.Len))
	}
	return r
}

// meets is never false where a packet may match both.
func (a reach) meets(b reach) bool {
	return a.family == b.family && (!a.to.IsValid() || !b.to.IsValid() || a.to.Overlaps(b.to))
}

// harsh is a rule that may decide packets of a milder one which goes.
type harsh struct {
	reach
	rule     *flowspec.Rule
	severity table.Severity
}

// harshest returns the rules of base that are as severe as the mildest of list, or severer.
func harshest(base rib.Snapshot, list []rib.Change) (out []harsh) {
	mildest := table.Discards
	for _, c := range list {
		mildest = min(mildest, table.SeverityOf(c.Old.Action))
	}
	for r := range base.All() {
		if s := table.SeverityOf(r.Action); s >= mildest {
			out = append(out, harsh{reachOf(r.Match), r, s})
		}
	}
	return out
}
