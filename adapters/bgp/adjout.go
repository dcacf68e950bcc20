package bgp

import (
	"encoding/binary"
	"slices"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// routeKey is the identity of a route: one NLRI of one family stands once in a table.
type routeKey struct {
	family flowspec.Family
	nlri   string
}

func keyOf(m flowspec.Match) routeKey { return routeKey{m.Family(), string(m.NLRI())} }

// want is a route as a peer is to have it. It never changes.
type want struct {
	route    *device.Route
	severity int
	limit    float32 // rate of a limit
	// attrs is equal for routes that can share an UPDATE: the next hop and every community, in octets.
	attrs   string
	path    session.Path
	nextHop []byte
}

// owed is one line of the Adj-RIB-Out: what the peer is to have and what it was sent.
type owed struct {
	key    routeKey
	want   *want // nil: nothing
	sent   *want // nil: nothing, or the session was lost since
	queued bool
	again  bool // send it although it was sent: the peer asked (RFC 2918)
}

// newWant works out what travels with a route: its action communities, those it came with, and ours.
func (d *Device) newWant(r *device.Route) *want {
	w := &want{route: r, severity: severity(r.Action), path: session.Path{LocalPref: 100, LargeCommunities: r.LargeCommunities}}
	if r.Action.Rate != nil {
		w.limit = r.Action.Rate.Amount
	}
	w.path.Communities = r.Communities
	if len(d.marks) > 0 {
		all := append(slices.Clone(r.Communities), d.marks...)
		slices.Sort(all)
		w.path.Communities = slices.Compact(all)
	}
	ext, nextHop := r.Action.Communities()
	for _, list := range [][]flowspec.ExtComm{ext, r.Others} {
		for _, c := range list {
			if len(c) == 8 {
				w.path.ExtCommunities = append(w.path.ExtCommunities, string(c))
			} else {
				w.path.IPv6Communities = append(w.path.IPv6Communities, string(c))
			}
		}
	}
	if nextHop.IsValid() {
		w.nextHop = nextHop.AsSlice()
	}
	w.attrs = w.fingerprint()
	return w
}

func (w *want) fingerprint() string {
	b := append(make([]byte, 0, 64), byte(len(w.nextHop)))
	b = append(b, w.nextHop...)
	b = append(b, byte(len(w.path.ExtCommunities)))
	for _, c := range w.path.ExtCommunities {
		b = append(b, c...)
	}
	b = append(b, byte(len(w.path.IPv6Communities)))
	for _, c := range w.path.IPv6Communities {
		b = append(b, c...)
	}
	b = append(b, byte(len(w.path.LargeCommunities)))
	for _, c := range w.path.LargeCommunities {
		for _, part := range c {
			b = binary.BigEndian.AppendUint32(b, part)
		}
	}
	for _, c := range w.path.Communities {
		b = binary.BigEndian.AppendUint32(b, c)
	}
	return string(b)
}

// encode appends the UPDATEs of items, which it sorts. Neighbours in the order that have the same attributes share UPDATEs; within one
// severity and limit, so do all.
func encode(dst []byte, items []item, agreed session.Negotiated) ([]byte, error) {
	slices.SortStableFunc(items, item.compare)
	for len(items) > 0 {
		n := 1
		for n < len(items) && items[0].compare(items[n]) == 0 {
			n++
		}
		var err error
		if dst, err = encodeAlike(dst, items[:n], agreed); err != nil {
			return dst, err
		}
		items = items[n:]
	}
	return dst, nil
}

// encodeAlike appends the UPDATEs of items whose order among themselves does not matter.
func encodeAlike(dst []byte, items []item, agreed session.Negotiated) ([]byte, error) {
	type group struct {
		first *want
		nlris [][]byte
	}
	type share struct {
		family flowspec.Family
		attrs  string
	}
	groups := map[share]*group{}
	var order []share
	for _, it := range items {
		k := share{family: it.key.family}
		if it.want != nil {
			k.attrs = it.want.attrs
		}
		g := groups[k]
		if g == nil {
			g = &group{first: it.want}
			groups[k] = g
			order = append(order, k)
		}
		g.nlris = append(g.nlris, it.nlri())
	}
	for _, k := range order {
		g, f := groups[k], familyOut(k.family)
		var err error
		if g.first == nil {
			dst, err = session.AppendUnreach(dst, f, g.nlris)
		} else {
			dst, err = appendReach(dst, f, g.first, g.nlris, agreed)
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendReach(dst []byte, f session.Family, w *want, nlris [][]byte, agreed session.Negotiated) ([]byte, error) {
	attrs, err := w.path.Attributes(agreed)
	if err != nil {
		return dst, err
	}
	return session.AppendReach(dst, f, w.nextHop, attrs, nlris)
}

func (it item) nlri() []byte {
	if it.want != nil {
		return it.want.route.Match.NLRI()
	}
	return it.sent.route.Match.NLRI()
}
