package flowspec

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Unit is what a rate counts.
type Unit uint8

// The two units of rates.
const (
	Bytes   Unit = iota + 1 // bytes per second, community 0x8006 (RFC 8955 §7.1)
	Packets                 // packets per second, community 0x800c (RFC 8955 §7.2)
)

// Rate is a limit. Amount 0 is discard. It is what a float32 can hold, never negative, NaN or infinite.
type Rate struct {
	Amount float32 // bytes/s or packets/s
	Unit   Unit
	AS     uint16 // informational (RFC 8955 §7.1); kept, compared by nobody
}

// RedirectForm is how a redirect travels in BGP.
type RedirectForm uint8

// The forms of redirect communities.
const (
	RedirectAS2    RedirectForm = iota + 1 // 0x8008 route target with a two-octet AS (RFC 8955 §7.4)
	RedirectIPv4                           // 0x8108 route target with an IPv4 address
	RedirectAS4                            // 0x8208 route target with a four-octet AS
	RedirectIPv6                           // IPv6-specific 0x000d (RFC 8956 §6.1)
	NextHopSimpson                         // 0x0800, address in the next hop of MP_REACH_NLRI (draft-simpson)
	NextHopIETFv4                          // 0x010c (draft-ietf-idr-flowspec-redirect-ip)
	NextHopIETFv6                          // IPv6-specific 0x000c
)

// Redirect sends packets elsewhere: into the VRF that imports a route target, or to a next hop.
type Redirect struct {
	Form   RedirectForm
	Global uint32     // AS number of RedirectAS2 and RedirectAS4
	Addr   netip.Addr // address of RedirectIPv4 and RedirectIPv6; next hop of the NextHop forms
	Local  uint32     // local administrator of a route target: 32 bits for RedirectAS2, else 16
	Copy   bool       // NextHop forms: the original goes on, a copy is redirected (C bit)
}

// NextHop says whether r names a next hop rather than a route target.
func (r Redirect) NextHop() bool { return r.Form >= NextHopSimpson }

// Same says whether r and o send packets to the same place. The three forms of a next hop are three ways to write one
// request; route targets of different forms are different route targets.
func (r Redirect) Same(o Redirect) bool {
	if r.NextHop() && o.NextHop() {
		return r.Addr == o.Addr && r.Copy == o.Copy
	}
	return r == o
}

// Action is what happens to matched packets. The zero Action is accept: forward, and look at no later rule.
type Action struct {
	Rate     *Rate // Amount 0 = discard
	Redirect *Redirect
	Mark     *uint8 // DSCP, 0..63
	Sample   bool
	// Continue means that later rules are looked at as well. On the wire it is the T bit of 0x8007 SET: RFC 8955 §7.3
	// names the bit "terminal action" and defines it the other way round. Nowhere else is the bit interpreted.
	Continue bool
	// Unknown holds communities that are not understood or that contradict each other, as they came, interface-set among them. A rule
	// with any is not delivered by guesswork. 8 octets each, or 20 for IPv6-specific ones.
	Unknown []ExtComm
}

// ExtComm is one extended community as octets: 8, or 20 for an IPv6-specific one (RFC 5701).
type ExtComm string

// String prints c in hexadecimal, as ExaBGP reads it: `0x8006000000000000`.
func (c ExtComm) String() string { return fmt.Sprintf("0x%x", string(c)) }

// Discard says whether a drops every packet.
func (a Action) Discard() bool { return a.Rate != nil && a.Rate.Amount == 0 }

// Equal says whether a and b ask for the same. How they say it does not count: neither the AS number in a rate, nor the
// unit of a rate of 0, nor the form of a redirect to a next hop, nor the order of unknown communities.
func (a Action) Equal(b Action) bool {
	return equalPointers(a.Rate, b.Rate, Rate.same) &&
		equalPointers(a.Redirect, b.Redirect, Redirect.Same) &&
		equalPointers(a.Mark, b.Mark, func(x, y uint8) bool { return x == y }) &&
		a.Sample == b.Sample && a.Continue == b.Continue &&
		slices.Equal(slices.Sorted(slices.Values(a.Unknown)), slices.Sorted(slices.Values(b.Unknown)))
}

func equalPointers[T any](a, b *T, same func(T, T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return same(*a, *b)
}

func (r Rate) same(o Rate) bool {
	return r.Amount == o.Amount && (r.Unit == o.Unit || r.Amount == 0)
}

// String prints a as ExaBGP writes it inside `then { }`, on one line: `rate-limit 12500000; mark 46;`. What ExaBGP has no
// word for is printed as an extended community.
func (a Action) String() string {
	var words []string
	if a.Rate != nil {
		words = append(words, a.Rate.String())
	}
	if a.Redirect != nil {
		words = append(words, a.Redirect.String())
	}
	if a.Mark != nil {
		words = append(words, fmt.Sprintf("mark %d", *a.Mark))
	}
	switch {
	case a.Sample && a.Continue:
		words = append(words, "action sample-terminal")
	case a.Sample:
		words = append(words, "action sample")
	case a.Continue:
		words = append(words, "action terminal") // ExaBGP's word for the T bit, set
	}
	for _, c := range a.Unknown {
		words = append(words, "extended-community "+c.String())
	}
	if len(words) == 0 {
		return "accept;"
	}
	return strings.Join(words, "; ") + ";"
}

// String prints r as ExaBGP does: `discard`, `rate-limit 12500000` in bytes/s, or `rate-limit 500 packets`.
func (r Rate) String() string {
	if r.Amount == 0 {
		return "discard"
	}
	s := "rate-limit " + strconv.FormatFloat(float64(r.Amount), 'f', -1, 32)
	if r.Unit == Packets {
		s += " packets"
	}
	return s
}

// String prints r as ExaBGP reads it: `redirect 65000:666`, `redirect 192.0.2.99` and `copy 192.0.2.99` (draft-simpson),
// `redirect-to-nexthop-ietf 192.0.2.99`; as an extended community where ExaBGP has no word that works (route targets with
// an address, IETF forms with the copy bit).
func (r Redirect) String() string {
	switch {
	case r.Form == RedirectAS2, r.Form == RedirectAS4 && r.Global > 0xffff: // ExaBGP chooses the form by the number
		return fmt.Sprintf("redirect %d:%d", r.Global, r.Local)
	case r.Form == NextHopSimpson && r.Copy:
		return fmt.Sprintf("copy %s", r.Addr)
	case r.Form == NextHopSimpson:
		return fmt.Sprintf("redirect %s", r.Addr)
	case r.NextHop() && !r.Copy:
		return fmt.Sprintf("redirect-to-nexthop-ietf %s", r.Addr)
	}
	return "extended-community " + r.community().String()
}
