package bgp

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// routeKey is the identity of a route: one NLRI of one family stands once in a table.
type routeKey struct {
	family flowspec.Family
	nlri   string // as it leaves
}

func keyOf(m flowspec.Match) routeKey { return routeKey{m.Family(), string(m.NLRI())} }

// want is a route as a peer is to have it. It never changes.
type want struct {
	route *device.Route // as it leaves, see device.Policy
	attrs *attributes
}

// attributes are what travels with a route beside its NLRI. Routes whose key is equal can share an UPDATE.
type attributes struct {
	key     string // the next hop and every community, in octets
	path    session.Path
	nextHop []byte
}

// owed is one line of the Adj-RIB-Out: what the peer is to have and what it was sent.
type owed struct {
	key    routeKey
	want   *want // nil: nothing
	sent   *want // nil: nothing, or the session was lost since
	at     int64 // when that was sent, Unix nanoseconds; kept where the router is asked by BMP what it holds
	queued bool
	again  bool // send it although it was sent: the peer asked (RFC 2918)
}

// newWant works out what travels with a route as it leaves: its action communities, the others that it bears, and ours. Routes with the same share it. The caller holds mu.
func (d *Device) newWant(r *device.Route) *want {
	w := &want{route: r}
	ext, nextHop := r.Action.Communities()
	d.key = fingerprint(d.key[:0], r, ext, nextHop, d.marks)
	if w.attrs = d.known[string(d.key)]; w.attrs != nil {
		return w
	}
	if len(d.known) > 2*len(d.routes)+64 {
		clear(d.known) // most of it is no longer in use
	}
	w.attrs = d.newAttributes(string(d.key), r, ext, nextHop)
	d.known[w.attrs.key] = w.attrs
	return w
}

func (d *Device) newAttributes(key string, r *device.Route, ext []flowspec.ExtComm, nextHop netip.Addr) *attributes {
	a := &attributes{key: key, path: session.Path{LocalPref: 100, LargeCommunities: r.LargeCommunities}}
	all := slices.Concat(r.Communities, d.marks)
	slices.Sort(all)
	a.path.Communities = slices.Compact(all)
	for _, c := range slices.Concat(ext, r.Others) {
		if len(c) == 8 {
			a.path.ExtCommunities = append(a.path.ExtCommunities, string(c))
		} else {
			a.path.IPv6Communities = append(a.path.IPv6Communities, string(c))
		}
	}
	if nextHop.IsValid() {
		a.nextHop = nextHop.AsSlice()
	}
	return a
}

// fingerprint appends octets that are equal for routes with equal attributes: the parts one after the other, each after its length.
func fingerprint(b []byte, r *device.Route, ext []flowspec.ExtComm, nextHop netip.Addr, marks []uint32) []byte {
	hop := nextHop.AsSlice()
	b = append(append(b, byte(len(hop))), hop...)
	for _, list := range [][]flowspec.ExtComm{ext, r.Others} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(list)))
		for _, c := range list {
			b = append(append(b, byte(len(c))), c...)
		}
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.LargeCommunities)))
	for _, c := range r.LargeCommunities {
		for _, part := range c {
			b = binary.BigEndian.AppendUint32(b, part)
		}
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(marks)))
	for _, c := range marks {
		b = binary.BigEndian.AppendUint32(b, c)
	}
	for _, c := range r.Communities {
		b = binary.BigEndian.AppendUint32(b, c)
	}
	return b
}

// encode appends the UPDATEs of items, which are arranged. Those with the same attributes share UPDATEs where the order allows it.
func encode(dst []byte, items []item, agreed format) ([]byte, error) {
	for len(items) > 0 {
		of, batches := turn(items)
		for _, batch := range batches {
			var err error
			if dst, err = encodeAlike(dst, batch, agreed); err != nil {
				return dst, err
			}
		}
		items = items[len(of):]
	}
	return dst, nil
}

// encodeAlike appends the UPDATEs of items whose order among themselves does not matter.
func encodeAlike(dst []byte, items []item, agreed format) ([]byte, error) {
	type group struct {
		first *want
		nlris [][]byte
	}
	groups := map[share]*group{}
	var order []share
	for i := range items {
		it := &items[i]
		k := it.shares()
		g := groups[k]
		if g == nil {
			g = &group{first: it.want}
			groups[k] = g
			order = append(order, k)
		}
		nlri, err := it.match().NLRIAs(agreed.form)
		if err != nil {
			return dst, err
		}
		g.nlris = append(g.nlris, nlri)
	}
	for _, k := range order {
		g, f := groups[k], familyOut(k.family)
		var err error
		for part := range slices.Chunk(g.nlris, agreed.together(len(g.nlris))) {
			if g.first == nil {
				dst, err = session.AppendUnreach(dst, f, part, agreed.MaxMessage())
			} else {
				dst, err = appendReach(dst, f, g.first, part, agreed.Negotiated)
			}
			if err != nil {
				return dst, err
			}
		}
	}
	return dst, nil
}

// format is how UPDATEs are written to a peer.
type format struct {
	session.Negotiated
	alone bool                // no two NLRIs in one UPDATE
	form  flowspec.OffsetForm // of IPv6 prefixes with an offset
}

// together returns how many of n NLRIs may share an UPDATE, as far as they fit.
func (f format) together(n int) int {
	if f.alone {
		return 1
	}
	return n
}

func appendReach(dst []byte, f session.Family, w *want, nlris [][]byte, agreed session.Negotiated) ([]byte, error) {
	attrs, err := w.attrs.path.Attributes(agreed)
	if err != nil {
		return dst, err
	}
	return session.AppendReach(dst, f, w.attrs.nextHop, attrs, nlris, agreed.MaxMessage())
}

func (it *item) match() flowspec.Match {
	if it.want != nil {
		return it.want.route.Match
	}
	return it.sent.route.Match
}
