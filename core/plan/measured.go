package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/profile"
)

// MeasuredOrder is an order in which a device was seen to evaluate routes, for platforms that have an order which no document gives. It says of two routes
// that it lists which one comes first, and nothing of others. What it takes for granted is that two routes keep their order whatever else the device holds,
// which is so wherever the order depends on what the routes say.
type MeasuredOrder struct {
	place  map[routeID]int
	listed []flowspec.Match
	key    string
}

// routeID is what makes two routes the same one to a router.
type routeID struct {
	family flowspec.Family
	nlri   string
}

func routeIDOf(m flowspec.Match) routeID { return routeID{m.Family(), string(m.NLRI())} }

// NewMeasuredOrder returns the order of the matches listed, first evaluated first. Routes of different families, or of different route distinguishers, do not
// compete; they may stand among each other in any way. It is an error if a match is listed twice.
func NewMeasuredOrder(listed []flowspec.Match) (*MeasuredOrder, error) {
	out := &MeasuredOrder{place: make(map[routeID]int, len(listed)), listed: listed}
	sum := sha256.New()
	for i, m := range listed {
		id := routeIDOf(m)
		if first, twice := out.place[id]; twice {
			return nil, fmt.Errorf("%s is in it twice, as number %d and as number %d: which place it has is not clear", m, first+1, i+1)
		}
		out.place[id] = i
		fmt.Fprintf(sum, "%d %d %s", id.family, len(id.nlri), id.nlri)
	}
	out.key = hex.EncodeToString(sum.Sum(nil))
	return out, nil
}

// Key is equal for equal orders, and "" for none.
func (o *MeasuredOrder) Key() string {
	if o == nil {
		return ""
	}
	return o.key
}

// Listed returns what is in the order, first evaluated first; it must not be changed.
func (o *MeasuredOrder) Listed() []flowspec.Match {
	if o == nil {
		return nil
	}
	return o.listed
}

// Compare says how the device was seen to evaluate routes with matches a and b: -1 where a comes first, 1 where b does, and false where it is not known. Without
// an order nothing is known.
func (o *MeasuredOrder) Compare(a, b flowspec.Match) (int, bool) {
	if o == nil {
		return 0, false
	}
	x, okA := o.place[routeIDOf(a)]
	y, okB := o.place[routeIDOf(b)]
	switch {
	case !okA || !okB || x == y:
		return 0, false
	case x < y:
		return -1, true
	}
	return 1, true
}

// contradicts returns an error where the order is not the one that p is said to keep: then one of the two is wrong, and nothing can be built on either.
func (o *MeasuredOrder) contradicts(p *profile.Profile) error {
	if o == nil || p.Native == nil {
		return nil
	}
	type plane struct {
		family flowspec.Family
		rd     flowspec.RD
	}
	last := map[plane]flowspec.Match{}
	for _, m := range o.listed {
		at := plane{family: m.Family()}
		if at.family.VPN() {
			at.rd = m.RD()
		}
		before, some := last[at]
		if last[at] = m; !some || p.Native.OrderFor(uint8(at.family.Version())).Kind == "unknown" || flowspec.Compare(before, m) < 0 {
			continue
		}
		return fmt.Errorf("the measured order has %s before %s; profile %s says that such routers keep the order of RFC 8955 §5.1, where it is the other way round: "+
			"the profile, one of its options or the measurement is wrong", before, m, p.Name)
	}
	return nil
}
