package plan

import (
	"net/netip"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// card is what is known of one rule by itself: what it asks for, and how each mechanism would carry it. It depends on the rule and the
// platform only, so that the next plan uses it again.
type card struct {
	rule     *flowspec.Rule // of the snapshot
	lead     leader
	set      packet.Set
	want     table.Outcome
	severity table.Severity
	dst, src netip.Prefix // invalid: every address, or a pattern with an offset
	bySrc    bool         // src is the first component, so that RFC order sorts by it
	marked   bool         // the rule reads DSCP
	glance   glance
	nothing  bool // no packet matches
	native   *way
	inFilter *way // made when it is asked for: see platform.filterWay
}

// keepsLead says whether routes begin with the component that the rule begins with, see domain.
func (c *card) keepsLead(routes []device.Route) bool {
	for i := range routes {
		if m := routes[i].Match; !m.SameStart(c.rule.Match) && leads(m) != c.lead {
			return false
		}
	}
	return true
}

// prefixOf returns p as a netip.Prefix, or the zero Prefix for every address.
func prefixOf(p flowspec.Prefix) netip.Prefix {
	if p.Len == 0 {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(p.Addr, int(p.Len))
}

// meets says whether the rules of c and d share a packet.
func (c *card) meets(d *card) bool { return c.near(d) && c.set.Overlaps(d.set) }

// tied says whether c and d must be carried by one mechanism when they fare differently: they share a packet, or one re-marks packets that the
// other then would match. A device runs its two mechanisms one after the other, and the second sees the new mark.
func (c *card) tied(d *card) bool { return c.meets(d) || c.remarksFor(d) || d.remarksFor(c) }

// remarksFor says whether packets of c, once marked, are packets of d.
func (c *card) remarksFor(d *card) bool {
	mark := c.rule.Action.Mark
	if mark == nil || !d.marked || !c.near(d) {
		return false
	}
	boxes := c.set.Boxes()
	for i := range boxes {
		boxes[i].DSCP = packet.NewValues(packet.Span{Lo: uint32(*mark), Hi: uint32(*mark)})
	}
	return packet.Of(boxes...).Overlaps(d.set)
}

// near says whether c and d may share a packet, by what can be seen at a glance.
func (c *card) near(d *card) bool { return c.glance.near(&d.glance) }
