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
	*reading
	native   *way
	inFilter *way // made when it is asked for: see platform.filterWay
}

// reading is what a rule says, whatever the platform.
type reading struct {
	rule     *flowspec.Rule // of the snapshot
	set      packet.Set
	want     *table.Outcome // which many rules share
	dst, src netip.Prefix   // invalid: every address, or a pattern with an offset
	glance   glance
	severity table.Severity
	kind     leaderKind
	bySrc    bool // src is the first component, so that RFC order sorts by it
	marked   bool // the rule reads DSCP
	nothing  bool // no packet matches
}

// lead returns the leader of the rule.
func (c *reading) lead() leader {
	out := leader{kind: c.kind}
	switch c.kind {
	case byDst:
		out.prefix = c.dst
	case bySrc:
		out.prefix = c.src
	default:
		return out
	}
	if !out.prefix.IsValid() {
		out.prefix = everywhere(c.rule.Match.Family().Version())
	}
	return out
}

// everywhere returns the prefix of all addresses.
func everywhere(v packet.Version) netip.Prefix {
	if v == packet.IPv6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

// keepsLead says whether routes begin with the component that the rule begins with, see domain.
func (c *card) keepsLead(routes []device.Route) bool {
	for i := range routes {
		if m := routes[i].Match; !m.SameStart(c.rule.Match) && leads(m) != c.lead() {
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

// tied says whether c and d must be carried by one mechanism when they fare differently: they share a packet, or one re-marks packets that the
// other then would match. A device runs its two mechanisms one after the other, and the second sees the new mark.
func (c *card) tied(d *card) bool { return c.near(d) && c.tiedNear(d) }

// tiedNear is tied for rules that are near each other.
func (c *card) tiedNear(d *card) bool {
	return c.set.Overlaps(d.set) || c.remarksFor(d) || d.remarksFor(c)
}

// remarksFor says whether packets of c, once marked, are packets of d, which is near.
func (c *card) remarksFor(d *card) bool {
	mark := c.rule.Action.Mark
	if mark == nil || !d.marked {
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
